"""Work in a replayed period: in the same hands it is as it was; in other hands it is done in the hours that these have left."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from scenarios.office import Office
from scenarios.past import Past, Work
from solver.board import Board
from solver.calendar import capacity_min, local_now
from solver.firm import Status, Task
from solver.following import moment_of
from solver.ledger import Ledger

WHOLE, ROUNDED = 1.0 - 1e-9, 1e-6
"""A share that is all of it, and minutes that are none, as sums of shares are rounded."""


@dataclass
class OtherHands(Office, ABC):
    """The firm as it stands, with its record beside it.

    Attributes
    ----------
    recorded
        The tasks as the record has them by now.
    worked_min, open_min
        Minutes worked on tasks, and minutes there were, by person and day.
    """

    past: Past
    recorded: dict[str, Task] = field(init=False)
    worked_min: dict[tuple[str, date], int] = field(init=False, default_factory=lambda: defaultdict(int))
    open_min: dict[tuple[str, date], int] = field(init=False, default_factory=dict)
    when: datetime = field(init=False)
    board: Board = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.recorded, self.when = dict(self.tasks), self.past.begins_at
        self._done_share: dict[str, float] = {}
        self._works: Mapping[tuple[str, date], list[Work]] = defaultdict(list)
        for work in self.past.works:
            self._works[work.person, work.day].append(work)

    @abstractmethod
    def keep(self, before: Task, after: Task, *, ledger: Ledger | None = None) -> None:
        """Have a task as it is from now on."""

    @abstractmethod
    def begin(self, moment: datetime) -> None:
        """Compile the firm as it stands."""

    @abstractmethod
    def retry(self) -> None:
        """Route again what waits and has a place now."""

    def count_work(self, person: str | None, day: date | None, minutes: int) -> None:
        """Count minutes that somebody worked; no day: today."""
        if person is not None:
            self.worked_min[person, day or local_now(self.base, self.when).date()] += minutes

    def _follows_the_record(self, task: Task) -> bool:
        """Whether the record has the task in the same hands, and still open: what is done about it will be told."""
        there = self.recorded.get(task.id)
        return there is not None and there.open and there.assignee == task.assignee

    def evening(self, day: date) -> None:
        """Let everybody work, in the hours the day leaves them, on what the record has in other hands."""
        people = [person.id for person in self.base.people]
        capacity = dict(zip(people, capacity_min(self.base, [day])[:, 0].tolist(), strict=True)) if people else {}
        self.open_min |= {(person, day): minutes for person, minutes in capacity.items()}
        mine: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for id, promise in self.board.promises.items():
            task = self.tasks[id]
            if task.assignee is not None and task.open and not self._follows_the_record(task):
                mine[task.assignee].append((promise.window.due, id))
        if mine:
            self.begin(moment_of(self.when))
        for person in sorted(mine):
            free = capacity.get(person, 0) - self._busy_min(person, day)
            for _, id in sorted(mine[person]):
                task = self.tasks[id]
                ready = task.reviews is None or not self.tasks[task.reviews].open
                if free > 0 and ready and (task.release is None or task.release <= day):
                    free -= self._work(task, person, day, free)

    def _busy_min(self, person: str, day: date) -> int:
        """Return what somebody did that day of what they still have in the replay."""
        works = self._works.get((person, day), ())
        return sum(
            one.minutes for one in works if one.task in self.tasks and self.tasks[one.task].assignee == one.holder
        )

    def _work(self, task: Task, person: str, day: date, free_min: int) -> int:
        """Work on a task; return the minutes it took."""
        whole_min = max(self.takes_min(task, person), 1.0)
        share = self._done_share.setdefault(task.id, min(task.logged_min / whole_min, 0.99))
        minutes = min(free_min, int(np.ceil((1.0 - share) * whole_min - ROUNDED)))
        share = self._done_share[task.id] = share + minutes / whole_min
        self.count_work(person, day, minutes)
        fields: dict[str, Any] = {"logged_min": task.logged_min + minutes, "status": Status.IN_PROGRESS}
        if share >= WHOLE:
            fields |= {"status": Status.DONE, "completed_on": day}
        self.keep(task, task.model_copy(update=fields))
        if share >= WHOLE:
            self.retry()
        return minutes

    def takes_min(self, task: Task, person: str | None) -> float:
        """Return the minutes a whole task takes a person: what it took in the record, at their pace; else what is expected of it."""
        took = self.past.took.get(task.id)
        if took is not None:
            return took.minutes * self._expected(task, person) / self._expected(task, took.person)
        kind = self.board.types[task.type]
        return (task.estimate_min or kind.default_estimate_min or 0) * self._expected(task, person)

    def _expected(self, task: Task, person: str | None) -> float:
        """Return minutes over estimate, by the skill matrix and the time sheets."""
        staff, kind = self.board.staff, self.board.types[task.type]
        cell = 100
        if person is not None and person in staff.row and kind.skill in staff.skill_row:
            cell = int(staff.efficiency_pct[staff.skill_row[kind.skill], staff.row[person]]) or 100
        learned = self.past.learned
        return cell / 100 * (1.0 if learned is None else learned.expected_ratio(task.type, task.client, person))
