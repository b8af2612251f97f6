"""Today's promises by task: a mapping to read one, and columns to ask all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver.windows import Window


class Promise(NamedTuple):
    """What one person has promised for one task: ``work_min`` minutes within a window of slots."""

    person: int
    window: Window
    work_min: int


class Promises(MutableMapping[str, Promise]):
    """Promises by task id.

    Columns are views of the same rows, valid until the next change; ``names`` gives the task of each row.

    Attributes
    ----------
    names
        Task of each row; the order of the rows means nothing.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._place: dict[str, int] = {}
        self._rows = np.zeros((64, 5), dtype=np.int64)

    @property
    def person(self) -> NDArray[np.int64]:
        """Who promised."""
        return self._rows[: len(self.names), 0]

    @property
    def release(self) -> NDArray[np.int64]:
        """First slot of the window."""
        return self._rows[: len(self.names), 1]

    @property
    def due(self) -> NDArray[np.int64]:
        """Last slot of the window; the slot count when not within the horizon."""
        return self._rows[: len(self.names), 2]

    @property
    def price_min(self) -> NDArray[np.int64]:
        """Price of the window's lateness, 0 on time."""
        return self._rows[: len(self.names), 3]

    @property
    def work_min(self) -> NDArray[np.int64]:
        """Minutes the task takes its person."""
        return self._rows[: len(self.names), 4]

    def __contains__(self, task: object) -> bool:
        return task in self._place

    def __getitem__(self, task: str) -> Promise:
        person, release, due, price, work = self._rows[self._place[task]].tolist()
        return Promise(person, Window(release, due, price), work)

    def __setitem__(self, task: str, promise: Promise) -> None:
        if task not in self._place:
            self._place[task] = len(self.names)
            self.names.append(task)
            if len(self.names) > len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._place[task]] = (promise.person, *promise.window, promise.work_min)

    def __delitem__(self, task: str) -> None:
        place, last = self._place.pop(task), self.names.pop()
        if last != task:
            self.names[place], self._place[last] = last, place
            self._rows[place] = self._rows[len(self.names)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def copy(self) -> Promises:
        """Return independent promises, the same ones."""
        twin = Promises()
        twin.names, twin._place, twin._rows = list(self.names), dict(self._place), self._rows.copy()
        return twin

    def cut(self, slot: int) -> None:
        """Renumber all windows for a slot that was cut in two; each keeps its stretch of time."""
        self.release[self.release > slot] += 1
        self.due[self.due >= slot] += 1
