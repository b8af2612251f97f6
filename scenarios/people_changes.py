"""Changes to people: away, leaving, joining, part time, overtime, skills, teams."""

from __future__ import annotations

from datetime import date
from statistics import median
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scenarios.change import (
    FirmChange,
    day_words,
    exactly_one,
    listed,
    person_of,
    refuse_change,
    refuse_unknown,
    replaced,
    require_known_name,
    require_new,
    span_words,
    updated,
)
from solver.firm import DayMinutes, DayRange, Firm, Name, Overtime, Person, Skill, TimeOff, Week
from solver.policy import Minutes
from solver.refusal import refuse
from solver.wording import hours_text

STANDARD_WEEK: Week = (480, 480, 480, 480, 480, 0, 0)
NO_WEEK: Week = (0, 0, 0, 0, 0, 0, 0)


class Away(FirmChange, DayRange):
    """Somebody is away, whole days or part of each: one more entry under time off."""

    change: Literal["away"] = "away"
    person: Name
    minutes_per_day: DayMinutes | None = Field(default=None, description="minutes off on each day; none: the whole day")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the time off added last; nothing is added for zero minutes."""
        person = person_of(firm, self.person)
        require_employed(person, self.first_day, self.last_day)
        if self.minutes_per_day == 0:
            return firm
        off = TimeOff(
            person=person.id, first_day=self.first_day, last_day=self.last_day, minutes_per_day=self.minutes_per_day
        )
        return updated(firm, time_off=(*firm.time_off, off))

    def sentence(self, firm: Firm) -> str:
        """Say who is away and when."""
        much = "" if self.minutes_per_day is None else f" for {hours_text(self.minutes_per_day)} a day"
        return f"{person_of(firm, self.person).label} is away {span_words(self.first_day, self.last_day)}{much}."


class Leaves(FirmChange):
    """Somebody leaves; their work stays theirs in the data, and the plan proposes it away."""

    change: Literal["leaves"] = "leaves"
    person: Name
    last_day: date = Field(description="last day worked")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the person's leave date set."""
        person = person_of(firm, self.person)
        if person.leave_date is not None and person.leave_date < self.last_day:
            words = f"is after {person.label} has left on {person.leave_date}"
            refuse_change("conflict", "last_day", self.last_day, words, nearest=person.leave_date)
        if person.start_date is not None and self.last_day < person.start_date:
            words = f"is before {person.label} starts on {person.start_date}"
            refuse_change("leave_before_start", "last_day", self.last_day, words, nearest=person.start_date)
        return updated(firm, people=replaced(firm.people, [updated(person, leave_date=self.last_day)]))

    def sentence(self, firm: Firm) -> str:
        """Say who leaves when."""
        return f"{person_of(firm, self.person).label} leaves; the last day is {day_words(self.last_day)}."

    def clash(self, earlier: FirmChange, firm: Firm) -> None:
        """Refuse to leave before something the scenario already has the person do."""
        person = person_of(firm, self.person)
        here = {person.id, person.name}
        if isinstance(earlier, Away) and earlier.person in here and earlier.first_day > self.last_day:
            words = f"is before {person.label} is away from {earlier.first_day}, by an earlier change"
            refuse_change("conflict", "last_day", self.last_day, words, nearest=earlier.first_day)
        if isinstance(earlier, ExtraHours) and here & set(earlier.people) and earlier.first_day > self.last_day:
            words = f"is before {person.label} works overtime from {earlier.first_day}, by an earlier change"
            refuse_change("conflict", "last_day", self.last_day, words, nearest=earlier.first_day)


