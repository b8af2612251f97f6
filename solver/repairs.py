"""Ways out of an escalation: the least change after which the task fits, each checked on the ledger before it is offered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from solver.board import Board
from solver.calendar import capacity_min, day_list
from solver.firm import Overtime
from solver.plan import RepairKind, WayOut
from solver.task_row import TaskRow
from solver.windows import Span, plain_span
from solver.wording import hours_text

WAYS_PER_KIND = 3
"""Ways listed per kind: the cheapest few are what a manager reads."""


def ways_out(board: Board, row: TaskRow, span: Span, people: Sequence[int] | None = None) -> tuple[WayOut, ...]:
    """Return the cheapest ways out, cheapest first within each kind: hours to add, day to move to, task to release.

    ``people`` restricts the ways to some of those qualified.
    """
    who = [p for p in board.qualified(row) if people is None or p in people]
    hours = _add_hours(board, row, span, who)
    days = sorted((w for p in who for w in _move_deadline(board, row, span, p)), key=lambda w: (w.day, w.person))
    releases = _release_tasks(board, row, span, who)
    return (*hours, *days[:WAYS_PER_KIND], *releases)


def _gap(board: Board, row: TaskRow, span: Span, person: int) -> int:
    return max(int(row.work_min[person]) - board.ledger.room_min(person, span.release, span.due), 0)


def _add_hours(board: Board, row: TaskRow, span: Span, people: Sequence[int]) -> list[WayOut]:
    """Minutes added between release and deadline lie in every window the task uses, so the gap is what is needed.

    Work of the person that is late today would take added hours first, so it is added to the gap.
    """
    if span.due < span.release:
        return []
    needs = sorted((gap, board.firm.people[p].id, p) for p in people if (gap := _hours_needed(board, row, span, p)))
    found: list[WayOut] = []
    day = _last_day(board, row, span)
    for minutes, id, person in needs:
        if len(found) < WAYS_PER_KIND and minutes <= _most_added_min(board, row, span, person):
            sentence = f"add {hours_text(minutes)} for {board.firm.people[person].label} by {day}"
            found.append(WayOut(kind=RepairKind.ADD_HOURS, person=id, minutes=minutes, sentence=sentence))
    return found


def _hours_needed(board: Board, row: TaskRow, span: Span, person: int) -> int:
    gap = _gap(board, row, span, person)
    if gap == 0:
        return 0
    late = (one for one in board.promises.values() if one.person == person and not one.window.on_time)
    return gap + sum(one.work_min for one in late if one.window.release <= span.due)


def _last_day(board: Board, row: TaskRow, span: Span) -> date:
    """Return the last day on which added hours still help: the deadline, or the day before a promised review begins."""
    if span.due == plain_span(board.axis, row.task).due:
        return min(row.task.deadline, board.axis.last_day)
    return board.axis.days[span.due]


def _most_added_min(board: Board, row: TaskRow, span: Span, person: int) -> int:
    """Return how many minutes the person's days until the deadline still have: none on holidays, absences, outside employment."""
    firm, who, axis = board.firm, board.firm.people[person], board.axis
    first = max(axis.first_day, row.task.release or axis.first_day)
    days = day_list(first, _last_day(board, row, span))
    whole_day = Overtime(first_day=first, last_day=days[-1], extra_min=(1_440,) * 7)
    alone = firm.model_copy(
        update={
            "people": (who,),
            "time_off": tuple(one for one in firm.time_off if one.person == who.id),
            "bookings": tuple(one for one in firm.bookings if one.person == who.id),
        }
    )
    longest = alone.model_copy(update={"overtime": (*firm.overtime, whole_day)})
    added = capacity_min(longest, days)[0] - capacity_min(alone, days)[0]
    if days[0] == axis.first_day:
        added[0] = added[0] * (axis.day_length - axis.passed) // axis.day_length
    return int(added.sum())


def _move_deadline(board: Board, row: TaskRow, span: Span, person: int) -> list[WayOut]:
    if span.release >= board.axis.count or span.due < plain_span(board.axis, row.task).due:
        return []  # what ends the span is a promised review, not the deadline
    enough = np.flatnonzero(board.ledger.room[person, span.release] >= row.work_min[person])
    later = enough[(enough > span.due) & (enough >= span.release)]
    if len(later) == 0:
        return []
    day = board.axis.days[int(later[0])]
    label = board.firm.people[person].label
    return [
        WayOut(
            kind=RepairKind.MOVE_DEADLINE,
            person=board.firm.people[person].id,
            minutes=0,
            day=day,
            sentence=f"move the deadline to {day}, when {label} can have it done",
        )
    ]


def _release_tasks(board: Board, row: TaskRow, span: Span, people: Sequence[int]) -> list[WayOut]:
    """Try held tasks, smallest first over all people: withdraw, look, promise again. One way per person.

    A task shorter than the person's gap frees too little in the window that is short, so it is not tried.
    """
    if span.due < span.release:
        return []
    gaps = {p: _gap(board, row, span, p) for p in people}
    held = sorted(
        (promise.work_min, board.firm.people[promise.person].id, name, promise.person)
        for name, promise in board.promises.items()
        if promise.work_min >= gaps.get(promise.person, promise.work_min + 1) and _movable(board, name)
    )
    found: dict[int, WayOut] = {}
    for minutes, id, name, person in held:
        if person in found:
            continue
        task, promise = board.known[name], board.withdraw(name)
        fits = board.ledger.fits(person, span.release, span.due, int(row.work_min[person]))
        board.promise(task, *promise)
        if fits:
            found[person] = WayOut(
                kind=RepairKind.RELEASE_TASK,
                person=id,
                minutes=minutes,
                task=name,
                sentence=f"take {name} ({hours_text(minutes)}) from {board.firm.people[person].label}",
            )
            if len(found) == WAYS_PER_KIND:
                break
    return list(found.values())


def _movable(board: Board, name: str) -> bool:
    task = board.known[name]
    return not (task.pinned or task.started or task.requested_person is not None)
