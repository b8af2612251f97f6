from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.intake import write_firm
from api.routes.limits import LARGER_BYTES
from api.routes.uploads import FORMS, UNPACKED_BYTES
from api.store.loading import load_firm
from api.store.log import verify
from solver.firm import Firm
from tests.api.routes.asking import Api, Ask, new, problem
from tests.csv_firm import GOOD


def sent(api: Api, content: bytes, form: str, query: str = "") -> httpx.Response:
    headers = {"Content-Type": FORMS.get(form, form)}
    return api.send(Ask("POST", f"/firm/import{query}", content, api.owner, headers))[0]


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"exported/{name}.csv", text)
    return buffer.getvalue()


def stored(api: Api) -> Firm:
    with api.database.reading("one") as session:
        return load_firm(session)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_exported_is_imported_as_the_same_firm(api: Api, form: str) -> None:
    api.ask("POST", "/tasks", new("a"))
    api.ask(
        "POST",
        "/calendar",
        {"kind": "time_off", "person": "one-ann", "first_day": "2027-03-08", "last_day": "2027-03-09"},
    )
    before, version = stored(api), api.ask("GET", "/firm").json()["version"]
    exported = api.ask("GET", f"/firm/export?form={form}")
    assert exported.headers["content-type"] == FORMS[form]
    assert exported.headers["content-disposition"] == f'attachment; filename="firm.{form}"'
    for mode in ("merge", "replace"):
        found = sent(api, exported.content, form, f"?mode={mode}")
        assert (found.status_code, found.json()["rejects"], found.json()["version"]) == (200, [], version)
        assert stored(api) == before


def test_a_folder_takes_the_place_of_the_firm_or_stands_beside_it(api: Api) -> None:
    rows = {name: text.count("\n") - 1 for name, text in GOOD.items()}
    tried = sent(api, zipped(**GOOD), "zip", "?mode=replace&dry_run=true").json()
    assert (tried["stored"], {one["sheet"]: one["taken"] for one in tried["rows"]}) == (False, rows)
    assert [one.id for one in stored(api).tasks] == ["one-t"]
    replaced = sent(api, zipped(**GOOD), "zip", "?mode=replace").json()
    assert (replaced["stored"], len(stored(api).tasks), stored(api).time_zone) == (True, 3, "Europe/Berlin")
    more = "id,type,client,deadline,estimate_min\nfresh,{0.type},{0.client},2027-04-01,60\n".format(
        stored(api).tasks[0]
    )
    assert sent(api, zipped(tasks=more), "zip").status_code == 200
    assert len(stored(api).tasks) == 4
    with api.database.reading("one") as session:
        assert verify(session).broken is None
    assert [one["outcome"] for one in api.ask("GET", "/decisions?kind=import").json()["decisions"]] == [
        "merge",
        "replace",
    ]


def test_nothing_is_half_imported_and_every_refused_row_has_its_place(api: Api) -> None:
    files = {
        "clients": "id,name,usual_person\nbirch,Birch,one-ann\ncedar,Cedar,one-amn\n",
        "tasks": "id,type,client,deadline,estimate_min\na,return,birch,2027-03-19,60\nb,return,birch,soon,60\n",
    }
    before = stored(api)
    document = problem(sent(api, zipped(**files), "zip"), 422, "unknown_reference")
    assert [(one["file"], one["row"], one["field"], one.get("nearest")) for one in document["errors"]] == [
        ("clients", 3, "usual_person", "one-ann"),
        ("tasks", 3, "deadline", None),
    ]
    assert stored(api) == before
    found = sent(api, zipped(**files), "zip", "?on_rejects=take_the_rest").json()
    assert {one["sheet"]: (one["read"], one["taken"], one["rejected"]) for one in found["rows"]} == {
        "clients": (2, 1, 1),
        "tasks": (2, 1, 1),
    }
    assert [(one["file"], one["row"]) for one in found["rejects"]] == [("clients", 3), ("tasks", 3)]
    assert [one.id for one in stored(api).clients] == ["acme", "birch"]
    assert [one.id for one in stored(api).tasks] == ["one-t", "a"]


