"""A season of arrivals: tasks in the order in which a firm hears of them; synthetic and seeded, or a past period from records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol

import numpy as np

from scenarios.firms import Season, generate_firm
from solver.firm import Firm, Status, Task, TimeOff

LEAD_MEDIAN_DAYS, LEAD_SIGMA = 14.0, 0.6
"""A: work is known a log-normal time before its deadline, half of it less than two weeks."""
SHORTEST_LEAD_DAYS = 2
"""A: what is asked for tomorrow is a favour, not a task."""


@dataclass(frozen=True)
class Arrival:
    """A task, and the local moment at which it arrives."""

    when: datetime
    task: Task


class Change(Protocol):
    """A change of a firm, for instance time off or a new deadline; knows nothing of when."""

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the change in it."""
        ...


@dataclass(frozen=True)
class Fact:
    """A change, and the local moment from which the firm knew of it."""

    when: datetime
    change: Change


@dataclass(frozen=True)
class TaskChanged:
    """A task became otherwise: estimate, deadline, release, priority, whom the client asks for, cancelled."""

    task: str
    fields: Mapping[str, object]

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the task's fields replaced; a task that the firm does not know changes nothing."""
        tasks = (
            Task.model_validate({**dict(task), **self.fields}) if task.id == self.task else task for task in firm.tasks
        )
        return Firm.model_validate({**dict(firm), "tasks": tuple(tasks)})


@dataclass(frozen=True)
class Away:
    """Somebody will be away."""

    time_off: TimeOff

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the time off added."""
        return Firm.model_validate({**dict(firm), "time_off": (*firm.time_off, self.time_off)})


@dataclass(frozen=True)
class Stream:
    """A season: the firm as it begins, and what arrives until the last deadline, earliest first.

    Attributes
    ----------
    facts
        What else became known, earliest first. A replay uses nothing before its moment.
    took_min
        Minutes that tasks took in the end, at 100 percent, by id; those without one take their estimate. No policy sees them.
    """

    firm: Firm
    now: datetime
    arrivals: tuple[Arrival, ...]
    last_day: date
    facts: tuple[Fact, ...] = ()
    took_min: Mapping[str, int] = field(default_factory=dict)


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
