from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from api.stops import WallClock
from benchmarks import makespan
from benchmarks.makespan import completed, first_deadline_min, makespan_min, relaxation, shortest
from benchmarks.one_deadline import NOW, OneDeadline, estimates_min, exact, firm_of
from benchmarks.overload import can_cost, share_of, without_limit
from solver import WorkBudget, compile_board, solve
from solver.problem import compile_problem

WORK = np.array([[7, 12, 9], [5, 5, 0], [11, 4, 6], [8, 9, 8], [3, 0, 4], [6, 6, 7], [9, 3, 9]])
"""Seven tasks, three people; 0 where the person may not do the task."""


def best_makespan(work: NDArray[np.int64]) -> int:
    able = [np.flatnonzero(row).tolist() for row in work]
    return min(makespan_min(work, np.array(who)) for who in itertools.product(*able))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_least_common_deadline_is_found_and_proven(seed: int) -> None:
    work = np.random.default_rng(seed).integers(1, 30, (6, 3))
    found = shortest(work, clock=WallClock(3_600.0), seed=0)
    assert found.makespan_min == found.bound_min == best_makespan(work)


def test_nobody_gets_a_task_they_may_not_do() -> None:
    found = shortest(WORK, clock=WallClock(3_600.0), seed=0)
    assert found.makespan_min == best_makespan(WORK)
    assert all(WORK[t, p] > 0 for t, p in enumerate(found.who.tolist()))


def test_a_task_nobody_may_do_is_named() -> None:
    with pytest.raises(ValueError, match=r"nobody may do tasks \[1\]"):
        shortest(np.array([[3, 0], [0, 0]]), clock=WallClock(3_600.0), seed=0)


def test_both_ways_of_asking_lead_to_the_same_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(makespan.Search, "binding", False)
    assert shortest(WORK, clock=WallClock(3_600.0), seed=0).makespan_min == best_makespan(WORK)


def test_the_relaxation_is_below_every_plan() -> None:
    best = best_makespan(WORK)
    assert relaxation(WORK, best).bound_min <= best
    assert first_deadline_min(WORK) <= best


def test_a_pair_in_a_plan_that_keeps_the_deadline_never_costs_more_than_there_is_room() -> None:
    best = best_makespan(WORK)
    relaxed = relaxation(WORK, best)
    for who in itertools.product(*(np.flatnonzero(row).tolist() for row in WORK)):
        if makespan_min(WORK, np.array(who)) <= best:
            assert relaxed.reduced_min[range(len(who)), who].sum() <= best - relaxed.bound_min + 1e-9


def test_tasks_left_undone_go_to_whoever_is_done_first() -> None:
    assert completed(np.array([[4, 9], [4, 9], [4, 3]]), np.array([0, -1, -1])).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("times", "copies", "limit"), [(1, 1, 12), (1, 1, 17), (10, 1, 151), (80, 2, 1_285), (80, 20, 10_881)]
)
def test_overload_begins_exactly_at_the_limit(times: int, copies: int, limit: int) -> None:
    share, pct = share_of(limit)
    assert share + share * pct // 100 == limit
    asked = without_limit(np.tile(times * WORK, (copies, 1)), limit)
    balance = compile_problem(compile_board(firm_of(asked, escalation_min=1), now=NOW)).balance
    fine = asked.work_min[0, 0] // (times * WORK[0, 0])
    assert (balance.share_min[:3, 0] + balance.far_min[:3] == limit * fine).all()


def test_one_busy_person_of_many_has_no_fair_share_large_enough() -> None:
    only_one = np.array([[10, 0, 0, 0], [10, 0, 0, 0], [10, 0, 0, 0]])
    assert not can_cost(only_one, 30)
    assert can_cost(WORK, 20)
    assert shortest(only_one, clock=WallClock(3_600.0), seed=0).makespan_min == 30


def test_a_plan_that_keeps_the_limit_costs_nothing() -> None:
    best = best_makespan(WORK)
    kept = solve(firm_of(without_limit(WORK, best), escalation_min=10_000), now=NOW, stop=WorkBudget(3.0))
    broken = solve(firm_of(without_limit(WORK, best - 1), escalation_min=10_000), now=NOW, stop=WorkBudget(3.0))
    assert kept.certificate.objective_min == 0
    assert broken.certificate.objective_min > 0


@pytest.mark.parametrize(
    "work",
    [
        pytest.param([[1, 100], [37, 64]], id="one to a hundred"),
        pytest.param([[100, 200], [137, 164]], id="long ones"),
        pytest.param([[2, 120], [13, 20]], id="one estimate for all"),
        pytest.param([[1, 3], [500, 900]], id="an estimate for each"),
    ],
)
def test_the_firm_takes_exactly_the_minutes_asked(work: list[list[int]]) -> None:
    minutes = np.array(work)
    asked = OneDeadline("exact", minutes, np.zeros_like(minutes), np.array([10_000, 1_441]))
    problem = compile_problem(compile_board(firm_of(asked, escalation_min=1), now=NOW))
    assert problem.work_min.tolist() == work
    assert problem.room_min[:, 0, -1].tolist() == [10_000, 1_441]


def test_minutes_that_no_percentage_says_are_rounded_up() -> None:
    minutes = np.array([[1, 900]])
    asked = OneDeadline("wide", minutes, np.zeros_like(minutes), np.array([1_000, 1_000]))
    problem = compile_problem(compile_board(firm_of(asked, escalation_min=1), now=NOW))
    assert (problem.work_min >= minutes).all()
    assert estimates_min(minutes).tolist() == [90]
    assert not exact(minutes)
    assert exact(WORK)
