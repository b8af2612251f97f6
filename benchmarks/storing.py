"""Placements that are stored: decided, written, logged and committed; beside bare transactions of the same rows."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select, update

from api.store.database import Database
from api.store.draft import read_head
from api.store.log import verify
from api.store.migrating import migrate
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.sharing import Sharing
from api.store.tables import (
    AssignmentRecord,
    ChangeRecord,
    DecisionRecord,
    ExceptionRecord,
    FirmRecord,
    OutboxRecord,
    TaskRecord,
)
from api.store.turns import Turns
from benchmarks.records import record
from scenarios.firms import Generated, generate_firm
from solver import Firm, Task
from tests.postgres_for_tests import running

KINDS = ("sqlite-normal", "sqlite-full", "postgresql")
WRITTEN = (TaskRecord, ChangeRecord, AssignmentRecord, ExceptionRecord, DecisionRecord, OutboxRecord)
REPLAYED = 50
"""Decisions made again after the run: spread over all of them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Place arrivals into a stored firm and print how many a second, and how long each took its caller."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--placements", type=int, default=2_000)
    parser.add_argument("--callers", type=int, nargs="*", default=(1, 64))
    parser.add_argument("--load", type=float, default=0.6)
    asked = parser.parse_args(arguments)
    made = generate_firm(people=asked.people, tasks=asked.tasks, load=asked.load)
    for kind in asked.databases or KINDS:
        for callers in asked.callers:
            with database_of(kind) as database:
                _measure(database, kind, made, asked.placements, callers)


def _measure(database: Database, kind: str, made: Generated, count: int, callers: int) -> None:
    now = made.now.replace(tzinfo=made.firm.zone).astimezone(UTC)
    for id in ("one", "bare"):
        create_firm(database, id, made.firm, now=now, actor="benchmark")
    sharing = Sharing(Turns(database))
    with database.reading("one") as session:
        before = read_head(session, "one").version
    tasks = list(arrivals(made.firm, made.now.date(), count))
    start = time.perf_counter()
    took_ms = _placed(sharing, tasks, now, callers)
    per_s = count / (time.perf_counter() - start)
    bare = bare_per_s(database, before)
    with database.reading("one") as session:
        chain = verify(session)
        assert (chain.broken, chain.entries) == (None, count)
        assert all(replay(session, number).same for number in range(1, count + 1, max(count // REPLAYED, 1)))
        log, changes = (
            session.scalars(select(func.avg(func.length(one.document)))).one() for one in (DecisionRecord, ChangeRecord)
        )
    assert sharing.turns.self_check("one") == ()
    figures = {
        "database": kind,
        "people": len(made.firm.people),
        "tasks": len(made.firm.tasks),
        "placements": count,
        "callers": callers,
        "per_s": round(per_s),
        "median_ms": round(statistics.median(took_ms), 1),
        "p99_ms": round(statistics.quantiles(took_ms, n=100)[98], 1),
        "bare_per_s": round(bare),
        "log_bytes": round(log),
        "change_bytes": round(changes),
    }
    print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    record("storing", **figures)


def _placed(sharing: Sharing, tasks: list[Task], now: datetime, callers: int) -> list[float]:
    """Place all tasks, and return the milliseconds each took its caller."""

    def places(task: Task) -> float:
        start = time.perf_counter()
        sharing.act("one", lambda turn: turn.place(task), now=now, actor="benchmark")
        return 1e3 * (time.perf_counter() - start)

    if callers == 1:
        return [places(task) for task in tasks]
    with ThreadPoolExecutor(callers) as threads:
        return list(threads.map(places, tasks))


def bare_per_s(database: Database, before: int) -> float:
    """Write the rows of each placement again, for another firm, in a transaction each; return transactions a second."""
    rows: dict[int, list[tuple[Table, dict[str, Any]]]] = defaultdict(list)
    with database.reading("one") as session:
        for record_type in WRITTEN:
            table: Any = record_type.__table__
            for row in session.connection().execute(select(table).where(table.c.firm_id == "one")).mappings():
                number = row.get("number") or row["version"] - before
                if number > 0:
                    rows[number].append((table, {**row, "firm_id": "bare"}))
    firms: Any = FirmRecord.__table__
    counted = update(firms).where(firms.c.id == "bare").values(version=firms.c.version + 1)
    start = time.perf_counter()
    for number in sorted(rows):
        with database.writing("bare") as session:
            read_head(session, "bare", lock=True)
            connection = session.connection()
            for table, columns in rows[number]:
                connection.execute(insert(table), columns)
            connection.execute(counted)
    return len(rows) / (time.perf_counter() - start)


def arrivals(firm: Firm, after: date, count: int) -> Iterator[Task]:
    """Yield tasks of half an hour like those of the firm that are due after a day."""
    like = [task for task in firm.tasks if task.estimate_min and task.deadline > after]
    for i in range(count):
        task = like[i % len(like)]
        yield Task(id=f"arrival {i}", type=task.type, client=task.client, deadline=task.deadline, estimate_min=30)


@contextmanager
def database_of(kind: str) -> Iterator[Database]:
    """Open a new database of a kind, with the tables of today; it is gone at the end."""
    with ExitStack() as stack:
        if kind == "postgresql":
            database = Database(stack.enter_context(running()).migrated())
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd()))
            synchronous = "FULL" if kind == "sqlite-full" else "NORMAL"
            database = Database(f"sqlite:///{folder}/evenhand.db", synchronous=synchronous)  # type: ignore[arg-type]
            migrate(database)
        try:
            yield database
        finally:
            database.close()


if __name__ == "__main__":
    main()
