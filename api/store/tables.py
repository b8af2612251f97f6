"""The tables. What is queried or changes alone is a row; what a firm is stays with the models, as documents validated when read.

Every key begins with the firm's id. A ``document`` is the JSON text of a model (`solver.firm`, `solver.plan`), kept as written: both
databases give back the same text, which is hashed and compared. ``place`` orders the parts of a firm, and is the version that put them
there. Moments are kept in UTC. Migrations make these tables, and those of `api.store.accounts` (`api.store.migrating`); a test compares.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, where SQLite knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"moment {value} has no zone. Maybe use datetime.now(UTC).")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Record(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {str: Text, int: BigInteger, date: Date, datetime: Moment, float: Float}  # noqa: RUF012


class FirmRecord(Record):
    """A firm: its version, where its board begins, and the head of its log."""

    __tablename__ = "firms"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    base_version: Mapped[int]
    base_at: Mapped[datetime]
    log_number: Mapped[int]
    log_hash: Mapped[str]
    outbox_number: Mapped[int]
    document: Mapped[str]
    created_at: Mapped[datetime]


class OfFirm:
    """Every other row belongs to one firm; sessions read no other firm's (`api.store.database`)."""

    @declared_attr
    def firm_id(cls) -> Mapped[str]:  # noqa: N805
        """The firm: first part of every key."""
        return mapped_column(ForeignKey("firms.id"), primary_key=True, sort_order=-2)


class PartOfFirm(OfFirm):
    """A part of the firm as the engine is told it, as it is now."""

    id: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
    place: Mapped[int]
    version: Mapped[int]
    document: Mapped[str]


def _to(table: str, *columns: str, **more: Any) -> ForeignKeyConstraint:
    """Return a reference within the same firm."""
    there = [f"{table}.firm_id", f"{table}.id"]
    return ForeignKeyConstraint(["firm_id", *columns], there, **more)


class PersonRecord(PartOfFirm, Record):
    """A person. The name stands here and nowhere else."""

    __tablename__ = "people"

    name: Mapped[str]
    level: Mapped[str]
    team: Mapped[str]


class ClientRecord(PartOfFirm, Record):
    """A client. The name stands here and nowhere else."""

    __tablename__ = "clients"

    name: Mapped[str]
    tier: Mapped[str]


class TaskTypeRecord(PartOfFirm, Record):
    """A task type."""

    __tablename__ = "task_types"

    skill: Mapped[str]


class CalendarRecord(PartOfFirm, Record):
    """Time off, a booking or a period of overtime."""

    __tablename__ = "calendar_entries"

    kind: Mapped[str]
    person: Mapped[str | None]
    first_day: Mapped[date]
    last_day: Mapped[date]

    __table_args__ = (_to("people", "person"), Index(None, "firm_id", "person", "first_day"))


class TaskRecord(PartOfFirm, Record):
    """A task."""

    __tablename__ = "tasks"

    type: Mapped[str]
    client: Mapped[str]
    deadline: Mapped[date]
    status: Mapped[str]
    open: Mapped[bool]
    assignee: Mapped[str | None]
    reviews: Mapped[str | None]

    __table_args__ = (
        _to("task_types", "type"),
        _to("clients", "client"),
        _to("people", "assignee"),
        # Deferred: a firm may list a review before its preparation.
        _to("tasks", "reviews", deferrable=True, initially="DEFERRED"),
        Index(None, "firm_id", "open", "place"),
        Index(None, "firm_id", "assignee", "open"),
        Index(None, "firm_id", "client", "open"),
        Index(None, "firm_id", "reviews"),
    )


class ChangeRecord(OfFirm, Record):
    """What each version of the firm changed: a part as it is from then on, without names; no document when it was removed."""

    __tablename__ = "changes"

    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    part: Mapped[str]
    place: Mapped[int]
    document: Mapped[str | None]
    at: Mapped[datetime]
    actor: Mapped[str]

    __table_args__ = (Index(None, "firm_id", "kind", "part", "version"),)


class TimeRecord(OfFirm, Record):
    """Minutes that somebody worked on a task."""

    __tablename__ = "time_entries"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    task: Mapped[str]
    person: Mapped[str]
    day: Mapped[date]
    minutes: Mapped[int]
    at: Mapped[datetime]

    __table_args__ = (
        _to("tasks", "task"),
        _to("people", "person"),
        Index(None, "firm_id", "task"),
        Index(None, "firm_id", "person", "day"),
    )


class AssignmentRecord(OfFirm, Record):
    """Who had a task from one version until another; none: has it now. It outlives the task."""

    __tablename__ = "assignments"

    task: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    until_version: Mapped[int | None]
    decision: Mapped[int | None]
    at: Mapped[datetime]

    __table_args__ = (Index(None, "firm_id", "person", "until_version"),)


class ExceptionRecord(OfFirm, Record):
    """A hold or an escalation, numbered as the decision that opened it: open until placed, or ended by a person. It outlives the task."""

    __tablename__ = "exceptions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    task: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_how: Mapped[str | None]

    __table_args__ = (
        Index(None, "firm_id", "closed_at", "number"),
        Index(None, "firm_id", "task"),
    )


class DecisionRecord(OfFirm, Record):
    """One entry of the decision log. The database refuses to change or delete it."""

    __tablename__ = "decisions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str]
    decided_by: Mapped[str]
    actor: Mapped[str]
    task: Mapped[str | None]
    person: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    board_version: Mapped[int]
    base_version: Mapped[int]
    base_at: Mapped[datetime]
    document: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]

    __table_args__ = (Index(None, "firm_id", "task", "number"),)


class PlanRecord(OfFirm, Record):
    """A plan with its certificate, as it was found."""

    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    at: Mapped[datetime]
    objective_min: Mapped[int]
    bound_min: Mapped[int]
    gap_pct: Mapped[float]
    document: Mapped[str]

    __table_args__ = (Index(None, "firm_id", "at"),)


class ProposalRecord(OfFirm, Record):
    """A reassignment, or a bundle, that waits for a manager, and what became of it."""

    __tablename__ = "proposals"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    plan: Mapped[str | None]
    status: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    decision: Mapped[int | None]
    document: Mapped[str]

    __table_args__ = (_to("plans", "plan"), Index(None, "firm_id", "status", "created_at"))


class ScenarioRecord(OfFirm, Record):
    """A what-if: its changes, and its result once there is one."""

    __tablename__ = "scenarios"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    document: Mapped[str]
    result: Mapped[str | None]


class AnswerRecord(OfFirm, Record):
    """What a request with an idempotency key was answered."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (Index(None, "firm_id", "at"),)


class OutboxRecord(OfFirm, Record):
    """Something the world must hear: written with what caused it, delivered afterwards, perhaps twice."""

    __tablename__ = "outbox"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic: Mapped[str]
    document: Mapped[str]
    at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index(None, "firm_id", "delivered_at", "number"),)


class TokenRecord(OfFirm, Record):
    """A token of the HTTP API: what it may be used for, and until when. The token itself is nowhere."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    role: Mapped[str]
    person: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    team: Mapped[str | None]

    __table_args__ = (_to("people", "person"),)
