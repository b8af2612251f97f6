"""The service as its callers see it: ready after how long, placements a second over HTTP, and whether one firm makes another wait."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from api.roles import Role
from api.store.database import Database
from api.store.log import verify
from api.store.migrating import migrate
from api.store.saving import create_firm
from api.store.tokens import create_token
from benchmarks.records import record
from scenarios.firms import generate_firm, starting
from solver.firm import Firm
from tests.postgres_for_tests import running

ROOT = Path(__file__).parents[1]
LONG_S = 60


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve two firms in a process of its own, and place tasks from this one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--placements", type=int, default=2_000)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--alone", type=int, default=200, help="placements of the firm with one caller")
    parser.add_argument("--unshared", action="store_true", help="let one firm have all slots, for comparison")
    asked = parser.parse_args(arguments)
    made = starting(generate_firm(people=asked.people, tasks=asked.tasks, load=0.6), date.today())
    with tempfile.TemporaryDirectory() as folder, _url(asked.database, folder) as url:
        tokens = _filled(url, made.firm)
        with _served(url, unshared=asked.unshared) as (address, ready_s):
            figures = asyncio.run(_measured(address, tokens, made.firm, asked))
        counted = _verified(url)
    line = {"database": asked.database, "people": asked.people, "tasks": asked.tasks, "callers": asked.callers}
    line |= {"shared": not asked.unshared, "ready_s": round(ready_s, 2), **figures, "chains_verified": counted}
    print(json.dumps(line, indent=1))
    record("sharing_out", **line)


@contextmanager
def _url(kind: str, folder: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{Path(folder) / 'evenhand.db'}"
    else:
        with running() as server:
            yield server.migrated()


def _filled(url: str, firm: Firm) -> dict[str, str]:
    database, now = Database(url), datetime.now(UTC)
    migrate(database)
    for id in ("many", "few"):
        create_firm(database, id, firm, now=now, actor="benchmark")
    tokens = {id: create_token(database, id, Role.OWNER, now=now, days=1) for id in ("many", "few")}
    database.close()
    return tokens


def _verified(url: str) -> int:
    database, entries = Database(url), 0
    for id in database.firm_ids():
        with database.reading(id) as session:
            chain = verify(session)
            assert chain.broken is None
            entries += chain.entries
    database.close()
    return entries


@contextmanager
def _served(url: str, *, unshared: bool) -> Iterator[tuple[tuple[str, int], float]]:
    """Run ``evenhand serve`` and give its address, and how long it took to be ready."""
    more = {"EVENHAND_LOG_LEVEL": "warning", "EVENHAND_TOKEN_REQUESTS_PER_MIN": "1000000"}
    more |= {"EVENHAND_FIRM_REQUESTS_PER_MIN": "1000000"} | (
        {"EVENHAND_FIRM_REQUESTS_AT_ONCE": "64"} if unshared else {}
    )
    code = "import sys; from api.cli import main; main(['serve', '--port', '0', '--database-url', sys.argv[1]])"
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, url], cwd=ROOT, env={**os.environ, **more}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            host, port = process.stdout.readline().split("/")[2].split(":")
            asyncio.run(_ready((host, int(port))))
            yield (host, int(port)), time.perf_counter() - start
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LONG_S)


async def _ready(address: tuple[str, int]) -> None:
    async with Caller(address, "") as caller:
        assert (await caller.ask("GET", "/ready"))[0] == 200


class Caller:
    """One connection that asks one thing after another: as little of a client as measures the server, and not itself."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._address, self._token = address, token

    async def __aenter__(self) -> Caller:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, float]:
        """Return the status of one answer, and after how many milliseconds it was there."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: {self._address[0]}\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {self._token}\r\nContent-Length: {len(content)}\r\n\r\n"
        start = time.perf_counter()
        self._writer.write(head.encode() + content)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        await self._reader.readexactly(int(answer.partition("content-length: ")[2].partition("\r")[0]))
        return int(answer.split(" ")[1]), 1_000 * (time.perf_counter() - start)


async def _measured(
    address: tuple[str, int], tokens: dict[str, str], firm: Firm, asked: argparse.Namespace
) -> dict[str, float]:
    async def place(firm_id: str, callers: int, name: str, count: int) -> list[float]:
        waiting = iter(range(count))
        took_ms: list[float] = []

        async def one() -> None:
            async with Caller(address, tokens[firm_id]) as caller:
                for i in waiting:
                    status, ms = await caller.ask("POST", "/tasks", _task(firm, f"{name}-{i}", i))
                    assert status == 201, status
                    took_ms.append(ms)

        await asyncio.gather(*(one() for _ in range(callers)))
        return took_ms

    await place("few", 1, "warm", 20)
    await place("many", asked.callers, "warm", 4 * asked.callers)
    alone = await place("few", 1, "alone", asked.alone)
    start = time.perf_counter()
    many = await place("many", asked.callers, "many", asked.placements)
    per_s = asked.placements / (time.perf_counter() - start)
    busy = asyncio.create_task(place("many", asked.callers, "beside", 1_000_000))
    beside = await place("few", 1, "few", asked.alone)
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    return {
        "placements_per_s": round(per_s),
        **_spread("many", many),
        **_spread("alone", alone),
        **_spread("beside", beside),
    }


def _spread(name: str, took_ms: list[float]) -> dict[str, float]:
    ordered = sorted(took_ms)
    p50, p99 = (ordered[min(len(ordered) - 1, round(share * len(ordered)))] for share in (0.5, 0.99))
    return {f"{name}_p50_ms": round(p50, 1), f"{name}_p99_ms": round(p99, 1)}


def _task(firm: Firm, id: str, i: int) -> dict[str, Any]:
    like = firm.tasks[i % len(firm.tasks)]
    last = max(one.deadline for one in firm.tasks)
    return {"id": id, "type": like.type, "client": like.client, "deadline": last.isoformat(), "estimate_min": 30}


if __name__ == "__main__":
    main()
