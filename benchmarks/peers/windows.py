"""The windows in which one person's hours may be too few, from the neutral file; knows numpy only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.instance import Instance, Whole


@dataclass(frozen=True)
class Windows:
    """What one person may be given within the horizon, one entry for each task and window, and the windows between their bounds."""

    columns: Whole
    task: Whole
    release: Whole
    due: Whole
    work: Whole
    until_min: Whole

    def inside(self, a: int, b: int) -> Whole:
        """Return the entries released in slot ``a`` or later and due by ``b``."""
        return np.flatnonzero((self.release >= a) & (self.due <= b))

    def open_min(self, a: int, b: int) -> int:
        """Return the open minutes from the start of one slot to the end of another."""
        return int(self.until_min[b + 1] - self.until_min[a])

    def most_min(self, a: int, b: int) -> int:
        """Return the work of all tasks in a window, each counted once."""
        inside = self.inside(a, b)
        _, first = np.unique(self.task[inside], return_index=True)
        return int(self.work[inside[first]].sum())

    def fuller(self) -> Iterable[tuple[int, list[int]]]:
        """Return, by release, the ends of windows that hold more than every smaller one: the others hold the same in more time."""
        releases, dues, held = self._held()
        fuller = (held[:-1, 1:] > held[1:, 1:]) & (held[:-1, 1:] > held[:-1, :-1])
        for i, a in enumerate(releases.tolist()):
            yield a, dues[fuller[i]].tolist()

    def entry_count(self) -> int:
        """Return how many entries one row for each of these windows would have."""
        _, _, held = self._held()
        return int(held[:-1, 1:][(held[:-1, 1:] > held[1:, 1:]) & (held[:-1, 1:] > held[:-1, :-1])].sum())

    def _held(self) -> tuple[Whole, Whole, Whole]:
        releases, dues = np.unique(self.release), np.unique(self.due)
        held = np.zeros((len(releases) + 1, len(dues) + 1), dtype=np.int64)
        np.add.at(held, (np.searchsorted(releases, self.release), np.searchsorted(dues, self.due) + 1), 1)
        return releases, dues, np.cumsum(np.cumsum(held[::-1], axis=0)[::-1], axis=1)


def windows_of(instance: Instance, p: int, task: Whole, person: Whole, window: Whole, work: Whole) -> Windows:
    """Return the windows of a person, out of what everybody may be given."""
    mine = np.flatnonzero((person == p) & (instance.due[window] < instance.slot_count))
    until = np.concatenate([[0], np.cumsum(instance.open_min[p])])
    return Windows(mine, task[mine], instance.release[window[mine]], instance.due[window[mine]], work[mine], until)
