"""The tables whose rows are about tasks: what moves, what is stuck, what is late, who does what on which day."""

from __future__ import annotations

from collections.abc import Iterator

from api.report.exceptions import WAY_TITLES, by_deadline, fate, late_tasks, late_text, nearest_first, way_text
from api.report.heat import people_in_order
from api.report.labels import Names, TaskLabel
from api.report.source import ReportData
from api.report.tables import Column, Kind, Table, Value, count, day, decimal_hours, hours, table, text
from api.report.timetable import monday_of
from api.report.wording import sentence_text
from solver.plan import EscalatedTask, Plan, PlannedTask
from solver.wording import hours_text

TASK_COLUMNS = (text("Task", 12), text("Type", 24), text("Client", 26), day("Deadline"))


def task_cells(task: TaskLabel) -> tuple[Value, ...]:
    """Return the values of ``TASK_COLUMNS``."""
    return (task.id, task.kind, task.client, task.deadline)


def proposals(report: ReportData, names: Names) -> Table:
    """One row per move, best proposal first."""
    columns = (
        count("Rank", 7),
        text("Proposal", 12),
        *TASK_COLUMNS,
        text("From", 22),
        text("To", 22),
        hours("From: load h before", 20),
        hours("From: load h after", 20),
        hours("To: load h before", 18),
        hours("To: load h after", 18),
        count("Moves in it", 12),
        count("Gain, min", 11),
        Column("Gain per move, min", Kind.MIXED, 19),
        text("Why", 70),
    )
    rows: list[tuple[Value, ...]] = []
    for rank, one in enumerate(report.ranked_proposals(), start=1):
        loads = {load.person: (decimal_hours(load.before_min), decimal_hours(load.after_min)) for load in one.loads}
        for move in one.moves:
            rows.append(
                (
                    rank,
                    one.id,
                    *task_cells(names.task(move.task)),
                    names.person_name(move.from_person),
                    names.person_name(move.to_person),
                    *loads.get(move.from_person or "", (None, None)),
                    *loads.get(move.to_person, (None, None)),
                    len(one.moves),
                    one.gain_min,
                    round(one.gain_per_move_min, 2),
                    sentence_text(one.reason),
                )
            )
    return table("Proposals", columns, rows)


def escalations(report: ReportData, names: Names) -> Table:
    """One row per escalation; people and ways out in words, one a line."""
    columns = (
        *TASK_COLUMNS,
        hours("Estimate h", 12),
        text("Priority", 10),
        text("No plan can place it", 20),
        text("Conflict", 60),
        text("Could do it, but for the hours", 44),
        text("Ways out", 80),
    )
    return table(
        "Escalations",
        columns,
        (
            (
                *task_cells(names.task(one.task)),
                decimal_hours(names.tasks[one.task].estimate_min),
                names.tasks[one.task].priority.value,
                "yes" if one.unavoidable else "no",
                sentence_text(one.reason),
                "\n".join(f"{names.person_name(c.person)}: {hours_text(c.gap_min)} short" for c in nearest_first(one)),
                ways_text(one, names),
            )
            for one in by_deadline(report.plan.escalations, names)
        ),
    )


def ways_text(escalated: EscalatedTask, names: Names) -> str:
    """Return the ways out, numbered, one a line."""
    return "\n".join(
        f"{i}. {WAY_TITLES[way.kind]}: {way_text(way, names)}{' (cheapest)' if way == escalated.cheapest else ''}"
        for i, way in enumerate(escalated.ways_out, start=1)
    )


def late(report: ReportData, names: Names) -> Table:
    """Tasks that will be done after their deadline."""
    columns = (
        *TASK_COLUMNS,
        text("Person", 22),
        hours("Hours"),
        day("Promised"),
        count("Days late", 10),
        text("Late", 18),
        text("Cause", 70),
    )
    return table(
        "Late",
        columns,
        (
            (
                *task_cells(names.task(one.task)),
                names.person_name(one.person),
                decimal_hours(one.work_min),
                one.promised_day,
                one.days_late,
                late_text(one),
                sentence_text(one.cause or ""),
            )
            for one in late_tasks(report.plan)
        ),
    )


