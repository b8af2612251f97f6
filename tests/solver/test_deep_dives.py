"""Deep dives: plans that break no rule and cost no more than the one begun with, and a bound that no plan beats."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver.board import compile_board
from solver.bound import Relaxed, lower_bound
from solver.construct import completed, rule_plan
from solver.deep_dives import DeepDive, scarce_until
from solver.firm import Firm
from solver.overbooking import Overbook
from solver.problem import Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import assignments, cheapest, tiny_firm
from tests.solver.test_anneal import faults


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def begun(problem: Problem) -> Assignment:
    return completed(problem, rule_plan(problem))


def relaxed_of(problem: Problem) -> Relaxed:
    relaxed = lower_bound(problem).relaxed
    assert relaxed is not None
    return relaxed


def busy_firm() -> tuple[Problem, Assignment]:
    """Return a firm with too much due on one day, and a plan of it by overbooking."""
    made = generate_firm(people=8, tasks=120, load=1.0, seed=4)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    return problem, Overbook(begun(problem), 2)(problem, lambda: True).plan


@pytest.mark.parametrize("seed", range(12))
def test_a_deep_dive_breaks_no_rule_costs_no_more_and_bounds_what_it_finds(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=2 + seed % 5, tasks=8 + 2 * seed, load=0.9 + 0.3 * (seed % 3)))
    plan, relaxed, root = begun(problem), relaxed_of(problem), None
    for number in range(3):
        found = DeepDive(plan, relaxed, number, root)(problem, lambda: True)
        assert faults(problem, found.plan) == []
        assert problem.objective_min(found.plan) <= problem.objective_min(plan)
        plan, root = found.plan, found.root
        if root is not None:
            assert root.bound_min <= problem.objective_min(plan)


def test_bounds_are_never_above_the_best_of_all_assignments() -> None:
    tried = 0
    for seed in range(30):
        problem = problem_of(tiny_firm(seed))
        relaxed = lower_bound(problem).relaxed
        if assignments(problem) > 20_000 or relaxed is None:
            continue
        found = DeepDive(begun(problem), relaxed, 0)(problem, lambda: True)
        if found.root is not None:
            tried += 1
            assert found.root.bound_min <= cheapest(problem).objective_min
    assert tried > 3


def test_a_deep_dive_finds_what_overbooking_does_not_and_bounds_it_better_than_the_relaxation() -> None:
    problem, plan = busy_firm()
    plain = lower_bound(problem)
    assert plain.relaxed is not None
    found = DeepDive(plan, plain.relaxed, 0)(problem, lambda: True)
    assert found.root is not None
    assert problem.objective_min(found.plan) < 0.95 * problem.objective_min(plan)
    assert found.root.bound_min > 1.02 * plain.minutes
    assert faults(problem, found.plan) == []


def test_the_next_dive_goes_on_from_the_root_of_the_last() -> None:
    problem, plan = busy_firm()
    relaxed = relaxed_of(problem)
    first = DeepDive(plan, relaxed, 0)(problem, lambda: True)
    assert first.root is not None
    next_one = DeepDive(plan, relaxed, 1, first.root)(problem, lambda: True)
    assert next_one.root is not None
    assert next_one.root.bound_min >= first.root.bound_min
    assert np.array_equal(next_one.root.last, first.root.last)


def test_a_dive_cut_and_sent_to_another_process_goes_on_and_takes_little_more_work() -> None:
    problem, plan = busy_firm()
    relaxed = relaxed_of(problem)
    whole = DeepDive(plan, relaxed, 0)(problem, lambda: True)
    found = DeepDive(plan, relaxed, 0, most_units=whole.work_units / 6)(problem, lambda: True)
    used, cuts, fixed = found.work_units, 0, 0
    while found.cut is not None:
        assert problem.objective_min(found.plan) == problem.objective_min(plan)
        assert found.root is not None
        assert found.root.bound_min <= problem.objective_min(whole.plan)
        cuts += 1
        depth = 0 if found.cut.at is None else len(found.cut.at.fixed)
        assert depth >= fixed
        fixed = depth
        job = DeepDive(plan, relaxed, 0, found.root, whole.work_units / 6, found.cut)
        found = pickle.loads(pickle.dumps(job))(problem, lambda: True)
        used += found.work_units
    assert cuts > 1
    assert problem.objective_min(found.plan) < 0.95 * problem.objective_min(plan)
    assert used < 2.0 * whole.work_units
    assert faults(problem, found.plan) == []


def test_told_to_stop_it_returns_the_plan_and_a_bound_that_holds() -> None:
    problem, plan = busy_firm()
    found = DeepDive(plan, relaxed_of(problem), 0)(problem, lambda: False)
    assert found.plan is plan
    assert found.root is not None
    assert found.root.bound_min <= problem.objective_min(plan)


def test_the_same_dive_comes_to_the_same() -> None:
    problem, plan = busy_firm()
    relaxed = relaxed_of(problem)
    one, other = (DeepDive(plan, relaxed, 3)(problem, lambda: True) for _ in range(2))
    assert np.array_equal(one.plan.who, other.plan.who)
    assert one.work_units == other.work_units


def test_whose_days_are_short_is_told_by_prices_and_by_what_costs_more_than_it_must() -> None:
    tasks = tuple(task(f"t{i}", hours=5, due=2) for i in range(20))
    problem = problem_of(firm((person("ada"), person("bob"), person("cy", skills=("audit",))), tasks))
    relaxed, plan = relaxed_of(problem), begun(problem)
    last = scarce_until(problem, relaxed, plan)
    column = int(problem.due_column[problem.first_window[0]])
    assert last[:2].tolist() == [column, column]
    assert last[2] == -1
    free = replace(relaxed.multipliers, minute=np.zeros_like(relaxed.multipliers.minute))
    assert scarce_until(problem, replace(relaxed, multipliers=free), plan).tolist() == last.tolist()


def test_where_nothing_is_scarce_there_is_nothing_to_do() -> None:
    problem = problem_of(firm((person("ada"), person("bob")), (task("t", hours=1, due=5),)))
    plan = begun(problem)
    found = DeepDive(plan, relaxed_of(problem), 0)(problem, lambda: True)
    assert (found.plan, found.work_units, found.root) == (plan, 0.0, None)
