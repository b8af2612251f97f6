from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from benchmarks.night_prices import night_prices
from solver import WorkBudget, compile_board, solve
from solver.firm import Firm, Task
from solver.price_list import PriceList
from solver.problem import compile_problem
from tests.firms_for_tests import NOW, day, firm, person, task


def prices(one: Firm) -> PriceList:
    return night_prices(one, solve(one, now=NOW, stop=WorkBudget(0.01)))


def test_hours_that_are_enough_cost_nothing() -> None:
    found = prices(firm((person("ann"),), (task("a", hours=8, due=4), task("b", hours=8, due=11))))
    assert (found.people, found.days) == (("ann",), (day(4), day(11)))
    assert not found.minute.any()


def test_scarce_hours_cost_what_one_minute_more_saves() -> None:
    """Forty hours in the first week for sixty of work: a further minute saves one of escalation, sixty times priority."""
    tasks = (task("a", hours=30, due=4), task("b", hours=30, due=4), task("c", hours=8, due=11))
    found = prices(firm((person("ann"), person("bob", skills=())), tasks))
    assert found.minute.tolist() == [[120.0, 0.0], [0.0, 0.0]]


def test_work_due_earlier_pays_for_every_later_end_it_counts_in() -> None:
    tasks = (task("a", hours=8, due=4), task("b", hours=50, due=11), task("c", hours=50, due=11))
    found = prices(firm((person("ann"),), tasks))
    assert found.minute.tolist() == [[120.0, 120.0]]


@pytest.mark.parametrize("tasks", [(), (task("a", due=-3, assignee="ann"),)])
def test_a_night_without_deadlines_ahead_has_prices_all_the_same(tasks: tuple[Task, ...]) -> None:
    found = prices(firm((person("ann"),), tasks))
    assert found.minute.shape == (1, len(found.days))
    assert np.isfinite(found.minute).all()


def test_the_price_is_the_slope_of_the_objective() -> None:
    """The program once more with an hour added: what it saves is sixty times the price of a minute."""
    work = (task("a", hours=20, due=2), task("b", hours=9, due=4), task("c", hours=30, due=4))
    before, after = (firm((person("ann", weekly_min=(minutes,) * 5 + (0, 0)),), work) for minutes in (480, 492))
    saved = [fractional_min(one) for one in (before, after)]
    by_day = prices(before).minute[0]
    assert saved[0] - saved[1] == pytest.approx(36 * by_day[0] + 24 * by_day[1])


def fractional_min(one: Firm) -> float:
    """Return the least price when one person may do parts of tasks: the dearest minutes are done first, by deadline."""
    problem = compile_problem(compile_board(one, now=NOW))
    work = problem.work_min[:, 0].astype(float)
    due = problem.due[problem.first_window[:-1]]
    ends = np.unique(due)
    rows = np.array([np.where(due <= end, work, 0.0) for end in ends])
    room = problem.board.until_min[0, ends + 1]
    lost = problem.escalation_min.astype(float)
    found = linprog(-lost, A_ub=rows, b_ub=room, bounds=(0, 1))
    return float(lost.sum() + found.fun)
