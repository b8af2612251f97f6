"""Prices, each worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.axis import build_axis
from solver.firm import Client, Firm, Priority
from solver.policy import Policy, Weights
from solver.prices import (
    PERSONAL_TERMS,
    TERMS,
    Balance,
    balance,
    continuity,
    escalation_price_min,
    level,
    moves,
)
from tests.firms_for_tests import MONDAY, NOW, day, firm, person, task

WEIGHTS = Weights()


@pytest.mark.parametrize(("priority", "factor"), [("low", 1), ("normal", 2), ("high", 4), ("critical", 8)])
def test_escalation_costs_an_hour_per_minute_times_priority(priority: str, factor: int) -> None:
    assert escalation_price_min(WEIGHTS, task("a", priority=Priority(priority)), 90) == 60 * factor * 90


@pytest.mark.parametrize(
    ("due", "price"),
    [(day(-3), 180), (day(0), 180), (day(5), 180), (day(6), 60), (day(60), 60)],
)
def test_move_costs_an_hour_and_two_more_when_due_within_five_days(due: date, price: int) -> None:
    one = task("a").model_copy(update={"deadline": due})
    assert moves(WEIGHTS, one, MONDAY, 1, 3).tolist() == [price, 0, price]


def test_new_work_moves_for_nothing() -> None:
    assert moves(WEIGHTS, task("a"), MONDAY, None, 2).tolist() == [0, 0]


def test_continuity_is_paid_by_all_but_the_usual_person() -> None:
    known = Client(id="acme", usual_person="bob")
    assert continuity(WEIGHTS, known, 1, 3).tolist() == [30, 0, 30]
    assert continuity(WEIGHTS, known, None, 3).tolist() == [0, 0, 0]


def test_level_is_paid_from_the_second_above_need_and_rounded_up() -> None:
    ranks, work = np.arange(4), np.array([101, 101, 101, 101])
    assert level(WEIGHTS, ranks, 0, work).tolist() == [0, 0, 11, 21]
    assert level(WEIGHTS, ranks, 1, work).tolist() == [0, 0, 0, 11]
    assert level(WEIGHTS, ranks, 3, work).tolist() == [0, 0, 0, 0]


def test_terms_are_the_three_of_the_firm_and_the_four_of_a_person() -> None:
    assert ("escalation", "late", "balance", *PERSONAL_TERMS) == TERMS
    assert PERSONAL_TERMS == ("moves", "continuity", "level", "mismatch")


def shares(near: int = 100, far: int = 100, week: int = 25) -> Balance:
    return Balance(
        end_slots=np.array([4, 9]),
        share_min=np.array([[100, 40, 60]]),
        far_min=np.array([20]),
        near_pct=near,
        far_pct=far,
        week_pct=week,
    )


@pytest.mark.parametrize(
    ("loads", "cost"),
    [
        ([100, 40, 60], 0),
        ([110, 40, 60], 10),
        ([90, 40, 60], 10),
        ([130, 40, 60], 30 + 10),
        ([60, 40, 60], 40 + 20),
        ([100, 44, 60], 1),
        ([100, 40, 57], 1),
        ([100, 39, 61], 1),
        ([101, 41, 60], 2),
    ],
)
def test_imbalance_counts_once_near_and_twice_far_from_the_share(loads: list[int], cost: int) -> None:
    assert shares().cost_min(np.array([loads])).tolist() == [cost]


@settings(deadline=None, max_examples=200)
@given(
    loads=st.lists(st.integers(0, 500), min_size=3, max_size=3),
    percents=st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300)),
)
def test_imbalance_is_the_rounded_up_sum_of_its_parts(loads: list[int], percents: tuple[int, int, int]) -> None:
    near, far, week = percents
    away = [abs(load - share) for load, share in zip(loads, (100, 40, 60), strict=True)]
    hundredths = near * away[0] + far * max(away[0] - 20, 0) + week * (away[1] + away[2])
    assert shares(near, far, week).cost_min(np.array([loads])).tolist() == [(hundredths + 99) // 100]


def test_work_counts_in_the_weeks_by_whose_end_it_is_promised() -> None:
    assert [shares().columns(due).tolist() for due in (0, 4, 5, 9, 10)] == [
        [True, True, True],
        [True, True, True],
        [True, False, True],
        [True, False, True],
        [True, False, False],
    ]


def balance_of(one: Firm, work: list[int], due: list[int]) -> Balance:
    axis, open_min = build_axis(one, NOW)
    return balance(one, axis, open_min, np.array(work, dtype=np.int64), np.array(due, dtype=np.int64))


def test_shares_are_in_proportion_to_open_minutes_and_target() -> None:
    one = firm(
        people=(
            person("ada"),
            person("bob", weekly_min=(240,) * 5 + (0, 0)),
            person("cyd", target_utilisation_pct=40),
            person("dee", level="partner"),
        ),
        policy=Policy(weights=Weights(week_ends=0)),
    )
    # Keys over five days: 2,400 x 80, 1,200 x 80, 2,400 x 40, 2,400 x 53.
    found = balance_of(one, [1_000, 280], [2, 4])
    keys = [2_400 * 80, 1_200 * 80, 2_400 * 40, 2_400 * 53]
    assert found.share_min.tolist() == [[1_280 * key // sum(keys)] for key in keys]
    assert found.far_min.tolist() == [1_280 * key // sum(keys) * 20 // 100 for key in keys]
    assert found.end_slots.tolist() == []


def test_week_ends_before_the_last_deadline_are_levelled() -> None:
    one = firm(people=(person("ada"), person("bob")))
    # Slots of five a week: 4 and 9 are Fridays; the last deadline is slot 12.
    found = balance_of(one, [100, 60, 40], [3, 9, 12])
    assert found.end_slots.tolist() == [4, 9]
    assert found.share_min.tolist() == [[100, 50, 80]] * 2
    assert balance_of(one, [100], [4]).end_slots.tolist() == []
    assert balance_of(one, [100], [5]).end_slots.tolist() == [4]


def test_no_more_weeks_are_levelled_than_asked() -> None:
    one = firm(people=(person("ada"),), policy=Policy(weights=Weights(week_ends=2)))
    assert balance_of(one, [10], [19]).end_slots.tolist() == [4, 9]


def test_overdue_work_is_due_by_every_week_end() -> None:
    one = firm(people=(person("ada"),))
    assert balance_of(one, [100, 60], [-1, 7]).share_min.tolist() == [[160, 100]]


def test_nothing_but_overdue_work_has_no_fair_shares() -> None:
    one = firm(people=(person("ada"),))
    assert balance_of(one, [100], [-1]).share_min.tolist() == [[0]]
    assert balance_of(one, [], []).share_min.tolist() == [[0]]


def test_deadline_beyond_the_axis_counts_to_its_end() -> None:
    one = firm(people=(person("ada"),), policy=Policy(weights=Weights(week_ends=0)))
    axis, _ = build_axis(one, NOW)
    assert balance_of(one, [100], [axis.count]).share_min.tolist() == [[100]]


def test_weights_are_those_of_the_policy() -> None:
    weights = Weights(balance_pct=7, balance_far_pct=8, week_balance_pct=9, far_from_share_pct=50)
    found = balance_of(firm(people=(person("ada"),), policy=Policy(weights=weights)), [100], [3])
    assert (found.near_pct, found.far_pct, found.week_pct, found.far_min.tolist()) == (7, 8, 9, [50])
