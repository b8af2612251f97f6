"""What the engine is told: the firm, its people, clients, task types and tasks, as frozen models.

Every model refuses what cannot be, with the field, the value and the nearest valid value (see `solver.refusal`).
Minutes are whole minutes of work; days are local days of the firm's time zone.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from functools import cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

import holidays
from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, field_validator, model_validator

from solver.policy import Frozen, Minutes, Percent, Policy, ValueTier
from solver.refusal import nearest_name, refuse, require_known, require_unique


def _without_zone(clock: time) -> time:
    if clock.tzinfo is not None:
        near = clock.replace(tzinfo=None)
        raise refuse("time_with_zone", "", clock, "has a zone, where the firm's local time is asked", nearest=near)
    return clock


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
DayMinutes = Annotated[int, Field(ge=0, le=1_440)]
LocalTime = Annotated[
    time,
    AfterValidator(_without_zone),
    # JSON Schema's own format "time" asks for an offset, which a local time does not have.
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"}),
]
Week = tuple[DayMinutes, DayMinutes, DayMinutes, DayMinutes, DayMinutes, DayMinutes, DayMinutes]


class Priority(StrEnum):
    """How much a task matters beside its length; the factor multiplies its escalation and late prices."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def factor(self) -> int:
        """1 for low, 2 for normal, 4 for high, 8 for critical."""
        return {"low": 1, "normal": 2, "high": 4, "critical": 8}[self.value]


class Status(StrEnum):
    """Where a task stands. Open means planned or in progress."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class Level(Frozen):
    """One step of seniority; a firm lists its levels lowest first."""

    name: Name
    target_utilisation_pct: Percent = Field(default=75, description="share of capacity meant for tasks at this level")


class Skill(Frozen):
    """One cell of the skill matrix: the person may do tasks that ask for ``skill``."""

    skill: Name
    efficiency_pct: Annotated[int, Field(ge=10, le=1_000)] = Field(
        default=100, description="percent of the estimate this person needs; 80 is faster than planned"
    )
    mismatch_min: Minutes = Field(
        default=0, description="minutes of comfort it costs when this person gets such a task, though they may do it"
    )


class Person(Frozen):
    """Somebody who does tasks."""

    id: Name
    name: str = ""
    level: Name
    team: str = ""
    skills: tuple[Skill, ...] = ()
    weekly_min: Week = Field(
        default=(480, 480, 480, 480, 480, 0, 0), description="minutes of work per weekday, Monday first"
    )
    start_date: date | None = Field(default=None, description="first day worked")
    leave_date: date | None = Field(default=None, description="last day worked")
    target_utilisation_pct: Percent | None = Field(default=None, description="overrides the level's target")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        require_unique("skills", (cell.skill for cell in self.skills))
        if self.start_date and self.leave_date and self.leave_date < self.start_date:
            raise refuse(
                "leave_before_start",
                "leave_date",
                self.leave_date,
                f"is before the start date {self.start_date}",
                nearest=self.start_date,
            )
        return self

    @property
    def label(self) -> str:
        """The name people read; the id where no name was given."""
        return self.name or self.id


class DayRange(Frozen):
    """Base of what happens on consecutive days, both ends included."""

    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_day < self.first_day:
            raise refuse(
                "range_reversed",
                "last_day",
                self.last_day,
                f"is before first_day {self.first_day}",
                nearest=self.first_day,
            )
        return self


class TimeOff(DayRange):
    """Days on which a person works less or not at all."""

    person: Name
    minutes_per_day: DayMinutes | None = Field(default=None, description="minutes off on each day; none: the whole day")


class Booking(DayRange):
    """Minutes of each day taken by something that is not a task (training, a recurring meeting)."""

    person: Name
    minutes_per_day: DayMinutes
    label: str = ""


class Overtime(DayRange):
    """Busy-season minutes added to the weekly pattern; none on holidays, on whole days off, or outside employment."""

    extra_min: Week = Field(description="minutes added per weekday, Monday first")
    people: tuple[Name, ...] = Field(default=(), description="who; empty: everybody")
    levels: tuple[Name, ...] = Field(default=(), description="restricts to these levels; empty: all")


class HolidayCalendar(Frozen):
    """Public holidays by the library `holidays`, with the firm's own exceptions."""

    country: str | None = Field(default="US", description="ISO country code; none: no public holidays")
    subdivision: str | None = None
    extra: tuple[date, ...] = Field(default=(), description="further days on which the firm is closed")
    worked: tuple[date, ...] = Field(default=(), description="public holidays on which the firm works")

    @model_validator(mode="after")
    def _known(self) -> Self:
        supported = holidays.list_supported_countries(include_aliases=True)
        if self.country is not None and self.country not in supported:
            raise refuse(
                "unknown_country",
                "country",
                self.country,
                "has no holiday calendar",
                nearest=nearest_name(self.country, supported),
            )
        if self.country and self.subdivision and self.subdivision not in supported[self.country]:
            raise refuse(
                "unknown_subdivision",
                "subdivision",
                self.subdivision,
                f"is not known in {self.country}",
                nearest=nearest_name(self.subdivision, supported[self.country]),
            )
        return self


