"""Two firms in a database with its queue, solves asked for, and workers to do them: here, or in processes that are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from api.jobs.queue import Jobs
from api.jobs.searching import Pace
from api.jobs.worker import Times, Worker
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.solve_states import Solve, SolveAsk
from api.store.solves import cancel_solve, one_solve
from api.store.tables import AssignmentRecord, DecisionRecord
from api.store.turns import Turns
from solver.board import compile_board
from solver.firm import Firm
from tests.firms_for_tests import firm, person, random_firm, task

ROOT = Path(__file__).parents[3]
NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
LONG_S = 300.0
"""Longer than anything here takes on a busy machine: a test that waits so long has failed."""
TIMES = Times(beat_s=0.1, dead_s=2.0, pace=Pace(look_s=0.1, plan_s=0.0, cores=1))
FRAIL = replace(TIMES, take_overs=1)
PATIENT = replace(TIMES, dead_s=LONG_S)
"""Where nobody dies: a worker that a busy machine keeps from beating for two seconds is not taken for dead."""
QUICK = SolveAsk(seconds=3_600, work_units=0.05)
"""Ends by itself after little work, wherever it runs."""
LONG = SolveAsk(seconds=3_600, seed=1)
"""Goes on until it is cancelled, for the firm ``hard``, whose best plan is not proven soon."""


def uneven() -> Firm:
    """Return a firm whose ann has seven days of work in five, whose bob has none, and with new work that fits."""
    held = tuple(task(f"t{i}", hours=8, due=4, assignee="ann") for i in range(7))
    new = tuple(task(f"n{i}", hours=2, due=4) for i in range(3))
    return firm((person("ann", name="Ann Secret"), person("bob", name="Bob Secret")), held + new)


class Solving:
    """What a web process and a test do with solves; ``begun``: the firms are there already."""

    def __init__(self, database: Database, *, begun: bool = False) -> None:
        self.database, self.jobs, self.turns = database, Jobs(database), Turns(database)
        if begun:
            return
        for id, made in (("one", uneven()), ("two", uneven()), ("hard", random_firm(3, people=6, tasks=40))):
            create_firm(database, id, made, now=NOW, actor="test")

    def start(self, id: str, ask: SolveAsk = QUICK, *, firm: str = "one", most_waiting: int | None = None) -> None:
        with self.turns.turn(firm, now=NOW, actor="test") as turn:
            self.jobs.start(turn, id, ask, most_waiting=most_waiting)

    def cancel(self, id: str, firm: str = "one") -> None:
        with self.turns.turn(firm, now=NOW, actor="test") as turn:
            cancel_solve(turn, id)

    def solve(self, id: str, firm: str = "one") -> Solve:
        with self.database.reading(firm) as session:
            return one_solve(session, id)

    def worker(self, times: Times = TIMES) -> Worker:
        return Worker(self.database, self.turns, now=lambda: NOW, times=times)

    def ended(self, id: str, firm: str = "one") -> Solve:
        """Wait until a solve has ended."""
        until(lambda: self.solve(id, firm).state.ended)
        return self.solve(id, firm)

    def running(self) -> list[str]:
        """Return what the queue takes for being worked on."""
        return [one.workflow_id for one in self.jobs.client.list_workflows(status="PENDING")]

    def close(self) -> None:
        self.jobs.close()

    def whole(self, firm: str = "one") -> Firm:
        """Return the firm, after checking that log, tasks and assignments say the same, and that nothing was decided twice."""
        with self.database.reading(firm) as session:
            made, chain = load_firm(session), verify(session)
            assert chain.broken is None
            assert all(replay(session, number).same for number in range(1, chain.entries + 1))
            logged = session.execute(select(DecisionRecord.task, DecisionRecord.person)).all()
            assert len({one.task for one in logged}) == len(logged)
            people = {one.id: one.assignee for one in made.tasks}
            assert all(people[one.task] == one.person for one in logged)
            current = select(AssignmentRecord.task, AssignmentRecord.person)
            assert {
                one.task: one.person for one in session.execute(current.where(AssignmentRecord.until_version.is_(None)))
            } == {id: person for id, person in people.items() if person is not None}
        assert self.turns.self_check(firm) == ()
        assert not compile_board(made, now=NOW).flagged
        return made


def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens, and fail where it does not."""
    last_s = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < last_s
        time.sleep(0.05)


@contextmanager
def process(database: Database, die_at: str = "", *more: str) -> Iterator[subprocess.Popen[str]]:
    """Start a worker in a process of its own; it is gone at the end, whatever happened."""
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.api.jobs.worker_for_tests", url, die_at, *more]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()
