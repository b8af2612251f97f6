"""The comparison as its page tells it: everything in words, in the order in which a partner asks."""

from __future__ import annotations

from dataclasses import dataclass

from api.report.cards import Card, count_card, share_card
from api.report.comparison import ComparisonData, SharedNames
from api.report.heat import HeatCell
from api.report.sweep_view import SweepView, sweep_view
from api.report.wording import count_text, day_text, moment_text, percent_text, share_pct, week_text
from scenarios.difference import ClientLateness, Comparison, Difference, Escalation, PersonChange
from scenarios.significance import Verdict
from solver.firm import Task
from solver.plan import Metrics
from solver.wording import MINUS, hours_text


@dataclass(frozen=True)
class Fact:
    """One row of a short table: what, today, what if."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class PersonRow:
    """One person who is hit, with the bars of their load."""

    name: str
    level: str
    work: tuple[str, str]
    work_change: str
    hours: tuple[str, str]
    share: tuple[str, str]
    widths_pct: tuple[float, float]
    full_at_pct: float
    over: tuple[bool, bool]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class TaskRow:
    """One task with its type and client."""

    id: str
    kind: str
    client: str
    due: str


@dataclass(frozen=True)
class EscalationRow:
    """A task that nobody takes, here or there."""

    task: TaskRow
    reason: str
    way_out: str
    elsewhere: str


@dataclass(frozen=True)
class MoveRow:
    """A task that changes hands between the two plans."""

    task: TaskRow
    giver: str
    taker: str


@dataclass(frozen=True)
class ClientRow:
    """Late and escalated work of one client."""

    name: str
    late: tuple[int, int]
    work: tuple[str, str]
    most_days: tuple[int, int]
    escalated: tuple[int, int]


@dataclass(frozen=True)
class ComparedView:
    """One scenario beside today."""

    headline: str
    verdict: str
    verdict_known: bool
    certain: str
    facts: tuple[Fact, ...]
    cards: tuple[Card, ...]
    weeks: tuple[str, ...]
    week_rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]
    people: tuple[PersonRow, ...]
    gained: tuple[EscalationRow, ...]
    mended: tuple[EscalationRow, ...]
    clients: tuple[ClientRow, ...]
    late_gained: tuple[TaskRow, ...]
    late_lost: tuple[TaskRow, ...]
    moves: tuple[MoveRow, ...]
    overtime: tuple[Fact, ...]


@dataclass(frozen=True)
class ComparisonStory:
    """Everything the page shows."""

    firm: str
    moment: str
    title: str
    changes: tuple[str, ...]
    compared: ComparedView | None
    sweep: SweepView | None
    notes: tuple[str, ...]


def tell_comparison(data: ComparisonData) -> ComparisonStory:
    """Put a comparison into words."""
    return ComparisonStory(
        firm=data.firm.name,
        moment=moment_text(data.firm, data.now),
        title=data.title,
        changes=data.sentences,
        compared=compared_view(data),
        sweep=sweep_view(data.swept) if data.swept is not None else None,
        notes=data.notes,
    )


def compared_view(data: ComparisonData) -> ComparedView | None:
    """Return one scenario beside today, where the report is of one."""
    if data.compared is None:
        return None
    found, names = data.compared.comparison, data.names()
    tasks = {task.id: task for firm in (data.compared.before, data.compared.after) for task in firm.tasks}
    diff = found.difference

    def row(id: str) -> TaskRow:
        return task_row(tasks[id], names)

    known = found.significance.verdict is not Verdict.UNDECIDED
    weeks = [week for week in diff.weeks if week.load_before_min or week.load_after_min]
    return ComparedView(
        headline=headline(found),
        verdict=verdict_title(found.significance.verdict),
        verdict_known=known,
        certain=found.significance.sentence,
        facts=certainty(found),
        cards=comparison_cards(diff.metrics_before.firm, diff.metrics_after.firm),
        weeks=tuple(week_text(week.week_start) for week in weeks),
        week_rows=(
            ("Today", tuple(HeatCell(week.load_before_min, week.capacity_before_min) for week in weeks)),
            ("What if", tuple(HeatCell(week.load_after_min, week.capacity_after_min) for week in weeks)),
        ),
        people=tuple(person_row(one, names) for one in diff.people),
        gained=tuple(escalation_row(one, row(one.task), names) for one in diff.escalations_gained),
        mended=tuple(escalation_row(one, row(one.task), names) for one in diff.escalations_lost),
        clients=tuple(client_row(one, names) for one in diff.clients),
        late_gained=tuple(row(one) for one in diff.late_gained),
        late_lost=tuple(row(one) for one in diff.late_lost),
        moves=tuple(
            MoveRow(row(one.task), names.person(one.from_person), names.person(one.to_person)) for one in diff.moves
        ),
        overtime=overtime(diff),
    )


def headline(found: Comparison) -> str:
    """Say in one breath what the scenario does to promises and people."""
    diff = found.difference
    if found.significance.verdict is Verdict.SAME and not diff.people:
        return "Nothing changes: same work, same people, same promises."
    parts = []
    for more, fewer, one in (
        (len(diff.escalations_gained), len(diff.escalations_lost), "escalation"),
        (len(diff.late_gained), len(diff.late_lost), "late task"),
    ):
        if more:
            parts.append(f"{count_text(more, one)} more")
        if fewer:
            parts.append(f"{count_text(fewer, one)} fewer")
    people = sum(one.load_before_min != one.load_after_min for one in diff.people)
    said = f"{', '.join(parts)}." if parts else "No escalation and no late task more or fewer."
    moved = f"{count_text(len(diff.moves), 'task')} {'is' if len(diff.moves) == 1 else 'are'} with somebody else"
    hit = f"The load of {count_text(people, 'person', 'people')} changes; {moved} than in today's plan."
    return f"{said[:1].upper()}{said[1:]} {hit}"


def verdict_title(verdict: Verdict) -> str:
    """Return the verdict on the cost as a title."""
    return {
        Verdict.SAME: "Costs the same",
        Verdict.DEARER: "Costs more, for certain",
        Verdict.CHEAPER: "Costs less, for certain",
        Verdict.UNDECIDED: "Undecided: the difference is smaller than what is unknown",
        Verdict.NOT_COMPARABLE: "Costs cannot be compared",
    }[verdict]


def certainty(found: Comparison) -> tuple[Fact, ...]:
    """Return what is known of both plans."""
    known = found.significance
    return (
        Fact("Cost of the plan, minutes", f"{known.cost_before_min:,}", f"{known.cost_after_min:,}"),
        Fact("No plan costs less than", f"{known.before.low_min:,}", f"{known.after.low_min:,}"),
        Fact("Gap between the two", percent_text(known.before.gap_pct, 1), percent_text(known.after.gap_pct, 1)),
        Fact("Moves proposed", f"{found.difference.proposals_before:,}", f"{found.difference.proposals_after:,}"),
    )


def comparison_cards(was: Metrics, now: Metrics) -> tuple[Card, ...]:
    """Return the metric cards, today and what if."""
    return (
        share_card("Average utilisation", (was.utilisation_pct, now.utilisation_pct), "Committed share of all hours."),
        share_card(
            "Busiest to idlest",
            (was.spread_pct, now.spread_pct),
            "Between the most and the least loaded person.",
            down=True,
        ),
        share_card(
            "On time", (was.on_time_forecast_pct, now.on_time_forecast_pct), "Open tasks done by their deadline."
        ),
        count_card("Escalations", (was.escalations, now.escalations), "Tasks that nobody can take in time."),
        count_card("Late tasks", (was.late_open, now.late_open), "Open tasks done after their deadline."),
    )


def person_row(one: PersonChange, names: SharedNames) -> PersonRow:
    """Put one person's change into words, bars against the larger of all numbers."""
    longest = max(one.load_before_min, one.load_after_min, one.capacity_before_min, one.capacity_after_min, 1)
    change = one.load_after_min - one.load_before_min
    return PersonRow(
        name=names.person(one.person),
        level=names.levels[one.person],
        work=(hours_text(one.load_before_min), hours_text(one.load_after_min)),
        work_change=signed_hours(change),
        hours=(hours_text(one.capacity_before_min), hours_text(one.capacity_after_min)),
        share=(
            percent_text(share_pct(one.load_before_min, one.capacity_before_min)),
            percent_text(share_pct(one.load_after_min, one.capacity_after_min)),
        ),
        widths_pct=(100 * one.load_before_min / longest, 100 * one.load_after_min / longest),
        full_at_pct=100 * one.capacity_after_min / longest,
        over=(one.load_before_min > one.capacity_before_min, one.load_after_min > one.capacity_after_min),
        gained=one.gained,
        lost=one.lost,
    )


