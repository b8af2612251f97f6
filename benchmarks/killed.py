"""What is killed, and who notices: the processes of a service, a client that places and asks again, a receiver of webhooks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

import httpx

from api.store.solve_states import SolveState
from tests.api.delivery.receiving import Received

READY_S = 600.0
SOLVE = {"seconds": 3}
RUN = "import sys; from api.cli import run; sys.exit(run(sys.argv[1:]))"


@dataclass
class Killed:
    """The processes of a service, each under a name.

    Attributes
    ----------
    ready_s, ready_cpu_s
        From each start to the first answer that it is ready, by the clock and in time of a core.
    """

    url: str
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ready_s: list[float] = field(default_factory=list)
    ready_cpu_s: list[float] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        """Where requests go."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    def begin(self, name: str) -> None:
        """Start one process."""
        arguments = ["serve", "--port", str(self.port)] if name == "web" else ["worker"]
        self.processes[name] = started(*arguments, "--database-url", self.url)
        if name == "web":
            self._wait_until_ready(self.processes[name])

    def kill(self, name: str, moment: str) -> None:
        """Kill one process as a power cut would, and start it again."""
        killed(self.processes[name])
        self.killed[f"{name.partition(' ')[0]} {moment}"] += 1
        self.begin(name)

    def end(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(READY_S)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        begun = time.monotonic()
        with httpx.Client(timeout=1) as client:
            while time.monotonic() - begun < READY_S and process.poll() is None:
                try:
                    if client.get(f"{self.address}/ready").status_code == 200:
                        self.ready_s.append(time.monotonic() - begun)
                        self.ready_cpu_s.append(cpu_s(process))
                        return
                except httpx.HTTPError:
                    time.sleep(0.05)
        sys.exit(f"the service does not get ready; it ended with {process.poll()}")


@contextmanager
def service(url: str, *, workers: int) -> Iterator[Killed]:
    """Start a service on a free port; all of it has ended afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Killed(url, port)
    try:
        for name in ("web", *(f"worker {i + 1}" for i in range(workers))):
            made.begin(name)
        yield made
    finally:
        made.end()


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """Start one command of the product; what it complains of is shown."""
    # A session of its own has a share of a busy machine of its own.
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)


def killed(process: subprocess.Popen[bytes]) -> None:
    """Kill a process as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time that a process has spent; Linux only, like what `benchmarks.machines` reads."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """Places tasks and asks for solves until it is stopped; what was not answered is asked again."""

    def __init__(self, address: str, token: str, like: Sequence[tuple[str, str]]) -> None:
        self._address, self._headers, self._like = address, {"Authorization": f"Bearer {token}"}, like
        self._stopping, self._asking, self._client = Event(), True, httpx.Client(timeout=20)
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
        self._client.close()

    def post(self, path: str, body: object, key: str) -> dict[str, str]:
        """Send one request until it is answered."""
        return self._request("POST", path, body, key)

    def _go_on(self) -> None:
        number = 0
        while not self._stopping.is_set():
            type, client = self._like[number % len(self._like)]
            due = (datetime.now(UTC) + timedelta(days=20 + number % 60)).date().isoformat()
            id = f"placed-{number}"
            body = {"id": id, "type": type, "client": client, "deadline": due, "estimate_min": 15}
            self.post("/tasks", body, id)
            self.placed.append(id)
            if number % 20 == 0 and self._asking and self._nothing_waits():
                self.solves.append(self.post("/solves", SOLVE, f"solve-{number}")["id"])
            number += 1
            self._stopping.wait(0.05)

    def _nothing_waits(self) -> bool:
        found = self._request("GET", "/solves?limit=1", None, "")["solves"]
        return not found or SolveState(found[0]["state"]).ended

    def _request(self, method: str, path: str, body: object, key: str) -> dict:  # type: ignore[type-arg]
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        while True:
            try:
                found = self._client.request(method, self._address + path, json=body, headers=headers)
                if found.status_code < 300:
                    return dict(found.json())
                if found.status_code != 503:
                    os.write(2, found.content)
                    raise SystemExit(found.text)
            except httpx.HTTPError:
                pass  # killed before it answered: asked again, under the same key
            self.again += 1
            time.sleep(0.05)


class Came:
    """What a receiver of webhooks was sent: how often each message came, and whether always the same."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.latest = Event()
        self._lock = Lock()

    def take(self, one: Received) -> tuple[int, dict[str, str]]:
        """Take one request, slowly enough to be killed in its middle."""
        with self._lock:
            self.bodies[one.id].append(one.body)
        self.latest.set()
        time.sleep(0.02)
        return 200, {}

    @property
    def again(self) -> int:
        """How many messages came more than once."""
        return sum(len(some) > 1 for some in self.bodies.values())

    @property
    def different(self) -> int:
        """How many came with another content later."""
        return sum(len(set(some)) > 1 for some in self.bodies.values())
