"""A worker: it does solves and points of runs of all firms, one of each at a time, and takes over what dead workers left.

Each process has an id of its own and says every second that it lives; whoever has said nothing for a while is taken for dead, and the
living put his jobs back into the queue. A worker that was only slow finds out with the next thing it wants to write.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from dbos import DBOS, DBOSPortableJSONSerializer, StepOptions
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from api.jobs.applying import Applying
from api.jobs.clockwork import CHECK_S, LOOK_S, Clockwork, Regular, look, self_check
from api.jobs.ending import Ending, Lost
from api.jobs.pointing import Opened, Pointing
from api.jobs.queue import (
    APPLICATION,
    DO_POINTS,
    SCHEMA,
    SOLVE,
    VERSION,
    Jobs,
    portion_id,
    solve_of,
    url_of,
    workflow_id,
)
from api.jobs.searching import Pace, Searching
from api.serving import clock
from api.store.database import Database
from api.store.job_tables import WorkerRecord
from api.store.points import fail_run
from api.store.refusals import Busy, NotFound
from api.store.solves import give_up
from api.store.tables import Moment
from api.store.turns import Turns
from api.tracing import span

_log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

KEPT = timedelta(days=1)
"""How long the queue remembers jobs that have ended; our own rows stay."""
AGAIN: StepOptions = {
    "retries_allowed": True,
    "interval_seconds": 1.0,
    "backoff_rate": 2.0,
    "max_attempts": 8,
    "should_retry": lambda error: isinstance(error, OperationalError | Busy),
}
"""A database that is gone for some minutes, or busy, fails no step."""
_WORKERS: Any = WorkerRecord.__table__


@dataclass(frozen=True)
class Times:
    """How a worker keeps time, in seconds, and how often a solve is begun again.

    Attributes
    ----------
    beat_s
        Between two signs of life.
    dead_s
        Of silence, after which a worker is taken for dead.
    ending_s
        That what is being applied may take when the worker is told to end.
    look_s, check_s
        Between two looks at what is due by itself, and two self-checks.
    take_overs
        Times a solve is begun again after its worker died, before it has failed: it may be what kills them.
    """

    beat_s: float = 1.0
    dead_s: float = 15.0
    ending_s: float = 10.0
    look_s: float = LOOK_S
    check_s: float = CHECK_S
    take_overs: int = 10
    pace: Pace = field(default_factory=Pace)


class Worker:
    """Does jobs from `start` until `close`; one per process.

    Parameters
    ----------
    turns
        Those of this process: boards are shared with whoever answers requests in it.
    version
        Of the workflows; another one than today's only in tests.
    """

    def __init__(
        self,
        database: Database,
        turns: Turns,
        *,
        now: Callable[[], datetime] = clock,
        times: Times | None = None,
        version: str = VERSION,
    ) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:12]}"
        self._database, self._now, self._times, self._version = database, now, times or Times(), version
        self._ending = Event()
        self._searching = Searching(database, self.id, now=now, ending=self._ending, pace=self._times.pace)
        self._applying = Applying(database, turns, self.id, now=now)
        self._beating = Thread(target=self._beat, name="worker-beat", daemon=True)
        self._jobs = Jobs(database)
        self._pointing = Pointing(database, self._jobs, self.id, now=now, ending=self._ending, pace=self._times.pace)
        self._clockwork = Clockwork(
            (
                Regular(self._times.look_s, lambda: look(database, turns, self._jobs, now=now())),
                Regular(self._times.check_s, lambda: self_check(database, turns, now=now())),
            )
        )

    def start(self) -> None:
        """Begin to take jobs."""
        self._say_alive()  # before there is a job that somebody could take for a dead one's
        logging.getLogger("dbos").setLevel(logging.WARNING)
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": url_of(self._database),
                "dbos_system_schema": SCHEMA,
                "application_version": self._version,
                "executor_id": self.id,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "WARNING",
                "sys_db_pool_size": 5,
                "run_migrations": False,
                "max_executor_threads": 8,
            }
        )

        @DBOS.workflow(name=SOLVE, max_recovery_attempts=self._times.take_overs)
        def solve(firm: str, id: str) -> str:
            return self._solve(firm, id)

        @DBOS.workflow(name=DO_POINTS, max_recovery_attempts=self._times.take_overs)
        def do_points(firm: str, id: str, portion: str, numbers: list[int]) -> None:
            self._do_points(firm, id, portion, numbers)

        DBOS.launch()
        self._beating.start()
        self._clockwork.start()

    def close(self) -> None:
        """End: what is searched for is left to others, what is being applied is finished."""
        self._ending.set()
        self._beating.join()
        self._clockwork.close()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=round(self._times.ending_s))
        self._pointing.close()
        with self._database.writer.begin() as connection:
            # Whoever is not there at all is known to be dead: nobody waits before taking over.
            connection.execute(delete(_WORKERS).where(_WORKERS.c.id == self.id))
        self._jobs.close()

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _solve(self, firm: str, id: str) -> str:
        """Do one solve: the workflow. Each step may be begun several times and does its work once."""
        try:
            with span("job", job="solve", firm=firm, id=id):
                job = workflow_id(firm, id)
                if not DBOS.run_step({"name": "search", **AGAIN}, self._as_owner, job, self._search, firm, id):
                    return "nothing to apply"
                return DBOS.run_step({"name": "apply", **AGAIN}, self._as_owner, job, self._apply, firm, id)
        except Exception as error:
            # Said where those who asked will look; the queue notes it as well.
            give_up(self._database, firm, id, f"{type(error).__name__}: {error}", now=self._now(), owner=self.id)
            raise

    def _search(self, firm: str, id: str) -> bool:
        with span("solve", firm=firm, id=id):
            return self._searching.search(firm, id)

    def _apply(self, firm: str, id: str) -> str:
        with span("apply", firm=firm, id=id):
            return self._applying.apply(firm, id)

    def _do_points(self, firm: str, id: str, portion: str, numbers: Sequence[int]) -> None:
        """Do some points of a run, a step each, and what comes next where they were the last of their stage: the workflow."""
        job, behind = portion_id(firm, id, portion), -1
        try:
            with span("job", job="points", firm=firm, id=id, portion=portion):
                while True:
                    for number in numbers:
                        step: StepOptions = {"name": f"point {number}", **AGAIN}
                        DBOS.run_step(step, self._as_owner, job, self._pointing.do, firm, id, number)
                    opened = DBOS.run_step({"name": "go on", **AGAIN}, self._go_on, firm, id, portion, behind)
                    if opened is None:
                        return
                    behind, numbers = opened["stage"], opened["numbers"]
        except Exception as error:
            fail_run(self._database, firm, id, f"{type(error).__name__}: {error}", now=self._now())
            raise

    def _go_on(self, firm: str, id: str, portion: str, behind: int) -> dict[str, Any] | None:
        opened: Opened | None = self._pointing.go_on(firm, id, portion, behind)
        return None if opened is None else {"stage": opened.stage, "numbers": list(opened.numbers)}

    def _as_owner(self, job: str, step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Do a step, as long as the queue says that the job is ours: its word decides between two who both claim what it is about."""
        while True:
            try:
                return step(*arguments, **named)
            except Lost:
                found = DBOS.get_workflow_status(job)
                if self._ending.is_set() or found is None or found.executor_id != self.id:
                    raise Ending from None

    def _beat(self) -> None:
        beats = 0
        while not self._ending.wait(self._times.beat_s):
            try:
                self._say_alive()
                self._sweep()
                if beats % 600 == 0:
                    self._forget()
                self._pointing.rest()
                beats += 1
            except DBAPIError as error:
                _log.warning("worker %s: the database does not answer: %s", self.id, error.orig)
            except Exception:
                # Whoever stops beating is taken for dead, with all that it does.
                _log.exception("worker %s: a beat failed", self.id)

    def _say_alive(self) -> None:
        with self._database.writer.begin() as connection:
            beat = {"beat_at": func.current_timestamp()}
            if connection.execute(update(_WORKERS).where(_WORKERS.c.id == self.id).values(beat)).rowcount == 0:
                connection.execute(insert(_WORKERS).values(id=self.id, started_at=func.current_timestamp(), **beat))

    def _sweep(self) -> None:
        """Put the jobs of dead workers back, and say of solves that nobody can do that they have failed."""
        with self._database.engine.begin() as connection:
            now = func.current_timestamp(type_=Moment())
            beats = {
                id: at - beat for id, beat, at in connection.execute(select(_WORKERS.c.id, _WORKERS.c.beat_at, now))
            }
        silence = timedelta(seconds=self._times.dead_s)
        alive = {id for id, silent in beats.items() if silent < silence and not self._is_gone(id)} | {self.id}
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        dead = sorted({one.executor_id for one in running if one.executor_id} - alive)
        if dead:
            _log.warning("taking over the jobs of %s", ", ".join(dead))
            DBOS._recover_pending_workflows(dead)
        failed = ["MAX_RECOVERY_ATTEMPTS_EXCEEDED", "ERROR"]
        for one in DBOS.list_workflows(status=failed, name=[SOLVE, DO_POINTS], load_input=False, load_output=False):
            firm, id = solve_of(one.workflow_id)
            died = one.status != "ERROR"
            error = (
                f"its workers died {self._times.take_overs + 1} times over it" if died else "its worker met an error"
            )
            give = give_up if one.name == SOLVE else fail_run
            try:
                give(self._database, firm, id, error, now=self._now())
            except NotFound as gone:
                _log.warning("a job without a solve is dropped: %s", gone)
            DBOS.delete_workflows([one.workflow_id])

    def _is_gone(self, id: str) -> bool:
        """Whether a worker on the same file and machine has no process any more: nobody waits for it to be silent for long."""
        host, pid, _ = id.rsplit("-", 2)
        if not self._database.embedded or host != socket.gethostname():
            return False
        try:
            os.kill(int(pid), 0)  # asks, and ends nobody
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # it lives, and is another user's
        return False

    def _forget(self) -> None:
        """Drop ended jobs from the queue, and workers that have been silent for long."""
        until = (self._now() - KEPT).isoformat()
        ended = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"], completed_before=until, load_input=False, load_output=False
        )
        if ended:
            DBOS.delete_workflows([one.workflow_id for one in ended])
        with self._database.writer.begin() as connection:
            connection.execute(delete(_WORKERS).where(_WORKERS.c.beat_at < self._now() - KEPT))
