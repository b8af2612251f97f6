"""Graded windows: for each open task the spans of slots it may be done in, and what each costs in lateness.

A window is (release slot, due slot, price). On-time windows cost nothing. Work that cannot be on time gets further windows
with later due slots, each at the price of its days late, up to "not within the horizon", which binds nothing: so there
is always a window, and the same exact test (`solver.ledger`) serves punctual and late work alike.
Precedence is in the windows too: a review is released after the slot by which its preparation is promised.
See docs/decisions for why lateness is graded and not free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

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
    day = axis.day_of(due) if due >= 0 else None
    promised: date = day if day is not None else axis.last_day + timedelta(days=BEYOND_HORIZON_DAYS)
    return max((promised - task.deadline).days, 0)


def late_price_min(weights: Weights, task: Task, remaining_min: int, late_days: int) -> int:
    """Return the price of finishing a task ``late_days`` calendar days after its deadline (0 days late may still be late)."""
    per_minute = weights.late_start + weights.late_day * late_days
    return max(per_minute * task.priority.factor * remaining_min, 1)


def graded_windows(
    axis: Axis, tasks: Sequence[Task], remaining_min: Mapping[str, int], weights: Weights
) -> list[tuple[Window, ...]]:
    """Return every window of every task, cheapest first, on time before late, earliest due before later.

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
    windows: list[tuple[Window, ...]] = [()] * len(tasks)
    for t in order:
        task = tasks[t]
        releases = {spans[task.id].release}
        if task.reviews in row:
            preparation = windows[row[task.reviews]]
            releases = {
                max(spans[task.id].release, window.due + 1) for window in preparation if window.due < axis.count
            }
        dues = _on_time_dues(task, spans[task.id], latest, prepares, remaining_min)
        windows[t] = _windows(axis, task, releases or {axis.count}, dues, remaining_min[task.id], weights)
    return windows


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


def _windows(
    axis: Axis, task: Task, releases: set[int], dues: set[int], remaining_min: int, weights: Weights
) -> tuple[Window, ...]:
    base = axis.due_slot(task.deadline, task.deadline_time)
    late = {slot for step in GRADE_STEPS if 0 <= (slot := max(base, min(releases) - 1, -1) + step) < axis.count}
    found = {Window(r, d, 0) for r in releases for d in dues if r <= d}
    found |= {
        Window(r, d, late_price_min(weights, task, remaining_min, days_late(axis, task, d)))
        for r in releases
        for d in late
        if r <= d
    }
    beyond_price = late_price_min(weights, task, remaining_min, days_late(axis, task, axis.count))
    if task.deadline > axis.last_day:
        beyond_price = 0
    found.add(Window(axis.count, axis.count, beyond_price))
    return tuple(sorted(found, key=lambda window: (window.price_min, window.due, window.release)))
