"""What routes take and answer beside the models of `solver`; minutes end in ``_min``, days are local days of the firm."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.store.log import By, EntryKind
from solver.firm import LocalTime, Name, Priority, Status, Task
from solver.plan import Decision
from solver.policy import Frozen


class Answer(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True)


class TaskAnswer(Answer):
    """A task as it is kept."""

    task: Task
    version: int = Field(description="of the task; its ETag")


class Placed(TaskAnswer):
    """A new task, and what was decided about it; all of it is stored."""

    decision_number: int = Field(description="of the entry in the decision log")
    decision: Decision


class TaskPage(Answer):
    """Tasks in the order they came."""

    tasks: tuple[TaskAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


def left_out() -> Any:
    """Stand for a field that was not sent; never read."""
    return None


class TaskChange(Frozen):
    """Facts to change about a task. What is left out stays; null empties what may be empty. Who has it is decided, not changed."""

    type: Name = Field(default_factory=left_out)
    client: Name = Field(default_factory=left_out)
    deadline: date = Field(default_factory=left_out)
    deadline_time: LocalTime | None = Field(default_factory=left_out)
    estimate_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(default_factory=left_out)
    release: date | None = Field(default_factory=left_out)
    priority: Priority = Field(default_factory=left_out)
    status: Status = Field(default_factory=left_out)
    pinned: bool = Field(default_factory=left_out)
    requested_person: Name | None = Field(default_factory=left_out)
    reviews: Name | None = Field(default_factory=left_out)
    completed_on: date | None = Field(default_factory=left_out)


class TimeEntry(Frozen):
    """Minutes that somebody worked on a task."""

    id: Name | None = Field(default=None, description="none: we give one")
    person: Name
    day: date
    minutes: Annotated[int, Field(ge=1, le=1_440)]


class TimeLogged(TaskAnswer):
    """A time entry that was kept, and its task after it."""

    id: str


class LogEntry(Answer):
    """One entry of the decision log."""

    number: int
    at: datetime
    kind: EntryKind
    decided_by: By
    actor: str = Field(description="id of the token, person or job that asked")
    task: str | None
    person: str | None
    outcome: str
    reason: str
    board_version: int = Field(description="of the firm, as it was decided on")
    hash: str = Field(description="of this entry and all before it")


class WholeLogEntry(LogEntry):
    """One entry with what was asked, and what the engine saw and said."""

    asked: Task | None = Field(description="the task before anybody had it")
    answer: Decision | None


class LogPage(Answer):
    """Entries of the log, newest first."""

    decisions: tuple[LogEntry, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class FirmAnswer(Answer):
    """A firm in figures."""

    id: str
    name: str
    time_zone: str = Field(description="IANA name; days and times of day are local to it")
    version: int
    people: int
    clients: int
    task_types: int
    tasks_open: int
    tasks_unassigned: int = Field(description="open tasks that nobody has")
    holds_open: int
    escalations_open: int
    decisions: int
    log_head: str = Field(description="hash of the last entry of the decision log")


class Health(Answer):
    """The process answers."""

    status: str = "ok"


class Version(Answer):
    """What runs here."""

    version: str
    revision: str = Field(description="of the database schema that it expects")
