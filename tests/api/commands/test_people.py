from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from api import passwords
from api.cli import run
from api.store.database import Database
from api.store.migrating import migrate
from api.store.saving import create_firm
from api.store.sessions import sign_in
from api.store.tokens import Wrong
from tests.firms_for_tests import firm, person

NOW = datetime.now(UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(passwords, "_nobodys", "")
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    monkeypatch.setenv("EVENHAND_DATABASE_URL", url)
    database = Database(url)
    migrate(database)
    create_firm(database, "one", firm((person("ann", team="tax"),)), now=NOW, actor="test")
    return database


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = ""
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    code = run(["user", *arguments])
    found = capsys.readouterr()
    return code, found.out, found.err


def enters(database: Database, password: str) -> bool:
    try:
        sign_in(database, "one", "ann@example.com", password, now=NOW, address="here", hours=1)
    except Wrong:
        return False
    return True


def test_a_user_is_made_listed_disabled_and_let_in_again(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("--firm", "one", "--login", "Ann@Example.com", "--role", "manager", "--team", "tax")
    code, out, err = said(capsys, monkeypatch, "create", *who, typed=f"{PASSWORD}\n")
    assert (code, out) == (0, "ann@example.com may sign in to one as manager\n"), err
    assert enters(database, PASSWORD)
    code, out, _ = said(capsys, monkeypatch, "list", "--firm", "one", "--json")
    listed = json.loads(out)
    assert [(one["login"], one["team"], one["disabled_at"]) for one in listed["users"]] == [
        ("ann@example.com", "tax", None)
    ]
    assert [one["outcome"] for one in listed["sign_ins"]] == ["signed in"]
    assert "argon2" not in out
    assert said(capsys, monkeypatch, "disable", "--firm", "one", "ann@example.com")[0] == 0
    assert not enters(database, PASSWORD)
    assert "disabled" in said(capsys, monkeypatch, "list", "--firm", "one")[1]
    new = "battery horse correct"
    code, out, err = said(capsys, monkeypatch, "password", "--firm", "one", "ANN@example.com", typed=new)
    assert code == 0, err
    assert new not in out
    assert (enters(database, PASSWORD), enters(database, new)) == (False, True)


def test_who_signs_in_elsewhere_has_no_password(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("--firm", "one", "--login", "ann@example.com", "--role", "owner", "--without-password")
    assert said(capsys, monkeypatch, "create", *who)[0] == 0
    assert not enters(database, "")
    assert not enters(database, PASSWORD)


@pytest.mark.parametrize(
    "arguments, typed, of_it",
    [
        (("create", "--firm", "onne", "--login", "a", "--role", "owner"), PASSWORD, 'Nearest: "one"'),
        (("create", "--firm", "one", "--login", "a", "--role", "owner"), "short", "12 characters"),
        (("create", "--firm", "one", "--login", "a", "--role", "manager", "--team", "tx"), PASSWORD, 'Nearest: "tax"'),
        (("disable", "--firm", "one", "nobody"), "", 'login "nobody" is not known'),
    ],
)
def test_what_cannot_be_is_said(
    database: Database,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    typed: str,
    of_it: str,
) -> None:
    code, out, err = said(capsys, monkeypatch, *arguments, typed=typed)
    assert (code, out) == (3, "")
    assert of_it in err
    assert typed not in err or not typed
