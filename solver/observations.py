"""What is learnt from: tasks with the minutes estimated and the minutes logged, and which of them say something.

Nothing is dropped silently: each task that says nothing is named with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from solver.firm import Firm, Name, Status, Task
from solver.policy import Frozen, Minutes

MOST_EFFECTS = 3_000
"""Types, people and people in types that are learnt of at once: time grows with their cube (decision 12)."""


SHARED_PCT = 90
"""Who logged at least so much of a task's time did it."""


class Observation(Frozen):
    """One task as the time sheets saw it."""

    task: Name
    type: Name
    client: Name
    person: Name | None = Field(
        default=None, description="who did it; none where several people shared it: it then says nothing about people"
    )
    estimate_min: Minutes | None = Field(
        default=None, description="the estimate as first given: before any learnt correction of it was accepted"
    )
    logged_min: Minutes = Field(default=0, description="minutes logged so far; all of them where the task is finished")
    finished: bool = True
    finished_on: date | None = None


class TimeEntry(Frozen):
    """Minutes that somebody worked on a task on a day."""

    task: Name
    person: Name
    day: date
    minutes: Minutes


class Silence(StrEnum):
    """Why a task says nothing about estimates."""

    NO_TIME = "no time was logged"
    NO_ESTIMATE = "no estimate was given"
    NO_DATE = "it is not known when it was finished"
    NOT_STARTED = "it has not begun"
    TOO_OLD = "it was finished before the window"
    TOO_NEW = "it was finished after the day of learning"
    REPEATED = "another record of the same task is used"
    NO_PEER = "no task of its type is finished"


class LeftOut(Frozen):
    """A task that is not learnt from, and why."""

    task: str
    reason: Silence


class Usable(NamedTuple):
    """Observations to learn from, by task id, and the others."""

    observations: tuple[Observation, ...]
    left_out: tuple[LeftOut, ...]


def observed(
    firm: Firm, entries: Iterable[TimeEntry] = (), *, first_estimate_min: Mapping[str, int] | None = None
) -> tuple[Observation, ...]:
    """Return the finished and the started tasks of a firm; a task without an estimate counts with its type's default.

    Parameters
    ----------
    entries
        Who worked when. A task was done by whoever logged nine tenths of its time, by its assignee where nobody logged any; one that
        several people shared says nothing about people. A finished task without a date was finished on the day of its last entry.
    first_estimate_min
        Estimates as first given, by task, where another one stands in the firm by now.
    """
    first = first_estimate_min or {}
    defaults = {kind.id: kind.default_estimate_min for kind in firm.task_types}
    mine: dict[str, list[TimeEntry]] = defaultdict(list)
    for entry in entries:
        if entry.minutes:
            mine[entry.task].append(entry)
    seen = [task for task in firm.tasks if task.status is Status.DONE or task.started]
    return tuple(
        _observation(task, first.get(task.id) or task.estimate_min or defaults[task.type], mine[task.id])
        for task in seen
    )


def _observation(task: Task, estimate_min: int | None, entries: list[TimeEntry]) -> Observation:
    last = task.completed_on or max((entry.day for entry in entries), default=None)
    return Observation(
        task=task.id,
        type=task.type,
        client=task.client,
        person=_doer(entries) if entries else task.assignee,
        estimate_min=estimate_min,
        logged_min=task.logged_min or sum(entry.minutes for entry in entries),
        finished=task.status is Status.DONE,
        finished_on=last if task.status is Status.DONE else None,
    )


def _doer(entries: Iterable[TimeEntry]) -> str | None:
    """Return who did a task; nobody where several did."""
    minutes: dict[str, int] = defaultdict(int)
    for entry in entries:
        minutes[entry.person] += entry.minutes
    person = max(sorted(minutes), key=lambda one: minutes[one])
    return person if 100 * minutes[person] >= SHARED_PCT * sum(minutes.values()) else None


def usable(observations: Iterable[Observation], *, as_of: date, window_days: int) -> Usable:
    """Return what says something about how long work takes.

    A finished task without time is a gap in the time sheets, not a task of no length. An open task says "at least so long": leaving
    it out would leave out the long ones. Of several records of one task the one finished last, then with the most minutes, is used.
    """
    kept: dict[str, Observation] = {}
    left: list[LeftOut] = []
    for one in sorted(observations, key=_latest_first):
        reason = Silence.REPEATED if one.task in kept else _silence(one, as_of, window_days)
        if reason is None:
            kept[one.task] = one
        else:
            left.append(LeftOut(task=one.task, reason=reason))
    finished = {one.type for one in kept.values() if one.finished}
    left += [LeftOut(task=one.task, reason=Silence.NO_PEER) for one in kept.values() if one.type not in finished]
    heard = sorted((one for one in kept.values() if one.type in finished), key=lambda one: one.task)
    return Usable(tuple(heard), tuple(sorted(left, key=lambda one: (one.task, one.reason))))


def _latest_first(one: Observation) -> tuple[object, ...]:
    """Return a key under which equal records only are equal, the one to use first."""
    ordinal = one.finished_on.toordinal() if one.finished_on else 0
    size = (-one.logged_min, -(one.estimate_min or 0))
    return (one.task, not one.finished, -ordinal, *size, one.type, one.client, one.person or "")


def _silence(one: Observation, as_of: date, window_days: int) -> Silence | None:
    if not one.logged_min:
        return Silence.NO_TIME if one.finished else Silence.NOT_STARTED
    if not one.estimate_min:
        return Silence.NO_ESTIMATE
    if not one.finished:
        return None
    if one.finished_on is None:
        return Silence.NO_DATE
    if one.finished_on > as_of:
        return Silence.TOO_NEW
    return Silence.TOO_OLD if one.finished_on <= as_of - timedelta(days=window_days) else None


def effect_count(seen: Iterable[Observation]) -> int:
    """Return of how many types, people and people in types would be learnt."""
    pairs = {(one.person, one.type) for one in seen}
    return len(pairs) + len({person for person, _ in pairs}) + len({type for _, type in pairs})
