"""``evenhand what-if``: options and files to a scenario, the comparison as text, JSON, page and workbook."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from api.cli import run
from api.errors import CommandError
from api.routes.scenario_models import NewScenario
from api.scenario_words import Said, scenario_said
from scenarios.changes import (
    Away,
    Change,
    ClientLost,
    DeadlineMoved,
    DocumentsLate,
    EstimatesOff,
    ExtensionFiled,
    ExtraHours,
    Holiday,
    Joins,
    Leaves,
    MovesTeam,
    PartTime,
    PolicySet,
    Reprioritised,
    SkillSet,
    TaskDropped,
)
from scenarios.grids import Axis
from solver.firm import Client, Firm, Priority, TaskType
from solver.refusal import Refused
from tests.firms_for_tests import day, firm, person, task

NOW = "2027-03-01T09:00"
WORK = ["--now", NOW, "--work", "0.05", "--rounds", "0"]


def office() -> Firm:
    """Ada and Bob do tax; Ada has 30 hours of work this week that Bob could do but for two hours."""
    return firm(
        (
            person("ada", name="Ada Reyes", team="tax", level="senior"),
            person("bob", name="Bob <b>Moss</b>", team="tax"),
        ),
        (task("a", hours=30, due=4, assignee="ada"), task("b", hours=12, due=4, assignee="bob", pinned=True)),
        clients=(Client(id="acme", name="Acme Ltd"),),
        task_types=(TaskType(id="return", skill="tax"), TaskType(id="1040", skill="tax")),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "firm.json"
    path.write_text(office().model_dump_json(), encoding="utf-8")
    return path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


AWAY = ["--away", "Ada Reyes", "--from", "2027-03-01", "--to", "2027-03-12"]


def test_the_comparison_is_printed_in_plain_words(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert run(["what-if", str(file), *AWAY, *WORK]) == 0
    found = capsys.readouterr()
    assert "Ada Reyes is away from 1 Mar 2027 to 12 Mar 2027." in found.err
    assert "dearer" in found.out
    assert "late open tasks" in found.out
    assert "Acme Ltd" in found.out
    assert file.read_bytes() == before


def test_the_comparison_is_one_document_and_its_scenario_can_be_used_again(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "out" / "away.json"
    code, found = answer(capsys, "what-if", str(file), *AWAY, *WORK, "--save", str(saved), "--name", "Ada ill")
    assert code == 0
    figures = {one["field"]: one for one in found["comparison"]["difference"]["figures"]}
    assert figures["late_open"]["difference"] == 1
    assert found["comparison"]["significance"]["verdict"] == "dearer"
    assert found["scenario"]["name"] == "Ada ill"
    again_code, again = answer(capsys, "what-if", str(file), "--scenario", str(saved), *WORK)
    assert again_code == 0
    assert again["comparison"] == found["comparison"]


def test_files_in_toml_and_json_and_requests_to_the_service_say_the_same(tmp_path: Path) -> None:
    away = {"change": "away", "person": "Ada Reyes", "first_day": "2027-03-01", "last_day": "2027-03-12"}
    body = {"name": "Ada ill", "note": "for the partners", "changes": [away]}
    request = NewScenario.model_validate(body)
    written, toml = tmp_path / "ada.json", tmp_path / "ada.toml"
    written.write_text(json.dumps(body), encoding="utf-8")
    changes = "".join(f"{name} = {json.dumps(value)}\n" for name, value in away.items())
    toml.write_text(f'name = "Ada ill"\n[[changes]]\n{changes}', encoding="utf-8")
    for file in (written, toml):
        scenario, sweep = scenario_said(office(), Said(file=file))
        assert (scenario.name, scenario.changes, sweep) == ("Ada ill", request.changes, None)
    # What `--save` writes is taken by the service as it is.
    assert NewScenario.model_validate_json(scenario.model_dump_json()).changes == request.changes


def test_a_plan_made_before_is_where_both_searches_start(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.json"
    assert run(["solve", str(file), "--now", NOW, "--work", "0.05", "--out", str(plan)]) == 0
    capsys.readouterr()
    code, found = answer(capsys, "what-if", str(file), *AWAY, *WORK, "--plan", str(plan))
    assert code == 0
    assert found["comparison"]["certificate_before"]["objective_min"] >= 0


def test_page_and_workbook_show_the_comparison_and_run_nothing(file: Path, tmp_path: Path) -> None:
    page, book = tmp_path / "c.html", tmp_path / "c.xlsx"
    assert run(["what-if", str(file), *AWAY, *WORK, "--report", str(page), "--report", str(book)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Ada Reyes is away" in text
    assert "Bob &lt;b&gt;Moss&lt;/b&gt;" in text
    assert "<b>Moss" not in text
    assert "<script" not in text
    assert "src=" not in text
    sheets = load_workbook(book)
    assert sheets.sheetnames == ["Summary", "Weeks", "People", "Escalations", "Late by client", "Moves"]
    people = {row[0]: row for row in sheets["People"].iter_rows(min_row=2, values_only=True)}
    assert people["Ada Reyes"][5] == 40
    assert people["Ada Reyes"][6] == 0


def test_a_sweep_has_a_table_a_chart_and_points_that_are_kept(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points, page, book = tmp_path / "points.jsonl", tmp_path / "s.html", tmp_path / "s.xlsx"
    sweep = [
        *("what-if", str(file), "--away", "ada", "--from", "2027-03-01", "--to", "2027-03-12"),
        *("--sweep", "overtime=0..20/10", "--sweep", "hires=0,1", "--like", "bob", "--now", NOW, "--work", "0.02"),
        *("--points", str(points), "--report", str(page), "--report", str(book)),
    ]
    code, found = answer(capsys, *sweep)
    assert code == 0
    assert [one["values"] for one in found["points"]] == [[0, 0], [600, 0], [1200, 0], [0, 1], [600, 1], [1200, 1]]
    assert found["solved"] == 6
    assert [one["late"] for one in found["points"]][:4] == [1, 0, 0, 0]
    text = page.read_text(encoding="utf-8")
    assert "hours of overtime a week" in text
    assert "<polyline" in text
    assert load_workbook(book).sheetnames == ["Summary", "Sweep"]
    with points.open("a", encoding="utf-8") as lines:
        lines.write('{"key": "cut short')
    code, again = answer(capsys, *sweep)
    assert code == 0
    assert again["solved"] == 0
    assert again["points"] == found["points"]
    assert run(sweep) == 0
    assert "6 points, 0 solved now" in capsys.readouterr().out


def test_points_of_a_sweep_that_cannot_be_are_listed_with_the_reason(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "s.html"
    sweep = [*("what-if", str(file), "--sweep", "horizon_days=7,0,14", *WORK), "--report", str(page)]
    code, found = answer(capsys, *sweep)
    assert code == 0
    assert [one["values"] for one in found["points"]] == [[7], [14]]
    assert [(one["values"], one["refusal"]["value"]) for one in found["refused"]] == [([0], "0")]
    assert "Cannot be:" in page.read_text(encoding="utf-8")
    assert run(sweep) == 0
    assert "1 of 3 points cannot be" in capsys.readouterr().out


def test_a_scenario_file_is_toml_or_json_and_options_come_after_it(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "scenario.toml"
    toml.write_text(
        'name = "Busy March"\n'
        "[[changes]]\n"
        'change = "away"\nperson = "Ada Reyes"\nfirst_day = 2027-03-01\nlast_day = 2027-03-05\n'
        "[[sweep]]\n"
        'field = "1.value"\nvalues = [0, 60]\nlabel = "price of a move"\n',
        encoding="utf-8",
    )
    scenario, sweep = scenario_said(office(), Said(file=toml, policy=["weights.move=30"]))
    assert scenario.name == "Busy March"
    assert scenario.changes == (
        Away(person="Ada Reyes", first_day=day(0), last_day=day(4)),
        PolicySet(name="weights.move", value=30),
    )
    assert sweep is not None
    assert sweep.axes == (Axis(field="1.value", values=(0, 60), label="price of a move"),)


def said_changes(**words: Any) -> tuple[Change, ...]:
    return scenario_said(office(), Said(**words))[0].changes


WEEK = {"first": "2027-03-01", "last": "2027-03-05"}
SPAN = {"first_day": day(0), "last_day": day(4)}
OPTIONS: list[tuple[dict[str, Any], Sequence[Change]]] = [
    ({"away": ["ada", "bob"], **WEEK}, [Away(person="ada", **SPAN), Away(person="bob", **SPAN)]),
    ({"leaves": ["ada"], **WEEK}, [Leaves(person="ada", last_day=day(0))]),
    ({"hires": "senior", "like": "ada"}, [Joins(id="new hire", level="senior", like="ada")]),
    ({"hires": "senior", **WEEK}, [Joins(id="new hire", level="senior", start_date=day(0))]),
    ({"part_time": ["Ada Reyes=60"]}, [PartTime(person="Ada Reyes", share_pct=60)]),
    (
        {"overtime": 2.5, "who": ["ada", "tax", "senior"], **WEEK},
        [ExtraHours(per_week_min=150, people=("ada",), teams=("tax",), levels=("senior",), **SPAN)],
    ),
    ({"skills": ["ada=audit:120"]}, [SkillSet(person="ada", skill="audit", efficiency_pct=120)]),
    ({"teams": ["ada=Audit"]}, [MovesTeam(person="ada", team="Audit")]),
    ({"lost": ["acme"]}, [ClientLost(client="acme")]),
    ({"documents": ["Acme Ltd=10"]}, [DocumentsLate(client="Acme Ltd", days=10)]),
    ({"deadlines": ["a=-3"]}, [DeadlineMoved(tasks=("a",), days=-3)]),
    ({"deadlines": ["return=2027-03-31"]}, [DeadlineMoved(type="return", to=date(2027, 3, 31))]),
    ({"extensions": ["1040"]}, [ExtensionFiled(type="1040")]),
    ({"estimates": ["120"]}, [EstimatesOff(factor_pct=120)]),
    ({"estimates": ["return=80%"]}, [EstimatesOff(factor_pct=80, type="return")]),
    ({"drop": ["a"]}, [TaskDropped(task="a")]),
    ({"priorities": ["a=high"]}, [Reprioritised(tasks=("a",), priority=Priority.HIGH)]),
    ({"closed": ["2027-03-05"]}, [Holiday(day=day(4))]),
    ({"policy": ["guardrail.complex_level=none"]}, [PolicySet(name="guardrail.complex_level", value=None)]),
    ({"changes": ['{"change": "task_dropped", "task": "a"}']}, [TaskDropped(task="a")]),
]


@pytest.mark.parametrize("words, changes", OPTIONS)
def test_options_are_changes(words: dict[str, Any], changes: Sequence[Change]) -> None:
    assert said_changes(**words) == tuple(changes)


@pytest.mark.parametrize(
    "words, message",
    [
        ({}, "needs a change"),
        ({"away": ["ada"]}, "--away needs --from DAY"),
        ({"away": ["ada"], "first": "2027-03-01"}, "--away needs --to DAY"),
        ({"away": ["ada"], "first": "03/01/2027", "last": "2027-03-09"}, '--from "03/01/2027"'),
        ({"part_time": ["ada"]}, 'Nearest: "Dana Reyes=60"'),
        ({"part_time": ["ada=half"]}, "is no whole number"),
        ({"overtime": 2.0, "who": ["taxx"], **WEEK}, 'Nearest: "tax"'),
        ({"extensions": ["1041"]}, 'Nearest: "1040"'),
        ({"changes": ["{"]}, "is not JSON"),
        ({"changes": ["[]"]}, "is no JSON object"),
        ({"policy": ["weights.move=1,2"]}, "is not one value"),
        ({"sweeps": ["weights.move=1", "weights.move_soon=1", "horizon_days=7"]}, "third parameter"),
        ({"sweeps": ["weights.move=1,1"]}, "occurs twice"),
    ],
)
def test_what_is_written_wrong_is_refused_before_anything_is_solved(words: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError) as error:
        said_changes(**words)
    assert message in error.value.message


def test_what_cannot_be_is_refused_with_the_nearest(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = answer(
        capsys, "what-if", str(file), "--away", "Ada Ryes", "--from", "2027-03-01", "--to", "2027-03-02"
    )
    assert code == 3
    assert found["error"]["field"] == "changes.0.person"
    assert found["error"]["nearest"] == "Ada Reyes"
    code, found = answer(capsys, "what-if", str(file), "--sweep", "weights.mov=1,2", "--now", NOW)
    assert code == 3
    assert found["error"]["nearest"] == "weights.move"
    code, found = answer(capsys, "what-if", str(file), *AWAY, "--report", "c.pdf")
    assert code == 2
    assert found["error"]["nearest"] == "c.html"


def test_a_broken_scenario_file_or_points_file_is_one_line(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "s.toml"
    broken.write_text("changes = [", encoding="utf-8")
    code, found = answer(capsys, "what-if", str(file), "--scenario", str(broken))
    assert code == 3
    assert found["error"]["code"] == "bad_scenario"
    broken.write_text("no point\nnor this\n", encoding="utf-8")
    code, found = answer(capsys, "what-if", str(file), "--sweep", "horizon_days=7,14", *WORK, "--points", str(broken))
    assert code == 3
    assert found["error"]["code"] == "bad_points"


def test_a_policy_scenario_names_unknown_levels_where_they_stand() -> None:
    with pytest.raises(Refused, match="no level of the firm"):
        PolicySet(name="guardrail.complex_level", value="boss").apply(office())


def test_ctrl_c_compares_what_is_known_by_then(tmp_path: Path) -> None:
    path = tmp_path / "firm.json"
    assert run(["generate", "--people", "12", "--tasks", "200", "--out", str(path)]) == 0
    command = [sys.executable, "-u", "-c", "from api.cli import main; main()", "what-if", str(path), "--now", NOW]
    with subprocess.Popen(
        [*command, "--closed", "2027-03-08", "--seconds", "3600"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stderr is not None
            assert child.stderr.readline() == "The firm is closed on 8 Mar 2027.\n"
            assert child.stderr.readline()  # the first progress line: the search runs
            child.send_signal(signal.SIGINT)
            out, _ = child.communicate(timeout=300)
        finally:
            if child.poll() is None:
                child.kill()
    assert child.returncode == 6
    assert "The four metrics" in out
