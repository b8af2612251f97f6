"""Files that are wrong in every way we could think of: no exception but `IntakeError`, no row lost, every refusal explained."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from api.intake import Intake, IntakeError, read_firm, write_rejects
from tests.csv_firm import csv_text, good_rows

FolderMaker = Callable[..., Path]

GOOD_ROW: dict[str, dict[str, str]] = {
    "people": {"id": "cid", "name": "Cid", "level": "senior"},
    "skills": {"person": "ann", "skill": "audit"},
    "clients": {"id": "newco", "name": "Newco"},
    "task_types": {"id": "audit", "skill": "audit"},
    "tasks": {"id": "t9", "type": "return", "client": "acme", "deadline": "2027-03-20", "estimate_min": "60"},
    "time_off": {"person": "ann", "first_day": "2027-04-01", "last_day": "2027-04-02"},
    "bookings": {"person": "ann", "first_day": "2027-04-01", "last_day": "2027-04-02", "minutes_per_day": "30"},
    "overtime": {"first_day": "2027-04-01", "last_day": "2027-04-02", "fri_min": "60"},
    "time_entries": {"task": "t1", "person": "ann", "day": "2027-03-02", "minutes": "30"},
    "assignments": {"task": "t3", "person": "bob"},
    "settings": {"key": "name", "value": "Firm of tests"},
    "levels": {"name": "partner", "target_utilisation_pct": "50"},
}
REQUIRED = {
    "people": ("id", "level"),
    "skills": ("person", "skill"),
    "clients": ("id",),
    "task_types": ("id", "skill"),
    "tasks": ("id", "type", "client", "deadline"),
    "time_off": ("person", "first_day"),
    "bookings": ("person", "first_day", "minutes_per_day"),
    "overtime": ("first_day",),
    "time_entries": ("task", "person", "day", "minutes"),
    "assignments": ("task", "person"),
    "settings": ("key",),
    "levels": ("name",),
}


class Bad(NamedTuple):
    """One bad cell: where, what, the code it must be refused with, and the nearest valid value (``...``: any)."""

    sheet: str
    column: str
    cell: str
    code: str
    nearest: object = ...


BAD_DATES = (
    ("03/04/2027", "ambiguous_date", "2027-04-03"),
    ("3-4-2027", "ambiguous_date", ...),
    ("2027-02-30", "no_such_day", "2027-02-28"),
    ("2027-13-01", "no_such_day", None),
    ("30.02.2027", "no_such_day", "2027-02-28"),
    ("15/03/27", "short_year", ...),
    ("soon", "not_a_date", None),
    ("46096", "not_a_date", "2026-03-15"),
    ("=TODAY()", "formula", ...),
    ("Feb 30, 2027", "no_such_day", "2027-02-28"),
)
BAD_NUMBERS = (
    ("-5", None, ...),
    ("lots", "not_a_number", None),
    ("1,500", "ambiguous_number", "1500"),
    ("12.5", "not_whole", "13"),
    ("1e9", "not_a_number", ...),
    ("9" * 40, "not_a_number", ...),
    ("=A1*2", "formula", ...),
    ("nan", "not_a_number", None),
    ("4 or 5", "not_a_number", "4"),
)
DATE_COLUMNS = (
    ("tasks", "deadline"),
    ("tasks", "release"),
    ("people", "leave_date"),
    ("time_off", "first_day"),
    ("overtime", "last_day"),
    ("time_entries", "day"),
)
NUMBER_COLUMNS = (
    ("tasks", "estimate_min"),
    ("tasks", "logged_min"),
    ("people", "mon_min"),
    ("skills", "efficiency_pct"),
    ("task_types", "complexity"),
    ("bookings", "minutes_per_day"),
    ("time_entries", "minutes"),
    ("levels", "target_utilisation_pct"),
)
CASES: list[Bad] = [
    *(Bad(sheet, column, *bad) for sheet, column in DATE_COLUMNS for bad in BAD_DATES),
    *(
        Bad(sheet, column, cell, code or "", near)
        for sheet, column in NUMBER_COLUMNS
        for cell, code, near in BAD_NUMBERS
    ),
    *(Bad(sheet, column, "", "missing_value") for sheet, columns in REQUIRED.items() for column in columns),
    *(Bad(sheet, column, "=1+1", "formula") for sheet, columns in REQUIRED.items() for column in columns),
    *(Bad(sheet, column, "a\x00b", "lost_characters") for sheet, columns in REQUIRED.items() for column in columns),
    Bad("tasks", "type", "retrun", "unknown_reference", "return"),
    Bad("tasks", "client", "acne", "unknown_reference", "acme"),
    Bad("tasks", "assignee", "anne", "unknown_reference", "ann"),
    Bad("tasks", "requested_person", "bop", "unknown_reference", "bob"),
    Bad("tasks", "reviews", "t99", "unknown_reference", ...),
    Bad("tasks", "reviews", "t9", "reviews_itself", None),
    Bad("tasks", "priority", "urgent!", "enum", ...),
    Bad("tasks", "status", "complete", "enum", ...),
    Bad("tasks", "pinned", "maybe", "yes_no", ...),
    Bad("tasks", "deadline_time", "25:00", "not_a_time", "17:00"),
    Bad("tasks", "release", "2027-03-21", "release_after_deadline", "2027-03-20"),
    Bad("tasks", "estimate_min", "0", "greater_than_equal", "1"),
    Bad("tasks", "estimate_min", "-1", "greater_than_equal", "1"),
    Bad("people", "level", "boss", "unknown_reference", ...),
    Bad("people", "mon_min", "1441", "less_than_equal", "1440"),
    Bad("clients", "tier", "gold", "enum", ...),
    Bad("clients", "usual_person", "nobody", "unknown_reference", ...),
    Bad("clients", "barred", "ann; nobody", "unknown_reference", ...),
    Bad("task_types", "min_level", "boss", "unknown_reference", ...),
    Bad("task_types", "review_min_level", "boss", "unknown_reference", ...),
    Bad("task_types", "complexity", "6", "less_than_equal", "5"),
    Bad("task_types", "needs_review", "perhaps", "yes_no", ...),
    Bad("skills", "person", "zoe", "unknown_reference", ...),
    Bad("skills", "efficiency_pct", "5", "greater_than_equal", "10"),
    Bad("time_off", "last_day", "2027-03-31", "range_reversed", "2027-04-01"),
    Bad("overtime", "people", "ann; zoe", "unknown_reference", ...),
    Bad("overtime", "levels", "boss", "unknown_reference", ...),
    Bad("time_entries", "task", "t99", "unknown_reference", ...),
    Bad("time_entries", "minutes", "1441", "out_of_range", "1440"),
    Bad("assignments", "person", "zoe", "unknown_reference", ...),
    Bad("settings", "key", "time_zome", "unknown_setting", "time_zone"),
]


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: f"{bad.sheet}-{bad.column}-{bad.cell[:12]!r}-{bad.code}")
def test_a_bad_cell_costs_its_row_only_and_is_explained(bad: Bad, folder: FolderMaker) -> None:
    intake = read_firm(folder(**{bad.sheet: _with_row(bad)}))
    found = [one for one in intake.rejects if one.sheet == bad.sheet and one.field == bad.column]
    assert found, intake.rejects
    (reject,) = found
    if bad.code:
        assert reject.code == bad.code
    if bad.nearest is not ...:
        assert reject.nearest == bad.nearest
    assert reject.row == 1 + len(good_rows(bad.sheet)) + 1
    _nothing_lost(intake)
    taken = {count.sheet: count.rejected for count in intake.counts}
    assert taken[bad.sheet] == 1
    assert sum(taken.values()) == 1


@pytest.mark.parametrize(
    ("sheet", "key"),
    [
        ("people", "id"),
        ("clients", "id"),
        ("task_types", "id"),
        ("tasks", "id"),
        ("levels", "name"),
        ("skills", "skill"),
        ("settings", "key"),
        ("assignments", "person"),
    ],
)
def test_the_second_row_of_one_id_is_refused(sheet: str, key: str, folder: FolderMaker) -> None:
    intake = read_firm(folder(**{sheet: csv_text([*good_rows(sheet), GOOD_ROW[sheet], GOOD_ROW[sheet]])}))
    last = 1 + len(good_rows(sheet)) + 2
    (reject,) = intake.rejects
    assert (reject.sheet, reject.row, reject.field) == (sheet, last, key)
    assert reject.code == ("assigned_twice" if sheet == "assignments" else "duplicate_id")
    _nothing_lost(intake)


@pytest.mark.parametrize(("sheet", "column"), [(sheet, name) for sheet, names in REQUIRED.items() for name in names])
def test_a_missing_column_refuses_every_row_of_its_sheet(sheet: str, column: str, folder: FolderMaker) -> None:
    row = {name: cell for name, cell in GOOD_ROW[sheet].items() if name != column} or {"other": "x"}
    intake = read_firm(folder(**{sheet: csv_text([row, row])}))
    found = [one for one in intake.rejects if one.sheet == sheet and one.code == "missing_column"]
    assert {(one.row, one.field) for one in found} >= {(2, column), (3, column)}
    _nothing_lost(intake)


ENCODINGS: tuple[tuple[str, bytes], ...] = (
    ("utf-8", "id,name,level\nzo\u00eb,Zo\u00eb,senior\nann,Ann,senior\nbob,B,associate\n".encode()),
    ("utf-8 with a mark", b"\xef\xbb\xbf" + "id,name,level\nann,Zo\u00eb,senior\nbob,B,associate\n".encode()),
    ("utf-16 little", "id,name,level\nann,Zo\u00eb,senior\nbob,B,associate\n".encode("utf-16")),
    ("utf-16 big", b"\xfe\xff" + "id,name,level\nann,Zo\u00eb,senior\nbob,B,associate\n".encode("utf-16-be")),
    ("utf-16 without a mark", "id,name,level\nann,Zo\u00eb,senior\nbob,B,associate\n".encode("utf-16-le")),
    ("windows-1252", "id,name,level\nann,Zo\u00eb,senior\nbob,B,associate\n".encode("cp1252")),
)


@pytest.mark.parametrize(("name", "content"), ENCODINGS, ids=[name for name, _ in ENCODINGS])
def test_names_survive_every_usual_encoding(name: str, content: bytes, folder: FolderMaker) -> None:
    intake = read_firm(folder(people=content))
    assert "Zo\u00eb" in {person.name for person in intake.firm.people}
    assert not [one for one in intake.rejects if one.sheet == "people"]


def test_an_assignment_against_the_tasks_sheet_is_refused(folder: FolderMaker) -> None:
    intake = read_firm(folder(assignments="task,person\nt1,bob\nt2,ann\n"))
    (reject,) = intake.rejects
    assert (reject.row, reject.field, reject.code, reject.nearest) == (2, "person", "assigned_twice", "ann")


def test_damaged_bytes_cost_their_row_and_no_other(folder: FolderMaker) -> None:
    content = "id,name,level\nann,Zo\u00eb,senior\nbob,B,associate\n".encode() + b"cid,C\xff,senior\n"
    intake = read_firm(folder(people=content))
    assert [person.name for person in intake.firm.people] == ["Zo\u00eb", "B"]
    assert [(one.row, one.field, one.code) for one in intake.rejects] == [(4, "name", "lost_characters")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_usual_separator_is_read(separator: str, line_end: str, folder: FolderMaker) -> None:
    text = "id,level\nann,senior\nbob,associate\n".replace(",", separator).replace("\n", line_end)
    assert [person.id for person in read_firm(folder(people=text)).firm.people] == ["ann", "bob"]


def test_an_open_quotation_mark_costs_its_line_only(folder: FolderMaker) -> None:
    text = 'id,name,level\nann,"Ann Bell,senior\nbob,Bob,associate\ncid,"Cid, Jr",senior\n'
    intake = read_firm(folder(people=text))
    assert [person.id for person in intake.firm.people] == ["bob", "cid"]
    assert (2, "broken_line") in {(one.row, one.code) for one in intake.rejects}
    _nothing_lost(intake)


def test_a_cell_beyond_the_header_refuses_its_row(folder: FolderMaker) -> None:
    intake = read_firm(folder(people="id,level\nann,senior\nbob,associate,surplus\n"))
    assert [(one.row, one.code) for one in intake.rejects if one.sheet == "people"] == [(3, "too_many_cells")]


def test_a_column_given_twice_refuses_the_rows(folder: FolderMaker) -> None:
    intake = read_firm(folder(people="id,level,grade\nann,senior,senior\n"))
    assert {one.code for one in intake.rejects if one.sheet == "people"} == {"column_twice"}
    _nothing_lost(intake)


def test_rows_that_refer_to_a_refused_row_are_refused_with_it(folder: FolderMaker) -> None:
    intake = read_firm(folder(clients="id,tier\nacme,gold\nzeta,high\n"))
    reasons = {(one.sheet, one.row): one.reason for one in intake.rejects}
    assert "was refused in row 2 of clients" in reasons["tasks", 2]
    assert [task.id for task in intake.firm.tasks] == ["t2"]
    _nothing_lost(intake)


def test_a_review_of_a_refused_task_and_a_circle_of_reviews_are_refused(folder: FolderMaker) -> None:
    rows = ["t1,soon,", "t2,2027-03-01,t1", "t3,2027-03-01,t2", "a,2027-03-01,b", "b,2027-03-01,a", "ok,2027-03-01,"]
    text = "id,deadline,reviews,type,client\n" + "".join(f"{row},return,acme\n" for row in rows)
    intake = read_firm(folder(tasks=text, time_entries=None, assignments=None))
    assert [task.id for task in intake.firm.tasks] == ["ok"]
    assert [one.code for one in intake.rejects] == [
        "not_a_date", "unknown_reference", "unknown_reference", "review_circle", "review_circle",
    ]  # fmt: skip


EMPTY: tuple[tuple[str, bytes], ...] = (
    ("nothing", b""),
    ("blank lines", b"\n\n \n"),
    ("a mark only", b"\xef\xbb\xbf"),
    ("header only", b"id,type,client,deadline\n"),
    ("separators only", b",,,\n;;;\n"),
    ("zero bytes", b"\x00" * 64),
)


@pytest.mark.parametrize("sheet", ["people", "tasks", "settings"])
@pytest.mark.parametrize(("name", "content"), EMPTY, ids=[name for name, _ in EMPTY])
def test_an_empty_file_is_a_firm_without_those_rows(sheet: str, name: str, content: bytes, folder: FolderMaker) -> None:
    _nothing_lost(read_firm(folder(**{sheet: content})))


@pytest.mark.parametrize("start", [b"PK\x03\x04rest", b"\x89PNG\r\n", b"%PDF-1.7", b"\xd0\xcf\x11\xe0\xa1"])
def test_a_file_that_is_no_text_is_named_and_the_others_are_read(start: bytes, folder: FolderMaker) -> None:
    intake = read_firm(folder(time_off=start))
    assert [(one.sheet, one.row, one.code) for one in intake.rejects] == [("time_off", 0, "not_text")]
    assert len(intake.firm.tasks) == 3


def test_a_hundred_thousand_rows_are_all_counted(folder: FolderMaker) -> None:
    rows = (
        f"n{i},{'return' if i % 10 else 'retrun'},acme,{'2027-03-20' if i % 7 else '2027-02-30'},60,\n"
        for i in range(100_000)
    )
    text = "id,type,client,deadline,estimate_min,assignee\n" + "".join(rows)
    intake = read_firm(folder(tasks=text, time_entries=None, assignments=None))
    bad = sum(1 for i in range(100_000) if i % 10 == 0 or i % 7 == 0)
    (count,) = [one for one in intake.counts if one.sheet == "tasks"]
    assert (count.read, count.taken, count.rejected) == (100_000, 100_000 - bad, bad)
    assert {one.code for one in intake.rejects} == {"unknown_reference", "no_such_day"}


WHOLES: tuple[tuple[str, bytes], ...] = (
    ("firm.json", b""),
    ("firm.json", b"{"),
    ("firm.json", b"[]"),
    ("firm.json", b'{"people": 3}'),
    ("firm.json", b'{"poeple": []}'),
    ("firm.json", b'{"people": [], "people": []}'),
    ("firm.json", b'{"time_zone": "Mars/Olympus"}'),
    ("firm.json", b'{"policy": {"weights": {"move": NaN}}}'),
    ("firm.json", b"\xff\xff\xff"),
    ("firm.json", b"[" * 100_000),
    ("firm.xlsx", b""),
    ("firm.xlsx", b"PK\x03\x04 cut"),
    ("firm.xlsx", b"id,level\nann,senior\n"),
    ("firm.xls", b"\xd0\xcf\x11\xe0"),
    ("firm.ods", b"PK\x03\x04"),
    ("people.csv", b"id,level\n"),
    ("firm.docx", b"PK\x03\x04"),
)


@pytest.mark.parametrize(("name", "content"), WHOLES)
def test_an_input_that_cannot_be_read_says_so_in_one_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(IntakeError) as caught:
        read_firm(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_and_a_missing_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="none of the sheets"):
        read_firm(tmp_path)
    (tmp_path / "frim").mkdir()
    with pytest.raises(IntakeError, match=r'Nearest: ".*frim"'):
        read_firm(tmp_path / "firm")


def test_bad_elements_of_a_json_firm_cost_themselves_only(tmp_path: Path) -> None:
    path = tmp_path / "firm.json"
    path.write_text('{"people": [{"id": "ann", "level": "senior"}, 7, {"id": "bob"}, {"id": "cid", "level": "x"}]}')
    intake = read_firm(path)
    assert [person.id for person in intake.firm.people] == ["ann"]
    assert [(one.row, one.code) for one in intake.rejects] == [
        (2, "not_an_object"), (3, "missing"), (4, "unknown_reference"),
    ]  # fmt: skip


def test_the_rejects_file_holds_every_reject_and_runs_no_formula(folder: FolderMaker, tmp_path: Path) -> None:
    intake = read_firm(folder(people="id,level\n=cmd(),senior\nann,senior\nbob,@boss\n"))
    path = tmp_path / "out" / "rejects.csv"
    write_rejects(intake.rejects, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == len(intake.rejects) >= 2
    assert all(row["reason"] and row["sheet"] and row["row"] for row in written)
    assert not [cell for row in written for cell in row.values() if cell.startswith(("=", "@"))]


def _with_row(bad: Bad) -> str:
    return csv_text([*good_rows(bad.sheet), {**GOOD_ROW[bad.sheet], bad.column: bad.cell}])


def _nothing_lost(intake: Intake) -> None:
    for count in intake.counts:
        assert count.read == count.taken + count.rejected
        assert count.rejected == len({one.row for one in intake.rejects if one.sheet == count.sheet})
    for one in intake.rejects:
        assert one.reason
        assert one.field
        assert one.code
    firm = intake.firm
    taken = {count.sheet: count.taken for count in intake.counts}
    assert len(firm.people) == taken.get("people", 0)
    assert len(firm.tasks) == taken.get("tasks", 0)
    assert len(firm.time_off) == taken.get("time_off", 0)
    assert sum(len(person.skills) for person in firm.people) == taken.get("skills", 0)
