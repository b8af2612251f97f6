from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from api.intake import DateOrder, IntakeError, Mapping, read_firm, read_mapping, write_firm, write_template
from api.intake.schema import SHEETS
from scenarios.firms import demo_firm
from solver.firm import Client, Firm, Person, Skill, Status
from solver.policy import ValueTier
from tests.csv_firm import GOOD
from tests.firms_for_tests import random_firm

FolderMaker = Callable[..., Path]
FORMS = ("folder", "firm.xlsx", "firm.json")


def test_every_sheet_of_a_good_folder_reaches_the_firm(folder: FolderMaker) -> None:
    intake = read_firm(folder())
    firm = intake.firm
    assert not intake.rejects
    assert [(one.sheet, one.read) for one in intake.counts] == [
        (sheet.name, GOOD[sheet.name].count("\n") - 1) for sheet in SHEETS
    ]
    ann, bob = firm.people
    assert (ann.label, ann.level, ann.skills, ann.start_date) == (
        "Ann Bell", "senior", (Skill(skill="tax", efficiency_pct=90),), date(2020, 1, 6),
    )  # fmt: skip
    assert bob.weekly_min == (480, 480, 480, 480, 480, 0, 0)
    assert firm.clients == (
        Client(id="acme", name="Acme", tier=ValueTier.HIGH, usual_person="ann"),
        Client(id="zeta", name="Zeta", barred=("bob",)),
    )
    first, second, third = firm.tasks
    assert (first.deadline, first.estimate_min, first.logged_min, first.assignee) == (date(2027, 3, 15), 240, 45, "ann")
    assert (second.assignee, second.pinned) == ("ann", True)
    assert (third.assignee, third.logged_min) == ("bob", 0)
    assert firm.time_off[0].minutes_per_day is None
    assert firm.overtime[0].extra_min == (0, 0, 0, 0, 0, 240, 0)
    assert firm.overtime[0].people == ("ann", "bob")
    assert (firm.time_zone, firm.policy.weights.move) == ("Europe/Berlin", 90)
    assert [(level.name, level.target_utilisation_pct) for level in firm.levels] == [("associate", 80), ("senior", 75)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(8))
def test_a_firm_written_reads_back_as_the_same_firm(form: str, seed: int, tmp_path: Path) -> None:
    firm = random_firm(seed)
    write_firm(firm, tmp_path / form)
    intake = read_firm(tmp_path / form)
    assert intake.firm == firm
    assert not intake.rejects


@pytest.mark.parametrize("form", FORMS)
def test_the_demo_firm_reads_back_as_the_same_firm(form: str, tmp_path: Path) -> None:
    firm = demo_firm().firm
    write_firm(firm, tmp_path / form)
    assert read_firm(tmp_path / form).firm == firm


@pytest.mark.parametrize("form", FORMS)
def test_names_that_look_like_formulas_numbers_or_dates_come_back_as_they_were(form: str, tmp_path: Path) -> None:
    names = (
        "=1+1",
        "-x",
        "'-x",
        "''=y",
        "+49 30",
        "@home",
        "1040",
        "1,5",
        "2027-03-04",
        "O'Neil; Sons",
        'say "hi"',
        "Zoë\nLee",
    )
    people = tuple(Person(id=f"p{i}", name=name, level="senior", team=name) for i, name in enumerate(names))
    write_firm(Firm(people=people), tmp_path / form)
    assert read_firm(tmp_path / form).firm.people == people


def test_a_list_of_names_with_semicolons_is_written_as_json_only(tmp_path: Path) -> None:
    firm = Firm(people=(Person(id="a;b", level="senior"),), clients=(Client(id="c", barred=("a;b",)),))
    with pytest.raises(IntakeError, match="semicolon"):
        write_firm(firm, tmp_path / "folder")
    write_firm(firm, tmp_path / "firm.json")
    assert read_firm(tmp_path / "firm.json").firm == firm


