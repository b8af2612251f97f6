from __future__ import annotations

from dataclasses import replace

from api.stops import Cancel, WallClock
from solver.plan import StopReason
from solver.stop import Progress

SOMEWHERE = Progress(1.0, 100, 50)


def test_the_wall_clock_stops_when_its_seconds_are_used() -> None:
    ticks = iter([10.0, 10.5, 11.9, 12.0])
    rule = WallClock(2.0, clock=lambda: next(ticks))
    after = replace(SOMEWHERE, searching=False)
    assert [rule(after) for _ in range(3)] == [None, None, StopReason.WALL_CLOCK]


def test_the_search_leaves_a_tenth_of_the_time_and_at_most_five_seconds_to_explain_its_plan() -> None:
    now = [0.0]
    short, long = (WallClock(limit_s, clock=lambda: now[0]) for limit_s in (10.0, 600.0))
    found = []
    for now[0] in (8.9, 9.0, 594.9, 595.0):
        found.append((short(SOMEWHERE), long(SOMEWHERE)))
    over = StopReason.WALL_CLOCK
    assert found == [(None, None), (over, None), (over, None), (over, over)]


def test_a_cancel_stops_once_asked() -> None:
    rule = Cancel()
    assert rule(SOMEWHERE) is None
    rule.ask()
    assert rule(SOMEWHERE) is StopReason.CANCELLED
