"""The answer of a solve in a terminal, and the same as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from api.console import table
from api.report import ReportData
from solver.plan import Metrics
from solver.trade_off import knee
from solver.wording import hours_text

SHOWN = 8
"""Rows of each table in a terminal; the report has them all."""


def print_summary(console: Console, report: ReportData) -> None:
    """Print certificate, scarce hours, metrics, proposals, escalations, late work, flags and holds."""
    plan = report.plan
    console.print(Text(plan.certificate.sentence()))
    rule = plan.certificate.rule_objective_min
    if rule > 0:
        saved = 100 * (rule - plan.certificate.objective_min) / rule
        console.print(
            Text(f"The routing rule, task after task, would cost {rule:,}: the plan is {saved:.0f} % below it.")
        )
    for scarce in plan.certificate.scarcity:
        console.print(Text(scarce.sentence))
    suggested = knee(plan.trade_off)
    if suggested is not None:
        last = plan.trade_off[-1]
        console.print(
            Text(
                f"Gain against moves: {suggested.moves:,} of {last.moves:,} moves give {suggested.gain_min:,} of the "
                f"{last.gain_min:,} minutes gained over moving nothing."
            )
        )
    console.print(table("The four metrics", ("", "today", "plan"), _metric_rows(report.before.firm, report.after.firm)))
    people = {person.id: person.label for person in report.firm.people}
    _section(
        console,
        f"Proposals ({len(report.proposals)}, most gained per move first)",
        ("move", "gain", "why"),
        [
            (
                "; ".join(
                    f"{m.task}: {people.get(m.from_person or '', 'new')} to {people[m.to_person]}" for m in p.moves
                ),
                f"{p.gain_min:,}",
                p.reason,
            )
            for p in report.proposals
        ],
    )
    _section(
        console,
        f"Escalations ({len(plan.escalations)})",
        ("task", "conflict", "cheapest way out"),
        [(e.task, e.reason, e.cheapest.sentence if e.cheapest else "") for e in plan.escalations],
    )
    late = [item for item in plan.tasks if item.late]
    _section(
        console,
        f"Late or at risk ({len(late)})",
        ("task", "person", "done by", "days late", "cause"),
        [(i.task, people[i.person], i.promised_day or "beyond the horizon", i.days_late, i.cause) for i in late],
    )
    _section(
        console,
        f"May not do it any more ({len(plan.flags)})",
        ("task", "why"),
        [(f.task, f.reason) for f in plan.flags],
    )
    _section(console, f"Holds ({len(plan.holds)})", ("task", "waits for"), [(h.task, h.reason) for h in plan.holds])
    for note in report.notes:
        console.print(Text(note))


def print_written(console: Console, paths: Sequence[Path]) -> None:
    """Say what was written where."""
    for path in paths:
        console.print(Text(f"wrote {path}"))


def document(report: ReportData) -> dict[str, object]:
    """Return everything as one JSON document."""
    return {
        "plan": report.plan,
        "metrics": {"today": report.before, "plan": report.after},
        "proposals": list(report.proposals),
        "notes": list(report.notes),
    }


def _section(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    console.print(table(title, columns, rows[:SHOWN]))
    if len(rows) > SHOWN:
        console.print(Text(f"... and {len(rows) - SHOWN} more"))


def _metric_rows(before: Metrics, after: Metrics) -> list[tuple[str, str, str]]:
    def row(name: str, field: str, unit: str) -> tuple[str, str, str]:
        values = (getattr(before, field), getattr(after, field))
        shown = ["-" if value is None else f"{value}{unit}" for value in values]
        return name, shown[0], shown[1]

    return [
        row("average utilisation", "utilisation_pct", " %"),
        row("spread, busiest to idlest", "spread_pct", " %"),
        row("on time, forecast", "on_time_forecast_pct", " %"),
        row("escalations", "escalations", ""),
        row("late open tasks", "late_open", ""),
        ("work assigned", hours_text(before.load_min), hours_text(after.load_min)),
    ]
