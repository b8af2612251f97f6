"""How a firm is cut into parts: its people by component, team and shared work; its tasks by holder, piece of work and price.

A table of everybody against everybody is never made: how much work two people share is judged by their minutes of each type
of work, one row of some dozen numbers a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.board import Board
from solver.components import components
from solver.price_list import PriceList
from solver.problem import Problem

Places = NDArray[np.int64]

LITTLE_SHARED = 0.3
"""Groups whose work is less alike than this are parted; others are mixed."""


@dataclass(frozen=True)
class Group:
    """People of one part, places ascending; ``alone`` when they are a whole component."""

    people: Places
    alone: bool


def grouped_people(problem: Problem, most_people: int) -> tuple[Group, ...]:
    """Cut everybody into groups of at most ``most_people``, each person into one.

    A component that is small enough stays whole. A larger one is cut by team; a team too large, or people without one, by the
    work they share; then the groups that share most are put together again while they are small enough. Those who may do nothing
    are one group.
    """
    found = [one for one in components(problem) if len(one.tasks)]
    idle = np.setdiff1d(np.arange(problem.person_count), np.concatenate([[], *(one.people for one in found)]))
    large = [one for one in found if len(one.people) > most_people]
    groups = [Group(one.people, True) for one in found if len(one.people) <= most_people]
    if len(idle):
        groups.append(Group(idle.astype(np.int64), True))
    if large:
        profile = work_profile(problem)
        for one in large:
            units = [unit for team in _teams(problem.board, one.people) for unit in _halved(profile, team, most_people)]
            groups.extend(Group(people, False) for people in _put_together(profile, units, most_people))
    return tuple(sorted(groups, key=lambda group: int(group.people[0])))


def work_profile(problem: Problem) -> NDArray[np.float32]:
    """Return ``(people, types)`` minutes of each type of work that each person may do, each row of length 1 or 0.

    The product of two people's rows says how much of their work is the same.
    """
    column = {kind: k for k, kind in enumerate(sorted(problem.board.types))}
    found = np.zeros((problem.person_count, len(column)), dtype=np.float64)
    for t, task in enumerate(problem.board.tasks):
        found[:, column[task.type]] += problem.work_min[t] * problem.allowed[t]
    length = np.sqrt((found**2).sum(axis=1, keepdims=True))
    profile: NDArray[np.float32] = np.round(found / np.maximum(length, 1.0), 6).astype(np.float32)
    return profile


def dealt_tasks(problem: Problem, groups: Sequence[Group], price_list: PriceList | None) -> Places:
    """Return the group of each task, -1 where nobody may do it.

    What somebody holds goes with them. New work goes with the other tasks of its piece where somebody there may do it, else to the
    group with the cheapest person, whose price rises with the work already dealt there.
    """
    group = np.full(problem.person_count, -1, dtype=np.int64)
    for g, one in enumerate(groups):
        group[one.people] = g
    dealt = np.full(problem.task_count, -1, dtype=np.int64)
    held = np.flatnonzero(problem.today.who >= 0)
    dealt[held] = group[problem.today.who[held]]
    desk = _Desk(problem, group, len(groups), price_list)
    for t in held.tolist():
        desk.take(t, int(dealt[t]), int(problem.work_min[t, problem.today.who[t]]))
    for t in np.flatnonzero(problem.today.who < 0).tolist():
        may = np.flatnonzero(problem.allowed[t])
        if len(may):
            dealt[t] = _beside_its_piece(problem, dealt, group, t, may)
            if dealt[t] < 0:
                dealt[t] = desk.cheapest(t, may)
            desk.take(t, int(dealt[t]), int(problem.work_min[t][may].mean()))
    return dealt


def _beside_its_piece(problem: Problem, dealt: Places, group: Places, t: int, may: Places) -> int:
    """Return the group of another task of the piece, where somebody without such a task may do this one; else -1."""
    others = problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]
    free = group[may[~np.isin(may, problem.today.who[others])]]
    new = dealt[others[problem.today.who[others] < 0]]  # each of these takes one of the free people
    return next((int(g) for g in dealt[others] if g >= 0 and (free == g).sum() > (new == g).sum()), -1)


class _Desk:
    """Deals new work out: per group and skill, the open minutes of those who have it, and the minutes dealt so far."""

    def __init__(self, problem: Problem, group: Places, count: int, price_list: PriceList | None) -> None:
        self.problem, self.group = problem, group
        board = problem.board
        self.minute = None if price_list is None else price_list.on(board.axis, board.staff.ids)
        skills = sorted({kind.skill for kind in board.types.values()})
        self.column = {skill: s for s, skill in enumerate(skills)}
        self.skill = [self.column[board.types[task.type].skill] for task in board.tasks]
        last = max((int(due) for due in problem.dues), default=-1)
        has = np.zeros((problem.person_count, len(skills)), dtype=np.bool_)
        for skill, s in self.column.items():
            has[:, s] = board.staff.efficiency_pct[board.staff.skill_row[skill]] > 0
        # Who has several skills has one day all the same: their minutes are split between them.
        open_min = board.until_min[:, last + 1] / np.maximum(has.sum(axis=1), 1)
        self.room = np.ones((count, len(skills)))
        np.add.at(self.room, group, has * open_min[:, None])
        self.demand = np.zeros_like(self.room)

    def take(self, t: int, group: int, minutes: int) -> None:
        """Count a task as work of a group."""
        self.demand[group, self.skill[t]] += minutes

    def cheapest(self, t: int, may: Places) -> int:
        """Return the group with the cheapest of the people who may do the task, the first of equals."""
        problem, skill = self.problem, self.skill[t]
        work = problem.work_min[t][may].astype(np.float64)
        price = problem.comfort_min[t][may].astype(np.float64)
        if self.minute is not None:
            due = min(int(problem.due[problem.first_window[t]]), self.minute.shape[1] - 1)
            price += work * self.minute[may, due]
        full = (self.demand[:, skill][self.group[may]] + work) / self.room[self.group[may], skill]
        # A group without room left would escalate the task, or something else for it.
        price += work * full + np.where(full > 1.0, float(problem.escalation_min[t]), 0.0)
        return int(self.group[may[np.round(price, 6).argmin()]])


def _teams(board: Board, people: Places) -> list[Places]:
    """Return people by team, in the order of the teams' names; those without one are one team."""
    found: dict[str, list[int]] = {}
    for p in people.tolist():
        found.setdefault(board.firm.people[p].team, []).append(p)
    return [np.array(found[name], dtype=np.int64) for name in sorted(found)]


