"""What differs between a plan of today's firm and a plan of the firm as it would be: figures, weeks, people, tasks, clients, overtime.

Everything is data; nothing here decides or solves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from pydantic import Field

from scenarios.overtime_needed import minutes_by_day, needed_min, offered_min
from scenarios.significance import Significance
from solver.firm import Firm, Task
from solver.metrics import last_day_measured, measure
from solver.plan import Certificate, EscalatedTask, MetricsReport, Plan, PlannedTask
from solver.policy import Frozen

FIGURES = (
    ("utilisation_pct", "average utilisation", "%"),
    ("spread_pct", "spread, busiest to idlest", "points"),
    ("on_time_forecast_pct", "on time, forecast", "%"),
    ("escalations", "escalations", "tasks"),
    ("late_open", "late open tasks", "tasks"),
)
"""The four metrics, and late work beside them: field of `solver.plan.Metrics`, name, unit."""


class Figure(Frozen):
    """One metric of the firm, before and after."""

    field: str
    name: str
    unit: str
    before: float | None
    after: float | None
    difference: float | None = Field(description="after less before; none where one of them is none")


class WeekChange(Frozen):
    """The firm's week, before and after."""

    week_start: date = Field(description="Monday")
    load_before_min: int
    load_after_min: int
    capacity_before_min: int
    capacity_after_min: int


class PersonChange(Frozen):
    """What changes for one person. Load is all open work planned for them, capacity their hours of the period."""

    person: str
    load_before_min: int
    load_after_min: int
    capacity_before_min: int
    capacity_after_min: int
    utilisation_before_pct: float | None
    utilisation_after_pct: float | None
    gained: tuple[str, ...] = Field(description="tasks they do only in the scenario")
    lost: tuple[str, ...] = Field(description="tasks they do only today")


class TaskMove(Frozen):
    """A task that another person does in the scenario."""

    task: str
    from_person: str
    to_person: str


class Escalation(Frozen):
    """A task that nobody takes in one of the two plans; in the other it has a person, or it is no open work."""

    task: str
    client: str
    type: str
    reason: str = Field(description="why nobody takes it")
    way_out: str = Field(description="the cheapest way out; empty where there is none")
    elsewhere: str | None = Field(description="who takes it in the other plan; none: nobody, it is no open work there")


class ClientLateness(Frozen):
    """Work of one client that is promised late or that nobody takes, before and after."""

    client: str
    late_before: int
    late_after: int
    late_work_before_min: int
    late_work_after_min: int
    most_days_late_before: int
    most_days_late_after: int
    escalated_before: int
    escalated_after: int


class OvertimeCost(Frozen):
    """Overtime offered, and the least the promises need, before and after; the price is that of the policy's weight."""

    offered_before_min: int
    offered_after_min: int
    needed_before_min: int
    needed_after_min: int
    price_min: int = Field(description="weights.overtime of the scenario x minutes needed more")


class Difference(Frozen):
    """Everything that differs between two plans."""

    until: date = Field(description="last day of the period that both are measured over")
    figures: tuple[Figure, ...]
    weeks: tuple[WeekChange, ...]
    people: tuple[PersonChange, ...] = Field(description="those for whom anything changes, most hit first")
    moves: tuple[TaskMove, ...] = Field(description="between the two plans")
    proposals_before: int = Field(description="tasks the plan of today takes from their holders")
    proposals_after: int = Field(description="tasks the scenario's plan takes from their holders")
    escalations_gained: tuple[Escalation, ...]
    escalations_lost: tuple[Escalation, ...]
    late_gained: tuple[str, ...] = Field(description="tasks late in the scenario only")
    late_lost: tuple[str, ...] = Field(description="tasks late today only")
    clients: tuple[ClientLateness, ...] = Field(description="with late or escalated work in either, worst change first")
    overtime: OvertimeCost
    metrics_before: MetricsReport
    metrics_after: MetricsReport


class Comparison(Frozen):
    """A scenario beside today."""

    name: str
    changes: tuple[str, ...] = Field(description="each change in words")
    significance: Significance
    difference: Difference
    certificate_before: Certificate
    certificate_after: Certificate


