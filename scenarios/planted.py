"""Firms with a known optimum, by construction: every minute of everybody is used by work that fits in exactly one planted way.

The planted plan costs nothing: each day of each person is cut into tasks due that day, each client's usual person is the planted
one, loads are equal, so escalation, late, balance, moves, continuity and level are all zero. No plan costs less than zero, so zero is
the optimum. Surplus tasks find no minute left, so at least their minutes are escalated; as surplus work shifts everybody's fair
share, firms that have some price no balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from solver.firm import Client, Firm, HolidayCalendar, Overtime, Person, Skill, Task, TaskType
from solver.policy import Policy, Weights

MONDAY = date(2027, 3, 1)
DAY_MIN = 480
PIECE_MIN = 30
"""Tasks are whole multiples of half an hour."""


@dataclass(frozen=True)
class Planted:
    """A firm whose optimum is known.

    Attributes
    ----------
    objective_min
        Cost of the best plan, in the units of `solver.plan.Certificate`.
    escalations
        Tasks that nobody gets in every best plan.
    person_of
        The planted person of each task; surplus tasks have none.
    relief
        Overtime that makes room for exactly one surplus task; ``None`` where there is none.
    """

    firm: Firm
    now: datetime
    objective_min: int
    escalations: int
    person_of: dict[str, str]
    relief: Overtime | None


def plant(
    *, people: int, weeks: int = 1, group_size: int = 4, surplus: int = 0, surplus_min: int = 60, seed: int = 0
) -> Planted:
    """Return a planted firm.

    Parameters
    ----------
    people, group_size
        People, in groups that share a skill no other group has.
    weeks
        Working weeks of five days of eight hours, all of them full.
    surplus, surplus_min
        Tasks of that many minutes for which nobody has time.

    Raises
    ------
    ValueError
        Fewer than one person, week or member of a group, or surplus work that is no multiple of half an hour.
    """
    if min(people, weeks, group_size) < 1 or surplus < 0 or surplus_min < PIECE_MIN or surplus_min % PIECE_MIN:
        raise ValueError(
            f"people {people}, weeks {weeks}, group_size {group_size}, surplus {surplus}, surplus_min {surplus_min}: "
            f"Maybe use at least one of each, and surplus minutes in steps of {PIECE_MIN}."
        )
    random = np.random.default_rng(seed)
    staff = [f"P{p:04d}" for p in range(people)]
    skill_of = {id: f"skill {p // group_size}" for p, id in enumerate(staff)}
    tasks: list[Task] = []
    person_of: dict[str, str] = {}
    days = [MONDAY + timedelta(days=7 * week + weekday) for week in range(weeks) for weekday in range(5)]
    for day in days:
        for id in staff:
            for minutes in _pieces(random):
                name = f"T{len(tasks):06d}"
                person_of[name] = id
                tasks.append(
                    Task(id=name, type=skill_of[id], client=f"client of {id}", deadline=day, estimate_min=minutes)
                )
    for i in range(surplus):
        id = staff[i % people]
        tasks.append(
            Task(
                id=f"surplus {i}",
                type=skill_of[id],
                client="client of nobody",
                deadline=days[-1],
                estimate_min=surplus_min,
            )
        )
    order = random.permutation(len(tasks))
    firm = Firm(
        name=f"Planted firm of {people}, seed {seed}",
        holiday_calendar=HolidayCalendar(country=None),
        people=tuple(Person(id=id, level="associate", skills=(Skill(skill=skill_of[id]),)) for id in staff),
        clients=(*(Client(id=f"client of {id}", usual_person=id) for id in staff), Client(id="client of nobody")),
        task_types=tuple(TaskType(id=skill, skill=skill) for skill in dict.fromkeys(skill_of.values())),
        tasks=tuple(tasks[i] for i in order.tolist()),
        policy=Policy(weights=Weights(balance_pct=0, balance_far_pct=0, week_balance_pct=0)) if surplus else Policy(),
    )
    escalation = firm.policy.weights.escalation * 2  # normal priority counts twice
    return Planted(
        firm=firm,
        now=datetime.combine(MONDAY, time(9, 0)),
        objective_min=escalation * surplus * surplus_min,
        escalations=surplus,
        person_of=person_of,
        relief=_relief(days[-1], staff[0], surplus_min) if surplus else None,
    )


def _pieces(random: np.random.Generator) -> list[int]:
    """Cut one day into tasks of at least an hour, in half hours."""
    left, found = DAY_MIN, []
    while left:
        longest = min(left, 4 * 60)
        minutes = int(random.integers(2, longest // PIECE_MIN + 1)) * PIECE_MIN if left >= 2 * 60 else left
        minutes = left if left - minutes < 60 else minutes
        found.append(minutes)
        left -= minutes
    return found


def _relief(day: date, person: str, minutes: int) -> Overtime:
    week = tuple(minutes if weekday == day.weekday() else 0 for weekday in range(7))
    return Overtime.model_validate({"first_day": day, "last_day": day, "extra_min": week, "people": (person,)})
