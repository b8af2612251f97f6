"""The comparison as one XLSX workbook: the numbers of its page, as numbers and dates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from openpyxl import Workbook

from api.report.comparison import ComparisonData, SharedNames
from api.report.tables import Column, Kind, Table, Value, count, day, decimal_hours, hours, percent, points, table, text
from api.report.wording import moment_text
from api.report.workbook import fill, legal
from scenarios.difference import Comparison
from scenarios.grids import PointRefused
from scenarios.sweeps import Swept
from solver.calendar import local_now
from solver.firm import Task


def write_comparison_workbook(data: ComparisonData, target: Path | BinaryIO) -> None:
    """Write the workbook to a file."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = legal(f"What if: {data.title}, {data.firm.name}")
    book.properties.creator = "Evenhand"
    book.properties.created = local_now(data.firm, data.now)
    for one in comparison_sheets(data):
        fill(book.create_sheet(one.title), one)
    book.save(target)


def comparison_sheets(data: ComparisonData) -> tuple[Table, ...]:
    """Return all tables of a comparison or a sweep."""
    return tuple(_sheets(data))


def _sheets(data: ComparisonData) -> Iterator[Table]:
    yield summary(data)
    if data.compared is not None:
        found, names = data.compared.comparison, data.names()
        tasks = {one.id: one for firm in (data.compared.before, data.compared.after) for one in firm.tasks}
        yield weeks(found)
        yield people(found, names)
        yield escalations(found, names, tasks)
        yield clients(found, names)
        yield moves(found, names, tasks)
    if data.swept is not None:
        yield sweep(data.swept)


def summary(data: ComparisonData) -> Table:
    """What the head of the page says."""
    rows: list[tuple[Value, ...]] = [
        ("Firm", None, None, None, data.firm.name),
        ("State of", None, None, None, moment_text(data.firm, data.now)),
        *(("Change", None, None, None, sentence) for sentence in data.sentences),
    ]
    found = data.comparison
    if found is not None:
        known, cost = found.significance, found.difference.overtime
        rows += [
            (f"{one.name} ({one.unit})", points(one.before), points(one.after), points(one.difference), None)
            for one in found.difference.figures
        ]
        rows += [
            ("cost of the plan (minutes)", known.cost_before_min, known.cost_after_min, known.difference_min, None),
            ("no plan costs less (minutes)", known.before.low_min, known.after.low_min, None, None),
            ("verdict", None, None, None, known.sentence),
            (
                "overtime offered (h)",
                decimal_hours(cost.offered_before_min),
                decimal_hours(cost.offered_after_min),
                decimal_hours(cost.offered_after_min - cost.offered_before_min),
                None,
            ),
            (
                "overtime needed (h)",
                decimal_hours(cost.needed_before_min),
                decimal_hours(cost.needed_after_min),
                decimal_hours(cost.needed_after_min - cost.needed_before_min),
                None,
            ),
        ]
    rows += [("Note", None, None, None, note) for note in data.notes]
    columns = (
        text("Item", 30),
        Column("Today", Kind.MIXED, 14),
        Column("What if", Kind.MIXED, 14),
        Column("Difference", Kind.MIXED, 14),
        text("In words", 90),
    )
    return table("Summary", columns, rows)


def weeks(found: Comparison) -> Table:
    """The firm's hours week by week."""
    columns = (
        day("Week of"),
        hours("Load h, today", 14),
        hours("Load h, what if", 14),
        hours("Capacity h, today", 16),
        hours("Capacity h, what if", 17),
    )
    return table(
        "Weeks",
        columns,
        (
            (
                one.week_start,
                decimal_hours(one.load_before_min),
                decimal_hours(one.load_after_min),
                decimal_hours(one.capacity_before_min),
                decimal_hours(one.capacity_after_min),
            )
            for one in found.difference.weeks
        ),
    )


def people(found: Comparison, names: SharedNames) -> Table:
    """Who is hit, most first."""
    columns = (
        text("Person", 24),
        text("Id", 12),
        text("Level", 14),
        hours("Load h, today", 14),
        hours("Load h, what if", 14),
        hours("Capacity h, today", 16),
        hours("Capacity h, what if", 17),
        percent("Utilisation %, today", 18),
        percent("Utilisation %, what if", 19),
        text("Tasks gained", 40),
        text("Tasks given away", 40),
    )
    return table(
        "People",
        columns,
        (
            (
                names.person(one.person),
                one.person,
                names.levels[one.person],
                decimal_hours(one.load_before_min),
                decimal_hours(one.load_after_min),
                decimal_hours(one.capacity_before_min),
                decimal_hours(one.capacity_after_min),
                points(one.utilisation_before_pct),
                points(one.utilisation_after_pct),
                ", ".join(one.gained),
                ", ".join(one.lost),
            )
            for one in found.difference.people
        ),
    )


