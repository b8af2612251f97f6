"""What the world does to a service: no room, a database that ends, is away or comes back, clocks that jump.

Each time: a clear error, nothing half-written, and it goes on by itself.
"""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from api.roles import Role
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.migrating import check
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.tokens import create_token
from tests.api.routes.asking import Api, Ask, new, problem
from tests.firms_for_tests import firm, person, task
from tests.postgres_for_tests import Server

ROOT = Path(__file__).parents[3]
LONG_S = 300
ROOM_BYTES = 250_000


def require_whole(database: Database, id: str, placed: set[str]) -> None:
    """Every task that was answered as placed is there once, with its decision, and no other; the chain holds."""
    with database.reading(id) as session:
        tasks = [one.id for one in load_firm(session).tasks]
        verified = verify(session)
        assert verified.broken is None
        assert len(tasks) == len(set(tasks))
        assert {one for one in tasks if one.startswith("new-")} == placed
        assert verified.entries == len(placed)
        assert all(replay(session, number).same for number in range(1, verified.entries + 1))


def test_a_full_database_says_so_and_goes_on_when_there_is_room(tmp_path: Path, migrated_file: Path) -> None:
    path = tmp_path / "evenhand.db"
    path.write_bytes(migrated_file.read_bytes())
    database, most = Database(f"sqlite:///{path}"), 2**31

    @event.listens_for(database.engine, "begin")
    def limited(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")  # type: ignore[attr-defined]

    api = Api(database)
    placed = set()
    with sqlite3.connect(path) as looking:
        most = looking.execute("PRAGMA page_count").fetchone()[0] + 4
    looking.close()
    for i in range(200):
        found = api.ask("POST", "/tasks", new(f"new-{i}"))
        if found.status_code != 201:
            break
        placed.add(f"new-{i}")
    assert 0 < len(placed) < 200
    document = problem(found, 503, "database_full")
    assert found.headers["retry-after"] == "1"
    assert "room" in document["detail"]
    assert api.ask("GET", "/tasks").status_code == 200
    require_whole(database, "one", placed)
    most = 2**31
    assert api.ask("POST", "/tasks", new("new-after")).status_code == 201
    require_whole(database, "one", {*placed, "new-after"})
    assert check(database).ready
    database.close()


def test_a_disk_that_takes_no_more_harms_nothing_and_the_process_goes_on(tmp_path: Path, migrated_file: Path) -> None:
    """A real limit on the files of a real process, which is taken away later."""
    path = tmp_path / "evenhand.db"
    path.write_bytes(migrated_file.read_bytes())
    database, now = Database(f"sqlite:///{path}"), datetime.now(UTC)
    create_firm(database, "one", firm((person("ann"),)), now=now, actor="test")
    token = create_token(database, "one", Role.OWNER, now=now, days=1)
    database.close()
    code = "import sys; from api.cli import main; main(['serve', '--port', '0', '--database-url', sys.argv[1]])"
    command = [sys.executable, "-c", code, f"sqlite:///{path}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=address, headers=headers, timeout=LONG_S) as client:
                day, placed = (now + timedelta(days=20)).date().isoformat(), set()

                def place(id: str) -> httpx.Response:
                    found = client.post("/tasks", json=new(id, deadline=day))
                    if found.status_code == 201:
                        placed.add(id)
                    return found

                assert place("new-first").status_code == 201
                hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
                for i in range(100):
                    found = place(f"new-{i}")
                    if found.status_code != 201:
                        break
                assert found.status_code == 503, found.text
                assert found.json()["code"] in ("database_full", "database_unavailable")
                assert place("new-still").status_code == 503
                assert client.get("/tasks").status_code == 200
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
                assert place("new-after").status_code == 201
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=LONG_S)
            assert process.returncode == 0
        finally:
            if process.poll() is None:
                process.kill()
    assert any(json.loads(line)["level"] == "error" for line in err.splitlines())
    database = Database(f"sqlite:///{path}")
    require_whole(database, "one", placed)
    assert check(database).ready
    database.close()


def test_a_server_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(server: Server) -> None:
    """The server's own answer in the midst of a turn, given by a trigger: a file system of its own is nobody's to make but root's."""
    url = server.migrated()
    database = Database(url)
    api = Api(database)
    assert api.ask("POST", "/tasks", new("new-1")).status_code == 201
    full = "create function full_disk() returns trigger language plpgsql as $$ begin raise sqlstate '53100'; end $$"
    trigger = "create trigger full_disk before insert on outbox for each row execute function full_disk()"
    for statements, status in (((full, trigger), 503), (("drop trigger full_disk on outbox",), 201)):
        with database.writer.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        found = api.ask("POST", "/tasks", new("new-2"))
        assert found.status_code == status, found.text
        if status == 503:
            problem(found, 503, "database_full")
            assert found.headers["retry-after"] == "1"
            assert api.ask("GET", "/tasks").status_code == 200
            require_whole(database, "one", {"new-1"})
    require_whole(database, "one", {"new-1", "new-2"})
    database.close()
    server.drop(url)


def test_a_database_that_crashes_and_comes_back_loses_nothing(server: Server, tmp_path: Path) -> None:
    url = server.migrated()
    database = Database(url)
    api, placed = Api(database), set()

    def place(id: str) -> httpx.Response:
        found = api.ask("POST", "/tasks", new(id))
        if found.status_code == 201:
            placed.add(id)
        return found

    for i in range(3):
        place(f"new-{i}")
    turns = api.app.state.serving.turns

    def crash_in_the_middle() -> None:
        with turns.turn("one", now=api.at, actor="test") as turn:
            turn.place(task("new-never"))
            server.crash()

    with pytest.raises(DBAPIError):
        crash_in_the_middle()
    try:
        for path in ("/ready", "/tasks", "/firm"):
            found = api.ask("GET", path)
            problem(found, 503, "database_unavailable")
            assert found.headers["retry-after"] == "1"
        problem(place("new-lost"), 503, "database_unavailable")
        assert api.send(Ask("GET", "/health"))[0].status_code == 200
        api.later(seconds=30)
    finally:
        server.start()
    assert api.ask("GET", "/ready").status_code == 200
    for id in ("new-lost", "new-never", "new-after"):
        assert place(id).status_code == 201
    assert len(placed) == 6
    require_whole(database, "one", placed)
    database.close()
    server.drop(url)


def test_a_restart_between_two_requests_is_not_noticed(server: Server) -> None:
    url = server.migrated()
    database = Database(url)
    api = Api(database)
    assert api.ask("POST", "/tasks", new("new-1")).status_code == 201
    server.crash()
    server.start()
    assert api.ask("POST", "/tasks", new("new-2")).status_code == 201
    require_whole(database, "one", {"new-1", "new-2"})
    database.close()
    server.drop(url)


def test_a_clock_that_jumps_changes_no_decision_of_before_and_stops_nobody(api: Api) -> None:
    api.owner = api.token("one", Role.OWNER, days=3_650)
    placed: set[str] = set()
    for by in (timedelta(0), timedelta(hours=-5), timedelta(days=-40), timedelta(days=80), timedelta(hours=-1)):
        api.at += by
        for _ in range(2):
            id = f"new-{len(placed)}"
            found = api.ask("POST", "/tasks", new(id, deadline="2027-09-30"))
            assert found.status_code == 201, found.text
            placed.add(id)
    require_whole(api.database, "one", placed)