def difference(before: Firm, plan_before: Plan, after: Firm, plan_after: Plan) -> Difference:
    """Return what differs. Both plans are of the same moment; they are measured over the same days, up to the later last deadline."""
    until = max(last_day_measured(before, plan_before), last_day_measured(after, plan_after))
    was, now = measure(before, plan_before, until=until), measure(after, plan_after, until=until)
    late_was, late_now = _late(plan_before), _late(plan_after)
    return Difference(
        until=until,
        figures=tuple(_figure(was, now, *names) for names in FIGURES),
        weeks=_weeks(before, plan_before, after, plan_after, until),
        people=_people(was, now, plan_before, plan_after),
        moves=_moves(plan_before, plan_after),
        proposals_before=sum(item.moved_from is not None for item in plan_before.tasks),
        proposals_after=sum(item.moved_from is not None for item in plan_after.tasks),
        escalations_gained=_escalations(after, plan_after, plan_before),
        escalations_lost=_escalations(before, plan_before, plan_after),
        late_gained=tuple(name for name in late_now if name not in late_was),
        late_lost=tuple(name for name in late_was if name not in late_now),
        clients=_clients(before, plan_before, after, plan_after),
        overtime=_overtime(before, plan_before, after, plan_after, until),
        metrics_before=was,
        metrics_after=now,
    )


def _figure(was: MetricsReport, now: MetricsReport, field: str, name: str, unit: str) -> Figure:
    old, new = getattr(was.firm, field), getattr(now.firm, field)
    gone = None if old is None or new is None else round(new - old, 2)
    return Figure(field=field, name=name, unit=unit, before=old, after=new, difference=gone)


