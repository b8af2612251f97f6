"""Pages about what may come, the risk of a plan and the season: one headline, then parts with charts and a table each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from api.report.charts import Chart
from api.report.page import environment, inline


@dataclass(frozen=True)
class Row:
    """Cells of a row, and tasks behind it that open on demand."""

    cells: tuple[str, ...]
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One section. ``numbers`` are the columns set to the right; ``empty`` is said where there is nothing."""

    title: str
    lead: str
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    numbers: tuple[int, ...] = ()
    charts: tuple[Chart, ...] = ()
    empty: str = ""


@dataclass(frozen=True)
class OutlookPage:
    """One page in words."""

    title: str
    firm: str
    moment: str
    headline: str
    notes: tuple[str, ...]
    parts: tuple[Part, ...]
    footer: str


def outlook_html(page: OutlookPage) -> str:
    """Render a page that needs nothing else: no font, script, image or network."""
    return environment().get_template("outlook.html.j2").render(page=page, style=Markup(inline("report.css")))


def write_outlook(page: OutlookPage, path: Path) -> None:
    """Write a page to ``path``, UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(outlook_html(page), encoding="utf-8", newline="\n")


def rows(cells: Sequence[Sequence[object]]) -> tuple[Row, ...]:
    """Return rows of plain cells."""
    return tuple(Row(tuple(str(cell) for cell in row)) for row in cells)
