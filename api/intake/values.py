"""One cell to one value: whole numbers, minutes, days, times, yes and no. Forgiving where one reading is possible, strict elsewhere.

A cell is what a file gave: text of a CSV file, or a typed value of a workbook. Every parser raises `BadValue` with the nearest value
that would have been taken.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from api.escaping import restored

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
YES = frozenset({"yes", "y", "true", "t", "1", "x"})
NO = frozenset({"no", "n", "false", "f", "0"})
SPREADSHEET_DAY_ZERO = date(1899, 12, 30)
LONGEST_NUMBER_CHARS = 15
"""A spreadsheet keeps fifteen digits; a longer number is a mistake."""


class DateOrder(StrEnum):
    """How dates such as 03/04/2027 are read. ISO takes only what can be read in one way."""

    ISO = "iso"
    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class BadValue(Exception):
    """A cell that is not taken: stable code, reason, nearest value that would be, and what to do."""

    def __init__(self, code: str, reason: str, nearest: object = None) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason
        self.nearest = None if nearest is None else str(nearest)


@dataclass(frozen=True)
class Broken:
    """A workbook cell without a value of its own: a formula never calculated, or a spreadsheet error."""

    text: str
    code: str
    reason: str

    def __str__(self) -> str:
        return self.text


Cell = str | int | float | bool | date | datetime | time | timedelta | Broken | None
Parser = Callable[[Cell, DateOrder], object]


def cleaned(cell: Cell) -> Cell:
    """Return the cell stripped, ``None`` when blank; refuse what has no readable value (formula, error, lost characters)."""
    if isinstance(cell, Broken):
        raise BadValue(cell.code, cell.reason)
    if not isinstance(cell, str):
        return cell
    text = cell.strip(" \t\r\n\f\v\ufeff\xa0")
    if not text:
        return None
    if text.startswith("="):
        raise BadValue("formula", "is a formula, not a value. Maybe copy the column and paste its values")
    if any(
        (ord(char) < 32 and char not in "\t\r\n") or 0xD800 <= ord(char) <= 0xDFFF or char == "\ufffd" for char in text
    ):
        raise BadValue("lost_characters", "holds bytes that are not text. Maybe save the file as UTF-8")
    return restored(text)


def text(cell: Cell, order: DateOrder) -> str:
    """Return the cell as text; a whole number of a workbook loses its ".0"."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def word(cell: Cell, order: DateOrder) -> str:
    """Return a word of a closed set: lower case, underscores for spaces and hyphens."""
    return re.sub(r"[\s\-]+", "_", text(cell, order).casefold())


def names(cell: Cell, order: DateOrder) -> tuple[str, ...]:
    """Return the names of a list separated by semicolons."""
    return tuple(part.strip() for part in text(cell, order).split(";") if part.strip())


def lines(cell: Cell, order: DateOrder) -> tuple[str, ...]:
    """Return the lines of a cell."""
    return tuple(part.strip() for part in text(cell, order).splitlines() if part.strip())


def yes_no(cell: Cell, order: DateOrder) -> bool:
    """Return a yes or no."""
    if isinstance(cell, bool):
        return cell
    said = text(cell, order).casefold()
    if said in YES:
        return True
    if said in NO:
        return False
    raise BadValue("yes_no", "is neither yes nor no", "yes" if said[:1] in "yjtsow1" else "no")


def whole(cell: Cell, order: DateOrder) -> int:
    """Return a whole number; "80 %" counts as 80."""
    found = number(cell)
    if not found.is_integer():
        raise BadValue("not_whole", "is not a whole number", math.floor(found + 0.5))
    return int(found)


def minutes(cell: Cell, order: DateOrder) -> int:
    """Return whole minutes of a column in minutes; "2 h" and "1:30" say their own unit."""
    return _span_min(cell, unit_min=1)


def hours_as_minutes(cell: Cell, order: DateOrder) -> int:
    """Return minutes of a column in hours, rounded to the whole minute; "1.5", "1,5", "1:30", "90 min"."""
    return _span_min(cell, unit_min=60)


def _span_min(cell: Cell, *, unit_min: int) -> int:
    if isinstance(cell, timedelta):
        return math.floor(cell.total_seconds() / 60 + 0.5)
    if isinstance(cell, time):
        return 60 * cell.hour + cell.minute
    if isinstance(cell, str):
        clock = re.fullmatch(r"(\d{1,5}):([0-5]\d)(:00)?", cell)
        if clock:
            return 60 * int(clock[1]) + int(clock[2])
        suffix = re.fullmatch(r"(.*?\d)\s*(h|hr|hrs|hour|hours|m|min|mins|minutes)\.?", cell, re.IGNORECASE)
        if suffix:
            cell, unit_min = suffix[1], 60 if suffix[2].casefold().startswith("h") else 1
    found = number(cell) * unit_min
    if unit_min == 1 and not found.is_integer():
        raise BadValue("not_whole", "is not a whole number of minutes", math.floor(found + 0.5))
    return math.floor(found + 0.5)


def number(cell: Cell) -> float:
    """Return a number; refuse separators that can be read in two ways."""
    if isinstance(cell, bool | date | time | timedelta):
        raise BadValue("not_a_number", "is not a number")
    if isinstance(cell, int | float):
        if not math.isfinite(cell) or abs(cell) >= 10**LONGEST_NUMBER_CHARS:
            raise BadValue("not_a_number", "is not a number of ordinary size")
        return float(cell)
    plain = str(cell).removesuffix("%").strip().replace("\u2212", "-")
    if len(plain) > LONGEST_NUMBER_CHARS:
        raise BadValue("not_a_number", "is too long for a number")
    if re.fullmatch(r"[+-]?\d{1,3}([,' \xa0]\d{3})+", plain):
        joined = re.sub(r"[,' \xa0]", "", plain)
        raise BadValue("ambiguous_number", "may be thousands or decimals. Maybe write it without separators", joined)
    if re.fullmatch(r"[+-]?\d+,\d{1,2}", plain):
        plain = plain.replace(",", ".")
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", plain, re.ASCII):
        return float(plain)
    digits = re.search(r"\d+", plain, re.ASCII)
    raise BadValue("not_a_number", "is not a number", digits[0] if digits else None)


