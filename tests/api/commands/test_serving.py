from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from api.cli import run
from api.jobs.queue import Jobs
from api.store.database import Database
from api.store.log import verify
from api.store.migrating import migrate
from api.store.saving import create_firm
from api.store.solve_states import SolveAsk, SolveState
from api.store.solves import one_solve
from api.store.turns import Turns
from tests.api.delivery.receiving import receiver
from tests.firms_for_tests import firm, person, task
from tests.postgres_for_tests import Server

ROOT = Path(__file__).parents[3]
NEXT_YEAR = datetime.now(UTC).year + 1
LONG_S = 300
"""No test waits so long for anything that works."""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(list(arguments))
    found = capsys.readouterr()
    return code, found.out, found.err


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one firm, which commands find in their environment."""
    path = tmp_path / "evenhand.db"
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    migrate(database)
    # Begun now, not when all tests did: a night that came between would have a solve of its own.
    create_firm(database, "one", firm((person("ann"), person("bob"))), now=datetime.now(UTC), actor="test")
    database.close()
    return path


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command in a process of its own, and give the address that it prints."""
    code = "import sys; from api.cli import main; main(['serve', '--port', '0', *sys.argv[1:]])"
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving on http://127.0.0.1:"), line or process.communicate(timeout=LONG_S)[1]
            yield process, line.split()[-1]
        finally:
            if process.poll() is None:
                process.kill()


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = said(capsys, "token", "create", "--firm", "one", *arguments, "--json")
    assert code == 0, err
    return dict(json.loads(out))


def test_from_a_token_to_a_placed_task_and_a_graceful_end(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = made(capsys, "--role", "operations")["token"]
    day = f"{NEXT_YEAR}-03-19"
    with served() as (process, address):
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=LONG_S) as client:
            assert client.get("/ready").json() == {"status": "ok"}
            codes = []

            def place(some: range) -> None:
                for i in some:
                    body = {"id": f"t{i}", "type": "return", "client": "acme", "deadline": day, "estimate_min": 30}
                    codes.append(client.post("/tasks", json=body).status_code)

            threads = [Thread(target=place, args=(range(8 * n, 8 * n + 8),)) for n in range(8)]
            for one in threads:
                one.start()
            for one in threads:
                one.join(LONG_S)
            assert codes == [201] * 64
            assert len(client.get("/tasks?limit=200").json()["tasks"]) == 64
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, err
    assert "Traceback" not in err
    assert token not in err
    database = Database(f"sqlite:///{file}")
    with database.reading("one") as session:
        assert verify(session)[1:4:2] == (64, None)
    database.close()
    assert not file.with_name("evenhand.db-wal").exists()


