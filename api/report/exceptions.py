"""What does not go by itself: escalations, late and tight tasks, holds and flags. Nothing is ever buried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from api.report.labels import Names, PersonLabel, TaskLabel
from api.report.proposed import promise_text
from api.report.source import ReportData
from api.report.wording import day_text, sentence_text
from solver.plan import Candidate, EscalatedTask, Flag, Hold, Plan, PlannedTask, RepairKind, WayOut
from solver.wording import hours_text

About = TypeVar("About", EscalatedTask, Flag, Hold, PlannedTask)
"""Whatever the plan says about one task."""

WAY_TITLES = {
    RepairKind.ADD_HOURS: "Add hours",
    RepairKind.MOVE_DEADLINE: "Move the deadline",
    RepairKind.RELEASE_TASK: "Release other work",
}


@dataclass(frozen=True)
class QualifiedView:
    """Somebody who may do an escalated task and lacks only the hours."""

    person: PersonLabel
    work: str
    load: str
    gap: str


@dataclass(frozen=True)
class WayOutView:
    """One way out, with the task it takes away where it does, and whether it is the cheapest that was tried."""

    title: str
    cheapest: bool
    released: TaskLabel | None
    sentence: str


@dataclass(frozen=True)
class EscalationView:
    """A task nobody can take in time."""

    task: TaskLabel
    holder: str
    reason: str
    unavoidable: bool
    qualified: tuple[QualifiedView, ...]
    ways_out: tuple[WayOutView, ...]


@dataclass(frozen=True)
class DueView:
    """A task that is late, or done on its last day."""

    task: TaskLabel
    person: PersonLabel
    hours: str
    promised: str
    days_late: int
    late: str
    cause: str


@dataclass(frozen=True)
class HoldView:
    """A task without an estimate; ``usual`` is what its type suggests."""

    task: TaskLabel
    holder: str
    usual: str
    reason: str


@dataclass(frozen=True)
class FlagView:
    """Somebody who holds a task they may not do any more, and whether the plan takes it from them."""

    task: TaskLabel
    person: PersonLabel
    plan: str
    reason: str


def escalation_views(report: ReportData, names: Names) -> tuple[EscalationView, ...]:
    """Return the escalations, the nearest deadline first."""
    return tuple(escalation_view(one, names) for one in by_deadline(report.plan.escalations, names))


def by_deadline(found: Iterable[About], names: Names) -> list[About]:
    """Order what is about tasks by their deadlines; ties by id."""
    return sorted(found, key=lambda one: (names.tasks[one.task].deadline, one.task))


def late_tasks(plan: Plan) -> list[PlannedTask]:
    """Return the late tasks, the latest first; those without a promised day lead."""
    late = [one for one in plan.tasks if one.late]
    return sorted(late, key=lambda one: (one.promised_day is not None, -one.days_late, one.task))


def escalation_view(escalated: EscalatedTask, names: Names) -> EscalationView:
    """Put one escalation into words."""
    return EscalationView(
        task=names.task(escalated.task),
        holder=names.person_name(names.tasks[escalated.task].assignee),
        reason=sentence_text(escalated.reason),
        unavoidable=escalated.unavoidable,
        qualified=tuple(qualified_view(one, names) for one in nearest_first(escalated)),
        ways_out=tuple(way_out_view(one, names, cheapest=one == escalated.cheapest) for one in escalated.ways_out),
    )


def nearest_first(escalated: EscalatedTask) -> list[Candidate]:
    """Return those who could do it but for the hours, the smallest gap first."""
    return sorted(escalated.qualified, key=lambda one: (one.gap_min, one.person))


def qualified_view(candidate: Candidate, names: Names) -> QualifiedView:
    """Put one candidate into words."""
    return QualifiedView(
        person=names.person(candidate.person),
        work=hours_text(candidate.work_min),
        load=hours_text(candidate.load_min),
        gap=f"{hours_text(candidate.gap_min)} short" if candidate.gap_min else "fits alone",
    )


def way_out_view(way: WayOut, names: Names, *, cheapest: bool) -> WayOutView:
    """Put one way out into words."""
    return WayOutView(
        title=WAY_TITLES[way.kind],
        cheapest=cheapest,
        released=None if way.task is None else names.task(way.task),
        sentence=way_text(way, names),
    )


def way_text(way: WayOut, names: Names) -> str:
    """Say what a way out asks for, with the names and hours that people use."""
    name, taken = names.person_name(way.person), hours_text(way.minutes)
    if way.kind is RepairKind.ADD_HOURS:
        return f"{name} works {taken} more before the deadline."
    if way.day is not None:
        return f"Due {day_text(way.day)} instead, {name} can have it done."
    given_up = "other work" if way.task is None else names.task(way.task).title
    return f"{name} gives {given_up} ({taken}) to somebody else."


def late_views(report: ReportData, names: Names) -> tuple[DueView, ...]:
    """Return the late tasks, the latest first; those without a promised day lead."""
    return tuple(due_view(one, names) for one in late_tasks(report.plan))


def tight_views(report: ReportData, names: Names) -> tuple[DueView, ...]:
    """Return the tasks that are done on their very last day, by deadline: no day is left for a surprise."""
    tight = [
        one
        for one in report.plan.tasks
        if not one.late and one.finish_day is not None and one.finish_day >= names.tasks[one.task].deadline
    ]
    return tuple(due_view(one, names) for one in by_deadline(tight, names))


def due_view(task: PlannedTask, names: Names) -> DueView:
    """Put one planned task and its promise into words."""
    return DueView(
        task=names.task(task.task),
        person=names.person(task.person),
        hours=hours_text(task.work_min),
        promised=promise_text(task.promised_day),
        days_late=task.days_late,
        late=late_text(task),
        cause=sentence_text(task.cause or ""),
    )


def late_text(task: PlannedTask) -> str:
    """Return ``3 days late``, ``late that day`` (after its hour), ``on time``, or that no end is in sight."""
    if task.promised_day is None:
        return "no end in sight"
    if not task.late:
        return "on time"
    if not task.days_late:
        return "late that day"
    return f"{task.days_late} {'day' if task.days_late == 1 else 'days'} late"


def hold_views(report: ReportData, names: Names) -> tuple[HoldView, ...]:
    """Return the holds, the nearest deadline first."""
    return tuple(
        HoldView(
            names.task(one.task),
            names.person_name(one.assignee),
            usual_text(one.task, names),
            sentence_text(one.reason),
        )
        for one in by_deadline(report.plan.holds, names)
    )


def usual_text(task_id: str, names: Names) -> str:
    """Return what the task's type usually takes; empty where the type does not say."""
    usual_min = names.kinds[names.tasks[task_id].type].default_estimate_min
    return "" if usual_min is None else hours_text(usual_min)


def flag_views(report: ReportData, names: Names) -> tuple[FlagView, ...]:
    """Return the flags, the nearest deadline first."""
    return tuple(
        FlagView(names.task(one.task), names.person(one.person), fate(one, report, names), sentence_text(one.reason))
        for one in by_deadline(report.plan.flags, names)
    )


def fate(flag: Flag, report: ReportData, names: Names) -> str:
    """Say where the plan puts a flagged task."""
    planned = next((one for one in report.plan.tasks if one.task == flag.task), None)
    if planned is None:
        return "not placed"
    return "stays" if planned.person == flag.person else f"to {names.person_name(planned.person)}"