def test_column_order_case_spaces_and_other_words_do_not_matter(folder: FolderMaker) -> None:
    text = "Due Date, Task Type ,CLIENT ID,Task ID,Estimate (hours),Assigned to\n2027-03-15,return,acme,t1,1.5,ann\n"
    intake = read_firm(folder(tasks=text, assignments=None))
    (task,) = intake.firm.tasks
    assert (task.id, task.deadline, task.estimate_min, task.assignee) == ("t1", date(2027, 3, 15), 90, "ann")


def test_people_may_be_named_by_their_name_and_in_another_case(folder: FolderMaker) -> None:
    text = "id,type,client,deadline,assignee\nt1,return,ACME,2027-03-15,Ann Bell\nt2,Return,acme,2027-03-15,BOB\n"
    intake = read_firm(folder(tasks=text, assignments=None))
    assert [(task.client, task.type, task.assignee) for task in intake.firm.tasks] == [
        ("acme", "return", "ann"), ("acme", "return", "bob"),
    ]  # fmt: skip


def test_a_name_that_two_people_share_is_refused(folder: FolderMaker) -> None:
    people = "id,name,level\nann,Pat Lee,senior\nbob,Pat Lee,associate\n"
    tasks = "id,type,client,deadline,assignee\nt1,return,acme,2027-03-15,Pat Lee\n"
    (reject,) = read_firm(folder(people=people, tasks=tasks, time_entries=None, assignments=None)).rejects
    assert "fits several: ann, bob" in reject.reason


@pytest.mark.parametrize(
    ("order", "expected"), [(DateOrder.DAY_FIRST, date(2027, 4, 3)), (DateOrder.MONTH_FIRST, date(2027, 3, 4))]
)
def test_the_date_order_is_said_and_not_guessed(order: DateOrder, expected: date, folder: FolderMaker) -> None:
    text = "id,type,client,deadline\nt1,return,acme,03/04/2027\n"
    target = folder(tasks=text, assignments=None, time_entries=None)
    assert read_firm(target, date_order=order).firm.tasks[0].deadline == expected
    assert read_firm(target).rejects[0].code == "ambiguous_date"


def test_a_deadline_with_an_offset_becomes_local_time_of_the_firm(folder: FolderMaker) -> None:
    text = "id,type,client,deadline\nt1,return,acme,2027-03-15T23:30:00Z\nt2,return,acme,2027-07-15 17:00\n"
    first, second = read_firm(folder(tasks=text)).firm.tasks
    assert (first.deadline, first.deadline_time) == (date(2027, 3, 16), time(0, 30))  # Berlin is an hour ahead in March
    assert (second.deadline, second.deadline_time) == (date(2027, 7, 15), time(17, 0))


def test_time_entries_count_only_where_the_task_states_no_logged_time(folder: FolderMaker) -> None:
    tasks = "id,type,client,deadline,logged_min\nt1,return,acme,2027-03-15,10\nt2,return,acme,2027-03-15,\n"
    entries = "task,person,day,hours\n" + "t1,ann,2027-03-01,1\n" + "t2,ann,2027-03-01,1\nt2,bob,2027-03-02,0.5\n"
    found = read_firm(folder(tasks=tasks, time_entries=entries, assignments=None)).firm.tasks
    assert [task.logged_min for task in found] == [10, 90]


def test_a_week_may_be_given_as_one_number(folder: FolderMaker) -> None:
    intake = read_firm(folder(people="id,level,week_hours,mon_hours\nann,senior,37.5,\nbob,associate,,4\n"))
    assert intake.firm.people[0].weekly_min == (450, 450, 450, 450, 450, 0, 0)
    assert intake.firm.people[1].weekly_min == (240, 0, 0, 0, 0, 0, 0)


def test_skills_may_stand_with_the_person(folder: FolderMaker) -> None:
    intake = read_firm(folder(people="id,level,skills\nann,senior,tax; audit\nbob,associate,\n", skills=None))
    assert [cell.skill for cell in intake.firm.people[0].skills] == ["tax", "audit"]


def test_without_a_sheet_of_clients_they_come_from_the_tasks(folder: FolderMaker) -> None:
    intake = read_firm(folder(clients=None))
    assert [client.id for client in intake.firm.clients] == ["acme", "zeta"]
    assert any("2 were taken from the tasks" in note for note in intake.notes)


