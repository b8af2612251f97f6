"""Prices of the relaxation, by people, days, tasks and skills, as the next day reads them."""

from __future__ import annotations

import numpy as np
import pytest

from solver.batch import solve
from solver.board import compile_board
from solver.bound import lower_bound
from solver.firm import TaskType
from solver.plan import Plan
from solver.pricing import price_list
from solver.problem import compile_problem
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task


def test_minute_of_a_full_person_costs_what_it_would_save() -> None:
    one = firm((person("ada"), person("bob", skills=("audit",))), (task("a", hours=30), task("b", hours=20)))
    problem = compile_problem(compile_board(one, now=NOW))
    relaxed = lower_bound(problem).relaxed
    assert relaxed is not None
    prices = price_list(problem, relaxed)
    assert prices.people == ("ada", "bob")
    # Ten hours find no room: each minute more saves the 60 x 2 of leaving it to a partner, less what balance changes.
    assert prices.minute[0].max() == pytest.approx(120.0, abs=5.0)
    assert prices.minute[1].tolist() == [0.0] * len(prices.days)
    assert prices.skill["tax"] == pytest.approx(120.0, rel=0.2)
    assert set(prices.task) == {"a", "b"}


@pytest.mark.parametrize("seed", range(8))
def test_prices_are_never_negative_and_never_rise_with_the_day(seed: int) -> None:
    problem = compile_problem(compile_board(random_firm(seed, people=5, tasks=24, load=1.3), now=NOW))
    relaxed = lower_bound(problem).relaxed
    assert relaxed is not None
    prices = price_list(problem, relaxed)
    assert (prices.minute >= 0).all()
    assert (np.diff(prices.minute, axis=1) <= 0).all()
    assert list(prices.days) == sorted(set(prices.days))
    assert all(0 <= price <= problem.escalation_min.max() for price in prices.task.values())


def test_skill_is_priced_by_the_tasks_that_ask_for_it() -> None:
    types = (TaskType(id="return", skill="tax"), TaskType(id="review", skill="audit"))
    one = firm(
        (person("ada", skills=("tax", "audit")),),
        (task("a", hours=50), task("b", type="review", hours=1, due=20)),
        task_types=types,
    )
    problem = compile_problem(compile_board(one, now=NOW))
    relaxed = lower_bound(problem).relaxed
    assert relaxed is not None
    prices = price_list(problem, relaxed)
    assert prices.skill == {
        "audit": pytest.approx(prices.task["b"] / 60, abs=1e-3),
        "tax": pytest.approx(prices.task["a"] / 3000, abs=1e-3),
    }
    assert prices.skill["tax"] > 0


def test_plan_of_a_batch_brings_its_prices_through_json() -> None:
    one = firm((person("ada"),), (task("a", hours=30), task("b", hours=20, due=3)))
    plan = solve(one, now=NOW, stop=WorkBudget(0.05))
    assert plan.prices is not None
    assert plan.prices.days[0] == day(3)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
