"""Synthetic firms: seeded, made from published figures (`scenarios.figures`), busy or quiet, from 8 to 10,000 people.

The same arguments give the same firm. Deadlines span forty working days and are spread so that work due by any day stays within
the asked load of the hours until then; assignments are uneven, as they are where work goes to whoever is asked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scenarios import figures
from solver.calendar import capacity_min, day_list
from solver.firm import (
    Booking,
    Client,
    Firm,
    HolidayCalendar,
    Level,
    Overtime,
    Person,
    Priority,
    Procedure,
    ReviewRule,
    Skill,
    Status,
    Task,
    TaskType,
    TimeOff,
)
from solver.policy import Guardrail, Policy, ValueTier

LEVELS = ("associate", "senior", "manager", "partner")
WORKING_DAYS = 40
REVIEW = " review"
TRIES = 8
"""People asked before a task is left without one."""


class Season(StrEnum):
    """When the firm is planned."""

    BUSY = "busy"
    QUIET = "quiet"


@dataclass(frozen=True)
class Generated:
    """A firm and the local moment from which it is planned."""

    firm: Firm
    now: datetime


@dataclass(frozen=True)
class Shape:
    """What a synthetic firm is asked to look like.

    Attributes
    ----------
    load
        Work as a share of all capacity until the last deadline, department by department.
    assigned_share, late_share, held_share, review_share
        Shares of the tasks that have a person, are overdue, lack an estimate, review another task.
    """

    people: int
    tasks: int
    season: Season
    seed: int
    load: float
    assigned_share: float
    late_share: float
    held_share: float
    review_share: float


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
        tasks = _Backlog(self, firm).tasks()
        return Generated(Firm.model_validate({**dict(firm), "tasks": tasks}), self.now)

    def pick(self, shares: dict[str, float], count: int) -> list[str]:
        """Draw names by share."""
        names = list(shares)
        weights = np.array([shares[name] for name in names])
        return [names[i] for i in self.random.choice(len(names), size=count, p=weights / weights.sum())]

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
        tiers = self.pick(figures.TIER_SHARES, count)
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


class _Backlog:
    """Draws the open tasks of a firm."""

    def __init__(self, maker: _Maker, firm: Firm) -> None:
        self.maker, self.firm, self.random = maker, firm, maker.random
        self.capacity = capacity_min(firm, maker.days)
        self.people = {person.id: p for p, person in enumerate(firm.people)}
        self.efficiency = {
            kind.skill: np.array([_efficiency(person, kind.skill) for person in firm.people])
            for kind in firm.task_types
        }
        self.rank = np.array([LEVELS.index(person.level) for person in firm.people])
        self.types = {kind.id: kind for kind in firm.task_types}
        self.promised = np.zeros(self.capacity.shape, dtype=np.int64)
        self.appetite = np.exp(0.6 * self.random.standard_normal(len(firm.people)))

    def tasks(self) -> tuple[Task, ...]:
        shape = self.maker.shape
        reviews = int(shape.tasks * shape.review_share / 2) if shape.tasks > 1 else 0
        kinds = self._kinds(shape.tasks - reviews)
        prepared = self.random.permutation(len(kinds))[:reviews] if reviews else np.zeros(0, dtype=np.int64)
        names = [*kinds, *(self._department(kinds[i]) + REVIEW for i in prepared)]
        minutes = self._minutes(names, kinds, prepared)
        due = self._due(names, minutes, len(kinds), prepared)
        priorities = self.maker.pick(figures.PRIORITY_SHARES, len(names)) if names else []
        clients = self.random.integers(len(self.firm.clients), size=len(names))
        clients[len(kinds) :] = clients[prepared]
        drafts = [
            self._task(i, names[i], int(clients[i]), int(minutes[i]), int(due[i]), priorities[i])
            for i in range(len(names))
        ]
        for i, preparation in enumerate(prepared):
            row = len(kinds) + i
            drafts[row] = {**drafts[row], "reviews": drafts[int(preparation)]["id"], "release": None}
        return self._finished(drafts)

    def _department(self, kind: str) -> str:
        return next(work.department for work in figures.WORK if work.name == kind)

    def _kinds(self, count: int) -> list[str]:
        """Draw kinds of work: departments by their hours, kinds within a department by share over hours."""
        hours = {
            name: float(self.capacity[[p.team == name for p in self.firm.people]].sum())
            for name in figures.DEPARTMENT_SHARES
        }
        total = sum(hours.values()) or 1.0
        shares = {w.name: w.share * hours[w.department] / total for w in figures.WORK}
        return self.maker.pick(shares, count) if count and any(shares.values()) else ["1040"] * count

    def _minutes(self, names: list[str], kinds: list[str], prepared: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return estimates, scaled so that each department has the asked load of its hours."""
        work = {w.name: w for w in figures.WORK}
        raw = np.array(
            [60 * work[k].hours * np.exp(work[k].sigma * self.random.standard_normal()) for k in kinds],
            dtype=np.float64,
        )
        raw = np.concatenate([raw, figures.REVIEW_OF_PREPARATION * raw[prepared]])
        departments = np.array([self._home(name) for name in names])
        for name in figures.DEPARTMENT_SHARES:
            mine = departments == name
            room = float(self.capacity[[p.team == name for p in self.firm.people]].sum())
            if mine.any() and raw[mine].sum() > 0:
                raw[mine] *= self.maker.shape.load * max(room, 480.0) / raw[mine].sum()
        # One engagement is seldom more than a third of a person's season: longer ones are staffed as several tasks.
        cap = 0.3 * float(self.capacity.sum(axis=1).mean()) if len(self.firm.people) else 480.0
        return np.clip(raw, 15, max(cap, 60)).astype(np.int64)

    def _home(self, name: str) -> str:
        return name.removesuffix(REVIEW) if name.endswith(REVIEW) else self._department(name)

    def _due(
        self, names: list[str], minutes: NDArray[np.int64], first_review: int, prepared: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Draw due days (places in the days), pile some on the federal dates, and keep the work due by each day possible."""
        last = len(self.maker.days) - 1
        drawn = np.sort(self.random.triangular(1, last, last + 1, size=len(names)).astype(np.int64))
        drawn = drawn[self.random.permutation(len(names))]
        dates = {w.name: [self._place(month, day) for month, day in w.due] for w in figures.WORK}
        for i, name in enumerate(names):
            near = [place for place in dates.get(name, []) if place is not None]
            if near and self.random.random() < 0.5:
                drawn[i] = near[0]
        later = drawn[prepared] + self.random.integers(2, 8, size=len(prepared))
        drawn[first_review:] = np.minimum(later, last)
        return self._paced(drawn, minutes, last)

    def _place(self, month: int, day: int) -> int | None:
        """Return the place of a due date on the days, moved to the next business day, ``None`` outside."""
        due = date(self.maker.days[0].year, month, day)
        while due.weekday() >= 5:
            due += timedelta(days=1)
        return (due - self.maker.days[0]).days if self.maker.days[0] <= due <= self.maker.days[-1] else None

    def _paced(self, drawn: NDArray[np.int64], minutes: NDArray[np.int64], last: int) -> NDArray[np.int64]:
        room = np.cumsum(self.capacity.sum(axis=0)) * min(self.maker.shape.load, 1.0) * 0.95
        due, used, day = drawn.copy(), 0, 0
        for i in np.argsort(drawn, kind="stable"):
            used += int(minutes[i])
            day = max(day, int(drawn[i]))
            while day < last and used > room[day]:
                day += 1
            due[i] = max(due[i], min(day, last)) if used > room[due[i]] else due[i]
        return due

    def _task(self, i: int, kind: str, client: int, minutes: int, due: int, priority: str) -> dict[str, object]:
        lag = figures.DOCUMENT_LAG_MEDIAN_DAYS * np.exp(figures.DOCUMENT_LAG_SIGMA * self.random.standard_normal())
        ready = due - int(lag)
        deadline = self.maker.days[due]
        return {
            "id": f"T{i + 1:06d}",
            "type": kind,
            "client": self.firm.clients[client].id,
            "deadline": deadline,
            "deadline_time": time(12, 0) if self.random.random() < 0.01 else None,
            "estimate_min": minutes,
            "release": self.maker.days[ready] if ready > 0 else None,
            "priority": Priority(priority),
        }

    def _finished(self, drafts: list[dict[str, object]]) -> tuple[Task, ...]:
        """Add assignees and the exceptions: overdue, started, pinned, requested, without an estimate."""
        shape = self.maker.shape
        holders: dict[str, str] = {}
        tasks: list[Task] = []
        chance = self.random.random((5, len(drafts)))
        for i, draft in enumerate(drafts):
            task = Task.model_validate(draft)
            barred = holders.get(task.reviews or "")
            person = self._holder(task, barred) if chance[0, i] < shape.assigned_share else None
            update: dict[str, object] = {"assignee": person}
            if person is not None:
                holders[task.id] = person
                update |= self._history(task, chance[:, i])
            elif chance[1, i] < shape.held_share / max(1 - shape.assigned_share, 0.1) and task.reviews is None:
                update["estimate_min"] = None
            elif chance[2, i] < 0.02:
                update["requested_person"] = self._qualified_name(task)
            tasks.append(Task.model_validate({**dict(task), **update}))
        return tuple(tasks)

    def _history(self, task: Task, chance: NDArray[np.float64]) -> dict[str, object]:
        if chance[1] < self.maker.shape.late_share and task.reviews is None:
            late = self.maker.days[0] - timedelta(days=1 + int(9 * chance[2]))
            return {"deadline": late, "release": None, "deadline_time": None}
        if chance[3] < 0.08 and task.release is None and task.reviews is None:
            return {"status": Status.IN_PROGRESS, "logged_min": int(chance[4] * 0.6 * (task.estimate_min or 0))}
        return {"pinned": bool(chance[3] > 0.98)}

    def _qualified(self, task: Task) -> NDArray[np.int64]:
        kind, client = self.types[task.type], self.firm.clients[int(task.client[1:]) - 1]
        need = LEVELS.index(kind.min_level or LEVELS[0])
        if client.tier is ValueTier.HIGH or kind.complexity >= 4:
            need = max(need, 1)
        may = (self.efficiency[kind.skill] > 0) & (self.rank >= need)
        may[[self.people[person] for person in client.barred]] = False
        return np.flatnonzero(may)

    def _qualified_name(self, task: Task) -> str | None:
        who = self._qualified(task)
        return self.firm.people[int(self.random.choice(who))].id if len(who) else None

    def _holder(self, task: Task, barred: str | None) -> str | None:
        """Ask the usual person, then people by appetite; most say yes only while their own days allow."""
        who = [int(p) for p in self._qualified(task) if self.firm.people[p].id != barred]
        if not who:
            return None
        client = self.firm.clients[int(task.client[1:]) - 1]
        usual = self.people.get(client.usual_person or "", -1)
        weights = self.appetite[who] / self.appetite[who].sum()
        asked = [int(p) for p in self.random.choice(who, size=TRIES, p=weights)]
        if usual in who and self.random.random() < 0.6:
            asked.insert(0, usual)
        careless = self.random.random() < 0.03
        for p in asked:
            if self._keeps(task, p) or careless:
                return self.firm.people[p].id
        return None

    def _keeps(self, task: Task, p: int) -> bool:
        """Whether ``p`` could still do the task with all earlier ones by due day; if so, write it down."""
        work = int(self.efficiency[self.types[task.type].skill][p]) * (task.estimate_min or 0) // 100 + 1
        due = max((task.deadline - self.maker.days[0]).days, 0)
        room = np.cumsum(self.capacity[p] - self.promised[p])
        start = (task.release - self.maker.days[0]).days if task.release else 0
        own = int((self.capacity[p, start : due + 1] - self.promised[p, start : due + 1]).sum())
        if room[due:].min() < work or own < work:
            return False
        self.promised[p, due] += work
        return True


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


def _efficiency(person: Person, skill: str) -> int:
    return next((cell.efficiency_pct for cell in person.skills if cell.skill == skill), 0)


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
