"""Parts of a problem that share nothing, and any part of a problem as a problem of its own.

People and tasks are the nodes: a task is joined to everybody allowed to do it, to the other tasks of its piece, and to its
preparation. What is not joined has no price and no rule in common, and the fair shares stay those of the whole firm, so the
objectives of the components, and bounds on them, add up to the whole's, together with the escalation of tasks nobody may do:

    for one in components(problem):
        part = restricted(problem, one.tasks, one.people)
        plan = part.lifted(best_of(part.problem), plan)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from solver.axis import Axis
from solver.board import Board
from solver.pairs import TOGETHER, Pairs
from solver.problem import ESCALATED, Assignment, Problem
from solver.wide import pairs_of


@dataclass(frozen=True)
class Component:
    """Places of some tasks and people in a problem, ascending."""

    tasks: NDArray[np.int64]
    people: NDArray[np.int64]


@dataclass(frozen=True)
class Horizon:
    """All that a restricted problem keeps of its board; its tasks and people have other places there than here."""

    axis: Axis
    open_min: NDArray[np.int64]

    def __getattr__(self, name: str) -> Any:
        """Refuse the rest, which would be read at the wrong places."""
        raise AttributeError(
            f'a restricted problem has no "{name}" of the board. Maybe lift its plan to the whole first.'
        )


@dataclass(frozen=True)
class Restricted:
    """A problem cut down to some tasks and people.

    The problem may go to whatever reads arrays: annealing, exact models, neighbourhoods, bounds, `solver.construct.completed`,
    `Problem.objective_min`. What names tasks and people (the rule's plan, terms, writing, reading, proposals) raises
    ``AttributeError``: it takes the whole problem and a lifted plan.

    Attributes
    ----------
    tasks, people, windows
        Their places in the whole problem, ascending.
    """

    problem: Problem
    tasks: NDArray[np.int64]
    people: NDArray[np.int64]
    windows: NDArray[np.int64]
    whole_first: NDArray[np.int64]

    def lifted(self, plan: Assignment, onto: Assignment) -> Assignment:
        """Return the whole's plan ``onto`` with these tasks as in ``plan``."""
        lifted = onto.copy()
        placed = np.flatnonzero(plan.who >= 0)
        lifted.who[self.tasks], lifted.window[self.tasks] = ESCALATED, -1
        lifted.who[self.tasks[placed]] = self.people[plan.who[placed]]
        chosen = self.windows[self.problem.chosen(plan, placed)]
        lifted.window[self.tasks[placed]] = chosen - self.whole_first[placed]
        return lifted


def components(problem: Problem) -> tuple[Component, ...]:
    """Return the connected components of a problem, the earliest person first.

    Tasks nobody may do belong to none; each person who may do nothing is a component without tasks.
    """
    root, first = _joined_by_tasks(problem)
    for t, other in _links(problem):
        both = (first[t] >= 0) & (first[other] >= 0)
        root = _connected(root, first[t][both], first[other][both])
    some = np.flatnonzero(first >= 0)
    tasks = _grouped(some, root[first[some]])
    none = np.zeros(0, dtype=np.int64)
    people = _grouped(np.arange(problem.person_count), root)
    return tuple(Component(tasks.get(name, none), people[name]) for name in sorted(people))


def restricted(
    problem: Problem,
    tasks: NDArray[np.int64],
    people: NDArray[np.int64],
    *,
    usable: NDArray[np.bool_] | None = None,
) -> Restricted:
    """Return a problem cut down to some tasks and people.

    Parameters
    ----------
    usable
        ``(W,)`` which windows of the whole problem may be used; all where not given. A task with none left is allowed to nobody.

    Work whose holder or promised window is not here may be escalated here; lift such a plan only when it is not.
    """
    tasks, people = np.unique(tasks).astype(np.int64), np.unique(people).astype(np.int64)
    counts = np.diff(problem.first_window).astype(np.int64)[tasks]
    owner = np.repeat(np.arange(len(tasks)), counts)
    first = problem.first_window[tasks].astype(np.int64)
    windows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    lost = np.zeros(len(tasks), dtype=np.bool_)
    if usable is not None:
        keep = usable[windows]
        lost = np.bincount(owner[keep], minlength=len(tasks)) == 0
        keep |= lost[owner]  # every task has windows, also one that is allowed to nobody
        windows, owner = windows[keep], owner[keep]
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(tasks)))]).astype(np.int32)
    piece, piece_start = _pieces(problem, tasks)
    work, comfort, allowed = _pairs(problem, tasks, people)
    allowed[lost] = False
    today = _today(problem, tasks, people, windows, starts)
    today.who[lost], today.window[lost] = ESCALATED, -1
    cut = replace(
        problem,
        board=cast("Board", Horizon(problem.board.axis, problem.board.open_min[people])),
        work_min=work,
        comfort_min=comfort,
        allowed=allowed,
        first_window=starts,
        release=problem.release[windows],
        due=problem.due[windows],
        late_min=problem.late_min[windows],
        release_row=problem.release_row[windows],
        due_column=problem.due_column[windows],
        room_min=problem.room_min[people],
        escalation_min=problem.escalation_min[tasks],
        may_escalate=today.who < 0,
        piece=piece,
        piece_start=piece_start,
        preparation=_places(tasks, problem.task_count)[problem.preparation[tasks]],
        balance=replace(
            problem.balance, share_min=problem.balance.share_min[people], far_min=problem.balance.far_min[people]
        ),
        today=today,
    )
    return Restricted(cut, tasks, people, windows, first)


