"""Points of a sweep shared by workers that are killed with -9 in turn: is any finished point done again, and how long do all take?

A sweep of N points over a generated firm is put into the queue; two workers do it, each a process of its own that notes in a file when
it begins and has finished a point, and is killed at random moments and started again. Afterwards: every point done, none begun again
after it was finished (by the notes, not by what the store says), each kill cut off one point at most, and the result whole.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from api.jobs import pointing
from api.jobs.asks import SweepAsk, SweepResult
from api.jobs.queue import Jobs
from api.jobs.searching import Pace
from api.jobs.worker import Times, Worker
from api.store.database import Database, Limits
from api.store.run_states import Run, RunState
from api.store.runs import one_run, result_of
from api.store.saving import create_firm
from api.store.tables import PointRecord
from api.store.turns import Turns
from benchmarks.killing import places_of
from benchmarks.records import record
from scenarios.changes import ExtraHours, Scenario
from scenarios.firms import generate_firm
from scenarios.grids import Axis, Sweep

FIRM, RUN = "one", "sweep"
LOOK_S = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Share, kill, start again, and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--points", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--work-units", type=float, default=0.05, help="deterministic work of each point")
    parser.add_argument("--today", type=float, default=2.0, help="deterministic work of today's plan")
    parser.add_argument("--longest", type=float, default=60.0, help="seconds between two kills, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", nargs=2, metavar=("URL", "NOTES"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.work:
        work(*asked.work)
        return
    with ExitStack() as stack:
        places = stack.enter_context(places_of(asked.database))
        url = places.new(None)
        notes = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "notes"
        database = Database(url, limits=Limits(lock_s=60))
        _check(asked, database, notes, *_share(asked, database, url, notes))
        database.close()


def work(url: str, notes: str) -> None:
    """Be a worker that notes what it begins and has finished, until it is killed or its input ends."""
    database = Database(url, limits=Limits(lock_s=60))
    # A write of a few bytes to a file opened for appending is whole, whoever is killed.
    with open(notes, "ab", buffering=0) as lines:
        _noted("claim_point", lines, b"begun", lambda found: found is not None)
        _noted("finish_point", lines, b"finished", lambda found: found.kept)
        with Worker(database, Turns(database), times=Times(pace=Pace(cores=1))):
            sys.stdin.read()


def _noted(name: str, lines: Any, word: bytes, counts: Any) -> None:
    function = getattr(pointing, name)

    def noted(database: Database, firm: str, id: str, number: int, *more: Any, **named: Any) -> Any:
        found = function(database, firm, id, number, *more, **named)
        if counts(found):
            lines.write(b"%s %d\n" % (word, number))
        return found

    patch.object(pointing, name, noted).start()


def _share(asked: argparse.Namespace, database: Database, url: str, notes: Path) -> tuple[Run, float, int]:
    """Return the run as it ended, how many seconds it took, and how many workers were killed."""
    draw, made = random.Random(asked.seed), generate_firm(people=asked.people, tasks=asked.tasks, seed=asked.seed)
    create_firm(database, FIRM, made.firm, now=made.now.replace(tzinfo=UTC), actor="benchmark")
    turns, jobs = Turns(database), Jobs(database)
    with turns.turn(FIRM, now=made.now.replace(tzinfo=UTC), actor="benchmark") as turn:
        jobs.start_run(turn, RUN, _ask(asked, made.now))
    workers = [_worker(url, notes) for _ in range(asked.workers)]
    begun_s, kills = time.monotonic(), 0
    next_s = begun_s + draw.uniform(1.0, asked.longest)
    try:
        while not (run := _run(database)).state.ended:
            time.sleep(LOOK_S)
            if kills < asked.kills and time.monotonic() >= next_s:
                place = kills % len(workers)
                workers[place].kill()
                workers[place].wait()
                workers[place] = _worker(url, notes)
                kills, next_s = kills + 1, time.monotonic() + draw.uniform(1.0, asked.longest)
        return run, time.monotonic() - begun_s, kills
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        jobs.close()


def _ask(asked: argparse.Namespace, now: datetime) -> SweepAsk:
    """Return a grid of overtime in the next two weeks against overtime in the two behind them, of as many points as asked for."""
    rows = max(n for n in range(1, math.isqrt(asked.points) + 1) if asked.points % n == 0)
    first, columns = now.date(), asked.points // rows
    changes = tuple(
        ExtraHours(
            first_day=first + timedelta(days=14 * i), last_day=first + timedelta(days=14 * i + 13), per_week_min=0
        )
        for i in range(2)
    )
    axes = (
        Axis(field="0.per_week_min", values=tuple(600 * i // columns for i in range(columns))),
        Axis(field="1.per_week_min", values=tuple(600 * i // rows for i in range(rows))),
    )
    sweep = Sweep(scenario=Scenario(changes=changes), axes=axes)
    return SweepAsk(sweep=sweep, work_units=asked.work_units, today_work_units=asked.today, seed=asked.seed)


def _worker(url: str, notes: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.scenario_points", "--work", url, str(notes)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1])


def _run(database: Database) -> Run:
    with database.reading(FIRM) as session:
        return one_run(session, RUN)


def _check(asked: argparse.Namespace, database: Database, notes: Path, run: Run, took_s: float, kills: int) -> None:
    with database.reading(FIRM) as session:
        tries = list(session.scalars(select(PointRecord.tries).where(PointRecord.run == RUN)))
        document = result_of(session, RUN)
    finished: set[str] = set()
    repeated = 0
    for line in notes.read_text(encoding="ascii").splitlines():
        word, number = line.split()
        repeated += number in finished
        finished |= {number} if word == "finished" else set()
    points = () if document is None else SweepResult.model_validate_json(document).points
    figures = {
        "database": asked.database,
        "people": asked.people,
        "tasks": asked.tasks,
        "workers": asked.workers,
        "work_units": asked.work_units,
        "today_work_units": asked.today,
        "points": run.points,
        "points_done": run.points_done,
        "kills": kills,
        "begun": sum(tries),
        "cut_off": sum(tries) - len(tries),
        "repeated": repeated,
        "gap_median_pct": round(statistics.median(one.gap_pct for one in points), 2) if points else None,
        "gap_max_pct": round(max(one.gap_pct for one in points), 2) if points else None,
        "took_s": round(took_s, 1),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    record("scenario_points", **figures)
    whole = run.state is RunState.DONE and run.points_done == run.points == len(points)
    if repeated or not whole or sum(tries) > len(tries) + kills:
        sys.exit(f"something is repeated or missing: {run.state.value}, {run.error}")


if __name__ == "__main__":
    main()
