from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.engine.interfaces import ReflectedColumn

import api.store.migrations as migrations
from api.roles import Role
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.migrating import check, head, migrate, revisions
from api.store.proposal_listing import WantedProposals, one_proposal, proposals_after
from api.store.saving import create_firm
from api.store.scenarios import change_scenario, scenarios_before
from api.store.tables import Record
from api.store.tokens import create_token, find_token
from api.store.turns import Turns
from scenarios.changes import Leaves, Scenario
from tests.firms_for_tests import firm, person, task
from tests.postgres_for_tests import Server

ROOT = Path(__file__).parents[3]
NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
LONG_S = 300
DIES = """
import os, signal, sys
from alembic import command
from api.store.database import Database
from api.store.migrating import migrate
upgrade = command.upgrade
def upgrade_and_die(*arguments):
    upgrade(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
command.upgrade = upgrade_and_die
migrate(Database(sys.argv[1]))
"""
"""Migrates, and is killed before that is committed."""


@pytest.fixture(params=("sqlite", "postgresql"))
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    server: Server | None = request.getfixturevalue("server") if request.param == "postgresql" else None
    if server is not None:
        url = server.empty()
    database = Database(url)
    yield database
    database.close()
    if server is not None:
        server.drop(url)


def test_an_empty_database_says_that_it_is_empty(empty: Database) -> None:
    checked = check(empty)
    assert (checked.revision, checked.ready) == (None, False)


def test_every_migration_runs_from_empty_and_ends_at_what_the_code_expects(empty: Database) -> None:
    for before, revision in zip((None, *revisions()), revisions(), strict=False):
        assert migrate(empty, revision) == (before, revision)
    assert check(empty) == (head(), head(), ())
    assert check(empty).ready


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    migrate(empty)
    assert migrate(empty) == (head(), head())


