"""The time axis of a board: slots, each a local working day or the part of one up to a timed deadline.

Days on which nobody has a minute are left out, so a deadline on a holiday falls to the last slot before it and a release
on one to the first slot after it. A day is cut only where an open task is due within it, at the full hour before (never
later than promised); any cut leaves the answers for all other tasks as they are, because minutes of a day add up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver.calendar import capacity_min, day_list, elapsed_share, local_now
from solver.firm import Firm, Task

LONGEST_HORIZON_DAYS = 730
"""Deadlines further away are planned as if due at the end of two years: the ledger grows with the square of the slots."""


class Cut(NamedTuple):
    """A slot cut in two at ``at``; all but the slot are working minutes of its day, on the scale of `elapsed_share`."""

    slot: int
    start: int
    at: int
    end: int


@dataclass(frozen=True)
class Axis:
    """The slots of one board, earliest first.

    Attributes
    ----------
    first_day, last_day
        The local days covered; ``first_day`` is today.
    days
        Local day of each slot.
    ends
        Working minute of the day at which each slot ends, on the scale of `elapsed_share`.
    day_length
        Working minutes from workday start to end; a slot that ends there ends its day.
    """

    first_day: date
    last_day: date
    days: tuple[date, ...]
    ends: tuple[int, ...]
    day_length: int
    workday_start_min: int
    keys: tuple[tuple[date, int], ...]
    boundaries: frozenset[tuple[date, int]]
    passed: int

    @property
    def count(self) -> int:
        """Number of slots; the virtual slot with this index means "not within the horizon"."""
        return len(self.days)

    def due_slot(self, deadline: date, deadline_time: time | None = None) -> int:
        """Return the last slot that ends by the deadline, -1 when none does."""
        day_end = self.day_length if deadline_time is None else self._elapsed(deadline_time)
        return bisect_right(self.keys, (deadline, day_end)) - 1

    def release_slot(self, release: date | None) -> int:
        """Return the first slot on or after the release day; ``count`` when there is none."""
        return 0 if release is None else bisect_left(self.days, release)

    def has_cut(self, task: Task) -> bool:
        """Whether a timed deadline falls on a slot boundary, so that nothing is lost by rounding."""
        if task.deadline_time is None or not self.first_day <= task.deadline <= self.last_day:
            return True
        cut = _full_hour(self._elapsed(task.deadline_time), self.day_length)
        if cut in (0, self.day_length) or task.deadline not in self.days:
            return True
        if task.deadline == self.first_day and cut <= self.passed:
            return True
        return (task.deadline, cut) in self.boundaries

    def holds(self, task: Task) -> bool:
        """Whether an arrival's deadline lies on the axis, exactly; the longest axis holds every later one in its last slot."""
        longest = (self.last_day - self.first_day).days >= LONGEST_HORIZON_DAYS
        return self.has_cut(task) and (longest or task.deadline <= self.last_day)

    def cut_for(self, task: Task) -> Cut | None:
        """Return the cut that an arrival's timed deadline asks for, ``None`` where it falls into no slot."""
        if task.deadline_time is None:
            return None
        at = _full_hour(self._elapsed(task.deadline_time), self.day_length)
        slot = bisect_right(self.keys, (task.deadline, at))
        if slot == self.count or self.days[slot] != task.deadline:
            return None
        start = self.passed if task.deadline == self.first_day else 0
        if slot and self.days[slot - 1] == task.deadline:
            start = self.ends[slot - 1]
        return Cut(slot, start, at, self.ends[slot]) if start < at < self.ends[slot] else None

    def with_cut(self, cut: Cut) -> Axis:
        """Return the axis with one slot more."""
        day, here = self.days[cut.slot], slice(cut.slot, cut.slot)
        days, ends, keys = list(self.days), list(self.ends), list(self.keys)
        days[here], ends[here], keys[here] = [day], [cut.at], [(day, cut.at)]
        return replace(
            self,
            days=tuple(days),
            ends=tuple(ends),
            keys=tuple(keys),
            boundaries=self.boundaries | {(day, cut.at)},
        )

    def slot_after(self, coarser: Axis, release: int) -> int:
        """Return the slot of this axis that begins where slot ``release`` of a coarser axis of the same firm does."""
        if release >= coarser.count:
            return self.count
        return bisect_right(self.keys, coarser.keys[release - 1]) if release else 0

    def slot_until(self, coarser: Axis, due: int) -> int:
        """Return the slot of this axis that ends where slot ``due`` of a coarser axis of the same firm does."""
        if due >= coarser.count:
            return self.count
        return bisect_right(self.keys, coarser.keys[due]) - 1

    def week_end_slots(self) -> tuple[int, ...]:
        """Return the last slot of each calendar week (Monday to Sunday) on the axis, earliest first."""
        return self._week_ends

    @cached_property
    def _week_ends(self) -> tuple[int, ...]:
        weeks = [day.isocalendar()[:2] for day in self.days]
        return tuple(s for s in range(self.count) if s + 1 == self.count or weeks[s] != weeks[s + 1])

    def last_deadline_slot(self, tail_days: int) -> int:
        """Return the last slot before the tail kept for late work."""
        return self.due_slot(self.last_day - timedelta(days=tail_days))

    def day_of(self, slot: int) -> date | None:
        """Return the local day of a slot, ``None`` beyond the horizon."""
        return self.days[slot] if slot < self.count else None

    def start_time(self, slot: int) -> time | None:
        """Return the local time at which a slot begins within its day, ``None`` for the first of its day and beyond the horizon."""
        if not 0 < slot < self.count or self.days[slot - 1] != self.days[slot]:
            return None
        return self._clock(self.ends[slot - 1])

    def end_time(self, slot: int) -> time | None:
        """Return the local time at which a slot ends within its day, ``None`` at the end of the day and beyond the horizon."""
        return self._clock(self.ends[slot]) if slot < self.count and self.ends[slot] < self.day_length else None

    def _clock(self, elapsed: int) -> time:
        return time(*divmod(self.workday_start_min + elapsed, 60))

    def _elapsed(self, clock: time) -> int:
        return min(max(clock.hour * 60 + clock.minute - self.workday_start_min, 0), self.day_length)


