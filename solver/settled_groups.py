"""Groups of a few people settled exactly, and plans cooled towards a relaxation: the compiled part of `solver.settling`.

All compiled functions of that job stand in this one module, as numba renews a module's cache by its own file only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MOST_STEPS = 100_000
"""Choices tried for one group of people; those that need more rarely repay it, and the next groups are smaller."""
CELLS_PER_STEP = 30
"""Windows of a person that are checked in the time of one choice."""
FIRST_SIZE, FEWEST, WIDER, NARROWER = 3.0, 2.0, 1.01, 0.9
"""People in a group: at first, at least, and by how much it changes after one that was exhausted and one that was
not: a tenth are not."""
LIKELY = 6
"""Cheapest choices of a task by which another person joins its person's group."""
TRIED, SWAPS = 12, 0.7
"""Cheapest choices of a task among which a move is drawn, and the share of moves that exchange two tasks: hardly anything fits else."""
EPSILON = 1e-6


class Choices(NamedTuple):
    """Everything that may happen to each task, cheapest at the relaxation's prices first.

    Attributes
    ----------
    start
        ``(T + 1,)`` where each task's choices begin.
    person, window
        -1 where it is escalated; windows are places in the problem's flat arrays.
    loss_min
        What the choice costs beyond the task's cheapest, at the prices of people's minutes.
    minutes_min
        What its minutes cost at these prices.
    """

    start: NDArray[np.int64]
    person: NDArray[np.int64]
    window: NDArray[np.int64]
    work: NDArray[np.int64]
    loss_min: NDArray[np.float64]
    minutes_min: NDArray[np.float64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    due: NDArray[np.int64]


class Shares(NamedTuple):
    """The fair shares, and per person what unused minutes and lacking ones cost."""

    share: NDArray[np.int64]
    far: NDArray[np.int64]
    end_slots: NDArray[np.int64]
    near_pct: int
    far_pct: int
    week_pct: int
    unused_min: NDArray[np.float64]
    lacking_min: NDArray[np.float64]


class State(NamedTuple):
    """A plan on the way: the choice of each task (-1 where it is none of `Choices`), and what follows from it, kept in step.

    Attributes
    ----------
    held, held_count, place
        Tasks of each person that may change, and of nobody in the last row; and where in its row each task is.
    fixed_min
        ``(P,)`` what the minutes of tasks that may not change cost.
    size
        One number: people in a group.
    """

    chosen: NDArray[np.int64]
    slack: NDArray[np.int32]
    load: NDArray[np.int64]
    held: NDArray[np.int32]
    held_count: NDArray[np.int64]
    place: NDArray[np.int64]
    fixed_min: NDArray[np.float64]
    size: NDArray[np.float64]


@njit(cache=True, forceinline=True)
def _fits(slack: NDArray[np.int32], p: int, row: int, column: int, work: int) -> bool:
    for a in range(min(row + 1, slack.shape[1])):
        for b in range(column, slack.shape[2]):
            if slack[p, a, b] < work:
                return False
    return True


@njit(cache=True, forceinline=True)
def _take(slack: NDArray[np.int32], p: int, row: int, column: int, work: int) -> None:
    for a in range(min(row + 1, slack.shape[1])):
        for b in range(column, slack.shape[2]):
            slack[p, a, b] -= work


@njit(cache=True, forceinline=True)
def _balance(s: Shares, load: NDArray[np.int64], p: int) -> int:
    """Return the price of a person's loads, rounded up as in the objective."""
    away = abs(load[p, 0] - s.share[p, 0])
    hundredths = s.near_pct * away + s.far_pct * max(away - s.far[p], 0)
    for j in range(len(s.end_slots)):
        hundredths += s.week_pct * abs(load[p, j + 1] - s.share[p, j + 1])
    return int(-(-hundredths // 100))


@njit(cache=True, forceinline=True)
def _lacks(slack: NDArray[np.int32], p: int) -> int:
    """Return how many minutes a person lacks in the worst window."""
    worst = 0
    for a in range(slack.shape[1]):
        for b in range(slack.shape[2]):
            worst = min(worst, slack[p, a, b])
    return -worst


@njit(cache=True, forceinline=True)
def _room(c: Choices, z: State, choice: int, sign: int) -> None:
    """Take a choice's minutes from the windows (``sign`` 1) or give them back (-1)."""
    if c.person[choice] >= 0:
        _take(z.slack, c.person[choice], c.row[choice], c.column[choice], sign * c.work[choice])


@njit(cache=True, forceinline=True)
def _put(c: Choices, s: Shares, z: State, choice: int, sign: int) -> None:
    """Take a choice's minutes from the windows and count them in the loads (``sign`` 1), or undo both (-1)."""
    _room(c, z, choice, sign)
    _weigh(c, s, z, choice, sign)


@njit(cache=True, forceinline=True)
def _weigh(c: Choices, s: Shares, z: State, choice: int, sign: int) -> None:
    """Count a choice's minutes in the loads (``sign`` 1) or no more (-1)."""
    p, work = c.person[choice], sign * c.work[choice]
    if p < 0:
        return
    z.load[p, 0] += work
    for j in range(len(s.end_slots)):
        if c.due[choice] <= s.end_slots[j]:
            z.load[p, j + 1] += work


@njit(cache=True)
def _loss(c: Choices, s: Shares, z: State, p: int, dear: float) -> float:
    """Return what a person's part of the plan costs beyond the relaxation's, with what lacks at ``dear``."""
    loss = s.unused_min[p] - z.fixed_min[p] + _balance(s, z.load, p)
    for i in range(z.held_count[p]):
        choice = z.chosen[z.held[p, i]]
        loss += c.loss_min[choice] - c.minutes_min[choice]
    return float(loss + dear * s.lacking_min[p] * _lacks(z.slack, p))


@njit(cache=True, forceinline=True)
def _enter(z: State, t: int, p: int) -> None:
    """Note that a person, or nobody (-1), has a task now."""
    z.held[p, z.held_count[p]], z.place[t] = t, z.held_count[p]
    z.held_count[p] += 1


@njit(cache=True, forceinline=True)
def _leave(z: State, t: int, p: int) -> None:
    """Note that a person, or nobody (-1), has a task no more."""
    z.held_count[p] -= 1
    last = z.held[p, z.held_count[p]]
    z.held[p, z.place[t]], z.place[last] = last, z.place[t]


@njit(cache=True, forceinline=True)
def _counted(c: Choices, s: Shares, z: State, old: int, new: int, price: float) -> float:
    """Take ``new`` for ``old``; return what the two people's balance and lacking minutes cost then."""
    _put(c, s, z, old, -1)
    _put(c, s, z, new, 1)
    p, q, cost = c.person[old], c.person[new], 0.0
    if p >= 0:
        cost += _balance(s, z.load, p) + price * s.lacking_min[p] * _lacks(z.slack, p)
    if q >= 0 and q != p:
        cost += _balance(s, z.load, q) + price * s.lacking_min[q] * _lacks(z.slack, q)
    return cost


@njit(cache=True, forceinline=True)
def _move(
    c: Choices,
    s: Shares,
    z: State,
    t: int,
    new: int,
    u: int,
    other: int,
    lacks: NDArray[np.int64],
    price: float,
    limit: float,
) -> None:
    """Take the choice ``new`` for ``t``, and ``other`` for ``u`` unless that is -1, where that costs at most ``limit`` more.

    ``other`` is a choice of the person who has ``t``, and ``new`` one of the person who has ``u``.
    """
    old = z.chosen[t]
    p, q = c.person[old], c.person[new]
    change = c.loss_min[new] - c.minutes_min[new] - c.loss_min[old] + c.minutes_min[old]
    if u >= 0:
        was = z.chosen[u]
        change += c.loss_min[other] - c.minutes_min[other] - c.loss_min[was] + c.minutes_min[was]
    before = 0.0
    if p >= 0:
        before += _balance(s, z.load, p) + price * s.lacking_min[p] * lacks[p]
    if q >= 0 and q != p:
        before += _balance(s, z.load, q) + price * s.lacking_min[q] * lacks[q]
    if change - before > limit:
        return
    if u >= 0:
        _put(c, s, z, z.chosen[u], -1)
        _put(c, s, z, other, 1)
    change += _counted(c, s, z, old, new, price) - before
    if change > limit:
        _put(c, s, z, new, -1)
        _put(c, s, z, old, 1)
        if u >= 0:
            _put(c, s, z, other, -1)
            _put(c, s, z, z.chosen[u], 1)
        return
    z.chosen[t] = new
    _leave(z, t, p)
    _enter(z, t, q)
    if u >= 0:
        z.chosen[u] = other
        _leave(z, u, q)
        _enter(z, u, p)
    if p >= 0:
        lacks[p] = _lacks(z.slack, p)
    if q >= 0:
        lacks[q] = _lacks(z.slack, q)


@njit(cache=True)
def cool(
    c: Choices,
    s: Shares,
    z: State,
    tasks: NDArray[np.int64],
    moves: int,
    heat: float,
    price: float,
    seed: int,
) -> None:
    """Make ``moves`` moves of ``tasks`` at a temperature in minutes; people may lack minutes, at ``price`` times what one is worth."""
    np.random.seed(seed)
    lacks = np.zeros(len(z.load), np.int64)
    for p in range(len(lacks)):
        lacks[p] = _lacks(z.slack, p)
    for _ in range(moves):
        t = tasks[int(np.random.random() * len(tasks))]
        new = c.start[t] + int(np.random.random() * min(c.start[t + 1] - c.start[t], TRIED))
        limit = -heat * np.log(1.0 - np.random.random())
        p, q = c.person[z.chosen[t]], c.person[new]
        if new == z.chosen[t]:
            continue
        if p < 0 or q < 0 or p == q or z.held_count[q] == 0 or np.random.random() >= SWAPS:
            _move(c, s, z, t, new, -1, -1, lacks, price, limit)
            continue
        u = z.held[q, int(np.random.random() * z.held_count[q])]
        for other in range(c.start[u], min(c.start[u + 1], c.start[u] + TRIED)):
            if c.person[other] == p:
                _move(c, s, z, t, new, u, other, lacks, price, limit)
                break


@njit(cache=True)
def _joined(
    c: Choices, z: State, people: NDArray[np.int64], group: NDArray[np.int64], inside: NDArray[np.bool_]
) -> int:
    """Return who joins a group: one who could cheaply have a task of theirs, or by chance anybody."""
    p = group[int(np.random.random() * len(group))]
    for _ in range(4):
        if z.held_count[p] == 0:
            break
        t = z.held[p, int(np.random.random() * z.held_count[p])]
        likely = min(c.start[t + 1] - c.start[t], LIKELY)
        other = c.person[c.start[t] + int(np.random.random() * likely)]
        if other >= 0 and not inside[other]:
            return int(other)
    q = people[int(np.random.random() * len(people))]
    return -1 if inside[q] else int(q)


@njit(cache=True)
def _group(
    c: Choices, z: State, people: NDArray[np.int64], mine: NDArray[np.bool_], loss: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """Return people to settle among, the first drawn by what their part of the plan costs beyond the relaxation's."""
    total = 0.0
    for p in people:
        total += max(loss[p], 0.0) + EPSILON
    drawn, first = np.random.random() * total, people[-1]
    for p in people:
        drawn -= max(loss[p], 0.0) + EPSILON
        if drawn < 0.0:
            first = p
            break
    group, inside = np.full(1, first), ~mine
    inside[first] = True
    for _ in range(4 * size):
        if len(group) >= size:
            break
        q = _joined(c, z, people, group, inside)
        if q >= 0:
            inside[q] = True
            group = np.append(group, q)
    return group


@njit(cache=True)
def _tasks(
    c: Choices, z: State, rank: NDArray[np.int64], group: NDArray[np.int64], local: NDArray[np.bool_], most: float
) -> NDArray[np.int64]:
    """Return what the group holds, and what nobody does and they could for less than ``most``, in order of rank."""
    count = 0
    tasks = np.empty(z.held_count[group].sum() + z.held_count[-1], np.int64)
    for p in group:
        for i in range(z.held_count[p]):
            tasks[count] = z.held[p, i]
            count += 1
    for i in range(z.held_count[-1]):
        t = z.held[-1, i]
        for choice in range(c.start[t], c.start[t + 1]):
            if c.person[choice] >= 0 and local[c.person[choice]] and c.loss_min[choice] < most:
                tasks[count] = t
                count += 1
                break
    tasks = tasks[:count]
    ordered: NDArray[np.int64] = tasks[np.argsort(rank[tasks])]
    return ordered


@njit(cache=True)
def _enumerate(
    c: Choices,
    s: Shares,
    z: State,
    group: NDArray[np.int64],
    start: NDArray[np.int64],
    offered: NDArray[np.int64],
    spare: float,
    most: float,
    best: NDArray[np.int64],
) -> tuple[int, bool, bool]:
    """Try all of the ``offered`` choices of some tasks that cost less than ``most``; return choices tried, whether any did, and all were.

    ``spare`` is what the group's minutes are worth with none of the tasks; a plan's cost is the losses of its choices and what of it is
    left, with the balance. The state is left as it was found.
    """
    count, depth, tried, found, whole = len(start) - 1, 0, 0, False, True
    cells = z.slack.shape[1] * z.slack.shape[2] // CELLS_PER_STEP
    at, loss = np.empty(count, np.int64), np.zeros(count + 1)
    # The most that the tasks from each place on may take off: their minutes' worth less their loss.
    most_off = np.zeros(count + 1)
    for i in range(count - 1, -1, -1):
        off = -1e18
        for k in range(start[i], start[i + 1]):
            off = max(off, c.minutes_min[offered[k]] - c.loss_min[offered[k]])
        most_off[i] = most_off[i + 1] + off
    at[0] = start[0] - 1
    while depth >= 0:
        k = at[depth]
        if k >= start[depth]:
            _room(c, z, offered[k], -1)
            spare += c.minutes_min[offered[k]]
        k += 1
        while k < start[depth + 1]:
            choice = offered[k]
            tried += 1 + cells
            if loss[depth] + c.loss_min[choice] >= most:
                k = start[depth + 1]
            elif c.person[choice] < 0 or _fits(
                z.slack, c.person[choice], c.row[choice], c.column[choice], c.work[choice]
            ):
                break
            else:
                k += 1
        if tried >= MOST_STEPS:
            whole = False
        if k >= start[depth + 1] or not whole:
            depth -= 1
            continue
        at[depth], choice = k, offered[k]
        _room(c, z, choice, 1)
        spare -= c.minutes_min[choice]
        loss[depth + 1] = loss[depth] + c.loss_min[choice]
        if loss[depth + 1] + max(spare - most_off[depth + 1], 0.0) >= most:
            continue
        if depth < count - 1:
            depth += 1
            at[depth] = start[depth] - 1
            continue
        value = loss[count] + spare
        for i in range(count):
            _weigh(c, s, z, offered[at[i]], 1)
        for p in group:
            value += _balance(s, z.load, p)
        for i in range(count):
            _weigh(c, s, z, offered[at[i]], -1)
        if value < most:
            most, found = value - EPSILON, True
            for i in range(count):
                best[i] = offered[at[i]]
    return tried, found, whole


@njit(cache=True)
def settle(
    c: Choices,
    s: Shares,
    z: State,
    rank: NDArray[np.int64],
    people: NDArray[np.int64],
    steps: int,
    dear: float,
    seed: int,
) -> tuple[int, bool]:
    """Settle groups of ``people`` until so many choices were tried; return how many, and whether anybody lacks minutes then."""
    np.random.seed(seed)
    mine = np.zeros(len(z.load), np.bool_)
    mine[people] = True
    loss, used, lacking = np.zeros(len(z.load)), 0, 0
    for p in people:
        loss[p] = _loss(c, s, z, p, dear)
        lacking += _lacks(z.slack, p) > 0
    while used < steps:
        size = min(int(z.size[0] + np.random.random()), len(people))
        group = _group(c, z, people, mine, loss, size)
        local = np.zeros(len(z.load), np.bool_)
        local[group] = True
        most = loss[group].sum()
        tasks = _tasks(c, z, rank, group, local, most)
        for i in range(len(tasks)):
            if c.person[z.chosen[tasks[i]]] < 0:
                most += c.loss_min[z.chosen[tasks[i]]]
        most -= EPSILON
        start, offered = np.zeros(len(tasks) + 1, np.int64), np.empty(len(tasks), np.int64)
        count, spare = 0, (s.unused_min[group] - z.fixed_min[group]).sum()
        for i in range(len(tasks)):
            for choice in range(c.start[tasks[i]], c.start[tasks[i] + 1]):
                if c.loss_min[choice] >= most:
                    break
                if c.person[choice] < 0 or local[c.person[choice]]:
                    if count == len(offered):
                        offered = np.append(offered, np.empty(count + 8, np.int64))
                    offered[count] = choice
                    count += 1
            start[i + 1] = count
        used += len(z.load) + 10 * len(tasks) + count
        if len(tasks) == 0 or count == 0:
            continue
        for t in tasks:
            _put(c, s, z, z.chosen[t], -1)
        best = z.chosen[tasks]
        tried, found, whole = _enumerate(c, s, z, group, start, offered, spare, most, best)
        used += tried
        z.size[0] = min(max(z.size[0] * (WIDER if whole else NARROWER), FEWEST), float(len(people)))
        for i in range(len(tasks)):
            z.chosen[tasks[i]] = best[i]
            _put(c, s, z, best[i], 1)
        if found:
            _hold(c, z, group, tasks)
            for p in group:
                lacking -= _lacks(z.slack, p) > 0
                loss[p] = _loss(c, s, z, p, dear)
    lacking = 0
    for p in people:
        lacking += _lacks(z.slack, p) > 0
    return used, lacking > 0


@njit(cache=True)
def _hold(c: Choices, z: State, group: NDArray[np.int64], tasks: NDArray[np.int64]) -> None:
    """Note who has the tasks of a group now."""
    left = 0
    for i in range(z.held_count[-1]):
        t = z.held[-1, i]
        if not (tasks == t).any():
            z.held[-1, left], z.place[t] = t, left
            left += 1
    z.held_count[-1] = left
    z.held_count[group] = 0
    for t in tasks:
        p = c.person[z.chosen[t]]
        _enter(z, t, p)
