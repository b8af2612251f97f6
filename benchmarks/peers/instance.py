"""The neutral file: one batch problem as plain arrays of whole numbers, for any peer in any language.

One line per array: its name, its shape, its numbers. This module knows numpy and nothing of the solver, so that a peer may run
in an environment without it; `benchmarks.peers.export` writes the file.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
ESCALATED = -1
"""The person of a task that is left to a partner; its window is -1 too."""


@dataclass(frozen=True)
class Instance:
    """One problem of ``T`` tasks, ``P`` people, ``S`` slots of time and ``W`` windows in all.

    Attributes
    ----------
    origin
        ``people, tasks, load in percent, seed`` of the generated firm.
    open_min
        ``(P, S)`` minutes each person can work in each slot.
    first_window
        ``(T + 1,)`` where each task's windows start in the three arrays below.
    release, due, late_min
        ``(W,)`` first and last slot of each window and the price of its lateness; both are ``S`` beyond the horizon, where
        nothing binds.
    pair_task, pair_person, pair_work_min, pair_price_min
        Who may do which task, one entry each, by task: the minutes it takes and the price of that choice.
    escalation_min, may_escalate
        ``(T,)`` price of leaving a task to a partner, and whether that is allowed.
    separate
        ``(pairs, 2)`` tasks that must go to different people.
    preparation
        ``(T,)`` the task that must be promised before this one is released, -1 for none.
    end_slots, share_min, far_min, balance_pct
        Last slot of each levelled week; ``(P, 1 + weeks)`` fair loads, of all work and of the work promised by each week end; the
        distance from the first beyond which more is paid; percentages paid for near, far and week-end distances.
    start_who, start_window
        ``(T,)`` the plan our own search starts from: the routing rule's, completed.
    unavoidable_min
        The price no plan escapes, one number.
    """

    origin: Whole
    open_min: Whole
    first_window: Whole
    release: Whole
    due: Whole
    late_min: Whole
    pair_task: Whole
    pair_person: Whole
    pair_work_min: Whole
    pair_price_min: Whole
    escalation_min: Whole
    may_escalate: Whole
    separate: Whole
    preparation: Whole
    end_slots: Whole
    share_min: Whole
    far_min: Whole
    balance_pct: Whole
    start_who: Whole
    start_window: Whole
    unavoidable_min: Whole

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return len(self.escalation_min)

    @property
    def person_count(self) -> int:
        """Number of people."""
        return int(self.open_min.shape[0])

    @cached_property
    def pairs(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return minutes and price of each ``(task, person)`` that may be."""
        keys = zip(self.pair_task.tolist(), self.pair_person.tolist(), strict=True)
        facts = zip(self.pair_work_min.tolist(), self.pair_price_min.tolist(), strict=True)
        return dict(zip(keys, facts, strict=True))

    @property
    def slot_count(self) -> int:
        """Number of slots; a window that is due in this slot is beyond the horizon."""
        return int(self.open_min.shape[1])


def write(instance: Instance, path: Path) -> None:
    """Write the neutral file."""
    with path.open("w", encoding="ascii") as lines:
        for field in fields(instance):
            array: Whole = getattr(instance, field.name)
            shape = "x".join(map(str, array.shape))
            lines.write(" ".join([field.name, shape, *map(str, array.ravel().tolist())]) + "\n")


def read(path: Path) -> Instance:
    """Read the neutral file."""
    found: dict[str, Whole] = {}
    with path.open(encoding="ascii") as lines:
        for line in lines:
            name, shape, *numbers = line.split()
            found[name] = np.array(numbers, dtype=np.int64).reshape([int(side) for side in shape.split("x")])
    return Instance(**found)
