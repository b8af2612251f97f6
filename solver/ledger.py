"""The ledger of promises: the one place that knows "fits".

A person can do a set of tasks in time if and only if, for every window of slots from ``a`` to ``b``, the work released at or
after ``a`` and due by ``b`` is at most the open minutes from ``a`` to ``b`` (preemptive earliest deadline first; Horn 1974;
the demand criterion of Baruah et al. 1990). The ledger keeps, per person, what is left of each window, and from it the
largest further task that each window admits, so that the question is a look-up and a promise touches one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

FREE = np.int32(2**30)
"""Slack of a window that cannot bind."""


class Ledger:
    """Slack of every window of every person.

    Attributes
    ----------
    slack
        ``(people, slots, slots)`` minutes left in the window from slot ``a`` to slot ``b``; `FREE` where ``a > b``.
    room
        Same shape: the largest task released at ``a`` and due by ``b`` that still fits; kept in step with ``slack``.
    """

    def __init__(self, open_min: NDArray[np.int64]) -> None:
        """Start with nothing promised; ``open_min`` has shape ``(people, slots)``."""
        slots = open_min.shape[1]
        ends = np.cumsum(open_min, axis=1)
        starts = ends - open_min
        self.slack = (ends[:, None, :] - starts[:, :, None]).astype(np.int32)
        self.slack[:, ~np.triu(np.ones((slots, slots), dtype=np.bool_))] = FREE
        self.room = _room(self.slack)
        self.slots = slots

    def copy(self) -> Self:
        """Return an independent ledger with the same promises."""
        twin = object.__new__(type(self))
        twin.slack, twin.room, twin.slots = self.slack.copy(), self.room.copy(), self.slots
        return twin

    def room_min(self, person: int, release: int, due: int) -> int:
        """Return the longest task in minutes that fits this person between release and due (slots, both included)."""
        if due >= self.slots:
            return int(FREE)
        return max(int(self.room[person, release, due]), 0) if release <= due else 0

    def rooms_min(self, release: int, due: int) -> NDArray[np.int32]:
        """Return `room_min` for every person."""
        if due >= self.slots:
            return np.full(len(self.room), FREE, dtype=np.int32)
        if due < release:
            return np.zeros(len(self.room), dtype=np.int32)
        return np.maximum(self.room[:, release, due], 0)

    def fits(self, person: int, release: int, due: int, work_min: int) -> bool:
        """Whether a task of ``work_min`` fits this person on top of everything promised."""
        return self.room_min(person, release, due) >= work_min

    def promise(self, person: int, release: int, due: int, work_min: int) -> None:
        """Add a task to a person's promises, whether it fits or not. A due slot beyond the horizon binds nothing."""
        if due >= self.slots or due < release:
            return
        self.slack[person, : release + 1, due:] -= np.int32(work_min)
        self.room[person] = _room(self.slack[person])

    def promise_all(self, promises: Iterable[tuple[int, int, int, int]]) -> None:
        """Add many promises ``(person, release, due, work_min)`` at once, as `promise` would one by one."""
        for person, release, due, work_min in promises:
            if release <= due < self.slots:
                self.slack[person, : release + 1, due:] -= np.int32(work_min)
        self.room = _room(self.slack)

    def withdraw(self, person: int, release: int, due: int, work_min: int) -> None:
        """Take a promise back; the exact inverse of `promise`."""
        self.promise(person, release, due, -work_min)


def _room(slack: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the least slack over all windows that contain ``[a, b]``, for every ``a`` and ``b``."""
    wider = np.minimum.accumulate(slack, axis=-2)
    room: NDArray[np.int32] = np.minimum.accumulate(wider[..., ::-1], axis=-1)[..., ::-1]
    return room
