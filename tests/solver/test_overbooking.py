"""Overbooking: whatever it promises on the way, what it comes back with breaks no rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from scenarios.firms import generate_firm
from solver import anneal, flattened
from solver.anneal import Facts, Overbooked, State
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.contention import contested, dear_minute
from solver.overbooking import Overbook, fitted
from solver.problem import Assignment, Problem, compile_problem, solo_room_min
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.solver.test_anneal import faults


def problem_of(seed: int) -> Problem:
    one = random_firm(seed, people=2 + seed % 5, tasks=8 + 2 * seed, load=0.6 + 0.3 * (seed % 4))
    return compile_problem(compile_board(one, now=NOW))


def started(problem: Problem, seed: int) -> tuple[Facts, State, Overbooked]:
    plan = completed(problem, rule_plan(problem))
    return flattened.facts(problem), flattened.start_state(problem, plan, seed), flattened.overbooked(problem, plan)


def everything(problem: Problem) -> NDArray[np.int64]:
    return np.arange(problem.task_count)


def firm_slack(problem: Problem, plan: Assignment) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    kept = plan.copy()
    kept.who[problem.may_escalate], kept.window[problem.may_escalate] = -1, -1
    return problem.slack_min(kept)


@pytest.mark.parametrize("seed", range(16))
def test_every_figure_stays_in_step_while_too_much_is_promised(seed: int) -> None:
    problem = problem_of(seed)
    flat, state, kept = started(problem, seed)
    with np.errstate(over="ignore"):
        for moves in (5, 300, 3_000):
            anneal.overbook(flat, state, kept, everything(problem), moves, 180.0, 20.0, 1.0, 30.0)
            plan = flattened.result(state)
            slack = problem.slack_min(plan)
            assert (state.slack == slack).all()
            assert (kept.over == np.maximum(-slack.min(axis=(1, 2), initial=0), 0)).all()
            assert (kept.firm_slack == firm_slack(problem, plan)).all()
            assert (kept.firm_slack >= 0).all()
            assert (kept.room == problem.room_min).all()
            assert (state.load == problem.loads_min(plan)).all()
            assert not ((plan.who < 0) & ~problem.may_escalate & problem.allowed.any(axis=1)).any()


def test_too_much_is_promised_while_it_is_cheap() -> None:
    most = 0
    for seed in range(16):
        problem = problem_of(seed)
        flat, state, kept = started(problem, seed)
        with np.errstate(over="ignore"):
            anneal.overbook(flat, state, kept, everything(problem), 3_000, 180.0, 20.0, 1.0, 2.0)
        most = max(most, int(kept.over.max()))
    assert most > 0


@pytest.mark.parametrize("seed", range(16))
def test_nobody_is_promised_what_would_not_fit_alone(seed: int) -> None:
    problem = problem_of(seed)
    flat, state, kept = started(problem, seed)
    began = flattened.result(state)
    with np.errstate(over="ignore"):
        anneal.overbook(flat, state, kept, everything(problem), 5_000, 500.0, 20.0, 0.1, 1.0)
    plan = flattened.result(state)
    moved = np.flatnonzero((plan.who >= 0) & ((plan.who != began.who) | (plan.window != began.window)))
    for t in moved.tolist():
        w = int(problem.first_window[t] + plan.window[t])
        assert solo_room_min(problem, w)[plan.who[t]] >= problem.work_min[t, plan.who[t]]


@pytest.mark.parametrize("seed", range(16))
def test_what_does_not_fit_is_given_up(seed: int) -> None:
    problem = problem_of(seed)
    flat, state, kept = started(problem, seed)
    with np.errstate(over="ignore"):
        anneal.overbook(flat, state, kept, everything(problem), 3_000, 180.0, 20.0, 1.0, 2.0)
    before = flattened.result(state)
    plan = fitted(problem, before)
    assert faults(problem, plan) == []
    stayed = plan.who == before.who
    assert (plan.window[stayed] == before.window[stayed]).all()
    assert (plan.who[~stayed] == -1).all()


@pytest.mark.parametrize("stopped", [False, True])
def test_plan_breaks_no_rule_whenever_it_ends(stopped: bool) -> None:
    made = generate_firm(people=8, tasks=80, load=1.2, seed=3)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    start = completed(problem, rule_plan(problem))
    once, again = (Overbook(start, 5)(problem, lambda: not stopped) for _ in range(2))
    assert faults(problem, once.plan) == []
    assert (once.plan.who == again.plan.who).all()
    assert once.work_units == again.work_units


def test_it_finds_more_than_the_rule_does() -> None:
    made = generate_firm(people=8, tasks=80, load=1.2, seed=3)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    start = completed(problem, rule_plan(problem))
    found = Overbook(start, 0)(problem, lambda: True).plan
    assert problem.objective_min(found) < 0.8 * problem.objective_min(start)


def test_only_what_costs_more_than_it_must_and_what_is_in_its_way_is_contested() -> None:
    # Two tasks of five hours for one day of eight; what is due the day after is not in their way.
    tasks = (task("a", hours=5, due=0), task("b", hours=5, due=0), task("c", hours=1, due=1))
    problem = compile_problem(compile_board(firm(people=(person("ana"),), tasks=tasks), now=NOW))
    plan = completed(problem, rule_plan(problem))
    assert (plan.who < 0).sum() == 1
    assert {problem.board.tasks[t].id for t in contested(problem, plan)} == {"a", "b"}


def test_a_dear_minute_is_what_late_work_costs_by_the_minute() -> None:
    tasks = (task("a", hours=5, due=0), task("b", hours=5, due=0), task("c", hours=1, due=1))
    problem = compile_problem(compile_board(firm(people=(person("ana"),), tasks=tasks), now=NOW))
    plan = completed(problem, rule_plan(problem))
    left = int(np.flatnonzero(plan.who < 0)[0])
    assert dear_minute(problem, plan) == pytest.approx(problem.escalation_min[left] / problem.work_min[left, 0])
    easy = compile_problem(compile_board(firm(people=(person("ana"),), tasks=tasks[2:]), now=NOW))
    assert dear_minute(easy, completed(easy, rule_plan(easy))) == 0.0


def test_work_that_must_have_somebody_and_does_not_fit_is_told() -> None:
    """Nothing may be given up here, so there is no plan to come back to."""
    tasks = (task("a", hours=5, due=0), task("b", hours=5, due=0))
    problem = compile_problem(compile_board(firm(people=(person("ana"),), tasks=tasks), now=NOW))
    firmly = replace(problem, may_escalate=np.zeros(2, dtype=np.bool_))
    plan = Assignment(np.zeros(2, dtype=np.int32), np.zeros(2, dtype=np.int32))
    with pytest.raises(ValueError, match="person 0 holds more work"):
        fitted(firmly, plan)


def test_nothing_is_done_where_nothing_is_contested() -> None:
    problem = compile_problem(compile_board(firm(people=(person("ana"),), tasks=(task("a"),)), now=NOW))
    plan = completed(problem, rule_plan(problem))
    found = Overbook(plan, 0)(problem, lambda: True)
    assert found.work_units == 0
    assert found.plan is plan


def test_work_of_the_only_person_who_may_do_it_can_be_given_up() -> None:
    for seed in range(16):
        problem = problem_of(seed)
        flat, state, kept = started(problem, seed)
        alone = np.flatnonzero((problem.allowed.sum(axis=1) == 1) & problem.may_escalate & (state.who >= 0))
        if len(alone) == 0:
            continue
        p = int(state.who[alone[0]])
        w = problem.first_window[alone[0]] + state.window[alone[0]]
        state.slack[p, : problem.release_row[w] + 1, problem.due_column[w] :] -= 10_000
        kept.over[p] = -int(state.slack[p].min())
        with np.errstate(over="ignore"):
            anneal.overbook(flat, state, kept, alone[:1], 3_000, 20.0, 2.0, 1e6, 1e6)
        assert state.who[alone[0]] == -1
        return
    raise AssertionError("no firm has such work")
