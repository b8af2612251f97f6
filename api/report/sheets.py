"""Every table of the report, in the order of the workbook's sheets, and those about the firm as a whole."""

from __future__ import annotations

from api.report.assurance import assurance
from api.report.cards import asks, headline, hints
from api.report.heat import HeatCell, heat_map, week_starts
from api.report.labels import Names
from api.report.source import ReportData
from api.report.tables import Column, Kind, Table, Value, count, decimal_hours, hours, percent, points, table, text
from api.report.task_sheets import escalations, flags, holds, late, proposals, tasks, timetable
from api.report.wording import moment_text, share_pct
from solver.plan import Metrics


def sheets(report: ReportData) -> tuple[Table, ...]:
    """Return all tables; each has at least its head, so that an empty one says that nothing waits."""
    names = Names.of(report.firm)
    return (
        summary(report),
        metrics(report, names),
        heat(report, names),
        proposals(report, names),
        escalations(report, names),
        late(report, names),
        holds(report, names),
        flags(report, names),
        timetable(report, names),
        tasks(report, names),
        certificate(report),
    )


def summary(report: ReportData) -> Table:
    """What the head of the page says."""
    was, will = report.before.firm, report.after.firm
    rows: list[tuple[Value, ...]] = [
        ("Firm", None, report.firm.name),
        ("State of", None, moment_text(report.firm, report.plan.now)),
        ("Headline", None, headline(report)),
        ("Waiting", None, asks(report)),
        ("Average utilisation (%)", points(was.utilisation_pct), points(will.utilisation_pct)),
        ("Busiest to idlest (points)", points(was.spread_pct), points(will.spread_pct)),
        ("On time, forecast (%)", points(was.on_time_forecast_pct), points(will.on_time_forecast_pct)),
        ("On time, finished so far (%)", points(was.on_time_done_pct), points(will.on_time_done_pct)),
        ("Escalations", was.escalations, will.escalations),
        ("Late open tasks", was.late_open, will.late_open),
        ("Proposals", None, len(report.proposals)),
        ("Moves proposed", None, sum(len(one.moves) for one in report.proposals)),
        ("Holds", None, len(report.plan.holds)),
        ("Flags", None, len(report.plan.flags)),
        *(("Caution", None, hint) for hint in hints(report)),
        *(("Note", None, note) for note in report.notes),
    ]
    return table(
        "Summary", (text("Item", 30), Column("Today", Kind.MIXED, 14), Column("With the plan", Kind.MIXED, 90)), rows
    )


def metrics(report: ReportData, names: Names) -> Table:
    """The four metrics for the firm, teams, levels and people."""
    columns = [text("Of", 10), text("Subject", 26), text("Id", 12)]
    for when in ("today", "plan"):
        columns += [
            hours(f"Capacity h, {when}", 16),
            hours(f"Load h, {when}", 14),
            percent(f"Utilisation %, {when}", 20),
            percent(f"Spread %, {when}", 16),
            Column(f"Variance, {when}", Kind.MIXED, 16),
            percent(f"On time done %, {when}", 22),
            percent(f"On time forecast %, {when}", 24),
            count(f"Late, {when}", 12),
            count(f"Escalations, {when}", 18),
        ]
    before, after = report.before, report.after
    groups = (
        ("Firm", (before.firm,), (after.firm,)),
        ("Team", before.teams, after.teams),
        ("Level", before.levels, after.levels),
        ("Person", before.people, after.people),
    )
    return table(
        "Metrics",
        columns,
        (
            (kind, *subject(kind, will.subject, report, names), *metric_cells(was), *metric_cells(will))
            for kind, olds, news in groups
            for was, will in zip(olds, news, strict=True)
        ),
    )


def subject(kind: str, name: str, report: ReportData, names: Names) -> tuple[Value, Value]:
    """Return the subject as people name it, and its id where it has one."""
    if kind == "Firm":
        return report.firm.name, None
    return (names.person_name(name), name) if kind == "Person" else (name or "No team", None)


def metric_cells(one: Metrics) -> tuple[Value, ...]:
    """Return one side of a metrics row."""
    return (
        decimal_hours(one.capacity_min),
        decimal_hours(one.load_min),
        points(one.utilisation_pct),
        points(one.spread_pct),
        one.variance,
        points(one.on_time_done_pct),
        points(one.on_time_forecast_pct),
        one.late_open,
        one.escalations,
    )


def heat(report: ReportData, names: Names) -> Table:
    """Utilisation by person and week: a blank is a week away, ``over`` is work in a week without hours."""
    mondays = week_starts(report)
    columns = (
        text("Person", 24),
        text("Id", 10),
        text("Team", 18),
        text("Level", 12),
        text("When", 8),
        *(Column(monday.isoformat(), Kind.PERCENT, 11) for monday in mondays),
    )
    maps = [
        heat_map(when, when, report.firm, side, mondays, names)
        for when, side in (("Today", report.before), ("Plan", report.after))
    ]
    return table(
        "Heat map",
        columns,
        (
            (
                row.person.name,
                row.person.id,
                row.person.team,
                row.person.level,
                one.title,
                *(heat_value(cell) for cell in row.cells),
            )
            for one in maps
            for group in one.groups
            for row in group.rows
        ),
    )


def certificate(report: ReportData) -> Table:
    """The certificate: words, price list, technical facts."""
    known = assurance(report)
    rows: list[tuple[Value, ...]] = [("Verdict", None, None, known.title)]
    rows += [("In words", None, None, sentence) for sentence in known.sentences]
    rows += [("Scarce hour", None, None, sentence) for sentence in known.scarce]
    rows += [
        (term.title, term.today_min, term.plan_min, "\n".join(f"{one.price} {one.why}" for one in term.reasons))
        for term in known.terms
    ]
    rows.append(("In all", known.today_total_min, known.plan_total_min, "minutes of comfort"))
    rows += [(name, None, None, fact) for name, fact in known.facts]
    columns = (text("Item", 26), count("Today, min", 12), count("Plan, min", 12), text("Meaning", 110))
    return table("Certificate", columns, rows)


def heat_value(cell: HeatCell) -> Value:
    """Return percent points; nothing for a week away."""
    if not cell.capacity_min:
        return "over" if cell.load_min else None
    return points(share_pct(cell.load_min, cell.capacity_min))
