"""Prices of everybody's minutes by ascent: a bound, and where work belongs, for firms too large for a linear solver.

At any prices of the minutes of people's windows, the sum of what each task costs at least, less what the hours are worth, bounds every
plan (Lagrange). The best prices give the bound of the linear relaxation, which takes seconds at 100 people, minutes at 300, and does
not fit in memory at 1,000. Here they rise and fall step by step instead, each price by a share of itself in the direction of what its
window lacks, as the steps of late agree (Adam: Kingma, Ba 2015). What makes that work is that a task is split among all who cost nearly
the least, for otherwise all work of a kind falls to one person after another: with the whole of each task where it costs least, 1,000
steps came to 0.4 of 6.7 million minutes, split by nearness to the least they come to 6.5. How near counts shrinks to nothing. Two tasks
of one piece are decided together, exactly, so order and separation hold between them. All compiled functions stand in this one module.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solver.crew import GoOn
from solver.multipliers import of_balance, steepest
from solver.problem import Problem

Floats = NDArray[np.float32]
Exact = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = NDArray[np.float32] | NDArray[np.float64]

FORBIDDEN = 1e12
"""Price of what is not allowed."""
EXACT_MIN = 2**24
"""Minutes from where single precision does not hold every whole number."""
MEAN_SHARE, SQUARE_SHARE = 0.9, 0.99
"""What is left of what a window lacked, and of its square, in the averages that a step follows."""
LEAST_MIN = 0.1
"""Minutes lacking that count for nothing."""
LEAST_PRICE = 0.01
"""Added to a price, in minutes a minute, before the share of it that a step may change is taken: where prices begin."""
LOAD_RATE = 0.01
"""Times the rate by which the price of a minute of load changes, which lies within the prices of being away from a fair share."""
ENTRIES_PER_UNIT = 6e8
"""Choices of window and person, and windows of people five times, seen in about a second."""
CELL_ENTRIES = 5


@dataclass(frozen=True)
class Leg:
    """Some steps: by which share prices change, and how much dearer than the cheapest a choice may be to get some of a task, as a share
    of what that costs and in minutes; first and last.
    """

    steps: int
    rate: tuple[float, float]
    near_share: tuple[float, float]
    near_min: tuple[float, float]


FIRST_LEG = Leg(500, (0.4, 0.005), (1.0, 0.003), (1_000.0, 3.0))
SECOND_LEG = Leg(500, (0.02, 0.0005), (0.01, 0.003), (10.0, 3.0))
"""Measured with 9,000 tasks for 300 people: 4.37 million minutes after the first leg, 4.46 after the second, ten seconds each; with 3,000
for 100, 6.64 and 6.65, two seconds each, where the linear relaxation gives 6.70. From half as far between first and last the first
leg ends at 3.89."""


@dataclass(frozen=True)
class MinutePrices:
    """What minutes cost.

    Attributes
    ----------
    minute
        ``(releases, dues, P)`` what a minute more in each window of a person would save, at least 0.
    load
        ``(1 + weeks, P)`` what a minute of load costs by its distance from the fair shares.
    """

    minute: Floats
    load: Exact


@njit(cache=True, fastmath=True)
def _spread(
    choice: Numbers,
    work: Floats,
    first: NDArray[np.int32],
    cell: Ints,
    left: Numbers,
    floor: Exact,
    paired: NDArray[np.bool_],
    price: Numbers,
    near_share: float,
    near_min: float,
    used: Floats,
    cost: Numbers,
) -> float:
    """Return what tasks cost at least, and put the minutes of each where it costs nearly that into ``used``."""
    total, people = 0.0, choice.shape[1]
    one, zero = left.dtype.type(1.0), left.dtype.type(0.0)
    used[:] = np.float32(0.0)
    for t in range(len(left)):
        if paired[t]:
            continue
        best, minutes = left[t], work[t]
        for w in range(first[t], first[t + 1]):
            mine, own, prices = cost[w - first[t]], choice[w], price[cell[w]]
            least = left.dtype.type(FORBIDDEN)
            for p in range(people):
                value = own[p] + minutes[p] * prices[p]
                mine[p] = value
                least = min(least, value)
            best = min(best, least)
        total += best
        near = one / left.dtype.type(near_min + near_share * (float(best) - floor[t]))
        whole = max(zero, one - (left[t] - best) * near)
        for i in range(first[t + 1] - first[t]):
            mine, some = cost[i], zero
            for p in range(people):
                part = max(zero, one - (mine[p] - best) * near)
                mine[p] = part
                some += part
            whole += some
        share = one / whole
        for w in range(first[t], first[t + 1]):
            mine, where = cost[w - first[t]], used[cell[w]]
            for p in range(people):
                where[p] += mine[p] * share * minutes[p]
    return total


@njit(cache=True)
def _two_least(own: Numbers, minutes: Floats, prices: Numbers) -> tuple[float, int, float, int]:
    """Return who costs least in a window and how much, and who costs least beside them."""
    least, who, next_least, next_who = 2.0 * FORBIDDEN, -1, 2.0 * FORBIDDEN, -1
    for p in range(len(own)):
        value = own[p] + minutes[p] * prices[p]
        if value < least:
            least, who, next_least, next_who = value, p, least, who
        elif value < next_least:
            next_least, next_who = value, p
    return least, who, next_least, next_who


@njit(cache=True)
def _paired(
    pair: Ints,
    ordered: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    choice: Numbers,
    work: Floats,
    first: NDArray[np.int32],
    cell: Ints,
    release: NDArray[np.int32],
    due: NDArray[np.int32],
    beyond: int,
    left: Numbers,
    price: Numbers,
    used: Floats,
) -> float:
    """Return what pairs of tasks cost at least together, by their rules, and add the minutes of each where it costs that."""
    total, most = 0.0, 0
    for t in range(len(first) - 1):
        most = max(most, first[t + 1] - first[t])
    value, who = np.empty((2, most, 2)), np.empty((2, most, 2), np.int64)
    for k in range(len(pair)):
        for side in range(2):
            t = pair[k, side]
            for i in range(first[t + 1] - first[t]):
                w = first[t] + i
                found = _two_least(choice[w], work[t], price[cell[w]])
                value[side, i, 0], who[side, i, 0], value[side, i, 1], who[side, i, 1] = found
        a, b = pair[k]
        best, at, p, q = float(left[a]) + float(left[b]), (-1, -1), -1, -1
        for i in range(-1, first[a + 1] - first[a]):
            for j in range(-1, first[b + 1] - first[b]):
                if i < 0 and j < 0:
                    continue
                v, w = first[a] + max(i, 0), first[b] + max(j, 0)
                if i >= 0 and j >= 0 and ordered[k] and release[w] < beyond and release[w] <= due[v]:
                    continue
                same = i >= 0 and j >= 0 and apart[k] and who[0, i, 0] == who[1, j, 0]
                for other in range(2 if same else 1):
                    one, two = (1 if same and other == 0 else 0), (1 if same and other == 1 else 0)
                    cost = (value[0, i, one] if i >= 0 else float(left[a])) + (
                        value[1, j, two] if j >= 0 else float(left[b])
                    )
                    if cost < best:
                        best, at = cost, (i, j)
                        p, q = (who[0, i, one] if i >= 0 else -1), (who[1, j, two] if j >= 0 else -1)
        total += best
        if p >= 0:
            used[cell[first[a] + at[0]], p] += work[a, p]
        if q >= 0:
            used[cell[first[b] + at[1]], q] += work[b, q]
    return total


@njit(cache=True, fastmath=True)
def _step(
    used: Floats,
    room: Floats,
    binds: NDArray[np.bool_],
    price: Floats,
    mean: Floats,
    square: Floats,
    load: Floats,
    inside: Floats,
    rate: float,
    seen: int,
    dearest: float,
) -> None:
    """Change prices ``(releases * dues, P)`` by what windows lack; put minutes due in each column into ``load``."""
    dues, people = load.shape
    rows = len(room) // max(dues, 1)
    kept, kept_square = np.float32(MEAN_SHARE), np.float32(SQUARE_SHARE)
    fresh, fresh_square = np.float32(1.0 - MEAN_SHARE), np.float32(1.0 - SQUARE_SHARE)
    most = np.float32(rate / (1.0 - MEAN_SHARE**seen))
    scale = np.float32(1.0 / (1.0 - SQUARE_SHARE**seen))
    least, begin, zero = np.float32(LEAST_MIN), np.float32(LEAST_PRICE), np.float32(0.0)
    ceiling = np.float32(dearest)
    row = np.zeros(people, np.float32)
    inside[:] = zero
    load[:] = zero
    for a in range(rows - 1, -1, -1):
        row[:] = zero
        for b in range(dues):
            cell = a * dues + b
            if not binds[cell]:
                continue
            minutes, around, due = used[cell], inside[b], load[b]
            mine, m, s, open_min = price[cell], mean[cell], square[cell], room[cell]
            for p in range(people):
                row[p] += minutes[p]
                due[p] += minutes[p]
                around[p] += row[p]
                lacks = around[p] - open_min[p]
                lacks = zero if (mine[p] <= zero and lacks < zero) else lacks
                m[p] = kept * m[p] + fresh * lacks
                s[p] = kept_square * s[p] + fresh_square * lacks * lacks
                moved = mine[p] + most * (mine[p] + begin) * m[p] / (np.sqrt(s[p] * scale) + least)
                mine[p] = min(max(moved, zero), ceiling)


@njit(cache=True, fastmath=True)
def _summed(
    price: Floats,
    binds: NDArray[np.bool_],
    load: Numbers,
    counts: NDArray[np.bool_],
    out: Numbers,
    around: Numbers,
) -> None:
    """Put what a minute in each window costs in all into ``out``: its own price, that of every window around it, and of the load."""
    dues, people = around.shape
    rows = len(price) // max(dues, 1)
    row = np.zeros_like(around[0])
    around[:] = 0
    for a in range(rows):
        row[:] = 0
        for b in range(dues - 1, -1, -1):
            cell = a * dues + b
            if not binds[cell]:
                continue
            here, sums, total = price[cell], around[b], out[cell]
            for p in range(people):
                row[p] += here[p]
                sums[p] += row[p]
                total[p] = sums[p] + load[0, p]
            for j in range(len(counts)):
                if counts[j, b]:
                    for p in range(people):
                        total[p] += load[1 + j, p]
    for p in range(people):
        out[rows * dues, p] = load[0, p]


class Ascent:
    """Prices on their way up.

    Attributes
    ----------
    used_units
        Deterministic work so far, in units of about a second of one core.
    """

    def __init__(self, problem: Problem, start: MinutePrices | None = None) -> None:
        """Lay the choices out by window, from prices that are nothing unless there are some to start from."""
        self.problem, self.used_units = problem, 0.0
        rows, dues, people = len(problem.releases), len(problem.dues), problem.person_count
        self.shape = rows, dues, people
        inside = problem.due_column < dues
        self.cell: Ints = np.where(
            inside, problem.release_row.astype(np.int64) * dues + problem.due_column, rows * dues
        )
        self.most_windows = int(np.diff(problem.first_window).max(initial=1))
        self.work = np.where(problem.allowed, problem.work_min, 0).astype(np.float32)
        self.choice = self._choices(inside)
        self.left = np.where(problem.may_escalate, problem.escalation_min, FORBIDDEN).astype(np.float64)
        self.floor: Exact = np.minimum(
            self.left, np.minimum.reduceat(self.choice.min(axis=1), problem.first_window[:-1])
        ).astype(np.float64)
        may = problem.may_escalate[:, None] & problem.allowed
        self.dearest = float((problem.escalation_min[:, None] / np.maximum(problem.work_min, 1))[may].max(initial=1.0))
        self.binds = (problem.releases[:, None] <= problem.dues[None, :]).ravel()
        self.room = np.maximum(problem.room_min, 0).transpose(1, 2, 0).reshape(rows * dues, people).astype(np.float32)
        self.counts = problem.dues[None, :] <= problem.balance.end_slots[:, None]
        self.pair, self.ordered, self.apart = _pairs(problem)
        self.paired = np.zeros(problem.task_count, dtype=np.bool_)
        self.paired[self.pair.ravel()] = True
        begin = MinutePrices(np.zeros(self.shape, dtype=np.float32), np.zeros((1 + len(self.counts), people)))
        start = start or begin
        self.minute: Floats = start.minute.reshape(rows * dues, people).copy()
        self.load = start.load.copy()

    @property
    def prices(self) -> MinutePrices:
        """The prices as they are, as copies."""
        return MinutePrices(self.minute.reshape(self.shape).copy(), self.load.copy())

    def _choices(self, inside: NDArray[np.bool_]) -> Numbers:
        """Return ``(windows, P)`` what each choice costs beside minutes."""
        problem = self.problem
        dearest = int(problem.late_min.max(initial=0)) + int(problem.comfort_min.max(initial=0))
        choice = np.full(
            (len(problem.release), problem.person_count), FORBIDDEN, np.float32 if dearest < EXACT_MIN else np.float64
        )
        for t in range(problem.task_count):
            for w in problem.windows_of(t):
                may = problem.allowed[t]
                if inside[w]:
                    room = problem.room_min[:, problem.release_row[w], problem.due_column[w]]
                    may = may & (room >= problem.work_min[t])
                choice[w, may] = problem.late_min[w] + problem.comfort_min[t, may].astype(np.int64)
        return choice

    def climb(self, leg: Leg, go_on: GoOn) -> None:
        """Make the steps of a leg, or as many as there is time for."""
        problem, (rows, dues, people) = self.problem, self.shape
        shares = problem.balance
        most = steepest(shares)[:, None]
        mean, square = np.zeros_like(self.minute), np.zeros_like(self.minute)
        load_mean, load_square = np.zeros_like(self.load), np.zeros_like(self.load)
        used = np.zeros((rows * dues + 1, people), dtype=np.float32)
        price, around = np.zeros_like(used), np.zeros((dues, people), dtype=np.float32)
        due, left = np.zeros((dues, people), dtype=np.float32), self.left.astype(np.float32)
        cost = np.zeros((self.most_windows, people), dtype=np.float32)
        for step in range(leg.steps):
            if not go_on():
                break
            done, seen = step / leg.steps, step + 1
            rate, near_share, near_min = (
                low * (high / low) ** done for low, high in (leg.rate, leg.near_share, leg.near_min)
            )
            _summed(self.minute, self.binds, self.load.astype(np.float32), self.counts, price, around)
            self._least(left, price, near_share, near_min, used, cost)
            _step(used, self.room, self.binds, self.minute, mean, square, due, around, rate, seen, self.dearest)
            loads = np.vstack([due.sum(axis=0) + used[-1], self.counts.astype(np.float32) @ due])
            away = loads - shares.share_min.T
            far = np.abs(self.load[0]) > shares.near_pct / 100.0
            away[0] -= np.where(far, np.sign(self.load[0]) * shares.far_min, 0.0)
            load_mean = MEAN_SHARE * load_mean + (1.0 - MEAN_SHARE) * away
            load_square = SQUARE_SHARE * load_square + (1.0 - SQUARE_SHARE) * away**2
            pull = load_mean / (1.0 - MEAN_SHARE**seen)
            size = np.sqrt(load_square / (1.0 - SQUARE_SHARE**seen)) + LEAST_MIN
            self.load = np.clip(self.load + LOAD_RATE * rate * pull / size, -most, most)
            self.used_units += (self.choice.size + CELL_ENTRIES * int(self.binds.sum()) * people) / ENTRIES_PER_UNIT

    def bound(self) -> float:
        """Return what no plan can beat, at the prices as they are, in double precision; less than nothing where a task has no place."""
        problem, (rows, dues, people) = self.problem, self.shape
        price, around = np.zeros((rows * dues + 1, people)), np.zeros((dues, people))
        _summed(self.minute, self.binds, self.load, self.counts, price, around)
        used = np.zeros((rows * dues + 1, people), dtype=np.float32)
        cost = np.zeros((self.most_windows, people))
        total = self._least(self.left, price, 0.0, 1.0, used, cost)
        if total >= FORBIDDEN / 2:
            return -np.inf
        for cell in np.flatnonzero(self.binds).tolist():
            total -= float(self.minute[cell].astype(np.float64) @ self.room[cell].astype(np.float64))
        return total + of_balance(self.load.T, problem.balance)

    def _least(
        self, left: Numbers, price: Numbers, near_share: float, near_min: float, used: Floats, cost: Numbers
    ) -> float:
        """Return what all tasks cost at least, and fill ``used``."""
        problem = self.problem
        alone = _spread(
            self.choice,
            self.work,
            problem.first_window,
            self.cell,
            left,
            self.floor,
            self.paired,
            price,
            near_share,
            near_min,
            used,
            cost,
        )
        together = _paired(
            self.pair,
            self.ordered,
            self.apart,
            self.choice,
            self.work,
            problem.first_window,
            self.cell,
            problem.release,
            problem.due,
            problem.board.axis.count,
            left,
            price,
            used,
        )
        return float(alone + together)


def _pairs(problem: Problem) -> tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return pairs of linked tasks, each task in one at most: preparation before review, whether in order, and whether two people's."""
    taken, found = set[int](), list[tuple[int, int, bool, bool]]()
    owner = np.repeat(np.arange(problem.task_count), np.diff(problem.piece_start))
    mates = set(zip(owner.tolist(), problem.piece.tolist(), strict=True))
    reviews = np.flatnonzero(problem.preparation >= 0)
    in_order = zip(problem.preparation[reviews].tolist(), reviews.tolist(), strict=True)
    for (a, b), ordered in chain(((link, True) for link in in_order), ((link, False) for link in sorted(mates))):
        if a not in taken and b not in taken and a != b:
            taken |= {a, b}
            found.append((a, b, ordered, (a, b) in mates))
    pair = np.array([(a, b) for a, b, _, _ in found], dtype=np.int64).reshape(-1, 2)
    return pair, np.array([o for *_, o, _ in found], dtype=np.bool_), np.array([m for *_, m in found], dtype=np.bool_)