def test_a_migration_that_fails_leaves_the_schema_as_it_was(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def upgrade_and_fail(*arguments: Any) -> None:
        real(*arguments)
        raise ZeroDivisionError

    real = command.upgrade
    monkeypatch.setattr(command, "upgrade", upgrade_and_fail)
    with pytest.raises(ZeroDivisionError):
        migrate(empty)
    assert check(empty).revision is None
    with empty.engine.connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_migration_killed_in_its_middle_leaves_the_old_schema_with_its_data_and_is_done_again(
    empty: Database,
) -> None:
    migrate(empty, "0003")
    create_firm(empty, "one", firm((person("ann"),), (task("t", assignee="ann"),)), now=NOW, actor="test")
    url = empty.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", DIES, url], cwd=ROOT, timeout=LONG_S, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert check(empty).revision == "0003"
    assert migrate(empty) == ("0003", head())
    assert check(empty).ready
    with empty.reading("one") as session:
        assert [one.assignee for one in load_firm(session).tasks] == ["ann"]


def test_a_schema_that_was_changed_by_hand_is_found(empty: Database) -> None:
    migrate(empty)
    with empty.writer.begin() as connection:
        connection.execute(text("alter table tasks add column note text"))
        connection.execute(text("drop index ix_tasks_firm_id_reviews"))
    problems = " / ".join(check(empty).problems)
    assert "note" in problems
    assert "ix_tasks_firm_id_reviews" in problems


def test_broken_references_in_a_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "evenhand.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    create_firm(database, "one", firm((person("ann"),), (task("t", assignee="ann"),)), now=NOW, actor="test")
    with sqlite3.connect(path) as connection:
        connection.execute("delete from people")
    connection.close()
    assert any("tasks" in problem and "people" in problem for problem in check(database).problems)
    database.close()


def test_a_firm_with_decisions_is_whole_after_migrating_again(empty: Database) -> None:
    migrate(empty)
    made = firm((person("ann"),), (task("t", assignee="ann"),))
    create_firm(empty, "one", made, now=NOW, actor="test")
    with Turns(empty).turn("one", now=NOW, actor="test") as turn:
        turn.place(task("u"))
    migrate(empty)
    with empty.reading("one") as session:
        assert len(load_firm(session).tasks) == 2
        assert verify(session).broken is None


def test_a_firm_of_every_older_version_is_whole_and_goes_on_after_migrating(empty: Database) -> None:
    for older in revisions()[:-1]:
        migrate(empty, older)
        made = firm((person("ann"),), (task("t", assignee="ann"),))
        create_firm(empty, f"of-{older}", made, now=NOW, actor="test")
        with Turns(empty).turn(f"of-{older}", now=NOW, actor="test") as turn:
            turn.place(task("u"))
    migrate(empty)
    for older in revisions()[:-1]:
        token = create_token(empty, f"of-{older}", Role.STAFF, now=NOW, days=1, person="ann")
        assert find_token(empty, token, now=NOW).person == "ann"
        with Turns(empty).turn(f"of-{older}", now=NOW, actor="test") as turn:
            turn.place(task("v"))
        with empty.reading(f"of-{older}") as session:
            assert len(load_firm(session).tasks) == 3
            assert (verify(session).entries, verify(session).broken) == (2, None)
    assert check(empty).ready


def test_proposals_of_before_get_their_moves_and_states(empty: Database) -> None:
    migrate(empty, "0002")
    create_firm(empty, "one", firm((person("ann"), person("bob")), (task("t", assignee="ann"),)), now=NOW, actor="test")
    move = {"task": "t", "from_person": "ann", "to_person": "bob"}
    made = {"id": "t>bob", "moves": [move], "gain_min": 9, "gain_per_move_min": 9.0, "loads": [], "reason": "room"}
    row = {"firm_id": "one", "version": 1, "created_at": NOW, "document": json.dumps(made)}
    with empty.writing("one") as session:
        for id, status, ended in (("a", "open", None), ("b", "declined", NOW)):
            session.connection().execute(
                text(
                    "insert into proposals (firm_id, id, version, status, created_at, ended_at, document) "
                    "values (:firm_id, :id, :version, :status, :created_at, :ended_at, :document)"
                ),
                row | {"id": id, "status": status, "ended_at": ended},
            )
    migrate(empty)
    with empty.reading("one") as session:
        found = [one_proposal(session, id) for id in ("a", "b")]
        assert [one.status.value for one in found] == ["created", "declined"]
        assert [[state.state.value for state in one.states] for one in found] == [["created"], ["created", "declined"]]
        assert [one.id for one in proposals_after(session, WantedProposals(task="t"), None, 9)] == ["a", "b"]
    with Turns(empty).turn("one", now=NOW, actor="test") as turn:
        turn.assign("t", "bob", reason="by hand")
    with empty.reading("one") as session:
        assert one_proposal(session, "a").status.value == "superseded"


def test_scenarios_of_before_keep_their_changes_and_can_be_changed(empty: Database) -> None:
    migrate(empty, "0005")
    scenario = Scenario(name="Ann leaves", changes=(Leaves(person="ann", last_day=NOW.date()),))
    for id in ("one", "two"):
        create_firm(empty, id, firm((person("ann"),), (task("t", assignee="ann"),)), now=NOW, actor="test")
        with empty.writing(id) as session:
            for name, document in (("a", scenario.model_dump_json()), ("b", "no JSON")):
                row = {
                    "firm_id": id,
                    "id": name,
                    "name": f"{name} of {id}",
                    "version": 3,
                    "at": NOW,
                    "document": document,
                }
                insertion = (
                    "insert into scenarios (firm_id, id, name, version, at, document) "
                    "values (:firm_id, :id, :name, :version, :at, :document)"
                )
                session.connection().execute(text(insertion), row)
    migrate(empty)
    for id in ("one", "two"):
        with empty.reading(id) as session:
            found = scenarios_before(session, None, 9)
        assert [(one.id, one.number, one.version, one.base_version) for one in found] == [
            ("b", 2, 1, 3),
            ("a", 1, 1, 3),
        ]
        assert [one.scenario.name for one in found] == [f"b of {id}", f"a of {id}"]
        assert [one.scenario.changes for one in found] == [(), scenario.changes]
        assert [one.note for one in found] == ["no JSON", ""]
        assert {one.created_at for one in found} == {NOW}
    with Turns(empty).turn("one", now=NOW, actor="test") as turn:
        assert change_scenario(turn, "a", scenario, note="new", expected=1).version == 2
    assert check(empty).ready


def shape(url: str) -> dict[str, Any]:
    """Return the schema of a database in words that both kinds share."""
    engine = create_engine(make_url(url))
    found: dict[str, Any] = {}
    with engine.connect() as connection:
        looked = inspect(connection)
        for table in looked.get_table_names():
            found[table] = {
                "columns": [(one["name"], kind(one), one["nullable"]) for one in looked.get_columns(table)],
                "key": looked.get_pk_constraint(table)["constrained_columns"],
                "references": sorted(
                    (tuple(one["constrained_columns"]), one["referred_table"], tuple(one["referred_columns"]))
                    for one in looked.get_foreign_keys(table)
                ),
                "indexes": sorted(
                    (str(one["name"]), tuple(one["column_names"]), one["unique"]) for one in looked.get_indexes(table)
                ),
            }
    engine.dispose()
    return found


def kind(column: ReflectedColumn) -> str:
    return type(column["type"]).__name__.replace("TIMESTAMP", "DATETIME").replace("DOUBLE_PRECISION", "FLOAT")


def test_both_databases_have_the_same_schema_and_it_is_that_of_the_models(server: Server, migrated_file: Path) -> None:
    url = server.migrated()
    embedded, postgresql = shape(f"sqlite:///{migrated_file}"), shape(url)
    server.drop(url)
    assert embedded == postgresql
    for name, table in Record.metadata.tables.items():
        assert [column[0] for column in embedded[name]["columns"]] == [column.name for column in table.columns], name
        assert embedded[name]["key"] == [column.name for column in table.primary_key], name
    assert set(embedded) == {*Record.metadata.tables, "alembic_version"}


def test_migrations_are_part_of_what_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert "api*" in settings["packages"]["find"]["include"]
    folder = Path(str(migrations.__file__)).parent
    assert all((one / "__init__.py").is_file() for one in (folder.parent, folder, folder / "versions"))
    assert "*.mako" in settings["package-data"]["api.store.migrations"]
    assert Path(str(migrations.__file__)).with_name("env.py").is_file()