class Client(Frozen):
    """Somebody the firm works for."""

    id: Name
    name: str = ""
    tier: ValueTier = ValueTier.STANDARD
    usual_person: Name | None = Field(default=None, description="who knows this client; others cost continuity")
    barred: tuple[Name, ...] = Field(default=(), description="people who may not work for this client (independence)")

    @property
    def label(self) -> str:
        """The name people read; the id where no name was given."""
        return self.name or self.id


class ReviewRule(Frozen):
    """Who may review work of a type; a reviewer always differs from the preparer."""

    min_level: Name | None = Field(default=None, description="lowest level that may review this work")
    share_pct: Percent = Field(default=40, description="review time as a share of preparation time")


class Procedure(Frozen):
    """The written way a type of work is done."""

    steps: tuple[str, ...] = ()
    link: str | None = None


class TaskType(Frozen):
    """A template of work: what it asks of a person and how long it usually takes."""

    id: Name
    name: str = ""
    skill: Name
    default_estimate_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    min_level: Name | None = None
    complexity: Annotated[int, Field(ge=1, le=5)] = 1
    review: ReviewRule | None = None
    procedure: Procedure = Procedure()

    @property
    def label(self) -> str:
        """The name people read; the id where no name was given."""
        return self.name or self.id


class Task(Frozen):
    """A piece of work for one person."""

    id: Name
    type: Name
    client: Name
    deadline: date
    deadline_time: LocalTime | None = Field(
        default=None, description="local time on that day; none: the end of the day"
    )
    estimate_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    logged_min: Minutes = 0
    release: date | None = Field(default=None, description="earliest day of work; none: at once")
    priority: Priority = Priority.NORMAL
    status: Status = Status.PLANNED
    assignee: Name | None = None
    pinned: bool = Field(default=False, description="a person decided; the engine never moves it")
    requested_person: Name | None = Field(default=None, description="the client asked for this person")
    reviews: Name | None = Field(default=None, description="id of the task whose work this one reviews")
    completed_on: date | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.release is not None and self.release > self.deadline:
            raise refuse(
                "release_after_deadline",
                "release",
                self.release,
                f"is after the deadline {self.deadline}",
                nearest=self.deadline,
                hint="Maybe the two dates were swapped, or day and month were.",
            )
        if self.reviews == self.id:
            raise refuse("reviews_itself", "reviews", self.reviews, "is the task itself")
        return self

    @property
    def open(self) -> bool:
        """Whether work remains."""
        return self.status in (Status.PLANNED, Status.IN_PROGRESS)

    @property
    def started(self) -> bool:
        """Whether somebody has begun."""
        return self.open and (self.status is Status.IN_PROGRESS or self.logged_min > 0)


