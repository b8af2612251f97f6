"""The board: a firm compiled to arrays for a given ``now``, with every promise of today in the ledger.

`compile_board` reads the firm once; from then on `Board.promise` and `Board.withdraw` keep it up to date, one person's
row at a time. The fast path, the batch and the explanations all start from here. It is one module above 400 lines: everything in
it reads and writes the same promises, and apart nobody could see that they stay true.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver.axis import Axis, Cut, build_axis, summed_min
from solver.days import Days
from solver.eligibility import Workforce, needed_rank, stopped_by, work_min, workforce
from solver.firm import Client, Firm, Task, TaskType
from solver.ledger import Ledger
from solver.plan import Filter
from solver.policy import ValueTier
from solver.promises import Promise, Promises
from solver.task_row import TaskRow, is_held, remaining_min
from solver.windows import GradedWindows, Span, Window, graded_windows, plain_span


class Compiled(NamedTuple):
    """The open tasks of a board: each against everybody, and its windows, cheapest first."""

    rows: tuple[TaskRow, ...]
    windows: GradedWindows


Asked = tuple[str, ValueTier, str | None]
"""What decides the level a task needs: its type, its client's tier, the type it reviews."""


@dataclass
class Board:
    """A firm at one moment.

    Attributes
    ----------
    open_min
        ``(people, slots)`` minutes each person can work on tasks in each slot.
    until_min
        ``(people, slots + 1)`` minutes before each slot, summed.
    ledger
        What is left of every window after today's promises.
    load_min
        ``(people,)`` minutes promised, whatever their window.
    due_load_min
        ``(people, weeks)`` minutes promised by the end of each week that the policy levels.
    promises
        Today's promise of each task that has a person who may do it.
    flagged
        Tasks whose person may not do them any more, with the filter that says so.
    learnt
        What was known before of each task that a promise brought along, ``None`` for nothing.
    leeway_days
        Calendar days that tasks may be late whatever the hours allow: `solver.problem.leeway_days` of the firm that this one varies.
    compiled
        The open tasks against everybody and their windows, made when first asked for.
    needs
        Level rank needed, and who is below it, for every kind of task met so far.
    days
        Minutes of whole days from the first to the last of the axis.
    """

    firm: Firm
    now: datetime
    axis: Axis
    days: Days
    open_min: NDArray[np.int64]
    staff: Workforce
    ledger: Ledger
    tasks: tuple[Task, ...]
    held: tuple[Task, ...]
    load_min: NDArray[np.int64]
    due_load_min: NDArray[np.int64]
    until_min: NDArray[np.int64]
    types: Mapping[str, TaskType]
    clients: Mapping[str, Client]
    known: dict[str, Task]
    reviewed_by: dict[str, list[str]]
    task_index: Mapping[str, int]
    promises: Promises = field(default_factory=Promises)
    flagged: dict[str, Filter] = field(default_factory=dict)
    learnt: dict[str, Task | None] = field(default_factory=dict)
    leeway_days: Mapping[str, int] = field(default_factory=dict)
    compiled: Compiled | None = None
    needs: dict[Asked, tuple[int, NDArray[np.bool_]]] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[TaskRow, ...]:
        """The open tasks against everybody, in the order of ``tasks``."""
        return self._compiled().rows

    @property
    def windows(self) -> GradedWindows:
        """The graded windows of the open tasks, in the order of ``tasks``."""
        return self._compiled().windows

    def _compiled(self) -> Compiled:
        if self.compiled is None:
            rows = tuple(self.row_of(task) for task in self.tasks)
            remaining = {row.task.id: row.remaining_min for row in rows}
            windows = graded_windows(self.axis, self.tasks, remaining, self.firm.policy.weights)
            self.compiled = Compiled(rows, windows)
        return self.compiled

    def row_of(self, task: Task) -> TaskRow:
        """Compile one task against everybody; also for an arrival that the firm does not hold yet."""
        staff = self.staff
        kind, client = self.types[task.type], self.clients[task.client]
        remaining = remaining_min(self.firm, task, kind)
        efficiency = staff.efficiency_pct[staff.skill_row[kind.skill]]
        stopped = staff.stopped_for_good(kind.skill, client.barred)
        if len(staff.leavers):
            release = self.axis.release_slot(task.release)
            left = self.until_min[:, -1] - self.until_min[:, release]
            never = (staff.last_day < _FAR_DAY) & (left < work_min(efficiency, remaining))
            stopped = stopped_by(staff, kind, client, task, self.axis.first_day, never)
        need, below = self._need(task, kind, client)
        if task.requested_person is not None:
            below = below & (np.arange(staff.count) != staff.row[task.requested_person])
        return TaskRow(task, remaining, need, efficiency, stopped, below)

    def _need(self, task: Task, kind: TaskType, client: Client) -> tuple[int, NDArray[np.bool_]]:
        reviewed = self.known[task.reviews].type if task.reviews in self.known else None
        asked = (kind.id, client.tier, reviewed)
        if asked not in self.needs:
            rank = needed_rank(self.firm, kind, client, self.types[reviewed] if reviewed else None)
            self.needs[asked] = (rank, self.staff.rank < rank)
            self.needs[asked][1].flags.writeable = False
        return self.needs[asked]

    def piece(self, task: Task) -> list[str]:
        """Return the other tasks of the same piece of work along the review links: their people must differ."""
        found: list[str] = []
        here = task.reviews
        while here is not None and here in self.known and here not in found:
            found.append(here)
            here = self.known[here].reviews
        reviews = list(self.reviewed_by.get(task.id, ()))
        while reviews:
            one = reviews.pop()
            if one not in found:
                found.append(one)
                reviews.extend(self.reviewed_by.get(one, ()))
        return found

    def worked_on_piece(self, task: Task) -> list[int]:
        """Return the people who prepared, or hold, other tasks of the same piece of work."""
        people: list[int] = []
        for other in self.piece(task):
            if other in self.promises:
                people.append(self.promises[other].person)
            elif self.keeps(other):
                people.append(self.staff.row[str(self.known[other].assignee)])
        return people

    def keeps(self, task_id: str) -> bool:
        """Whether a task stays with its person whatever is planned: it is finished, or waits for its estimate."""
        task = self.known[task_id]
        return task.assignee is not None and (not task.open or is_held(self.firm, task, self.types[task.type]))

    def qualified(self, row: TaskRow) -> list[int]:
        """Return the people whom nothing but time can stop, only the requested one where the client asked."""
        may = row.allowed
        may[self.worked_on_piece(row.task)] = False
        people: list[int] = np.flatnonzero(may).tolist()
        wanted = row.task.requested_person
        return people if wanted is None else [p for p in people if p == self.staff.row[wanted]]

    def stop_of_holder(self, row: TaskRow) -> Filter | None:
        """Return the filter by which a task's assignee may not do it any more, hours aside."""
        task = row.task
        person = self.staff.row[str(task.assignee)]
        stop = row.stop(person)
        if stop in (None, Filter.GUARDRAIL) and person in self.worked_on_piece(task):
            stop = Filter.REVIEWER
        if stop is None and task.requested_person not in (None, task.assignee) and not (task.pinned or task.started):
            stop = Filter.REQUEST
        return stop

    def span_of(self, task: Task) -> Span:
        """Return the slots an arrival may use on time: its own, after its preparation and before its reviews."""
        span = plain_span(self.axis, task)
        release, due = span.release, span.due
        if task.reviews is not None and task.reviews in self.promises:
            release = max(release, self.promises[task.reviews].window.due + 1)
        elif task.reviews is not None and self.known[task.reviews].open:
            release = max(release, self._time_to_prepare(task, self.known[task.reviews], due) + 1)
        for review in self.reviewed_by.get(task.id, ()):
            if review in self.promises:
                due = min(due, self.promises[review].window.release - 1)
        return Span(min(release, self.axis.count), due)

    def _time_to_prepare(self, review: Task, preparation: Task, due: int) -> int:
        """Return the slot until which a preparation that nobody has yet is left time: its deadline, or its share of the span."""
        plain = plain_span(self.axis, preparation)
        if plain.due < due:
            return plain.due
        first, then = (remaining_min(self.firm, one, self.types[one.type]) for one in (preparation, review))
        return plain.release + (max(due - plain.release, 0) * first) // (first + then)

    def in_order(self, task: Task, window: Window) -> bool:
        """Whether a window starts after the promised preparation and ends before the promised reviews."""
        beyond = self.axis.count
        if task.reviews is not None and task.reviews in self.promises and window.release < beyond:
            if window.release <= self.promises[task.reviews].window.due:
                return False
        reviews = [self.promises[r].window for r in self.reviewed_by.get(task.id, ()) if r in self.promises]
        return all(review.release == beyond or review.release > window.due for review in reviews)

    def capacity_min(self, person: int, release: int, due: int) -> int:
        """Return a person's open minutes from slot ``release`` to slot ``due``, promises aside."""
        if due < release:
            return 0
        return int(self.until_min[person, min(due, self.axis.count - 1) + 1] - self.until_min[person, release])

    def remaining_this_week(self) -> NDArray[np.int32]:
        """Return per person the minutes that can still be used this week without breaking any promise.

        This week is the calendar week (Monday to Sunday) of the first slot on which anybody works.
        """
        if self.axis.count == 0:
            return np.zeros(self.staff.count, dtype=np.int32)
        return self.ledger.rooms_min(0, self.axis.week_end_slots()[0])

    def promise(self, task: Task, person: int, window: Window, work_min: int) -> None:
        """Promise a task: the person's ledger row, load, and the review links see it at once."""
        if task.id in self.promises:
            raise ValueError(f'task "{task.id}" is promised already. Maybe withdraw it first.')
        self.promises[task.id] = Promise(person, window, work_min)
        self.ledger.promise(person, window.release, window.due, work_min)
        self._load(person, window, work_min)
        if self.known.get(task.id) is not task:
            self.learnt[task.id] = self.known.get(task.id)
            self.know(task.id, task)

    def copy(self) -> Board:
        """Return an independent board with the same promises: what is placed on one is unknown to the other."""
        return replace(
            self,
            ledger=self.ledger.copy(),
            load_min=self.load_min.copy(),
            due_load_min=self.due_load_min.copy(),
            known=dict(self.known),
            reviewed_by={name: list(reviews) for name, reviews in self.reviewed_by.items()},
            promises=self.promises.copy(),
            flagged=dict(self.flagged),
            learnt=dict(self.learnt),
        )

    def withdraw(self, task_id: str) -> Promise:
        """Take a promise back, the exact inverse of `promise`; raises ``KeyError`` for a task nobody holds."""
        promise = self.promises.pop(task_id)
        self.ledger.withdraw(promise.person, promise.window.release, promise.window.due, promise.work_min)
        self._load(promise.person, promise.window, -promise.work_min)
        if task_id in self.learnt:
            self.know(task_id, self.learnt.pop(task_id))
        return promise

    def _load(self, person: int, window: Window, minutes: int) -> None:
        self.load_min[person] += minutes
        if window.due < self.axis.count:
            self.due_load_min[person, bisect_left(self.axis.week_end_slots(), window.due) :] += minutes

    def know(self, task_id: str, task: Task | None) -> None:
        """Know a task as ``task`` from now on, ``None`` for not at all, and keep the review links true."""
        before = self.known.get(task_id)
        if before is not None and before.reviews is not None:
            self.reviewed_by[before.reviews].remove(task_id)
            if not self.reviewed_by[before.reviews]:
                del self.reviewed_by[before.reviews]
        if task is None:
            del self.known[task_id]
            return
        self.known[task_id] = task
        if task.reviews is not None:
            self.reviewed_by.setdefault(task.reviews, []).append(task_id)

    def cut_for(self, task: Task) -> None:
        """Lengthen and cut the axis so that an arrival's deadline is a slot boundary; every promise keeps its stretch of time.

        Nothing happens where the axis holds the deadline already.
        """
        if self.axis.holds(task):
            return
        tail = timedelta(days=self.firm.policy.late_tail_days)
        cut = self.axis.cut_for(task) if task.deadline <= self.axis.last_day - tail else None
        if cut is None or not self._cut(cut):
            self._compile_again(task)

    def _cut(self, cut: Cut) -> bool:
        """Cut one slot in two where it stands; ``False``, and nothing is done, where a part would have no minutes."""
        length, slot = self.axis.day_length, cut.slot
        whole = self.days.of_day_min(self.axis.days[slot])
        before = whole * cut.at // length - whole * cut.start // length
        behind = self.open_min[:, slot] - before
        if not (before.any() and behind.any()):
            return False
        self.axis = self.axis.with_cut(cut)
        self.open_min = np.insert(self.open_min, slot, before, axis=1)
        self.open_min[:, slot + 1] = behind
        self.until_min = np.insert(self.until_min, slot + 1, self.until_min[:, slot] + before, axis=1)
        self.ledger.cut(slot, before, behind)
        self.promises.cut(slot)
        self.compiled = None
        return True

    def _compile_again(self, task: Task) -> None:
        """Cut and lengthen the axis anew for all tasks and ``task``."""
        before = self.axis
        self.axis, self.open_min = build_axis(self.firm, self.now, (*self.known.values(), task))
        self.until_min = summed_min(self.open_min)
        self.ledger = Ledger(self.open_min)
        self.days = Days(self.firm, self.axis)
        for id, (person, window, minutes) in list(self.promises.items()):
            release = self.axis.slot_after(before, window.release)
            due = self.axis.slot_until(before, window.due)
            self.promises[id] = Promise(person, window._replace(release=release, due=due), minutes)
        self.ledger.promise_all(
            (one.person, one.window.release, one.window.due, one.work_min) for one in self.promises.values()
        )
        self.compiled = None
        self._promise_beyond()

    def _promise_beyond(self) -> None:
        """Promise again, on a longer axis, what did not fit within the shorter one."""
        late = [
            (-self.known[id].priority.factor, id)
            for id, one in self.promises.items()
            if one.window.due == self.axis.count
        ]
        for _, id in sorted(late):
            task, (person, beyond, minutes) = self.known[id], self.withdraw(id)
            t = self.task_index.get(id)
            windows = self.windows[t] if t is not None else (beyond,)
            fitting = (
                w for w in windows if self.in_order(task, w) and self.ledger.fits(person, w.release, w.due, minutes)
            )
            self.promise(task, person, next(fitting, beyond), minutes)


