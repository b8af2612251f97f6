"""When a search ends. A stop rule is a small callable; rules compose, and a new one touches nothing else.

Rules here count deterministic work. A rule that reads a clock or a cancel button lives outside the solver and is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from solver.plan import StopReason


@dataclass(frozen=True)
class Progress:
    """Where a search stands.

    Attributes
    ----------
    work_units
        Deterministic work so far; one unit is about a second of one core (see `solver.search`).
    objective_min, bound_min
        Best plan and best bound, both less the unavoidable part.
    phase
        What the search is doing, in words.
    searching
        Whether the plan may still get better; afterwards it is explained, for which a clock keeps some of its time.
    """

    work_units: float
    objective_min: int
    bound_min: int
    phase: str = ""
    searching: bool = True

    @property
    def gap_pct(self) -> float:
        """The gap in percent of the objective."""
        return gap_pct(self.objective_min, self.bound_min)


def gap_pct(objective_min: int, bound_min: int) -> float:
    """Return ``(objective - bound) / objective`` in percent, rounded to four digits; 0 when there is nothing to save."""
    if objective_min <= bound_min:
        return 0.0
    return round(100.0 * (objective_min - bound_min) / objective_min, 4)


class Stop(Protocol):
    """Says whether a search should end, and why."""

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return the reason to stop now, or ``None`` to go on."""
        ...


@dataclass(frozen=True)
class WorkBudget:
    """Stop after ``units`` of deterministic work: the same plan on any machine."""

    units: float

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return `StopReason.WORK` once the budget is used."""
        return StopReason.WORK if progress.work_units >= self.units else None


@dataclass(frozen=True)
class TargetGap:
    """Stop when the plan is proven to be within ``pct`` percent of the best."""

    pct: float

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return `StopReason.GAP` once the gap is reached."""
        return StopReason.GAP if progress.gap_pct <= self.pct else None


@dataclass(frozen=True)
class FirstOf:
    """Stop as soon as one of several rules says so; the first in order gives the reason."""

    rules: tuple[Stop, ...]

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return the first reason any rule gives."""
        return next((reason for rule in self.rules if (reason := rule(progress)) is not None), None)
