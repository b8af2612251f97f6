from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from api import passwords
from api.delivery.handing_out import hand_out
from api.roles import Role
from api.store.database import Database
from api.store.loading import firm_at, load_firm
from api.store.log import verify
from api.store.privacy import erase_person, export_person
from api.store.refusals import NotFound
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.sessions import sign_in
from api.store.tables import Record
from api.store.tokens import Wrong, create_token, find_token
from api.store.turns import Turns
from api.store.users import create_user
from solver.firm import TimeOff
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
NAME, LOGIN, ADDRESS, PASSWORD = "Annabel Quill", "annabel@example.com", "198.51.100.23", "correct horse battery"


@pytest.fixture
def turns(database: Database, monkeypatch: pytest.MonkeyPatch) -> Turns:
    """A firm in which Annabel Quill has worked, was decided about, and signed in."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    turns = Turns(database)
    made = firm((person("p1", name=NAME), person("p2", name="Bo Reed")), (task("t", assignee="p1"),))
    create_firm(database, "one", made, now=NOW, actor="test")
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("u"))
        turn.assign("t", "p2", reason=f"{NAME} is ill")
        turn.assign("t", "p1", reason="and is back")
        turn.log_time("e", task="t", person="p1", day=day(0), minutes=30)
        turn.put(TimeOff(person="p1", first_day=day(7), last_day=day(7)))
    hand_out(turns, "one", now=NOW)
    create_user(database, "one", LOGIN, PASSWORD, Role.STAFF, now=NOW, person="p1")
    sign_in(database, "one", LOGIN, PASSWORD, now=NOW, address=ADDRESS, hours=1)
    return turns


def test_an_export_has_all_of_a_person_and_nothing_that_opens_anything(turns: Turns) -> None:
    token = create_token(turns.database, "one", Role.STAFF, now=NOW, days=1, person="p1")
    with turns.database.reading("one") as session:
        found = export_person(session, "p1")
        with pytest.raises(NotFound, match='Nearest: "p'):
            export_person(session, "p3")
    assert found["person"]["name"] == NAME
    assert {name: len(rows) for name, rows in found.items() if isinstance(rows, list)} == {
        "calendar": 1,
        "tasks": len(found["tasks"]),
        "assignments": len(found["tasks"]) + 1,
        "time": 1,
        "inbox": len(found["inbox"]),
        "decisions": len(found["decisions"]),
        "tokens": 1,
        "users": 1,
        "sessions": 1,
        "sign_ins": 1,
    }
    assert {row["topic"] for row in found["inbox"]} == {"task.assigned"}
    assert found["users"][0]["login"] == LOGIN
    assert found["sign_ins"][0]["address"] == ADDRESS
    assert {row["person"] for row in found["decisions"]} == {"p1"}
    assert found["decisions"]
    assert "argon2" not in str(found)
    assert token.split("_")[2] not in str(found)
    assert "Bo Reed" not in str(found)


def everything(database: Database) -> str:
    with database.engine.connect() as connection:
        if not database.embedded:
            connection.execute(text("select set_config('evenhand.firm', 'one', true)"))
        return str([connection.execute(table.select()).all() for table in Record.metadata.sorted_tables])


def test_erasing_leaves_ids_a_whole_chain_and_decisions_that_can_be_made_again(turns: Turns) -> None:
    database = turns.database
    assert all(one in everything(database) for one in (NAME, LOGIN, ADDRESS))
    with database.reading("one") as session:
        before = verify(session)
    token = create_token(database, "one", Role.STAFF, now=NOW, days=1, person="p1")
    other = Turns(database)  # another process, with a board that knows the name
    with other.view("one", now=NOW) as view:
        assert NAME in view.labels.values()
    assert erase_person(turns, "one", "p1", now=NOW, actor="test") == ("p1", 1, 1)
    kept = everything(database)
    for one in (NAME, LOGIN, ADDRESS):
        assert one not in kept
    with database.reading("one") as session:
        assert verify(session, noted=before.head) == before
        assert [replay(session, number).same for number in range(1, before.entries + 1)] == [True] * before.entries
        assert {one.id: one.name for one in load_firm(session).people} == {"p1": "", "p2": "Bo Reed"}
        assert {one.name for one in firm_at(session, 1).people} <= {"", "Bo Reed"}
    with other.view("one", now=NOW) as view:
        assert NAME not in view.labels.values()
    with pytest.raises(Wrong, match="revoked"):
        find_token(database, token, now=NOW)
    with pytest.raises(Wrong):
        sign_in(database, "one", LOGIN, PASSWORD, now=NOW, address=ADDRESS, hours=1)
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.place(task("v")).task.assignee in ("p1", "p2")
    with pytest.raises(NotFound, match="person"):
        erase_person(turns, "one", "p9", now=NOW, actor="test")


def test_no_file_of_an_embedded_database_has_the_name_any_more(turns: Turns) -> None:
    database = turns.database
    if not database.embedded:
        return_rows = everything(database)
        assert NAME in return_rows
        erase_person(turns, "one", "p1", now=NOW, actor="test")
        assert NAME not in everything(database)
        return
    path = Path(str(database.url.database))
    files = [path, path.with_name(f"{path.name}-wal")]
    assert NAME.encode() in b"".join(one.read_bytes() for one in files if one.exists())
    erase_person(turns, "one", "p1", now=NOW, actor="test")
    found = b"".join(one.read_bytes() for one in files if one.exists())
    for one in (NAME, LOGIN, ADDRESS):
        assert one.encode() not in found