def _joined_by_tasks(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of each person the earliest person they are joined to by tasks, and of each task the first who may do it, or -1."""
    root = np.arange(problem.person_count)
    first = np.full(problem.task_count, -1, dtype=np.int64)
    if problem.person_count:
        for start in range(0, problem.task_count, TOGETHER):
            tasks = np.arange(start, min(start + TOGETHER, problem.task_count))
            may = pairs_of(problem, tasks).allowed
            some = may.any(axis=1)
            first[tasks[some]] = may[some].argmax(axis=1)
            task, person = np.nonzero(may)
            root = _connected(root, first[tasks[task]], person)
    return root, first


def _connected(root: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the earliest person each is joined to, after joining the people ``one`` to the people ``other`` as well."""
    count = len(root)
    if not len(one):
        return root
    row, column = np.concatenate([np.arange(count), one]), np.concatenate([root, other])
    graph = sp.coo_matrix((np.ones(len(row), dtype=np.int8), (row, column)), shape=(count, count))
    found, label = connected_components(graph.tocsr(), directed=False)
    earliest = np.full(found, count, dtype=np.int64)
    np.minimum.at(earliest, label, np.arange(count))
    joined: NDArray[np.int64] = earliest[label]
    return joined


def _links(problem: Problem) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
    """Return the pairs of tasks that a piece of work or an order joins."""
    later = np.flatnonzero(problem.preparation >= 0)
    in_piece = np.repeat(np.arange(problem.task_count), np.diff(problem.piece_start))
    return (in_piece, problem.piece.astype(np.int64)), (later, problem.preparation[later].astype(np.int64))


def _grouped(places: NDArray[np.int64], name: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """Return ``places`` by their name, each group in the order given."""
    order = np.argsort(name, kind="stable")
    groups = np.split(places[order], np.flatnonzero(np.diff(name[order])) + 1)
    names = np.unique(name).tolist()
    return dict(zip(names, groups, strict=False))


def _places(chosen: NDArray[np.int64], count: int) -> NDArray[np.int32]:
    """Return the new place of each of ``count`` old ones, -1 where it is gone; one more entry answers for the place -1."""
    places = np.full(count + 1, -1, dtype=np.int32)
    places[chosen] = np.arange(len(chosen))
    return places


def _pairs(problem: Problem, tasks: NDArray[np.int64], people: NDArray[np.int64]) -> Pairs:
    """Return some rows and columns of the tables, a hundred rows at a time: a wide problem has no more at once."""
    shape = len(tasks), len(people)
    found = Pairs(np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.bool_))
    for start in range(0, len(tasks), TOGETHER):
        here = slice(start, start + TOGETHER)
        for table, rows in zip(found, pairs_of(problem, tasks[here]), strict=True):
            table[here] = rows[:, people]
    return found


def _pieces(problem: Problem, tasks: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the other tasks of each piece that are here, renumbered, and their starts."""
    places = _places(tasks, problem.task_count)
    owner = places[np.repeat(np.arange(problem.task_count), np.diff(problem.piece_start))]
    here = (owner >= 0) & (places[problem.piece] >= 0)
    counts = np.bincount(owner[here], minlength=len(tasks))
    return places[problem.piece[here]], np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def _today(
    problem: Problem,
    tasks: NDArray[np.int64],
    people: NDArray[np.int64],
    windows: NDArray[np.int64],
    starts: NDArray[np.int32],
) -> Assignment:
    """Return today's assignment here; what somebody else holds, or holds in a window that is not here, is escalated."""
    who = _places(people, problem.person_count)[problem.today.who[tasks]]
    held = np.flatnonzero(who >= 0)
    before = problem.chosen(problem.today, tasks[held])
    place = np.searchsorted(windows, before).clip(max=max(len(windows) - 1, 0))
    gone = windows[place] != before
    window = np.full(len(tasks), -1, dtype=np.int32)
    window[held] = place - starts[held]
    who[held[gone]], window[held[gone]] = ESCALATED, -1
    return Assignment(who.astype(np.int32), window)
