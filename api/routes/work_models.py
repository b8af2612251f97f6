"""What routes about work take and answer, beyond one task: many at once, corrections, explanations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from api.routes.models import Answer, LogEntry, Placed, TaskAnswer
from api.routes.problems import Mistake
from solver.explanations import Explanation, WhyNot
from solver.plan import Decision
from solver.policy import Frozen

BULK_ROWS = 500
Reason = Annotated[str, Field(max_length=2_000)]


class NewTasks(Frozen):
    """Tasks to take in and place, in this order."""

    tasks: tuple[dict[str, Any], ...] = Field(
        min_length=1,
        max_length=BULK_ROWS,
        description="each as for one task; what is wrong with one is said in its row",
    )
    all_or_nothing: bool = Field(default=False, description="place none of them where one is refused")


class PlacedRow(Answer):
    """What became of one row: an answer or problems, never both."""

    row: int = Field(description="from 0, as sent")
    placed: Placed | None
    problems: tuple[Mistake, ...]


class PlacedTasks(Answer):
    """Every row as it was sent, in its order."""

    rows: tuple[PlacedRow, ...]
    taken: int
    refused: int


class Completion(Frozen):
    """When a task was finished."""

    completed_on: date | None = Field(default=None, description="local day; none: today")


class Reopened(TaskAnswer):
    """A task with work to do again; with a decision where nobody had it and it was placed."""

    decision_number: int | None
    decision: Decision | None


class KeptTimeEntry(Answer):
    """A time entry as it is kept."""

    id: str
    version: int = Field(description="its ETag")
    task: str
    person: str
    day: date
    minutes: int
    at: datetime = Field(description="when it was written last")


class TimePage(Answer):
    """Time entries in the order they were written."""

    entries: tuple[KeptTimeEntry, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class TimeCorrection(Frozen):
    """What a time entry should have said; what is left out stays. The decision log keeps what it said before."""

    day: date | None = None
    minutes: Annotated[int, Field(ge=1, le=1_440)] | None = None
    reason: Reason = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.day is None and self.minutes is None:
            raise ValueError("says neither day nor minutes")
        return self


class TimeCorrected(Answer):
    """A time entry after its correction, and its task."""

    entry: KeptTimeEntry
    task: TaskAnswer


class Why(Answer):
    """Why a task is where it is: what was decided last, and what that costs today."""

    task: str
    last_decision: LogEntry | None
    explanation: Explanation
    sentence: str


class WhyNotAnswer(Answer):
    """Why a person does not have a task today, and what it would cost to insist."""

    answer: WhyNot
    sentence: str
