from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError

from api.store.database import Database, Limits, checked_url
from api.store.draft import read_head
from api.store.loading import load_firm
from api.store.log import verify
from api.store.saving import create_firm
from api.store.tables import OutboxRecord
from api.store.turns import Turns
from solver.refusal import Refused
from tests.firms_for_tests import firm, person, task
from tests.postgres_for_tests import Server

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path, migrated_file: Path) -> Path:
    path = tmp_path / "evenhand.db"
    path.write_bytes(migrated_file.read_bytes())
    return path


@pytest.mark.parametrize("synchronous, number", [("FULL", 2), ("NORMAL", 1)])
def test_a_file_has_the_settings_that_were_chosen(file: Path, synchronous: str, number: int) -> None:
    database = Database(f"sqlite:///{file}", synchronous=synchronous)  # type: ignore[arg-type]
    with database.writing("one") as session:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        asked = [session.connection().execute(text(f"PRAGMA {name}")).scalar_one() for name in names]
    assert asked == ["wal", number, 1, 10_000]
    database.close()


def test_postgresql_has_the_limits_that_were_chosen(server: Server) -> None:
    url = server.migrated()
    database = Database(url, limits=Limits(lock_s=1.5, statement_s=2, idle_s=3))
    with database.engine.connect() as connection:
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        assert [connection.execute(text(f"show {name}")).scalar_one() for name in names] == ["1500ms", "2s", "3s"]
    database.close()
    database = Database(url, limits=Limits(statement_s=0.05))
    with pytest.raises(OperationalError, match="statement timeout"), database.engine.connect() as connection:
        connection.execute(text("select pg_sleep(30)"))
    database.close()
    server.drop(url)


@pytest.mark.parametrize(
    "url, driver",
    [
        ("sqlite:///a.db", "sqlite+pysqlite"),
        ("postgresql://me@host/x", "postgresql+psycopg"),
        ("postgresql+psycopg2://me@host/x", "postgresql+psycopg"),
    ],
)
def test_a_url_gets_our_driver(url: str, driver: str) -> None:
    assert checked_url(url).drivername == driver


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "oracle://x", "evenhand.db", ""])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"Maybe use sqlite:///evenhand\.db or postgresql:"):
        checked_url(url)


def test_a_moment_without_a_zone_is_no_moment(database: Database) -> None:
    create_firm(database, "one", firm(), now=NOW, actor="test")
    row = {"firm_id": "one", "number": 1, "topic": "x", "document": "{}", "at": datetime(2027, 3, 1), "attempts": 0}
    with pytest.raises(StatementError, match="has no zone"), database.writing("one") as session:
        session.execute(insert(OutboxRecord), row)


def test_a_disk_that_is_full_loses_that_turn_only(file: Path) -> None:
    database = Database(f"sqlite:///{file}", limits=Limits(pool_size=1, pool_overflow=0))
    create_firm(database, "one", firm((person("ann"), person("bob"))), now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("a"))
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    many = [task(f"b{i}", hours=1, due=20) for i in range(200)]
    with pytest.raises(DBAPIError, match="full"), turns.turn("one", now=NOW, actor="test") as turn:
        turn.add(*many)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.place(task("c")).number == 2
    assert turns.self_check("one") == ()
    with database.reading("one") as session:
        assert [one.id for one in load_firm(session).tasks] == ["a", "c"]
        assert verify(session).broken is None
    database.close()


def test_a_server_that_was_restarted_is_used_again(server: Server) -> None:
    url = server.migrated()
    database, other = Database(url), Database(url)
    create_firm(database, "one", firm((person("ann"),)), now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("a"))
    with other.engine.begin() as connection:  # what a restart does to whoever was connected
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.place(task("b")).number == 2
    for one in (database, other):
        one.close()
    server.drop(url)


def test_readers_see_one_moment_however_long_they_read(database: Database) -> None:
    create_firm(database, "one", firm((person("ann"),)), now=NOW, actor="test")
    turns = Turns(database)
    with database.reading("one") as session:
        before = read_head(session, "one")
        with turns.turn("one", now=NOW, actor="test") as turn:
            turn.place(task("a"))
        assert read_head(session, "one") == before
        assert load_firm(session).tasks == ()
    with database.reading("one") as session:
        assert len(load_firm(session).tasks) == 1


def test_a_copy_of_the_file_alone_can_be_opened(file: Path, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{file}")
    create_firm(database, "one", firm((person("ann"),)), now=NOW, actor="test")
    database.close()
    copy = tmp_path / "copy.db"
    with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    for one in (source, target):
        one.close()
    again = Database(f"sqlite:///{copy}")
    with again.reading("one") as session:
        assert [one.id for one in load_firm(session).people] == ["ann"]
    again.close()
