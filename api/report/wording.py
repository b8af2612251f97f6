"""Minutes, days, shares and counts as people read them; one form each, the same in every part of the report."""

from __future__ import annotations

from datetime import date, datetime, time

from solver.calendar import local_now
from solver.firm import Firm

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
NONE = "\u2013"
"""The dash shown where a number cannot exist."""


def day_text(day: date) -> str:
    """Return ``Tue 24 Nov 2026``, which no reader takes for another day."""
    return f"{day_short(day)} {day.year}"


def day_short(day: date) -> str:
    """Return ``Tue 24 Nov``."""
    return f"{DAY_NAMES[day.weekday()][:3]} {week_text(day)}"


def week_text(monday: date) -> str:
    """Return ``23 Nov``, the head of a week's column."""
    return f"{monday.day} {MONTH_NAMES[monday.month - 1][:3]}"


def deadline_text(day: date, clock: time | None) -> str:
    """Return the day, with the local time where one was given."""
    return day_text(day) if clock is None else f"{day_text(day)}, {clock:%H:%M}"


def moment_text(firm: Firm, now: datetime) -> str:
    """Return ``Tuesday 24 November 2026, 08:15 EST (America/New_York)``, the instant on the firm's clock."""
    local = local_now(firm, now).replace(tzinfo=firm.zone)
    name = f"{DAY_NAMES[local.weekday()]} {local.day} {MONTH_NAMES[local.month - 1]} {local.year}"
    return f"{name}, {local:%H:%M} {local.tzname()} ({firm.time_zone})"


def percent_text(share_pct: float | None, digits: int = 0) -> str:
    """Return ``87 %``; a dash where there is no such share."""
    return NONE if share_pct is None else f"{share_pct:,.{digits}f} %"


def count_text(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 task`` or ``3 tasks``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share_pct(load_min: int, capacity_min: int) -> float | None:
    """Return load over capacity in percent; ``None`` without capacity."""
    return 100 * load_min / capacity_min if capacity_min else None


def sentence_text(words: str) -> str:
    """Return the engine's words as a sentence: a capital in front, a full stop behind."""
    stop = "" if not words or words[-1] in ".!?" else "."
    return words[:1].upper() + words[1:] + stop
