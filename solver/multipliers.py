"""The multipliers of a relaxation, and the bound they give of a firm that differs a little.

A relaxation of a large firm takes half a minute, and a variant of the firm is wanted in seconds. At any prices of minutes, the sum of
what each task costs at least, less what the hours are worth, bounds every plan (Lagrange), so the multipliers of today's relaxation bound
a variant as well: what somebody away would have done is missing at its price. Windows of those whose hours changed are then made dearer
where they would be overbooked, for lost minutes make the others scarce.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.prices import Balance
from solver.problem import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOLERANCE = 1e-6
"""Taken off a bound, as a share of it, for floating-point sums."""
RAISES = 8
"""Windows of changed people that are made dearer, each time the one most overbooked at the prices so far."""
DEAREST_MIN, HALVINGS = 240.0, 8
"""Where the search for the price to add to a minute of such a window ends, and its steps."""


@dataclass(frozen=True)
class Picks:
    """Everything that may happen, one entry each: task, person, flat window."""

    task: Ints
    person: Ints
    window: Ints

    def price_min(self, problem: Problem) -> Floats:
        """Return what each costs beside the balance."""
        price = problem.late_min[self.window] + problem.comfort_min[self.task, self.person]
        return price.astype(np.float64)


def picks(problem: Problem) -> Picks:
    """Return everything that may happen.

    Windows too short for the whole task with nothing else to do are left out: a relaxation would fill them with a part of it.
    """
    task, person = np.nonzero(problem.allowed)
    count = np.diff(problem.first_window)[task]
    first = np.repeat(problem.first_window[task], count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    task, person, window = np.repeat(task, count), np.repeat(person, count), (first + offset).astype(np.int64)
    within = problem.due_column[window] < len(problem.dues)
    room = np.full(len(window), np.iinfo(np.int64).max)
    row, column = problem.release_row[window[within]], problem.due_column[window[within]]
    room[within] = problem.room_min[person[within], row, column]
    possible = room >= problem.work_min[task, person]
    return Picks(task[possible], person[possible], window[possible])


@dataclass(frozen=True)
class Multipliers:
    """What minutes are worth by a relaxation of one problem, whose rows and slots are meant.

    Attributes
    ----------
    person, release
        ``(C,)`` row and first slot of each chain of windows.
    dues
        Last slots of the windows of a chain.
    minute
        ``(C, dues)`` worth of a minute more in each window, at least 0.
    end_slots
        Last slots of the levelled weeks.
    load
        ``(P, 1 + weeks)`` what a minute of load costs by its distance from the fair shares; less than 0 below the share.
    """

    person: Ints
    release: Ints
    dues: Ints
    minute: Floats
    end_slots: Ints
    load: Floats

    def tables(self, problem: Problem, today: Problem) -> tuple[Floats, Floats]:
        """Return ``(P, releases, dues)`` and ``(P, 1 + weeks)``: what they are, found for ``today``, for ``problem``."""
        row = np.array([problem.board.staff.row.get(name, -1) for name in today.board.staff.ids], dtype=np.int64)
        minute = np.zeros(problem.room_min.shape)
        releases = np.searchsorted(problem.releases, self.release)
        dues = np.searchsorted(problem.dues, self.dues, side="right") - 1
        chains = np.flatnonzero((row[self.person] >= 0) & (releases < len(problem.releases)))
        columns = np.flatnonzero(dues >= 0)
        if len(chains) and len(columns):
            place = (row[self.person[chains]][:, None], releases[chains][:, None], dues[columns][None, :])
            np.add.at(minute, place, self.minute[np.ix_(chains, columns)])
        minute[:, problem.releases[:, None] > problem.dues[None, :]] = 0.0
        load = np.zeros(problem.balance.share_min.shape)
        mine, known = np.flatnonzero(row >= 0), self.end_slots.tolist()
        for column, end in enumerate([None, *problem.balance.end_slots.tolist()]):
            if end is None or end in known:
                load[row[mine], column] = self.load[mine, 0 if end is None else 1 + known.index(end)]
        return minute, load


def shifted_bound(problem: Problem, today: Problem, multipliers: Multipliers | None) -> int:
    """Return a bound of a problem, unavoidable part included, from multipliers of ``today``'s; 0 where its days are others."""
    axis, other = problem.board.axis, today.board.axis
    if multipliers is None or not problem.task_count or (axis.days, axis.ends) != (other.days, other.ends):
        return 0
    minute, load = multipliers.tables(problem, today)
    held, changed = _Held(problem), _changed(problem, today)
    best = held.bound(minute, load)
    for _ in range(RAISES if len(changed) else 0):
        place = held.most_overbooked(minute, load, changed)
        value, more = (best, 0.0) if place is None else _best_raise(held, minute, load, place)
        if place is None or value <= best:
            break
        best, minute[place] = value, minute[place] + more
    return max(math.ceil(best - TOLERANCE * (1.0 + abs(best))), 0) if best > -math.inf else 0


