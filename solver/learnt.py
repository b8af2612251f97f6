"""What is learnt from time sheets, and what is suggested after it, as data: read by those who compute none of it (`solver.learning`)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cached_property

from pydantic import Field

from solver.observations import LeftOut
from solver.policy import Frozen

INTERVAL_PCT = 90


class Ratio(Frozen):
    """A ratio and the interval that holds the true one in 90 of 100 cases."""

    ratio: float
    low: float
    high: float


class TypeLevel(Frozen):
    """How long tasks of a type take, over what was expected."""

    type: str
    level: Ratio
    mean_ratio: float = Field(
        description="of the mean task, which the long ones lift; the level is that of the median one"
    )
    task_sd: float = Field(description="standard deviation of the log of a single task's ratio")
    tasks: int = Field(description="finished tasks it rests on")
    open_tasks: int = Field(description="started tasks that say at least so long")


class ClientLevel(Frozen):
    """How long tasks of a type take for one client."""

    type: str
    client: str
    level: Ratio = Field(description="over what was expected")
    beside_type: Ratio = Field(description="over the level of the type")
    tasks: int


class PersonLevel(Frozen):
    """How long a person takes in all, over the level of type and client and their cells of the skill matrix."""

    person: str
    level: Ratio
    tasks: int


class PersonInType(Frozen):
    """How long a person takes for a type, over the level of type and client."""

    person: str
    type: str
    level: Ratio = Field(description="over the cell of the skill matrix")
    efficiency_pct: Ratio = Field(
        description="percent of the estimate, at the level of the type, as a cell of the matrix has it"
    )
    tasks: int


class PersonInSkill(Frozen):
    """How long a person takes where a skill is asked: the mean over the types as they have done them."""

    person: str
    skill: str
    level: Ratio = Field(description="over the cell of the skill matrix")
    efficiency_pct: Ratio = Field(description="what the cell of the matrix would have to say")
    tasks: int
    compared_tasks: int = Field(
        description="those of types that somebody else has finished too; without any, nothing can be told"
    )


class Spreads(Frozen):
    """Standard deviations, in logs, that decide how much is believed: of effects around zero, and of a task of a usual type."""

    client_sd: float
    person_sd: float
    person_type_sd: float
    task_sd: float


class Learned(Frozen):
    """Everything the time sheets say, by id."""

    as_of: date
    interval_pct: int = INTERVAL_PCT
    types: tuple[TypeLevel, ...] = ()
    clients: tuple[ClientLevel, ...] = ()
    people: tuple[PersonLevel, ...] = ()
    people_in_types: tuple[PersonInType, ...] = ()
    people_in_skills: tuple[PersonInSkill, ...] = ()
    spreads: Spreads | None = Field(default=None, description="none where nothing could be learnt")
    left_out: tuple[LeftOut, ...] = ()

    def expected_ratio(self, type: str, client: str, person: str | None = None) -> float:
        """Return logged over expected minutes of the median task; for whom nothing is known, what is known without them.

        A type of which nothing is known takes what was expected.
        """
        level = self._ratios.get((type, client)) or self._ratios.get((type,)) or 1.0
        if person is None:
            return level
        return level * (self._speeds.get((person, type)) or self._speeds.get((person,)) or 1.0)

    @cached_property
    def _ratios(self) -> dict[tuple[str, ...], float]:
        levels: dict[tuple[str, ...], float] = {(one.type,): one.level.ratio for one in self.types}
        return {**levels, **{(one.type, one.client): one.level.ratio for one in self.clients}}

    @cached_property
    def _speeds(self) -> dict[tuple[str, ...], float]:
        levels: dict[tuple[str, ...], float] = {(one.person,): one.level.ratio for one in self.people}
        return {**levels, **{(one.person, one.type): one.level.ratio for one in self.people_in_types}}


class Kind(StrEnum):
    """What a suggestion would change."""

    DEFAULT_ESTIMATE = "default_estimate"
    OPEN_ESTIMATES = "open_estimates"
    EFFICIENCY = "efficiency"


class Change(Frozen):
    """One field of the firm: the default estimate of a type, the estimate of a task, or the efficiency of a person in a skill."""

    id: str = Field(description="of the type, the task or the person")
    skill: str | None = Field(default=None, description="of the cell of the matrix; none for estimates")
    before: int = Field(description="as the firm has it; minutes, of a cell percent")
    after: int


class Suggestion(Frozen):
    """Something a manager may accept."""

    kind: Kind
    key: str = Field(description="stays the same for the same subject, so that a declined one is known again")
    type: str | None = None
    client: str | None = None
    person: str | None = None
    skill: str | None = None
    changes: tuple[Change, ...] = Field(min_length=1)
    ratio: Ratio = Field(description="of the true value over the one the firm has, with its interval")
    interval_pct: int = INTERVAL_PCT
    tasks: int = Field(description="finished tasks it rests on")
    sentence: str = Field(description="all of it in plain words")