def _halved(profile: NDArray[np.float32], people: Places, most_people: int) -> list[Places]:
    """Halve people until each group is small enough; equals are told apart by place.

    They are lined up between two who share least. Where the line has a gap and its sides share little, it is cut there; else
    neighbours go to different halves, so that each half has every kind of people, and overload in one skill finds them.
    """
    if len(people) <= most_people:
        return [people]
    rows = profile[people].astype(np.float64)
    one = rows[int(np.round(rows @ rows.mean(axis=0), 6).argmin())]
    other = rows[int(np.round(rows @ one, 6).argmin())]
    leaning = np.round(rows @ (one - other), 6)
    order = np.argsort(-leaning, kind="stable")
    third = len(people) // 3
    steps = (leaning[order[:-1]] - leaning[order[1:]])[third : len(people) - third - 1]
    halves = order[::2], order[1::2]
    if len(steps) and steps.max() > 0:
        cut = third + 1 + int(steps.argmax())
        if _shared(rows[order[:cut]], rows[order[cut:]]) < LITTLE_SHARED:
            halves = order[:cut], order[cut:]
    return [group for half in halves for group in _halved(profile, np.sort(people[half]), most_people)]


def _shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return how alike the work of two groups is, from 0 for nothing in common to 1."""
    a, b = one.mean(axis=0), other.mean(axis=0)
    return float(a @ b / max(float(np.sqrt((a @ a) * (b @ b))), 1e-9))


def _put_together(profile: NDArray[np.float32], units: list[Places], most_people: int) -> list[Places]:
    """Put the two groups that share most together as long as they are small enough, the first of equals."""
    groups = list(units)
    rows = np.array([profile[group].mean(axis=0) for group in groups], dtype=np.float64)
    while len(groups) > 1:
        size = np.array([len(group) for group in groups])
        shared = np.round(rows @ rows.T, 6)
        shared[(size[:, None] + size > most_people) | np.tri(len(groups), dtype=np.bool_)] = 0.0
        if not shared.max() > 0:
            break
        a, b = (int(place) for place in np.unravel_index(shared.argmax(), shared.shape))
        rows[a] = (rows[a] * size[a] + rows[b] * size[b]) / (size[a] + size[b])
        groups[a] = np.sort(np.concatenate([groups[a], groups[b]]))
        rows = np.delete(rows, b, axis=0)
        del groups[b]
    return groups