def day(cell: Cell, order: DateOrder) -> date:
    """Return a day; a time of day other than midnight is refused."""
    found = moment(cell, order)
    if not isinstance(found, datetime):
        return found
    if found.time() != time(0, 0) or found.tzinfo is not None:
        raise BadValue("time_of_day", "has a time of day, where a day is asked", found.date())
    return found.date()


def moment(cell: Cell, order: DateOrder) -> date | datetime:
    """Return a day, or a day with its time of day where the cell has one; an offset or "Z" is kept."""
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time(0, 0) else cell
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        return _day_and_time(cell, order)
    near = _serial_day(cell) if isinstance(cell, int | float) else None
    raise BadValue("not_a_date", "is a number, not a date. Maybe format the column as a date", near)


def clock(cell: Cell, order: DateOrder) -> time:
    """Return a time of day: "17:00", "5 pm", "5:30 PM"."""
    if isinstance(cell, datetime):
        return cell.time()
    if isinstance(cell, time):
        return cell
    found = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*([ap])?\.?(?:m\.?)?", str(cell).casefold())
    if found and (found[2] or found[4]):
        hour, half = int(found[1]), found[4]
        if half:
            hour = hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else 24
        if hour <= 23 and int(found[2] or 0) <= 59 and int(found[3] or 0) <= 59:
            return time(hour, int(found[2] or 0), int(found[3] or 0))
    raise BadValue("not_a_time", "is not a time of day", "17:00")


def _day_and_time(said: str, order: DateOrder) -> date | datetime:
    try:
        found = datetime.fromisoformat(said) if re.match(r"\d{4}-", said) else None
    except ValueError:
        found = None
    if found is not None:
        return found.date() if found.time() == time(0, 0) and found.tzinfo is None else found
    head, at, rest = said.partition(" ")
    if at and re.match(r"\d{1,2}:", rest):
        on = _written_day(head, order)
        at_clock = clock(rest, order)
        return on if at_clock == time(0, 0) else datetime.combine(on, at_clock)
    return _written_day(said, order)


def _written_day(said: str, order: DateOrder) -> date:
    named = _named_month(said)
    if named is not None:
        return _real_day(*named)
    numeric = re.fullmatch(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})", said, re.ASCII)
    if numeric is None:
        whole_number = re.fullmatch(r"\d{4,6}", said, re.ASCII)
        near = _serial_day(int(said)) if whole_number else None
        raise BadValue("not_a_date", "is not a date. Maybe write it as year-month-day, such as 2027-03-15", near)
    first, second, third = (int(part) for part in numeric.groups())
    if len(numeric[1]) == 4:
        return _real_day(first, second, third)
    if len(numeric[3]) != 4:
        near = None
        if len(numeric[3]) == 2 and order is not DateOrder.ISO:
            near = _day_or_none(2000 + third, *((second, first) if order is DateOrder.DAY_FIRST else (first, second)))
        raise BadValue("short_year", "has no year of four digits", near)
    return _ordered_day(first, second, third, order)


def _ordered_day(first: int, second: int, year: int, order: DateOrder) -> date:
    day_first, month_first = _day_or_none(year, second, first), _day_or_none(year, first, second)
    if order is not DateOrder.ISO:
        chosen, other = (day_first, month_first) if order is DateOrder.DAY_FIRST else (month_first, day_first)
        if chosen is None:
            raise BadValue("no_such_day", f"is no day when read {order.value}", other or _last_day(year, second, first))
        return chosen
    if day_first and month_first and day_first != month_first:
        raise BadValue(
            "ambiguous_date",
            f"may be {day_first} or {month_first}. Maybe say the date order: day-first or month-first",
            day_first,
        )
    found = day_first or month_first
    if found is None:
        raise BadValue("no_such_day", "is no day of the calendar", _last_day(year, second, first))
    return found


def _named_month(said: str) -> tuple[int, int, int] | None:
    parts = [part for part in re.split(r"[\s,.\-/]+", said.casefold()) if part]
    if len(parts) == 4 and parts[0][:3] in {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}:
        parts = parts[1:]
    if len(parts) != 3:
        return None
    for place in (0, 1):
        name = parts[place]
        month = next((i for i, full in enumerate(MONTHS) if name in (full, full[:3], "sept" if i == 8 else full)), None)
        number_part = re.fullmatch(r"(\d{1,2})(st|nd|rd|th)?", parts[1 - place], re.ASCII)
        if month is not None and number_part and re.fullmatch(r"\d{4}", parts[2], re.ASCII):
            return int(parts[2]), month + 1, int(number_part[1])
    return None


def _real_day(year: int, month: int, on: int) -> date:
    found = _day_or_none(year, month, on)
    if found is None:
        raise BadValue("no_such_day", "is no day of the calendar", _last_day(year, month, on))
    return found


def _day_or_none(year: int, month: int, on: int) -> date | None:
    try:
        return date(year, month, on)
    except ValueError:
        return None


def _last_day(year: int, month: int, on: int) -> date | None:
    if on < 28:
        return None
    return next((found for last in (31, 30, 29, 28) if (found := _day_or_none(year, month, last))), None)


def _serial_day(count: float) -> date | None:
    return SPREADSHEET_DAY_ZERO + timedelta(days=int(count)) if 20_000 <= count <= 90_000 else None
