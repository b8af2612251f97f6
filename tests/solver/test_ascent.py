"""Prices that climb: at any of them the bound holds, and where they come to is near the linear relaxation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver import bound, search
from solver.ascent import FIRST_LEG, Ascent, Leg, MinutePrices
from solver.batch import solve
from solver.board import compile_board
from solver.bound import Relax, climbed, lower_bound, starts_by_prices
from solver.construct import completed, rule_plan
from solver.contention import dear_tasks
from solver.crew import Alone, Near, Ticket
from solver.problem import compile_problem
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import cheapest, problems
from tests.solver.test_bound import problem_of, small_problems


@pytest.mark.parametrize("seed", range(3))
def test_bound_holds_at_any_prices(seed: int) -> None:
    random = np.random.default_rng(seed)
    for problem in small_problems():
        if not problem.choice_count:
            continue
        shares = problem.balance
        steepest = np.array([shares.near_pct + shares.far_pct, *([shares.week_pct] * len(shares.end_slots))]) / 100.0
        shape = len(problem.releases), len(problem.dues), problem.person_count
        minute = random.exponential(0.3, shape) * (random.random(shape) < 0.2)
        load = random.uniform(-1.0, 1.0, (len(steepest), problem.person_count)) * steepest[:, None]
        ascent = Ascent(problem, MinutePrices(minute.astype(np.float32), load))
        best = cheapest(problem).objective_min
        assert ascent.bound() <= best * (1 + 1e-6) + 1e-3
        assert climbed(problem, ascent.prices).minutes <= best


def test_prices_come_near_the_relaxation_and_sometimes_beyond() -> None:
    shares: list[float] = []
    for seed in range(12):
        problem = problem_of(random_firm(seed, people=6, tasks=40, load=1.3))
        base = problem.unavoidable_min()
        first = climbed(problem)
        second = climbed(problem, first.prices)
        relaxed = lower_bound(problem).minutes - base
        best = max(first.minutes, second.minutes) - base
        shares.append(best / relaxed if relaxed > 0 else 1.0)
    assert min(shares) > 0.5
    assert float(np.median(shares)) > 0.9


def test_two_tasks_of_a_piece_are_bounded_together() -> None:
    """Only one person may do a preparation and its review, which must be two people's: one of them is left, alone neither is."""
    problem = problem_of(firm(people=(person("ada"),), tasks=(task("a", hours=1), task("b", hours=1, reviews="a"))))
    assert climbed(problem).minutes >= problem.escalation_min.min() > lower_bound(problem).minutes / 2


def test_prices_split_a_task_among_equals_and_whole_tasks_cost_what_they_must() -> None:
    """Three days of work due in one day of two people: one person-day is left, at the dearest the relaxation pays for it."""
    tasks = tuple(task(f"t{k}", hours=8, due=0) for k in range(3))
    problem = problem_of(firm(people=(person("ada"), person("bob")), tasks=tasks))
    assert climbed(problem).minutes > 0.95 * problem.escalation_min.min()


def test_told_to_stop_the_bound_is_that_of_every_task_alone_at_least() -> None:
    problem = problem_of(random_firm(2, people=4, tasks=16, load=1.3))
    asked: list[bool] = []

    def go_on() -> bool:
        asked.append(True)
        return len(asked) < 3

    hurried = climbed(problem, None, go_on)
    assert len(asked) == 3
    assert 0 < hurried.minutes <= lower_bound(problem).minutes
    assert hurried.work_units == pytest.approx(climbed(problem).work_units * 2 / FIRST_LEG.steps)


def test_same_steps_give_the_same_prices() -> None:
    problem = problem_of(random_firm(5, people=5, tasks=30, load=1.1))
    found = [climbed(problem) for _ in range(2)]
    assert found[0].prices is not None
    assert found[1].prices is not None
    assert (found[0].prices.minute == found[1].prices.minute).all()
    assert found[0].minutes == found[1].minutes


def test_climbing_from_prices_leaves_them_as_they_were() -> None:
    problem = problem_of(random_firm(5, people=5, tasks=30, load=1.1))
    start = climbed(problem).prices
    assert start is not None
    before = start.minute.copy(), start.load.copy()
    ascent = Ascent(problem, start)
    ascent.climb(Leg(20, (0.1, 0.01), (0.1, 0.01), (10.0, 1.0)), lambda: True)
    assert (start.minute == before[0]).all()
    assert (start.load == before[1]).all()
    assert (ascent.prices.minute != before[0]).any()


def test_size_decides_how_a_firm_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, line = problem_of(random_firm(2, people=4, tasks=16, load=1.3)), Near(lambda: True)
    first = climbed(problem)
    assert not starts_by_prices(problem)
    assert Relax(first.prices)(problem, line).minutes == lower_bound(problem).minutes
    monkeypatch.setattr(bound, "PRICED_PICKS", 0)
    assert starts_by_prices(problem)
    assert Relax(first.prices)(problem, line).minutes == lower_bound(problem).minutes
    monkeypatch.setattr(bound, "MOST_PICKS", 0)
    assert Relax()(problem, line).minutes == first.minutes
    assert Relax(first.prices)(problem, line).minutes == climbed(problem, first.prices).minutes
    monkeypatch.setattr(bound, "MOST_ENTRIES", 0)
    assert not starts_by_prices(problem)
    assert Relax()(problem, line).prices is None


@dataclass
class Slow(Alone):
    """Is not ready the first times it is asked."""

    patient: bool = False
    asked: int = 0

    def ready(self, ticket: Ticket[Any]) -> bool:
        self.asked += 1
        return self.asked > 8


def test_while_the_bound_is_awaited_plans_are_packed_until_nothing_is_left_to_pack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "WHOLE_PICKS", 0)
    left = []
    for seed in range(4):
        made, crew = generate_firm(people=3, tasks=10, seed=seed), Slow()
        problem = compile_problem(compile_board(made.firm, now=made.now))
        plan = solve(made.firm, now=made.now, stop=WorkBudget(3.0), crew=crew)
        assert problems(made.firm, plan, made.now) == []
        assert crew.asked > 0
        left.append(dear_tasks(problem, completed(problem, rule_plan(problem))))
    assert 0 in left


@pytest.mark.parametrize(("seed", "most_picks"), [(0, 0), (1, 0), (2, 0), (2, bound.MOST_PICKS), (3, bound.MOST_PICKS)])
def test_search_by_prices_breaks_no_rule_and_is_the_same_again(
    seed: int, most_picks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bound, "PRICED_PICKS", 0)
    monkeypatch.setattr(bound, "MOST_PICKS", most_picks)
    monkeypatch.setattr(search, "WHOLE_PICKS", 0)
    one = random_firm(seed, people=5, tasks=30, load=1.1)
    phases: list[str] = []
    plans = [
        solve(one, now=NOW, stop=WorkBudget(0.5), seed=seed, on_progress=lambda told: phases.append(told.phase))
        for _ in range(2)
    ]
    assert problems(one, plans[0], NOW) == []
    assert plans[0] == plans[1]
    assert "first plan by prices" in phases
    assert 0 <= plans[0].certificate.bound_min <= plans[0].certificate.objective_min
