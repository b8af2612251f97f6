"""The ledger of promises: the one place that knows "fits".

A person can do a set of tasks in time if and only if, for every window of slots from ``a`` to ``b``, the work released at or
after ``a`` and due by ``b`` is at most the open minutes from ``a`` to ``b`` (preemptive earliest deadline first; Horn 1974;
the demand criterion of Baruah et al. 1990). The ledger keeps, per person, what is left of each window, and from it the
largest further task that each window admits, so that the question is a look-up and a promise touches one person.

Slots lie in the arrays in any order: a slot cut in two gets its new row and column behind the others, so that cutting writes
one row and one column per person instead of moving all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

FREE = np.int32(2**30)
"""Slack of a window that cannot bind."""
SPARE_SLOTS = 8
"""Slots kept free for cuts: more times of day than a firm hears of on most days. When they are used up the arrays are copied once
(a tenth of a second at 1,000 people), with four times as many."""

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]


class Taken(NamedTuple):
    """Promises that might be taken back: place of their person among those asked, window, minutes."""

    place: NDArray[np.int64]
    release: NDArray[np.int64]
    due: NDArray[np.int64]
    work_min: NDArray[np.int64]


class Ledger:
    """Slack of every window of every person, and the room that follows from it.

    Room is the least slack over all windows that contain a window: the longest further task that fits.
    """

    def __init__(self, open_min: NDArray[np.int64]) -> None:
        """Start with nothing promised; ``open_min`` has shape ``(people, slots)``."""
        people, self.slots = open_min.shape
        size = self.slots + SPARE_SLOTS
        self._slack = np.empty((people, size, size), dtype=np.int32)
        inside = self._slack[:, : self.slots, : self.slots]
        ends = np.cumsum(open_min, axis=1, dtype=np.int32)
        starts = ends - open_min.astype(np.int32)
        np.subtract(ends[:, None, :], starts[:, :, None], out=inside)
        np.copyto(inside, FREE, where=_backwards(self.slots))
        self._room = _spacious(inside, SPARE_SLOTS)  # nothing promised: a wider window never has less
        self._row = self._column = np.arange(self.slots)
        self._in_order = True
        self._places = (
            self._row
        )  # flat places of a person's windows in the order of the slots, once a slot has been cut

    @property
    def slack(self) -> NDArray[np.int32]:
        """Minutes left in the window from slot ``a`` to slot ``b``, ``(people, slots, slots)``; `FREE` where ``a > b``."""
        slack: NDArray[np.int32] = self._slack[:, self._row[:, None], self._column]
        return slack

    @property
    def room(self) -> NDArray[np.int32]:
        """The largest task released at ``a`` and due by ``b`` that still fits, same shape; 0 where ``a > b``."""
        room = self._room[:, self._row[:, None], self._column]
        room[:, _backwards(self.slots)] = 0
        return room

    def copy(self) -> Self:
        """Return an independent ledger with the same promises."""
        twin = object.__new__(type(self))
        twin.__dict__.update(vars(self))
        twin._slack, twin._room = self._slack.copy(), self._room.copy()
        return twin

    def room_min(self, person: int, release: int, due: int) -> int:
        """Return the longest task in minutes that fits this person between release and due (slots, both included)."""
        if due >= self.slots:
            return int(FREE)
        return max(int(self._room[person, self._row[release], self._column[due]]), 0) if release <= due else 0

    def rooms_min(self, release: int, due: int) -> NDArray[np.int32]:
        """Return `room_min` for every person."""
        if due >= self.slots:
            return np.full(len(self._room), FREE, dtype=np.int32)
        if due < release:
            return np.zeros(len(self._room), dtype=np.int32)
        return np.maximum(self._room[:, self._row[release], self._column[due]], 0)

    def rooms_by_due_min(self, people: Places, release: int) -> NDArray[np.int32]:
        """Return `room_min` of ``people`` from slot ``release`` to each due slot, ``(people, slots)``."""
        room: NDArray[np.int32] = np.maximum(self._room[people[:, None], self._row[release], self._column], 0)
        room[:, :release] = 0
        return room

    def fits(self, person: int, release: int, due: int, work_min: int) -> bool:
        """Whether a task of ``work_min`` fits this person on top of everything promised."""
        return self.room_min(person, release, due) >= work_min

    def fit_without(self, people: Places, work_min: NDArray[np.int64], window: tuple[int, int], one: Taken) -> Flags:
        """Whether a task would fit in ``window`` (release, due) once a promise is taken back, for each promise of ``one``.

        A promise counts in the windows around both; those around ``window`` alone keep their slack: they start behind the
        promise's release, or end before it is due.

        Parameters
        ----------
        people, work_min
            Some people, and the minutes the task takes each of them.
        """
        release, due = window
        block = self._slack[people[:, None, None], self._row[: release + 1, None], self._column[due:]]
        behind = np.full((len(people), release + 2), FREE)
        behind[:, :-1] = np.minimum.accumulate(block.min(axis=2)[:, ::-1], axis=1)[:, ::-1]
        before = np.full((len(people), self.slots - due + 1), FREE)
        before[:, 1:] = np.minimum.accumulate(block.min(axis=1), axis=1)
        first, last = np.minimum(one.release, release), np.clip(one.due, due, self.slots - 1)
        who, work = people[one.place], work_min[one.place]
        around = self._room[who, self._row[first], self._column[last]] + one.work_min
        rest = np.minimum(behind[one.place, first + 1], before[one.place, last - due])
        as_it_is = self._room[who, self._row[release], self._column[due]]
        fit: Flags = np.where(one.due < self.slots, np.minimum(around, rest), as_it_is) >= work
        return fit

    def promise(self, person: int, release: int, due: int, work_min: int) -> None:
        """Add a task to a person's promises, whether it fits or not. A due slot beyond the horizon binds nothing."""
        if due >= self.slots or due < release:
            return
        if work_min < 0:
            self.withdraw(person, release, due, -work_min)
            return
        self._use(person, release, due, work_min)
        room = self._of(self._room, person)
        _take(room, release, due, work_min)
        if not self._in_order:
            self._keep(self._room, person, room)

    def withdraw(self, person: int, release: int, due: int, work_min: int) -> None:
        """Take a promise back; the exact inverse of `promise`."""
        if due >= self.slots or due < release:
            return
        self._use(person, release, due, -work_min)
        self._keep(self._room, person, _room(self._of(self._slack, person)))

    def promise_all(self, promises: Iterable[tuple[int, int, int, int]]) -> None:
        """Add many promises ``(person, release, due, work_min)`` at once, as `promise` would one by one."""
        for person, release, due, work_min in promises:
            if release <= due < self.slots:
                self._use(person, release, due, work_min)
        for person in range(len(self._room)):  # one at a time: a person's arrays stay in the cache
            self._keep(self._room, person, _room(self._of(self._slack, person)))

    def cut(self, slot: int, before_min: NDArray[np.int64], behind_min: NDArray[np.int64]) -> None:
        """Cut a slot in two, with ``(people,)`` open minutes before and behind the cut; promises keep their stretch of time.

        The part before keeps the slot's row and gets a new column, the part behind keeps the column and gets a new row. Room of
        windows that do not touch the cut stays: each new window around them has no less slack than an old one.
        """
        if self.slots == self._slack.shape[1]:
            self._make_space()
        new, before, behind = self.slots, before_min.astype(np.int32), behind_min.astype(np.int32)
        rows, columns = self._row[: slot + 1], self._column[slot:]
        # By slot, then person: running minima over slots are then one operation on everybody.
        ending = np.empty((slot + 1, len(before)), dtype=np.int32)
        ending[:slot] = self._slack[:, rows[:slot], self._column[slot - 1]].T + before
        ending[slot] = before
        starting = np.empty((len(columns), len(before)), dtype=np.int32)
        starting[0] = behind
        if slot + 1 < self.slots:
            starting[1:] = self._slack[:, self._row[slot + 1], columns[1:]].T + behind
        self._slack[:, new, : new + 1] = self._slack[:, : new + 1, new] = FREE
        self._slack[:, rows, new], self._slack[:, new, columns] = ending.T, starting.T
        wider = np.minimum.accumulate(ending, axis=0)
        self._room[:, rows, new] = np.minimum(wider.T, self._room[:, rows, columns[0]])
        longer = np.minimum.accumulate(starting[::-1], axis=0)[::-1]
        self._room[:, new, columns] = np.minimum(longer.T, self._room[:, rows[-1], columns])
        self._row, self._column = np.insert(self._row, slot + 1, new), np.insert(self._column, slot, new)
        self.slots += 1
        self._in_order = False
        self._places = self._row[:, None] * self._slack.shape[1] + self._column

    def _make_space(self) -> None:
        """Copy the arrays with spare slots."""
        self._slack, self._room = (_spacious(array, 4 * SPARE_SLOTS) for array in (self._slack, self._room))

    def _use(self, person: int, release: int, due: int, work_min: int) -> None:
        """Take minutes from the slack of every window around ``release`` to ``due``."""
        if self._in_order:
            self._slack[person, : release + 1, due : self.slots] -= np.int32(work_min)
        else:
            self._slack[person].reshape(-1)[self._places[: release + 1, due:]] -= np.int32(work_min)

    def _of(self, array: NDArray[np.int32], person: int) -> NDArray[np.int32]:
        """Return a person's part of an array in the order of the slots; a copy once a slot has been cut."""
        if self._in_order:
            inside: NDArray[np.int32] = array[person, : self.slots, : self.slots]
            return inside
        return np.take(array[person].reshape(-1), self._places)

    def _keep(self, array: NDArray[np.int32], person: int, mine: NDArray[np.int32]) -> None:
        if self._in_order:
            array[person, : self.slots, : self.slots] = mine
        else:
            array[person].reshape(-1)[self._places] = mine


