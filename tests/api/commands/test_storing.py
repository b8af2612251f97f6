from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.cli import run
from api.store.database import Database
from api.store.migrating import head
from api.store.saving import create_firm
from api.store.turns import Turns
from tests.firms_for_tests import firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(list(arguments))
    found = capsys.readouterr()
    return code, found.out, found.err


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code, out, _ = said(capsys, *arguments, "--json")
    return code, json.loads(out)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "evenhand.db"


@pytest.fixture
def url(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that commands find in their environment."""
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"sqlite:///{file}")
    return f"sqlite:///{file}"


def decided(url: str) -> None:
    database = Database(url)
    for id in ("one", "two"):
        create_firm(database, id, firm((person("ann"),)), now=NOW, actor="test")
        with Turns(database).turn(id, now=NOW, actor="test") as turn:
            for i in range(3):
                turn.place(task(f"t{i}"))
    database.close()


def test_a_database_is_made_once_and_then_up_to_date(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "db", "migrate")[:2] == (0, f"the schema went from nothing to {head()}\n")
    assert said(capsys, "db", "migrate")[:2] == (0, f"the schema is up to date ({head()})\n")
    assert answer(capsys, "db", "migrate") == (0, {"before": head(), "after": head()})
    assert said(capsys, "db", "check")[:2] == (
        0,
        f"revision {head()}, expected {head()}\neverything is as it should be\n",
    )


def test_a_check_makes_no_file_and_says_what_to_do(url: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "db", "check")
    assert code == 3
    assert "Maybe make it with: evenhand db migrate" in err
    assert not file.exists()
    sqlite3.connect(file).close()
    file.touch()
    code, out, _ = said(capsys, "db", "check")
    assert (code, out) == (3, f"revision none, expected {head()}\nMaybe run: evenhand db migrate\n")


def test_what_differs_is_said(url: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["db", "migrate"])
    connection = sqlite3.connect(file)
    connection.execute("drop index ix_tasks_firm_id_reviews")
    connection.close()
    capsys.readouterr()
    code, found = answer(capsys, "db", "check")
    assert (code, found["ready"]) == (3, False)
    assert "ix_tasks_firm_id_reviews" in found["problems"][0]


def test_chains_are_walked_and_a_break_is_found(url: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["db", "migrate"])
    decided(url)
    capsys.readouterr()
    code, found = answer(capsys, "log", "verify")
    assert (code, found["whole"]) == (0, True)
    assert [(one["firm"], one["entries"], one["broken"]) for one in found["firms"]] == [
        ("one", 3, None),
        ("two", 3, None),
    ]
    head = found["firms"][0]["head"]
    assert said(capsys, "log", "verify", "--firm", "one")[1] == f"one: 3 decisions, unbroken; head {head}\n"
    assert run(["log", "verify", "--firm", "one", "--noted", head]) == 0
    assert run(["log", "verify", "--firm", "two", "--noted", head]) == 3
    connection = sqlite3.connect(file)
    connection.executescript(
        "drop trigger decisions_no_update; update decisions set person = 'bob' where firm_id = 'two' and number = 2"
    )
    connection.close()
    capsys.readouterr()
    code, out, _ = said(capsys, "log", "verify")
    assert code == 3
    assert "two: entry 2 is not what was written; 1 before it are as they were written" in out
    code, found = answer(capsys, "log", "verify", "--firm", "two")
    assert found["firms"][0]["broken"] == {"number": 2, "problem": "is not what was written"}


def test_a_firm_that_is_not_there_is_named_with_the_nearest(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["db", "migrate"])
    decided(url)
    code, _, err = said(capsys, "log", "verify", "--firm", "onne")
    assert code == 3
    assert 'Nearest: "one"' in err


def test_a_database_that_is_none_of_ours_is_said(url: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(b"this is a letter, and no database at all" * 100)
    code, found = answer(capsys, "log", "verify")
    assert (code, found["error"]["code"]) == (3, "database")
    assert "not a database" in found["error"]["message"]


@pytest.mark.parametrize(
    "url, said_of_it", [("mysql://x/y", "mysql"), ("nonsense", "nonsense"), ("sqlite://", "names no file")]
)
def test_a_url_that_cannot_be_is_refused(url: str, said_of_it: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "db", "migrate", "--database-url", url)
    assert code == 3
    assert said_of_it in err
    assert "Maybe use sqlite:///evenhand.db" in err


def test_no_password_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://me:secret@127.0.0.1:9/nothing"
    code, _, err = said(capsys, "db", "check", "--database-url", url)
    assert code == 3
    assert "secret" not in err
    assert "127.0.0.1" in err


def test_a_group_without_a_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "migrat"]) == 2
    assert run(["dbb"]) == 2
    assert 'Nearest: "db"' in capsys.readouterr().err
