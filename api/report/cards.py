"""The head of the report: the four metrics before and after, and what they mean in one breath."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from api.report.source import ReportData
from api.report.wording import NONE, count_text, percent_text
from solver.plan import Metrics, MetricsReport, Plan
from solver.wording import MINUS


class Direction(StrEnum):
    """Whether a metric goes the healthy way."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Card:
    """One metric, today and with the plan."""

    title: str
    before: str
    after: str
    direction: Direction
    change: str
    meaning: str


@dataclass(frozen=True)
class MetricRow:
    """The metrics of one team or level, in words."""

    kind: str
    subject: str
    utilisation: tuple[str, str]
    spread: tuple[str, str]
    on_time: tuple[str, str]
    late: tuple[int, int]
    escalations: tuple[int, int]


@dataclass(frozen=True)
class Todo:
    """One pile of things that wait for a person, with the section that lists them."""

    anchor: str
    count: int
    title: str
    action: str


def cards(report: ReportData) -> tuple[Card, ...]:
    """Return the metric cards in the order of the product: utilisation, spread, on time, escalations, late."""
    was, will = report.before.firm, report.after.firm
    done = percent_text(will.on_time_done_pct)
    finished = "" if done == NONE else f" Finished so far: {done} on time."
    return (
        share_card(
            "Average utilisation",
            (was.utilisation_pct, will.utilisation_pct),
            "Committed share of all available hours.",
        ),
        share_card(
            "Busiest to idlest",
            (was.spread_pct, will.spread_pct),
            "Distance between the most and the least loaded person; low is fair.",
            down=True,
        ),
        share_card(
            "On time",
            (was.on_time_forecast_pct, will.on_time_forecast_pct),
            f"Open tasks that will be done by their deadline.{finished}",
        ),
        count_card("Escalations", (was.escalations, will.escalations), "Tasks that nobody can take in time."),
        count_card("Late tasks", (was.late_open, will.late_open), "Open tasks that will be done after their deadline."),
    )


def share_card(title: str, shares_pct: tuple[float | None, float | None], meaning: str, *, down: bool = False) -> Card:
    """Return the card of a percentage; ``down`` where less is better."""
    before, after = shares_pct
    if before is None or after is None:
        direction, change = Direction.UNKNOWN, "no comparison"
    else:
        points = round(after) - round(before)
        direction = direction_of(points, down=down)
        change = "unchanged" if not points else f"{'+' if points > 0 else MINUS}{count_text(abs(points), 'point')}"
    return Card(title, percent_text(before), percent_text(after), direction, change, meaning)


def count_card(title: str, counts: tuple[int, int], meaning: str) -> Card:
    """Return the card of a count, of which fewer is better."""
    before, after = counts
    change = "unchanged" if before == after else f"{abs(after - before):,} {'fewer' if after < before else 'more'}"
    return Card(title, f"{before:,}", f"{after:,}", direction_of(after - before, down=True), change, meaning)


def direction_of(change: int, *, down: bool) -> Direction:
    """Say whether a change is healthy."""
    if not change:
        return Direction.SAME
    return Direction.BETTER if (change < 0) is down else Direction.WORSE


def metric_rows(report: ReportData) -> tuple[MetricRow, ...]:
    """Return teams, then levels, with both sides of each metric."""
    pairs = [("Team", report.before.teams, report.after.teams), ("Level", report.before.levels, report.after.levels)]
    return tuple(
        metric_row(kind, was, will)
        for kind, before, after in pairs
        for was, will in zip(before, after, strict=True)
        if will.subject
    )


def metric_row(kind: str, was: Metrics, will: Metrics) -> MetricRow:
    """Pair the metrics of one subject."""
    return MetricRow(
        kind=kind,
        subject=will.subject,
        utilisation=(percent_text(was.utilisation_pct), percent_text(will.utilisation_pct)),
        spread=(percent_text(was.spread_pct), percent_text(will.spread_pct)),
        on_time=(percent_text(was.on_time_forecast_pct), percent_text(will.on_time_forecast_pct)),
        late=(was.late_open, will.late_open),
        escalations=(was.escalations, will.escalations),
    )


def people_inside_hours(plan: Plan, metrics: MetricsReport) -> int:
    """Count the people with no week above their hours and no late task."""
    over = {week.person for week in metrics.weeks if week.load_min > week.capacity_min}
    late = {task.person for task in plan.tasks if task.late}
    return sum(1 for one in metrics.people if one.subject not in over and one.subject not in late)


def headline(report: ReportData) -> str:
    """Say in one or two sentences what the plan does and what it asks for."""
    people = len(report.after.people)
    if not people:
        return "This firm has no people yet, so there is nothing to plan."
    inside = people_inside_hours(report.plan, report.after)
    today = people_inside_hours(report.today, report.before)
    verb = "is" if inside == 1 else "are"
    first = f"With this plan {inside} of {people} people {verb} inside their hours with nothing late (today {today})."
    return f"{first} {asks(report)}"


def asks(report: ReportData) -> str:
    """Say what waits for a person, or that nothing does."""
    moves = sum(len(one.moves) for one in report.proposals)
    parts = []
    if report.plan.escalations:
        count = len(report.plan.escalations)
        parts.append(f"{count_text(count, 'task')} {'needs' if count == 1 else 'need'} a decision")
    if moves:
        parts.append(f"{count_text(moves, 'move')} {'waits' if moves == 1 else 'wait'} for approval")
    if report.plan.holds:
        count = len(report.plan.holds)
        parts.append(f"{count_text(count, 'task')} {'lacks' if count == 1 else 'lack'} an estimate")
    if not parts:
        return "Nothing waits for a decision."
    return (parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}") + "."


def todos(report: ReportData) -> tuple[Todo, ...]:
    """Return the five piles that people work through, also the empty ones."""
    plan = report.plan
    late = sum(task.late for task in plan.tasks)
    return (
        Todo("proposals", len(report.proposals), "Proposals", "approve or decline"),
        Todo("escalations", len(plan.escalations), "Escalations", "choose a way out"),
        Todo("late", late, "Late tasks", "warn the client"),
        Todo("holds", len(plan.holds), "Holds", "give an estimate"),
        Todo("flags", len(plan.flags), "Flags", "check the rules"),
    )


def hints(report: ReportData) -> tuple[str, ...]:
    """Say where this engine is the wrong tool for what it was shown."""
    found = []
    people = len(report.firm.people)
    if 0 < people < 5:
        found.append(
            f"This firm has {count_text(people, 'person', 'people')}. Below five, talking it over beats any plan: "
            "take the pages below as a picture, not as advice."
        )
    still_open = [task for task in report.firm.tasks if task.open]
    missing = sum(1 for task in still_open if task.estimate_min is None)
    if 2 * missing > len(still_open):
        found.append(
            f"{missing} of {count_text(len(still_open), 'open task')} {'has' if missing == 1 else 'have'} no estimate. "
            "A plan is only as good as its estimates: give them first, or let task types bring a default."
        )
    return tuple(found)