class Joins(FirmChange):
    """People join, with the skills of somebody here or those typical of their level."""

    change: Literal["joins"] = "joins"
    id: Name = Field(description="of the first; the others are id-2, id-3 and so on")
    name: str = ""
    like: Name | None = Field(default=None, description="whose level, team, week and skills are copied where not given")
    level: Name | None = Field(default=None, description="needed unless `like` is given")
    team: str | None = None
    skills: tuple[Skill, ...] | None = Field(
        default=None, description="none: those of `like`, else those at least half of the level has"
    )
    weekly_min: Week | None = Field(default=None, description="none: that of `like`, else five days of eight hours")
    start_date: date | None = Field(default=None, description="first day worked; none: here already")
    count: Annotated[int, Field(ge=0, le=1_000)] = 1

    @model_validator(mode="after")
    def _has_a_level(self) -> Self:
        if self.like is None and self.level is None:
            raise refuse("no_level", "level", "", "is missing, and nobody is given under like")
        return self

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the new people last."""
        first = self._first(firm)
        people = list(firm.people)
        for n in range(1, self.count + 1):
            id = self.id if n == 1 else f"{self.id}-{n}"
            require_new("id", id, (person.id for person in people))
            name = self.name if n == 1 or not self.name else f"{self.name} {n}"
            people.append(first.model_copy(update={"id": id, "name": name}))
        return updated(firm, people=tuple(people))

    def sentence(self, firm: Firm) -> str:
        """Say who joins, how many, and what they can do."""
        first = self._first(firm)
        who = first.label if self.count == 1 else f"{self.count:,} people"
        when = f" on {day_words(self.start_date)}" if self.start_date else ""
        skills = listed([cell.skill for cell in first.skills]) if first.skills else "no skill"
        return f"Joining as {first.level}{when}: {who}, able to do {skills}."

    def _first(self, firm: Firm) -> Person:
        known = [level.name for level in firm.levels]
        if self.level is not None:
            require_known_name("level", self.level, known, "levels")
        model = person_of(firm, self.like, "like") if self.like is not None else None
        level = self.level or (model.level if model else "")
        team = self.team if self.team is not None else (model.team if model else "")
        skills = self.skills
        if skills is None:
            skills = model.skills if model else typical_skills(firm, level, team)
        week = self.weekly_min or (model.weekly_min if model else STANDARD_WEEK)
        return Person(
            id=self.id,
            name=self.name,
            level=level,
            team=team,
            skills=skills,
            weekly_min=week,
            start_date=self.start_date,
        )


def typical_skills(firm: Firm, level: str, team: str) -> tuple[Skill, ...]:
    """Return the skills at least half of a level's people have (of one team, where it has people of that level).

    Percent and minutes are medians of those who have the skill, rounded half up; skills come in the order in which they list them.
    """
    peers = [person for person in firm.people if person.level == level]
    peers = [person for person in peers if team and person.team == team] or peers
    if not peers:
        rank = firm.level_rank(level)
        filled = sorted({person.level for person in firm.people}, key=firm.level_rank)
        near = min(filled, key=lambda one: abs(firm.level_rank(one) - rank), default=None)
        hint = "Maybe name the skills, or somebody to copy under like."
        refuse_change("nobody_at_level", "level", level, "has nobody whose skills are typical", nearest=near, hint=hint)
    cells: dict[str, list[Skill]] = {}
    for person in peers:
        for cell in person.skills:
            cells.setdefault(cell.skill, []).append(cell)
    return tuple(
        Skill(
            skill=name,
            efficiency_pct=_middle([cell.efficiency_pct for cell in own]),
            mismatch_min=_middle([cell.mismatch_min for cell in own]),
        )
        for name, own in cells.items()
        if 2 * len(own) >= len(peers)
    )


def _middle(values: list[int]) -> int:
    return int(median(values) + 0.5)


class PartTime(FirmChange):
    """Somebody works another weekly pattern from now on: less, more, or other days."""

    change: Literal["part_time"] = "part_time"
    person: Name
    weekly_min: Week | None = Field(default=None, description="the new minutes per weekday, Monday first")
    share_pct: Annotated[int, Field(ge=0, le=300)] | None = Field(
        default=None, description="or: percent of each weekday's minutes as they are, rounded down"
    )

    @model_validator(mode="after")
    def _one_pattern(self) -> Self:
        exactly_one(weekly_min=self.weekly_min, share_pct=self.share_pct)
        return self

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the person's weekly pattern replaced."""
        person = person_of(firm, self.person)
        return updated(firm, people=replaced(firm.people, [updated(person, weekly_min=self._week(person))]))

    def sentence(self, firm: Firm) -> str:
        """Say from how many hours to how many."""
        person = person_of(firm, self.person)
        now, was = hours_text(sum(self._week(person))), hours_text(sum(person.weekly_min))
        return f"{person.label} works {now} a week instead of {was}."

    def _week(self, person: Person) -> tuple[int, ...]:
        if self.weekly_min is not None:
            return self.weekly_min
        week = tuple(minutes * (self.share_pct or 0) // 100 for minutes in person.weekly_min)
        if max(week) > 1_440:
            most = min(144_000 // minutes for minutes in person.weekly_min if minutes)
            refuse_change("day_too_long", "share_pct", self.share_pct, "makes a day longer than 24 hours", nearest=most)
        return week


class ExtraHours(FirmChange, DayRange):
    """Overtime for a group and some weeks: one more overtime period."""

    change: Literal["overtime"] = "overtime"
    extra_min: Week | None = Field(default=None, description="minutes added per weekday, Monday first")
    per_week_min: Annotated[int, Field(ge=0, le=5 * 1_440)] | None = Field(
        default=None, description="or: minutes added per week, spread evenly from Monday to Friday, earlier days first"
    )
    people: tuple[Name, ...] = Field(default=(), description="who; empty, and no teams: everybody")
    teams: tuple[Name, ...] = Field(default=(), description="everybody of these teams, beside the people named")
    levels: tuple[Name, ...] = Field(default=(), description="restricts to these levels; empty: all")

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        exactly_one(extra_min=self.extra_min, per_week_min=self.per_week_min)
        return self

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the overtime added last; nothing is added for zero minutes."""
        people = self._people(firm)
        for level in self.levels:
            require_known_name("levels", level, [one.name for one in firm.levels], "levels")
        if not any(self._week()):
            return firm
        period = Overtime(
            first_day=self.first_day,
            last_day=self.last_day,
            extra_min=self._week(),
            people=people,
            levels=self.levels,
        )
        return updated(firm, overtime=(*firm.overtime, period))

    def sentence(self, firm: Firm) -> str:
        """Say who works how much more."""
        labels = {person.id: person.label for person in firm.people}
        who = listed([labels[id] for id in self._people(firm)]) if self.people or self.teams else "everybody"
        of = f" ({listed(self.levels)})" if self.levels else ""
        return (
            f"Overtime for {who}{of}: {hours_text(sum(self._week()))} a week "
            f"{span_words(self.first_day, self.last_day)}."
        )

    def _week(self) -> Week:
        if self.extra_min is not None:
            return self.extra_min
        each, more = divmod(self.per_week_min or 0, 5)
        return tuple(each + (weekday < more) if weekday < 5 else 0 for weekday in range(7))  # type: ignore[return-value]

    def _people(self, firm: Firm) -> tuple[str, ...]:
        """Return the ids named, as said; with teams, everybody meant in the firm's order."""
        named = [person_of(firm, one, "people") for one in self.people]
        for person in named:
            require_employed(person, self.first_day, self.last_day)
        teams = {person.team for person in firm.people if person.team}
        for team in self.teams:
            require_known_name("teams", team, teams, "people, column team")
        ids = tuple(dict.fromkeys(person.id for person in named))
        if not self.teams:
            return ids
        return tuple(person.id for person in firm.people if person.team in self.teams or person.id in ids)


class SkillSet(FirmChange):
    """Somebody learns a skill, or gets faster or slower at one."""

    change: Literal["skill"] = "skill"
    person: Name
    skill: Name
    efficiency_pct: Annotated[int, Field(ge=10, le=1_000)] | None = Field(
        default=None, description="percent of the estimate needed; none: as it is, 100 for a new skill"
    )
    mismatch_min: Minutes | None = Field(default=None, description="none: as it is, 0 for a new skill")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the cell replaced in its place, or added last."""
        person = person_of(firm, self.person)
        known = {kind.skill for kind in firm.task_types} | {cell.skill for one in firm.people for cell in one.skills}
        require_known_name("skill", self.skill, known, "task types, column skill")
        wanted = {"efficiency_pct": self.efficiency_pct, "mismatch_min": self.mismatch_min}
        given = {name: value for name, value in wanted.items() if value is not None}
        had = next((cell for cell in person.skills if cell.skill == self.skill), None)
        cell = updated(had or Skill(skill=self.skill), **given)
        cells = tuple(cell if one is had else one for one in person.skills)
        return updated(firm, people=replaced(firm.people, [updated(person, skills=cells if had else (*cells, cell))]))

    def sentence(self, firm: Firm) -> str:
        """Say what is learnt, or how fast it goes now."""
        person = person_of(firm, self.person)
        had = next((cell for cell in person.skills if cell.skill == self.skill), None)
        pct = self.efficiency_pct or (had.efficiency_pct if had else 100)
        if had is None:
            return f"{person.label} learns {self.skill}, at {pct} % of the estimate."
        return f"{person.label} needs {pct} % of the estimate for {self.skill} instead of {had.efficiency_pct} %."


class SkillLost(FirmChange):
    """Somebody does a kind of work no more."""

    change: Literal["skill_lost"] = "skill_lost"
    person: Name
    skill: Name

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the cell removed."""
        person = person_of(firm, self.person)
        require_known_name("skill", self.skill, [cell.skill for cell in person.skills], f"{person.label}'s skills")
        cells = tuple(cell for cell in person.skills if cell.skill != self.skill)
        return updated(firm, people=replaced(firm.people, [updated(person, skills=cells)]))

    def sentence(self, firm: Firm) -> str:
        """Say what is given up."""
        return f"{person_of(firm, self.person).label} does {self.skill} no more."


class MovesTeam(FirmChange):
    """Somebody moves to another team. Teams group people in figures and overtime; they do not limit who may do what."""

    change: Literal["team"] = "team"
    person: Name
    team: str
    new_team: bool = Field(default=False, description="the team may be one nobody is in yet")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the person's team replaced."""
        person, teams = person_of(firm, self.person), {one.team for one in firm.people}
        if self.team not in teams and not self.new_team and self.team:
            refuse_unknown("team", self.team, {team for team in teams if team}, "people, or say new_team")
        return updated(firm, people=replaced(firm.people, [updated(person, team=self.team)]))

    def sentence(self, firm: Firm) -> str:
        """Say from which team to which."""
        person = person_of(firm, self.person)
        return f"{person.label} moves from {person.team or 'no team'} to {self.team or 'no team'}."


def require_employed(person: Person, first_day: date, last_day: date) -> None:
    """Refuse days on none of which the person works here."""
    if person.leave_date is not None and first_day > person.leave_date:
        words = f"has left on {person.leave_date}, before {first_day}"
        refuse_change("conflict", "person", person.label, words, hint="Maybe name somebody who is still here.")
    if person.start_date is not None and last_day < person.start_date:
        words = f"starts on {person.start_date}, after {last_day}"
        refuse_change("conflict", "person", person.label, words, hint="Maybe choose later days.")


__all__ = [
    "Away",
    "ExtraHours",
    "Joins",
    "Leaves",
    "MovesTeam",
    "PartTime",
    "SkillLost",
    "SkillSet",
    "require_employed",
    "typical_skills",
]
