"""The best plan of each person at given task prices, exactly, by dynamic programming over minutes of load.

A person's windows that start now are prefixes of the calendar, so work taken in order of due date needs one number: minutes so far
(Lawler and Moore 1969, for late jobs on one machine). Balance is a convex function of the same number. Windows that start later, order
and separation are left to multipliers, which makes what is found a bound. A task has several windows; that no more than one is
taken is kept for the few tasks that would be taken twice, by a flag each; where flags run out the bound is lower, never wrong.
All compiled functions stand in this one module.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MOST_ITEMS = 1_200
"""Choices of one person in the recursion; those worth least beyond are allowed for free, which only lowers the bound."""
BEYOND_MIN = 6_000
"""Minutes beyond the horizon in the recursion; tasks beyond are allowed for free."""


class Items(NamedTuple):
    """Everything each person may do, sorted by person and due column.

    Attributes
    ----------
    start
        ``(P + 1,)`` where each person's items begin.
    price
        Minutes, with the multipliers of windows that start later.
    """

    start: NDArray[np.int64]
    task: NDArray[np.int64]
    work: NDArray[np.int64]
    column: NDArray[np.int64]
    price: NDArray[np.float64]
    room: NDArray[np.int64]
    share: NDArray[np.float64]
    far: NDArray[np.float64]
    week_column: NDArray[np.int64]
    weights: NDArray[np.float64]


@njit(cache=True)
def fitting(i: Items, q: int, item: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a person's items that fit to the minute: without the smallest work that makes room, where steps promised too much."""
    left, count, last = item.copy(), len(item), i.room.shape[1]
    k = load = 0
    while k < count:
        load += i.work[left[k]]
        column = i.column[left[k]]
        if column >= last or load <= i.room[q, column]:
            k += 1
            continue
        lacking, leave, least = load - i.room[q, column], k, np.iinfo(np.int64).max
        for j in range(k + 1):
            if lacking <= i.work[left[j]] < least:
                leave, least = j, i.work[left[j]]
        left[leave : count - 1] = left[leave + 1 : count].copy()
        count -= 1
        k = load = 0
    return left[:count]


@njit(cache=True)
def _levelled(costs: NDArray[np.float64], reach: int, share: float, weight: float) -> None:
    for s in range(reach + 1):
        costs[s] += weight * abs(s - share)


@njit(cache=True)
def _step(
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    taken: NDArray[np.uint8],
    scratch: NDArray[np.float64],
    work: int,
    gain: float,
    limit: int,
) -> None:
    """One item for one set of flags, in place: states ``work..limit`` of ``target`` take it from ``source`` where that is cheaper.

    Contiguous rows, two loops and no branch in either: the compiler makes vectors of them. ``taken`` is only written for these states.
    """
    count = limit - work + 1
    to, mark = target[work : limit + 1], taken[work : limit + 1]
    for j in range(count):
        scratch[j] = source[j] + gain
    for j in range(count):
        value, present = scratch[j], to[j]
        mark[j] = value < present
        to[j] = min(value, present)


@njit(cache=True)
def _best(
    kept: NDArray[np.int64],
    gain: NDArray[np.float64],
    flag: NDArray[np.int64],
    p: int,
    i: Items,
    rows: NDArray[np.float64],
    scratch: NDArray[np.float64],
    taken: NDArray[np.uint8],
    merged: NDArray[np.uint8],
    chosen: NDArray[np.bool_],
    top: int,
) -> float:
    """Return the least cost of person ``p`` and mark what is chosen among ``kept``.

    There is one row of states for each set of flags, and a flag is there from the first item that has it to the last: then the cheaper
    of both goes on, and ``merged`` keeps which.
    """
    reach, week, last = 0, 0, i.room.shape[1]
    first_of, last_of = np.full(len(merged), -1, np.int64), np.full(len(merged), -1, np.int64)
    for k in range(len(kept)):
        if flag[k] >= 0:
            last_of[flag[k]] = k
            if first_of[flag[k]] < 0:
                first_of[flag[k]] = k
    rows[0, 0] = 0.0
    limits = np.full(len(kept), -1, np.int64)
    there = 0
    for k in range(len(kept)):
        item = kept[k]
        while week < len(i.week_column) and i.week_column[week] < i.column[item]:
            for m in range(there + 1):
                if m & there == m:
                    _levelled(rows[m], reach, i.share[p, week + 1], i.weights[2])
            week += 1
        work = i.work[item]
        limit = min(reach + work, i.room[p, i.column[item]] if i.column[item] < last else top)
        bit = 1 << flag[k] if flag[k] >= 0 else 0
        if bit and first_of[flag[k]] == k:
            for m in range(there + 1):
                if m & there == m:
                    rows[m | bit, : reach + 1] = 1e18
            there |= bit
        if limit > reach:
            for m in range(there + 1):
                if m & there == m:
                    rows[m, reach + 1 : limit + 1] = 1e18
        if limit >= work:
            limits[k] = limit
            for m in range(there + 1):
                if m & there == m and m & bit == bit:
                    _step(rows[m ^ bit], rows[m], taken[k, m], scratch, work, gain[k], limit)
        reach = max(reach, limit)
        if bit and last_of[flag[k]] == k:
            there ^= bit
            for m in range(there + 1):
                if m & there == m:
                    _step(rows[m | bit], rows[m], merged[flag[k], m], scratch, 0, 0.0, reach)
    while week < len(i.week_column):
        _levelled(rows[0], reach, i.share[p, week + 1], i.weights[2])
        week += 1
    best, at, marks = 1e18, 0, 0
    for s in range(reach + 1):
        away = abs(s - i.share[p, 0])
        value = rows[0, s] + i.weights[0] * away + i.weights[1] * max(away - i.far[p], 0.0)
        if value < best:
            best, at = value, s
    for k in range(len(kept) - 1, -1, -1):
        work, bit = i.work[kept[k]], 1 << flag[k] if flag[k] >= 0 else 0
        if bit and last_of[flag[k]] == k and merged[flag[k], marks, at]:
            marks |= bit
        chosen[k] = work <= at <= limits[k] and marks & bit == bit and taken[k, marks, at] == 1
        if chosen[k]:
            at -= work
            marks ^= bit
    return best


