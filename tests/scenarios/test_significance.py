"""What two intervals say of a difference, and that it is true wherever in them the best plans lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.significance import Interval, Significance, Verdict, significance

BOUNDS = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Interval(min(pair), max(pair)))


def judged(before: Interval, after: Interval, *, same: bool = False, comparable: bool = True) -> Significance:
    costs = (before.high_min, after.high_min)
    return significance(before, after, costs_min=costs, same=same, comparable=comparable, rounds=0)


@given(BOUNDS, BOUNDS, st.floats(0, 1), st.floats(0, 1))
def test_the_verdict_holds_wherever_the_best_plans_lie(a: Interval, b: Interval, at: float, to: float) -> None:
    found = judged(a, b)
    best_before = a.low_min + at * (a.high_min - a.low_min)
    best_after = b.low_min + to * (b.high_min - b.low_min)
    true = best_after - best_before
    assert found.least_min - 1e-9 <= true <= found.most_min + 1e-9
    if found.verdict is Verdict.DEARER:
        assert true > 0
    if found.verdict is Verdict.CHEAPER:
        assert true < 0
    if found.verdict is Verdict.SAME:
        assert true == 0


def test_touching_intervals_are_undecided_and_apart_by_a_minute_decided() -> None:
    assert judged(Interval(10, 20), Interval(20, 30)).verdict is Verdict.UNDECIDED
    assert judged(Interval(10, 20), Interval(21, 30)).verdict is Verdict.DEARER
    assert judged(Interval(21, 30), Interval(10, 20)).verdict is Verdict.CHEAPER
    assert judged(Interval(20, 20), Interval(20, 20)).verdict is Verdict.SAME


def test_sentences_give_the_limits_in_order() -> None:
    assert judged(Interval(100, 110), Interval(150, 170)).sentence == (
        "The scenario is dearer: by 60 minutes as planned, by 40 to 70 for certain."
    )
    assert judged(Interval(150, 170), Interval(100, 110)).sentence == (
        "The scenario is cheaper: by 60 minutes as planned, by 40 to 70 for certain."
    )
    assert judged(Interval(150, 150), Interval(100, 100)).sentence == (
        "The scenario is cheaper by 50 minutes, proven exactly."
    )
    undecided = judged(Interval(90, 110), Interval(100, 120)).sentence
    assert "costs 10 minutes more" in undecided
    assert "from \N{MINUS SIGN}10 to 30" in undecided


def test_other_prices_and_no_changes_need_no_search() -> None:
    assert judged(Interval(0, 9), Interval(50, 60), comparable=False).verdict is Verdict.NOT_COMPARABLE
    same = judged(Interval(0, 9), Interval(0, 9), same=True)
    assert (same.verdict, same.least_min, same.most_min) == (Verdict.SAME, 0, 0)
