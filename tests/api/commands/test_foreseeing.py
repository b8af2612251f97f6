from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api.cli import run
from api.intake import read_firm
from solver.batch import today
from solver.plan import Plan
from tests.csv_firm import write_folder

NOW = "2027-03-01T09:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a firm one of whose people has more work than hours before the deadlines."""
    lines = ["id,type,client,deadline,estimate_min,assignee"]
    lines += [f"t{i:02},return,acme,2027-03-{12 + i:02},{900 + 60 * i},ann" for i in range(8)]
    tasks = "\n".join(lines) + "\n"
    return write_folder(tmp_path / "firm", tasks=tasks, time_entries=None, assignments=None)


def plan_of_today(folder: Path, tmp_path: Path) -> Path:
    """Return a file with a plan as ``solve --out`` writes it, made without a search."""
    path = tmp_path / "plan.json"
    path.write_text(today(read_firm(folder).firm, now=datetime.fromisoformat(NOW)).model_dump_json())
    return path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_risk_tells_each_deadline_and_takes_a_plan_made_before(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, page, better = plan_of_today(folder, tmp_path), tmp_path / "pages/risk.html", tmp_path / "better.json"
    asked = ("risk", str(folder), "--plan", str(plan), "--now", NOW, "--draws", "60")
    code, found = answer(capsys, *asked)
    assert code == 0
    assert {one["task"] for one in found["deadlines"]} == {f"t{i:02}" for i in range(8)}
    assert all(0 <= one["low"] <= one["late_share"] <= one["high"] <= 1 for one in found["deadlines"])
    assert found["metrics"]["late"]["low"] <= found["metrics"]["late"]["mean"] <= found["metrics"]["late"]["high"]
    assert found == answer(capsys, *asked)[1]
    code = run([*asked, "--robust", "--out", str(better), "--report", str(page)])
    assert code == 0
    said = capsys.readouterr().out
    assert "The robust plan has" in said
    assert Plan.model_validate_json(better.read_bytes()).now == Plan.model_validate_json(plan.read_bytes()).now
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.count("<svg") == 2
    assert "Deadlines at risk" in text
    assert not re.search(r"<script|https?://|src=", text)


def test_season_tells_what_runs_out_and_what_closes_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "season.html"
    code, found = answer(capsys, "season", str(folder), "--now", NOW, "--report", str(page))
    assert code == 0
    assert found["tasks"] >= 8
    assert found["short_min"] == sum(one["minutes"] for one in found["shortages"])
    assert (found["measures"] == []) == (found["shortages"] == [])
    assert "Week by week" in page.read_text(encoding="utf-8")
    assert run(["season", str(folder), "--now", NOW]) == 0
    assert "of work in" in capsys.readouterr().out


def test_season_tells_the_range_of_each_skill_beside_the_single_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One person with both skills, forty hours, and sixty hours of work due this week: either may be short of twenty hours."""
    lines = [f"{kind}{i},{kind},acme,2027-03-05,600" for kind in ("return", "books") for i in range(3)]
    given = {
        "people": "id,level\nann,associate\n",
        "skills": "person,skill\nann,tax\nann,books\n",
        "clients": "id\nacme\n",
        "task_types": "id,skill\nreturn,tax\nbooks,books\n",
        "tasks": "\n".join(("id,type,client,deadline,estimate_min", *lines)) + "\n",
    }
    none = dict.fromkeys(("time_off", "bookings", "overtime", "time_entries", "assignments"))
    folder = write_folder(tmp_path / "firm", **given, **none)
    page = tmp_path / "season.html"
    # Too short a look ahead for the work to come again.
    asked = ("season", str(folder), "--now", NOW, "--days", "7", "--report", str(page))
    code, found = answer(capsys, *asked)
    assert code == 0
    assert found["short_min"] == sum(one["minutes"] for one in found["ranges"]) == 20 * 60
    for one in found["ranges"]:
        assert one["least_min"] <= one["minutes"] <= one["most_min"]
        assert one["least_min"] <= 20
        assert one["most_min"] == pytest.approx(20 * 60, abs=20)
    assert [one["sentence"][:15] for one in found["ranges"]] == ["Between 0 and 2"] * 2
    assert found["ranges"][0]["sentence"] in page.read_text(encoding="utf-8")
    assert run(list(asked)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Between 0 and 20 hours of" in said


def test_what_cannot_be_is_refused_before_anything_is_planned(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("risk", "season"):
        code, found = answer(capsys, command, str(folder), "--now", NOW, "--report", "x.pdf")
        assert (code, found["error"]["nearest"]) == (2, "x.html")
    plan = plan_of_today(folder, tmp_path)
    (folder / "tasks.csv").write_text("id,type,client,deadline,estimate_min\nother,return,acme,2027-03-15,60\n")
    code, found = answer(capsys, "risk", str(folder), "--now", NOW, "--plan", str(plan))
    assert (code, found["error"]["code"]) == (3, "other_firm")


def test_the_spread_of_finished_work_is_learnt_from_its_time_entries(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the tasks took 1.25 times, half 0.8 times the estimate: a middle deviation of 0.22, and so a spread of 0.33."""
    tasks = (folder / "tasks.csv").read_text().replace("assignee\n", "assignee,status,completed_on\n").splitlines()
    tasks = [tasks[0], *(f"{line},planned," for line in tasks[1:])]
    times = ["task,person,day,minutes"]
    for i in range(40):
        tasks.append(f"old{i},return,acme,2027-02-15,400,ann,done,2027-02-{1 + i % 20:02}")
        times += [f"old{i},ann,2027-02-{1 + i % 20:02},{minutes}" for minutes in (160, 340 if i % 2 else 160)]
    (folder / "tasks.csv").write_text("\n".join(tasks) + "\n")
    (folder / "task_types.csv").write_text("id,skill\nreturn,tax\nreview,tax\n")
    (folder / "time_entries.csv").write_text("\n".join(times) + "\n")
    page = tmp_path / "risk.html"
    plan = plan_of_today(folder, tmp_path)
    asked = ("risk", str(folder), "--plan", str(plan), "--now", NOW, "--draws", "60", "--report", str(page))
    code, found = answer(capsys, *asked)
    assert code == 0
    learnt, published = (found["chances"]["types"][kind] for kind in ("return", "review"))
    assert learnt["tasks"] == 40
    assert learnt["task_sd"] == pytest.approx(0.33, abs=0.02)
    assert (published["tasks"], published["task_sd"], published["ratio"]) == (0, 0.25, 1.05)
    assert run(list(asked)) == 0
    said = capsys.readouterr().out
    assert "Spreads of 1 of 2 types of work are learnt from 40 finished tasks of this firm" in said
    assert "Learnt from time sheets" in said
    assert "published figures" in page.read_text(encoding="utf-8")
    (folder / "time_entries.csv").unlink()
    code, found = answer(capsys, *asked)
    assert {one["tasks"] for one in found["chances"]["types"].values()} == {0}
