"""Lower bounds: never above what trying every assignment finds, whatever the linear solver returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver import bound, model
from solver.board import compile_board
from solver.bound import Bound, lower_bound
from solver.construct import completed, rule_plan
from solver.firm import Client, Firm
from solver.linear_program import Answer, Program, Repeated
from solver.model import Scope
from solver.policy import Policy
from solver.problem import Problem, compile_problem
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import assignments, cheapest, tiny_firm

NO_BALANCE = Policy(
    weights=Policy().weights.model_copy(update={"balance_pct": 0, "balance_far_pct": 0, "week_balance_pct": 0})
)


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def optimum(problem: Problem) -> int:
    scope = Scope(problem.today, tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    plan, proven, _ = model.solve(model.build(problem, scope), work_units=20.0, seed=0)
    assert plan is not None
    assert proven
    return problem.objective_min(plan)


def small_problems() -> list[Problem]:
    return [problem for seed in range(90) if assignments(problem := problem_of(tiny_firm(seed))) <= 20_000]


def test_bound_is_never_above_the_best_of_all_assignments() -> None:
    problems = small_problems()
    assert len(problems) > 60
    for problem in problems:
        best = cheapest(problem).objective_min
        assert lower_bound(problem).minutes <= best


def test_bound_of_every_task_alone_is_never_above_the_best_of_all_assignments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "MOST_PICKS", 0)
    for problem in small_problems():
        alone = lower_bound(problem)
        assert alone.minutes <= cheapest(problem).objective_min
        assert alone.work_units == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_bound_holds_for_any_duals(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(seed)

    solve = Repeated.solve

    def shaken(repeated: Repeated, program: Program) -> Answer:
        found = solve(repeated, program)
        assert found is not None
        equal, most = (
            part * random.uniform(0.5, 1.5) + random.normal(0, 50, len(part)) for part in (found.equal, found.most)
        )
        return replace(found, equal=equal, most=np.minimum(most, 0.0))

    monkeypatch.setattr(Repeated, "solve", shaken)
    for problem in small_problems()[:25]:
        assert lower_bound(problem).minutes <= cheapest(problem).objective_min


@pytest.mark.parametrize("seed", range(6))
def test_bound_of_a_larger_firm_is_below_its_plans(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=6, tasks=30))
    found = lower_bound(problem)
    assert 0 <= found.minutes <= problem.objective_min(completed(problem, rule_plan(problem)))
    assert found.work_units > 0


def test_bound_is_the_optimum_where_nothing_is_split() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(task("a", hours=8, due=-1), task("b", hours=8, assignee="ada"), task("c", hours=8, assignee="bob")),
        clients=(Client(id="acme", usual_person="ada"),),
        policy=NO_BALANCE,
    )
    problem = problem_of(one)
    # a: one day late, 32 x 2 x 480; c: bob is not the usual person.
    assert optimum(problem) == 32 * 2 * 480 + 30
    assert lower_bound(problem).minutes == optimum(problem)


def test_balance_is_bounded_too() -> None:
    one = firm(people=(person("ada"), person("bob", skills=("audit",))), tasks=(task("a", hours=10),))
    problem = problem_of(one)
    # Fair shares are 300 each; 300 away counts once, 240 of it once more, for both people.
    assert optimum(problem) == 2 * (300 + 240)
    assert optimum(problem) - 1 <= lower_bound(problem).minutes <= optimum(problem)


def test_full_person_is_seen_by_the_relaxation() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", hours=30), task("b", hours=20)), policy=NO_BALANCE)
    problem = problem_of(one)
    # Of 50 hours 10 find no room: at least 60 x 2 for each of their minutes is left to a partner.
    assert lower_bound(problem).minutes == pytest.approx(120 * 600, rel=2e-6)


def test_windows_that_start_later_are_added_where_they_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    one = firm(
        people=(person("ada"),),
        tasks=(
            task("a", hours=8, release=day(4)),
            task("b", hours=8, release=day(4)),
            task("c", hours=1, release=day(1)),
        ),
        policy=NO_BALANCE,
    )
    problem = problem_of(one)
    exact = lower_bound(problem)
    assert exact.minutes == pytest.approx(120 * 480, rel=2e-6)
    monkeypatch.setattr(bound, "ROUNDS", 1)
    assert lower_bound(problem).minutes == 0


def test_work_that_has_a_person_cannot_be_escalated_in_the_relaxation() -> None:
    one = firm(
        people=(person("ada", level="partner"),),
        tasks=(task("a", assignee="ada"),),
        policy=Policy(weights=NO_BALANCE.weights.model_copy(update={"escalation": 0, "late_start": 0, "late_day": 0})),
    )
    # Two levels beyond the first above need: 20 % of 240 minutes, though escalating would cost nothing.
    assert lower_bound(problem_of(one)).minutes == 48


def test_window_too_short_for_the_whole_task_holds_no_part_of_it() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", hours=12, due=-1),), policy=NO_BALANCE)
    # Twelve hours are done on the second day at the earliest, two days late.
    assert lower_bound(problem_of(one)).minutes == (30 + 2 * 2) * 2 * 720


def test_solver_that_fails_leaves_the_price_of_each_task_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(firm(people=(person("ada"),), tasks=(task("a", hours=8, due=-1), task("b"))))
    best = lower_bound(problem).minutes
    monkeypatch.setattr(Repeated, "solve", lambda repeated, program: None)
    assert lower_bound(problem).minutes == 32 * 2 * 480 <= best


def test_firm_without_tasks_is_bounded_by_nothing() -> None:
    assert lower_bound(problem_of(firm(people=(person("ada"),)))) == Bound(0, 0.0)


def test_firm_without_people_is_bounded_by_its_escalations() -> None:
    problem = problem_of(firm(tasks=(task("a"),)))
    assert lower_bound(problem).minutes == int(problem.escalation_min.sum()) > 0


def test_work_held_by_somebody_the_client_did_not_ask_for_is_not_bounded_by_its_escalation() -> None:
    one = firm(
        people=(person("ada"), person("bob", skills=("audit",))),
        tasks=(task("held", assignee="ada", requested_person="bob"),),
    )
    problem = problem_of(one)
    start = completed(problem, rule_plan(problem))
    assert lower_bound(problem).minutes <= problem.objective_min(start)


def test_firm_without_any_open_day_is_bounded() -> None:
    problem = problem_of(
        firm(people=(person("ada", weekly_min=(0,) * 7),), tasks=(task("a"), task("b", assignee="ada")))
    )
    assert len(problem.dues) == 0
    assert lower_bound(problem).minutes <= optimum(problem)


def test_bound_that_may_not_go_on_holds_after_its_first_round() -> None:
    problem = problem_of(random_firm(2, people=4, tasks=16, load=1.3))
    asked: list[bool] = []

    def go_on() -> bool:
        asked.append(True)
        return False

    hurried = lower_bound(problem, go_on)
    assert len(asked) == 1
    assert hurried.minutes <= lower_bound(problem).minutes
