"""The points of runs, as a worker does them: a child process works them out, and what comes of them is written down one by one.

A child is kept from point to point, as loading a solver takes longer than a point. Whatever happens to it, or to whoever started it, only
points that were not finished are begun again.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from threading import Event, Lock
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from api.jobs.asks import ReplayAsk
from api.jobs.child import POINTS, Child
from api.jobs.ending import Ending, Lost
from api.jobs.kinds import KINDS, PAST, Spec, engine, read_ask
from api.jobs.messages import PointAsked, PointGround, PointTold
from api.jobs.periods import packed_past
from api.jobs.queue import Jobs
from api.jobs.searching import MOST_DEATHS, Pace
from api.store.database import Database
from api.store.loading import firm_at
from api.store.past import days_of, read_past
from api.store.points import (
    add_points,
    begin_run,
    claim_point,
    digests_of,
    documents_of,
    fail_run,
    finish_point,
    finish_run,
    hold_of,
    open_stage,
    waiting_points,
)
from api.store.refusals import NotFound
from api.store.run_states import NewPoint, PointClaim, Run
from api.store.runs import one_run
from api.store.solve_states import Hold
from api.store.tables import PlanRecord
from api.store.time_sheets import learned_of
from scenarios.grids import digest_of, ground_of
from solver.firm import Firm
from solver.learnt import Learned
from solver.plan import Plan

_log = logging.getLogger(__name__)

STRETCH_S = 8.0
"""Seconds of a core that a portion takes, about: another firm's work waits for a free worker no longer."""
MOST_TOGETHER = 50
"""Points of a portion at most."""
AT_ONCE = 500
"""Points written down in one transaction."""
ENQUEUED_TOGETHER = 100
"""Portions put into the queue in one transaction: a fifth of a second, in which the firm waits."""
IDLE_S = 20.0
"""After which a child that has nothing to do is ended."""


class Opened(NamedTuple):
    """A stage that was opened, and the numbers of those of its points that its opener does at once."""

    stage: int
    numbers: tuple[int, ...]


