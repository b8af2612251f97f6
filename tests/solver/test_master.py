"""The restricted master: its bound is never above what trying every assignment finds, whoever has whole plans, at any stop."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from solver.board import compile_board
from solver.bound import lower_bound
from solver.construct import completed, rule_plan
from solver.firm import Firm
from solver.master import Master, WholePlan
from solver.problem import Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import assignments, cheapest, tiny_firm


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def first_plan(problem: Problem) -> Assignment:
    return completed(problem, rule_plan(problem))


def until(problem: Problem, column: int) -> NDArray[np.int64]:
    return np.full(problem.person_count, min(column, len(problem.dues) - 1), dtype=np.int64)


def master_of(problem: Problem, last: NDArray[np.int64], go_on: bool = True) -> Master:
    relaxed = lower_bound(problem).relaxed
    assert relaxed is not None
    return Master(problem, relaxed, last, first_plan(problem), lambda: go_on)


def small_problems() -> list[Problem]:
    found = [problem_of(tiny_firm(seed)) for seed in range(60)]
    return [
        problem
        for problem in found
        if assignments(problem) <= 20_000 and len(problem.dues) and lower_bound(problem).relaxed is not None
    ]


@pytest.mark.parametrize("column", [0, 2, 99])
@pytest.mark.parametrize("rounds", [1, 3, 100])
def test_bound_is_never_above_the_best_of_all_assignments(column: int, rounds: int) -> None:
    tried = 0
    for problem in small_problems():
        best = cheapest(problem).objective_min
        node = master_of(problem, until(problem, column)).generate(step=1, rounds=rounds, close_min=0.0)
        assert node.bound <= best + 1e-6 * (1 + abs(best))
        tried += 1
    assert tried > 40


def test_bound_holds_at_any_multipliers() -> None:
    random = np.random.default_rng(0)
    for problem in small_problems()[:20]:
        best, master = cheapest(problem).objective_min, master_of(problem, until(problem, 99))
        nothing = np.zeros(len(master.relaxation.x), dtype=np.bool_)
        for _ in range(4):
            dual = master.dual * random.uniform(0.0, 2.0, len(master.dual)) + random.normal(0, 50, len(master.dual))
            dual[master.equal_rows :] = np.minimum(dual[master.equal_rows :], 0.0)
            assert master.at(dual, nothing, 1)[0] <= best + 1e-6 * (1 + abs(best))


def test_value_and_bound_meet_and_are_no_less_than_the_relaxation() -> None:
    problem = problem_of(random_firm(5, people=6, tasks=40, load=1.3))
    plain = lower_bound(problem)
    node = master_of(problem, until(problem, 99)).generate(step=1, rounds=300, close_min=1.0)
    assert node.value - node.bound <= 1.0 + 1e-6 * node.value
    assert plain.minutes - 2 <= node.bound <= problem.objective_min(first_plan(problem))


def test_lumps_are_seen_that_the_relaxation_splits() -> None:
    problem = problem_of(firm((person("ada"), person("bob")), tuple(task(f"t{i}", hours=25) for i in range(3))))
    node = master_of(problem, until(problem, 99)).generate(step=1, rounds=100, close_min=0.0)
    assert lower_bound(problem).minutes < node.bound <= cheapest(problem).objective_min * (1 + 1e-6)
    # A whole task of 25 hours is left to a partner, not the two that do not fit of seventy-five.
    assert node.bound >= 25 * 60 * 60 * 2


def test_best_plans_at_multipliers_are_the_best_of_all_sets_of_tasks() -> None:
    problem = problem_of(firm((person("ada"),), tuple(task(f"t{i}", hours=3 + i, due=i % 4) for i in range(6))))
    master = master_of(problem, until(problem, 99))
    random, nothing = np.random.default_rng(0), np.zeros(len(master.relaxation.x), dtype=np.bool_)
    for _ in range(10):
        dual = master.dual.copy()
        dual[: problem.task_count] = random.uniform(0, 20_000, problem.task_count)
        _, reduced, (found,) = master.at(dual, nothing, 1)
        cost = reduced[master.relaxation.x]
        least = 0.0
        for chosen in product([False, True], repeat=len(cost)):
            picks = np.flatnonzero(chosen)
            tasks = master.relaxation.task[picks]
            plan = Assignment(np.full_like(problem.today.who, -1), np.full_like(problem.today.window, -1))
            plan.who[tasks] = 0
            plan.window[tasks] = master.relaxation.window[picks] - problem.first_window[tasks]
            if len(set(tasks.tolist())) == len(tasks) and (problem.slack_min(plan) >= 0).all():
                least = min(least, float(cost[picks].sum()))
        assert cost[found.picks].sum() == pytest.approx(least)


@pytest.mark.parametrize("step", [4, 8])
def test_plans_measured_in_steps_fit_to_the_minute(step: int) -> None:
    problem = problem_of(random_firm(3, people=4, tasks=40, load=1.5))
    master = master_of(problem, until(problem, 99))
    node = master.generate(step=step, rounds=40, close_min=0.0)
    assert any(len(plan.picks) > 2 for plan in master.plans)
    for plan in master.plans:
        held = Assignment(np.full_like(problem.today.who, -1), np.full_like(problem.today.window, -1))
        tasks = master.relaxation.task[plan.picks]
        held.who[tasks], held.window[tasks] = (
            plan.person,
            master.relaxation.window[plan.picks] - problem.first_window[tasks],
        )
        # The recursion knows of windows that start now; later ones have their price.
        if len(set(tasks.tolist())) == len(tasks):
            assert (problem.slack_min(held)[plan.person, 0] >= 0).all()
    assert node.value <= problem.objective_min(first_plan(problem)) + 1e-6


def test_what_is_decided_leaves_its_tasks_to_nobody_else_and_no_linked_one_out_of_order() -> None:
    problem = problem_of(random_firm(7, people=5, tasks=30, load=1.2))
    master = master_of(problem, until(problem, 99))
    node = master.generate(step=1, rounds=100, close_min=1.0)
    plan = max(node.plans, key=lambda one: len(one.picks))
    out = master.without(node.out, plan)
    relaxation = master.relaxation
    assert not out[plan.picks].any()
    mine = np.isin(relaxation.task, relaxation.task[plan.picks])
    assert out[mine & (relaxation.person != plan.person)].all()
    for pick in plan.picks.tolist():
        t, w = int(relaxation.task[pick]), int(relaxation.window[pick])
        for review in problem.reviews.get(t, ()):
            theirs = relaxation.task == review
            early = problem.release[relaxation.window] <= problem.due[w]
            within = problem.release[relaxation.window] < problem.board.axis.count
            assert out[theirs & early & within].all()
            assert out[theirs & (relaxation.person == plan.person)].all()
    master.only(out, forget=True)
    assert all(not out[master.plans[-k - 1].picks].any() for k in master.added if k < 0)
    again = master.generate(step=1, rounds=100, close_min=1.0, start=node, out=out, fixed={plan.person: plan})
    assert all(not out[one.picks].any() for one in again.plans)
    assert again.value >= node.value - 1e-6 * node.value


def test_told_to_stop_it_does_one_round() -> None:
    problem = problem_of(random_firm(5, people=6, tasks=40, load=1.3))
    node = master_of(problem, until(problem, 99), go_on=False).generate(step=1, rounds=100, close_min=0.0)
    once = master_of(problem, until(problem, 99)).generate(step=1, rounds=1, close_min=0.0)
    assert node.bound == once.bound


def test_a_plan_is_added_once() -> None:
    problem = problem_of(random_firm(5, people=6, tasks=40, load=1.3))
    master = master_of(problem, until(problem, 99))
    mine = np.flatnonzero(master.person == 0)[:1]
    one = master.plan_of(0, mine)
    assert isinstance(one, WholePlan)
    before = len(master.plans)
    added = master.add([one, one])
    assert len(master.plans) == before + added
    assert not master.add([one])
