"""What a replayed period came to, as it is told; apart from what plays it, so that whoever only shows it loads no solver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import Field

from solver.policy import Frozen


@dataclass(frozen=True)
class NotRepeated:
    """Something a person did that does not happen in the replay."""

    when: datetime
    task: str
    why: str


class PastFigures(Frozen):
    """The four metrics of a week, or of the whole period."""

    first_day: date
    utilisation_pct: float | None = Field(description="minutes worked on tasks, of all minutes there were")
    spread_pct: float | None = Field(
        description="busiest less idlest, in points of promised work over open minutes; mean over the mornings"
    )
    on_time_pct: float | None = Field(
        description="of the tasks due by then, and not cancelled: finished by their deadline"
    )
    escalations: int = Field(description="tasks that nobody could take, each counted when it happened first")
    due: int = Field(description="tasks due")
    late: int = Field(description="of them, not finished by their deadline")


class PersonFigures(Frozen):
    """What the period came to for one person."""

    person: str
    worked_min: int
    open_min: int
    tasks: tuple[str, ...] = Field(description="tasks of the period that they have, or have finished")


class Differing(Frozen):
    """A decision about a task that came out otherwise; none: there was no such decision."""

    task: str
    number: int = Field(description="1 for the first decision about the task in the period, 2 for the second")
    when: datetime
    before: str = Field(description="who got it, or what became of it")
    after: str
    before_why: str
    after_why: str


class Control(Frozen):
    """How much of the record a replay under the policy in force makes again."""

    recorded: int
    same: int
    share_pct: float = Field(description="decisions made again as they were; all of none are 100")
    differing: tuple[Differing, ...]


class PersonHit(Frozen):
    """Who has other work, or more or less of it, in the second of two replays."""

    person: str
    worked_before_min: int
    worked_after_min: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]


class PastComparison(Frozen):
    """Two replays of one period."""

    weeks: tuple[tuple[PastFigures, PastFigures], ...]
    whole: tuple[PastFigures, PastFigures]
    people: tuple[PersonHit, ...] = Field(description="those hit, most first")
    differing: tuple[Differing, ...]
    escalations_gained: tuple[str, ...]
    escalations_lost: tuple[str, ...]
    late_gained: tuple[str, ...]
    late_lost: tuple[str, ...]


class PastSide(Frozen):
    """One replay of a period, as people are told of it."""

    name: str
    terms: tuple[str, ...] = Field(description="what is different from the record, in words")
    whole: PastFigures
    weeks: tuple[PastFigures, ...]
    people: tuple[PersonFigures, ...]
    proposed: int
    approved: int
    plans_taken: int = Field(description="batches with the recorded plan")
    planned_anew: int
    not_repeated: tuple[NotRepeated, ...] = Field(description="what people did in the record and do not do here")


class PastOutcome(Frozen):
    """A period as it was and, where that was asked for, as it would have been."""

    control: Control
    as_it_was: PastSide = Field(description="the policy in force, with the recorded plans")
    before: PastSide | None = Field(
        description="the policy in force, with the same means for every batch as the other one; none: there is no other"
    )
    after: PastSide | None = Field(description="the other policy")
    comparison: PastComparison | None