def _best_raise(held: _Held, minute: Floats, load: Floats, place: tuple[int, int, int]) -> tuple[float, float]:
    """Return the best bound with more added to the price of one window, and how much: concave in it, so by thirds."""

    def at(more: float) -> float:
        tried = minute.copy()
        tried[place] += more
        return held.bound(tried, load)

    low, high = 0.0, DEAREST_MIN
    for _ in range(HALVINGS):
        third = (high - low) / 3.0
        low, high = (low, high - third) if at(low + third) >= at(high - third) else (low + third, high)
    more = (low + high) / 2.0
    return at(more), more


def _changed(problem: Problem, today: Problem) -> Ints:
    """Return the rows of people who are new or have other hours."""
    there, row = today.board.staff.row, problem.board.staff.row
    apart: Iterable[int] = (
        p
        for name, p in row.items()
        if name not in there or not np.array_equal(problem.board.open_min[p], today.board.open_min[there[name]])
    )
    return np.array(sorted(apart), dtype=np.int64)


class _Held:
    """A problem's picks, and the bound at any multipliers."""

    def __init__(self, problem: Problem) -> None:
        self.problem, found = problem, picks(problem)
        order = np.argsort(found.task, kind="stable")
        self.task, self.person, self.window = found.task[order], found.person[order], found.window[order]
        self.price = found.price_min(problem)[order]
        self.work = problem.work_min[self.task, self.person].astype(np.float64)
        self.within = np.flatnonzero(problem.due_column[self.window] < len(problem.dues))
        inside = self.window[self.within]
        self.place = (self.person[self.within], problem.release_row[inside], problem.due_column[inside])
        self.counts = problem.due[self.window][:, None] <= problem.balance.end_slots[None, :]
        self.some, self.first = np.unique(self.task, return_index=True)

    def bound(self, minute: Floats, load: Floats) -> float:
        """Return what no plan can beat, for any ``minute >= 0`` and any ``load``."""
        problem, cost = self.problem, _within_slopes(load, self.problem.balance)
        least = self._least(self._costs(minute, cost))
        if not np.isfinite(least).all():
            return -math.inf  # work that somebody holds has no window left: the relaxation has no answer
        hours = float((minute * np.maximum(problem.room_min, 0)).sum())
        return float(least.sum()) - hours + of_balance(cost, problem.balance)

    def most_overbooked(self, minute: Floats, load: Floats, people: Ints) -> tuple[int, int, int] | None:
        """Return the window of some people with most more work than room where every task takes its cheapest choice, if any has."""
        problem = self.problem
        costs = self._costs(minute, _within_slopes(load, problem.balance))
        mine = np.isin(self.person, people) & (costs <= self._least(costs)[self.task])
        inside = mine[self.within]
        used = np.zeros(problem.room_min.shape)
        np.add.at(used, tuple(place[inside] for place in self.place), self.work[self.within][inside])
        over = (np.cumsum(np.cumsum(used[:, ::-1], axis=1)[:, ::-1], axis=2) - problem.room_min)[people]
        if not over.size or over.max() <= 0:
            return None
        p, row, column = np.unravel_index(int(over.argmax()), over.shape)
        return int(people[p]), int(row), int(column)

    def _costs(self, minute: Floats, cost: Floats) -> Floats:
        """Return what each choice costs at these prices."""
        worth = np.cumsum(np.cumsum(minute, axis=1)[:, :, ::-1], axis=2)[:, :, ::-1]
        a_minute = cost[self.person, 0] + np.where(self.counts, cost[self.person, 1:], 0.0).sum(axis=1)
        a_minute[self.within] += worth[self.place]
        total: Floats = self.price + self.work * a_minute
        return total

    def _least(self, costs: Floats) -> Floats:
        """Return what each task costs at least."""
        problem = self.problem
        least: Floats = np.where(problem.may_escalate, problem.escalation_min, np.inf).astype(np.float64)
        if len(self.some):
            least[self.some] = np.minimum(least[self.some], np.minimum.reduceat(costs, self.first))
        return least


def _within_slopes(load: Floats, shares: Balance) -> Floats:
    """Return multipliers of loads no steeper than the price of being away from a share: steeper ones bound nothing."""
    most = steepest(shares)
    return np.clip(load, -most, most)


def steepest(shares: Balance) -> Floats:
    """Return ``(1 + weeks,)`` the most that a minute of each load may cost by its distance from the fair share."""
    most = np.full(1 + len(shares.end_slots), shares.week_pct / 100.0)
    most[0] = (shares.near_pct + shares.far_pct) / 100.0
    return most


def of_balance(cost: Floats, shares: Balance) -> float:
    """Return the least over all loads of the price of the balance, less what they cost already, ``cost`` ``(P, 1 + weeks)`` a minute."""
    beyond = np.maximum(np.abs(cost[:, 0]) - shares.near_pct / 100.0, 0.0)
    return float(-(cost * shares.share_min).sum() - (beyond * shares.far_min).sum())
