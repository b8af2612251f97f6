"""The tables. What is queried or changes alone is a row; what a firm is stays with the models, as documents validated when read.

Every key begins with the firm's id. A ``document`` is the JSON text of a model (`solver.firm`, `solver.plan`), kept as written: both
databases give back the same text, which is hashed and compared. ``place`` orders the parts of a firm, and is the version that put them
there. Moments are kept in UTC. Migrations make these tables, and those of the modules beside it (`api.store.migrating`); a test compares.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from api.store.delivery_tables import DeliveryRecord as DeliveryRecord
from api.store.delivery_tables import InboxRecord as InboxRecord
from api.store.delivery_tables import WebhookRecord as WebhookRecord
from api.store.rows import Moment as Moment
from api.store.rows import OfFirm as OfFirm
from api.store.rows import PartOfFirm as PartOfFirm
from api.store.rows import Record as Record
from api.store.rows import to as _to
from api.store.scenario_tables import PointRecord as PointRecord
from api.store.scenario_tables import PointResultRecord as PointResultRecord
from api.store.scenario_tables import RunEventRecord as RunEventRecord
from api.store.scenario_tables import RunRecord as RunRecord
from api.store.scenario_tables import ScenarioRecord as ScenarioRecord


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
    facts: Mapped[str | None]

    __table_args__ = (_to("plans", "plan"), Index(None, "firm_id", "status", "created_at"))


class ProposalMoveRecord(OfFirm, Record):
    """One move of a proposal, to be found by its task. It outlives the task."""

    __tablename__ = "proposal_moves"

    proposal: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    from_person: Mapped[str | None]
    to_person: Mapped[str]

    __table_args__ = (_to("proposals", "proposal"), Index(None, "firm_id", "task"))


class ProposalStateRecord(OfFirm, Record):
    """When a proposal came to a state, by whom and why; each state once at most."""

    __tablename__ = "proposal_states"

    proposal: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
    decision: Mapped[int | None]

    __table_args__ = (_to("proposals", "proposal"),)


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
