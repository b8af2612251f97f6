from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.intake import read_firm, write_firm
from solver.firm import Firm
from tests.firms_for_tests import random_firm


def written(folder: Path, document: object) -> Path:
    path = folder / "some.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["folder", "firm.xlsx", "firm.json"])
@pytest.mark.parametrize("seed", range(3))
def test_a_firm_over_itself_is_the_same_firm(tmp_path: Path, form: str, seed: int) -> None:
    firm = random_firm(seed)
    write_firm(firm, tmp_path / form)
    intake = read_firm(tmp_path / form, base=firm)
    assert not intake.rejects
    assert same(intake.firm, firm)


def test_what_a_file_leaves_out_stays(tmp_path: Path) -> None:
    firm = random_firm(1)
    task, person = firm.tasks[3], firm.people[0]
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "tasks.csv").write_text(
        f"id,type,client,deadline\n{task.id},{task.type},{task.client},2027-05-01\n"
        f"fresh,{task.type},{task.client},2027-05-02\n"
    )
    (tmp_path / "new" / "skills.csv").write_text(
        f"person,skill,efficiency_pct\n{person.id},{person.skills[0].skill},50\n"
    )
    (tmp_path / "new" / "settings.csv").write_text("key,value\nmove,90\n")
    intake = read_firm(tmp_path / "new", base=firm)
    assert not intake.rejects
    found = {one.id: one for one in intake.firm.tasks}
    assert found[task.id] == task.model_copy(update={"deadline": found[task.id].deadline})
    assert str(found[task.id].deadline) == "2027-05-01"
    assert set(found) == {one.id for one in firm.tasks} | {"fresh"}
    after = next(one for one in intake.firm.people if one.id == person.id)
    assert {one.skill for one in after.skills} == {one.skill for one in person.skills}
    assert next(one for one in after.skills if one.skill == person.skills[0].skill).efficiency_pct == 50
    assert intake.firm.policy.weights.move == 90
    assert [(one.sheet, one.read, one.taken) for one in intake.counts] == [
        ("settings", 1, 1),
        ("skills", 1, 1),
        ("tasks", 2, 2),
    ]
    others = {"tasks": firm.tasks, "people": firm.people, "policy": firm.policy}
    assert same(intake.firm.model_copy(update=others), firm)


def test_rows_that_refer_to_nothing_are_refused_and_stored_rows_are_not(tmp_path: Path) -> None:
    firm = random_firm(2)
    intake = read_firm(written(tmp_path, {"clients": [{"id": "c0", "usual_person": "p99"}, {"id": "new"}]}), base=firm)
    assert [(one.sheet, one.row, one.field, one.value) for one in intake.rejects if one.row > 0] == [
        ("clients", 1, "usual_person", "p99")
    ]
    assert {one.field for one in intake.rejects if one.row < 0} <= {"client"}  # kept work for the refused client
    assert (intake.counts[0].read, intake.counts[0].taken) == (2, 1)


def test_a_list_that_is_too_short_for_what_is_stored_says_whom_it_leaves_out(tmp_path: Path) -> None:
    firm = random_firm(0)
    intake = read_firm(written(tmp_path, {"levels": [{"name": "associate"}]}), base=firm)
    assert {one.row for one in intake.rejects} == {-1}
    assert "people" in {one.sheet for one in intake.rejects}
    assert (intake.counts[0].read, intake.counts[0].taken) == (1, 1)


def same(one: Firm, other: Firm) -> bool:
    """Whether two firms say the same; merging puts what a file says behind what it does not."""

    def parts(firm: Firm) -> dict[str, object]:
        document = firm.model_dump(mode="json")
        for person in document["people"]:
            person["skills"].sort(key=json.dumps)
        lists = ("people", "clients", "task_types", "tasks", "time_off", "bookings", "overtime")
        return {**document, **{name: sorted(document[name], key=json.dumps) for name in lists}}

    return parts(one) == parts(other)