class Pointing:
    """Does the points of one worker.

    Parameters
    ----------
    owner
        Id of the worker.
    ending
        Set when the process is to end: points are given up at once.
    """

    def __init__(
        self, database: Database, jobs: Jobs, owner: str, *, now: Callable[[], datetime], ending: Event, pace: Pace
    ) -> None:
        self._database, self._jobs, self._owner, self._now = database, jobs, owner, now
        self._ending, self._pace, self._busy = ending, pace, Lock()
        self._child: Child[PointTold] | None = None
        self._ground: tuple[str, str, int] | None = None
        self._used_s = time.monotonic()

    def do(self, firm: str, id: str, number: int) -> str:
        """Work a point out, unless it is done; return what became of it.

        Raises
        ------
        Ending
            This process ends.
        Lost
            Somebody else goes on with it.
        """
        with self._busy:
            code: int | None = None
            for _ in range(MOST_DEATHS):
                claimed = claim_point(self._database, firm, id, number, self._owner, now=self._now())
                if claimed is None:
                    return "nothing to do"
                told = self._past(firm, id) if claimed.does == PAST else self._told(firm, id, number, claimed)
                if isinstance(told, str):
                    return told
                if isinstance(told, PointTold):
                    return self._keep(firm, id, number, told)
                code = told
                _log.warning("point %s of run %s of %s: its process ended with %s", number, id, firm, code)
            error = f"the process of point {number} ended by itself {MOST_DEATHS} times, the last time with {code}"
            fail_run(self._database, firm, id, error, now=self._now(), point=number, owner=self._owner)
            return "failed"

    def go_on(self, firm: str, id: str, opener: str, behind: int) -> Opened | None:
        """Open what comes next in a run: its first stage, the one behind a stage that is over, or its end.

        Parameters
        ----------
        behind
            The last stage that this opener has opened wholly, -1 for none.

        Returns
        -------
        The stage, and the points of it that the opener is to do itself; the others are in the queue. ``None``: it has nothing to do.
        """
        run = begin_run(self._database, firm, id, now=self._now())
        if run is None:
            self._jobs.drop_points(firm, id)
            return None
        kind = KINDS[run.kind]
        ask = read_ask(run.kind, run.asked)
        stages, ground = kind.stages(ask), _Grounds(self._database, firm, run)
        sizes = [len(stage) for stage in stages]
        while True:
            stage = open_stage(self._database, firm, id, opener, sizes, behind=behind, now=self._now())
            if stage is None:
                return None
            if stage == len(stages):
                finish_run(self._database, firm, id, now=self._now())
                return None
            if not self._add(firm, id, stage, stages, ground):
                return None
            size = max(1, min(MOST_TOGETHER, round(STRETCH_S / kind.point_s(ask))))
            portions = self._portions(firm, id, stage, sizes, size)
            if portions:
                (_, own), *others = portions
                self._enqueue(firm, id, others)
                return Opened(stage, own)
            behind = stage

    def rest(self) -> None:
        """End a child that has had nothing to do for a while."""
        if time.monotonic() - self._used_s > IDLE_S and self._busy.acquire(blocking=False):
            try:
                self._end_child()
            finally:
                self._busy.release()

    def close(self) -> None:
        """End the child."""
        with self._busy:
            self._end_child()

    def _told(self, firm: str, id: str, number: int, claimed: PointClaim) -> PointTold | str | int | None:
        """Return what a child tells of a point, a word where it is not wanted any more, or how the child ended."""
        child = self._child_for(firm, id, claimed)
        looked_s = time.monotonic()
        while child.exit_code is None:
            told = child.told(self._pace.look_s)
            self._used_s = time.monotonic()
            if self._ending.is_set():
                self._end_child()
                raise Ending
            if told is not None:
                return told
            if child.exit_code is None and time.monotonic() - looked_s >= self._pace.look_s:
                looked_s = time.monotonic()
                hold = self._hold(firm, id, number)
                if hold is not Hold.GO_ON:
                    self._end_child()
                    if hold is Hold.LOST:
                        raise Lost
                    return "cancelled"
        code = child.exit_code
        self._end_child()
        return code

    def _past(self, firm: str, id: str) -> PointTold:
        """Read the period of a replay, as it stands at the version of the run."""
        with self._database.reading(firm) as session:
            run = one_run(session, id)
            ask = read_ask(run.kind, run.asked)
            assert isinstance(ask, ReplayAsk)
            first, last = days_of(firm_at(session, run.version, marked=True), ask.first_day, ask.last_day)
            try:
                return PointTold(document=packed_past(read_past(session, first=first, last=last, version=run.version)))
            except NotFound as error:
                return PointTold(error=error.refusal.sentence())

    def _child_for(self, firm: str, id: str, claimed: PointClaim) -> Child[PointTold]:
        """Return the child, started where there is none, once it was asked for the point."""
        there = (firm, id, claimed.stage)
        ground = None if self._child is not None and self._ground == there else self._ground_of(firm, id, claimed.stage)
        if self._child is None:
            self._child = Child(POINTS, PointTold)
        self._ground = there
        self._child.ask(PointAsked(does=claimed.does, arguments=claimed.asked, ground=ground))
        return self._child

    def _ground_of(self, firm: str, id: str, stage: int) -> PointGround:
        with self._database.reading(firm) as session:
            run = one_run(session, id)
            earlier = tuple(tuple(some) for some in documents_of(session, id, stage))
        ground = _Grounds(self._database, firm, run)
        return PointGround(
            kind=run.kind,
            ask=run.asked,
            firm=ground.firm,
            now=run.planned_at,
            last=ground.last,
            earlier=earlier,
            cores=self._pace.cores,
            learned=ground.learned,
        )

    def _hold(self, firm: str, id: str, number: int) -> Hold:
        try:
            with self._database.reading(firm) as session:
                return hold_of(session, id, number, self._owner)
        except OperationalError as error:
            _log.warning("run %s of %s cannot be looked at: %s", id, firm, error.orig)
            return Hold.GO_ON

    def _keep(self, firm: str, id: str, number: int, told: PointTold) -> str:
        """Write down what came of a point, however long the database is gone."""
        while True:
            try:
                if told.document is None:
                    error = f"point {number}: {told.error}"
                    fail_run(self._database, firm, id, error, now=self._now(), point=number, owner=self._owner)
                    return "refused"
                kept = finish_point(self._database, firm, id, number, self._owner, told.document, now=self._now()).kept
                break
            except OperationalError as error:
                _log.warning("point %s of run %s of %s is not written: %s", number, id, firm, error.orig)
                if self._ending.wait(1.0):
                    raise Ending from error
        if not kept and self._hold(firm, id, number) is Hold.LOST:
            raise Lost
        return "done" if kept else "cancelled"

    def _add(self, firm: str, id: str, stage: int, stages: Sequence[Sequence[Spec]], ground: _Grounds) -> bool:
        """Write the points of a stage down; return whether the run goes on."""
        with self._database.reading(firm) as session:
            shared = {"engine": engine(), **ground.content, "earlier": digests_of(session, id, stage)}
        first = sum(len(one) for one in stages[:stage])
        # Hashed once for all points of the stage: results of the stages before may be thousands.
        base = digest_of(shared)
        points = [
            NewPoint(
                number=first + place,
                does=spec.does,
                asked=json.dumps(spec.arguments, separators=(",", ":"), ensure_ascii=False),
                counted=spec.counted,
                key=digest_of({"base": base, "does": spec.does, "content": spec.content, **_own(spec, id)}),
            )
            for place, spec in enumerate(stages[stage])
        ]
        return all(
            add_points(self._database, firm, id, stage, points[i : i + AT_ONCE], now=self._now())
            for i in range(0, len(points), AT_ONCE)
        )

    def _portions(
        self, firm: str, id: str, stage: int, sizes: Sequence[int], size: int
    ) -> list[tuple[str, tuple[int, ...]]]:
        """Return the names and numbers of the portions of a stage that have something to do; the same places always fall together."""
        with self._database.reading(firm) as session:
            waiting = waiting_points(session, id, stage)
        first, portions = sum(sizes[:stage]), dict[int, list[int]]()
        for number in waiting:
            portions.setdefault((number - first) // size, []).append(number)
        return [(f"{stage}.{place}", tuple(numbers)) for place, numbers in portions.items()]

    def _enqueue(self, firm: str, id: str, portions: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        for i in range(0, len(portions), ENQUEUED_TOGETHER):
            with self._database.writing(firm) as session:
                for name, numbers in portions[i : i + ENQUEUED_TOGETHER]:
                    self._jobs.enqueue_points(session, firm, id, name, numbers)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
        self._child = self._ground = None


def _own(spec: Spec, run: str) -> dict[str, str]:
    return {"run": run} if spec.does == PAST else {}


class _Grounds:
    """The firm of a run, and its newest plan, read when first wanted."""

    def __init__(self, database: Database, firm: str, run: Run) -> None:
        self._database, self._id, self._run = database, firm, run
        self._read: tuple[Firm, Plan | None] | None = None

    @property
    def firm(self) -> Firm:
        return self._both()[0]

    @property
    def last(self) -> Plan | None:
        return self._both()[1]

    @property
    def content(self) -> dict[str, str]:
        """What keys say of it: by what is in it, so that it may be another version's."""
        found = {"ground": ground_of(self.firm, self.last), "now": self._run.planned_at.isoformat()}
        if self.learned is not None:
            found["learned"] = digest_of(self.learned.model_dump(mode="json"))
        return found

    @cached_property
    def learned(self) -> Learned | None:
        """What the time sheets said at the run's version, where its kind asks for it."""
        if not KINDS[self._run.kind].learns:
            return None
        with self._database.reading(self._id) as session:
            today = self._run.planned_at.astimezone(ZoneInfo(self.firm.time_zone)).date()
            return learned_of(session, as_of=today, version=self._run.version)

    def _both(self) -> tuple[Firm, Plan | None]:
        if self._read is None:
            with self._database.reading(self._id) as session:
                made = firm_at(session, self._run.version, marked=True)
                asked = select(PlanRecord.document).where(PlanRecord.id == self._run.last_plan)
                document = session.scalars(asked).one_or_none()
            self._read = made, None if document is None else Plan.model_validate_json(document)
        return self._read
