from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from api.cli import run
from api.settings import PREFIX, Settings, find_settings, unknown_variables
from solver.refusal import Refused

SECRET = "a-key-that-nobody-may-see"


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    (tmp_path / "evenhand.toml").write_text('port = 81\nhost = "0.0.0.0"\nproxies = ["10.0.0.0/8"]\n', encoding="utf-8")
    found = find_settings({"EVENHAND_PORT": "82", "EVENHAND_METRICS_FROM": "10.0.0.1, ::1"}, tmp_path)
    settings = found.settings
    assert (settings.port, settings.host, settings.shutdown_s) == (82, "0.0.0.0", Settings().shutdown_s)
    assert (settings.proxies, settings.metrics_from) == (("10.0.0.0/8",), ("10.0.0.1", "::1"))
    sources = {one.name: Path(one.source).name for one in found.shown()}
    assert (sources["port"], sources["host"], sources["shutdown_s"]) == ("EVENHAND_PORT", "evenhand.toml", "default")


def test_without_anything_there_are_the_defaults(tmp_path: Path) -> None:
    found = find_settings({}, tmp_path)
    assert found.settings == Settings()
    assert set(found.sources.values()) == {"default"}


@pytest.mark.parametrize(
    "variable, value, nearest",
    [
        ("PORT", "70000", "65535"),
        ("PORT", "http", "8000"),
        ("LOG_FORMAT", "jsn", "json"),
        ("PROXIES", "10.0.0.1, elsewhere", "10.0.0.0/8"),
        ("SESSION_H", "0", "1"),
        ("CONNECTIONS", "1", "2"),
    ],
)
def test_a_wrong_variable_is_named_with_the_nearest_value(
    tmp_path: Path, variable: str, value: str, nearest: str
) -> None:
    with pytest.raises(Refused) as caught:
        find_settings({PREFIX + variable: value}, tmp_path)
    refusal = caught.value.refusal
    assert (refusal.field, refusal.nearest) == (PREFIX + variable, nearest)
    assert refusal.value in value


@pytest.mark.parametrize(
    "text, said",
    [
        ("prt = 1", 'evenhand.toml "prt" is no setting. Nearest: "port"'),
        ('port = "http"', 'evenhand.toml: port "http"'),
        ("port = ", "is no TOML"),
    ],
)
def test_a_wrong_file_is_named_with_the_nearest_value(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "evenhand.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as caught:
        find_settings({}, tmp_path)
    assert said in str(caught.value).replace(str(tmp_path) + "/", "")


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        find_settings({"EVENHAND_CONFIG": str(tmp_path / "none.toml")}, tmp_path)


def test_a_variable_that_is_no_setting_is_told_with_the_nearest() -> None:
    (found,) = unknown_variables({"EVENHAND_PROT": "1", "EVENHAND_PORT": "1", "OTHER": "1"})
    assert (found.value, found.nearest) == ("EVENHAND_PROT", "EVENHAND_PORT")


def test_the_command_shows_sources_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENHAND_SECRET_KEYS", SECRET)
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1/evenhand")
    monkeypatch.setenv("EVENHAND_PROT", "1")
    assert run(["config"]) == 0
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    assert "postgresql://me:***@127.0.0.1/evenhand  EVENHAND_DATABASE_URL" in shown.out
    assert "EVENHAND_PORT" in shown.err
    assert run(["config", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in document["settings"]} == set(Settings.model_fields)
    assert SECRET not in str(document)
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"{SECRET} and no URL")
    assert run(["config"]) == 0
    assert SECRET not in capsys.readouterr().out


def test_the_file_names_the_database_of_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVENHAND_DATABASE_URL", raising=False)
    (tmp_path / "evenhand.toml").write_text('database_url = "sqlite:///of-the-file.db"\n', encoding="utf-8")
    assert run(["db", "migrate"]) == 0
    assert (tmp_path / "of-the-file.db").is_file()
    assert run(["db", "migrate", "--database-url", "sqlite:///said.db"]) == 0
    assert (tmp_path / "said.db").is_file()
    capsys.readouterr()


@pytest.mark.parametrize("name", ["docs/runbook.md", "docs/command-line.md", "compose.yaml", "Dockerfile"])
def test_every_setting_that_is_written_about_is_one(name: str) -> None:
    text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
    written = set(re.findall(r"EVENHAND_[A-Z_]*[A-Z]", text)) - {"EVENHAND_CONFIG", "EVENHAND_DB_PASSWORD"}
    assert written
    assert {one.removeprefix(PREFIX).lower() for one in written} <= set(Settings.model_fields)
