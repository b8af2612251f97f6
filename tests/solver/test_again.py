"""Starting again from the last plan: what still holds is kept, what does not is planned anew, and no rule is broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from solver.again import carried_over
from solver.batch import solve
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.firm import Firm, TimeOff
from solver.plan import Plan, StopReason
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from solver.stop import Progress, WorkBudget
from solver.writing import promise_of
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import problems


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def planned(one: Firm, units: float = 0.5) -> Plan:
    return solve(one, now=NOW, stop=WorkBudget(units))


def breaks_nothing(problem: Problem, plan: Assignment) -> bool:
    held = (plan.who >= 0) | problem.may_escalate
    return bool((problem.slack_min(plan) >= 0).all() and held.all())


@pytest.mark.parametrize("seed", range(10))
def test_plan_of_an_unchanged_firm_is_carried_over_at_its_price(seed: int) -> None:
    one = random_firm(seed, people=5, tasks=14)
    last, problem = planned(one), problem_of(one)
    start = carried_over(problem, last)
    assert breaks_nothing(problem, start)
    assert problem.objective_min(start) - problem.unavoidable_min() <= last.certificate.objective_min


def test_person_who_fell_ill_keeps_what_they_hold_and_gets_nothing_more() -> None:
    one = firm(
        (person("ada"), person("bob")),
        (task("a", hours=6, assignee="ada"), task("b", hours=6), task("c", hours=6), task("d", hours=6)),
    )
    last = planned(one)
    ill = TimeOff(person="ada", first_day=day(0), last_day=day(30))
    after = one.model_copy(update={"time_off": (ill,)})
    problem = problem_of(after)
    start = carried_over(problem, last)
    assert breaks_nothing(problem, start)
    assert start.who[0] == 0
    for t in range(1, 4):
        assert start.who[t] != 0 or promise_of(problem, start, t).window.price_min > 0


def test_new_work_and_lost_people_are_planned_as_if_new() -> None:
    one = firm((person("ada"), person("bob")), (task("a"), task("b")))
    last = planned(one)
    after = firm((person("ada"), person("cyd")), (task("a"), task("b"), task("new", hours=2)))
    problem = problem_of(after)
    start = carried_over(problem, last)
    assert breaks_nothing(problem, start)
    assert (start.who != ESCALATED).all()


def test_last_plan_is_where_the_search_starts() -> None:
    one = random_firm(4, people=6, tasks=30, load=1.1)
    last = planned(one, 3.0)
    told: list[int] = []
    again = solve(
        one, now=NOW, stop=WorkBudget(0.01), last=last, on_progress=lambda progress: told.append(progress.objective_min)
    )
    problem = problem_of(one)
    cold = problem.objective_min(completed(problem, rule_plan(problem))) - problem.unavoidable_min()
    assert told[0] <= last.certificate.objective_min <= cold
    assert again.certificate.objective_min <= last.certificate.objective_min
    assert problems(one, again, NOW) == []


def test_plan_of_another_firm_is_no_reason_to_be_worse() -> None:
    one, other = random_firm(1, people=5, tasks=14), random_firm(2, people=5, tasks=14)
    plan = solve(one, now=NOW, stop=WorkBudget(0.05), last=planned(other))
    assert problems(one, plan, NOW) == []
    assert plan.certificate.objective_min <= plan.certificate.rule_objective_min


def test_yesterdays_plan_is_carried_into_today() -> None:
    one = random_firm(3, people=5, tasks=14)
    last, tomorrow = planned(one), NOW + timedelta(days=1)
    problem = compile_problem(compile_board(one, now=tomorrow))
    assert breaks_nothing(problem, carried_over(problem, last))


@pytest.mark.parametrize("seed", range(3))
def test_every_incumbent_is_a_plan_that_another_search_goes_on_from(seed: int) -> None:
    one = random_firm(seed, people=5, tasks=25)
    told: list[tuple[int, Plan]] = []

    def keep(progress: Progress, plan: Callable[[], Plan]) -> None:
        told.append((progress.objective_min, plan()))

    last = solve(one, now=NOW, stop=WorkBudget(0.5), on_incumbent=keep)
    costs = [cost for cost, _ in told]
    assert len(costs) > 1
    assert costs == sorted(set(costs), reverse=True)
    assert costs[-1] >= last.certificate.objective_min
    for cost, plan in told:
        assert plan.certificate.objective_min == cost
        assert plan.certificate.stop_reason in (StopReason.CANCELLED, StopReason.WORK, StopReason.OPTIMAL)
        assert problems(one, plan, NOW) == []
    again = solve(one, now=NOW, stop=WorkBudget(0.01), last=told[-1][1])
    assert again.certificate.objective_min <= costs[-1]