def holds(report: ReportData, names: Names) -> Table:
    """Tasks that wait for an estimate."""
    columns = (*TASK_COLUMNS, text("With", 22), hours("Usual h"), text("Why", 60))
    return table(
        "Holds",
        columns,
        (
            (
                *task_cells(names.task(one.task)),
                names.person_name(one.assignee),
                decimal_hours(names.kinds[names.tasks[one.task].type].default_estimate_min),
                sentence_text(one.reason),
            )
            for one in by_deadline(report.plan.holds, names)
        ),
    )


def flags(report: ReportData, names: Names) -> Table:
    """People who hold what they may not do any more."""
    columns = (
        *TASK_COLUMNS,
        text("Person", 22),
        text("Rule", 14),
        text("This person", 40),
        text("In the plan", 24),
        text("Why", 60),
    )
    return table(
        "Flags",
        columns,
        (
            (
                *task_cells(names.task(one.task)),
                names.person_name(one.person),
                one.stopped_by.value,
                one.stopped_by.meaning,
                fate(one, report, names),
                sentence_text(one.reason),
            )
            for one in by_deadline(report.plan.flags, names)
        ),
    )


def timetable(report: ReportData, names: Names) -> Table:
    """One row per person, day and task, people in the order of the heat map."""
    columns = (text("Person", 22), text("Id", 10), day("Week"), day("Day"), hours("Hours"), *TASK_COLUMNS)
    place = {person.id: i for i, person in enumerate(people_in_order(report.firm, names))}
    ordered = sorted(report.plan.timetable, key=lambda one: (place[one.person], one.day, one.task))
    return table(
        "Timetable",
        columns,
        (
            (
                names.person_name(one.person),
                one.person,
                monday_of(one.day),
                one.day,
                decimal_hours(one.minutes),
                *task_cells(names.task(one.task)),
            )
            for one in ordered
        ),
    )


def tasks(report: ReportData, names: Names) -> Table:
    """Every task of the firm with what the plan does with it."""
    columns = (
        *TASK_COLUMNS,
        text("Deadline time", 14),
        day("Release"),
        hours("Estimate h", 12),
        hours("Logged h", 10),
        text("Priority", 10),
        text("Status", 12),
        text("Pinned", 8),
        text("Today with", 22),
        text("Outcome", 12),
        text("Plan gives to", 22),
        hours("Work h", 10),
        day("Promised"),
        day("Finish"),
        count("Days late", 10),
    )
    return table("Tasks", columns, task_rows(report.plan, names))


def task_rows(plan: Plan, names: Names) -> Iterator[tuple[Value, ...]]:
    """Yield the firm's tasks by deadline."""
    planned = {one.task: one for one in plan.tasks}
    aside = {one.task: "escalated" for one in plan.escalations} | {one.task: "on hold" for one in plan.holds}
    for task in sorted(names.tasks.values(), key=lambda one: (one.deadline, one.id)):
        one = planned.get(task.id)
        yield (
            *task_cells(names.task(task.id)),
            None if task.deadline_time is None else f"{task.deadline_time:%H:%M}",
            task.release,
            decimal_hours(task.estimate_min),
            decimal_hours(task.logged_min),
            task.priority.value,
            task.status.value,
            "yes" if task.pinned else "no",
            names.person_name(task.assignee),
            aside.get(task.id, "closed" if not task.open else outcome(one)),
            *((None,) * 5 if one is None else planned_cells(one, names)),
        )


def outcome(task: PlannedTask | None) -> str:
    """Say what the plan does with an open task in one word or two."""
    if task is None:
        return "not planned"
    if task.new:
        return "new"
    return "kept" if task.moved_from is None else "move"


def planned_cells(one: PlannedTask, names: Names) -> tuple[Value, ...]:
    """Return the plan's part of a task row."""
    return (names.person_name(one.person), decimal_hours(one.work_min), one.promised_day, one.finish_day, one.days_late)
