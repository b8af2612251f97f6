"""A service killed with -9 again and again while it places and solves: nothing lost, nothing twice, everything finished.

Round by round one process of it, drawn at random, is killed after a random time and started again. A client places tasks all the
while, one after another, and repeats a request that was cut off under the same key; solves are asked for as soon as none waits. At the
end everything that was answered must be stored once, the chain whole, every decision replayed alike, every solve ended.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import httpx
from sqlalchemy import select

from api.jobs.queue import prepare
from api.roles import Role
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.migrating import migrate
from api.store.proposal_listing import WantedProposals, proposals_after
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.solve_states import SolveKind, SolveState
from api.store.solves import solves_before
from api.store.tables import DecisionRecord
from api.store.tokens import create_token
from benchmarks.records import record
from scenarios.firms import generate_firm
from tests.postgres_for_tests import running

READY_S = 300.0
SOLVE = {"seconds": 3}
ENDED_S = 900.0
"""Seconds after the last kill in which every solve must have ended."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, start again, and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--longest", type=float, default=8.0, help="seconds until a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    draw = random.Random(asked.seed)
    with prepared_url(asked.database) as url:
        database = Database(url)
        made = generate_firm(people=asked.people, tasks=asked.tasks, load=0.6)
        create_firm(database, "one", made.firm, now=datetime.now(UTC), actor="benchmark")
        token = create_token(database, "one", Role.OPERATIONS, now=datetime.now(UTC), days=1)
        with _service(url, workers=0 if asked.database == "sqlite" else 2) as service:
            client = Client(service.address, token, [(one.type, one.client) for one in made.firm.tasks])
            client.start()
            for _ in range(asked.rounds):
                time.sleep(draw.uniform(0.1, asked.longest))
                service.kill(draw.choice(list(service.processes)))
            client.ask_no_more()
            unfinished = _wait_for_solves(database)
            client.stop()
        _check(database, client, service, asked, unfinished)
        database.close()


