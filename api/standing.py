"""How a firm stands: today's promises written as a plan, once per version and quarter of an hour; metrics and explanations read it."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock

from sqlalchemy import select

from api.store.boards import labels_of
from api.store.database import Database
from api.store.draft import read_head
from api.store.loading import working_firm
from api.store.tables import TaskRecord
from solver.firm import Firm, Status, Task
from solver.following import moment_of
from solver.plan import MetricsReport, Plan

KEPT = 16
"""Firms whose standing a process keeps."""


@dataclass(frozen=True)
class Standing:
    """A firm at one version and moment.

    Attributes
    ----------
    firm
        Open work and what reviews link it to; people have marks for names (`api.store.names`).
    finished
        Every other task that is done.
    """

    version: int
    at: datetime
    firm: Firm
    finished: tuple[Task, ...]
    labels: dict[str, str]

    @cached_property
    def plan(self) -> Plan:
        """What happens if nobody does anything: promises kept, waiting work placed by the rule."""
        from solver.batch import today  # the libraries of the batch load for seconds, and placing needs none of them

        return today(self.firm, now=self.at)

    @cached_property
    def metrics(self) -> MetricsReport:
        """The four metrics of that plan."""
        from solver.metrics import measure

        whole = self.firm.model_copy(update={"tasks": (*self.firm.tasks, *self.finished)})
        return measure(whole, self.plan)


class Standings:
    """The standings of a process, one computed at a time for each firm."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, Standing] = OrderedDict()
        self._making, self._gates = Lock(), defaultdict[str, Lock](Lock)

    def of(self, firm: str, *, now: datetime) -> Standing:
        """Return how a firm stands now."""
        with self._making:
            gate = self._gates[firm]
        with gate:
            found = self._current(firm, moment_of(now))
            _ = found.plan  # computed here, so that nobody else computes it as well
            return found

    def _current(self, firm: str, at: datetime) -> Standing:
        with self._database.reading(firm) as session:
            version = read_head(session, firm).version
            with self._making:
                kept = self._kept.pop(firm, None)
            if kept is None or (kept.version, kept.at) != (version, at):
                working = working_firm(session, version, version)
                there = {task.id for task in working.tasks}
                done = select(TaskRecord.document).where(TaskRecord.status == Status.DONE.value)
                finished = (Task.model_validate_json(one) for one in session.scalars(done))
                others = tuple(task for task in finished if task.id not in there)
                kept = Standing(version, at, working, others, labels_of(session))
        with self._making:
            self._kept[firm] = kept
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept
