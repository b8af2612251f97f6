"""Settling: from the relaxation or from a plan, what it comes back with breaks no rule and never costs more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.one_deadline import NOW as ONE_DEADLINE_NOW
from benchmarks.one_deadline import OneDeadline
from benchmarks.one_deadline import firm_of as one_deadline
from scenarios.firms import generate_firm
from solver import settling
from solver.board import compile_board
from solver.bound import Relaxed, lower_bound
from solver.construct import completed, rule_plan
from solver.firm import Firm
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from solver.settling import Settle, rounded, settles, unlinked
from tests.firms_for_tests import NOW, random_firm
from tests.plan_checker import assignments, cheapest, tiny_firm
from tests.solver.test_anneal import faults

UNITS = 0.02


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "MOVES_PER_CALL", 2_000)
    monkeypatch.setattr(settling, "MOST_MOVES", 20_000)
    monkeypatch.setattr(settling, "STEPS_PER_CALL", 20_000)


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def begun(problem: Problem) -> Assignment:
    return completed(problem, rule_plan(problem))


def relaxed_of(problem: Problem) -> Relaxed:
    relaxed = lower_bound(problem).relaxed
    assert relaxed is not None
    return relaxed


def settle(problem: Problem, plan: Assignment, *, seed: int = 0, fresh: bool = False, units: float = UNITS) -> Settle:
    everybody, everything = np.arange(problem.person_count), np.ones(problem.task_count, dtype=np.bool_)
    return Settle(plan, relaxed_of(problem), everybody, everything, seed, units, fresh)


def _answers(yes: int) -> Callable[[], bool]:
    left = iter([True] * yes)
    return lambda: next(left, False)


def crowded(seed: int, people: int = 5, tasks: int = 30) -> Problem:
    """Return many tasks and little room, all due at once: dear where quick, as in the published families."""
    random = np.random.default_rng(seed)
    work = random.integers(10, 60, (tasks, people))
    room = np.full(people, int(0.85 * work.mean() * tasks / people))
    asked = OneDeadline("crowded", work, 70 - work + random.integers(0, 10, work.shape), room)
    return compile_problem(compile_board(one_deadline(asked, escalation_min=5_000), now=ONE_DEADLINE_NOW))


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_settling_breaks_no_rule_and_costs_no_more(seed: int, fresh: bool) -> None:
    problem = problem_of(random_firm(seed, people=2 + seed % 5, tasks=8 + 2 * seed, load=0.6 + 0.3 * (seed % 4)))
    if not problem.allowed.any():
        return
    plan = begun(problem)
    found = settle(problem, plan, seed=seed, fresh=fresh)(problem, lambda: True).plan
    assert faults(problem, found) == []
    assert problem.objective_min(found) <= problem.objective_min(plan)


@pytest.mark.parametrize("questions", [0, 1, 2, 5, 15, 40])
def test_a_plan_breaks_no_rule_whenever_it_is_stopped(questions: int) -> None:
    for problem in (crowded(questions), problem_of(random_firm(questions, people=4, tasks=25, load=1.2))):
        plan = begun(problem)
        found = settle(problem, plan, fresh=True, units=1.0)(problem, _answers(questions)).plan
        assert faults(problem, found) == []
        assert problem.objective_min(found) <= problem.objective_min(plan)


def test_the_best_of_all_assignments_is_found_where_no_rule_links_tasks() -> None:
    """Groups of everybody are enumerated to the end, so a tiny firm is left at its best."""
    tried = 0
    for seed in range(30):
        problem = problem_of(tiny_firm(seed))
        if not (problem.allowed.any() and unlinked(problem).all() and assignments(problem) <= 2_000):
            continue
        found = settle(problem, begun(problem))(problem, lambda: True).plan
        assert problem.objective_min(found) == cheapest(problem).objective_min
        tried += 1
    assert tried > 3


def test_most_of_the_gap_of_a_crowded_firm_is_closed() -> None:
    problem = crowded(3)
    plan = begun(problem)
    found = settle(problem, plan, fresh=True, units=0.4)(problem, lambda: True).plan
    assert faults(problem, found) == []
    assert (found.who >= 0).all()
    bound = lower_bound(problem).minutes
    assert problem.objective_min(found) - bound < 0.15 * (problem.objective_min(plan) - bound)


def test_groups_are_settled_for_as_much_work_as_asked_after_annealing() -> None:
    """Annealing leaves people short of minutes; what would be given up for those costs more than all else."""
    problem, annealing = crowded(1), settling.MOST_MOVES / settling.MOVES_PER_UNIT
    units = annealing / 2
    assert (
        settle(problem, begun(problem), fresh=True, units=units)(problem, lambda: True).work_units > annealing + units
    )


def test_prices_add_up_to_the_bound() -> None:
    """The cheapest choice of each task, less what all unused minutes are worth, is what the relaxation proves."""
    for problem in (crowded(1), problem_of(random_firm(3, people=5, tasks=30, load=0.9))):
        bound = lower_bound(problem)
        assert bound.relaxed is not None
        marked = bound.relaxed.marked
        least = np.where(problem.may_escalate, problem.escalation_min.astype(np.float64), np.inf)
        np.minimum.at(least, marked.task, marked.price_min)
        assert least.sum() - marked.unused_min.sum() == pytest.approx(bound.relaxed.plain, abs=1 + 2e-6 * bound.minutes)


def test_a_start_at_the_relaxation_keeps_what_may_not_be_escalated_and_what_is_linked() -> None:
    made = generate_firm(people=8, tasks=80, load=1.0, seed=2)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    plan, free = begun(problem), unlinked(problem)
    start = rounded(problem, plan, relaxed_of(problem), free)
    stays = ~free | ~problem.may_escalate
    assert (start.who[stays] == plan.who[stays]).all()
    assert (start.window[stays] == plan.window[stays]).all()
    assert (start.who[~stays] != plan.who[~stays]).any()


def test_only_its_side_of_the_firm_changes() -> None:
    problem = crowded(2)
    plan = begun(problem)
    people = np.array([0, 2])
    tasks = np.isin(plan.who, people)
    found = Settle(plan, relaxed_of(problem), people, tasks, 0, UNITS)(problem, lambda: True).plan
    assert (found.who[~tasks] == plan.who[~tasks]).all()
    assert np.isin(found.who[tasks], [0, 2, ESCALATED]).all()
    assert problem.objective_min(found) < problem.objective_min(plan)


def test_the_same_settling_comes_to_the_same_plan() -> None:
    problem = crowded(4)
    job = settle(problem, begun(problem), seed=3, fresh=True, units=0.1)
    once, again = job(problem, lambda: True), job(problem, lambda: True)
    assert (once.plan.who == again.plan.who).all()
    assert once.work_units == again.work_units


def test_a_relaxation_that_splits_most_tasks_or_a_large_firm_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = crowded(5)
    relaxed = relaxed_of(problem)
    assert settles(problem, relaxed)
    split = replace(relaxed.leaning, share=np.full_like(relaxed.leaning.share, 0.5))
    assert not settles(problem, replace(relaxed, leaning=split))
    monkeypatch.setattr("solver.settling.MOST_CELLS", problem.room_min.size - 1)
    assert not settles(problem, relaxed)