def _spacious(inside: NDArray[np.int32], spare: int) -> NDArray[np.int32]:
    """Return a copy with spare slots behind the others."""
    people, slots, _ = inside.shape
    wide = np.empty((people, slots + spare, slots + spare), dtype=np.int32)
    wide[:, :slots, :slots] = inside
    return wide


def _backwards(slots: int) -> NDArray[np.bool_]:
    """Return where a window ends before it starts."""
    return ~np.triu(np.ones((slots, slots), dtype=np.bool_))


def _take(room: NDArray[np.int32], release: int, due: int, work_min: int) -> None:
    """Update a person's room for a promise.

    Around the promise every window loses its minutes, so room does; any other room is the old one or, where the windows
    around both are tighter now, theirs: the room of the least window around both.
    """
    around = room[: release + 1, due:]
    around -= np.int32(work_min)
    later, earlier, inside = room[release + 1 :, due:], room[: release + 1, :due], room[release + 1 :, :due]
    np.minimum(later, room[release, due:], out=later)
    np.minimum(earlier, room[: release + 1, due, None], out=earlier)
    np.minimum(inside, room[release, due], out=inside)


def _room(slack: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the least slack over all windows that contain ``[a, b]``, for every ``a`` and ``b`` of one person."""
    wider = np.minimum.accumulate(slack, axis=-2)
    room: NDArray[np.int32] = np.minimum.accumulate(wider[:, ::-1], axis=-1)[:, ::-1]
    return room