_FAR_DAY = 3_000_000
"""Ordinals below this are real leave dates (the year 8214); the default is the last day Python knows."""


def compile_board(
    firm: Firm, *, now: datetime, also: Iterable[Task] = (), leeway_days: Mapping[str, int] | None = None
) -> Board:
    """Compile a firm at ``now`` with today's promises.

    Tasks with a person who may do them are promised in order of priority, deadline and id, each in the cheapest window that
    still fits: on time where possible, else as little late as possible. Nobody's overload can make this fail.

    Parameters
    ----------
    now
        The moment of planning; an aware time is converted to the firm's zone, a naive one is local already.
    also
        Arrivals about to be placed, whose deadlines may lengthen or cut the time axis; ``leeway_days``: see `Board`.
    """
    axis, open_min = build_axis(firm, now, also)
    types = {kind.id: kind for kind in firm.task_types}
    held = tuple(task for task in firm.tasks if task.open and is_held(firm, task, types[task.type]))
    waiting = {task.id for task in held}
    tasks = tuple(task for task in firm.tasks if task.open and task.id not in waiting)
    reviewed_by: dict[str, list[str]] = {}
    for task in firm.tasks:
        if task.reviews is not None:
            reviewed_by.setdefault(task.reviews, []).append(task.id)
    board = Board(
        firm=firm,
        now=now,
        axis=axis,
        days=Days(firm, axis),
        open_min=open_min,
        staff=workforce(firm),
        ledger=Ledger(open_min),
        tasks=tasks,
        held=held,
        load_min=np.zeros(len(firm.people), dtype=np.int64),
        due_load_min=np.zeros((len(firm.people), firm.policy.weights.week_ends), dtype=np.int64),
        until_min=summed_min(open_min),
        types=types,
        clients={client.id: client for client in firm.clients},
        known={task.id: task for task in firm.tasks},
        reviewed_by=reviewed_by,
        task_index={task.id: t for t, task in enumerate(tasks)},
        leeway_days=leeway_days or {},
    )
    _promise_today(board)
    return board


def _promise_today(board: Board) -> None:
    """Enter today's assignments into the ledger, or flag them."""
    mine = [t for t, task in enumerate(board.tasks) if task.assignee is not None]
    spans = {t: plain_span(board.axis, board.tasks[t]).due for t in mine}
    mine.sort(key=lambda t: (-board.tasks[t].priority.factor, spans[t], board.tasks[t].id))
    waiting = dict.fromkeys(mine)
    while waiting:
        t = next(iter(waiting))
        while (first := board.task_index.get(board.tasks[t].reviews or "")) in waiting:
            t = first
        del waiting[t]
        _promise_one(board, t)


def _promise_one(board: Board, t: int) -> None:
    task, row = board.tasks[t], board.rows[t]
    person = board.staff.row[str(task.assignee)]
    stop = board.stop_of_holder(row)
    if stop is not None:
        board.flagged[task.id] = stop
        return
    work = row.takes_min(person)
    windows = (window for window in board.windows[t] if board.in_order(task, window))
    fitting = next(w for w in windows if board.ledger.fits(person, w.release, w.due, work))
    board.promise(task, person, fitting, work)
