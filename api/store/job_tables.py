"""The tables of jobs: solves with their incumbents and progress, what a firm has done by itself, workers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from api.store.rows import OfFirm, Record, to


class SolveRecord(OfFirm, Record):
    """A solve that was asked for: where it stands, who does it, what came of it (`api.store.solves`)."""

    __tablename__ = "solves"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    asked: Mapped[str]
    actor: Mapped[str]
    asked_at: Mapped[datetime]
    cancel_at: Mapped[datetime | None]
    owner: Mapped[str | None]
    attempts: Mapped[int]
    version: Mapped[int | None]
    planned_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    spent_s: Mapped[float]
    phase: Mapped[str | None]
    objective_min: Mapped[int | None]
    bound_min: Mapped[int | None]
    gap_pct: Mapped[float | None]
    events: Mapped[int]
    log_before: Mapped[int | None]
    plan: Mapped[str | None]
    result: Mapped[str | None]
    error: Mapped[str | None]

    __table_args__ = (to("plans", "plan"), Index(None, "firm_id", "state", "number"))


class IncumbentRecord(OfFirm, Record):
    """The best plan a solve has written down so far: what another worker goes on from."""

    __tablename__ = "incumbents"

    solve: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    document: Mapped[str]

    __table_args__ = (to("solves", "solve"),)


class SolveEventRecord(OfFirm, Record):
    """One step of a solve, as whoever watches it is told."""

    __tablename__ = "solve_events"

    solve: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    document: Mapped[str]

    __table_args__ = (to("solves", "solve"),)


class ScheduleRecord(OfFirm, Record):
    """When a firm wants something done by itself, local to it, and the last local day it was."""

    __tablename__ = "schedules"

    id: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[str | None]
    last_day: Mapped[date | None]
    version: Mapped[int] = mapped_column(server_default="0")


class SuggestionRecord(OfFirm, Record):
    """What somebody decided about a suggestion; ``number`` is that of the entry in the decision log."""

    __tablename__ = "suggestions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str]
    key: Mapped[str]
    state: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_number: Mapped[int | None]
    document: Mapped[str]

    __table_args__ = (Index(None, "firm_id", "id"), Index(None, "firm_id", "key"))


class WorkerRecord(Record):
    """A process that does jobs, and when it last said that it lives; it belongs to no firm."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
