from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.cli import run
from api.intake import read_firm
from solver.firm import Firm
from solver.plan import Plan
from tests.csv_firm import write_folder
from tests.plan_checker import problems

NOW = "2027-03-01T09:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "firm")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(list(arguments))
    found = capsys.readouterr()
    return code, found.out, found.err


def test_check_counts_every_row_and_says_what_the_engine_sees(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = answer(capsys, "check", str(folder), "--now", NOW)
    assert code == 0
    assert {one["sheet"]: (one["read"], one["taken"]) for one in found["counts"]}["tasks"] == (3, 3)
    assert found["facts"]["open tasks"] == 3
    code, out, _ = said(capsys, "check", str(folder), "--now", NOW)
    assert code == 0
    assert "Europe/Berlin" in out


def test_refused_rows_are_printed_written_and_change_the_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tasks.csv").write_text("id,type,client,deadline\nt1,retrun,acme,2027-03-15\nt2,return,acme,2027-03-15\n")
    code, out, _ = said(capsys, "check", str(folder), "--now", NOW)
    assert code == 4
    assert "retrun" in out
    assert "firm-rejects.csv" in out.replace("\n", "")
    assert "unknown_reference" in (folder.parent / "firm-rejects.csv").read_text(encoding="utf-8-sig")
    target = folder.parent / "elsewhere" / "rejects.csv"
    assert run(["check", str(folder), "--now", NOW, "--rejects", str(target)]) == 4
    assert target.exists()


def test_solve_writes_a_plan_that_anybody_can_check_and_the_reports(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan_path, page, book, tables = (
        tmp_path / name for name in ("out/plan.json", "out/r.html", "out/r.xlsx", "out/tables")
    )
    arguments = ["solve", str(folder), "--now", NOW, "--work", "0.5", "--out", str(plan_path)]
    code, out, err = said(capsys, *arguments, "--report", str(page), "--report", str(book), "--report", str(tables))
    assert code == 0, err
    plan = Plan.model_validate_json(plan_path.read_bytes())
    assert problems(read_firm(folder).firm, plan, plan.now) == []
    assert "The four metrics" in out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert book.stat().st_size > 0
    assert len(list(tables.glob("*.csv"))) > 3


def test_solve_gives_everything_as_one_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = answer(capsys, "solve", str(folder), "--now", NOW, "--work", "0.5")
    assert code == 0
    assert set(found) == {"plan", "metrics", "proposals", "notes", "intake", "written"}
    assert Plan.model_validate(found["plan"]).certificate.seed == 0


def test_the_same_seed_and_work_write_the_same_bytes_in_two_processes(folder: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"plan{i}.json" for i in range(2)]
    for i, path in enumerate(paths):
        command = [sys.executable, "-c", "from api.cli import main; main()", "solve", str(folder), "--now", NOW]
        environment = {**os.environ, "PYTHONHASHSEED": str(i)}
        subprocess.run(
            [*command, "--work", "1", "--seed", "3", "--out", str(path)],
            check=True,
            env=environment,
            capture_output=True,
        )
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_place_says_who_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["place", str(folder), "--type", "return", "--client", "acme", "--due", "2027-03-15", "--now", NOW]
    code, found = answer(capsys, *asked, "--hours", "4")
    assert (code, found["outcome"], found["person"]) == (0, "placed", "ann")
    assert {one["person"] for one in found["candidates"]} == {"ann", "bob"}
    code, out, _ = said(capsys, *asked, "--hours", "4", "--requested", "ann")
    assert code == 0
    assert "goes to Ann Bell" in out
    code, out, _ = said(capsys, *asked, "--hours", "400")
    assert code == 5
    assert "way out: " in out
    code, found = answer(capsys, *asked)
    assert (code, found["outcome"]) == (5, "held")


def test_place_reads_a_deadline_with_a_time_and_a_zone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["place", str(folder), "--type", "return", "--client", "acme", "--hours", "3.5", "--now", NOW]
    assert answer(capsys, *asked, "--due", "2027-03-01T13:00")[0] == 0
    assert answer(capsys, *asked, "--due", "2027-03-01T12:00Z")[0] == 0  # one o'clock in Berlin
    assert answer(capsys, *asked, "--due", "2027-03-01T12:00")[0] == 5


def test_why_and_why_not(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.json"
    assert run(["solve", str(folder), "--now", NOW, "--work", "0.5", "--out", str(plan)]) == 0
    capsys.readouterr()
    code, found = answer(capsys, "why", str(folder), "t1", "--plan", str(plan))
    assert (code, found["code"], found["task"]) == (0, "planned", "t1")
    code, out, _ = said(capsys, "why", str(folder), "t2", "--not", "Bob Cole", "--plan", str(plan))
    assert code == 0
    assert "Bob Cole is barred from the client" in out
    code, out, err = said(capsys, "why", str(folder), "t1", "--now", NOW, "--work", "0.2")
    assert code == 0
    assert "Planning first" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sovle"], 2, 'Nearest: "solve"'),
        (["solve"], 2, "Missing argument"),
        (["solve", "{folder}", "--secondz", "3"], 2, "--secondz"),
        (["check", "{folder}x"], 3, "does not exist. Nearest"),
        (["check", "{folder}", "--now", "tomorrow"], 2, '--now "tomorrow"'),
        (["check", "{folder}", "--date-order", "us"], 2, "date-order"),
        (["check", "{folder}", "--mapping", "nowhere.toml"], 3, "nowhere.toml"),
        (
            ["place", "{folder}", "--type", "retrun", "--client", "acme", "--due", "2027-03-15", "--hours", "1"],
            3,
            'Nearest: "return"',
        ),
        (
            ["place", "{folder}", "--type", "return", "--client", "acme", "--due", "03/04/2027", "--hours", "1"],
            2,
            "may be",
        ),
        (
            [
                "place",
                "{folder}",
                "--type",
                "return",
                "--client",
                "acme",
                "--due",
                "2027-03-15",
                "--release",
                "2027-04-01",
            ],
            3,
            "is after",
        ),
        (["why", "{folder}", "t9", "--work", "0"], 3, 'Nearest: "t'),
        (["why", "{folder}", "t1", "--plan", "{folder}/tasks.csv"], 3, "is not a plan"),
        (["why", "{folder}", "t1", "--plan", "{folder}/none.json"], 3, "none.json"),
        (["solve", "{folder}", "--work", "0", "--report", "{folder}/r.pdf"], 2, "r.html"),
        (["schema", "plam"], 2, 'Nearest: "plan"'),
        (["template", "--out", "{folder}/t.csv"], 2, "t.xlsx"),
        (["generate", "--people", "0"], 2, "people"),
    ],
)
def test_a_mistake_is_one_line_with_its_exit_code(
    arguments: list[str], code: int, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [one.format(folder=folder) for one in arguments]
    found, out, err = said(capsys, *filled)
    assert found == code, (out, err)
    last = err.strip().splitlines()[-1]
    assert words in last
    assert last.startswith("evenhand: ")
    assert "Traceback" not in err
    found, document = answer(capsys, *filled)
    assert found == code
    assert words in document["error"]["message"]


def test_a_defect_is_one_line_too(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise RuntimeError("the moon")

    monkeypatch.setattr("api.commands.reading.check", broken)
    code, _, err = said(capsys, "check", str(folder))
    assert code == 1
    assert "a defect of Evenhand: RuntimeError: the moon" in err
    assert "Traceback" not in err


def test_ctrl_c_keeps_the_best_plan(tmp_path: Path) -> None:
    firm, plan = tmp_path / "firm.json", tmp_path / "plan.json"
    assert run(["generate", "--people", "12", "--tasks", "240", "--out", str(firm)]) == 0
    command = [sys.executable, "-u", "-c", "from api.cli import main; main()", "solve", str(firm), "--now", NOW]
    with subprocess.Popen(
        [*command, "--seconds", "3600", "--out", str(plan)], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        try:
            assert child.stderr is not None
            assert child.stderr.readline()  # the first progress line: the search runs
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=300)
        finally:
            if child.poll() is None:
                child.kill()
    assert child.returncode == 6
    found = Plan.model_validate_json(plan.read_bytes())
    assert found.certificate.stop_reason.value == "cancelled"


def test_template_generate_and_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.xlsx"
    assert run(["template", "--out", str(path)]) == 0
    assert run(["template", "--out", str(path)]) == 3
    assert run(["template", "--out", str(path), "--force"]) == 0
    capsys.readouterr()
    code, found = answer(
        capsys, "generate", "--people", "8", "--tasks", "40", "--season", "quiet", "--out", str(tmp_path / "f")
    )
    assert (code, found["people"], found["tasks"]) == (0, 8, 40)
    assert len(read_firm(tmp_path / "f").firm.tasks) == 40
    for name in ("firm", "policy", "plan", "decision", "proposal", "metrics"):
        code, found = answer(capsys, "schema", name)
        assert code == 0
        assert found["type"] == "object"
    code, found = answer(capsys, "schema", "firm")
    assert set(found["properties"]) == set(Firm.model_fields)


def test_no_arguments_show_the_help_and_the_version_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Commands" in capsys.readouterr().out
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("evenhand 0.")


def test_the_demo_writes_firm_plan_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "demo"
    code, out, err = said(capsys, "demo", "--out", str(target), "--seconds", "1")
    assert code == 0, err
    assert {path.name for path in target.iterdir()} == {"firm", "plan.json", "report.html", "report.xlsx", "tables"}
    plan = Plan.model_validate_json((target / "plan.json").read_bytes())
    assert problems(read_firm(target / "firm").firm, plan, plan.now) == []
    assert "% below it" in out