def test_a_request_that_has_begun_is_answered_before_the_end(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = made(capsys, "--role", "operations")["token"]
    body = json.dumps({"id": "t", "type": "return", "client": "acme", "deadline": f"{NEXT_YEAR}-03-19"}).encode()
    with served() as (process, address):
        assert httpx.get(f"{address}/ready", timeout=LONG_S).status_code == 200
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port), timeout=LONG_S) as connection:
            head = f"POST {url.path}/tasks HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {token}\r\n"
            more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall((head + more).encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # it is being worked on
            process.send_signal(signal.SIGTERM)
            while connection_is_taken(url):  # until it takes no other request any more
                time.sleep(0.02)
            connection.sendall(body)
            assert connection.recv(100).startswith(b"HTTP/1.1 201 ")
        _, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, err
    assert not file.with_name("evenhand.db-wal").exists()


def connection_is_taken(url: httpx.URL) -> bool:
    try:
        socket.create_connection((url.host, url.port), timeout=LONG_S).close()
    except ConnectionRefusedError:
        return False
    return True


def test_one_process_on_a_file_takes_a_solve_does_it_and_shows_its_steps(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = made(capsys, "--role", "operations")["token"]
    with served() as (process, address):
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=LONG_S) as client:
            id = client.post("/solves", json={"seconds": LONG_S, "work_units": 0.01}).json()["id"]
            states: list[str] = []
            while states[-1:] != ["done"]:
                with client.stream("GET", f"/solves/{id}/progress") as stream:
                    data = [line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: ")]
                states = [json.loads(one)["state"] for one in data]
            assert list(dict.fromkeys(states)) == ["queued", "searching", "applying", "done"]
            found = client.get(f"/solves/{id}/result").json()
            assert found["plan"]["certificate"]["status"] == "optimal"
            # What is open for long does not keep the process from its end.
            waits = client.post("/solves", json={"seconds": 3_600}).json()["id"]
            with client.stream("GET", f"/solves/{waits}/progress") as stream:
                next(stream.iter_lines())
                process.send_signal(signal.SIGTERM)
                _, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, err
        assert "Traceback" not in err
    assert not file.with_name("evenhand.db-wal").exists()


def test_a_worker_does_the_jobs_of_a_server_until_it_is_told_to_end(server: Server) -> None:
    url, now = server.migrated(), datetime.now(UTC)
    database = Database(url)
    create_firm(database, "one", firm((person("ann"),), (task("t"),)), now=now, actor="test")
    jobs = Jobs(database)
    with Turns(database).turn("one", now=now, actor="test") as turn:
        jobs.start(turn, "s", SolveAsk(seconds=LONG_S, work_units=0.01))
    code = "import sys; from api.cli import run; sys.exit(run(['worker', '--database-url', sys.argv[1]]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, url], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("working as ")
            last_s = time.monotonic() + LONG_S
            state = SolveState.QUEUED
            while not state.ended:
                assert time.monotonic() < last_s
                time.sleep(0.1)
                with database.reading("one") as session:
                    state = one_solve(session, "s").state
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=LONG_S)
        finally:
            if process.poll() is None:
                process.kill()
    assert (state, process.returncode, err) == (SolveState.DONE, 0, "")
    jobs.close()
    database.close()
    server.drop(url)


def test_serving_makes_deliveries_until_it_ends(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = made(capsys, "--role", "owner")["token"]
    code, key, _ = said(capsys, "secrets", "key")
    assert code == 0
    monkeypatch.setenv("EVENHAND_SECRET_KEYS", f"{key.strip()}, {key.strip()}")
    monkeypatch.setenv("EVENHAND_PRIVATE_WEBHOOKS", "1")
    came = Event()
    with receiver() as there, served() as (process, address):
        there.answers = lambda _: (came.set() or 200, {})  # type: ignore[func-returns-value]
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=LONG_S) as client:
            hook = client.post("/webhooks", json={"url": there.url}).json()
            body = {"id": "t", "type": "return", "client": "acme", "deadline": f"{NEXT_YEAR}-03-19"}
            assert client.post("/tasks", json=body).status_code == 201
            assert came.wait(LONG_S)
            assert there.came[0].signed_with(hook["secret"])
            assert there.topics == ["task.held"]
            assert [one["topic"] for one in client.get("/inbox").json()["items"]] == ["task.held"]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, err
    assert "Traceback" not in err
    assert not file.with_name("evenhand.db-wal").exists()
    monkeypatch.setenv("EVENHAND_SECRET_KEYS", "short")
    code, _, err = said(capsys, "serve")
    assert (code, "is not 32 bytes" in err, "short" in err) == (3, True, False)


def test_a_proxy_that_is_trusted_says_who_asks_and_over_what(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said_by_proxy = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Request-ID": "by-proxy"}
    for trusted, address, tls in (("127.0.0.0/8", "203.0.113.7", True), ("10.0.0.1", "127.0.0.1", False)):
        monkeypatch.setenv("EVENHAND_PROXIES", trusted)
        with served() as (process, url):
            found = httpx.get(f"{url}/firm", headers=said_by_proxy, timeout=LONG_S)
            assert ("strict-transport-security" in found.headers) is tls
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=LONG_S)
        lines = [json.loads(line) for line in err.splitlines()]
        (line,) = [one for one in lines if one.get("request_id") == "by-proxy"]
        assert (line["address"], line["status"], line["level"]) == (address, 401, "info")


def test_an_embedded_database_is_made_by_serving(tmp_path: Path) -> None:
    with served("--database-url", f"sqlite:///{tmp_path / 'new.db'}") as (process, address):
        assert httpx.get(f"{address}/ready", timeout=LONG_S).status_code == 200
        assert httpx.get(f"{address}/firm", timeout=LONG_S).status_code == 401
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONG_S)
        assert process.returncode == 0


