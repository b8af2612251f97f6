"""Graded windows: for each open task the spans of slots it may be done in, and what each costs in lateness.

A window is (release slot, due slot, price). On-time windows cost nothing. Work that cannot be on time gets further windows
with later due slots, each at the price of its days late, up to "not within the horizon", which binds nothing: so there
is always a window, and the same exact test (`solver.ledger`) serves punctual and late work alike.
Precedence is in the windows too: a review is released after the slot by which its preparation is promised.
See docs/decisions for why lateness is graded and not free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from typing import NamedTuple, overload

from solver.axis import Axis
from solver.firm import Task
from solver.policy import Weights

GRADE_STEPS = (1, 2, 3, 5, 8, 12, 17, 23, 30, 40, 55, 75, 100, 150, 250)
"""Slots after the due slot at which late work may be promised: single days first, coarser where a day matters less."""
BEYOND_HORIZON_DAYS = 30
"""Days added to the horizon's end when lateness beyond it is priced: far away, yet finite."""


class Window(NamedTuple):
    """A span of slots for one task; ``due`` equal to the slot count means not within the horizon."""

    release: int
    due: int
    price_min: int

    @property
    def on_time(self) -> bool:
        """Whether this window keeps the deadline."""
        return self.price_min == 0


@dataclass(frozen=True)
class Span:
    """The plain on-time span of one task on the axis; ``due < release`` when there is none."""

    release: int
    due: int


def plain_span(axis: Axis, task: Task) -> Span:
    """Return the slots between a task's release and its deadline, precedence aside."""
    return Span(axis.release_slot(task.release), axis.due_slot(task.deadline, task.deadline_time))


def days_late(axis: Axis, task: Task, due: int) -> int:
    """Return calendar days from the deadline to the day of slot ``due``, at least 0."""
    return _days_late(axis, task.deadline, due)


def _days_late(axis: Axis, deadline: date, due: int) -> int:
    day = axis.day_of(due) if due >= 0 else None
    promised: date = day if day is not None else axis.last_day + timedelta(days=BEYOND_HORIZON_DAYS)
    return max((promised - deadline).days, 0)


def late_price_min(weights: Weights, task: Task, remaining_min: int, late_days: int) -> int:
    """Return the price of finishing a task ``late_days`` calendar days after its deadline (0 days late may still be late)."""
    return _late_min(weights, task.priority.factor * remaining_min, late_days)


def _late_min(weights: Weights, stake_min: int, late_days: int) -> int:
    return max((weights.late_start + weights.late_day * late_days) * stake_min, 1)


class Shape(NamedTuple):
    """The windows that all tasks of one release, deadline and place in a piece of work share, cheapest first.

    ``late_days`` is -1 where the window costs nothing.
    """

    releases: tuple[int, ...]
    dues: tuple[int, ...]
    late_days: tuple[int, ...]


class GradedWindows(Sequence[tuple[Window, ...]]):
    """The windows of every task, cheapest first, on time before late, earliest due before later; made when asked for.

    A backlog has few shapes and many tasks: only the shape and the minutes at stake are kept per task.
    """

    def __init__(self, weights: Weights, shapes: list[Shape], stakes_min: list[int]) -> None:
        self.weights, self.shapes, self.stakes_min = weights, shapes, stakes_min

    def __len__(self) -> int:
        return len(self.shapes)

    @overload
    def __getitem__(self, t: int) -> tuple[Window, ...]: ...

    @overload
    def __getitem__(self, t: slice) -> list[tuple[Window, ...]]: ...

    def __getitem__(self, t: int | slice) -> tuple[Window, ...] | list[tuple[Window, ...]]:
        if isinstance(t, slice):
            return [self[i] for i in range(*t.indices(len(self)))]
        return tuple(self._cheapest_first(t))

    def up_to(self, t: int, price_min: int) -> tuple[Window, ...]:
        """Return the windows of a task that cost at most a price."""
        return tuple(takewhile(lambda window: window.price_min <= price_min, self._cheapest_first(t)))

    def at_most_late(self, t: int, days: int) -> tuple[Window, ...]:
        """Return the windows of a task that end in time, or so many calendar days after the deadline at most."""
        late_days = self.shapes[t].late_days
        return tuple(w for w, late in zip(self._cheapest_first(t), late_days, strict=True) if late <= days)

    def _cheapest_first(self, t: int) -> Iterator[Window]:
        stake = self.stakes_min[t]
        for release, due, days in zip(*self.shapes[t], strict=True):
            yield Window(release, due, 0 if days < 0 else _late_min(self.weights, stake, days))


