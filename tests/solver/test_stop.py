"""Stop rules and the gap."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.plan import StopReason
from solver.stop import FirstOf, Progress, TargetGap, WorkBudget, gap_pct


def at(work: float = 0.0, objective: int = 100, bound: int = 0) -> Progress:
    return Progress(work_units=work, objective_min=objective, bound_min=bound)


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [
        (100, 0, 100.0),
        (100, 90, 10.0),
        (3, 2, 33.3333),
        (100, 100, 0.0),
        (0, 0, 0.0),
        (5, 9, 0.0),
        (1_000_000, 999_999, 0.0001),
    ],
)
def test_gap_is_the_share_of_the_objective_that_is_not_proven(objective: int, bound: int, gap: float) -> None:
    assert gap_pct(objective, bound) == gap
    assert at(objective=objective, bound=bound).gap_pct == gap


@settings(deadline=None, max_examples=200)
@given(objective=st.integers(0, 10**9), bound=st.integers(0, 10**9))
def test_gap_lies_between_nothing_and_everything(objective: int, bound: int) -> None:
    gap = gap_pct(objective, bound)
    assert 0.0 <= gap <= 100.0
    if objective > bound:
        assert gap == pytest.approx(100 * (objective - bound) / objective, abs=5.1e-5)


def test_work_budget_ends_once_it_is_used() -> None:
    stop = WorkBudget(2.0)
    assert stop(at(work=1.999)) is None
    assert stop(at(work=2.0)) is StopReason.WORK
    assert stop(at(work=5.0)) is StopReason.WORK
    assert WorkBudget(0.0)(at()) is StopReason.WORK


def test_target_gap_ends_once_it_is_reached() -> None:
    stop = TargetGap(5.0)
    assert stop(at(bound=94)) is None
    assert stop(at(bound=95)) is StopReason.GAP
    assert TargetGap(0.0)(at(bound=99)) is None
    assert TargetGap(0.0)(at(bound=100)) is StopReason.GAP


def test_first_rule_that_says_so_gives_the_reason() -> None:
    both = FirstOf((TargetGap(5.0), WorkBudget(1.0)))
    assert both(at(work=0.5, bound=50)) is None
    assert both(at(work=1.0, bound=50)) is StopReason.WORK
    assert both(at(work=1.0, bound=96)) is StopReason.GAP
    assert FirstOf(())(at(work=9.0)) is None


def test_later_rules_are_not_asked_when_an_earlier_one_stops() -> None:
    asked: list[Progress] = []

    def listening(progress: Progress) -> StopReason:
        asked.append(progress)
        return StopReason.CANCELLED

    assert FirstOf((WorkBudget(0.0), listening))(at()) is StopReason.WORK
    assert asked == []
    assert FirstOf((WorkBudget(9.0), listening))(at()) is StopReason.CANCELLED
    assert len(asked) == 1
