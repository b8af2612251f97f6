"""Placements over HTTP: a server process, a socket, many clients at once; beside bare transactions of the same rows in the same run.

One firm with 64 clients, then eight firms with the same load together. Afterwards nothing may be lost, twice, or promised twice over, and
every decision is made again. Clients and server share the machine: processor time of both is told beside the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from api.roles import Role
from api.store.database import Database
from api.store.draft import read_head
from api.store.loading import load_firm
from api.store.log import verify
from api.store.replaying import replay_all
from api.store.saving import create_firm
from api.store.tokens import create_token
from benchmarks.processor import cpu_s
from benchmarks.records import record
from benchmarks.storing import arrivals, bare_per_s, database_of
from scenarios.firms import generate_firm
from solver import Firm, Task, today
from solver.following import moment_of
from tests.plan_checker import problems

KINDS = ("sqlite-full", "postgresql")
FIRMS = 8
UNLIMITED = {"EVENHAND_TOKEN_REQUESTS_PER_MIN": "1000000", "EVENHAND_FIRM_REQUESTS_PER_MIN": "1000000"}
"""Settings of the server: how fast it is, not how much one caller may ask of it."""
SERVE = "import sys; from api.cli import main; main(['serve', '--port', '0', '--database-url', sys.argv[1]])"


class Told(NamedTuple):
    """What one client was told: of which task, with which status, after how many milliseconds."""

    task: str
    status: int
    person: str | None
    took_ms: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Place arrivals over HTTP and print how many a second, and how long each took its client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--placements", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--load", type=float, default=0.3)
    parser.add_argument("--minutes", type=int, default=5, help="of each arrival: many fit")
    asked = parser.parse_args(arguments)
    for kind in asked.databases or KINDS:
        with database_of(kind) as database:
            _measure(database, kind, asked)


def _measure(database: Database, kind: str, asked: argparse.Namespace) -> None:
    made = generate_firm(people=asked.people, tasks=asked.tasks, load=asked.load, late_share=0.0)
    begun = datetime.now(UTC)
    firm = _moved(made.firm, begun.date() - made.now.date())
    work = [
        task.model_copy(update={"estimate_min": asked.minutes})
        for task in arrivals(firm, begun.date() + timedelta(days=5), asked.placements)
    ]
    names = ["one", *(f"firm-{i}" for i in range(FIRMS))]
    for id in (*names, "bare"):
        create_firm(database, id, firm, now=begun, actor="benchmark")
    tokens = {id: create_token(database, id, Role.INTEGRATION, now=begun, days=1) for id in names}
    with database.reading("one") as session:
        before = read_head(session, "one").version
    warm = [task.model_copy(update={"id": f"warm {i}"}) for i, task in enumerate(work[:4])]
    with _served(database) as (address, server):
        asyncio.run(_placed(address, [(tokens[id], warm) for id in names], len(names)))
        before_s = time.perf_counter(), time.process_time(), cpu_s(server)
        alone = asyncio.run(_placed(address, [(tokens["one"], work)], asked.clients))
        after_s = time.perf_counter(), time.process_time(), cpu_s(server)
        took_s, client_s, server_s = (after - before for before, after in zip(before_s, after_s, strict=True))
        shared = [(tokens[f"firm-{i}"], work[i::FIRMS]) for i in range(FIRMS)]
        start = time.perf_counter()
        together = asyncio.run(_placed(address, shared, asked.clients))
        together_per_s = len(work) / (time.perf_counter() - start)
    per_s = len(work) / took_s
    bare = bare_per_s(database, before)
    _require_right(database, "one", alone, [*warm, *work])
    for i in range(FIRMS):
        _require_right(
            database, f"firm-{i}", [one for one in together if _firm_of(one, FIRMS) == i], [*warm, *work[i::FIRMS]]
        )
    figures = {
        "database": kind,
        "people": asked.people,
        "tasks": asked.tasks,
        "placements": asked.placements,
        "clients": asked.clients,
        "placed": sum(one.person is not None for one in alone),
        "per_s": round(per_s),
        "median_ms": _quantile(alone, 50),
        "p99_ms": _quantile(alone, 99),
        "server_cpu_ms": round(1e3 * server_s / len(work), 2),
        "client_cpu_ms": round(1e3 * client_s / len(work), 2),
        "bare_per_s": round(bare),
        "eight_per_s": round(together_per_s),
        "eight_p99_ms": _quantile(together, 99),
        "p99_ratio": round(_quantile(together, 99) / _quantile(alone, 99), 2),
    }
    print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    record("serving", **figures)


def _moved(firm: Firm, by: timedelta) -> Firm:
    """Return a firm some whole weeks later, as the server's clock is the real one."""
    weeks = timedelta(weeks=by.days // 7)

    def later(found: re.Match[str]) -> str:
        return f'"{date.fromisoformat(found[1]) + weeks}"'

    return Firm.model_validate_json(re.sub(r'"(\d{4}-\d\d-\d\d)"', later, firm.model_dump_json()))


@contextmanager
def _served(database: Database) -> Iterator[tuple[str, int]]:
    """Run the service in a process of its own, and give the address that it prints, and its id."""
    url = database.url.render_as_string(hide_password=False)
    command, environment = [sys.executable, "-c", SERVE, url], {**os.environ, **UNLIMITED}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        # The server says each request, and would wait for a reader once the pipe is full.
        Thread(target=deque, args=(process.stdout, 0), daemon=True).start()
        try:
            yield address, process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


async def _placed(address: str, work: Sequence[tuple[str, Sequence[Task]]], clients: int) -> list[Told]:
    """Let clients, each with a connection that it keeps, place the work of each token; each token has as many of them."""
    told: list[Told] = []
    queues = [(token, iter(tasks)) for token, tasks in work]
    await asyncio.gather(*(_client(address, *queues[i % len(queues)], told) for i in range(clients)))
    return told


async def _client(address: str, token: str, tasks: Iterator[Task], told: list[Told]) -> None:
    """Place tasks one after another. HTTP by hand, so that the clients leave the machine to the server."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST {parts.path}/tasks HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )
    for task in tasks:
        body = task.model_dump_json()
        start = time.perf_counter()
        writer.write(f"{head}{len(body.encode())}\r\n\r\n{body}".encode())
        answered = (await reader.readuntil(b"\r\n\r\n")).decode().casefold()
        length = re.search(r"content-length: (\d+)", answered)
        assert length is not None
        content = await reader.readexactly(int(length[1]))
        took_ms = 1e3 * (time.perf_counter() - start)
        document: dict[str, Any] = json.loads(content)
        told.append(Told(task.id, int(answered.split()[1]), document.get("task", {}).get("assignee"), took_ms))
    writer.close()
    await writer.wait_closed()


def _require_right(database: Database, id: str, told: Sequence[Told], sent: Sequence[Task]) -> None:
    """Leave with an error where something is lost, twice, over-committed, unchained, or decided otherwise when asked again."""
    assert {one.status for one in told} == {201}, {one.status for one in told}
    with database.reading(id) as session:
        firm, chain = load_firm(session), verify(session)
        assert (chain.broken, chain.entries) == (None, len(sent)), chain
        assert all(one.same for one in replay_all(session))
    stored = {task.id: task.assignee for task in firm.tasks}
    assert {one.task: one.person for one in told}.items() <= stored.items()
    assert len(told) == len({one.task for one in told})
    assert {task.id for task in sent} <= set(stored)
    now = moment_of(datetime.now(UTC))
    plan = today(firm, now=now)
    given = {one.task for one in told if one.person is not None}
    assert not [item.task for item in plan.tasks if item.late and item.task in given], "an arrival is promised late"
    wrong = problems(firm, plan, now)
    assert not wrong, wrong[:5]


def _firm_of(one: Told, count: int) -> int:
    return int(one.task.rpartition(" ")[2]) % count


def _quantile(told: Sequence[Told], pct: int) -> float:
    return round(statistics.quantiles([one.took_ms for one in told], n=100)[pct - 1], 1)


if __name__ == "__main__":
    main()
