"""Staying near another plan: rules hold, ties stay where they are, and moves that earn their disruption are made."""

from __future__ import annotations

import pytest

from solver.again import carried_over
from solver.batch import solve
from solver.board import compile_board
from solver.firm import Firm, TimeOff
from solver.nearby import nearby, nearest, people_of, surcharged
from solver.problem import Problem, compile_problem
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def test_people_are_known_by_task_and_those_not_in_both_are_nobody() -> None:
    before = firm((person("ada"), person("bob")), (task("a", assignee="ada"), task("b", assignee="bob")))
    plan = solve(before, now=NOW, stop=WorkBudget(0.0), advice=False)
    after = firm((person("bob"),), (task("b", assignee="bob"), task("c"), task("a")))
    problem = problem_of(after)
    place = {one.id: t for t, one in enumerate(problem.board.tasks)}
    rows = people_of(problem, plan)
    assert (rows[place["a"]], rows[place["b"]], rows[place["c"]]) == (-1, 0, -1)


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_found_breaks_no_rule_and_is_no_dearer_than_its_start(seed: int) -> None:
    one = random_firm(seed, people=5, tasks=30)
    last = solve(one, now=NOW, stop=WorkBudget(0.0), advice=False)
    ill = TimeOff(person="p01", first_day=day(0), last_day=day(11))
    problem = problem_of(one.model_copy(update={"time_off": (*one.time_off, ill)}))
    start, people = carried_over(problem, last), people_of(problem, last)
    found = nearby(problem, start, people, 60, seed=0)
    assert (problem.slack_min(found) >= 0).all()
    assert ((found.who >= 0) | problem.may_escalate).all()
    priced = surcharged(problem, people, 60)
    assert priced.objective_min(found) <= priced.objective_min(start)
    again = nearby(problem, start, people, 60, seed=0)
    assert (again.who == found.who).all()
    assert (again.window == found.window).all()


def test_a_prohibitive_price_moves_nothing_and_none_moves_what_saves_a_minute() -> None:
    one = random_firm(2, people=5, tasks=30)
    last = solve(one, now=NOW, stop=WorkBudget(0.0), advice=False)
    problem = problem_of(one)
    start, people = carried_over(problem, last), people_of(problem, last)
    stays = nearby(problem, start, start.who.astype("int64"), 100_000_000, seed=0)
    placed = (start.who >= 0) & (stays.who >= 0)
    assert (stays.who[placed] == start.who[placed]).all()
    free = nearby(problem, start, people, 0, seed=0)
    assert problem.objective_min(free) < problem.objective_min(start)


def test_of_equal_plans_the_nearer_one_is_chosen() -> None:
    one = firm((person("ada"), person("bob")), (task("a"), task("b")))
    problem = problem_of(one)
    plan = solve(one, now=NOW, stop=WorkBudget(0.05), advice=False)
    here = carried_over(problem, plan)
    swapped = here.copy()
    swapped.who[:] = here.who[::-1]
    assert problem.objective_min(here) == problem.objective_min(swapped)
    people = people_of(problem, plan)
    assert (nearest(problem, people, [swapped, here], 60).who == here.who).all()
    assert (nearest(problem, people, [swapped, here], 0).who == swapped.who).all()
