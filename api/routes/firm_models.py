"""What routes about the firm take and answer: people, calendar, clients, task types, policy, metrics, tokens, files."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.roles import Role
from api.routes.models import Answer
from api.routes.problems import Mistake
from api.routes.work_models import Reason
from api.store.parts import PartKind
from api.store.tokens import MAX_DAYS
from solver.firm import Booking, Client, HolidayCalendar, Level, LocalTime, Name, Overtime, Person, TaskType, TimeOff
from solver.plan import MetricsReport
from solver.policy import Frozen, Policy

Next = Annotated[str | None, Field(description="cursor of the next page; none: this was the last")]
Version = Annotated[int, Field(description="its ETag")]


class PersonAnswer(Answer):
    """A person as they are kept."""

    person: Person
    version: Version


class PersonPage(Answer):
    """People in the order they came."""

    people: tuple[PersonAnswer, ...]
    next: Next


class Leaving(Frozen):
    """When somebody leaves."""

    last_day: date = Field(description="last day worked")


class SkillLevel(Frozen):
    """How somebody does tasks that ask for a skill."""

    efficiency_pct: Annotated[int, Field(ge=10, le=1_000)] = 100
    mismatch_min: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class FreeTime(Answer):
    """One day, or one week from its Monday, of one person."""

    first_day: date
    capacity_min: int = Field(description="minutes for tasks; of today, what is left")
    planned_min: int = Field(description="minutes of them that open work takes, as planned today")
    free_min: int


class Capacity(Answer):
    """How much of a person is free."""

    person: str
    version: int = Field(description="of the firm, as it was looked at")
    days: tuple[FreeTime, ...]
    weeks: tuple[FreeTime, ...] = Field(description="of the same days, by calendar week")


class ClientAnswer(Answer):
    """A client as it is kept."""

    client: Client
    version: Version


class ClientPage(Answer):
    """Clients in the order they came."""

    clients: tuple[ClientAnswer, ...]
    next: Next


class TaskTypeAnswer(Answer):
    """A task type as it is kept."""

    task_type: TaskType
    version: Version


class TaskTypePage(Answer):
    """Task types in the order they came."""

    task_types: tuple[TaskTypeAnswer, ...]
    next: Next


class TimeOffEntry(TimeOff):
    """Days on which a person works less or not at all."""

    kind: Literal["time_off"]


class BookingEntry(Booking):
    """Minutes of each day taken by something that is not a task."""

    kind: Literal["booking"]


class OvertimeEntry(Overtime):
    """Minutes added to the weekly pattern."""

    kind: Literal["overtime"]


Entry = Annotated[TimeOffEntry | BookingEntry | OvertimeEntry, Field(discriminator="kind")]


class EntryAnswer(Answer):
    """A calendar entry as it is kept."""

    id: str
    version: Version
    entry: Entry


class EntryPage(Answer):
    """Calendar entries in the order they came."""

    entries: tuple[EntryAnswer, ...]
    next: Next


class FirmSettings(Frozen):
    """What a firm is beside its lists and its policy."""

    name: Annotated[str, Field(max_length=200)]
    time_zone: Annotated[str, Field(max_length=100, description="IANA name; all days and times are local to it")]
    workday_start: LocalTime
    workday_end: LocalTime
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=100, description="lowest first")]
    holiday_calendar: HolidayCalendar


class SettingsAnswer(Answer):
    """The settings as they are kept."""

    settings: FirmSettings
    version: Version


class SettingsChange(Frozen):
    """Settings from now on, and why; the reason is logged."""

    settings: FirmSettings
    reason: Reason = ""


class PolicyAnswer(Answer):
    """The policy as it is kept; the settings have the same version."""

    policy: Policy
    version: Version


class PolicyChange(Frozen):
    """The policy from now on, and why; the reason is logged."""

    policy: Policy
    reason: Reason = ""


class PolicyChecked(Answer):
    """A policy that this firm could have."""

    policy: Policy
    changed: tuple[str, ...] = Field(description="dotted names of what differs from today's")


class PolicyThenAnswer(Answer):
    """The policy from one version of the firm on."""

    version: int
    at: datetime
    actor: str
    policy: Policy


class PolicyPage(Answer):
    """Policies, newest first."""

    policies: tuple[PolicyThenAnswer, ...]
    next: Next


class ChangeAnswer(Answer):
    """What a part of the firm was from one version on, without the names of people and clients."""

    version: int
    kind: PartKind
    part: str = Field(description="its id")
    at: datetime
    actor: str = Field(description="id of the token, person or job that asked")
    document: dict[str, Any] | None = Field(description="none: it was removed")


class ChangePage(Answer):
    """Changes, newest first."""

    changes: tuple[ChangeAnswer, ...]
    next: Next


class MetricsAnswer(Answer):
    """The four metrics as the firm stands, if nobody does anything more."""

    version: int = Field(description="of the firm, as it was looked at")
    at: datetime
    metrics: MetricsReport


class PastWeek(Answer):
    """One week as it went, Monday to Sunday by the firm's days."""

    week_start: date
    capacity_min: int
    logged_min: int
    utilisation_pct: float | None = Field(description="logged / capacity; none without capacity")
    spread_pct: float | None = Field(description="busiest less idlest person; none for fewer than two with capacity")
    completed: int
    completed_on_time: int
    on_time_pct: float | None
    escalations_opened: int
    holds_opened: int


class PastWeeks(Answer):
    """Weeks, oldest first."""

    weeks: tuple[PastWeek, ...]


class NewToken(Frozen):
    """A token to make."""

    role: Role
    days: Annotated[int, Field(ge=1, le=MAX_DAYS, description="how long it is good for")] = 90
    person: Name | None = Field(default=None, description="whom it acts for; staff only")
    team: Name | None = Field(default=None, description="whom it manages; managers only; none: everybody")


class TokenAnswer(Answer):
    """A token without what it opens the firm with."""

    id: str
    role: Role
    person: str | None
    team: str | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenAnswer):
    """A new token."""

    token: str | None = Field(description="what to send; shown once, so none where the request is answered again")


class Tokens(Answer):
    """All tokens of the firm, oldest first."""

    tokens: tuple[TokenAnswer, ...]


class NewFirm(Frozen):
    """A firm to begin, with nobody in it."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,50}$")] = Field(
        description="how its id begins; we add eight signs, so that nobody learns which firms there are"
    )
    settings: FirmSettings
    policy: Policy = Policy()


class FirmMade(Answer):
    """A new firm and its owner's token, good for a year."""

    id: str
    token: str | None = Field(description="shown once, so none where the request is answered again")


class RowCount(Answer):
    """Rows of one sheet: read = taken + rejected."""

    sheet: str
    read: int
    taken: int
    rejected: int


class Imported(Answer):
    """What was in the files, and what of it is in the firm."""

    stored: bool = Field(description="false for a dry run")
    version: int = Field(description="of the firm, from now on")
    rows: tuple[RowCount, ...]
    rejects: tuple[Mistake, ...]
    notes: tuple[str, ...]


class ChainAnswer(Answer):
    """The decision log walked from its beginning."""

    entries: int
    head: str = Field(description="hash of the last one; note it elsewhere, and send it as `noted` later")
    whole: bool
    broken_at: int | None
    problem: str | None


class ReplayAnswer(Answer):
    """A decision made again on the board it was made on."""

    number: int
    same: bool
    different: tuple[str, ...] = Field(description="parts of the answer that are not what the log says")
