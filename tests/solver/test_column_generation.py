"""The bound of whole plans per person: never above what trying every assignment finds, at any prices and any stop."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from solver.board import compile_board
from solver.bound import Relaxed, lower_bound
from solver.column_generation import State, Tighten, worth_it
from solver.construct import completed, rule_plan
from solver.firm import Firm
from solver.person_plans import best_plans
from solver.problem import Problem, compile_problem
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import assignments, cheapest, tiny_firm


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def relaxed_of(problem: Problem) -> Relaxed | None:
    return lower_bound(problem).relaxed


def small_problems() -> list[Problem]:
    return [problem for seed in range(60) if assignments(problem := problem_of(tiny_firm(seed))) <= 20_000]


def tightened(problem: Problem, relaxed: Relaxed, units: float = 0.1, state: State | None = None) -> State:
    return Tighten(relaxed, state, completed(problem, rule_plan(problem)), units)(problem, lambda: True).state


def test_bound_is_never_above_the_best_of_all_assignments() -> None:
    tried = 0
    for problem in small_problems():
        relaxed = relaxed_of(problem)
        if relaxed is not None:
            tried += 1
            assert tightened(problem, relaxed).minutes <= cheapest(problem).objective_min
    assert tried > 40


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("flags", [0, 1, 3])
def test_bound_holds_at_any_prices(seed: int, flags: int) -> None:
    random = np.random.default_rng(seed)
    for problem in small_problems()[:20]:
        relaxed = relaxed_of(problem)
        if relaxed is None:
            continue
        best = cheapest(problem).objective_min
        for _ in range(4):
            price = relaxed.task * random.uniform(0.0, 2.0, problem.task_count) + random.normal(
                0, 50, problem.task_count
            )
            price = np.where(problem.may_escalate, np.minimum(price, problem.escalation_min), price)
            total = best_plans(relaxed.items, price, flags)[0] + float(price.sum()) - relaxed.later_min
            assert total <= best + 1e-6 * (1 + abs(best))


@pytest.mark.parametrize(("most_items", "beyond_min"), [(1, 6_000), (1_200, 1), (0, 0)])
def test_bound_holds_where_the_recursion_leaves_choices_out(most_items: int, beyond_min: int) -> None:
    for problem in small_problems()[:20]:
        relaxed = relaxed_of(problem)
        if relaxed is not None:
            total = best_plans(relaxed.items, relaxed.task, 1, most_items, beyond_min)[0] + float(relaxed.task.sum())
            assert total - relaxed.later_min <= cheapest(problem).objective_min * (1 + 1e-6)


def test_best_plan_of_a_person_is_the_best_of_all_sets_of_tasks() -> None:
    one = firm((person("ada"),), tuple(task(f"t{i}", hours=3 + i, due=i % 4) for i in range(6)))
    problem = problem_of(one)
    relaxed = relaxed_of(problem)
    assert relaxed is not None
    random, shares = np.random.default_rng(0), problem.balance
    for _ in range(10):
        price = random.uniform(0, 20_000, problem.task_count)
        least = np.inf
        for chosen in product([False, True], repeat=problem.task_count):
            tasks = np.flatnonzero(chosen)
            plan = problem.today.copy()
            plan.who[tasks], plan.window[tasks] = 0, 0
            if (problem.slack_min(plan) >= 0).all():
                late = problem.late_min[problem.first_window[tasks]] + problem.comfort_min[tasks, 0] - price[tasks]
                loads = problem.loads_min(plan)[0]
                away = np.abs(loads - shares.share_min[0])
                cost = shares.near_pct * away[0] + shares.far_pct * max(away[0] - shares.far_min[0], 0)
                least = min(least, late.sum() + (cost + shares.week_pct * away[1:].sum()) / 100)
        assert best_plans(relaxed.items, price, 3)[0] == pytest.approx(least)


def test_lumps_are_seen_that_a_linear_relaxation_splits() -> None:
    one = firm((person("ada"), person("bob")), tuple(task(f"t{i}", hours=25) for i in range(3)))
    problem = problem_of(one)
    found = lower_bound(problem)
    assert found.relaxed is not None
    state = tightened(problem, found.relaxed, 1.0)
    assert found.minutes < state.minutes <= cheapest(problem).objective_min
    # A whole task of 25 hours is left to a partner, not the two that do not fit of seventy-five.
    assert state.minutes >= 25 * 60 * 60 * 2


def test_job_goes_on_where_the_one_before_ended_and_never_lowers_the_bound() -> None:
    problem = problem_of(random_firm(5, people=6, tasks=40, load=1.3))
    relaxed = relaxed_of(problem)
    assert relaxed is not None
    state, bounds = None, []
    for _ in range(6):
        state = tightened(problem, relaxed, 0.0, state)
        bounds.append(state.minutes)
    assert bounds == sorted(bounds)
    assert bounds[-1] > bounds[0]
    assert bounds[-1] <= problem.objective_min(completed(problem, rule_plan(problem)))


def test_job_that_is_told_to_stop_does_one_round() -> None:
    problem = problem_of(random_firm(5, people=6, tasks=40, load=1.3))
    relaxed = relaxed_of(problem)
    assert relaxed is not None
    plan = completed(problem, rule_plan(problem))
    once = Tighten(relaxed, None, plan, 0.0)(problem, lambda: True)
    told = Tighten(relaxed, None, plan, 100.0)(problem, lambda: False)
    assert told.work_units == once.work_units
    assert told.state.minutes == once.state.minutes


def test_firm_whose_rounds_take_long_is_not_tightened() -> None:
    relaxed = relaxed_of(problem_of(random_firm(5, people=6, tasks=40)))
    assert relaxed is not None
    assert worth_it(relaxed)
    many = relaxed.items._replace(task=np.zeros(10_000_000, dtype=np.int64))
    assert not worth_it(replace(relaxed, items=many))
