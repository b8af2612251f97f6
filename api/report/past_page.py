"""A replayed period as a page and a workbook: how much of the record comes out again, and what another policy would have come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from openpyxl import Workbook

from api.report.outlook import OutlookPage, Part, Row
from api.report.tables import Column, Kind, Table, Value, count, day, decimal_hours, hours, percent, table, text
from api.report.wording import NONE
from api.report.workbook import fill, legal
from api.store.names import named
from scenarios.past_outcome import Differing, PastComparison, PastFigures, PastOutcome, PastSide

FIGURES = (
    ("Average utilisation, %", "utilisation_pct"),
    ("Busiest less idlest, points", "spread_pct"),
    ("On time, %", "on_time_pct"),
    ("Escalations", "escalations"),
    ("Late tasks", "late"),
)
"""The four metrics, and late tasks beside the share on time."""


@dataclass(frozen=True)
class PastReport:
    """Everything that page, workbook and terminal say.

    Attributes
    ----------
    labels
        Names by what stands within the marks of people.
    """

    firm: str
    first: datetime
    last: datetime
    labels: Mapping[str, str]
    outcome: PastOutcome

    def person(self, words: str) -> str:
        """Return a person's name for an id; other words as they are."""
        return self.labels.get(words, words)


def headline(report: PastReport) -> str:
    """Say the most important in a few sentences."""
    found = report.outcome.control
    words = (
        f"{found.same:,} of {found.recorded:,} recorded decisions come out again under the policy in force "
        f"({found.share_pct:.1f} %)."
    )
    if report.outcome.comparison is None:
        return words
    before, after = report.outcome.comparison.whole
    changed = ", ".join(
        f"{name.partition(',')[0].lower()} {_shown(getattr(after, field))} instead of {_shown(getattr(before, field))}"
        for name, field in FIGURES[:4]
    )
    return f"{words} The other policy would have had: {changed}. {len(report.outcome.comparison.differing):,} decisions differ."


def past_page(report: PastReport) -> OutlookPage:
    """Put the report into words."""
    shown = report.outcome.after or report.outcome.as_it_was
    return OutlookPage(
        title="A past period under another policy" if report.outcome.after else "A past period, played again",
        firm=report.firm,
        moment=f"{report.first:%d %B %Y} to {report.last:%d %B %Y}",
        headline=headline(report),
        notes=(*shown.terms, *_batches(report)),
        parts=past_parts(report),
        footer="Arrivals, estimates, deadlines and the calendar come as they came. Who kept their work did it when they did it; work "
        "in other hands is done in the hours these had left, and takes what it took times how fast the one is beside the other.",
    )


def _batches(report: PastReport) -> Iterator[str]:
    was = report.outcome.as_it_was
    if was.plans_taken or was.planned_anew:
        yield f"Control: {was.plans_taken:,} batches with the recorded plan, {was.planned_anew:,} planned anew."
    if report.outcome.after is not None and report.outcome.after.planned_anew:
        yield f"Both policies: {report.outcome.after.planned_anew:,} batches planned anew, with the same work each."


def past_parts(report: PastReport) -> tuple[Part, ...]:
    """Return the sections of page and terminal."""
    leads = {
        "The whole period": "Utilisation: minutes worked of all there were. Busiest less idlest: promised work, mean over the mornings.",
        "Week by week": "On time: of the tasks due in the week. Escalations: when they happened first.",
        "Not as recorded": "The policy in force, played again: decisions that come out otherwise than in the log.",
        "Decisions that differ": "The first decision about a task beside the first, the second beside the second.",
        "Who is hit": "Those with other work, or with more or less of it.",
        "Tasks that differ": "Escalated or late under one policy only.",
        "Not repeated": "What people did in the record and do not do here, as the work stands otherwise.",
    }
    return tuple(
        Part(
            one.title,
            leads.get(one.title, ""),
            tuple(column.title for column in one.columns),
            tuple(Row(tuple(map(_shown, row))) for row in one.rows),
            tuple(i for i, column in enumerate(one.columns) if column.kind not in (Kind.TEXT, Kind.DAY, Kind.MIXED)),
            empty="Nothing.",
        )
        for one in past_tables(report)
    )


