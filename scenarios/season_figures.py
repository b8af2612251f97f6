"""What a season plan says: models apart from what makes them, so that whoever only shows a plan loads no solver."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from solver.policy import Frozen


class SkillWeek(Frozen):
    """One skill at one level in one week, in minutes."""

    skill: str
    level: str = Field(description="lowest level that may do the work")
    week_start: date
    due_min: int = Field(description="work due in the week")
    done_min: int = Field(description="work done in the week where as much as possible is done")
    short_min: int = Field(description="work due in the week that nobody has time for")


class LevelWeek(Frozen):
    """The people of one level in one week, in minutes."""

    level: str
    week_start: date
    open_min: int
    used_min: int


class Shortage(Frozen):
    """What the firm runs out of."""

    skill: str
    level: str
    first_week: date = Field(description="week in which the first of it is due")
    weeks: int = Field(description="weeks with any of it")
    minutes: int
    tasks: tuple[str, ...] = Field(description="which tasks: lowest priority first")
    sentence: str


class SkillRange(Frozen):
    """How much of one skill is missing: in the answer shown, and the least and most in any answer that costs nearly as little."""

    skill: str
    minutes: int = Field(description="in the answer shown, at all levels")
    least_min: int
    most_min: int
    sentence: str


class Measure(Frozen):
    """One thing to do about it."""

    kind: str = Field(description="hire, overtime, extension or refusal")
    subject: str
    week_start: date | None = Field(description="first week of it")
    weeks: int
    minutes: int
    count: int = Field(description="people hired, or tasks extended or refused")
    cost_min: int
    tasks: tuple[str, ...] = ()
    sentence: str


class Season(Frozen):
    """The year ahead."""

    firm: str
    now: datetime
    tasks: int
    demand_min: int
    open_min: int = Field(description="everybody's minutes until the last deadline")
    short_min: int
    skills: tuple[SkillWeek, ...]
    levels: tuple[LevelWeek, ...]
    shortages: tuple[Shortage, ...]
    ranges: tuple[SkillRange, ...] = Field(
        description="of each skill that may be missing, as which of several skills is left undone is nearly a tie; most first"
    )
    measures: tuple[Measure, ...]
    cost_min: int = Field(description="of the measures, in minutes of ordinary pay of the lowest level")
    nobody: tuple[str, ...] = Field(description="tasks that nobody may do whatever the hours")
    slow: tuple[str, ...] = Field(description="tasks that no one person can do in time; planned late")
