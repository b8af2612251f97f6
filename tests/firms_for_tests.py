"""Small firms made by hand or drawn at random, for the tests."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from solver.firm import (
    Booking,
    Client,
    Firm,
    HolidayCalendar,
    Person,
    Priority,
    ReviewRule,
    Skill,
    Status,
    Task,
    TaskType,
    TimeOff,
)
from solver.policy import ValueTier

MONDAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 9, 0)
"""A Monday at the start of the working day, in a week without holidays."""

NO_HOLIDAYS = HolidayCalendar(country=None)


def day(offset: int) -> date:
    """Return the day ``offset`` calendar days after `MONDAY`."""
    return MONDAY + timedelta(days=offset)


def person(id: str, *, level: str = "associate", skills: tuple[str, ...] = ("tax",), **more: object) -> Person:
    """Return a person of eight hours a day with the named skills at 100 percent."""
    return Person.model_validate({"id": id, "level": level, "skills": [{"skill": name} for name in skills], **more})


def task(id: str, *, hours: float | None = 4, due: int = 4, **more: object) -> Task:
    """Return a task of type ``return`` for client ``acme``, due ``due`` days after `MONDAY`."""
    minutes = None if hours is None else round(60 * hours)
    base: dict[str, object] = {
        "id": id,
        "type": "return",
        "client": "acme",
        "deadline": day(due),
        "estimate_min": minutes,
    }
    return Task.model_validate(base | more)


def firm(people: tuple[Person, ...] = (), tasks: tuple[Task, ...] = (), **more: object) -> Firm:
    """Return a firm without holidays, with type ``return`` (skill ``tax``) and client ``acme`` unless others are given."""
    base: dict[str, object] = {
        "holiday_calendar": NO_HOLIDAYS,
        "people": people,
        "tasks": tasks,
        "clients": (Client(id="acme"),),
        "task_types": (TaskType(id="return", skill="tax"),),
    }
    return Firm.model_validate(base | more)


def random_firm(seed: int, *, people: int = 5, tasks: int = 20, load: float = 0.9) -> Firm:
    """Return an untidy random firm: late work, reviews, pins, requests, time off, leavers, barred people, held work."""
    rng = random.Random(seed)
    levels = ("associate", "senior", "manager", "partner")
    skills = ("tax", "audit", "books")
    staff = tuple(
        Person(
            id=f"p{i:02d}",
            level=levels[min(rng.randrange(5), 3)],
            skills=tuple(
                Skill(skill=name, efficiency_pct=rng.choice((80, 100, 100, 125)))
                for name in rng.sample(skills, rng.randint(1, 3))
            ),
            weekly_min=(480, 480, 480, 480, rng.choice((480, 240)), 0, 0),
            leave_date=day(rng.randint(8, 20)) if rng.random() < 0.1 else None,
            start_date=day(rng.randint(1, 8)) if rng.random() < 0.1 else None,
        )
        for i in range(people)
    )
    ids = [one.id for one in staff]
    clients = tuple(
        Client(
            id=f"c{i}",
            tier=rng.choice(list(ValueTier)),
            usual_person=rng.choice(ids) if rng.random() < 0.5 else None,
            barred=(rng.choice(ids),) if rng.random() < 0.2 else (),
        )
        for i in range(max(2, tasks // 4))
    )
    types = tuple(
        TaskType(
            id=f"t{i}",
            skill=skills[i % 3],
            default_estimate_min=240 if i % 2 else None,
            complexity=1 + i % 5,
            min_level="senior" if i == 4 else None,
            review=ReviewRule(min_level="senior") if i % 2 else None,
        )
        for i in range(6)
    )
    span_days = 21
    mean = int(load * people * 480 * 15 / max(tasks, 1))
    work: list[Task] = []
    for i in range(tasks):
        started = rng.random() < 0.15
        assigned = started or rng.random() < 0.6
        release = rng.randint(-5, 10) if rng.random() < 0.3 else None
        due = rng.randint(-3, span_days)
        if release is not None:
            due = max(due, release)
        reviewed = next(
            (one for one in reversed(work) if one.reviews is None and not any(t.reviews == one.id for t in work)), None
        )
        is_review = reviewed is not None and rng.random() < 0.2
        work.append(
            Task(
                id=f"w{i:03d}",
                type=rng.choice(types).id,
                client=reviewed.client if is_review and reviewed else rng.choice(clients).id,
                deadline=day(due),
                estimate_min=None if rng.random() < 0.05 else rng.randint(max(15, mean // 3), 2 * mean + 30),
                logged_min=rng.randint(10, 60) if started else 0,
                status=Status.IN_PROGRESS if started and rng.random() < 0.5 else Status.PLANNED,
                release=None if release is None else day(release),
                priority=rng.choice((Priority.NORMAL, Priority.NORMAL, Priority.HIGH, Priority.LOW, Priority.CRITICAL)),
                assignee=rng.choice(ids) if assigned else None,
                pinned=assigned and rng.random() < 0.1,
                requested_person=rng.choice(ids) if rng.random() < 0.05 else None,
                reviews=reviewed.id if is_review and reviewed else None,
            )
        )
    return Firm(
        holiday_calendar=NO_HOLIDAYS,
        people=staff,
        clients=clients,
        task_types=types,
        tasks=tuple(work),
        time_off=tuple(
            TimeOff(
                person=who,
                first_day=day(rng.randint(0, 10)),
                last_day=day(rng.randint(10, 14)),
                minutes_per_day=rng.choice((None, 120)),
            )
            for who in ids
            if rng.random() < 0.2
        ),
        bookings=tuple(
            Booking(person=who, first_day=day(0), last_day=day(20), minutes_per_day=60)
            for who in ids
            if rng.random() < 0.3
        ),
    )