def test_what_is_not_read_is_said(folder: FolderMaker) -> None:
    target = folder(people="id,level,shoe size\nann,senior,44\nbob,associate,43\n")
    (target / "taks.csv").write_text("id\n")
    notes = " ".join(read_firm(target).notes)
    assert '"shoe size"' in notes
    assert "taks.csv was not read" in notes
    assert "Nearest: tasks" in notes


def test_two_files_for_one_sheet_are_refused(folder: FolderMaker) -> None:
    target = folder()
    (target / "Work Items.csv").write_text("id\n")
    with pytest.raises(IntakeError, match=r"Work Items\.csv and tasks\.csv both hold tasks"):
        read_firm(target)


def test_a_workbook_with_typed_cells_formulas_and_errors(tmp_path: Path) -> None:
    path = tmp_path / "firm.xlsx"
    book = openpyxl.Workbook()
    people = book.active
    assert people is not None
    people.title = "People"
    for row in (
        ["ID", "Level", "Mon hours", "Start date"],
        [7, "senior", 7.5, datetime(2020, 1, 6)],
        ["=A2+1", "senior"],
        ["#REF!", "senior"],
    ):
        people.append(row)
    people["A4"].data_type = "e"
    book.create_sheet("Notes").append(["anything"])
    book.save(path)
    intake = read_firm(path)
    assert [(one.id, one.weekly_min[0], one.start_date) for one in intake.firm.people] == [("7", 450, date(2020, 1, 6))]
    assert [(one.row, one.code) for one in intake.rejects] == [(3, "formula"), (4, "spreadsheet_error")]
    assert any("Notes was not read" in note for note in intake.notes)


def test_the_template_is_an_empty_firm_with_every_sheet_and_column_explained(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path)
    intake = read_firm(path)
    assert intake.firm == Firm()
    assert not intake.rejects
    assert {count.sheet for count in intake.counts} == {sheet.name for sheet in SHEETS}
    book = openpyxl.load_workbook(path)
    for sheet in SHEETS:
        headers = {cell.value: cell.comment for cell in book[sheet.name][1]}
        assert list(headers) == [column.name for column in sheet.columns]
        assert all(comment is not None and comment.text for comment in headers.values())


MAPPING = """
date_order = "month-first"

[sheets.tasks]
source = "Work Items"
columns = { id = "Work Item Key", deadline = "Due", estimate_min = "Budget (hours)", client = "Client Name" }
defaults = { type = "return" }

[sheets.tasks.values.status]
"Not started" = "planned"
"Ready To Start" = "planned"
"Completed" = "done"
"""


def test_an_export_with_other_names_is_read_through_a_mapping(folder: FolderMaker, tmp_path: Path) -> None:
    target = folder(tasks=None, assignments=None, time_entries=None)
    (target / "Work Items.csv").write_text(
        "Work Item Key,Due,Budget (hours),Client Name,Status\nK-1,03/04/2027,2.5,Acme,NOT STARTED\nK-2,3/15/2027,,Zeta,Completed\n"
    )
    path = tmp_path / "karbon.toml"
    path.write_text(MAPPING)
    intake = read_firm(target, mapping=read_mapping(path))
    assert not intake.rejects
    first, second = intake.firm.tasks
    assert (first.id, first.deadline, first.estimate_min, first.client, first.type) == (
        "K-1", date(2027, 3, 4), 150, "acme", "return",
    )  # fmt: skip
    assert second.status is Status.DONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sheets.taks]", "tasks"),
        ("[sheets.tasks.columns]\ndedline = 'Due'", "deadline"),
        ("date_order = 'american'", "date_order"),
        ("not toml at all [", "cannot be read"),
    ],
)
def test_a_wrong_mapping_is_explained(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(IntakeError, match=said):
        read_mapping(path)
    with pytest.raises(IntakeError, match="check the path"):
        read_mapping(tmp_path / "other.toml")


def test_an_empty_mapping_changes_nothing(folder: FolderMaker) -> None:
    assert read_firm(folder(), mapping=Mapping()) == read_firm(folder())
