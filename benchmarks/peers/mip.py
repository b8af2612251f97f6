"""The problem as one mixed-integer program in plain arrays, from the neutral file: for HiGHS, and for whoever else reads rows.

Who does what in which window and what is escalated is binary. Distances to fair shares stay continuous, so a plan may cost up to a
minute per person less here than where it is rounded up; answers are scored by `benchmarks.peers.scoring` anyway. Knows numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.instance import ESCALATED, Instance, Whole
from benchmarks.peers.scoring import Answer
from benchmarks.peers.windows import Windows, windows_of

Numbers = NDArray[np.float64]
INFINITE = float("inf")
MOST_ENTRIES = 5_000_000
"""Of one row a window. Below, HiGHS finds better plans with them (30 x 600: one million; 368,522 after 25 s, chained 3,757,158); at
100 x 3,000 they are 29 million, chained 2.7 million."""


@dataclass
class Program:
    """Rows ``least <= entries <= most`` and continuous columns as they are added; the binary columns come first."""

    binary_count: int
    price: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    columns: list[Whole] = field(default_factory=list)
    entries: list[Numbers] = field(default_factory=list)

    def continuous(self, price: float, upper: float = INFINITE) -> int:
        """Add a column from 0 to ``upper``; return its place."""
        self.price.append(price)
        self.upper.append(upper)
        return self.binary_count + len(self.price) - 1

    def add(
        self, columns: Whole, entries: Numbers | float, *, least: float = -INFINITE, most: float = INFINITE
    ) -> None:
        """Add one row."""
        self.least.append(least)
        self.most.append(most)
        self.lengths.append(len(columns))
        self.columns.append(columns)
        self.entries.append(np.broadcast_to(np.asarray(entries, dtype=np.float64), columns.shape))


@dataclass(frozen=True)
class Mip:
    """Minimise ``price @ x`` with ``0 <= x <= upper``, the first ``binary_count`` of them whole, and the rows, stored row by row.

    Attributes
    ----------
    pick_task, pick_person, pick_window
        What the first columns say: the task goes to the person in the window (flat place). After them one column a task: escalated.
    row_start
        ``(rows + 1,)`` where each row's entries begin in ``column`` and ``entry``.
    """

    instance: Instance
    pick_task: Whole
    pick_person: Whole
    pick_window: Whole
    price: Numbers
    upper: Numbers
    binary_count: int
    row_start: Whole
    column: Whole
    entry: Numbers
    least: Numbers
    most: Numbers

    def answer(self, values: Numbers) -> Answer:
        """Return the plan that column values stand for."""
        who = np.full(self.instance.task_count, ESCALATED, dtype=np.int64)
        window = np.full(self.instance.task_count, -1, dtype=np.int64)
        taken = np.flatnonzero(values[: len(self.pick_task)] > 0.5)
        who[self.pick_task[taken]] = self.pick_person[taken]
        window[self.pick_task[taken]] = self.pick_window[taken] - self.instance.first_window[:-1][self.pick_task[taken]]
        return Answer(who, window)

    def start(self, answer: Answer) -> Numbers:
        """Return the binary columns of a plan; the continuous ones follow from them and are left to the solver."""
        values = np.zeros(self.binary_count)
        flat = self.instance.first_window[:-1] + answer.window
        done = (answer.who[self.pick_task] == self.pick_person) & (flat[self.pick_task] == self.pick_window)
        values[: len(self.pick_task)] = done
        values[len(self.pick_task) :] = answer.who == ESCALATED
        return values


def mip_of(instance: Instance, most_entries: int = MOST_ENTRIES) -> Mip:
    """Return the program of an instance; hours are chained where one row a window would take more entries than asked."""
    task, person, window, work, price = _picks(instance)
    escalated = len(task) + np.arange(instance.task_count)
    rows = Program(len(task) + instance.task_count)
    _once(rows, instance, task, escalated)
    people = [windows_of(instance, p, task, person, window, work) for p in range(instance.person_count)]
    chained = sum(one.entry_count() for one in people) > most_entries
    for one in people:
        _capacity(rows, one, chained=chained)
    _separate(rows, instance, task, person)
    _order(rows, instance, task, window)
    _balance(rows, instance, person, window, work)
    return Mip(
        instance=instance,
        pick_task=task,
        pick_person=person,
        pick_window=window,
        price=np.concatenate([price, instance.escalation_min, rows.price]).astype(np.float64),
        upper=np.concatenate([np.ones(len(task)), instance.may_escalate, rows.upper]).astype(np.float64),
        binary_count=rows.binary_count,
        row_start=np.concatenate([[0], np.cumsum(rows.lengths)]).astype(np.int64),
        column=np.concatenate(rows.columns),
        entry=np.concatenate(rows.entries),
        least=np.array(rows.least),
        most=np.array(rows.most),
    )


def _picks(instance: Instance) -> tuple[Whole, Whole, Whole, Whole, Whole]:
    """Return task, person, flat window, minutes and price of everything that may happen, with room for the task on its own."""
    count = np.diff(instance.first_window)[instance.pair_task]
    pair = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    task, person, work = instance.pair_task[pair], instance.pair_person[pair], instance.pair_work_min[pair]
    window = instance.first_window[task] + place
    possible = room_min(instance, person, instance.release[window], instance.due[window]) >= work
    price = instance.late_min[window] + instance.pair_price_min[pair]
    return task[possible], person[possible], window[possible], work[possible], price[possible]


def room_min(instance: Instance, person: Whole, release: Whole, due: Whole) -> Whole:
    """Return the open minutes of each person from a release slot to a due slot; without end beyond the horizon."""
    until = np.zeros((instance.person_count, instance.slot_count + 1), dtype=np.int64)
    until[:, 1:] = np.cumsum(instance.open_min, axis=1)
    within = due < instance.slot_count
    room: Whole = until[person, np.where(within, due + 1, 0)] - until[person, np.where(within, release, 0)]
    return np.where(within, room, np.iinfo(np.int64).max)


def _once(rows: Program, instance: Instance, task: Whole, escalated: Whole) -> None:
    """Every task has one person and one window, or is escalated."""
    starts = np.searchsorted(task, np.arange(instance.task_count + 1))
    for t in range(instance.task_count):
        rows.add(np.append(np.arange(starts[t], starts[t + 1]), escalated[t]), 1.0, least=1.0, most=1.0)


def _capacity(rows: Program, person: Windows, *, chained: bool) -> None:
    """No person is given more work in a window than the open minutes in it; only windows that can bind have a row."""
    for a, ends in person.fuller():
        binding = [b for b in ends if person.most_min(a, b) > person.open_min(a, b)]
        (_chain if chained else _each)(rows, person, a, binding)


def _each(rows: Program, person: Windows, a: int, ends: list[int]) -> None:
    for b in ends:
        inside = person.inside(a, b)
        rows.add(person.columns[inside], person.work[inside].astype(np.float64), most=float(person.open_min(a, b)))


def _chain(rows: Program, person: Windows, a: int, ends: list[int]) -> None:
    """Work due by each end is what was due by the end before and what is due since: a choice stands in one row a release."""
    chain, before = -1, -1
    for b in ends:
        since = person.inside(a, b)
        since = since[person.due[since] > before]
        link = rows.continuous(0.0, float(person.open_min(a, b)))
        ties = np.array([link] if chain < 0 else [link, chain])
        entries = np.append(person.work[since], np.array([-1.0, 1.0])[: len(ties)])
        rows.add(np.append(person.columns[since], ties), entries, least=0.0, most=0.0)
        chain, before = link, b


def _separate(rows: Program, instance: Instance, task: Whole, person: Whole) -> None:
    """The people of one piece of work differ."""
    starts = np.searchsorted(task, np.arange(instance.task_count + 1))
    for one, other in instance.separate.tolist():
        both = np.concatenate([np.arange(starts[t], starts[t + 1]) for t in (one, other)])
        for p in np.intersect1d(person[starts[one] : starts[one + 1]], person[starts[other] : starts[other + 1]]):
            rows.add(both[person[both] == p], 1.0, most=1.0)


def _order(rows: Program, instance: Instance, task: Whole, window: Whole) -> None:
    """A review is released after the slot by which its preparation is promised."""
    starts = np.searchsorted(task, np.arange(instance.task_count + 1))
    for review in np.flatnonzero(instance.preparation >= 0).tolist():
        before = int(instance.preparation[review])
        mine, his = (np.arange(starts[t], starts[t + 1]) for t in (review, before))
        for end in np.unique(instance.due[window[his]]):
            late = his[instance.due[window[his]] >= end]
            release = instance.release[window[mine]]
            early = mine[(release <= end) & (release < instance.slot_count)]
            if len(early):
                rows.add(np.concatenate([late, early]), 1.0, most=1.0)


def _balance(rows: Program, instance: Instance, person: Whole, window: Whole, work: Whole) -> None:
    """Distances to fair shares, below and above, and what is far."""
    near_pct, far_pct, week_pct = (instance.balance_pct / 100.0).tolist()
    for p in range(instance.person_count):
        mine = np.flatnonzero(person == p)
        for j, share in enumerate(instance.share_min[p].tolist()):
            counted = mine if j == 0 else mine[instance.due[window[mine]] <= instance.end_slots[j - 1]]
            price = near_pct if j == 0 else week_pct
            ends = np.array([rows.continuous(price), rows.continuous(price)])
            entries = np.append(work[counted], [1.0, -1.0])
            rows.add(np.append(counted, ends), entries, least=float(share), most=float(share))
            if j == 0:
                far = rows.continuous(far_pct)
                rows.add(np.append(ends, far), np.array([1.0, 1.0, -1.0]), most=float(instance.far_min[p]))
