"""The open tasks of a synthetic firm: kinds, hours and deadlines by published figures, holders as uneven as they are in firms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scenarios import figures
from solver.calendar import capacity_min
from solver.firm import Firm, Person, Priority, Status, Task
from solver.policy import ValueTier

LEVELS = ("associate", "senior", "manager", "partner")
REVIEW = " review"
TRIES = 8
"""People asked before a task is left without one."""


class Season(StrEnum):
    """When the firm is planned."""

    BUSY = "busy"
    QUIET = "quiet"


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


class Backlog:
    """Draws the open tasks of a firm."""

    def __init__(self, shape: Shape, days: list[date], random: np.random.Generator, firm: Firm) -> None:
        self.shape, self.days, self.random, self.firm = shape, days, random, firm
        self.capacity = capacity_min(firm, days)
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
        """Return the open tasks."""
        shape = self.shape
        reviews = int(shape.tasks * shape.review_share / 2) if shape.tasks > 1 else 0
        kinds = self._kinds(shape.tasks - reviews)
        prepared = self.random.permutation(len(kinds))[:reviews] if reviews else np.zeros(0, dtype=np.int64)
        names = [*kinds, *(self._department(kinds[i]) + REVIEW for i in prepared)]
        minutes = self._minutes(names, kinds, prepared)
        due = self._due(names, minutes, len(kinds), prepared)
        priorities = pick(self.random, figures.PRIORITY_SHARES, len(names)) if names else []
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
        return pick(self.random, shares, count) if count and any(shares.values()) else ["1040"] * count

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
                raw[mine] *= self.shape.load * max(room, 480.0) / raw[mine].sum()
        # One engagement is seldom more than a third of a person's season: longer ones are staffed as several tasks.
        cap = 0.3 * float(self.capacity.sum(axis=1).mean()) if len(self.firm.people) else 480.0
        return np.clip(raw, 15, max(cap, 60)).astype(np.int64)

    def _home(self, name: str) -> str:
        return name.removesuffix(REVIEW) if name.endswith(REVIEW) else self._department(name)

    def _due(
        self, names: list[str], minutes: NDArray[np.int64], first_review: int, prepared: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Draw due days (places in the days), pile some on the federal dates, and keep the work due by each day possible."""
        last = len(self.days) - 1
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
        due = date(self.days[0].year, month, day)
        while due.weekday() >= 5:
            due += timedelta(days=1)
        return (due - self.days[0]).days if self.days[0] <= due <= self.days[-1] else None

    def _paced(self, drawn: NDArray[np.int64], minutes: NDArray[np.int64], last: int) -> NDArray[np.int64]:
        room = np.cumsum(self.capacity.sum(axis=0)) * min(self.shape.load, 1.0) * 0.95
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
        deadline = self.days[due]
        return {
            "id": f"T{i + 1:06d}",
            "type": kind,
            "client": self.firm.clients[client].id,
            "deadline": deadline,
            "deadline_time": time(12, 0) if self.random.random() < 0.01 else None,
            "estimate_min": minutes,
            "release": self.days[ready] if ready > 0 else None,
            "priority": Priority(priority),
        }

    def _finished(self, drafts: list[dict[str, object]]) -> tuple[Task, ...]:
        """Add assignees and the exceptions: overdue, started, pinned, requested, without an estimate."""
        shape = self.shape
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
        if chance[1] < self.shape.late_share and task.reviews is None:
            late = self.days[0] - timedelta(days=1 + int(9 * chance[2]))
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
        due = max((task.deadline - self.days[0]).days, 0)
        room = np.cumsum(self.capacity[p] - self.promised[p])
        start = (task.release - self.days[0]).days if task.release else 0
        own = int((self.capacity[p, start : due + 1] - self.promised[p, start : due + 1]).sum())
        if room[due:].min() < work or own < work:
            return False
        self.promised[p, due] += work
        return True


def pick(random: np.random.Generator, shares: dict[str, float], count: int) -> list[str]:
    """Draw names by share."""
    names = list(shares)
    weights = np.array([shares[name] for name in names])
    return [names[i] for i in random.choice(len(names), size=count, p=weights / weights.sum())]


def _efficiency(person: Person, skill: str) -> int:
    return next((cell.efficiency_pct for cell in person.skills if cell.skill == skill), 0)
