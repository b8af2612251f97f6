"""What is asked of a solve, where one stands, and what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from solver.policy import Frozen

LONGEST_S = 3_600.0
"""Seconds that a solve may search."""


class SolveState(StrEnum):
    """Where a solve stands."""

    QUEUED = "queued"
    SEARCHING = "searching"
    APPLYING = "applying"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self in (SolveState.DONE, SolveState.CANCELLED, SolveState.FAILED)


class SolveKind(StrEnum):
    """Why a solve was asked for."""

    ON_DEMAND = "on demand"
    NIGHT = "night"
    MIDWEEK = "midweek"


class SolveAsk(Frozen):
    """What is asked of a solve: when it ends, whichever comes first."""

    seconds: Annotated[float, Field(ge=1, le=LONGEST_S, description="time to search, over all workers that do it")] = (
        60.0
    )
    work_units: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="deterministic work, about a second of a core each; none: no limit"
    )
    gap_pct: Annotated[float, Field(ge=0, le=100)] | None = Field(
        default=None, description="end when proven within this many percent of the best; none: no limit"
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class SolveResult(Frozen):
    """What a solve has changed: all of it stands in the decision log too."""

    placed: int = Field(description="tasks given to whom the plan gives them")
    placed_otherwise: int = Field(description="tasks that did not fit the plan any more, placed by the rule")
    waiting: int = Field(description="tasks held or escalated")
    changed: int = Field(description="tasks of the plan that changed meanwhile, and were left as they are")
    proposals: tuple[str, ...] = Field(description="ids of the proposals made")


class Solve(NamedTuple):
    """One solve as it stands.

    Attributes
    ----------
    position
        Among the firm's solves that wait, 1 for the next; 0 when it does not wait.
    attempts
        Workers that have had it.
    version
        Of the firm, as it is planned; ``None`` before the search has begun.
    spent_s
        Seconds of search so far, by all workers.
    plan
        Id of the plan that came of it.
    """

    id: str
    kind: SolveKind
    state: SolveState
    position: int
    ask: SolveAsk
    actor: str
    asked_at: datetime
    cancel_at: datetime | None
    attempts: int
    version: int | None
    planned_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    spent_s: float
    phase: str | None
    objective_min: int | None
    bound_min: int | None
    gap_pct: float | None
    plan: str | None
    result: SolveResult | None
    error: str | None


class SolveEvent(NamedTuple):
    """One step of a solve; ``document`` is JSON."""

    number: int
    at: datetime
    document: str


class Claimed(NamedTuple):
    """A solve in the hands of one worker."""

    state: SolveState
    ask: SolveAsk
    version: int
    planned_at: datetime
    spent_s: float
    log_before: int


class Hold(StrEnum):
    """What a worker is told about the solve it works on."""

    GO_ON = "go on"
    CANCEL = "cancel"
    LOST = "lost"
