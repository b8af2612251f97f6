"""Whether two plans of two firms differ by more than is unknown about either."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from solver.plan import Certificate
from solver.policy import Frozen
from solver.wording import MINUS


class Verdict(StrEnum):
    """What is known of the difference between the best plan of the scenario and the best plan of today."""

    SAME = "same"
    DEARER = "dearer"
    CHEAPER = "cheaper"
    UNDECIDED = "undecided"
    NOT_COMPARABLE = "not comparable"


_HELD_BACK = (
    " A plan that costs {:,} minutes less is known, but it leaves more to nobody than today's plan, which still stands."
)


class Interval(NamedTuple):
    """What the best plan costs, in minutes, the part that no plan can avoid included."""

    low_min: int
    high_min: int

    @property
    def gap_pct(self) -> float:
        """Width in percent of the upper end, 0 where both are 0."""
        return round(100 * (self.high_min - self.low_min) / self.high_min, 4) if self.high_min else 0.0


class Significance(Frozen):
    """The difference in cost, what is certain of it, and how long was searched to know."""

    verdict: Verdict
    before: Interval = Field(description="between bound and cheapest plan met, of the firm as it is")
    after: Interval = Field(description="between bound and cheapest plan met, of the firm as it would be")
    cost_before_min: int = Field(description="of today's plan as shown")
    cost_after_min: int = Field(description="of the scenario's plan as shown")
    difference_min: int = Field(description="cost of the scenario's plan less that of today's")
    least_min: int = Field(description="the best plans differ by no less than this")
    most_min: int = Field(description="and by no more than this")
    rounds: int = Field(description="times both were solved on to decide")
    sentence: str


def interval(certificate: Certificate) -> Interval:
    """Return between what the best plan's cost lies."""
    base = certificate.unavoidable_min
    return Interval(base + certificate.bound_min, base + certificate.objective_min)


def significance(
    before: Interval,
    after: Interval,
    *,
    costs_min: tuple[int, int],
    same: bool,
    comparable: bool,
    rounds: int,
    held_back: bool = False,
    dearer_by_at_most: int | None = None,
) -> Significance:
    """Return what two intervals say of the difference.

    Parameters
    ----------
    costs_min
        Costs of the plans shown; each may lie a little above its interval.
    same
        Whether the changes alter nothing.
    comparable
        Whether both firms price by the same weights.
    held_back
        Whether the cheapest plan met of the scenario is not the one shown, as it leaves more to nobody than today's plan.
    dearer_by_at_most
        Minutes by which the scenario's best plan is known to be dearer at most, whatever the intervals say (`scenarios.more_offered`).
    """
    difference = costs_min[1] - costs_min[0]
    least, most = after.low_min - before.high_min, after.high_min - before.low_min
    if dearer_by_at_most is not None and comparable:
        most = min(most, dearer_by_at_most)
    if same:
        difference = least = most = 0
    verdict = _verdict(least, most, same=same, comparable=comparable)
    return Significance(
        verdict=verdict,
        before=before,
        after=after,
        cost_before_min=costs_min[0],
        cost_after_min=costs_min[1],
        difference_min=difference,
        least_min=least,
        most_min=most,
        rounds=rounds,
        sentence=_sentence(verdict, difference, least, most, before, after)
        + (_HELD_BACK.format(costs_min[1] - after.high_min) if held_back else ""),
    )


def _verdict(least: int, most: int, *, same: bool, comparable: bool) -> Verdict:
    if same:
        return Verdict.SAME
    if not comparable:
        return Verdict.NOT_COMPARABLE
    if least > 0:
        return Verdict.DEARER
    if most < 0:
        return Verdict.CHEAPER
    return Verdict.SAME if least == most == 0 else Verdict.UNDECIDED


def _signed(minutes: int) -> str:
    return f"{MINUS if minutes < 0 else ''}{abs(minutes):,}"


def _sentence(verdict: Verdict, difference: int, least: int, most: int, before: Interval, after: Interval) -> str:
    if verdict is Verdict.SAME:
        return "The scenario costs what today costs."
    if verdict is Verdict.NOT_COMPARABLE:
        return "The scenario changes the prices, so costs before and after are not in the same currency; compare the figures."
    if verdict is Verdict.UNDECIDED:
        way = "more" if difference > 0 else "less"
        span = f"from {_signed(least)} to {_signed(most)}"
        return (
            f"Undecided: the scenario's plan costs {abs(difference):,} minutes {way}, but the best plans are known to "
            f"{before.gap_pct:.1f} % and {after.gap_pct:.1f} % only, so the difference may lie anywhere {span}."
        )
    way = "dearer" if verdict is Verdict.DEARER else "cheaper"
    if least == most:
        return f"The scenario is {way} by {abs(difference):,} minutes, proven exactly."
    low, high = sorted((abs(least), abs(most)))
    return f"The scenario is {way}: by {abs(difference):,} minutes as planned, by {low:,} to {high:,} for certain."
