"""The day-by-day timetable that proves a plan: preemptive earliest deadline first, per person.

Each slot's minutes go to the released task with the earliest promise. If the plan keeps every window this finishes every
task by its promise (Horn 1974); `timetable` checks that it did.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Job(NamedTuple):
    """One promised task of one person; a due slot equal to the slot count is outside the horizon."""

    task: str
    release: int
    due: int
    work_min: int


@dataclass(frozen=True)
class Cell:
    """Minutes of one task in one slot."""

    slot: int
    task: str
    minutes: int


class BrokenPromiseError(AssertionError):
    """A set of promises that cannot be kept reached the timetable: a defect of the search, never of the input."""


def timetable(open_min: NDArray[np.int64], jobs: Sequence[Job]) -> list[Cell]:
    """Return who works on what in which slot, for one person, slots in order.

    Parameters
    ----------
    open_min
        ``(slots,)`` open minutes of the person.
    jobs
        Everything the person has promised. Work outside the horizon gets no cell.

    Raises
    ------
    BrokenPromiseError
        If some task is not finished by its due slot.
    """
    slots = len(open_min)
    arriving = sorted((job for job in jobs if job.due < slots), key=lambda job: (job.release, job.due, job.task))
    for job in arriving:
        if job.due < job.release:
            raise BrokenPromiseError(f'task "{job.task}" is promised by slot {job.due}, before it is released')
    ready: list[tuple[int, str, int]] = []
    cells: list[Cell] = []
    next_job = 0
    for slot in range(slots):
        while next_job < len(arriving) and arriving[next_job].release <= slot:
            job = arriving[next_job]
            heapq.heappush(ready, (job.due, job.task, job.work_min))
            next_job += 1
        free = int(open_min[slot])
        while free > 0 and ready:
            due, task, left = heapq.heappop(ready)
            minutes = min(free, left)
            cells.append(Cell(slot, task, minutes))
            free -= minutes
            if left > minutes:
                heapq.heappush(ready, (due, task, left - minutes))
        if ready and ready[0][0] <= slot:
            raise BrokenPromiseError(f'task "{ready[0][1]}" is promised by slot {ready[0][0]} and is not done by then')
    return cells
