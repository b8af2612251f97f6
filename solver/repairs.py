"""Ways out of an escalation: the least change after which the task fits, each checked on the ledger before it is offered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver.board import Board
from solver.ledger import Taken
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
    who = np.array([p for p in board.qualified(row) if people is None or p in people], dtype=np.int64)
    if len(who) == 0:
        return ()
    asked = _Asked(row, span, who, row.work_min[who])
    return (*_add_hours(board, asked), *_move_deadline(board, asked), *_release_tasks(board, asked))


class _Asked(NamedTuple):
    """An escalated task, and the people who may do it with the minutes it takes each of them."""

    row: TaskRow
    span: Span
    who: NDArray[np.int64]
    work_min: NDArray[np.int64]


def _gaps_min(board: Board, asked: _Asked) -> NDArray[np.int64]:
    room = board.ledger.rooms_min(asked.span.release, asked.span.due)[asked.who]
    gaps: NDArray[np.int64] = np.maximum(asked.work_min - room, 0)
    return gaps


def _add_hours(board: Board, asked: _Asked) -> list[WayOut]:
    """Minutes added between release and deadline lie in every window the task uses, so the gap is what is needed.

    Work of the person that is late today would take added hours first, so it is added to the gap.
    """
    row, span, who = asked.row, asked.span, asked.who
    if span.due < span.release:
        return []
    gaps, promises = _gaps_min(board, asked), board.promises
    late = np.flatnonzero((promises.price_min > 0) & (promises.release <= span.due))
    late_min = np.bincount(promises.person[late], weights=promises.work_min[late], minlength=board.staff.count)
    needs = gaps + late_min.astype(np.int64)[who]
    first, day = max(board.axis.first_day, row.task.release or board.axis.first_day), _last_day(board, row, span)
    helped = np.flatnonzero((gaps > 0) & (needs <= board.days.most_added_min(who, first, day)))
    best = helped[np.lexsort((board.staff.id_order[who[helped]], needs[helped]))][:WAYS_PER_KIND]
    return [
        _hours_for(board, p, minutes, day) for p, minutes in zip(who[best].tolist(), needs[best].tolist(), strict=True)
    ]


def _hours_for(board: Board, p: int, minutes: int, day: date) -> WayOut:
    person = board.firm.people[p]
    sentence = f"add {hours_text(minutes)} for {person.label} by {day}"
    return WayOut(kind=RepairKind.ADD_HOURS, person=person.id, minutes=minutes, sentence=sentence)


def _last_day(board: Board, row: TaskRow, span: Span) -> date:
    """Return the last day on which added hours still help: the deadline, or the day before a promised review begins."""
    if span.due == plain_span(board.axis, row.task).due:
        return min(row.task.deadline, board.axis.last_day)
    return board.axis.days[span.due]


def _move_deadline(board: Board, asked: _Asked) -> list[WayOut]:
    row, span, who = asked.row, asked.span, asked.who
    if span.release >= board.axis.count or span.due < plain_span(board.axis, row.task).due:
        return []  # what ends the span is a promised review, not the deadline
    enough = board.ledger.rooms_by_due_min(who, span.release) >= asked.work_min[:, None]
    enough[:, : max(span.due + 1, span.release)] = False
    some = np.flatnonzero(enough.any(axis=1))
    slots, people = enough[some].argmax(axis=1), who[some]
    day = np.array([when.toordinal() for when in board.axis.days])[slots]
    best = np.lexsort((board.staff.id_order[people], day))[:WAYS_PER_KIND]
    return [_day_for(board, board.axis.days[slots[i]], board.staff.ids[people[i]]) for i in best.tolist()]


def _day_for(board: Board, day: date, id: str) -> WayOut:
    label = board.firm.people[board.staff.row[id]].label
    sentence = f"move the deadline to {day}, when {label} can have it done"
    return WayOut(kind=RepairKind.MOVE_DEADLINE, person=id, minutes=0, day=day, sentence=sentence)


def _release_tasks(board: Board, asked: _Asked) -> list[WayOut]:
    """Try held tasks, smallest first over all people: would the task fit with this one taken back? One way per person.

    A task shorter than the person's gap frees too little in the window that is short, so it is not tried.
    """
    if asked.span.due < asked.span.release:
        return []
    found: dict[int, WayOut] = {}
    for minutes, p, names in _that_make_room(board, asked):
        name = next((one for one in sorted(names) if _movable(board, one)), None)
        if p not in found and name is not None:
            found[p] = _release_of(board, p, name, minutes)
            if len(found) == WAYS_PER_KIND:
                break
    return list(found.values())


def _that_make_room(board: Board, asked: _Asked) -> Iterator[tuple[int, int, list[str]]]:
    """Yield ``(minutes, person, tasks)`` of the promises without which the task fits, smallest first, ties by person."""
    promises, who, people = board.promises, asked.who, board.staff.count
    enough, place = np.full(people, np.iinfo(np.int64).max), np.zeros(people, dtype=np.int64)
    enough[who], place[who] = _gaps_min(board, asked), np.arange(len(who))
    tried = np.flatnonzero(promises.work_min >= enough[promises.person])
    person, minutes = promises.person[tried], promises.work_min[tried]
    taken = Taken(place[person], promises.release[tried], promises.due[tried], minutes)
    span = (asked.span.release, asked.span.due)
    fitting = np.flatnonzero(board.ledger.fit_without(who, asked.work_min, span, taken))
    ranks = minutes[fitting] * people + board.staff.id_order[person[fitting]]
    ordered = fitting[np.argsort(ranks, kind="stable")]
    columns = (minutes[ordered].tolist(), person[ordered].tolist(), tried[ordered].tolist())
    for (size, p), same in groupby(zip(*columns, strict=True), key=itemgetter(0, 1)):
        yield size, p, [promises.names[row] for _, _, row in same]


def _release_of(board: Board, p: int, name: str, minutes: int) -> WayOut:
    person = board.firm.people[p]
    sentence = f"take {name} ({hours_text(minutes)}) from {person.label}"
    return WayOut(kind=RepairKind.RELEASE_TASK, person=person.id, minutes=minutes, task=name, sentence=sentence)


def _movable(board: Board, name: str) -> bool:
    task = board.known[name]
    return not (task.pinned or task.started or task.requested_person is not None)
