from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from api.cli import run
from api.store.database import Database
from api.store.turns import Turns
from tests.api.week_for_tests import guarded_week

WEEK = ("--firm", "one", "--from", "2027-03-01", "--to", "2027-03-07")


@pytest.fixture
def url(prepared_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the planted week, which commands find in their environment."""
    path = tmp_path / "evenhand.db"
    path.write_bytes(prepared_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    guarded_week(Turns(database))
    database.close()
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"sqlite:///{path}")
    return f"sqlite:///{path}"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(["replay", *WEEK, *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_week_is_played_as_it_was_and_under_another_guardrail(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = answer(capsys)
    assert code == 0
    assert (found["control"]["recorded"], found["control"]["same"], found["control"]["share_pct"]) == (3, 3, 100.0)
    assert found["comparison"] is None
    page, book = tmp_path / "pages/week.html", tmp_path / "pages/week.xlsx"
    reports = ("--report", str(page), "--report", str(book))
    code, found = answer(capsys, "--guardrail", "complex_level=none", *reports)
    assert code == 0
    before, after = found["comparison"]["whole"]
    assert (before["escalations"], after["escalations"]) == (1, 0)
    assert (before["utilisation_pct"], after["utilisation_pct"]) == (50.0, 75.0)
    assert [one["task"] for one in found["comparison"]["differing"]] == ["second"]
    assert found["after"]["terms"][0] == "Policy: guardrail.complex_level is nothing instead of senior."
    text = page.read_text(encoding="utf-8")
    assert "3 of 3 recorded decisions come out again" in text
    assert "Bob Cole" in text
    assert "⟦" not in text
    assert not re.search(r"<script|https?://|src=", text)
    sheets = load_workbook(book)
    rows = list(sheets["The whole period"].values)
    assert rows[0] == (None, "in force", "other", "difference")
    assert ("Escalations", 1, 0, -1) in rows
    assert sheets["Who is hit"]["A2"].value == "Bob Cole"


def test_people_read_the_same_in_the_terminal(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", *WEEK, "--set", "guardrail.complex_level=none"]) == 0
    said = capsys.readouterr().out
    assert "3 of 3 recorded decisions come out again under the policy in force (100.0 %)." in said
    assert "escalations 0 instead of 1" in said
    assert "Decisions that differ" in said


def test_a_policy_may_come_from_a_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, words in (("p.toml", "horizon_days = 14"), ("p.json", '{"horizon_days": 14}')):
        (tmp_path / name).write_text(words)
        code, found = answer(capsys, "--policy", str(tmp_path / name))
        assert code == 0
        assert found["comparison"]["whole"][1]["escalations"] == 0  # the file has no guardrail
    (tmp_path / "p.json").write_text('{"horizon_days": 0}')
    code, found = answer(capsys, "--policy", str(tmp_path / "p.json"))
    assert (code, found["error"]["code"]) == (3, "bad_policy")
    (tmp_path / "p.json").write_text("{")
    assert answer(capsys, "--policy", str(tmp_path / "p.json"))[1]["error"]["code"] == "bad_policy"


@pytest.mark.parametrize(
    "options, field, nearest",
    [
        (("--nights", "mon,fry"), "nights", "fri"),
        (("--report", "week.pdf"), "report", "week.html"),
        (("--guardrail", "complex_level"), "guardrail", "complex_level=senior"),
        (("--guardrail", "complex_level=seniour"), "value", "senior"),
        (("--set", "weights.mov=3"), "name", "weights.move"),
        (("--to", "2027-02-01"), "to", "2027-03-01"),
        (("--from", "March"), "from", "2027-03-01"),
    ],
)
def test_what_cannot_be_is_refused(
    url: str, options: tuple[str, ...], field: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = answer(capsys, *options)
    assert code in (2, 3)
    assert (found["error"]["field"], found["error"]["nearest"]) == (field, nearest)


def test_firms_and_periods_that_are_not_there_are_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--firm", "onne", *WEEK[2:]]) == 3
    assert 'Nearest: "one"' in capsys.readouterr().err
    assert run(["replay", "--firm", "one", "--from", "2027-01-01", "--to", "2027-01-31"]) == 3
    assert "before the firm was in the database" in capsys.readouterr().err
