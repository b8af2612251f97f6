"""The joint model against brute force, and each of its rules in a firm made for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ortools.sat.python import cp_model

from solver import model
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.firm import Client, Firm, Skill, TaskType
from solver.model import Scope
from solver.policy import Policy
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import assignments, cheapest, tiny_firm

ENOUGH = 20.0


def without_wishes(one: Firm) -> Firm:
    """Return the firm with no client asking for anybody."""
    tasks = tuple(item.model_copy(update={"requested_person": None}) for item in one.tasks)
    return one.model_copy(update={"tasks": tasks})


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def everything(problem: Problem, plan: Assignment | None = None) -> Scope:
    return Scope(plan or problem.today, tuple(range(problem.task_count)), tuple(range(problem.person_count)))


def optimum(problem: Problem) -> Assignment:
    plan, proven, _ = model.solve(model.build(problem, everything(problem)), work_units=ENOUGH, seed=0)
    assert plan is not None
    assert proven
    return plan


def people_of(problem: Problem, plan: Assignment) -> dict[str, str | None]:
    people = [one.id for one in problem.board.firm.people]
    return {
        one.id: None if plan.who[t] == ESCALATED else people[plan.who[t]] for t, one in enumerate(problem.board.tasks)
    }


@pytest.mark.parametrize("seed", range(120))
def test_model_finds_what_brute_force_finds(seed: int) -> None:
    problem = problem_of(tiny_firm(seed))
    if assignments(problem) > 20_000:
        problem = problem_of(firm(people=(person("ada"), person("bob")), tasks=(task("a"), task("b", assignee="ada"))))
    plan = optimum(problem)
    assert problem.objective_min(plan) == cheapest(problem).objective_min
    assert (problem.slack_min(plan) >= 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_part_of_the_firm_is_never_solved_to_a_worse_plan(seed: int) -> None:
    problem = problem_of(without_wishes(random_firm(seed, tasks=14)))
    start = completed(problem, rule_plan(problem))
    for people in ((0, 1), (2, 3, 4)):
        free = tuple(np.flatnonzero(np.isin(start.who, people)).tolist())
        found, proven, used = model.solve(
            model.build(problem, Scope(start, free, people)), work_units=ENOUGH, seed=seed
        )
        assert found is not None
        assert proven
        assert 0 < used <= ENOUGH
        assert problem.objective_min(found) <= problem.objective_min(start)
        fixed = [t for t in range(problem.task_count) if t not in free]
        assert (found.who[fixed] == start.who[fixed]).all()
        assert (found.window[fixed] == start.window[fixed]).all()
        assert set(found.who[list(free)].tolist()) <= {*people, ESCALATED}
        assert (problem.slack_min(found) >= 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_hint_is_complete_and_feasible(seed: int) -> None:
    problem = problem_of(random_firm(seed, tasks=12))
    start = completed(problem, rule_plan(problem))
    choice = model.build(problem, everything(problem, start))
    proto = choice.model.proto
    hinted = dict(zip(proto.solution_hint.vars, proto.solution_hint.values, strict=True))
    assert sorted(hinted) == list(range(len(proto.variables)))
    for place, value in hinted.items():
        choice.model.add(choice.model.get_int_var_from_proto_index(place) == value)
    found, _, _ = model.solve(choice, work_units=ENOUGH, seed=0)
    assert found is not None
    assert problem.objective_min(found) == problem.objective_min(start)
    assert (found.who == start.who).all()


def test_budget_too_small_for_any_plan_finds_none() -> None:
    problem = problem_of(random_firm(2, people=6, tasks=40))
    choice = model.build(problem, everything(problem))
    plan, proven, _ = model.solve(choice, work_units=0.0, seed=0)
    assert (plan, proven) == (None, False)


def test_full_person_gets_no_more() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob", skills=("audit",))),
            tasks=(task("keep", hours=38, assignee="ada"), task("three", hours=3), task("two", hours=2)),
        )
    )
    assert people_of(problem, optimum(problem)) == {"keep": "ada", "three": None, "two": "ada"}


def test_window_that_starts_later_binds_too() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"),),
            tasks=(
                task("one", hours=8, due=4, release=day(4)),
                task("two", hours=1, due=4, release=day(4)),
                task("early", hours=30, due=4),
            ),
        )
    )
    assert people_of(problem, optimum(problem)) == {"one": "ada", "two": None, "early": "ada"}


def test_work_of_somebody_is_never_escalated_to_make_room() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"),),
            tasks=(
                task("cheap", hours=30, assignee="ada", priority="low"),
                task("dear", hours=30, priority="critical"),
            ),
        )
    )
    assert people_of(problem, optimum(problem)) == {"cheap": "ada", "dear": None}


def test_reviewer_is_not_the_preparer() -> None:
    tasks = (task("prepare", hours=4), task("review", hours=1, reviews="prepare"))
    alone = problem_of(firm(people=(person("ada"),), tasks=tasks))
    assert people_of(alone, optimum(alone)) == {"prepare": "ada", "review": None}
    pair = problem_of(firm(people=(person("ada"), person("bob")), tasks=tasks))
    assert len(set(people_of(pair, optimum(pair)).values())) == 2


def test_review_begins_after_the_promise_of_its_preparation() -> None:
    problem = problem_of(
        firm(
            people=(person("ada", weekly_min=(60, 60, 60, 60, 60, 0, 0)), person("bob")),
            tasks=(task("prepare", hours=3, requested_person="ada"), task("review", hours=1, reviews="prepare")),
        )
    )
    plan = optimum(problem)
    ends, begins = (int(problem.chosen(plan, np.array([t]))[0]) for t in (0, 1))
    assert problem.release[begins] == problem.due[ends] + 1
    assert problem.due[ends] >= 2


def test_preparation_and_review_that_cannot_both_be_in_time_leave_the_dearer_one() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob")),
            tasks=(
                task("prepare", hours=8, due=0),
                task("review", hours=1, due=0, reviews="prepare"),
            ),
        )
    )
    assert problem.objective_min(optimum(problem)) == cheapest(problem).objective_min


def test_each_price_moves_the_work_to_the_cheaper_person() -> None:
    def chosen(one: Firm) -> str | None:
        problem = problem_of(one)
        return people_of(problem, optimum(problem))["a"]

    two = (person("ada"), person("bob"))
    flat = Policy().weights.model_copy(update={"balance_pct": 0, "balance_far_pct": 0, "week_balance_pct": 0})
    calm = Policy(weights=flat)
    usual = (Client(id="acme", usual_person="bob"),)
    assert chosen(firm(people=two, tasks=(task("a", assignee="bob"),), policy=calm)) == "bob"
    assert chosen(firm(people=two, tasks=(task("a"),), clients=usual, policy=calm)) == "bob"
    senior = (person("ada", level="manager"), person("bob"))
    assert chosen(firm(people=senior, tasks=(task("a"),), policy=calm)) == "bob"
    unsuited = (two[0].model_copy(update={"skills": (Skill(skill="tax", mismatch_min=5),)}), two[1])
    assert chosen(firm(people=unsuited, tasks=(task("a"),), policy=calm)) == "bob"
    busy = (task("a"), task("b", assignee="ada"))
    assert chosen(firm(people=two, tasks=busy, policy=Policy())) == "bob"


def test_terms_add_up_to_the_objective_of_the_plan() -> None:
    problem = problem_of(tiny_firm(11))
    choice = model.build(problem, everything(problem))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.solve(choice.model)
    assert round(solver.objective_value) == problem.objective_min(choice.extract(solver))


def test_rules_may_be_built_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(tiny_firm(24))
    first = problem.objective_min(optimum(problem))
    monkeypatch.setattr(model, "RULES", tuple(reversed(model.RULES)))
    assert problem.objective_min(optimum(problem)) == first


@pytest.mark.parametrize(("rule", "broken"), [("capacity", "slack"), ("separate", "piece"), ("in_order", "order")])
def test_each_rule_is_needed(monkeypatch: pytest.MonkeyPatch, rule: str, broken: str) -> None:
    makers: dict[str, Firm] = {
        "slack": firm(people=(person("ada"),), tasks=(task("a", hours=30), task("b", hours=30))),
        "piece": firm(people=(person("ada"),), tasks=(task("a", hours=1), task("b", hours=1, reviews="a"))),
        "order": firm(
            people=(person("ada"), person("bob")), tasks=(task("a", hours=30), task("b", hours=30, reviews="a"))
        ),
    }
    problem = problem_of(makers[broken])
    right = problem.objective_min(optimum(problem))
    monkeypatch.setattr(model, "RULES", tuple(r for r in model.RULES if r.__name__ != rule))
    assert problem.objective_min(optimum(problem)) < right


def test_tasks_outside_the_scope_keep_their_windows_and_their_room() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob", skills=("tax", "books"))),
            tasks=(
                task("kept", hours=39, assignee="ada", pinned=True),
                task("free", hours=2, assignee="bob"),
                task("books", hours=2, type="ledger"),
            ),
            task_types=(TaskType(id="return", skill="tax"), TaskType(id="ledger", skill="books")),
        )
    )
    scope = Scope(problem.today, (1, 2), (0, 1))
    choice = model.build(problem, scope)
    assert {(t, p) for t, p, _ in choice.picks} == {(1, 1), (2, 1)}
    plan, proven, _ = model.solve(choice, work_units=ENOUGH, seed=0)
    assert plan is not None
    assert proven
    assert people_of(problem, plan) == {"kept": "ada", "free": "bob", "books": "bob"}


def test_forbidden_escalation_without_anybody_left_has_no_plan() -> None:
    problem = problem_of(firm(people=(person("ada", skills=("audit",)),), tasks=(task("a"),)))
    strict = replace(problem, may_escalate=np.zeros(1, dtype=np.bool_))
    plan, proven, _ = model.solve(model.build(strict, everything(strict)), work_units=ENOUGH, seed=0)
    assert (plan, proven) == (None, False)


def test_client_wish_for_somebody_outside_the_scope_leaves_the_scope_solvable() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob"), person("cyd")),
            tasks=(
                task("full", hours=40, assignee="cyd", pinned=True),
                task("held", hours=4, assignee="ada", requested_person="cyd"),
                task("free", hours=4, assignee="ada"),
            ),
        )
    )
    start = problem.today
    free = tuple(np.flatnonzero(np.isin(start.who, (0, 1))).tolist())
    plan, proven, _ = model.solve(model.build(problem, Scope(start, free, (0, 1))), work_units=ENOUGH, seed=0)
    assert plan is not None
    assert proven
