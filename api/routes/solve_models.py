"""What is answered about solves; objectives are minutes without the part that no plan can avoid."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.jobs.schedule import Due, Schedule
from api.routes.models import Answer
from api.store.solve_states import SolveAsk, SolveKind, SolveResult, SolveState
from solver.plan import Plan


class SolveStarted(Answer):
    """A solve that waits for a worker."""

    id: str
    state: SolveState
    position: int = Field(description="among the solves of this firm that wait, 1 for the next")


class SolveAnswer(Answer):
    """A solve as it stands."""

    id: str
    kind: SolveKind
    state: SolveState
    position: int = Field(description="among the solves of this firm that wait, 1 for the next; 0: it does not wait")
    ask: SolveAsk
    actor: str = Field(description="id of the token or job that asked")
    asked_at: datetime
    cancel_at: datetime | None = Field(description="when somebody asked to cancel it")
    attempts: int = Field(description="workers that have had it; more than one: a worker died or was ended")
    version: int | None = Field(description="of the firm, as it is planned; none: not begun")
    planned_at: datetime | None = Field(description="the moment that is planned from")
    started_at: datetime | None
    ended_at: datetime | None
    spent_s: float = Field(description="seconds of search so far, by all workers")
    phase: str | None = Field(description="what the search is doing, in words")
    objective_min: int | None = Field(description="of the best plan so far; none: there is none yet")
    bound_min: int | None = Field(description="no plan can be below this")
    gap_pct: float | None = Field(description="(objective - bound) / objective in percent")
    error: str | None = Field(description="why it failed, in words; none: it did not")


class SolveStep(Answer):
    """One step of a solve, as its stream tells it; figures where the step has any."""

    number: int = Field(default=0, description="id of the event")
    state: SolveState
    attempt: int | None = Field(default=None, description="of the worker that takes it up")
    phase: str | None = None
    spent_s: float | None = None
    objective_min: int | None = None
    bound_min: int | None = None
    gap_pct: float | None = None


class SolvePage(Answer):
    """Solves, newest first."""

    solves: tuple[SolveAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class ScheduleAnswer(Answer):
    """What is done by itself, and when."""

    id: Due
    schedule: Schedule
    last_day: date | None = Field(description="the last local day for which it was done")
    next_at: datetime | None = Field(description="when it is done next; none: never")
    version: int = Field(description="its ETag")


class Schedules(Answer):
    """Everything that is done by itself."""

    schedules: tuple[ScheduleAnswer, ...]


class SolveResultAnswer(Answer):
    """What came of a solve: the plan with its certificate, and what was done about it."""

    id: str
    result: SolveResult
    plan: Plan
