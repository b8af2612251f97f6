"""The tables of what-if: scenarios that people keep, runs that were asked for, their points and what came of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from api.store.rows import OfFirm, Record, to


class ScenarioRecord(OfFirm, Record):
    """A what-if that somebody keeps: its changes as JSON, without names (`api.store.scenarios`)."""

    __tablename__ = "scenarios"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    version: Mapped[int]
    name: Mapped[str]
    note: Mapped[str]
    changes: Mapped[str]
    base_version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]

    __table_args__ = (Index(None, "firm_id", "number"),)


class RunRecord(OfFirm, Record):
    """Something that was asked to be worked out beside the firm: a comparison, a sweep, a risk (`api.store.runs`)."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    scenario: Mapped[str | None]
    asked: Mapped[str]
    content_hash: Mapped[str]
    actor: Mapped[str]
    asked_at: Mapped[datetime]
    cancel_at: Mapped[datetime | None]
    version: Mapped[int]
    planned_at: Mapped[datetime]
    last_plan: Mapped[str | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    stage: Mapped[int]
    opener: Mapped[str | None]
    points: Mapped[int]
    points_done: Mapped[int]
    points_known: Mapped[int]
    events: Mapped[int]
    result_key: Mapped[str | None]
    error: Mapped[str | None]

    __table_args__ = (
        to("scenarios", "scenario"),
        Index(None, "firm_id", "state", "number"),
        Index(None, "firm_id", "content_hash"),
        Index(None, "firm_id", "scenario"),
    )


class PointRecord(OfFirm, Record):
    """One step of a run: what is to be worked out, who does it, how often it was begun; ``key`` names what came of it."""

    __tablename__ = "run_points"

    run: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stage: Mapped[int]
    does: Mapped[str]
    asked: Mapped[str]
    counted: Mapped[bool]
    key: Mapped[str]
    state: Mapped[str]
    known: Mapped[bool]
    tries: Mapped[int]
    owner: Mapped[str | None]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None]

    __table_args__ = (
        to("runs", "run"),
        Index(None, "firm_id", "run", "stage", "state"),
        Index(None, "firm_id", "key"),
    )


class PointResultRecord(OfFirm, Record):
    """What came of a point, under the hash of all that it depends on: whoever asks for the same again has it."""

    __tablename__ = "point_results"

    key: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[str]
    digest: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (Index(None, "firm_id", "at"),)


class RunEventRecord(OfFirm, Record):
    """One step of a run, as whoever watches it is told."""

    __tablename__ = "run_events"

    run: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    document: Mapped[str]

    __table_args__ = (to("runs", "run"),)
