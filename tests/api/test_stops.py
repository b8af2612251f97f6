from __future__ import annotations

from api.stops import Cancel, WallClock
from solver.plan import StopReason
from solver.stop import Progress

SOMEWHERE = Progress(1.0, 100, 50)


def test_the_wall_clock_stops_when_its_seconds_are_used() -> None:
    ticks = iter([10.0, 10.5, 11.9, 12.0])
    rule = WallClock(2.0, clock=lambda: next(ticks))
    assert [rule(SOMEWHERE) for _ in range(3)] == [None, None, StopReason.WALL_CLOCK]


def test_a_cancel_stops_once_asked() -> None:
    rule = Cancel()
    assert rule(SOMEWHERE) is None
    rule.ask()
    assert rule(SOMEWHERE) is StopReason.CANCELLED
