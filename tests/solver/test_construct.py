"""First plans: the rule over the backlog is the rule for one arrival, again and again; completion loses nothing that may be late."""

from __future__ import annotations

import numpy as np
import pytest

from solver.board import compile_board
from solver.construct import completed, in_order, ledger_of, others_on_piece, rule_plan
from solver.firm import Firm
from solver.plan import Outcome
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from solver.routing import place
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def people_of(problem: Problem, plan: Assignment) -> dict[str, str | None]:
    people = [one.id for one in problem.board.firm.people]
    return {
        one.id: None if plan.who[t] == ESCALATED else people[plan.who[t]] for t, one in enumerate(problem.board.tasks)
    }


@pytest.mark.parametrize("seed", range(30))
def test_rule_plan_is_the_rule_for_each_arrival_in_turn(seed: int) -> None:
    untidy = random_firm(seed, people=2 + seed % 5, tasks=8 + seed % 14, load=0.6 + 0.2 * (seed % 4))
    flagged = compile_board(untidy, now=NOW).flagged
    tasks = tuple(
        one.model_copy(
            update={
                "reviews": None,
                "requested_person": None if one.assignee else one.requested_person,
                "assignee": None if one.id in flagged else one.assignee,
                "pinned": False if one.id in flagged else one.pinned,
            }
        )
        for one in untidy.tasks
    )
    one = untidy.model_copy(update={"tasks": tasks})
    problem = problem_of(one)
    said = people_of(problem, rule_plan(problem))
    live = compile_board(one, now=NOW)
    for each in problem.board.tasks:
        if each.assignee is not None:
            assert said[each.id] == each.assignee
            continue
        decision = place(live, each)
        assert said[each.id] == decision.person
        assert (decision.outcome is Outcome.ESCALATED) == (said[each.id] is None)


@pytest.mark.parametrize("seed", range(12))
def test_first_plans_break_no_promise_and_no_order(seed: int) -> None:
    problem = problem_of(random_firm(seed))
    for plan in (rule_plan(problem), completed(problem, rule_plan(problem))):
        assert (problem.slack_min(plan) >= 0).all()
        for t in np.flatnonzero(plan.who >= 0).tolist():
            assert in_order(problem, plan, t, int(problem.first_window[t] + plan.window[t]))
            assert plan.who[t] not in others_on_piece(problem, plan, t)
            assert problem.allowed[t, plan.who[t]]


@pytest.mark.parametrize("seed", range(12))
def test_completion_keeps_the_rule_plan_and_leaves_only_what_has_no_window(seed: int) -> None:
    problem = problem_of(random_firm(seed))
    rule = rule_plan(problem)
    kept = rule.copy()
    full = completed(problem, rule)
    assert (rule.who == kept.who).all()
    placed = rule.who >= 0
    assert (full.who[placed] == rule.who[placed]).all()
    assert (full.window[placed] == rule.window[placed]).all()
    for t in np.flatnonzero(full.who == ESCALATED).tolist():
        for w in problem.windows_of(t):
            room = ledger_of(problem, full).rooms_min(int(problem.release[w]), int(problem.due[w]))
            free = problem.allowed[t] & (room >= problem.work_min[t])
            free[others_on_piece(problem, full, t)] = False
            assert not (free.any() and in_order(problem, full, t, w))


def test_rule_prefers_whoever_has_most_hours_left_and_then_the_id() -> None:
    one = firm(
        people=(person("cyd"), person("bob"), person("ada", weekly_min=(60,) * 5 + (0, 0))),
        tasks=(task("a", hours=4), task("b", hours=4), task("c", hours=4)),
    )
    problem = problem_of(one)
    assert people_of(problem, rule_plan(problem)) == {"a": "bob", "b": "cyd", "c": "bob"}


def test_rule_takes_new_work_in_the_order_of_the_firm() -> None:
    one = firm(
        people=(person("ada"),), tasks=(task("a", hours=30, priority="low"), task("b", hours=30, priority="critical"))
    )
    problem = problem_of(one)
    assert people_of(problem, rule_plan(problem)) == {"a": "ada", "b": None}