DEFAULT_LEVELS = (
    Level(name="associate", target_utilisation_pct=80),
    Level(name="senior", target_utilisation_pct=80),
    Level(name="manager", target_utilisation_pct=77),
    Level(name="partner", target_utilisation_pct=53),
)
"""Targets: shares of 2,080 hours published for staff, managers and partners (Rosenberg survey, CPA Trendlines 2018)."""


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of all zones: folders are walked for them, which takes longer than all other checks of a firm."""
    return frozenset(available_timezones())


class Firm(Frozen):
    """Everything the engine knows about one firm at one moment."""

    name: str = "Firm"
    time_zone: str = Field(default="America/New_York", description="IANA name; all days and times are local to it")
    workday_start: LocalTime = Field(
        default=time(9, 0), description="local time at which a day's minutes begin to be used"
    )
    workday_end: LocalTime = Field(default=time(17, 0), description="local time at which a day's minutes are used up")
    levels: tuple[Level, ...] = Field(default=DEFAULT_LEVELS, description="lowest first")
    holiday_calendar: HolidayCalendar = HolidayCalendar()
    people: tuple[Person, ...] = ()
    clients: tuple[Client, ...] = ()
    task_types: tuple[TaskType, ...] = ()
    tasks: tuple[Task, ...] = ()
    time_off: tuple[TimeOff, ...] = ()
    bookings: tuple[Booking, ...] = ()
    overtime: tuple[Overtime, ...] = ()
    policy: Policy = Policy()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            near = nearest_name(value, _time_zones())
            raise refuse("unknown_time_zone", "", value, "is not an IANA time zone", nearest=near)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.workday_end.replace(second=0, microsecond=0) <= self.workday_start.replace(second=0, microsecond=0):
            raise refuse(
                "workday_reversed", "workday_end", self.workday_end, f"is not after the start {self.workday_start}"
            )
        if not self.levels:
            raise refuse("no_levels", "levels", "()", "is empty", nearest="associate")
        require_unique("levels", (level.name for level in self.levels))
        require_unique("people", (person.id for person in self.people))
        require_unique("clients", (client.id for client in self.clients))
        require_unique("task_types", (kind.id for kind in self.task_types))
        require_unique("tasks", (task.id for task in self.tasks))
        self._check_references()
        self._check_review_links()
        return self

    def _check_references(self) -> None:
        levels = {level.name for level in self.levels}
        people = {person.id for person in self.people}
        clients = {client.id for client in self.clients}
        types = {kind.id for kind in self.task_types}
        tasks = {task.id for task in self.tasks}
        for i, person in enumerate(self.people):
            require_known(f"people.{i}.level", person.level, levels, "levels")
        for i, client in enumerate(self.clients):
            require_known(f"clients.{i}.usual_person", client.usual_person, people, "people")
            for barred in client.barred:
                require_known(f"clients.{i}.barred", barred, people, "people")
        for i, kind in enumerate(self.task_types):
            require_known(f"task_types.{i}.min_level", kind.min_level, levels, "levels")
            if kind.review:
                require_known(f"task_types.{i}.review.min_level", kind.review.min_level, levels, "levels")
        for i, task in enumerate(self.tasks):
            require_known(f"tasks.{i}.type", task.type, types, "task types")
            require_known(f"tasks.{i}.client", task.client, clients, "clients")
            require_known(f"tasks.{i}.assignee", task.assignee, people, "people")
            require_known(f"tasks.{i}.requested_person", task.requested_person, people, "people")
            require_known(f"tasks.{i}.reviews", task.reviews, tasks, "tasks")
        for part in ("time_off", "bookings"):
            for i, entry in enumerate(getattr(self, part)):
                require_known(f"{part}.{i}.person", entry.person, people, "people")
        for i, period in enumerate(self.overtime):
            for who in period.people:
                require_known(f"overtime.{i}.people", who, people, "people")
            for level in period.levels:
                require_known(f"overtime.{i}.levels", level, levels, "levels")
        guardrail = self.policy.guardrail
        require_known("policy.guardrail.complex_level", guardrail.complex_level, levels, "levels")
        require_known("policy.guardrail.high_value_level", guardrail.high_value_level, levels, "levels")

    def _check_review_links(self) -> None:
        reviewed = {task.id: task.reviews for task in self.tasks if task.reviews}
        cleared: set[str] = set()
        for start in reviewed:
            path: list[str] = []
            here: str | None = start
            while here is not None and here in reviewed and here not in cleared:
                if here in path:
                    raise refuse("review_circle", "reviews", here, "is part of a circle of reviews")
                path.append(here)
                here = reviewed[here]
            cleared.update(path)

    @property
    def zone(self) -> ZoneInfo:
        """The firm's time zone."""
        return ZoneInfo(self.time_zone)

    def level_rank(self, name: str | None) -> int:
        """Return the place of a level, 0 for the lowest; ``None`` asks for nothing and ranks 0."""
        if name is None:
            return 0
        return next(i for i, level in enumerate(self.levels) if level.name == name)