def _weeks(before: Firm, plan_before: Plan, after: Firm, plan_after: Plan, until: date) -> tuple[WeekChange, ...]:
    """Return the weeks to the end of the period, or to the last work of either plan where that is later, the same for both."""
    sides = ((before, plan_before), (after, plan_after))
    last = max([until, *(cell.day for _, plan in sides for cell in plan.timetable)])
    loads: tuple[dict[date, int], ...] = (defaultdict(int), defaultdict(int))
    hours: tuple[dict[date, int], ...] = (defaultdict(int), defaultdict(int))
    for (firm, plan), load, capacity in zip(sides, loads, hours, strict=True):
        for cell in plan.timetable:
            load[_monday(cell.day)] += cell.minutes
        for days in minutes_by_day(firm, plan).values():
            for day, minutes in days.items():
                if day <= last:
                    capacity[_monday(day)] += minutes
    return tuple(
        WeekChange(
            week_start=monday,
            load_before_min=loads[0][monday],
            load_after_min=loads[1][monday],
            capacity_before_min=hours[0][monday],
            capacity_after_min=hours[1][monday],
        )
        for monday in sorted({*hours[0], *hours[1]})
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _people(was: MetricsReport, now: MetricsReport, plan_was: Plan, plan_now: Plan) -> tuple[PersonChange, ...]:
    old, new = ({one.subject: one for one in report.people} for report in (was, now))
    tasks_was, tasks_now = _tasks_by_person(plan_was), _tasks_by_person(plan_now)
    found: list[PersonChange] = []
    for name in dict.fromkeys([*old, *new]):
        a, b = old.get(name), new.get(name)
        before, after = tasks_was.get(name, []), tasks_now.get(name, [])
        change = PersonChange(
            person=name,
            load_before_min=a.load_min if a else 0,
            load_after_min=b.load_min if b else 0,
            capacity_before_min=a.capacity_min if a else 0,
            capacity_after_min=b.capacity_min if b else 0,
            utilisation_before_pct=a.utilisation_pct if a else None,
            utilisation_after_pct=b.utilisation_pct if b else None,
            gained=_only(after, before),
            lost=_only(before, after),
        )
        if change.gained or change.lost or _hit(change) != (0, 0):
            found.append(change)
    return tuple(sorted(found, key=lambda one: (*(-amount for amount in _hit(one)), one.person)))


def _hit(one: PersonChange) -> tuple[int, int]:
    """Return how much fuller or emptier somebody's period gets, and how much of that is their work, in minutes."""
    load, capacity = one.load_after_min - one.load_before_min, one.capacity_after_min - one.capacity_before_min
    return abs(load - capacity), abs(load)


def _only(here: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    other = set(there)
    return tuple(name for name in here if name not in other)


def _tasks_by_person(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for item in plan.tasks:
        found[item.person].append(item.task)
    return found


def _moves(plan_before: Plan, plan_after: Plan) -> tuple[TaskMove, ...]:
    had = {item.task: item.person for item in plan_before.tasks}
    return tuple(
        TaskMove(task=item.task, from_person=had[item.task], to_person=item.person)
        for item in plan_after.tasks
        if item.task in had and had[item.task] != item.person
    )


def _escalations(firm: Firm, here: Plan, there: Plan) -> tuple[Escalation, ...]:
    """Return what is escalated here and not there."""
    tasks = {task.id: task for task in firm.tasks}
    also = {lost.task for lost in there.escalations}
    takes = {item.task: item.person for item in there.tasks}
    return tuple(_escalation(tasks[lost.task], lost, takes) for lost in here.escalations if lost.task not in also)


def _escalation(task: Task, lost: EscalatedTask, takes: Mapping[str, str]) -> Escalation:
    return Escalation(
        task=task.id,
        client=task.client,
        type=task.type,
        reason=lost.reason,
        way_out=lost.cheapest.sentence if lost.cheapest else "",
        elsewhere=takes.get(task.id),
    )


def _late(plan: Plan) -> dict[str, PlannedTask]:
    return {item.task: item for item in plan.tasks if item.late}


def _clients(before: Firm, plan_before: Plan, after: Firm, plan_after: Plan) -> tuple[ClientLateness, ...]:
    was, now = _lateness(before, plan_before), _lateness(after, plan_after)
    none = _Lateness((), 0)
    found = []
    for client in dict.fromkeys([*was, *now]):
        a, b = was.get(client, none), now.get(client, none)
        found.append(
            ClientLateness(
                client=client,
                late_before=len(a.late),
                late_after=len(b.late),
                late_work_before_min=a.work_min,
                late_work_after_min=b.work_min,
                most_days_late_before=a.most_days,
                most_days_late_after=b.most_days,
                escalated_before=a.escalated,
                escalated_after=b.escalated,
            )
        )
    return tuple(sorted(found, key=_worsened))


def _worsened(one: ClientLateness) -> tuple[int, int, int, str]:
    """Return an order: more escalated first, then more late work, then more late work in all."""
    return (
        one.escalated_before - one.escalated_after,
        one.late_work_before_min - one.late_work_after_min,
        -one.late_work_after_min,
        one.client,
    )


class _Lateness:
    """Late and escalated work of one client in one plan."""

    def __init__(self, late: Iterable[PlannedTask], escalated: int) -> None:
        self.late, self.escalated = list(late), escalated

    @property
    def work_min(self) -> int:
        return sum(item.work_min for item in self.late)

    @property
    def most_days(self) -> int:
        return max((item.days_late for item in self.late), default=0)


def _lateness(firm: Firm, plan: Plan) -> dict[str, _Lateness]:
    client = {task.id: task.client for task in firm.tasks}
    found: dict[str, _Lateness] = {}
    for item in plan.tasks:
        if item.late:
            found.setdefault(client[item.task], _Lateness((), 0)).late.append(item)
    for lost in plan.escalations:
        found.setdefault(client[lost.task], _Lateness((), 0)).escalated += 1
    return found


def _overtime(before: Firm, plan_before: Plan, after: Firm, plan_after: Plan, until: date) -> OvertimeCost:
    needed_was, needed_now = needed_min(before, plan_before), needed_min(after, plan_after)
    return OvertimeCost(
        offered_before_min=offered_min(before, plan_before, until),
        offered_after_min=offered_min(after, plan_after, until),
        needed_before_min=needed_was,
        needed_after_min=needed_now,
        price_min=after.policy.weights.overtime * (needed_now - needed_was),
    )
