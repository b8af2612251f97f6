"""The facts a proposal rests on: while they stand, a declined one is not made again; where they have changed, they say what has.

The facts of some moves are: the data of the tasks (time logged and who has them aside), their types and clients, both people of
each move with everything in the calendar for them until the last of the tasks' deadlines, the firm's weights and guardrail,
and the room that each of these people has until that deadline: open hours less promised ones. Room moves with every placement, and
idle hours pass: it counts where whoever gives work has half a working day less of it, or whoever gets some has as much more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from api.store.names import mark
from solver.board import Board
from solver.firm import Booking, Overtime, Person, TimeOff
from solver.plan import Move
from solver.policy import Frozen
from solver.wording import hours_text

ROOM_CHANGED_MIN = 240
"""Minutes by which a person's room must differ: half a working day, as much as a task of middling size."""

Facts = dict[str, Any]
"""As JSON, without names."""


def facts_of(board: Board, moves: Sequence[Move], *, since: date | None = None) -> Facts:
    """Return the facts that moves rest on.

    Parameters
    ----------
    since
        First day of the calendar that counts; none: today. To compare with earlier facts, their ``since``.
    """
    since = board.axis.first_day if since is None else since
    tasks = [board.known[move.task] for move in moves if move.task in board.known]
    until = max((task.deadline for task in tasks), default=since)
    here = {person for move in moves for person in (move.from_person, move.to_person) if person in board.staff.row}
    people = [board.firm.people[board.staff.row[str(person)]] for person in sorted(map(str, here))]
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "task": {task.id: _facts(task, "logged_min", "assignee") for task in tasks},
        "type": {id: _facts(board.types[id], "name") for id in sorted({task.type for task in tasks})},
        "client": {id: _facts(board.clients[id], "name") for id in sorted({task.client for task in tasks})},
        "person": {one.id: _facts(one, "name", "team") for one in people},
        "calendar": {one.id: _calendar(board, one, since, until) for one in people},
        "room_min": {one.id: _room_min(board, one.id, until) for one in people},
        "gives": sorted({move.from_person for move in moves if move.from_person is not None}),
        "gets": sorted({move.to_person for move in moves}),
        "policy": {
            "weights": _facts(board.firm.policy.weights),
            "guardrail": _facts(board.firm.policy.guardrail),
        },
    }


def stand(before: Facts, now: Facts) -> bool:
    """Whether nothing has changed that could make somebody who declined on the earlier facts think again."""
    if next(_data(before, now), None) is not None:
        return False
    rooms = _rooms(before, now)
    return not any(
        (more < 0 and person in before["gives"]) or (more > 0 and person in before["gets"]) for person, more in rooms
    )


def changes(before: Facts, now: Facts) -> tuple[str, ...]:
    """Return in words how facts differ from earlier ones, with marks for people, in either direction."""
    rooms = (
        f"{mark(person)}: {hours_text(abs(more))} {'more' if more > 0 else 'less'} room by {now['until']}"
        for person, more in _rooms(before, now)
    )
    return (*_data(before, now), *rooms)


def _data(before: Facts, now: Facts) -> Iterator[str]:
    for kind in ("task", "type", "client", "person"):
        for id in sorted(before[kind].keys() | now[kind].keys()):
            label = mark(id) if kind == "person" else f"{kind} {id}"
            there, here = before[kind].get(id), now[kind].get(id)
            if there is None or here is None:
                yield f"{label} is {'new' if there is None else 'not there any more'}"
                continue
            for name in sorted(there.keys() | here.keys()):
                if there.get(name) != here.get(name):
                    yield f"{label}: {_named(name, there.get(name), here.get(name))}"
    for person in sorted(before["calendar"].keys() & now["calendar"].keys()):
        if before["calendar"][person] != now["calendar"][person]:
            yield f"{mark(person)}: time off, bookings or overtime have changed"
    if before["policy"] != now["policy"]:
        yield "the firm's weights or guardrail have changed"


def _rooms(before: Facts, now: Facts) -> Iterator[tuple[str, int]]:
    """Yield who has more or less room than before, and how much, where it counts."""
    for person in sorted(before["room_min"].keys() & now["room_min"].keys()):
        more = now["room_min"][person] - before["room_min"][person]
        if abs(more) >= ROOM_CHANGED_MIN:
            yield person, more


def _named(name: str, before: object, now: object) -> str:
    if isinstance(before, list | dict) or isinstance(now, list | dict):
        return f"{name} has changed"
    return f"{name} is {_shown(now)}, was {_shown(before)}"


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _facts(model: Frozen, *leaving: str) -> Mapping[str, Any]:
    return model.model_dump(mode="json", exclude=set(leaving))


def _calendar(board: Board, person: Person, since: date, until: date) -> list[Mapping[str, Any]]:
    firm = board.firm
    entries: tuple[TimeOff | Booking | Overtime, ...] = (*firm.time_off, *firm.bookings, *firm.overtime)
    mine = [
        _facts(one, "label")
        for one in entries
        if one.last_day >= since and one.first_day <= until and _concerns(one, person)
    ]
    return sorted(mine, key=str)


def _concerns(entry: TimeOff | Booking | Overtime, person: Person) -> bool:
    if isinstance(entry, Overtime):
        return (not entry.people or person.id in entry.people) and (not entry.levels or person.level in entry.levels)
    return entry.person == person.id


def _room_min(board: Board, person: str, until: date) -> int:
    p, due = board.staff.row[person], board.axis.due_slot(until)
    mine = (board.promises.person == p) & (board.promises.due <= due)
    return board.capacity_min(p, 0, due) - int(board.promises.work_min[mine].sum())