def escalations(found: Comparison, names: SharedNames, tasks: dict[str, Task]) -> Table:
    """Escalations gained, then those that are no more."""
    columns = (
        text("Change", 10),
        text("Task", 14),
        text("Type", 20),
        text("Client", 26),
        day("Deadline", 16),
        text("In the other plan", 24),
        text("Why nobody takes it", 70),
        text("Cheapest way out", 60),
    )
    groups = (("gained", found.difference.escalations_gained), ("lost", found.difference.escalations_lost))
    return table(
        "Escalations",
        columns,
        (
            (
                change,
                one.task,
                names.kind(one.type),
                names.client(one.client),
                tasks[one.task].deadline,
                names.person(one.elsewhere) if one.elsewhere else "",
                one.reason,
                one.way_out,
            )
            for change, group in groups
            for one in group
        ),
    )


def clients(found: Comparison, names: SharedNames) -> Table:
    """Late and escalated work by client."""
    columns = (
        text("Client", 28),
        text("Id", 12),
        count("Late, today", 12),
        count("Late, what if", 13),
        hours("Late h, today", 13),
        hours("Late h, what if", 14),
        count("Most days late, today", 20),
        count("Most days late, what if", 21),
        count("Escalated, today", 16),
        count("Escalated, what if", 17),
    )
    return table(
        "Late by client",
        columns,
        (
            (
                names.client(one.client),
                one.client,
                one.late_before,
                one.late_after,
                decimal_hours(one.late_work_before_min),
                decimal_hours(one.late_work_after_min),
                one.most_days_late_before,
                one.most_days_late_after,
                one.escalated_before,
                one.escalated_after,
            )
            for one in found.difference.clients
        ),
    )


def moves(found: Comparison, names: SharedNames, tasks: dict[str, Task]) -> Table:
    """Tasks with another person than in today's plan."""
    columns = (
        text("Task", 14),
        text("Type", 20),
        text("Client", 26),
        day("Deadline", 16),
        text("Today's plan", 24),
        text("What if", 24),
    )
    return table(
        "Moves",
        columns,
        (
            (
                one.task,
                names.kind(tasks[one.task].type),
                names.client(tasks[one.task].client),
                tasks[one.task].deadline,
                names.person(one.from_person),
                names.person(one.to_person),
            )
            for one in found.difference.moves
        ),
    )


def sweep(swept: Swept) -> Table:
    """Every point of a sweep."""
    knees = {one.key for one in swept.knees() if one is not None}
    columns = (
        *(Column(axis.name, Kind.MIXED, max(len(axis.name), 14)) for axis in swept.sweep.axes),
        count("Cost, today's prices (min)", 24),
        count("Cost (min)", 14),
        count("No plan below (min)", 18),
        count("Escalations", 12),
        count("Late", 8),
        percent("On time %", 11),
        percent("Utilisation %", 14),
        percent("Spread %", 11),
        count("Moves", 9),
        hours("Overtime h", 12),
        text("Knee", 8),
        text("Key", 66),
        text("Why it cannot be", 60),
    )
    figures = len(columns) - len(swept.sweep.axes) - 1
    return table(
        "Sweep",
        columns,
        (
            (*(_value(text_shown) for text_shown in swept.shown(one)), *(None,) * figures, one.refusal.sentence())
            if isinstance(one, PointRefused)
            else (
                *(_value(text_shown) for text_shown in swept.shown(one)),
                one.todays_prices_min,
                one.cost_min,
                one.bound_min,
                one.escalations,
                one.late,
                points(one.on_time_pct),
                points(one.utilisation_pct),
                points(one.spread_pct),
                one.moves,
                decimal_hours(one.overtime_min),
                "knee" if one.key in knees else "",
                one.key,
                "",
            )
            for one in swept.in_order()
        ),
    )


def _value(words: str) -> Value:
    """Return a parameter's value as a number where it is one."""
    plain = words.replace(",", "")
    return float(plain) if plain.removeprefix("-").replace(".", "", 1).isdigit() else words
