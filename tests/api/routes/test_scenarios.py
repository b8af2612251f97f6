"""Scenarios over HTTP: kept, changed, re-based, worked out, reported, turned into proposals."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from openpyxl import load_workbook

from api.roles import Role
from api.routes import events
from api.store import runs as stored
from tests.api.routes.asking import Api, Ask, new, problem
from tests.api.routes.runs_for_tests import work_out
from tests.api.routes.test_solves import steps

AWAY = {"change": "away", "person": "one-ann", "first_day": "2027-03-02", "last_day": "2027-03-12"}
HIRE = {"change": "joins", "id": "hire", "level": "associate", "skills": [{"skill": "tax"}]}
HOURS = {"change": "overtime", "first_day": "2027-03-01", "last_day": "2027-03-19", "per_week_min": 120}
OFF_SOONER = {"kind": "time_off", "person": "one-ann", "first_day": "2027-03-02", "last_day": "2027-03-05"}
ABOUT: tuple[dict[str, Any], ...] = (AWAY, HOURS, HIRE, AWAY)
ANY = {"If_Match": "*"}


def kept(api: Api, *changes: dict[str, Any], name: str = "Ann away", **more: Any) -> dict[str, Any]:
    found = api.ask("POST", "/scenarios", {"name": name, "changes": changes or [AWAY], **more})
    assert found.status_code == 201, found.text
    answer = dict(found.json())
    assert found.headers["location"] == f"/api/v1/scenarios/{answer['id']}"
    assert found.headers["etag"] == f'"{answer["version"]}"'
    return answer


def started(api: Api, scenario: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    found = api.ask("POST", f"/scenarios/{scenario}/runs", body or {"kind": "what_if"}, **headers)
    assert found.status_code == 202, found.text
    answer = dict(found.json())
    assert found.headers["location"] == f"/api/v1/scenarios/{scenario}/runs/{answer['id']}"
    return answer


def worked_out(api: Api, scenario: str, body: dict[str, Any] | None = None) -> str:
    """Start a run, do it, and return its address."""
    run = started(api, scenario, body)["id"]
    work_out(api, run)
    return f"/scenarios/{scenario}/runs/{run}"


def busy(api: Api) -> None:
    """Let Ann have three days of work due on Friday, and each of the others two that stay with them."""
    api.ask("PATCH", "/tasks/one-t", {"estimate_min": 480, "deadline": "2027-03-05"}, **ANY)
    own = [("one-ann", 1), ("one-ann", 2), *((f"one-p{i}", n) for i in range(3) for n in range(2))]
    for person, n in own:
        task = new(f"{person}-{n}", estimate_min=480, deadline="2027-03-05", requested_person=person)
        placed = api.ask("POST", "/tasks", task)
        assert placed.json()["task"]["assignee"] == person, placed.text
        fixed = {"requested_person": None, "pinned": person != "one-ann"}
        assert api.ask("PATCH", f"/tasks/{person}-{n}", fixed, **ANY).status_code == 200


# Kept


def test_a_scenario_is_kept_with_ids_and_read_with_what_becomes_of_it(api: Api) -> None:
    made = kept(api, {**AWAY, "person": "Ann One"}, HOURS, name="Ann One away", note="asked by Ann One")
    assert [change["change"] for change in made["changes"]] == ["away", "overtime"]
    assert made["changes"][0]["person"] == "one-ann"
    assert (made["name"], made["note"], made["version"]) == ("Ann One away", "asked by Ann One", 1)
    assert made["base_version"] == made["firm_version"] == api.ask("GET", "/firm").json()["version"]
    assert [one["fate"] for one in made["today"]] == ["kept", "kept"]
    assert made["today"][0]["sentence"] == "Ann One is away from 2 Mar 2027 to 12 Mar 2027."
    assert api.ask("GET", f"/scenarios/{made['id']}").json() == made
    # Names stand in one cell: whoever is renamed is named so here too.
    ann = api.ask("GET", "/people/one-ann").json()["person"]
    api.ask("PUT", "/people/one-ann", {**ann, "name": "Anna Oz"}, **ANY)
    read = api.ask("GET", f"/scenarios/{made['id']}").json()
    assert (read["name"], read["today"][0]["sentence"][:7]) == ("Anna Oz away", "Anna Oz")
    assert "Ann One" not in json.dumps(read)


def test_the_same_key_keeps_one_scenario(api: Api) -> None:
    body = {"name": "Ann away", "changes": [AWAY]}
    first = api.ask("POST", "/scenarios", body, Idempotency_Key="k")
    again = api.ask("POST", "/scenarios", body, Idempotency_Key="k")
    assert (first.status_code, first.json()) == (201, again.json())
    problem(api.ask("POST", "/scenarios", {**body, "name": "x"}, Idempotency_Key="k"), 422, "idempotency_key_reused")
    assert len(api.ask("GET", "/scenarios").json()["scenarios"]) == 1
    api.ask("POST", "/people/one-ann/leave", {"last_day": "2027-03-01"}, **ANY)  # it would be refused by now
    again = api.ask("POST", "/scenarios", body, Idempotency_Key="k")
    assert (again.status_code, again.json()["id"], again.json()["today"][0]["fate"]) == (
        201,
        first.json()["id"],
        "dropped",
    )
    problem(api.ask("POST", "/scenarios", body), 422, "conflict")


@pytest.mark.parametrize(
    "changes, code, field, nearest",
    [
        ([{**AWAY, "person": "one-anm"}], "unknown_reference", "changes.0.person", "one-ann"),
        ([HOURS, {**AWAY, "change": "awa"}], "unknown_reference", "changes.1.change", "away"),
        ([{**AWAY, "last": "2027-03-12"}], "unknown_reference", "changes.0.last", "last_day"),
        ([{**AWAY, "first_day": "soon"}], "date_from_datetime_parsing", "changes.0.first_day", None),
        ([{**AWAY, "last_day": "2027-03-01"}], "range_reversed", "changes.0.last_day", None),
        ([{**HIRE, "count": 1_001}], "less_than_equal", "changes.0.count", "1000"),
        ([{"change": "task_dropped", "task": "one-u"}], "unknown_reference", "changes.0.task", "one-t"),
        ([{"change": "policy", "name": "weights.mov", "value": 1}], "unknown_setting", "changes.0.name", "weights.move"),
        (["away"], "model_attributes_type", "changes.0", None),
        ([], "too_short", "changes", None),
        ([AWAY] * 101, "too_long", "changes", None),
        ([{"change": "leaves", "person": "one-ann", "last_day": "2027-03-10"}, {**AWAY, "first_day": "2027-03-11"}],
         "conflict", "changes.1.person", None),
    ],
)  # fmt: skip
def test_what_cannot_be_a_change_is_said_with_field_value_and_nearest(
    api: Api, changes: list[Any], code: str, field: str, nearest: str | None
) -> None:
    found = api.ask("POST", "/scenarios", {"name": "x", "changes": changes})
    document = problem(found, 422, found.json()["code"])
    assert (document["field"], document["code"]) == (field, code), document
    if nearest is not None:
        assert document["nearest"] == nearest
    assert api.ask("GET", "/scenarios").json()["scenarios"] == []


def test_scenarios_are_listed_newest_first_in_pages_and_by_what_they_are_about(api: Api) -> None:
    ids = [kept(api, change, name=f"number {n}")["id"] for n, change in enumerate(ABOUT)]
    seen, after = [], ""
    while True:
        page = api.ask("GET", f"/scenarios?limit=3{after}").json()
        seen += [one["id"] for one in page["scenarios"]]
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    assert seen == ids[::-1]

    def listed(query: str) -> list[str]:
        return [one["id"] for one in api.ask("GET", f"/scenarios?{query}").json()["scenarios"]]

    assert listed("change=away") == [ids[3], ids[0]]
    assert listed("person=one-ann&limit=1") == [ids[3]]
    assert listed("search=NUMBER%202") == [ids[2]]
    assert listed("search=nothing") == []
    actor = api.ask("GET", "/scenarios").json()["scenarios"][0]["created_by"]
    assert listed(f"created_by={actor}") == ids[::-1]
    assert listed("created_by=token:x") == []
    assert problem(api.ask("GET", "/scenarios?change=awa"), 422, "unknown_reference")["nearest"] == "away"
    problem(api.ask("GET", "/scenarios?cursor=x"), 422, "cursor_unknown")


def test_a_scenario_is_replaced_and_removed_by_whoever_has_read_it(api: Api) -> None:
    id = kept(api)["id"]
    body = {"name": "Overtime", "changes": [HOURS]}
    problem(api.ask("PUT", f"/scenarios/{id}", body), 428, "if_match_missing")
    found = api.ask("PUT", f"/scenarios/{id}", body, If_Match='"1"')
    assert (found.status_code, found.headers["etag"], found.json()["name"]) == (200, '"2"', "Overtime")
    assert problem(api.ask("PUT", f"/scenarios/{id}", body, If_Match='"1"'), 412, "changed")["nearest"] == "2"
    problem(api.ask("DELETE", f"/scenarios/{id}", None, If_Match='"1"'), 412, "changed")
    assert api.ask("DELETE", f"/scenarios/{id}", None, If_Match='"2"').status_code == 204
    for method, more in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/rebase"), ("GET", "/runs")):
        sent = body if method == "PUT" else None
        problem(api.ask(method, f"/scenarios/{id}{more}", sent, **ANY), 404, "not_found")


# Re-based


def test_a_scenario_says_what_applies_no_more_and_moves_only_when_somebody_accepts_it(api: Api) -> None:
    drop = {"change": "priority", "tasks": ["one-t", "one-x"], "priority": "high"}
    api.ask("POST", "/tasks", new("one-x"))
    made = kept(api, AWAY, drop, HOURS)
    api.ask("POST", "/tasks/one-t/complete", {}, **ANY)
    assert api.ask("POST", "/calendar", OFF_SOONER).status_code == 201
    api.ask("POST", "/people/one-p0/leave", {"last_day": "2027-03-01"}, **ANY)
    read = api.ask("GET", f"/scenarios/{made['id']}").json()
    assert (read["base_version"], read["version"]) == (made["base_version"], 1)
    assert read["firm_version"] > made["firm_version"]
    fates = [(one["fate"], one["reason"]) for one in read["today"]]
    assert fates[1] == ("altered", "task one-t is done by now")
    assert [fate for fate, _ in fates] == ["kept", "altered", "kept"]
    assert read["today"][1]["change"]["tasks"] == ["one-x"]
    assert read["changes"] == made["changes"]
    problem(api.ask("POST", f"/scenarios/{made['id']}/rebase", None), 428, "if_match_missing")
    found = api.ask("POST", f"/scenarios/{made['id']}/rebase", None, If_Match='"1"')
    assert found.status_code == 200, found.text
    after = found.json()
    assert (after["version"], after["base_version"]) == (2, read["firm_version"])
    assert [one["fate"] for one in after["today"]] == ["kept"] * 3
    assert after["changes"][1]["tasks"] == ["one-x"]
    problem(api.ask("POST", f"/scenarios/{made['id']}/rebase", None, If_Match='"1"'), 412, "changed")


def test_a_scenario_of_which_nothing_is_left_is_neither_accepted_nor_worked_out(api: Api) -> None:
    made = kept(api, {"change": "task_dropped", "task": "one-t"})
    api.ask("POST", "/tasks/one-t/complete", {}, **ANY)
    read = api.ask("GET", f"/scenarios/{made['id']}").json()
    assert [(one["fate"], one["reason"]) for one in read["today"]] == [("dropped", "task one-t is done by now")]
    problem(api.ask("POST", f"/scenarios/{made['id']}/rebase", None, **ANY), 409, "nothing_applies")
    problem(api.ask("POST", f"/scenarios/{made['id']}/runs", {"kind": "what_if"}), 409, "nothing_applies")


# Worked out


def test_a_run_waits_and_says_on_which_changes_it_rests(api: Api) -> None:
    made = kept(api, {"change": "task_dropped", "task": "one-t"}, AWAY)
    api.ask("POST", "/tasks/one-t/complete", {}, **ANY)
    run = started(api, made["id"], {"kind": "what_if", "work_units": 0.5, "seed": 3})
    assert (run["kind"], run["state"], run["position"], run["scenario"]) == ("what_if", "queued", 1, made["id"])
    assert run["ask"] == {"kind": "what_if", "seed": 3, "today_work_units": 2.0, "work_units": 0.5, "rounds": 2}
    assert [change["change"] for change in run["changes"]] == ["away"]
    assert [one["fate"] for one in run["rebased"]] == ["dropped", "kept"]
    assert run["actor"].startswith("token:")
    address = f"/scenarios/{made['id']}/runs/{run['id']}"
    assert api.ask("GET", address).json() == run
    document = problem(api.ask("GET", f"{address}/result"), 409, "no_result")
    assert (document["value"], document["nearest"]) == ("queued", "done")
    api.ask("PUT", f"/scenarios/{made['id']}", {"name": "x", "changes": [HOURS]}, **ANY)
    api.later(seconds=1)
    api.ask("PUT", f"/scenarios/{made['id']}", {"name": "x", "changes": [HOURS]}, **ANY)
    read = api.ask("GET", address).json()
    assert (read["rebased"], read["changes"]) == (None, run["changes"])


def test_the_same_key_starts_one_run(api: Api) -> None:
    id = kept(api)["id"]
    first = started(api, id, Idempotency_Key="k")
    assert started(api, id, Idempotency_Key="k")["id"] == first["id"]
    problem(
        api.ask("POST", f"/scenarios/{id}/runs", {"kind": "risk"}, Idempotency_Key="k"), 422, "idempotency_key_reused"
    )
    page = api.ask("GET", f"/scenarios/{id}/runs").json()
    assert ([one["id"] for one in page["runs"]], page["next"]) == ([first["id"]], None)


def test_runs_are_listed_newest_first_and_by_kind(api: Api) -> None:
    id, other = kept(api)["id"], kept(api, HOURS)["id"]
    asked = ({"kind": "what_if"}, {"kind": "risk", "draws": 2}, {"kind": "what_if", "seed": 1})
    runs = [started(api, id, one)["id"] for one in asked]
    started(api, other)
    page = api.ask("GET", f"/scenarios/{id}/runs?limit=2").json()
    assert [one["id"] for one in page["runs"]] == runs[:0:-1]
    page = api.ask("GET", f"/scenarios/{id}/runs?limit=2&cursor={page['next']}").json()
    assert ([one["id"] for one in page["runs"]], page["next"]) == (runs[:1], None)
    assert [one["id"] for one in api.ask("GET", f"/scenarios/{id}/runs?kind=risk").json()["runs"]] == [runs[1]]
    problem(api.ask("GET", f"/scenarios/{other}/runs/{runs[0]}"), 404, "not_found")


def test_a_full_queue_is_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_WAITING", 1)
    id = kept(api)["id"]
    first = started(api, id)
    document = problem(api.ask("POST", f"/scenarios/{id}/runs", {"kind": "risk"}), 429, "queue_full")
    assert (document["field"], document["nearest"]) == ("runs", "1")
    assert api.ask("POST", f"/scenarios/{id}/runs/{first['id']}/cancel").json()["state"] == "cancelled"
    started(api, id, {"kind": "risk", "draws": 2})


@pytest.mark.parametrize(
    "body, code, field",
    [
        ({"kind": "what"}, "union_tag_invalid", "input"),
        ({"kind": "what_if", "rounds": 11}, "less_than_equal", "what_if.rounds"),
        ({"kind": "risk", "draws": 1}, "greater_than_equal", "risk.draws"),
        ({"kind": "sweep", "axes": []}, "too_short", "sweep.axes"),
        ({"kind": "sweep", "axes": [{"field": "0.days", "values": [1]}]}, "unknown_reference", None),
        ({"kind": "sweep", "axes": [{"field": "7.days", "values": [1]}]}, "unknown_reference", "axes.0.field"),
        ({"kind": "sweep", "axes": [{"field": "1.per_week_min", "values": [-1, -60]}]}, "greater_than_equal", None),
        ({"kind": "sweep", "axes": [{"field": "1.per_week_min", "values": list(range(201))}]}, "too_many_values", None),
        ({"kind": "sweep", "axes": [{"field": "0.person", "values": ["one-y", "one-x"]}]}, "unknown_reference", "axes.values.person"),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_out_is_said(api: Api, body: dict[str, Any], code: str, field: str | None) -> None:
    id = kept(api, AWAY, HOURS)["id"]
    found = api.ask("POST", f"/scenarios/{id}/runs", body)
    document = problem(found, 422, found.json()["code"])
    assert document["code"] == code, document
    assert field in (None, document["field"]), document
    assert api.ask("GET", f"/scenarios/{id}/runs").json()["runs"] == []


def test_what_came_of_a_comparison_is_read_with_names_and_downloaded(api: Api) -> None:
    made = kept(api, AWAY, HIRE, name="<b>Ann away</b>")
    address = worked_out(api, made["id"])
    run = api.ask("GET", address).json()
    assert (run["state"], run["points"], run["points_done"]) == ("done", 1, 1)
    found = api.ask("GET", f"{address}/result").json()["result"]
    assert found["kind"] == "what_if"
    assert found["comparison"]["changes"][0] == "Ann One is away from 2 Mar 2027 to 12 Mar 2027."
    assert len(found["comparison"]["difference"]["figures"]) == 5
    assert {one["task"] for one in found["plan_after"]["tasks"]} == {"one-t"}
    assert "⟦" not in str(found)
    page = api.ask("GET", f"{address}/report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"] == 'attachment; filename="what-if.html"'
    assert "&lt;b&gt;Ann away&lt;/b&gt;" in page.text
    assert "<script" not in page.text
    assert "Ann One" in page.text
    assert "⟦" not in page.text
    book = load_workbook(io.BytesIO(api.ask("GET", f"{address}/report?form=xlsx").content))
    assert "Ann One is away from 2 Mar 2027 to 12 Mar 2027." in [
        cell.value for row in book.worksheets[0] for cell in row
    ]
    problem(api.ask("GET", f"{address}/report?form=pdf"), 422, "enum")


def test_partial_results_of_a_sweep_are_read_and_the_whole_is_downloaded(api: Api) -> None:
    made = kept(api, HOURS)
    sweep = {
        "kind": "sweep",
        "axes": [{"field": "0.per_week_min", "values": [0, 60, 120], "label": "hours", "per": 60}],
    }
    address = worked_out(api, made["id"], sweep)
    page = api.ask("GET", f"{address}/points?limit=2").json()
    assert [(one["number"], one["state"], one["result"]["values"]) for one in page["points"]] == [
        (0, "done", [0]),
        (1, "done", [60]),
    ]
    page = api.ask("GET", f"{address}/points?limit=2&done=true&cursor={page['next']}").json()
    assert ([one["result"]["values"] for one in page["points"]], page["next"]) == ([[120]], None)
    found = api.ask("GET", f"{address}/result").json()["result"]
    assert [one["values"] for one in found["points"]] == [[0], [60], [120]]
    assert "hours: 0, 1, 2." in api.ask("GET", f"{address}/report").text
    problem(api.ask("POST", f"{address}/proposals", {}), 409, "other_kind")


def test_a_point_that_cannot_be_is_read_with_field_and_value_beside_the_others(api: Api) -> None:
    made = kept(api, AWAY)
    who = {"kind": "sweep", "axes": [{"field": "0.person", "values": ["one-ann", "one-x", "one-p0"], "label": "who"}]}
    address = worked_out(api, made["id"], who)
    found = api.ask("GET", f"{address}/result").json()["result"]
    assert [one["values"] for one in found["points"]] == [["one-ann"], ["one-p0"]]
    (wrong,) = found["refused"]
    assert wrong["values"] == ["one-x"]
    assert (wrong["refusal"]["field"], wrong["refusal"]["value"]) == ("changes.0.person", "one-x")
    points = api.ask("GET", f"{address}/points").json()["points"]
    assert [one["refusal"] for one in points] == [None, wrong["refusal"], None]
    assert [one["state"] for one in points] == ["done"] * 3
    page = api.ask("GET", f"{address}/report").text
    assert "Cannot be: <bdi>changes.0.person &#34;one-x&#34;" in page
    book = load_workbook(io.BytesIO(api.ask("GET", f"{address}/report?form=xlsx").content))
    cells = [str(cell.value) for row in book["Sweep"] for cell in row]
    assert any(cell.startswith('changes.0.person "one-x"') for cell in cells)


def test_axes_follow_their_changes_when_one_before_them_applies_no_more(api: Api) -> None:
    made = kept(api, {"change": "task_dropped", "task": "one-t"}, HOURS)
    api.ask("POST", "/tasks/one-t/complete", {}, **ANY)
    axes = [{"field": "1.per_week_min", "values": [0, 60]}]
    run = started(api, made["id"], {"kind": "sweep", "axes": axes})
    assert run["ask"]["axes"][0]["field"] == "0.per_week_min"
    assert [change["change"] for change in run["changes"]] == ["overtime"]
    axes = [{"field": "0.task", "values": ["one-t"]}]
    found = api.ask("POST", f"/scenarios/{made['id']}/runs", {"kind": "sweep", "axes": axes})
    document = problem(found, 422, "unknown_reference")
    assert document["field"] == "axes.0.field"
    assert "does not apply any more: task one-t is done by now" in document["detail"]


def test_a_run_is_watched_and_cancelled(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "STREAM_S", 0.0)
    id = kept(api)["id"]
    run = started(api, id)["id"]
    address = f"/scenarios/{id}/runs/{run}"
    told = steps(api.ask("GET", f"{address}/progress").text)
    assert [(number, document["state"]) for number, document in told] == [(1, "queued")]
    work_out(api, run)
    more = steps(api.ask("GET", f"{address}/progress", Last_Event_ID="1").text)
    assert [document["state"] for _, document in more] == ["running", "running", "done"]
    assert [document["points_done"] for _, document in more] == [0, 1, 1]
    last = api.ask("GET", f"{address}/progress", Last_Event_ID=str(more[-1][0]))
    assert (last.status_code, last.text) == (204, "")
    problem(api.ask("POST", f"{address}/cancel"), 409, "run_ended")
    other = started(api, id, {"kind": "risk", "draws": 2})["id"]
    for _ in range(2):
        assert api.ask("POST", f"/scenarios/{id}/runs/{other}/cancel").json()["state"] == "cancelled"
    for method, path in (
        ("GET", ""),
        ("GET", "/progress"),
        ("GET", "/result"),
        ("GET", "/points"),
        ("POST", "/cancel"),
    ):
        problem(api.ask(method, f"/scenarios/{id}/runs/none{path}"), 404, "not_found")


# Turned into proposals


def test_moves_that_rest_on_what_is_not_real_are_told_and_nothing_is_proposed(api: Api) -> None:
    busy(api)
    made = kept(api, AWAY)
    address = worked_out(api, made["id"])
    moves = api.ask("GET", f"{address}/result").json()["result"]["comparison"]["difference"]["moves"]
    assert moves
    found = api.ask("POST", f"{address}/proposals", {}, Idempotency_Key="k")
    assert found.status_code == 201, found.text
    answer = found.json()
    assert answer["proposals"] == []
    assert {one["task"] for one in answer["refused"]} == {one["task"] for one in moves}
    assert all(one["depends_on"] == [0] for one in answer["refused"])
    assert answer["changes"][0]["sentence"] == "Ann One is away from 2 Mar 2027 to 12 Mar 2027."
    assert "⟦" not in found.text
    assert api.ask("POST", f"{address}/proposals", {}, Idempotency_Key="k").json() == answer
    assert api.ask("GET", "/proposals").json()["proposals"] == []


def test_once_the_change_is_real_its_moves_are_proposals_that_a_manager_approves(api: Api) -> None:
    busy(api)
    made = kept(api, AWAY)
    address = worked_out(api, made["id"])
    moves = api.ask("GET", f"{address}/result").json()["result"]["comparison"]["difference"]["moves"]
    off = {"kind": "time_off", **{key: AWAY[key] for key in ("person", "first_day", "last_day")}}
    assert api.ask("POST", "/calendar", off).status_code == 201
    answer = api.ask("POST", f"{address}/proposals", {}).json()
    refused = {one["task"]: one for one in answer["refused"]}
    assert [(one["fate"], one["reason"]) for one in answer["changes"]] == [("dropped", "is in the calendar by now")]
    listed = api.ask("GET", "/proposals?waiting=true").json()["proposals"]
    assert {one["id"] for one in listed} == set(answer["proposals"])
    proposed = {move["task"] for one in listed for move in one["proposal"]["moves"]}
    assert proposed | set(refused) == {move["task"] for move in moves}
    assert proposed, answer
    first = listed[0]
    done = api.ask("POST", f"/proposals/{first['id']}/approve", {}, If_Match=f'"{first["version"]}"')
    assert done.status_code == 200, done.text
    task = first["proposal"]["moves"][0]["task"]
    again = api.ask("POST", f"{address}/proposals", {"tasks": [task]}).json()
    assert (again["proposals"], [one["code"] for one in again["refused"]]) == ([], ["is_there"])


def test_somebody_who_is_only_thought_of_is_given_nothing(api: Api) -> None:
    busy(api)
    made = kept(api, AWAY, HIRE)
    answer = api.ask("POST", f"{worked_out(api, made['id'])}/proposals", {}).json()
    assert answer["proposals"] == []
    assert {(one["code"], *one["depends_on"]) for one in answer["refused"]} == {("unknown_person", 1)}


def test_who_is_held_to_a_team_proposes_for_its_people_only(api: Api) -> None:
    busy(api)
    for id, team in (("one-ann", "tax"), ("one-p0", "tax")):
        person = api.ask("GET", f"/people/{id}").json()["person"]
        assert api.ask("PUT", f"/people/{id}", {**person, "team": team}, **ANY).status_code == 200
    off = {"kind": "time_off", **{key: AWAY[key] for key in ("person", "first_day", "last_day")}}
    made = kept(api, AWAY)
    address = worked_out(api, made["id"])
    api.ask("POST", "/calendar", off)
    manager = api.token("one", Role.MANAGER)
    found = api.send(Ask("POST", f"{address}/proposals", {}, manager))[0]
    assert found.status_code == 201, found.text
    problem(api.send(Ask("POST", f"{address}/proposals", {}, api.token("one", Role.READ_ONLY)))[0], 403, "forbidden")


def test_what_cannot_be_turned_into_proposals_is_said(api: Api) -> None:
    made = kept(api)
    run = started(api, made["id"])["id"]
    address = f"/scenarios/{made['id']}/runs/{run}"
    problem(api.ask("POST", f"{address}/proposals", {}), 409, "no_result")
    problem(api.ask("GET", f"{address}/report"), 409, "no_result")
    work_out(api, run)
    document = problem(api.ask("POST", f"{address}/proposals", {"tasks": ["one-x"]}), 422, "not_found")
    assert (document["field"], document["value"]) == ("tasks", "one-x")
    past = {"expires_at": "2027-03-01T08:59:00-05:00"}
    assert problem(api.ask("POST", f"{address}/proposals", past), 422, "in_the_past")["field"] == "expires_at"
    problem(api.ask("POST", f"{address}/proposals", {"expires_at": "2027-04-01T09:00:00"}), 422, "timezone_aware")
