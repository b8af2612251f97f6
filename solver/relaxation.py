"""The linear relaxation of a problem: who may do what in which window, cumulative loads, and distances to fair shares.

Cumulative loads are variables, so a window costs one number and not one per task; windows that start later are added only where they are
violated, and so are the rows about order and separation. `solver.bound` makes a lower bound of it, `solver.master` adds whole
person-plans.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from solver.linear_program import Program, Repeated
from solver.multipliers import picks
from solver.problem import Problem

VIOLATED = 1e-3
"""By how much a row about two tasks must be broken to be added."""


class Link(NamedTuple):
    """A row about two tasks of one piece of work.

    Attributes
    ----------
    person
        Who may not do both; -1 where the row is about their order instead.
    end
        Slot: either the first task is due before it, or the second, which reviews it, is released after it.
    """

    first: int
    second: int
    person: int
    end: int


@dataclass(frozen=True)
class Solved:
    """What the linear solver returned: values and reduced prices of the variables, multipliers of equal rows and of the others
    (``shared_duals``), and what follows from these alone: the bound, and what each person's unused minutes save.
    """

    values: NDArray[np.float64]
    duals: NDArray[np.float64]
    reduced: NDArray[np.float64]
    unused: NDArray[np.float64]
    shared_duals: NDArray[np.float64]
    bound: float
    iterations: int


@dataclass
class _Columns:
    """Variables as they are added: price and upper bound each; lower bounds are zero."""

    price: list[NDArray[np.float64]] = field(default_factory=list)
    upper: list[NDArray[np.float64]] = field(default_factory=list)
    count: int = 0

    def add(self, price: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.int64]:
        self.price.append(price)
        self.upper.append(upper)
        self.count += len(price)
        return np.arange(self.count - len(price), self.count)


@dataclass
class _Rows:
    """Sparse constraint rows as they are added."""

    row: list[NDArray[np.int64]] = field(default_factory=list)
    column: list[NDArray[np.int64]] = field(default_factory=list)
    value: list[NDArray[np.float64]] = field(default_factory=list)
    right: list[NDArray[np.float64]] = field(default_factory=list)
    count: int = 0

    def new(self, right: NDArray[np.float64]) -> NDArray[np.int64]:
        self.right.append(right)
        self.count += len(right)
        return np.arange(self.count - len(right), self.count)

    def put(self, row: NDArray[np.int64], column: NDArray[np.int64], value: NDArray[np.float64] | float) -> None:
        self.row.append(row)
        self.column.append(column)
        self.value.append(np.broadcast_to(np.asarray(value, dtype=np.float64), row.shape))

    def matrix(self, columns: int) -> sp.csr_matrix:
        parts = (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column)))
        return sp.csr_matrix(parts, shape=(self.count, columns))


class Relaxation:
    """The linear program: who may do what in which window, escalations, cumulative loads, and distances to fair shares.

    Attributes
    ----------
    task, person, window
        Of each pick; the first variables are these.
    links
        What its last rows are about.
    chained
        Rows of the windows of a person that start at one release row or later, one a due column, in the order they were added.
    """

    def __init__(self, problem: Problem, chains: Iterable[tuple[int, int]] = (), links: Iterable[Link] = ()) -> None:
        """Write the program down, with the windows of later starts of ``chains`` and the rows of ``links``."""
        self.problem = problem
        self.columns, self.equal, self.most, self.repeated = _Columns(), _Rows(), _Rows(), Repeated()
        found = picks(problem)
        self.task, self.person, self.window = found.task, found.person, found.window
        self.work = problem.work_min[self.task, self.person].astype(np.float64)
        self.price = found.price_min(problem)
        self.x = self.columns.add(self.price, np.ones(len(self.price)))
        self.u = self.columns.add(problem.escalation_min.astype(np.float64), problem.may_escalate.astype(np.float64))
        once = self.equal.new(np.ones(problem.task_count))
        self.equal.put(once[self.task], self.x, 1.0)
        self.equal.put(once, self.u, 1.0)
        self.chained: dict[tuple[int, int], NDArray[np.int64]] = {}
        self.owned = [np.full(len(self.x) + len(self.u), -1)]
        self.share_owner = [np.zeros(0, dtype=np.int64)]
        self.shared: list[NDArray[np.int64]] = []
        self._imbalance()
        if len(problem.dues):
            for p in range(problem.person_count):
                self.add_chain(p, 0)
        for p, a in chains:
            self.add_chain(p, a)
        self.links: list[Link] = []
        self._add_links(list(links))

    @property
    def choices(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Task, person and flat window of each pick."""
        return self.task, self.person, self.window

    def add_chain(self, p: int, a: int) -> None:
        """Cumulative work of ``p`` released at row ``a`` or later: at most the room at each due column."""
        problem = self.problem
        room = problem.room_min[p, a].astype(np.float64)
        room = np.minimum(room, self.work[self.person == p].sum())
        y = self.columns.add(np.zeros(len(room)), np.maximum(room, 0.0))
        self.owned.append(np.full(len(y), p))
        rows = self.chained[p, a] = self.equal.new(np.zeros(len(room)))
        self.equal.put(rows, y, -1.0)
        self.equal.put(rows[1:], y[:-1], 1.0)
        mine = self.released(p, a)
        self.equal.put(rows[problem.due_column[self.window[mine]]], self.x[mine], self.work[mine])

    def released(self, p: int, a: int) -> NDArray[np.int64]:
        """Return picks of ``p`` within the horizon that are released at row ``a`` or later."""
        problem = self.problem
        within = problem.due_column[self.window] < len(problem.dues)
        return np.flatnonzero((self.person == p) & within & (problem.release_row[self.window] >= a))

    def _imbalance(self) -> None:
        """Distances of each load to its fair share, near and far, and at the week ends."""
        problem, shares = self.problem, self.problem.balance
        people, ones = np.arange(problem.person_count), np.ones(problem.person_count)
        most = np.bincount(self.person, weights=self.work, minlength=problem.person_count) + shares.share_min.max(
            axis=1, initial=0
        )
        far = self.columns.add(ones * shares.far_pct / 100.0, most)
        self.owned.append(people)
        for column in range(shares.share_min.shape[1]):
            weight = shares.near_pct if column == 0 else shares.week_pct
            away = self.columns.add(ones * weight / 100.0, most)
            self.owned.append(people)
            counted = np.flatnonzero(
                (problem.due[self.window] <= shares.end_slots[column - 1])
                if column
                else np.ones_like(self.x, dtype=bool)
            )
            share = shares.share_min[:, column].astype(np.float64)
            for sign in (1.0, -1.0):
                rows = self.most.new(sign * share)
                self.share_owner.append(people)
                self.shared.append(rows)
                self.most.put(rows[self.person[counted]], self.x[counted], sign * self.work[counted])
                self.most.put(rows, away, -1.0)
            if column == 0:
                rows = self.most.new(shares.far_min.astype(np.float64))
                self.share_owner.append(people)
                self.most.put(rows, away, 1.0)
                self.most.put(rows[people], far, -1.0)

    def solve(self) -> Solved:
        """Solve it, and work out the bound from its multipliers."""
        price, upper = np.concatenate(self.columns.price), np.concatenate(self.columns.upper)
        equal, most = self.equal.matrix(self.columns.count), self.most.matrix(self.columns.count)
        equal_right, most_right = np.concatenate(self.equal.right), np.concatenate(self.most.right)
        found = self.repeated.solve(Program(price, upper, equal, equal_right, most, most_right))
        if found is None:
            nothing = np.zeros(len(price))
            none = np.zeros(len(most_right))
            return Solved(nothing, np.zeros(len(equal_right)), nothing, nothing, none, -math.inf, 0)
        y_equal, y_most = found.equal, found.most
        reduced = price - equal.T @ y_equal - most.T @ y_most
        saved = np.minimum(reduced, 0.0) * upper
        # Sums, not products of vectors: from ten thousand entries on numpy does those on all cores, and rounds otherwise on one.
        bound = float((equal_right * y_equal).sum() + (most_right * y_most).sum() + saved.sum())
        # Rows of tasks and chains are the equal ones; what chains come to is in the upper bounds of their loads alone.
        owner, share_owner = np.concatenate(self.owned), np.concatenate(self.share_owner)
        theirs = np.zeros(self.problem.person_count)
        np.add.at(theirs, owner[owner >= 0], saved[owner >= 0])
        np.add.at(theirs, share_owner, (most_right * y_most)[: len(share_owner)])
        return Solved(found.values, y_equal, reduced, -theirs, y_most, bound, found.iterations)

    def add_violated_links(self, values: NDArray[np.float64]) -> bool:
        """Add the rows about two tasks of one piece of work that ``values`` violate; return whether there were any."""
        problem, share = self.problem, values[self.x]
        fresh: list[Link] = []
        for t in np.flatnonzero(problem.piece_start[:-1] < problem.piece_start[1:]).tolist():
            for other in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]].tolist():
                if t < other:
                    fresh += self._apart(t, other, share)
            if problem.preparation[t] >= 0:
                fresh += self._out_of_order(int(problem.preparation[t]), t, share)
        known = set(self.links)
        fresh = [link for link in fresh if link not in known]
        self._add_links(fresh)
        return bool(fresh)

    def _apart(self, t: int, other: int, share: NDArray[np.float64]) -> list[Link]:
        """Return for whom two tasks are one person's by more than one."""
        parts = np.zeros(self.problem.person_count)
        for mine in (self._picks_of(t), self._picks_of(other)):
            np.add.at(parts, self.person[mine], share[mine])
        return [Link(t, other, p, -1) for p in np.flatnonzero(parts > 1.0 + VIOLATED).tolist()]

    def _out_of_order(self, preparation: int, review: int, share: NDArray[np.float64]) -> list[Link]:
        """Return the slot before which a review begins, and after which its preparation ends, by most more than one, if there is one."""
        problem, mine, theirs = self.problem, self._picks_of(preparation), self._picks_of(review)
        due, release = problem.due[self.window[mine]], problem.release[self.window[theirs]]
        ends = np.unique(due)
        late = np.array([share[mine][due >= end].sum() for end in ends])
        early = np.array([share[theirs][(release <= end) & (release < problem.board.axis.count)].sum() for end in ends])
        if len(ends) == 0 or (late + early).max() <= 1.0 + VIOLATED:
            return []
        return [Link(preparation, review, -1, int(ends[(late + early).argmax()]))]

    def without_others(self, out: NDArray[np.bool_], pick: int) -> NDArray[np.bool_]:
        """Return the picks that are not to be had once one pick is decided as well."""
        gone: NDArray[np.bool_] = out | (self.task == self.task[pick]) | self.against(pick)
        gone[pick] = False
        return gone

    def against(self, pick: int) -> NDArray[np.bool_]:
        """Return which picks of linked tasks break their order with a pick, or are the same person's."""
        problem, (task, person, window) = self.problem, self.choices
        t, p, w = int(task[pick]), int(person[pick]), int(window[pick])
        against = np.zeros(len(task), dtype=np.bool_)
        beyond = problem.board.axis.count
        for other in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]].tolist():
            mine = self._picks_of(other)
            bad = person[mine] == p
            if problem.preparation[other] == t:
                bad |= (problem.release[window[mine]] <= problem.due[w]) & (problem.release[window[mine]] < beyond)
            elif problem.preparation[t] == other and problem.release[w] < beyond:
                bad |= problem.release[w] <= problem.due[window[mine]]
            against[mine] = bad
        return against

    def _picks_of(self, t: int) -> slice:
        """Return where the picks of a task are."""
        return slice(*np.searchsorted(self.task, [t, t + 1]).tolist())

    def _add_links(self, links: list[Link]) -> None:
        """Add rows: the parts of the picks that exclude each other are no more than one."""
        problem, rows = self.problem, self.most.new(np.ones(len(links)))
        for row, link in zip(rows.tolist(), links, strict=True):
            first, second = (np.arange(*self._picks_of(t).indices(len(self.task))[:2]) for t in link[:2])
            if link.person >= 0:
                first, second = (mine[self.person[mine] == link.person] for mine in (first, second))
            else:
                release = problem.release[self.window[second]]
                first = first[problem.due[self.window[first]] >= link.end]
                second = second[(release <= link.end) & (release < problem.board.axis.count)]
            both = np.concatenate([first, second])
            self.most.put(np.full(len(both), row), self.x[both], 1.0)
        self.links += links

    def add_violated(self, values: NDArray[np.float64]) -> bool:
        """Add the chains of later starts that ``values`` violates; return whether there were any."""
        problem = self.problem
        used = np.zeros((problem.person_count, *problem.room_min.shape[1:]))
        within = np.flatnonzero(problem.due_column[self.window] < len(problem.dues))
        minutes = self.work[within] * values[self.x[within]]
        place = (self.person[within], problem.release_row[self.window[within]], problem.due_column[self.window[within]])
        np.add.at(used, place, minutes)
        inside = np.cumsum(np.cumsum(used[:, ::-1, :], axis=1)[:, ::-1, :], axis=2)
        broken = (inside > problem.room_min + 0.5).any(axis=2)
        fresh = [(int(p), int(a)) for p, a in np.argwhere(broken) if (int(p), int(a)) not in self.chained]
        for p, a in fresh:
            self.add_chain(p, a)
        return bool(fresh)
