"""Synthetic firms: seeded, made from published figures (`scenarios.figures`), busy or quiet, from 8 to 10,000 people.

The same arguments give the same firm. Deadlines span forty working days and are spread so that work due by any day stays within
the asked load of the hours until then; assignments are uneven, as they are where work goes to whoever is asked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from scenarios import figures
from scenarios.backlog import LEVELS, REVIEW, Backlog, Season, Shape, pick
from solver.calendar import day_list
from solver.firm import (
    Booking,
    Client,
    Firm,
    HolidayCalendar,
    Level,
    Overtime,
    Person,
    Procedure,
    ReviewRule,
    Skill,
    TaskType,
    TimeOff,
)
from solver.policy import Guardrail, Policy, ValueTier

__all__ = ["Generated", "Season", "demo_firm", "generate_firm", "starting"]

WORKING_DAYS = 40


@dataclass(frozen=True)
class Generated:
    """A firm and the local moment from which it is planned."""

    firm: Firm
    now: datetime


def generate_firm(
    *,
    people: int,
    tasks: int,
    season: Season = Season.BUSY,
    seed: int = 0,
    load: float = 0.9,
    assigned_share: float = 0.7,
    late_share: float = 0.02,
    held_share: float = 0.01,
    review_share: float = 0.15,
) -> Generated:
    """Return a firm of ``people`` with exactly ``tasks`` open tasks.

    Raises
    ------
    ValueError
        Fewer than one person or a share outside 0 to 1.
    """
    shape = Shape(people, tasks, season, seed, load, assigned_share, late_share, held_share, review_share)
    shares = {"assigned": assigned_share, "late": late_share, "held": held_share, "review": review_share}
    wrong = next((name for name, share in shares.items() if not 0 <= share <= 1), None)
    if people < 1 or tasks < 0 or wrong is not None:
        raise ValueError(
            f"people {people}, tasks {tasks}, shares {shares}: Maybe use at least one person and shares from 0 to 1."
        )
    return _Maker(shape).make()


def demo_firm() -> Generated:
    """Return the firm of ``evenhand demo``: 30 people, 600 open tasks in March, and one person who left with work in hand."""
    made = generate_firm(people=30, tasks=600, season=Season.BUSY, seed=2027, load=0.93, late_share=0.015)
    leaver = next(
        person.id for person in made.firm.people if sum(task.assignee == person.id for task in made.firm.tasks) >= 8
    )
    people = tuple(
        person.model_copy(update={"leave_date": made.now.date() - timedelta(days=3)}) if person.id == leaver else person
        for person in made.firm.people
    )
    return Generated(made.firm.model_copy(update={"people": people, "name": "Reyes Okafor & Partners"}), made.now)


def starting(made: Generated, day: date) -> Generated:
    """Return the same firm with every day moved by whole weeks, so that it begins in the week of ``day``; holidays stay."""
    by = timedelta(days=(day - made.now.date()).days // 7 * 7)

    def moved(value: object) -> object:
        if isinstance(value, dict):
            return {name: moved(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [moved(one) for one in value]
        return value + by if isinstance(value, date) else value

    return Generated(Firm.model_validate(moved(made.firm.model_dump())), made.now + by)


class _Maker:
    """Draws one firm, part by part, from one generator."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.random = np.random.default_rng(shape.seed)
        self.now = datetime.combine(figures.START[shape.season.value], time(9, 0))
        self.days = day_list(self.now.date(), self.now.date() + timedelta(days=WORKING_DAYS * 7 // 5 - 1))

    def make(self) -> Generated:
        people = self._people()
        firm = Firm(
            name=f"Synthetic firm {self.shape.people} x {self.shape.tasks}, seed {self.shape.seed}",
            levels=tuple(Level(name=n, target_utilisation_pct=figures.TARGET_UTILISATION_PCT[n]) for n in LEVELS),
            holiday_calendar=HolidayCalendar(country="US"),
            people=people,
            clients=self._clients(people),
            task_types=_task_types(),
            time_off=self._time_off(people),
            bookings=self._bookings(people),
            overtime=_overtime(self.shape.season, self.days[0]),
            policy=Policy(guardrail=Guardrail(complex_from=4, complex_level="senior", high_value_level="senior")),
        )
        tasks = Backlog(self.shape, self.days, self.random, firm).tasks()
        return Generated(Firm.model_validate({**dict(firm), "tasks": tasks}), self.now)

    def _people(self) -> tuple[Person, ...]:
        count = self.shape.people
        levels = self._levels(count)
        departments = _dealt(figures.DEPARTMENT_SHARES, count)
        order = self.random.permutation(len(figures.FIRST_NAMES) * len(figures.LAST_NAMES))
        return tuple(
            Person(
                id=f"P{i + 1:05d}",
                name=_person_name(int(order[i % len(order)]), i // len(order)),
                level=levels[i],
                team=departments[i],
                skills=self._skills(levels[i], departments[i]),
                weekly_min=self._week(),
            )
            for i in range(count)
        )

    def _levels(self, count: int) -> list[str]:
        """Deal levels by share so that each department has its seniors: shuffled within blocks."""
        shares = {"partner": figures.PARTNER_SHARE} | {
            name: share * (1 - figures.PARTNER_SHARE) for name, share in figures.REST_SHARES.items()
        }
        levels = _dealt(shares, count)
        return [levels[i] for i in self.random.permutation(count)]

    def _week(self) -> tuple[int, int, int, int, int, int, int]:
        if self.random.random() >= figures.PART_TIME_SHARE:
            return (480, 480, 480, 480, 480, 0, 0)
        return (480, 480, 480, 0, 0, 0, 0) if self.random.random() < 0.5 else (480, 480, 0, 480, 480, 0, 0)

    def _skills(self, level: str, department: str) -> tuple[Skill, ...]:
        names = [w.name for w in figures.WORK if w.department == department]
        mine = [n for i, n in enumerate(names) if i == 0 or self.random.random() < figures.SKILL_SHARE]
        if LEVELS.index(level) >= 1:
            mine.append(department + REVIEW)
        if self.random.random() < figures.SECOND_DEPARTMENT_SHARE:
            mine += [w.name for w in figures.WORK if w.department != department][:: len(figures.WORK) // 2][:1]
        speed = figures.EFFICIENCY_BY_LEVEL_PCT[level] * np.exp(
            figures.EFFICIENCY_SIGMA * self.random.standard_normal(len(mine))
        )
        return tuple(
            Skill(skill=name, efficiency_pct=int(pct)) for name, pct in zip(mine, speed.clip(60, 180), strict=True)
        )

    def _clients(self, people: Sequence[Person]) -> tuple[Client, ...]:
        count = max(3, min(self.shape.people * figures.CLIENTS_PER_PERSON, self.shape.tasks))
        tiers = pick(self.random, figures.TIER_SHARES, count)
        usual = self.random.integers(len(people), size=count)
        barred = self.random.integers(len(people), size=count)
        chance = self.random.random((2, count))
        return tuple(
            Client(
                id=f"C{i + 1:05d}",
                name=f"{figures.LAST_NAMES[i % len(figures.LAST_NAMES)]} "
                f"{figures.BUSINESSES[i // len(figures.LAST_NAMES) % len(figures.BUSINESSES)]} {i + 1}",
                tier=ValueTier(tiers[i]),
                usual_person=people[usual[i]].id if chance[0, i] < figures.USUAL_SHARE else None,
                barred=(people[barred[i]].id,) if chance[1, i] < figures.BARRED_SHARE and barred[i] != usual[i] else (),
            )
            for i in range(count)
        )

    def _time_off(self, people: Sequence[Person]) -> tuple[TimeOff, ...]:
        share = figures.TIME_OFF_SHARE[self.shape.season.value]
        found: list[TimeOff] = []
        for person in people:
            if self.random.random() < share * WORKING_DAYS / 3:
                first = self.days[int(self.random.integers(len(self.days) - 5))]
                whole = bool(self.random.random() < 0.8)
                last = first + timedelta(days=int(self.random.integers(1, 5)) if whole else 0)
                found.append(
                    TimeOff(person=person.id, first_day=first, last_day=last, minutes_per_day=None if whole else 240)
                )
        return tuple(found)

    def _bookings(self, people: Sequence[Person]) -> tuple[Booking, ...]:
        """Give managers and partners an hour of meetings a day for a week now and then."""
        starts = self.random.integers(0, 5, size=len(people))
        return tuple(
            Booking(
                person=person.id,
                first_day=self.days[0] + timedelta(weeks=int(starts[i])),
                last_day=self.days[0] + timedelta(weeks=int(starts[i]), days=4),
                minutes_per_day=60,
                label="firm meeting",
            )
            for i, person in enumerate(people)
            if person.level in ("manager", "partner")
        )


def _dealt(shares: dict[str, float], count: int) -> list[str]:
    """Deal names by share, largest remainder first, spread evenly; every name with a share of one person or more occurs."""
    names = sorted(shares, key=lambda name: (-shares[name], name))
    total = sum(shares.values())
    given = dict.fromkeys(names, 0)
    dealt: list[str] = []
    for i in range(count):
        name = max(names, key=lambda n: shares[n] / total * (i + 1) - given[n])
        given[name] += 1
        dealt.append(name)
    return dealt


def _person_name(place: int, again: int) -> str:
    first = figures.FIRST_NAMES[place % len(figures.FIRST_NAMES)]
    last = figures.LAST_NAMES[place // len(figures.FIRST_NAMES)]
    return f"{first} {last}" if again == 0 else f"{first} {last} {again + 1}"


def _task_types() -> tuple[TaskType, ...]:
    kinds = [
        TaskType(
            id=work.name,
            name=work.name,
            skill=work.name,
            default_estimate_min=max(int(60 * work.hours), 15),
            min_level=work.min_level,
            complexity=work.complexity,
            review=ReviewRule(min_level="senior", share_pct=int(100 * figures.REVIEW_OF_PREPARATION)),
            procedure=Procedure(
                steps=("Check that all documents are in", "Prepare", "Tie out to last year", "Hand over for review")
            ),
        )
        for work in figures.WORK
    ]
    reviews = [
        TaskType(
            id=department + REVIEW,
            name=f"{department} review",
            skill=department + REVIEW,
            default_estimate_min=60,
            min_level="senior",
            complexity=3,
            procedure=Procedure(steps=("Read the file", "Write points", "Clear points", "Sign off")),
        )
        for department in figures.DEPARTMENT_SHARES
    ]
    return (*kinds, *reviews)


def _overtime(season: Season, start: date) -> tuple[Overtime, ...]:
    if season is Season.QUIET:
        return ()
    first, last = date(start.year, 2, 1), date(start.year, 4, 15)
    return (
        Overtime(first_day=first, last_day=last, extra_min=figures.BUSY_EXTRA_MIN),
        Overtime(first_day=first, last_day=last, extra_min=figures.PARTNER_EXTRA_MIN, levels=("partner",)),
    )
