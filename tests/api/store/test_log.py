from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from api.store.database import Database
from api.store.log import GENESIS, By, EntryKind, canonical, compact, expanded, read, verify
from api.store.refusals import NotFound
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.turns import Turns
from solver.board import compile_board
from solver.firm import Client
from solver.routing import dry_run
from tests.firms_for_tests import NOW as LOCAL
from tests.firms_for_tests import firm, person, random_firm, task
from tests.postgres_for_tests import Server

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
ENTRIES = 6


@pytest.fixture
def turns(database: Database) -> Turns:
    people = (person("ann", name="Ann Secret"), person("bob", name="Bob Secret"))
    create_firm(database, "one", firm(people, clients=(Client(id="acme", name="Acme Secret"),)), now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        for i in range(ENTRIES - 2):
            turn.place(task(f"t{i}", hours=(3, 8, None, 90)[i]))
        turn.assign("t0", "bob", reason="asked for")
        turn.note(EntryKind.PROPOSAL, by=By.MANAGER, outcome="declined", reason="not now", document={"proposal": "p-1"})
    return turns


@contextmanager
def as_owner(database: Database, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection of whoever owns the database, past all fences but the log's own."""
    url = database.url
    if not database.embedded:
        server: Server = request.getfixturevalue("server")
        url = url.set(username=create_engine(server.url).url.username)
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def drop_guards(connection: Connection) -> None:
    on = " ON decisions" if connection.dialect.name == "postgresql" else ""
    for what in ("update", "delete"):
        connection.execute(text(f"DROP TRIGGER decisions_no_{what}{on}"))


def broken(database: Database) -> tuple[int, str] | None:
    with database.reading("one") as session:
        return verify(session).broken


def test_an_untouched_chain_is_whole(turns: Turns) -> None:
    with turns.database.reading("one") as session:
        chain = verify(session)
        assert (chain.firm, chain.entries, chain.broken) == ("one", ENTRIES, None)
        assert chain.head == read(session, ENTRIES).hash


def test_the_chain_of_a_firm_without_decisions_is_whole(database: Database) -> None:
    create_firm(database, "two", firm(), now=NOW, actor="test")
    with database.reading("two") as session:
        assert verify(session) == ("two", 0, GENESIS, None)


@pytest.mark.parametrize("statement", ["UPDATE decisions SET reason = 'x'", "DELETE FROM decisions"])
def test_the_database_refuses_to_change_the_log(turns: Turns, request: pytest.FixtureRequest, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), as_owner(turns.database, request) as connection:
        connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="append-only"), turns.database.writing("one") as session:
        session.connection().execute(text(statement))
    assert broken(turns.database) is None


def test_postgresql_refuses_to_empty_the_log(server: Server) -> None:
    url = server.migrated()
    database = Database(url)
    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text("TRUNCATE decisions"))
    database.close()
    server.drop(url)


