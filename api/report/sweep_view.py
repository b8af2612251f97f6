"""A sweep as small charts, one a measure with one line for each value of the second parameter, and a table with the knee marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from api.report.wording import percent_text
from scenarios.grids import PointRefused, PointResult, Value
from scenarios.sweeps import Swept
from solver.wording import hours_text

WIDTH, HEIGHT = 360.0, 140.0
"""Size of a plotted area in the units of its drawing."""
MEASURES: tuple[tuple[str, Callable[[PointResult], float | None]], ...] = (
    ("Cost, minutes", lambda one: one.todays_prices_min),
    ("Escalations", lambda one: one.escalations),
    ("Late tasks", lambda one: one.late),
    ("On time, %", lambda one: one.on_time_pct),
    ("Utilisation, %", lambda one: one.utilisation_pct),
    ("Busiest to idlest, points", lambda one: one.spread_pct),
    ("Moves", lambda one: one.moves),
    ("Overtime needed, hours", lambda one: one.overtime_min / 60),
)


@dataclass(frozen=True)
class Dot:
    """One point in a chart."""

    x: float
    y: float
    words: str
    knee: bool


@dataclass(frozen=True)
class Line:
    """One value of the second parameter.

    Attributes
    ----------
    tone
        Its colour.
    paths
        Pieces of the line: it is broken where a point cannot be.
    crosses
        Those points, on the axis; what is wrong is their words.
    """

    label: str
    tone: int
    paths: tuple[str, ...]
    dots: tuple[Dot, ...]
    crosses: tuple[Dot, ...]


@dataclass(frozen=True)
class Chart:
    """One measure over the first parameter."""

    title: str
    lines: tuple[Line, ...]
    first: str
    last: str
    top: str
    bottom: str
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True)
class SweepRow:
    """One point in words; one that cannot be has a reason in place of figures."""

    values: tuple[str, ...]
    cells: tuple[str, ...]
    knee: bool
    refused: str = ""


@dataclass(frozen=True)
class SweepView:
    """The whole sweep."""

    sentence: str
    axes: tuple[str, ...]
    columns: tuple[str, ...]
    charts: tuple[Chart, ...]
    rows: tuple[SweepRow, ...]
    legend: tuple[tuple[str, int], ...]


COLUMNS = ("Cost", "Gap", "Escalations", "Late", "On time", "Utilisation", "Spread", "Moves", "Overtime")


def sweep_view(swept: Swept) -> SweepView:
    """Put a sweep into coordinates and words; measures that never change have no chart."""
    knees = {one.key for one in swept.knees() if one is not None}
    axes = swept.sweep.axes
    second = axes[1].values if len(axes) > 1 else (None,)
    labels = [f"{axes[1].name} {axes[1].shown(value)}" if len(axes) > 1 else "" for value in second]
    charts = [chart(title, measure, swept, labels, knees) for title, measure in MEASURES]
    return SweepView(
        sentence=sentence(swept),
        axes=tuple(axis.name for axis in axes),
        columns=COLUMNS,
        charts=tuple(one for one in charts if one is not None),
        rows=tuple(_row(swept, one, knees) for one in swept.in_order()),
        legend=tuple((label, tone_of(number)) for number, label in enumerate(labels) if label),
    )


def _row(swept: Swept, one: PointResult | PointRefused, knees: set[str]) -> SweepRow:
    if isinstance(one, PointRefused):
        return SweepRow(swept.shown(one), (), False, one.refusal.sentence())
    return SweepRow(swept.shown(one), cells(one), one.key in knees)


def sentence(swept: Swept) -> str:
    """Say where it stops to pay, and how many points cannot be."""
    refused = len(swept.refused)
    cannot = f" {refused:,} of {len(swept.sweep.cells()):,} points cannot be; the table says why." if refused else ""
    return _knees(swept) + cannot


def _knees(swept: Swept) -> str:
    axes, found = swept.sweep.axes, [one for one in swept.knees() if one is not None]
    if not found:
        return "No knee: nothing is saved from the first value to the last, or the values have no order."
    at = [
        axes[0].shown(one.values[0]) + (f" ({axes[1].name} {axes[1].shown(one.values[1])})" if len(axes) > 1 else "")
        for one in found
    ]
    return (
        f"The knee is at {', '.join(at)}: up to there each step of {axes[0].name} saves more than the average step "
        "does, after it less."
    )


def chart(
    title: str,
    measure: Callable[[PointResult], float | None],
    swept: Swept,
    labels: list[str],
    knees: set[str],
) -> Chart | None:
    """Return a measure's chart; none where it has one value only, or none at some point."""
    numbers = [measure(one) for one in swept.results]
    plain = [one for one in numbers if one is not None]
    if len(plain) < len(numbers) or not plain or min(plain) == max(plain):
        return None
    low, high = min(plain), max(plain)
    axis = swept.sweep.axes[0]
    values = axis.values
    lines = []
    for number, row in enumerate(swept.rows()):
        dots = tuple(
            Dot(
                x=round(WIDTH * place(values, one.values[0]), 1),
                y=round(HEIGHT * (1 - ((measure(one) or 0) - low) / (high - low)), 1),
                words=f"{axis.shown(one.values[0])}: {number_text(measure(one))}",
                knee=one.key in knees,
            )
            for one in row
        )
        crosses = _crosses(swept, number)
        lines.append(Line(labels[number], tone_of(number), _paths(dots, crosses), dots, crosses))
    return Chart(
        title, tuple(lines), axis.shown(values[0]), axis.shown(values[-1]), number_text(high), number_text(low)
    )


