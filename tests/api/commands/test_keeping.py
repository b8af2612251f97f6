from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli import run
from api.sealing import Seal
from api.store.database import Database
from api.store.migrating import migrate
from api.store.saving import create_firm
from api.store.secrets import keep_secret, read_secret
from api.store.turns import Turns
from tests.firms_for_tests import firm, person, task

NOW = datetime.now(UTC)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(list(arguments))
    found = capsys.readouterr()
    return code, found.out, found.err


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "evenhand.db"
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    migrate(database)
    create_firm(database, "one", firm((person("ann", name="Ann Quill"),)), now=NOW, actor="test")
    with Turns(database).turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t"))
    database.close()
    return path


def test_a_backup_is_made_and_restored(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup, other = tmp_path / "evenhand.backup", f"sqlite:///{tmp_path / 'other.db'}"
    code, out, err = said(capsys, "db", "backup", str(backup))
    assert (code, "1 firms" in out) == (0, True), err
    code, _, err = said(capsys, "db", "backup", str(backup))
    assert (code, "--force" in err) == (3, True)
    assert said(capsys, "db", "backup", str(backup), "--force")[0] == 0
    code, out, err = said(capsys, "db", "restore", str(backup), "--database-url", other)
    assert (code, out.startswith("restored 1 firms")) == (0, True), err
    assert "1 decisions, unbroken" in said(capsys, "log", "verify", "--database-url", other)[1]
    code, _, err = said(capsys, "db", "restore", str(backup), "--database-url", other)
    assert (code, "is not empty" in err) == (3, True)
    code, _, err = said(capsys, "db", "restore", str(tmp_path / "none"))
    assert (code, "is no file" in err) == (3, True)
    code, out, _ = said(capsys, "db", "prune", "--json")
    assert (code, json.loads(out)["firms"][0]["messages"]) == (0, 0)


def test_a_person_is_exported_and_erased(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "person", "export", "ann", "--firm", "one")
    assert (code, json.loads(out)["person"]["name"]) == (0, "Ann Quill")
    code, _, err = said(capsys, "person", "erase", "ann", "--firm", "one")
    assert (code, "--yes" in err) == (2, True)
    code, out, err = said(capsys, "person", "erase", "ann", "--firm", "one", "--yes")
    assert (code, out.startswith("ann has no name any more")) == (0, True), err
    assert json.loads(said(capsys, "person", "export", "ann", "--firm", "one")[1])["person"]["name"] == ""
    assert "unbroken" in said(capsys, "log", "verify")[1]
    code, _, err = said(capsys, "person", "erase", "an", "--firm", "one", "--yes")
    assert (code, 'Nearest: "ann"' in err) == (3, True)


def test_keys_are_made_and_changed(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (said(capsys, "secrets", "key")[1].strip() for _ in range(2))
    database = Database(f"sqlite:///{file}")
    with database.writing("one") as session:
        keep_secret(session, Seal([old]), "hook", "secret", now=NOW)
    monkeypatch.setenv("EVENHAND_SECRET_KEYS", f"{new},{old}")
    assert said(capsys, "secrets", "rotate")[:2] == (0, "1 secrets are encrypted with the first key\n")
    with database.reading("one") as session:
        assert read_secret(session, Seal([new]), "hook") == "secret"
    database.close()
    monkeypatch.setenv("EVENHAND_SECRET_KEYS", "no-key-at-all")
    for command in (("secrets", "rotate"), ("serve", "--port", "0")):
        code, out, err = said(capsys, *command)
        assert (code, out, "no-key-at-all" in err) == (3, "", False)
        assert "evenhand secrets key" in err
