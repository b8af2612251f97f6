"""A year of work and the hours for it, added up: classes of work, groups of people, weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from solver.board import Board, compile_board
from solver.firm import Firm, Task

PEOPLE_ONE_BY_ONE = 40
"""People up to which everybody is a group of their own; above, those of one level with the same skills are."""
TASKS_BY_DAY = 1_500
"""Tasks up to which releases and deadlines count to the day; above, a release counts from its Monday."""

OWN_MIN = 20 * 60
"""Minutes from which a task is a class of its own whatever its days."""
LONG_SHARE = 0.2
"""Share of the open time of whoever has most of it, between release and deadline, from which a task is long for its days."""
LATE_DAYS = 28
"""Days after the first possible one within which late work is done: later it is a shortage."""


@dataclass(frozen=True)
class Group:
    """People who are planned as one.

    Attributes
    ----------
    open_min
        ``(days,)`` minutes of all of them on each day.
    efficiency_pct
        By skill, the mean of them.
    """

    name: str
    level: str
    people: tuple[str, ...]
    open_min: NDArray[np.int64]
    efficiency_pct: dict[str, float]
    rank: int


@dataclass(frozen=True)
class WorkClass:
    """Tasks that ask the same of whom and when.

    Attributes
    ----------
    rank
        Place of the lowest level that may do them.
    first_day, last_day
        Places of the days between which they are done.
    factor
        Of their priority.
    late_from
        For work that no one person can do in time: the place of the day by which one could; -1 for all other work.
    after_late
        Whether they review work that no one person can do in time: the detailed plan finds no time for such reviews.
    share
        Share of the open time of whoever has most of it that the task takes, 0 where the class has several.
    groups
        Places of the groups that may do them.
    minutes
        Of all of them, at 100 percent.
    """

    skill: str
    rank: int
    first_day: int
    last_day: int
    factor: int
    late_from: int
    after_late: bool
    share: float
    groups: tuple[int, ...]
    tasks: tuple[str, ...]
    task_min: tuple[int, ...]

    @property
    def minutes(self) -> int:
        """Minutes of all its tasks."""
        return sum(self.task_min)


@dataclass(frozen=True)
class Demand:
    """The year: ``days`` in a row from today, groups of people and classes of work.

    Attributes
    ----------
    nobody
        Tasks that nobody may do at all; they are in no class.
    slow
        Tasks that no one person can do in time, though several could: they may be late, as in the detailed plan.
    apart
        Places of two classes, of a task each, that are of one piece of work and so ask for two people.
    """

    firm: Firm
    board: Board
    days: tuple[date, ...]
    groups: tuple[Group, ...]
    classes: tuple[WorkClass, ...]
    nobody: tuple[str, ...]
    slow: tuple[str, ...]
    apart: tuple[tuple[int, int], ...]

    @property
    def week_of(self) -> NDArray[np.int64]:
        """``(days,)`` place of each day's week, the first is that of today."""
        monday = self.days[0] - timedelta(days=self.days[0].weekday())
        return np.array([(day - monday).days // 7 for day in self.days], dtype=np.int64)

    @property
    def mondays(self) -> tuple[date, ...]:
        """The Monday of each week."""
        monday = self.days[0] - timedelta(days=self.days[0].weekday())
        return tuple(monday + timedelta(weeks=w) for w in range(int(self.week_of[-1]) + 1))


def demand(firm: Firm, *, now: datetime) -> Demand:
    """Add up the open tasks of a firm and its people's hours. Who holds a task today is left aside; overdue work is due today."""
    board = compile_board(firm, now=now)
    count = (board.axis.last_day - board.axis.first_day).days + 1
    days = tuple(board.axis.first_day + timedelta(days=i) for i in range(count))
    place = np.array([(day - days[0]).days for day in board.axis.days], dtype=np.int64)
    open_min = np.zeros((len(firm.people), count), dtype=np.int64)
    inside = place < count
    for slot in np.flatnonzero(inside).tolist():
        open_min[:, place[slot]] += board.open_min[:, slot]
    groups, group_of = _groups(board, open_min)
    classes, nobody, slow = _classes(board, days, groups, group_of)
    return Demand(firm, board, days, groups, classes, nobody, slow, _apart(board, classes))


def _groups(board: Board, open_min: NDArray[np.int64]) -> tuple[tuple[Group, ...], NDArray[np.int64]]:
    people, one_by_one = board.firm.people, len(board.firm.people) <= PEOPLE_ONE_BY_ONE
    members: dict[tuple[str, ...], list[int]] = {}
    for p, person in enumerate(people):
        alike = (person.level, *sorted(cell.skill for cell in person.skills))
        members.setdefault((person.id,) if one_by_one else alike, []).append(p)
    group_of = np.zeros(len(people), dtype=np.int64)
    groups = []
    for g, rows in enumerate(members.values()):
        group_of[rows] = g
        first = people[rows[0]]
        weight = np.maximum(open_min[rows].sum(axis=1), 1)
        skills = [cell.skill for cell in first.skills]
        pct = board.staff.efficiency_pct[[board.staff.skill_row[skill] for skill in skills]][:, rows]
        mean = (pct * weight).sum(axis=1) / weight.sum() if skills else np.zeros(0)
        groups.append(
            Group(
                name=first.label if len(rows) == 1 else f"{first.label} and {len(rows) - 1} more {first.level}s",
                level=first.level,
                people=tuple(people[p].id for p in rows),
                open_min=open_min[rows].sum(axis=0),
                efficiency_pct=dict(zip(skills, mean.tolist(), strict=True)),
                rank=int(board.staff.rank[rows[0]]),
            )
        )
    return tuple(groups), group_of


def _classes(
    board: Board, days: tuple[date, ...], groups: tuple[Group, ...], group_of: NDArray[np.int64]
) -> tuple[tuple[WorkClass, ...], tuple[str, ...], tuple[str, ...]]:
    by_day = len(board.tasks) <= TASKS_BY_DAY
    found: dict[tuple[str, int, int, int, int, int, bool, float, tuple[int, ...], str], list[tuple[str, int]]] = {}
    nobody, slow = [], []
    for task, row in zip(board.tasks, board.rows, strict=True):
        may = board.qualified(row) if task.requested_person else np.flatnonzero(row.allowed).tolist()
        who = tuple(sorted({int(group_of[p]) for p in may}))
        if not who:
            nobody.append(task.id)
            continue
        first, last = _span(board, task.id, days)
        possible = (_one_alone(board, may, row.work_min, days[first]) - days[0]).days
        late_from = -1
        if possible > last:
            slow.append(task.id)
            late_from, last = possible, min(possible + LATE_DAYS, len(days) - 1)
        first = first if by_day else max(first - days[first].weekday(), 0)
        skill = board.types[task.type].skill
        after_late = late_from < 0 and task.reviews in board.task_index and _is_late(board, days, str(task.reviews))
        share = _share(board, may, row.work_min, days[first], days[last if late_from < 0 else late_from])
        alone = by_day and (_others(board, task) or share >= LONG_SHARE)
        own = task.id if alone or row.remaining_min >= OWN_MIN else ""
        when = (min(first, last), last, task.priority.factor, late_from, after_late)
        key = (skill, row.needed_rank, *when, share if own else 0.0, who, own)
        found.setdefault(key, []).append((task.id, row.remaining_min))
    classes = tuple(
        WorkClass(*key[:-1], tasks=tuple(name for name, _ in tasks), task_min=tuple(minutes for _, minutes in tasks))
        for key, tasks in sorted(found.items())
    )
    return classes, tuple(nobody), tuple(slow)


def _others(board: Board, task: Task) -> list[str]:
    """Return the other open tasks of the same piece of work, which other people must do."""
    return [name for name in board.piece(task) if name in board.task_index]


def _apart(board: Board, classes: tuple[WorkClass, ...]) -> tuple[tuple[int, int], ...]:
    """Return the classes of one task each whose tasks are of the same piece of work, the earlier place first."""
    place = {one.tasks[0]: k for k, one in enumerate(classes) if len(one.tasks) == 1}
    pairs = {
        (min(k, place[other]), max(k, place[other]))
        for name, k in place.items()
        for other in _others(board, board.known[name])
        if other in place
    }
    return tuple(sorted(pairs))


def _is_late(board: Board, days: tuple[date, ...], name: str) -> bool:
    """Whether no one person can do a task in time."""
    row = board.rows[board.task_index[name]]
    may = np.flatnonzero(row.allowed).tolist()
    first, last = _span(board, name, days)
    return bool(may) and _one_alone(board, may, row.work_min, days[first]) > days[last]


def _one_alone(board: Board, may: list[int], work_min: NDArray[np.int64], first: date) -> date:
    """Return the day by which one person could do a task with nothing else to do, begun on ``first``; the last day where none could."""
    release = board.axis.release_slot(first)
    if release >= board.axis.count:
        return board.axis.last_day
    done = board.until_min[may, release + 1 :] - board.until_min[may, release : release + 1] >= work_min[may, None]
    slot = release + int(done.argmax(axis=1)[done.any(axis=1)].min(initial=board.axis.count))
    return board.axis.days[slot] if slot < board.axis.count else board.axis.last_day


def _share(board: Board, may: list[int], work_min: NDArray[np.int64], first: date, last: date) -> float:
    """Return the share of the open time between two days that a task takes of the person of whom it takes least."""
    begin, end = board.axis.release_slot(first), board.axis.due_slot(last)
    open_min = board.until_min[may, end + 1] - board.until_min[may, min(begin, end + 1)]
    return float((work_min[may] / np.maximum(open_min, 1)).min())


def _span(board: Board, name: str, days: tuple[date, ...]) -> tuple[int, int]:
    """Return the places of a task's first and last day.

    The days of a review and its preparation are shared out by their minutes, as the detailed plan offers it (`solver.windows`).
    """
    task = board.known[name]
    release, last = task.release or days[0], task.deadline
    before = board.known.get(task.reviews or "")
    if before is not None and before.id in board.task_index:
        release = max(release, _split(board, before, task, days[0]) + timedelta(days=1))
    for review in board.reviewed_by.get(name, ()):
        if review in board.task_index:
            last = min(last, _split(board, task, board.known[review], days[0]))
    first_place = min(max((release - days[0]).days, 0), len(days) - 1)
    return first_place, min(max((last - days[0]).days, 0), len(days) - 1)


def _split(board: Board, preparation: Task, review: Task, today: date) -> date:
    """Return the last day of a preparation that leaves its review a share of the time."""
    work, after = (board.rows[board.task_index[task.id]].remaining_min for task in (preparation, review))
    begin = max(preparation.release or today, today)
    span = max((review.deadline - begin).days, 0)
    latest = min(preparation.deadline, review.deadline - timedelta(days=1))
    return max(min(begin + timedelta(days=int(span * work / (work + after))), latest), begin)
