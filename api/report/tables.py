"""The rows shared by the workbook and the CSV files: every number of the page, as numbers and dates.

Hours are decimal (3.5), shares are percent points (87.2), prices are minutes of comfort.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

Value = str | int | float | date | None


class Kind(StrEnum):
    """How a column is read."""

    TEXT = "text"
    HOURS = "hours"
    PERCENT = "percent"
    COUNT = "count"
    DAY = "day"
    MIXED = "mixed"


@dataclass(frozen=True)
class Column:
    """One column; ``width`` is in characters."""

    title: str
    kind: Kind = Kind.TEXT
    width: int = 16


@dataclass(frozen=True)
class Table:
    """One sheet of the workbook, one CSV file."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        """Refuse a row that does not match the columns; a shifted row would lie in silence."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: {len(row)} values for {len(self.columns)} columns in {row}")


def table(title: str, columns: Iterable[Column], rows: Iterable[tuple[Value, ...]]) -> Table:
    """Freeze a table."""
    return Table(title, tuple(columns), tuple(rows))


def text(title: str, width: int = 16) -> Column:
    """A column of words."""
    return Column(title, Kind.TEXT, width)


def hours(title: str, width: int = 10) -> Column:
    """A column of decimal hours."""
    return Column(title, Kind.HOURS, width)


def percent(title: str, width: int = 10) -> Column:
    """A column of percent points."""
    return Column(title, Kind.PERCENT, width)


def count(title: str, width: int = 9) -> Column:
    """A column of whole numbers."""
    return Column(title, Kind.COUNT, width)


def day(title: str, width: int = 12) -> Column:
    """A column of dates."""
    return Column(title, Kind.DAY, width)


def decimal_hours(work_min: int | None) -> float | None:
    """Return minutes as decimal hours; nothing for nothing."""
    return None if work_min is None else round(work_min / 60, 4)


def points(share_pct: float | None) -> float | None:
    """Return a share with as many digits as a reader can use."""
    return None if share_pct is None else round(share_pct, 2)