def graded_windows(
    axis: Axis, tasks: Sequence[Task], remaining_min: Mapping[str, int], weights: Weights
) -> GradedWindows:
    """Return every window of every task.

    ``tasks`` are the open tasks to plan; a review link to anything else asks for no order.
    """
    order = _preparations_first(tasks)
    row = {task.id: t for t, task in enumerate(tasks)}
    prepares: dict[str, list[str]] = {}
    for task in tasks:
        if task.reviews in row:
            prepares.setdefault(task.reviews, []).append(task.id)
    spans = {task.id: plain_span(axis, task) for task in tasks}
    latest = _latest_due(tasks, order, prepares, spans)
    shapes: dict[tuple[frozenset[int], frozenset[int], date, int], Shape] = {}
    found: list[Shape | None] = [None] * len(tasks)
    for t in order:
        task = tasks[t]
        span = spans[task.id]
        releases = {span.release}
        preparation = found[row[task.reviews]] if task.reviews in row else None
        if preparation is not None:
            releases = {max(span.release, due + 1) for due in preparation.dues if due < axis.count} or {axis.count}
        dues = _on_time_dues(task, span, latest, prepares, remaining_min)
        key = (frozenset(releases), frozenset(dues), task.deadline, span.due)
        if key not in shapes:
            shapes[key] = _shape(axis, *key)
        found[t] = shapes[key]
    stakes = [task.priority.factor * remaining_min[task.id] for task in tasks]
    return GradedWindows(weights, [shape for shape in found if shape is not None], stakes)


def _preparations_first(tasks: Sequence[Task]) -> list[int]:
    """Return task rows so that a preparation comes before its review; otherwise in the given order."""
    row = {task.id: t for t, task in enumerate(tasks)}
    order: list[int] = []
    done: set[int] = set()
    for t in range(len(tasks)):
        chain: list[int] = []
        here: int | None = t
        while here is not None and here not in done:
            done.add(here)
            chain.append(here)
            link = tasks[here].reviews
            here = row.get(link) if link is not None else None
        order.extend(reversed(chain))
    return order


def _latest_due(
    tasks: Sequence[Task], order: Sequence[int], prepares: Mapping[str, Sequence[str]], spans: Mapping[str, Span]
) -> dict[str, int]:
    """Return per task the last due slot that leaves each review at least one slot; never before the task's own release."""
    latest: dict[str, int] = {}
    for t in reversed(order):
        task, span = tasks[t], spans[tasks[t].id]
        cap = min((latest[review] - 1 for review in prepares.get(task.id, ())), default=span.due)
        latest[task.id] = min(span.due, cap) if cap >= span.release else span.due
    return latest


def _on_time_dues(
    task: Task,
    span: Span,
    latest: Mapping[str, int],
    prepares: Mapping[str, Sequence[str]],
    remaining_min: Mapping[str, int],
) -> set[int]:
    """Return the due slots on time: the deadline, and for preparations also splits that leave the review its share."""
    dues = {span.due, latest[task.id]}
    for review in prepares.get(task.id, ()):
        end = latest[review]
        work = remaining_min[task.id]
        share = work / (work + remaining_min[review])
        dues.add(min(span.release + int((end - span.release) * share), latest[task.id]))
    return {due for due in dues if due >= span.release}


def _shape(axis: Axis, releases: frozenset[int], dues: frozenset[int], deadline: date, due: int) -> Shape:
    late = {slot for step in GRADE_STEPS if 0 <= (slot := max(due, min(releases) - 1, -1) + step) < axis.count}
    found = {(-1, d, r) for r in releases for d in dues if r <= d}
    found |= {(_days_late(axis, deadline, d), d, r) for r in releases for d in late if r <= d}
    beyond = -1 if deadline > axis.last_day else _days_late(axis, deadline, axis.count)
    found.add((beyond, axis.count, axis.count))
    days, ends, starts = zip(*sorted(found, key=lambda one: (one[0] >= 0, one[1], one[2])), strict=True)
    return Shape(starts, ends, days)
