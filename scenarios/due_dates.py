"""Federal due dates of returns, with their extensions, and the rule of the next business day.

Calendar-year returns only. Dates: IRS Publication 509. A Saturday, Sunday or legal holiday of the District of Columbia moves to the
next business day (Internal Revenue Code, section 7503), so 15 April 2028, a Saturday, becomes Tuesday the 18th after Emancipation Day.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import holidays


class Form(StrEnum):
    """A federal return."""

    F1040 = "1040"
    F1041 = "1041"
    F1065 = "1065"
    F1120 = "1120"
    F1120S = "1120-S"
    F990 = "990"


class MonthDay(NamedTuple):
    """A day of every year."""

    month: int
    day: int


DUE = {
    Form.F1040: MonthDay(4, 15),
    Form.F1041: MonthDay(4, 15),
    Form.F1065: MonthDay(3, 15),
    Form.F1120: MonthDay(4, 15),
    Form.F1120S: MonthDay(3, 15),
    Form.F990: MonthDay(5, 15),
}
EXTENDED = {
    Form.F1040: MonthDay(10, 15),
    Form.F1041: MonthDay(9, 30),
    Form.F1065: MonthDay(9, 15),
    Form.F1120: MonthDay(10, 15),
    Form.F1120S: MonthDay(9, 15),
    Form.F990: MonthDay(11, 15),
}


def due_date(form: Form, year: int) -> date:
    """Return the day a return of the year before is due in ``year``."""
    return federal_business_day(date(year, *DUE[form]))


def extended_due_date(form: Form, year: int) -> date:
    """Return the day an extended return of the year before is due in ``year``."""
    return federal_business_day(date(year, *EXTENDED[form]))


def federal_business_day(day: date) -> date:
    """Return the day itself, or the first business day after it."""
    closed = holidays.country_holidays("US", subdiv="DC", years=[day.year, day.year + 1])
    return next_business_day(day, closed)


def next_business_day(day: date, closed: Collection[date]) -> date:
    """Return the first day from ``day`` on that is neither on a weekend nor closed."""
    while day.weekday() >= 5 or day in closed:
        day += timedelta(days=1)
    return day


def form_of(*names: str) -> Form | None:
    """Return the form that one of the names is of, such as ``1120s``, ``Form 1040`` or ``990``; ``None`` where none is."""
    known = {_plain(form.value): form for form in Form}
    return next((known[plain] for name in names if (plain := _plain(name)) in known), None)


def _plain(name: str) -> str:
    kept = "".join(letter for letter in name.casefold() if letter.isalnum())
    return kept.removeprefix("form")