@njit(cache=True)
def _kept(
    i: Items, p: int, gains: NDArray[np.float64], slope: float, most_items: int, beyond_min: int
) -> tuple[NDArray[np.int64], float]:
    """Return the items that could pay for themselves, and what those left out could save at most."""
    begin, end, last = i.start[p], i.start[p + 1], i.room.shape[1]
    worth = gains[begin:end] - slope * i.work[begin:end]
    useful = np.flatnonzero(worth < 0.0)
    limit = 0.0
    if len(useful) > most_items:
        limit = np.sort(worth[useful])[most_items]
    out, beyond, free = np.zeros(len(useful), np.int64), 0, 0.0
    count = 0
    for k in useful:
        late = i.column[begin + k] >= last
        if worth[k] >= limit or (late and beyond + i.work[begin + k] > beyond_min):
            free += worth[k]
            continue
        if late:
            beyond += i.work[begin + k]
        out[count] = begin + k
        count += 1
    return out[:count], free


@njit(cache=True)
def best_plans(
    i: Items, pi: NDArray[np.float64], most_flags: int, most_items: int = MOST_ITEMS, beyond_min: int = BEYOND_MIN
) -> tuple[float, NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for all people the sum of least costs at task prices ``pi``, each cost with its tasks' prices put back, and the items.

    Parameters
    ----------
    most_flags, most_items, beyond_min
        How many tasks of a person are kept from being taken twice, and what the recursion holds; less of each lowers the bound.

    Returns
    -------
    total, cost, item, start
        ``cost`` ``(P,)``; the items of person ``p`` are ``item[start[p]:start[p + 1]]``; a task may be taken twice, as two items.
    """
    people = len(i.start) - 1
    slope = i.weights[0] + i.weights[1] + i.weights[2] * len(i.week_column)
    last = i.room.shape[1]
    top = beyond_min + (i.room.max() if last else 0)
    sets, most_items = 1 << most_flags, min(most_items, int(np.diff(i.start).max()) if people else 0)
    rows, scratch = np.empty((sets, top + 1)), np.empty(top + 1)
    taken, merged = np.empty((most_items + 1, sets, top + 1), np.uint8), np.empty((most_flags, sets, top + 1), np.uint8)
    gains = i.price - pi[i.task]
    total, cost, start = 0.0, np.zeros(people), np.zeros(people + 1, np.int64)
    items = np.empty(len(i.task), np.int64)
    for p in range(people):
        kept, free = _kept(i, p, gains, slope, most_items, beyond_min)
        gain, chosen = gains[kept], np.zeros(len(kept), np.bool_)
        flag, flags = np.full(len(kept), -1, np.int64), 0
        while True:
            least = _best(kept, gain, flag, p, i, rows, scratch, taken, merged, chosen, top)
            mine = np.sort(i.task[kept[chosen]])
            fresh = 0
            for a in range(1, len(mine)):
                if mine[a] == mine[a - 1] and flags < most_flags and (a < 2 or mine[a - 2] != mine[a]):
                    if not (flag[i.task[kept] == mine[a]] >= 0).any():
                        flag[i.task[kept] == mine[a]] = flags
                        flags += 1
                        fresh += 1
            if fresh == 0:
                break
        total += least + free
        cost[p] = least + pi[mine].sum()
        start[p + 1] = start[p] + len(mine)
        items[start[p] : start[p + 1]] = kept[chosen]
    return total, cost, items[: start[people]], start
