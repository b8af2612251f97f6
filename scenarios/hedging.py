"""How many of a person's tasks are late over many draws, compiled: the question a robust plan asks a million times.

The rule is that of `scenarios.execution`, for one person at a time; what the others do enters through ``ready``, the slot before which a
task cannot be begun because its documents or its preparation are missing.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_DONE_MIN = 1e-6


@njit(cache=True)
def carried_out(
    open_min: NDArray[np.float64],
    work: NDArray[np.float64],
    ready: NDArray[np.int64],
    tasks: NDArray[np.int64],
    factor: NDArray[np.float64],
    finish: NDArray[np.int64],
) -> None:
    """Write into ``finish`` the slot in which one person finishes each of their tasks on each draw.

    Parameters
    ----------
    open_min
        ``(N, S)`` hours of the person, in minutes.
    work, ready, finish
        ``(N, T)`` minutes at the person's pace and 100 percent; first slot; slot finished, the slot count where it is not.
    tasks
        The person's tasks, in the order of their promises.
    factor
        ``(T,)`` of the person on the minutes of each task.
    """
    draws, slots = open_min.shape
    count = len(tasks)
    left = np.zeros(count)
    for n in range(draws):
        for i in range(count):
            left[i] = work[n, tasks[i]] * factor[tasks[i]]
            finish[n, tasks[i]] = slots
        head, slot = 0, 0
        while head < count and slot < slots:
            free = open_min[n, slot]
            i = head
            while free > _DONE_MIN and i < count:
                t = tasks[i]
                if left[i] > 0.0 and ready[n, t] <= slot:
                    minutes = min(free, left[i])
                    free -= minutes
                    left[i] -= minutes
                    if left[i] <= _DONE_MIN:
                        left[i] = 0.0
                        finish[n, t] = slot
                if left[i] == 0.0 and i == head:
                    head += 1
                i += 1
            slot += 1


@njit(cache=True)
def late_count(
    open_min: NDArray[np.float64],
    work: NDArray[np.float64],
    ready: NDArray[np.int64],
    tasks: NDArray[np.int64],
    factor: NDArray[np.float64],
    deadline: NDArray[np.int64],
    finish: NDArray[np.int64],
) -> int:
    """Return how many of the tasks are late, summed over the draws; arguments as for `carried_out`, ``finish`` is overwritten."""
    carried_out(open_min, work, ready, tasks, factor, finish)
    late = 0
    for n in range(open_min.shape[0]):
        for t in tasks:
            if finish[n, t] > deadline[t]:
                late += 1
    return late
