"""Ways out of an escalation: the least change after which the task fits, each checked on the ledger before it is offered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solver.board import Board, TaskRow
from solver.plan import RepairKind, WayOut
from solver.windows import Span
from solver.wording import hours_text

WAYS_PER_KIND = 3
"""Ways listed per kind: the cheapest few are what a manager reads."""


def ways_out(board: Board, row: TaskRow, span: Span, people: Sequence[int] | None = None) -> tuple[WayOut, ...]:
    """Return the cheapest ways out, cheapest first within each kind: hours to add, day to move to, task to release.

    ``people`` restricts the ways to some of those qualified.
    """
    who = [p for p in board.qualified(row) if people is None or p in people]
    hours = sorted((w for p in who for w in _add_hours(board, row, span, p)), key=_cost)
    days = sorted((w for p in who for w in _move_deadline(board, row, span, p)), key=lambda w: (w.day, w.person))
    releases = _release_tasks(board, row, span, who)
    return (*hours[:WAYS_PER_KIND], *days[:WAYS_PER_KIND], *releases)


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
            sentence=f"add {hours_text(gap)} for {label} by {day}",
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
