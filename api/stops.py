"""Stop rules that look outside: the wall clock and a cancel request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from solver.plan import StopReason
from solver.stop import Progress

KEPT_SHARE, MOST_KEPT_S = 0.1, 5.0
"""Of a wall-clock limit, what is kept for explaining the plan: the curve of gain against moves and the scarce hours."""


@dataclass
class WallClock:
    """Stop ``limit_s`` seconds after this rule was made; a safety net, reported when hit.

    The search itself stops a tenth sooner, at most five seconds, so that what explains its plan is there in time as well.
    """

    limit_s: float
    clock: Callable[[], float] = time.monotonic
    start_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.start_s = self.clock()

    def elapsed_s(self) -> float:
        """Return the seconds since this rule was made."""
        return self.clock() - self.start_s

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return `StopReason.WALL_CLOCK` once the time is used."""
        kept_s = min(KEPT_SHARE * self.limit_s, MOST_KEPT_S) if progress.searching else 0.0
        return StopReason.WALL_CLOCK if self.elapsed_s() >= self.limit_s - kept_s else None


@dataclass
class Cancel:
    """Stop as soon as somebody asks; the best plan so far is kept."""

    asked: bool = False

    def ask(self) -> None:
        """Ask the search to stop."""
        self.asked = True

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return `StopReason.CANCELLED` once asked."""
        return StopReason.CANCELLED if self.asked else None
