"""A season of arrivals: the tasks of a synthetic firm in the order in which a firm hears of them, seeded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from scenarios.firms import Season, generate_firm
from solver.firm import Firm, Status, Task

LEAD_MEDIAN_DAYS, LEAD_SIGMA = 14.0, 0.6
"""A: work is known a log-normal time before its deadline, half of it less than two weeks."""
SHORTEST_LEAD_DAYS = 2
"""A: what is asked for tomorrow is a favour, not a task."""


@dataclass(frozen=True)
class Arrival:
    """A task, and the local moment at which it arrives."""

    when: datetime
    task: Task


@dataclass(frozen=True)
class Stream:
    """A season: the firm as it begins, and what arrives until the last deadline, earliest first."""

    firm: Firm
    now: datetime
    arrivals: tuple[Arrival, ...]
    last_day: date


def arrival_stream(
    *, people: int, tasks: int, season: Season = Season.BUSY, seed: int = 0, load: float = 0.9
) -> Stream:
    """Return a stream of ``tasks`` tasks over forty working days; what is known on the first morning is the backlog.

    Nothing is overdue or without an estimate at the start, so that what goes wrong is the routing's.
    """
    made = generate_firm(
        people=people, tasks=tasks, season=season, seed=seed, load=load, late_share=0.0, held_share=0.0
    )
    random = np.random.default_rng(seed)
    leads = LEAD_MEDIAN_DAYS * np.exp(LEAD_SIGMA * random.standard_normal(tasks))
    minutes = random.integers(0, 8 * 60, size=tasks)
    first = made.now.date()
    moments: dict[str, datetime] = {}
    for task, lead, minute in zip(made.firm.tasks, leads.tolist(), minutes.tolist(), strict=True):
        day = max(first, task.deadline - timedelta(days=max(int(lead), SHORTEST_LEAD_DAYS)))
        known = made.now if day == first else datetime.combine(day, time(9, 0)) + timedelta(minutes=minute)
        # Nobody asks for a review before its preparation.
        moments[task.id] = max(known, moments.get(task.reviews or "", known))
    backlog = tuple(task for task in made.firm.tasks if moments[task.id] == made.now)
    later = (Arrival(moments[task.id], _unassigned(task)) for task in made.firm.tasks if moments[task.id] > made.now)
    policy = made.firm.policy.model_copy(
        update={"remaining_floor_min": 1}
    )  # estimates are exact here: nothing is left over
    return Stream(
        firm=made.firm.model_copy(update={"tasks": backlog, "policy": policy}),
        now=made.now,
        arrivals=tuple(sorted(later, key=lambda arrival: (arrival.when, arrival.task.id))),
        last_day=max((task.deadline for task in made.firm.tasks), default=first),
    )


def _unassigned(task: Task) -> Task:
    new = {"assignee": None, "status": Status.PLANNED, "logged_min": 0, "pinned": False}
    return task.model_copy(update=new)