def test_a_firm_without_work_that_somebody_logged_time_on_is_refused(api: Api) -> None:
    api.ask("POST", "/tasks/one-t/time", {"person": "one-ann", "day": "2027-03-01", "minutes": 5})
    before = stored(api)
    assert problem(sent(api, zipped(**GOOD), "zip", "?mode=replace"), 409, "referred_to")["value"] == "one-t"
    assert stored(api) == before


@pytest.mark.parametrize(
    "content, form, status, code",
    [
        (b"{", "json", 422, "input_unusable"),
        (b'{"colour": 1}', "json", 422, "input_unusable"),
        (b'{"policy": {"weights": {"move": -1}}}', "json", 422, "input_unusable"),
        (b"PK", "zip", 422, "input_unusable"),
        (b"PK", "xlsx", 422, "input_unusable"),
        (zipped(), "zip", 422, "input_unusable"),
        (zipped(colours="a,b\n"), "zip", 422, "input_unusable"),
        (b"a,b", "text/csv", 415, "media_type"),
        (b"", "", 415, "media_type"),
        (zipped(tasks="0" * (UNPACKED_BYTES + 1)), "zip", 413, "unpacked_too_large"),
        (zipped(tasks="0" * (UNPACKED_BYTES + 1)), "xlsx", 413, "unpacked_too_large"),
    ],
)
def test_what_is_no_firm_is_one_problem_without_our_paths(
    api: Api, content: Any, form: str, status: int, code: str
) -> None:
    document = problem(sent(api, content, form), status, code)
    assert "evenhand-import" not in str(document)


def test_an_upload_has_a_limit(api: Api) -> None:
    limit = LARGER_BYTES["/firm/import"]
    assert problem(sent(api, b" " * (limit + 1), "json"), 413, "body_too_large")["nearest"] == str(limit)
    problem(sent(api, b" " * limit, "json"), 422, "input_unusable")


def test_a_zip_with_one_workbook_is_that_workbook_and_names_lead_nowhere_else(api: Api, tmp_path: Path) -> None:
    write_firm(stored(api), tmp_path / "firm.xlsx")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../firm.xlsx", (tmp_path / "firm.xlsx").read_bytes())
        archive.writestr("__MACOSX/._firm.xlsx", b"x")
    assert sent(api, buffer.getvalue(), "zip").json()["stored"]
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("other/firm.xlsx", b"x")
    assert "twice" in problem(sent(api, buffer.getvalue(), "zip"), 422, "input_unusable")["detail"]


def test_names_that_csv_cannot_hold_are_exported_as_json_only(api: Api) -> None:
    api.ask("POST", "/people", {"id": "a;b", "level": "senior"})
    api.ask("POST", "/clients", {"id": "c", "barred": ["a;b"]})
    assert problem(api.ask("GET", "/firm/export?form=zip"), 409, "form")["nearest"] == "json"
    assert api.ask("GET", "/firm/export?form=json").status_code == 200


def test_work_that_comes_while_files_are_read_stays(api: Api) -> None:
    headers = {"Content-Type": FORMS["zip"]}
    imports = [Ask("POST", "/firm/import", zipped(clients=f"id,name\nc{i},C\n"), api.owner, headers) for i in range(3)]
    placements = [Ask("POST", "/tasks", new(f"n{i}"), api.owner) for i in range(12)]
    found = api.send(*placements[:4], imports[0], *placements[4:8], imports[1], *placements[8:], imports[2])
    assert {one.status_code for one in found} == {200, 201}
    after = stored(api)
    assert {one.id for one in after.tasks} == {"one-t", *(f"n{i}" for i in range(12))}
    assert {one.id for one in after.clients} == {"acme", "c0", "c1", "c2"}
    answered = {one.json()["task"]["id"]: one.json()["task"]["assignee"] for one in found if one.status_code == 201}
    assert answered.items() <= {one.id: one.assignee for one in after.tasks}.items()