def build_axis(firm: Firm, now: datetime, also: Iterable[Task] = ()) -> tuple[Axis, NDArray[np.int64]]:
    """Return the axis of a firm at ``now`` and the open minutes of each person in each slot, ``(people, slots)``.

    ``also`` are arrivals that the firm does not hold yet, whose deadlines lengthen and cut the axis as well.
    """
    local = local_now(firm, now)
    tasks = [task for task in (*firm.tasks, *also) if task.open]
    first, last = local.date(), _last_day(firm, local.date(), tasks)
    passed, length = elapsed_share(firm, local.time())
    days = day_list(first, last)
    whole = capacity_min(firm, days)
    start_min = firm.workday_start.hour * 60 + firm.workday_start.minute
    pieces = _pieces(days, _cuts(tasks, start_min, length), passed, length)
    minutes = _shares(whole, pieces, length)
    used = [i for i in range(len(pieces)) if minutes[:, i].any()]
    keys = tuple((days[pieces[i][0]], pieces[i][2]) for i in used)
    axis = Axis(
        first_day=first,
        last_day=last,
        days=tuple(key[0] for key in keys),
        ends=tuple(key[1] for key in keys),
        day_length=length,
        workday_start_min=start_min,
        keys=keys,
        boundaries=frozenset((days[i], end) for i, _, end in pieces),
        passed=passed,
    )
    return axis, np.ascontiguousarray(minutes[:, used])


def summed_min(open_min: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the minutes before each slot, ``(people, slots + 1)``, from those in each."""
    until = np.zeros((open_min.shape[0], open_min.shape[1] + 1), dtype=np.int64)
    until[:, 1:] = np.cumsum(open_min, axis=1)
    return until


def _last_day(firm: Firm, today: date, tasks: Iterable[Task]) -> date:
    farthest = max([today + timedelta(days=firm.policy.horizon_days), *(task.deadline for task in tasks)])
    capped = min(farthest, today + timedelta(days=LONGEST_HORIZON_DAYS))
    return capped + timedelta(days=firm.policy.late_tail_days)


def _cuts(tasks: Iterable[Task], start_min: int, length: int) -> dict[date, set[int]]:
    """Return the working minutes at which days are cut by timed deadlines."""
    cuts: dict[date, set[int]] = {}
    for task in tasks:
        if task.deadline_time is not None:
            elapsed = task.deadline_time.hour * 60 + task.deadline_time.minute - start_min
            cut = _full_hour(min(max(elapsed, 0), length), length)
            if 0 < cut < length:
                cuts.setdefault(task.deadline, set()).add(cut)
    return cuts


def _full_hour(elapsed: int, length: int) -> int:
    return length if elapsed >= length else elapsed - elapsed % 60


def _pieces(days: list[date], cuts: dict[date, set[int]], passed: int, length: int) -> list[tuple[int, int, int]]:
    """Return ``(day index, from, to)`` for each stretch of a day, on the scale of `elapsed_share`; today starts at now."""
    pieces: list[tuple[int, int, int]] = []
    for i, day in enumerate(days):
        start = passed if i == 0 else 0
        for end in (*sorted(cut for cut in cuts.get(day, ()) if cut > start), length):
            if end > start:
                pieces.append((i, start, end))
                start = end
    return pieces


def _shares(whole: NDArray[np.int64], pieces: list[tuple[int, int, int]], length: int) -> NDArray[np.int64]:
    """Split each day's minutes over its pieces; rounding down at each boundary keeps the sum exact."""
    day, start, end = (
        (np.array(column, dtype=np.int64) for column in zip(*pieces, strict=True))
        if pieces
        else (np.zeros(0, dtype=np.int64),) * 3
    )
    return whole[:, day] * end // length - whole[:, day] * start // length