CHANGES: dict[str, tuple[str, int, str]] = {
    "another reason": ("UPDATE decisions SET reason = 'x' WHERE number = 3", 3, "is not what was written"),
    "another person": ("UPDATE decisions SET person = 'bob' WHERE number = 1", 1, "is not what was written"),
    "another actor": ("UPDATE decisions SET actor = 'nobody' WHERE number = 2", 2, "is not what was written"),
    "another base": ("UPDATE decisions SET base_version = 1 WHERE number = 4", 4, "is not what was written"),
    "another hash": (f"UPDATE decisions SET hash = '{GENESIS}' WHERE number = 2", 2, "is not what was written"),
    "an entry taken out": ("DELETE FROM decisions WHERE number = 3", 3, "is missing"),
    "the first one taken out": ("DELETE FROM decisions WHERE number = 1", 1, "is missing"),
    "the last one taken out": (f"DELETE FROM decisions WHERE number = {ENTRIES}", ENTRIES, "is missing"),
    "all taken out": ("DELETE FROM decisions", 1, "is missing"),
    "a document": (
        "UPDATE decisions SET document = replace(document, '\"hours\"', '\"Hours\"') || ' ' WHERE number = 5",
        5,
        "is not what was written",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_behind_the_guards_is_found(turns: Turns, request: pytest.FixtureRequest, name: str) -> None:
    statement, number, problem = CHANGES[name]
    with as_owner(turns.database, request) as connection:
        drop_guards(connection)
        assert connection.execute(text(statement)).rowcount > 0
    found = broken(turns.database)
    assert found is not None
    assert found[0] == number
    assert problem in found[1]


def test_an_entry_moved_in_time_is_found(turns: Turns, request: pytest.FixtureRequest) -> None:
    with as_owner(turns.database, request) as connection:
        drop_guards(connection)
        earlier = NOW - timedelta(days=1)
        moment = earlier.replace(tzinfo=None).isoformat(" ") + ".000000" if turns.database.embedded else earlier
        connection.execute(text("UPDATE decisions SET at = :at WHERE number = 2"), {"at": moment})
    assert broken(turns.database) == (2, "is not what was written")


def test_an_entry_hashed_again_breaks_the_one_behind_it(turns: Turns, request: pytest.FixtureRequest) -> None:
    with as_owner(turns.database, request) as connection:
        drop_guards(connection)
        connection.execute(text("UPDATE decisions SET previous_hash = :hash WHERE number = 4"), {"hash": "1" * 64})
    assert broken(turns.database) == (4, "does not follow the entry before")


def test_no_name_is_in_the_log_and_a_person_can_be_erased(turns: Turns) -> None:
    def log() -> str:
        with turns.database.reading("one") as session:
            return str(session.connection().execute(text("SELECT reason, document FROM decisions")).all())

    assert "Secret" not in log()
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(person("ann", name=""))
    with turns.database.reading("one") as session:
        assert verify(session).broken is None
        assert all(replay(session, number).same for number in range(1, ENTRIES + 1))
        whole = session.connection().execute(text("SELECT document FROM changes")).all()
        assert "Ann Secret" not in str(whole)


def test_every_decision_is_made_again_the_same(turns: Turns) -> None:
    with turns.turn("one", now=NOW + timedelta(hours=3), actor="test") as turn:
        turn.change_task("t0", estimate_min=600)
        turn.put(person("cat"))
    with turns.database.reading("one") as session:
        for number in range(1, ENTRIES):
            again = replay(session, number)
            assert again.same
            assert again.answer is not None
            assert again.answer.reason == (again.entry.answer and again.entry.answer.reason)
        assert replay(session, ENTRIES).answer is None


def test_an_answer_that_was_rewritten_with_its_chain_is_found_by_replaying(
    turns: Turns, request: pytest.FixtureRequest
) -> None:
    with turns.database.reading("one") as session:
        document = read(session, 1).document
    document["answer"]["person"] = "bob"
    with as_owner(turns.database, request) as connection:
        drop_guards(connection)
        connection.execute(text("UPDATE decisions SET document = :new WHERE number = 1"), {"new": canonical(document)})
    with turns.database.reading("one") as session:
        assert replay(session, 1).different == ("person",)


def test_a_decision_that_was_never_made_is_not_found(turns: Turns) -> None:
    with turns.database.reading("one") as session, pytest.raises(NotFound, match='decision "99"'):
        read(session, 99)


@pytest.mark.parametrize("seed", range(5))
def test_a_decision_made_compact_is_the_same_again(seed: int) -> None:
    made = random_firm(seed)
    board = compile_board(made, now=LOCAL)
    for one in made.tasks:
        if one.id not in board.promises and one.open:
            decision = dry_run(board, one)
            again = expanded(json.loads(canonical(compact(decision))))
            assert again.model_dump() == decision.model_dump()


@pytest.mark.parametrize(
    "document, written",
    [
        ({"b": 1, "a": [1, 2]}, '{"a":[1,2],"b":1}'),
        ({"é": "⟦ann⟧", "A": None}, '{"A":null,"é":"⟦ann⟧"}'),
        ({"z": {"y": True, "x": 0.5}}, '{"z":{"x":0.5,"y":true}}'),
    ],
)
def test_canonical_json_has_one_form(document: Any, written: str) -> None:
    assert canonical(document) == written


def test_canonical_json_refuses_what_json_has_not() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})
