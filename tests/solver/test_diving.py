"""Dives: plans put together from whole person-plans, which break no rule and never cost more than the plan begun with."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.contention import MOST_OUTLETS, MOST_PEOPLE, contended
from solver.diving import Dive
from solver.firm import Firm, TaskType
from solver.overbooking import Overbook
from solver.problem import Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.solver.test_anneal import faults


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def begun(problem: Problem) -> Assignment:
    return completed(problem, rule_plan(problem))


def packed() -> tuple[Problem, Assignment]:
    """Return a firm with too much due on one day, and a plan of it by overbooking."""
    made = generate_firm(people=12, tasks=240, load=1.0, seed=4)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    return problem, Overbook(begun(problem), 3)(problem, lambda: True).plan


def dived(problem: Problem, plan: Assignment, seed: int) -> Assignment:
    return Dive(plan, seed)(problem, lambda: True).plan


@pytest.mark.parametrize("seed", range(12))
def test_a_dive_breaks_no_rule_and_costs_no_more(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=2 + seed % 5, tasks=8 + 2 * seed, load=0.9 + 0.3 * (seed % 3)))
    plan = begun(problem)
    for number in range(3):
        found = Dive(plan, number, fine=number == 2)(problem, lambda: True).plan
        assert faults(problem, found) == []
        assert problem.objective_min(found) <= problem.objective_min(plan)
        plan = found


def test_the_best_packing_of_two_people_is_found() -> None:
    """Ten hours each until Monday evening: of 5 + 5, 6 + 4, 3 hours the last alone stays out, and not what comes last in a list."""
    hours = (6, 3, 5, 4, 5)
    one = firm(
        people=tuple(person(id, skills=("tax",)) for id in ("Ada", "Bo")),
        tasks=tuple(task(f"t{i}", estimate_min=60 * length, deadline="2027-03-02") for i, length in enumerate(hours)),
    )
    problem = problem_of(one)
    room = int(problem.room_min[0].max())
    plan = begun(problem)
    found = dived(problem, plan, 0)
    best = min(
        sum(problem.escalation_min[t] for t, who in enumerate(choice) if who < 0)
        for choice in itertools.product((-1, 0, 1), repeat=len(hours))
        if all(sum(60 * hours[t] for t in range(len(hours)) if choice[t] == p) <= room for p in (0, 1))
    )
    assert problem.escalation_min[found.who < 0].sum() == best


def test_a_dive_undoes_what_overbooking_leaves() -> None:
    problem, plan = packed()
    found = dived(problem, plan, 0)
    assert problem.objective_min(found) < 0.9 * problem.objective_min(plan)
    assert faults(problem, found) == []


def test_what_is_dived_for_is_small_and_has_one_task_of_each_piece() -> None:
    made = generate_firm(people=20, tasks=400, load=1.1, seed=1)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    plan = begun(problem)
    for seed in range(4):
        tasks, people = contended(problem, plan, seed, 40)
        assert 2 <= len(tasks) <= 40
        assert 1 <= len(people) <= MOST_PEOPLE + MOST_OUTLETS
        linked = {int(o) for t in tasks for o in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]}
        assert not linked & set(tasks.tolist())
        held = plan.who[tasks] >= 0
        assert np.isin(plan.who[tasks[held]], people).all()


def test_what_others_may_take_makes_room() -> None:
    """Only Ada may do the long task, beside which she has room for no other: Bo, who may not, has the short one then."""
    one = firm(
        people=(person("Ada", skills=("tax", "books")), person("Bo", skills=("books",))),
        tasks=(task("short", type="books", hours=4, due=1), task("long", hours=13, due=1)),
        task_types=(TaskType(id="return", skill="tax"), TaskType(id="books", skill="books")),
    )
    problem = problem_of(one)
    plan = begun(problem)
    plan.who[:], plan.window[:] = (0, -1), (0, -1)
    assert faults(problem, plan) == []
    found = dived(problem, plan, 0)
    assert found.who.tolist() == [1, 0]


def test_nothing_is_dived_for_where_everything_costs_its_least() -> None:
    problem = problem_of(firm(people=(person("Ada", skills=("tax",)),), tasks=(task("one"),)))
    found = Dive(begun(problem), 0)(problem, lambda: True)
    assert found.work_units == 0.0


def test_the_same_dive_comes_to_the_same_plan() -> None:
    problem, plan = packed()
    one, other = dived(problem, plan, 1), dived(problem, plan, 1)
    assert (one.who == other.who).all()
    assert (one.window == other.window).all()


def test_a_dive_ends_where_a_person_plan_takes_a_task_twice() -> None:
    """This one fixed such a plan, which no plan of all can hold whole, again and again; it asks 975 times when it does not."""
    problem, plan = packed()
    asked = iter([True] * 5000)
    found = Dive(plan, 1)(problem, lambda: next(asked, False))
    assert next(asked, False)
    assert faults(problem, found.plan) == []


def test_a_dive_that_is_told_to_stop_returns_a_plan() -> None:
    problem, plan = packed()
    asked = iter([True] * 5)
    found = Dive(plan, 0)(problem, lambda: next(asked, False))
    assert faults(problem, found.plan) == []