def signed_hours(minutes: int) -> str:
    """Return hours with their sign, ``same`` for none."""
    if not minutes:
        return "same"
    return f"{'+' if minutes > 0 else MINUS}{hours_text(abs(minutes))}"


def task_row(task: Task, names: SharedNames) -> TaskRow:
    """Name a task."""
    return TaskRow(task.id, names.kind(task.type), names.client(task.client), day_text(task.deadline))


def escalation_row(one: Escalation, task: TaskRow, names: SharedNames) -> EscalationRow:
    """Put an escalation gained or lost into words."""
    elsewhere = names.person(one.elsewhere) if one.elsewhere else ""
    return EscalationRow(task, one.reason, one.way_out, elsewhere)


def client_row(one: ClientLateness, names: SharedNames) -> ClientRow:
    """Put one client's lateness into words."""
    return ClientRow(
        name=names.client(one.client),
        late=(one.late_before, one.late_after),
        work=(hours_text(one.late_work_before_min), hours_text(one.late_work_after_min)),
        most_days=(one.most_days_late_before, one.most_days_late_after),
        escalated=(one.escalated_before, one.escalated_after),
    )


def overtime(diff: Difference) -> tuple[Fact, ...]:
    """Return overtime offered and needed; nothing where nobody works any."""
    cost = diff.overtime
    if not cost.offered_before_min and not cost.offered_after_min:
        return ()
    return (
        Fact("Offered", hours_text(cost.offered_before_min), hours_text(cost.offered_after_min)),
        Fact("Needed for the promises", hours_text(cost.needed_before_min), hours_text(cost.needed_after_min)),
    )