def test_rule_never_places_late_work_and_completion_does_where_it_costs_least() -> None:
    one = firm(
        people=(person("ada", level="partner"), person("bob", level="manager"), person("cyd")),
        tasks=(task("a", due=-1), task("b", due=-1)),
    )
    problem = problem_of(one)
    assert people_of(problem, rule_plan(problem)) == {"a": None, "b": None}
    full = completed(problem, rule_plan(problem))
    assert people_of(problem, full) == {"a": "cyd", "b": "cyd"}
    assert [int(problem.due[w]) for w in problem.chosen(full, np.arange(2))] == [0, 0]


def test_completion_takes_the_next_window_when_the_first_is_full() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", hours=8, due=-1), task("b", hours=8, due=-1)))
    problem = problem_of(one)
    full = completed(problem, rule_plan(problem))
    assert [problem.board.axis.days[problem.due[w]] for w in problem.chosen(full, np.arange(2))] == [day(0), day(1)]


def test_work_nobody_may_do_stays_escalated() -> None:
    problem = problem_of(firm(people=(person("ada", skills=()),), tasks=(task("a", due=-1),)))
    assert people_of(problem, completed(problem, rule_plan(problem))) == {"a": None}


def test_firm_without_any_open_day_has_plans_too() -> None:
    problem = problem_of(firm(people=(person("ada", weekly_min=(0,) * 7),), tasks=(task("a"),)))
    assert problem.board.axis.count == 0
    rule = rule_plan(problem)
    assert people_of(problem, rule) == {"a": None}
    assert people_of(problem, completed(problem, rule)) == {"a": "ada"}


@pytest.mark.parametrize("seed", range(6))
def test_ledger_of_today_is_the_ledger_of_the_board(seed: int) -> None:
    problem = problem_of(random_firm(seed))
    assert (ledger_of(problem, problem.today).slack == problem.board.ledger.slack).all()


def chain() -> Problem:
    """A preparation of two hours and its review, both due on Friday, and a plan that may hold both."""
    return problem_of(
        firm(
            people=(person("ada"), person("bob"), person("cyd")),
            tasks=(task("prepare", hours=2), task("review", hours=2, reviews="prepare")),
        )
    )


def window(problem: Problem, t: int, *, release: int | None = None, due: int | None = None) -> int:
    """Return the flat place of a task's window with these bounds."""
    return next(
        w
        for w in problem.windows_of(t)
        if (release is None or problem.release[w] == release) and (due is None or problem.due[w] == due)
    )


def test_review_is_in_order_only_after_its_preparation() -> None:
    problem = chain()
    plan = Assignment(np.array([0, ESCALATED], dtype=np.int32), np.array([0, -1], dtype=np.int32))
    first = problem.first_window.tolist()
    ends = sorted({int(problem.due[w]) for w in problem.windows_of(0) if problem.late_min[w] == 0})
    assert len(ends) > 1
    for end in ends:
        plan.window[0] = window(problem, 0, due=end) - first[0]
        for w in problem.windows_of(1):
            beyond = problem.release[w] == problem.board.axis.count
            assert in_order(problem, plan, 1, w) == (problem.release[w] > end or beyond)
    plan.who[0] = ESCALATED
    assert all(in_order(problem, plan, 1, w) for w in problem.windows_of(1))


def test_preparation_is_in_order_only_before_its_review() -> None:
    problem = chain()
    beyond = problem.board.axis.count
    plan = Assignment(np.array([ESCALATED, 1], dtype=np.int32), np.array([-1, 0], dtype=np.int32))
    for review in problem.windows_of(1):
        plan.window[1] = review - int(problem.first_window[1])
        release = int(problem.release[review])
        for w in problem.windows_of(0):
            assert in_order(problem, plan, 0, w) == (release > problem.due[w] or release == beyond)


def test_people_of_the_piece_are_those_with_its_other_tasks() -> None:
    problem = chain()
    plan = Assignment(np.array([2, 1], dtype=np.int32), np.array([0, 0], dtype=np.int32))
    assert others_on_piece(problem, plan, 0).tolist() == [1]
    assert others_on_piece(problem, plan, 1).tolist() == [2]
    plan.who[1] = ESCALATED
    assert others_on_piece(problem, plan, 0).tolist() == []


def test_rule_gives_the_review_to_somebody_else() -> None:
    problem = chain()
    plan = rule_plan(problem)
    assert people_of(problem, plan) == {"prepare": "ada", "review": "bob"}
    ends, begins = problem.chosen(plan, np.arange(2))
    assert problem.release[begins] > problem.due[ends]