def write_past_workbook(report: PastReport, target: Path | BinaryIO) -> None:
    """Write the same tables as a workbook: numbers as numbers, days as days."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = legal(f"Replay, {report.firm}")
    book.properties.creator = "Evenhand"
    book.properties.created = report.last.replace(tzinfo=None, microsecond=0)
    for one in past_tables(report):
        fill(book.create_sheet(one.title), one)
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)


def past_tables(report: PastReport) -> tuple[Table, ...]:
    """Return all tables, typed."""
    return tuple(_tables(report))


def _tables(report: PastReport) -> Iterator[Table]:
    found = report.outcome.comparison
    if found is None:
        yield _whole([(report.outcome.as_it_was.whole, None)])
        yield _weeks([(week, None) for week in report.outcome.as_it_was.weeks])
        yield _decisions("Not as recorded", report, report.outcome.control.differing, ("recorded", "played again"))
        yield _not_repeated(report, report.outcome.as_it_was)
        return
    yield _whole([found.whole])
    yield _weeks(list(found.weeks))
    yield _decisions("Decisions that differ", report, found.differing, ("policy in force", "other policy"))
    yield _people(report, found)
    yield _tasks(found)
    yield _decisions("Not as recorded", report, report.outcome.control.differing, ("recorded", "played again"))
    if report.outcome.after is not None:
        yield _not_repeated(report, report.outcome.after)


Pair = tuple[PastFigures, PastFigures | None]


def _whole(pairs: list[Pair]) -> Table:
    ((before, after),) = pairs
    rows = [(name, *_three(before, after, field)) for name, field in FIGURES]
    return table("The whole period", (text("", 30), *(Column(one, Kind.MIXED) for one in _heads(after))), rows)


def _weeks(pairs: list[Pair]) -> Table:
    after = pairs[0][1] if pairs else None
    short = {
        "utilisation_pct": "utilisation",
        "spread_pct": "spread",
        "on_time_pct": "on time",
        "escalations": "escalations",
    }
    columns = [day("week of")]
    for field, name in short.items():
        columns += [(count if field == "escalations" else percent)(f"{name}, {head}", 14) for head in _heads(after)]
    rows = [
        (before.first_day, *(value for field in short for value in _three(before, after, field)))
        for before, after in pairs
    ]
    return table("Week by week", columns, rows)


def _heads(after: PastFigures | None) -> tuple[str, ...]:
    return ("in force",) if after is None else ("in force", "other", "difference")


def _three(before: PastFigures, after: PastFigures | None, field: str) -> tuple[Value, ...]:
    old = getattr(before, field)
    if after is None:
        return (old,)
    new = getattr(after, field)
    return (old, new, None if old is None or new is None else round(new - old, 2))


def _decisions(title: str, report: PastReport, found: tuple[Differing, ...], heads: tuple[str, str]) -> Table:
    columns = (
        day("day"),
        text("task", 20),
        text(heads[0], 18),
        text(heads[1], 18),
        text(f"why ({heads[0]})", 60),
        text(f"why ({heads[1]})", 60),
    )
    rows = [
        (
            one.when.astimezone(report.first.tzinfo).date(),
            one.task if one.number == 1 else f"{one.task} ({one.number})",
            report.person(one.before),
            report.person(one.after),
            named(one.before_why, report.labels),
            named(one.after_why, report.labels),
        )
        for one in found
    ]
    return table(title, columns, rows)


def _people(report: PastReport, found: PastComparison) -> Table:
    columns = (
        text("person", 24),
        hours("worked, in force", 14),
        hours("worked, other", 14),
        count("tasks gained"),
        count("tasks lost"),
        text("gained", 40),
        text("lost", 40),
    )
    rows = [
        (
            report.person(one.person),
            decimal_hours(one.worked_before_min),
            decimal_hours(one.worked_after_min),
            len(one.gained),
            len(one.lost),
            ", ".join(one.gained),
            ", ".join(one.lost),
        )
        for one in found.people
    ]
    return table("Who is hit", columns, rows)


def _tasks(found: PastComparison) -> Table:
    kinds = (
        ("escalated under the other policy only", found.escalations_gained),
        ("escalated under the policy in force only", found.escalations_lost),
        ("late under the other policy only", found.late_gained),
        ("late under the policy in force only", found.late_lost),
    )
    rows = [(task, what) for what, tasks in kinds for task in tasks]
    return table("Tasks that differ", (text("task", 20), text("what", 44)), rows)


def _not_repeated(report: PastReport, replay: PastSide) -> Table:
    rows = [
        (one.when.astimezone(report.first.tzinfo).date(), one.task, named(one.why, report.labels))
        for one in replay.not_repeated
    ]
    return table("Not repeated", (day("day"), text("task", 20), text("why", 60)), rows)


def _shown(value: Value) -> str:
    if value is None:
        return NONE
    if isinstance(value, date):
        return f"{value:%d %b %Y}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else value
