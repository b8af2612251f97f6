"""Where a run and its points stand, and what is known of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self in (RunState.DONE, RunState.CANCELLED, RunState.FAILED)


class PointState(StrEnum):
    """Where a point stands; one of a run that has ended may be waiting for good."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Run(NamedTuple):
    """One run as it stands.

    Attributes
    ----------
    kind
        What is worked out: a name in `api.jobs.kinds.KINDS`, such as ``what_if``, ``sweep`` or ``risk``.
    position
        Among the firm's runs that wait, 1 for the next; 0 when it does not wait.
    scenario
        Id of the kept scenario it belongs to, ``None`` for none.
    asked
        JSON of the ask, without names, as `api.jobs.kinds` reads it.
    version, planned_at
        The firm as it is worked out: its version, and the moment (the last full hour before it was asked for).
    last_plan
        Id of the firm's newest plan when it was asked for, which today's plan goes on from; ``None`` before there is one.
    points, points_done
        How many points are asked for, and how many are there: comparisons, grid points, portions of draws. Today's plan and putting
        together are not counted.
    points_known
        Of those done, how many were known before and not worked out again.
    events
        Number of its last step.
    """

    id: str
    kind: str
    state: RunState
    position: int
    scenario: str | None
    asked: str
    content_hash: str
    actor: str
    asked_at: datetime
    cancel_at: datetime | None
    version: int
    planned_at: datetime
    last_plan: str | None
    started_at: datetime | None
    ended_at: datetime | None
    points: int
    points_done: int
    points_known: int
    events: int
    error: str | None


class NewPoint(NamedTuple):
    """A point of a run, before anybody has it.

    Attributes
    ----------
    number
        Its place in the run, from 0: results are put together in this order, whoever found them.
    does
        Which function of the kind works it out.
    asked
        JSON of its arguments.
    counted
        Whether it is one of the points that were asked for.
    key
        What its result is kept under: a hash of all that it depends on.
    """

    number: int
    does: str
    asked: str
    counted: bool
    key: str


class PointClaim(NamedTuple):
    """A point in the hands of one worker; ``tries``: times it was begun, this one included."""

    stage: int
    does: str
    asked: str
    key: str
    tries: int


class PointAnswer(NamedTuple):
    """A point as it stands; ``document`` is the JSON of its result, with the names of today, ``None`` before it is there.

    ``known``: its result was there before; nobody worked for it. ``tries``: times that somebody began it.
    """

    number: int
    does: str
    asked: str
    state: PointState
    known: bool
    tries: int
    worker: str | None
    begun_at: datetime | None
    ended_at: datetime | None
    error: str | None
    document: str | None


class Finished(NamedTuple):
    """What became of a result that was handed in: ``kept``, unless somebody else has the point; ``stage_over``: it was the last one."""

    kept: bool
    stage_over: bool