def _crosses(swept: Swept, row: int) -> tuple[Dot, ...]:
    """Return the points of a row that cannot be."""
    axes = swept.sweep.axes
    mine = [one for one in swept.refused if len(axes) == 1 or one.values[1] == axes[1].values[row]]
    return tuple(
        Dot(
            x=round(WIDTH * place(axes[0].values, one.values[0]), 1),
            y=HEIGHT,
            words=f"{axes[0].shown(one.values[0])}: cannot be: {one.refusal.sentence()}",
            knee=False,
        )
        for one in mine
    )


def _paths(dots: tuple[Dot, ...], crosses: tuple[Dot, ...]) -> tuple[str, ...]:
    """Return the pieces of a line through dots that stand in the order of their values, broken between two at each cross."""
    pieces: list[list[Dot]] = []
    for dot in dots:
        before = pieces[-1][-1].x if pieces else None
        if before is None or any(min(before, dot.x) < one.x < max(before, dot.x) for one in crosses):
            pieces.append([])
        pieces[-1].append(dot)
    return tuple(" ".join(f"{dot.x:g},{dot.y:g}" for dot in piece) for piece in pieces)


def place(values: tuple[Value, ...], value: Value) -> float:
    """Return where a value stands between the first (0) and the last (1): by size for numbers, else by order."""
    numbers = [one for one in values if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) == len(values) and max(numbers) > min(numbers) and isinstance(value, int):
        return (value - min(numbers)) / (max(numbers) - min(numbers))
    return values.index(value) / max(len(values) - 1, 1)


def tone_of(number: int) -> int:
    """Return one of six colours."""
    return number % 6


def cells(one: PointResult) -> tuple[str, ...]:
    """Return a point's figures in words, in the order of `COLUMNS`."""
    cost = one.cost_min if one.todays_prices_min is None else one.todays_prices_min
    return (
        f"{cost:,}",
        percent_text(one.gap_pct, 1),
        f"{one.escalations:,}",
        f"{one.late:,}",
        percent_text(one.on_time_pct, 1),
        percent_text(one.utilisation_pct, 1),
        percent_text(one.spread_pct, 1),
        f"{one.moves:,}",
        hours_text(one.overtime_min),
    )


def number_text(value: float | None) -> str:
    """Return a measure's number, whole where it is."""
    return (
        ""
        if value is None
        else f"{value:,.0f}"
        if float(value).is_integer() or abs(value) >= 1_000
        else f"{value:,.1f}"
    )