@dataclass
class Service:
    """The processes of a service, each under a name."""

    url: str
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ready_s: list[float] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        """Where requests go."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    def begin(self, name: str) -> None:
        """Start one process."""
        arguments = ["serve", "--port", str(self.port)] if name == "web" else ["worker"]
        code = "import sys; from api.cli import run; sys.exit(run(sys.argv[1:]))"
        command = [sys.executable, "-c", code, *arguments, "--database-url", self.url]
        self.processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if name == "web":
            self._wait_until_ready()

    def kill(self, name: str) -> None:
        """Kill one process as a power cut would, and start it again."""
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.killed[name] += 1
        self.begin(name)

    def end(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(READY_S)

    def _wait_until_ready(self) -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < READY_S:
            try:
                if httpx.get(f"{self.address}/ready", timeout=1).status_code == 200:
                    self.ready_s.append(time.monotonic() - begun)
                    return
            except httpx.HTTPError:
                time.sleep(0.02)
        sys.exit("the service does not get ready")


class Client:
    """Places tasks and asks for solves until it is stopped; what was not answered is asked again."""

    def __init__(self, address: str, token: str, like: Sequence[tuple[str, str]]) -> None:
        self._address, self._headers, self._like = address, {"Authorization": f"Bearer {token}"}, like
        self._stopping, self._asking = Event(), True
        self._thread = Thread(target=self._go_on, daemon=True)
        self.placed: list[str] = []
        self.solves: list[str] = []
        self.again = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_no_more(self) -> None:
        """Ask for no further solve."""
        self._asking = False

    def stop(self) -> None:
        """End, once the last request is answered."""
        self._stopping.set()
        self._thread.join()

    def _go_on(self) -> None:
        number = 0
        while not self._stopping.is_set():
            type, client = self._like[number % len(self._like)]
            due = (datetime.now(UTC) + timedelta(days=20 + number % 60)).date().isoformat()
            id = f"placed-{number}"
            body = {"id": id, "type": type, "client": client, "deadline": due, "estimate_min": 15}
            self._post("/tasks", body, id)
            self.placed.append(id)
            if number % 20 == 0 and self._asking and self._nothing_waits():
                self.solves.append(self._post("/solves", SOLVE, f"solve-{number}")["id"])
            number += 1
            self._stopping.wait(0.05)

    def _nothing_waits(self) -> bool:
        found = self._request("GET", "/solves?limit=1", None, "")["solves"]
        return not found or SolveState(found[0]["state"]).ended

    def _post(self, path: str, body: object, key: str) -> dict[str, str]:
        return self._request("POST", path, body, key)

    def _request(self, method: str, path: str, body: object, key: str) -> dict:  # type: ignore[type-arg]
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        while True:
            try:
                found = httpx.request(method, self._address + path, json=body, headers=headers, timeout=20)
                if found.status_code < 300:
                    return dict(found.json())
                if found.status_code != 503:
                    os.write(2, found.content)
                    raise SystemExit(found.text)
            except httpx.HTTPError:
                pass  # killed before it answered: asked again, under the same key
            self.again += 1
            time.sleep(0.05)


def _wait_for_solves(database: Database) -> int:
    last_s = time.monotonic() + ENDED_S
    while True:
        with database.reading("one") as session:
            open_ones = [one for _, one in solves_before(session, None, 1_000) if not one.state.ended]
        if not open_ones or time.monotonic() > last_s:
            return len(open_ones)
        time.sleep(0.5)


def _check(database: Database, client: Client, service: Service, asked: argparse.Namespace, unfinished: int) -> None:
    with database.reading("one") as session:
        made, chain = load_firm(session), verify(session)
        ids = Counter(one.id for one in made.tasks if one.id.startswith("placed-"))
        decided = Counter(session.scalars(select(DecisionRecord.task).where(DecisionRecord.outcome == "placed")))
        step = max(chain.entries // 100, 1)
        different = [n for n in range(1, chain.entries + 1, step) if not replay(session, n).same]
        solves = [one for _, one in solves_before(session, None, 1_000)]
        moves = Counter(
            move.task
            for one in proposals_after(session, WantedProposals(waiting=True), None, 1_000)
            for move in one.proposal.moves
        )
        asked_twice = sum(one.kind is SolveKind.ON_DEMAND for one in solves) - len(client.solves)
    figures = {
        "database": asked.database,
        "kills": sum(service.killed.values()),
        "killed": dict(sorted(service.killed.items())),
        "placed": len(client.placed),
        "asked_again": client.again,
        "lost": len(set(client.placed) - set(ids)),
        "twice": sum(count > 1 for id, count in decided.items() if str(id).startswith("placed-")) + asked_twice,
        "chain_broken": chain.broken is not None,
        "replayed_differently": len(different),
        "solves": len(solves),
        "done": sum(one.state is SolveState.DONE for one in solves),
        "failed": sum(one.state is SolveState.FAILED for one in solves),
        "unfinished": unfinished,
        "taken_over": sum(one.attempts > 1 for one in solves),
        "proposed_twice": sum(count > 1 for count in moves.values()),
        "ready_median_s": round(statistics.median(service.ready_s), 2),
        "ready_max_s": round(max(service.ready_s), 2),
    }
    print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    record("killing", **figures)
    wrong = ("lost", "twice", "chain_broken", "replayed_differently", "failed", "unfinished", "proposed_twice")
    if any(figures[name] for name in wrong):
        sys.exit("something is lost, twice or not finished")


@contextmanager
def _service(url: str, *, workers: int) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Service(url, port)
    try:
        for name in ("web", *(f"worker {i + 1}" for i in range(workers))):
            service.begin(name)
        yield service
    finally:
        service.end()


@contextmanager
def prepared_url(kind: str) -> Iterator[str]:
    """Give the URL of a new database of a kind with all tables and the queue; it is gone afterwards."""
    with ExitStack() as stack:
        if kind == "postgresql":
            yield stack.enter_context(running()).migrated()
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd()))
        url = f"sqlite:///{folder}/evenhand.db"
        database = Database(url)
        migrate(database)
        prepare(database)
        database.close()
        yield url


if __name__ == "__main__":
    main()
