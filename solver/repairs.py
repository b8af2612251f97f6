"""Ways out of an escalation: the least change after which the task fits, each checked on the ledger before it is offered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solver.board import Board, TaskRow
from solver.plan import RepairKind, WayOut
from solver.windows import Span

WAYS_PER_KIND = 3
"""Ways listed per kind: the cheapest few are what a manager reads."""


def ways_out(board: Board, row: TaskRow, span: Span, people: Sequence[int] | None = None) -> tuple[WayOut, ...]:
    """Return the cheapest ways out, cheapest first within each kind: hours to add, day to move to, task to release.

    ``people`` restricts the ways to some of those qualified.
    """
    who = [p for p in board.qualified(row) if people is None or p in people]
    hours = sorted((w for p in who for w in _add_hours(board, row, span, p)), key=_cost)
    days = sorted((w for p in who for w in _move_deadline(board, row, span, p)), key=lambda w: (w.day, w.person))
    releases = sorted((w for p in who for w in _release_task(board, row, span, p)), key=_cost)
    return (*hours[:WAYS_PER_KIND], *days[:WAYS_PER_KIND], *releases[:WAYS_PER_KIND])


def _cost(way: WayOut) -> tuple[int, str, str]:
    return way.minutes, way.person, way.task or ""


def _gap(board: Board, row: TaskRow, span: Span, person: int) -> int:
    return max(int(row.work_min[person]) - board.ledger.room_min(person, span.release, span.due), 0)


def _add_hours(board: Board, row: TaskRow, span: Span, person: int) -> list[WayOut]:
    """Minutes added between release and deadline lie in every window the task uses, so the gap is exactly what is needed."""
    gap = _gap(board, row, span, person)
    if gap == 0 or span.due < span.release:
        return []
    label, day = board.firm.people[person].label, board.axis.day_of(span.due)
    return [
        WayOut(
            kind=RepairKind.ADD_HOURS,
            person=board.firm.people[person].id,
            minutes=gap,
            sentence=f"add {gap} minutes for {label} by {day}",
        )
    ]


def _move_deadline(board: Board, row: TaskRow, span: Span, person: int) -> list[WayOut]:
    if span.release >= board.axis.count:
        return []
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


def _release_task(board: Board, row: TaskRow, span: Span, person: int) -> list[WayOut]:
    """Try each task the person holds, smallest first, on a copy of nothing: withdraw, look, promise again."""
    if span.due < span.release:
        return []
    work = int(row.work_min[person])
    held = sorted(
        (promise.work_min, name)
        for name, promise in board.promises.items()
        if promise.person == person and _movable(board, name)
    )
    for minutes, name in held:
        task = board.known[name]
        promise = board.withdraw(name)
        fits = board.ledger.fits(person, span.release, span.due, work)
        board.promise(task, *promise)
        if fits:
            label = board.firm.people[person].label
            return [
                WayOut(
                    kind=RepairKind.RELEASE_TASK,
                    person=board.firm.people[person].id,
                    minutes=minutes,
                    task=name,
                    sentence=f"take {name} ({minutes} minutes) from {label}",
                )
            ]
    return []


def _movable(board: Board, name: str) -> bool:
    task = board.known[name]
    return not (task.pinned or task.started or task.requested_person is not None)
