"""The search: anytime, never worse, and honest about why it ended."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver import anneal, improving, neighbourhoods, search
from solver.anneal import MOVES_PER_UNIT
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.crew import Alone
from solver.firm import Firm
from solver.packings import Packings
from solver.plan import StopReason
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from solver.running import Search
from solver.search import anneal_from, solve_neighbourhoods, solve_whole
from solver.stop import Progress, Stop, WorkBudget
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import cheapest


def never(progress: Progress) -> None:
    return None


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def begun(problem: Problem, stop: Stop = never, told: Callable[[Progress], None] = never, seed: int = 0) -> Search:
    plan = completed(problem, rule_plan(problem))
    base = problem.unavoidable_min()
    return Search(problem, plan, Progress(0.0, problem.objective_min(plan) - base, 0), stop, told, base, seed)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anneal, "MOVES_PER_CALL", 1_000)
    monkeypatch.setattr(search, "ANNEAL_BASE_MOVES", 4_000)
    monkeypatch.setattr(search, "ANNEAL_MOVES_PER_TASK", 0)
    monkeypatch.setattr(neighbourhoods, "PATIENCE", 6)
    monkeypatch.setattr(search, "WHOLE_PICKS", 0)


def test_better_plan_is_kept_and_a_worse_one_is_not() -> None:
    problem = problem_of(firm(people=(person("ada"), person("bob")), tasks=(task("a"), task("b"))))
    running = begun(problem)
    even = running.plan
    best = running.progress.objective_min
    uneven = Assignment(np.array([0, 0], dtype=np.int32), np.array([0, 0], dtype=np.int32))
    lost = Assignment(np.array([0, ESCALATED], dtype=np.int32), np.array([0, -1], dtype=np.int32))
    running.plan = lost
    running.progress = Progress(0.0, problem.objective_min(lost), 0)
    assert running.report(uneven, 0.5, "first")
    assert running.plan is uneven
    assert not running.report(even, 0.25, "second")
    assert running.plan is even
    assert running.progress == Progress(0.75, best, 0, "second")
    running.report(uneven, 1.0, "third")
    assert running.plan is even
    assert running.progress == Progress(1.75, best, 0, "third")


def test_bound_only_rises_and_a_met_bound_is_the_optimum() -> None:
    running = begun(problem_of(random_firm(3, tasks=8)))
    objective = running.progress.objective_min
    assert running.bounded(objective - 10, 0.1)
    assert running.bounded(objective - 20, 0.1)
    assert (running.progress.bound_min, running.progress.phase) == (objective - 10, "lower bound")
    assert running.progress.work_units == pytest.approx(0.2)
    assert not running.bounded(objective, 0.1)
    assert running.stop_reason is StopReason.OPTIMAL


def test_first_reason_to_stop_stays_unless_the_plan_is_proven() -> None:
    reasons = iter([None, StopReason.WORK, StopReason.CANCELLED])
    running = begun(problem_of(random_firm(3, tasks=8)), stop=lambda progress: next(reasons))
    assert running.bounded(1, 0.0)
    assert not running.bounded(1, 0.0)
    assert not running.bounded(1, 0.0)
    ends = [running.stop_reason]
    running.bounded(running.progress.objective_min, 0.0)
    ends.append(running.stop_reason)
    assert ends == [StopReason.WORK, StopReason.OPTIMAL]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.usefixtures("short")
def test_annealing_never_ends_above_its_start(seed: int) -> None:
    problem = problem_of(random_firm(seed))
    told: list[Progress] = []
    running = begun(problem, told=told.append, seed=seed)
    start = problem.objective_min(running.plan)
    anneal_from(running, running.plan)
    assert problem.objective_min(running.plan) <= start
    assert problem.objective_min(running.plan) - running.base_min == running.progress.objective_min
    assert (problem.slack_min(running.plan) >= 0).all()
    assert {progress.phase for progress in told} == {"", "annealing"}
    assert running.progress.work_units == pytest.approx(4 * 1_000 / MOVES_PER_UNIT)


@pytest.mark.usefixtures("short")
def test_longer_backlogs_are_annealed_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "ANNEAL_MOVES_PER_TASK", 1_000)
    told: list[Progress] = []
    problem = problem_of(random_firm(0, tasks=20))
    running = begun(problem, told=told.append)
    anneal_from(running, running.plan)
    assert running.progress.work_units == pytest.approx((4 + problem.task_count) * 1_000 / MOVES_PER_UNIT)
    assert len(told) > 4 + problem.task_count


@pytest.mark.usefixtures("short")
def test_temperature_falls_from_call_to_call(monkeypatch: pytest.MonkeyPatch) -> None:
    heats: list[tuple[float, float]] = []
    monkeypatch.setattr(anneal, "anneal", lambda facts, state, moves, hot, cold: heats.append((hot, cold)))
    running = begun(problem_of(random_firm(3)))
    anneal_from(running, running.plan)
    assert heats[0][0] == pytest.approx(search.HOT_MIN)
    assert heats[-1][1] == pytest.approx(search.COLD_MIN)
    assert all(hot > cold for hot, cold in heats)
    assert [cold for _, cold in heats[:-1]] == [hot for hot, _ in heats[1:]]


@pytest.mark.usefixtures("short")
def test_annealing_from_another_plan_by_a_share_of_the_moves_ends_when_it_is_enough() -> None:
    running = begun(problem_of(random_firm(3)))
    best, worst = running.plan, running.problem.today
    anneal_from(running, worst, hot_min=search.PRICED_MIN, share=0.5)
    assert running.problem.objective_min(running.plan) <= running.problem.objective_min(best)
    assert running.progress.work_units == pytest.approx(2 * 1_000 / MOVES_PER_UNIT)
    anneal_from(running, running.plan, enough=lambda: running.progress.work_units > 2.5 * 1_000 / MOVES_PER_UNIT)
    assert running.progress.work_units == pytest.approx(3 * 1_000 / MOVES_PER_UNIT)


@pytest.mark.usefixtures("short")
def test_annealing_ends_when_it_is_told() -> None:
    running = begun(problem_of(random_firm(3)), stop=WorkBudget(1_500 / MOVES_PER_UNIT))
    anneal_from(running, running.plan)
    # One call, then two: a budget is looked at between jobs, so that it ends alike wherever they are done.
    assert running.stop_reason is StopReason.WORK
    assert running.progress.work_units == pytest.approx(3_000 / MOVES_PER_UNIT)


@pytest.mark.parametrize(
    "one", [firm(), firm(tasks=(task("a"),)), firm(people=(person("ada", skills=()),), tasks=(task("a"),))]
)
def test_nothing_to_anneal_is_left_alone(one: Firm) -> None:
    running = begun(problem_of(one))
    anneal_from(running, running.plan)
    assert (running.progress.work_units, running.stop_reason) == (0.0, None)


def test_no_further_stage_of_a_small_firm_begins_once_the_first_took_long(monkeypatch: pytest.MonkeyPatch) -> None:
    made = generate_firm(people=4, tasks=40, load=1.3, seed=2)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    stages = []
    for most_units in (math.inf, 1e-9):
        monkeypatch.setattr(search, "WHOLE_UNITS", most_units)
        running = begun(problem)
        solve_whole(running)
        assert isinstance(running.crew, Alone)
        stages.append(running.crew.count)
    assert stages[0] > stages[1] == 1


@pytest.mark.usefixtures("short")
def test_small_firm_solved_whole_is_proven_optimal() -> None:
    problem = problem_of(
        firm(
            people=(person("ada", level="manager"), person("bob")),
            tasks=(task("a", assignee="ada"), task("b", hours=9), task("c", hours=30), task("d", due=-1)),
        )
    )
    running = begun(problem)
    solve_neighbourhoods(running)
    assert running.stop_reason is StopReason.OPTIMAL
    assert running.progress.bound_min == running.progress.objective_min
    assert problem.objective_min(running.plan) == cheapest(problem).objective_min


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("short")
def test_neighbourhoods_never_end_above_their_start(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=6, tasks=12))
    told: list[Progress] = []
    running = begun(problem, told=told.append, seed=seed)
    start = problem.objective_min(running.plan)
    solve_neighbourhoods(running)
    assert running.stop_reason in (StopReason.STALLED, StopReason.OPTIMAL)
    assert problem.objective_min(running.plan) <= start
    assert problem.objective_min(running.plan) - running.base_min == running.progress.objective_min
    assert all(progress.phase.startswith("exact solves of ") for progress in told if progress.work_units)


@pytest.mark.usefixtures("short")
def test_neighbourhoods_end_when_they_are_told() -> None:
    running = begun(problem_of(random_firm(3, people=7, tasks=18)), stop=lambda progress: StopReason.CANCELLED)
    solve_neighbourhoods(running)
    assert running.stop_reason is StopReason.CANCELLED


@pytest.mark.usefixtures("short")
def test_search_that_was_stopped_before_solves_nothing() -> None:
    running = begun(problem_of(random_firm(3)))
    running.stop_reason = StopReason.WORK
    solve_neighbourhoods(running)
    assert running.progress.work_units == 0.0


@pytest.mark.usefixtures("short")
def test_neighbourhood_without_an_answer_keeps_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def no_answer(*given: object, **also: object) -> tuple[None, bool, float]:
        asked.append(1)
        return None, False, 0.5

    monkeypatch.setattr(improving, "proven_solve", no_answer)
    monkeypatch.setattr(improving, "fast_solve", no_answer)
    running = begun(problem_of(random_firm(3)))
    before = running.plan
    solve_neighbourhoods(running)
    assert running.plan is before
    assert running.stop_reason is StopReason.STALLED
    assert running.progress.work_units == pytest.approx(0.5 * len(asked))


def test_plan_of_nothing_is_the_best_there_is() -> None:
    running = begun(problem_of(firm(people=(person("ada"),))))
    solve_neighbourhoods(running)
    assert running.stop_reason is StopReason.OPTIMAL


@pytest.mark.usefixtures("short")
def test_tasks_that_nobody_may_do_leave_nothing_to_try() -> None:
    running = begun(problem_of(firm(tasks=(task("a"),))))
    running.progress, running.base_min = Progress(0.0, running.base_min, 0), 0
    solve_neighbourhoods(running)
    assert running.stop_reason is StopReason.STALLED


def test_neighbourhoods_begin_with_the_packings_that_are_left() -> None:
    told: list[Progress] = []
    made = generate_firm(people=8, tasks=80, load=1.2, seed=3)
    running = begun(compile_problem(compile_board(made.firm, now=made.now)), told=told.append, stop=WorkBudget(12.0))
    solve_neighbourhoods(running, None, Packings(running))
    phases = list(dict.fromkeys(progress.phase for progress in told))
    assert phases[:2] == ["", "packing"]
    assert phases[2].startswith("exact solves")