def test_a_server_is_migrated_by_hand(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    url = server.empty()
    code, _, err = said(capsys, "serve", "--database-url", url)
    server.drop(url)
    assert code == 3
    assert "evenhand db migrate" in err


def test_a_port_in_use_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = said(capsys, "serve", "--port", str(taken.getsockname()[1]))
    assert code == 3
    assert "Maybe use another --port" in err


def test_tokens_are_made_listed_and_revoked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = made(capsys, "--role", "staff", "--person", "ann", "--days", "7")["token"]
    code, out, _ = said(capsys, "token", "create", "--firm", "one", "--role", "owner")
    assert code == 0
    assert out.startswith("evh_")
    id = token.split("_")[1]
    code, out, _ = said(capsys, "token", "list", "--firm", "one")
    assert code == 0
    assert id in out
    assert token.split("_")[2] not in out
    assert said(capsys, "token", "revoke", "--firm", "one", id)[:2] == (
        0,
        f"token {id} of one opens nothing any more\n",
    )
    listed = json.loads(said(capsys, "token", "list", "--firm", "one", "--json")[1])["tokens"]
    assert {one["id"]: one["revoked_at"] is not None for one in listed}[id] is True
    assert sorted(one["role"] for one in listed) == ["owner", "staff"]


@pytest.mark.parametrize(
    "arguments, of_it",
    [
        (("create", "--firm", "onne", "--role", "owner"), 'firm "onne" is not known'),
        (("create", "--firm", "one", "--role", "staff"), "is asked for with the role staff"),
        (("create", "--firm", "one", "--role", "staff", "--person", "an"), 'Nearest: "ann"'),
        (("create", "--firm", "one", "--role", "owner", "--days", "0"), 'Nearest: "1"'),
        (("list", "--firm", "onne"), 'Nearest: "one"'),
        (("revoke", "--firm", "one", "abc"), 'token "abc" is not known'),
    ],
)
def test_what_cannot_be_a_token_is_said(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], of_it: str
) -> None:
    code, out, err = said(capsys, "token", *arguments)
    assert (code, out) == (3, "")
    assert of_it in err


def test_the_commands_of_the_readme_lead_to_a_placed_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## As a service")[2].partition("```console\n")[2].partition("```")[0]
    lines = [shlex.split(line, comments=True) for line in block.replace("\\\n", " ").removeprefix("$ ").split("\n$ ")]
    written = {}
    for words in lines[:-2]:
        assert words[0] == ".venv/bin/evenhand"
        words, _, into = (words[1:-2], ">", words[-1]) if ">" in words else (words[1:], "", None)
        code, out, err = said(capsys, *words)
        assert code == 0, err
        if into is not None:
            written[into] = out.strip()
    assert lines[-2] == [".venv/bin/evenhand", "serve", "&"]
    curl = lines[-1]
    assert curl[0] == "curl"
    headers = dict(curl[i + 1].split(": ") for i, word in enumerate(curl) if word == "-H")
    assert headers["Authorization"] == "Bearer $(cat token)"
    headers["Authorization"] = f"Bearer {written['token']}"
    with served("--database-url", f"sqlite:///{tmp_path / 'evenhand.db'}") as (process, address):
        path = curl[1].removeprefix("http://127.0.0.1:8000/api/v1")
        found = httpx.post(address + path, headers=headers, content=curl[curl.index("-d") + 1], timeout=LONG_S)
        assert found.status_code == 201, found.text
        assert found.json()["task"]["id"] == "t-9001"
        assert found.json()["decision"]["outcome"] in ("placed", "escalated")  # as the clock says
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONG_S)


def test_the_demo_firm_is_served_and_what_is_printed_places_a_task(tmp_path: Path) -> None:
    code = "import sys; from api.cli import main; main(['demo', '--serve'])"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith("Everything else"):
                lines.append(process.stdout.readline())
                assert lines[-1], process.communicate(timeout=LONG_S)[1]
            words = shlex.split("".join(lines).partition("Place a task:\n")[2].partition("Everything")[0])
            assert words[0] == "curl"
            headers = dict(words[i + 1].split(": ") for i, word in enumerate(words) if word == "-H")
            found = httpx.post(words[1], headers=headers, content=words[words.index("-d") + 1], timeout=LONG_S)
            assert found.status_code == 201, found.text
            assert found.json()["decision"]["outcome"] in ("placed", "escalated")  # as the clock says
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=LONG_S)
            assert process.returncode == 0, err
        finally:
            if process.poll() is None:
                process.kill()
    assert list(tmp_path.iterdir()) == []


def test_a_firm_begins_from_files_once(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = tmp_path / "firm.json"
    files.write_text(firm((person("ann"),)).model_dump_json(), encoding="utf-8")
    code, out, _ = said(capsys, "firm", "create", str(files), "--id", "two")
    assert (code, out) == (0, "two is in the database: 1 people, 1 clients, 0 tasks\n")
    code, _, err = said(capsys, "firm", "create", str(files), "--id", "two")
    assert (code, 'firm "two" is there already' in err) == (3, True)
    code, _, err = said(capsys, "firm", "create", str(files), "--id", "a firm")
    assert (code, 'Nearest: "a-firm"' in err) == (3, True)
    code, out, _ = said(capsys, "firm", "create", str(files), "--id", "three", "--json")
    assert (code, json.loads(out)["firm"], json.loads(out)["input"]["rejects"]) == (0, "three", [])
    database = Database(f"sqlite:///{file}")
    assert database.firm_ids() == ["one", "three", "two"]
    database.close()


def test_a_process_that_is_told_to_end_before_it_answers_ends(file: Path) -> None:
    with served() as (process, _):
        process.send_signal(signal.SIGTERM)  # as soon as the address is printed, which is before the server runs
        _, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, err
