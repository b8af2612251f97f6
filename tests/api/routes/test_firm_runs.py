"""What is worked out of the firm itself over HTTP: the year ahead, and a past period under another policy."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from api.routes import events
from tests.api.routes.asking import Api, new, problem
from tests.api.routes.runs_for_tests import work_out
from tests.api.routes.test_scenarios import HOURS, kept
from tests.api.routes.test_scenarios import started as started_of
from tests.api.routes.test_solves import steps

ANY = {"If_Match": "*"}
WEEK = {"kind": "replay", "first_day": "2027-03-01", "last_day": "2027-03-07"}
NO_GUARDRAIL = [{"change": "policy", "name": "guardrail.complex_level", "value": None}]


def started(api: Api, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    found = api.ask("POST", "/runs", body, **headers)
    assert found.status_code == 202, found.text
    answer = dict(found.json())
    assert found.headers["location"] == f"/api/v1/runs/{answer['id']}"
    return answer


def short(api: Api) -> None:
    """Let the firm have more work this week than the hours of its four people."""
    for i in range(22):
        api.ask("POST", "/tasks", new(f"w{i}", estimate_min=480, deadline="2027-03-05"))


def guarded(api: Api) -> None:
    """Let complex work be for seniors, of whom there are none: one piece of it escalates; the week goes by."""
    api.ask("POST", "/task-types", {"id": "complex", "skill": "tax", "complexity": 5})
    policy = api.ask("GET", "/policy").json()["policy"]
    change = {"policy": {**policy, "guardrail": {**policy["guardrail"], "complex_level": "senior"}}, "reason": "care"}
    assert api.ask("PUT", "/policy", change, **ANY).status_code == 200
    api.later(minutes=5)  # what is done in the moment of its making is how a firm begins
    placed = api.ask("POST", "/tasks", new("hard", type="complex", estimate_min=480))
    assert placed.json()["decision"]["outcome"] == "escalated"
    api.later(days=9)


def test_the_year_ahead_is_planned_read_with_names_and_downloaded(api: Api) -> None:
    short(api)
    run = started(api, {"kind": "season", "days": 14})
    assert (run["kind"], run["scenario"], run["changes"], run["rebased"]) == ("season", None, [], None)
    assert (run["ask"], run["points"], run["position"]) == ({"kind": "season", "days": 14}, 1, 1)
    address = f"/runs/{run['id']}"
    problem(api.ask("GET", f"{address}/result"), 409, "no_result")
    work_out(api, run["id"])
    found = api.ask("GET", f"{address}/result").json()["result"]
    assert found["kind"] == "season"
    assert found["short_min"] > 0
    assert {(one["skill"], one["level"]) for one in found["shortages"]} == {("tax", "associate")}
    (tax,) = found["ranges"]
    assert tax["least_min"] <= tax["minutes"] <= tax["most_min"]
    assert sum(one["due_min"] for one in found["skills"]) == found["demand_min"]
    assert {one["level"] for one in found["levels"]} == {"associate"}
    assert found["cost_min"] == sum(one["cost_min"] for one in found["measures"]) > 0
    assert "⟦" not in str(found)
    page = api.ask("GET", f"{address}/report")
    assert page.headers["content-disposition"] == 'attachment; filename="season.html"'
    assert tax["sentence"] in page.text
    assert "⟦" not in page.text
    assert "<script" not in page.text
    assert problem(api.ask("GET", f"{address}/report?form=xlsx"), 409, "other_form")["nearest"] == "html"


def test_a_season_of_a_scenario_has_its_changes(api: Api) -> None:
    short(api)
    plain = started(api, {"kind": "season", "days": 14})["id"]
    scenario = kept(api, HOURS)["id"]
    run = started_of(api, scenario, {"kind": "season", "days": 14})
    assert ([one["change"] for one in run["changes"]], run["scenario"]) == (["overtime"], scenario)
    for id in (plain, run["id"]):
        work_out(api, id)
    before = api.ask("GET", f"/runs/{plain}/result").json()["result"]
    after = api.ask("GET", f"/scenarios/{scenario}/runs/{run['id']}/result").json()["result"]
    assert after["short_min"] < before["short_min"]
    problem(api.ask("GET", f"/scenarios/{scenario}/runs/{plain}"), 404, "not_found")
    listed = api.ask("GET", "/runs").json()["runs"]
    assert [(one["id"], one["scenario"]) for one in listed] == [(run["id"], scenario), (plain, None)]
    assert (
        api.ask("GET", f"/runs/{run['id']}").json() == api.ask("GET", f"/scenarios/{scenario}/runs/{run['id']}").json()
    )
    api.ask("DELETE", f"/scenarios/{scenario}", None, **ANY)
    assert api.ask("GET", f"/runs/{run['id']}").json()["scenario"] is None


def test_a_past_week_is_played_again_without_its_guardrail(api: Api) -> None:
    guarded(api)
    run = started(api, {**WEEK, "changes": NO_GUARDRAIL})
    assert (run["kind"], run["points"], run["ask"]["approvals"]) == ("replay", 3, "as-they-did")
    work_out(api, run["id"])
    address = f"/runs/{run['id']}"
    found = api.ask("GET", f"{address}/result").json()["result"]
    assert (found["control"]["recorded"], found["control"]["share_pct"]) == (1, 100.0)
    before, after = found["comparison"]["whole"]
    assert (before["escalations"], after["escalations"]) == (1, 0)
    for one in (before, after):
        assert {"utilisation_pct", "spread_pct", "on_time_pct", "escalations"} <= set(one)
    assert found["after"]["terms"][0] == "Policy: guardrail.complex_level is nothing instead of senior."
    (differs,) = found["comparison"]["differing"]
    assert (differs["task"], differs["before"]) == ("hard", "escalated")
    page = api.ask("GET", f"{address}/report")
    assert "1 of 1 recorded decisions come out again" in page.text
    assert "⟦" not in page.text
    book = load_workbook(io.BytesIO(api.ask("GET", f"{address}/report?form=xlsx").content))
    assert ("Escalations", 1, 0, -1) in list(book["The whole period"].values)
    control = started(api, WEEK)
    assert control["points"] == 1
    work_out(api, control["id"])
    found = api.ask("GET", f"/runs/{control['id']}/result").json()["result"]
    assert (found["comparison"], found["after"], found["as_it_was"]["whole"]["escalations"]) == (None, None, 1)
    assert [one["id"] for one in api.ask("GET", "/runs?kind=replay&limit=1").json()["runs"]] == [control["id"]]


@pytest.mark.parametrize(
    "body, code, field, nearest",
    [
        ({"last_day": "2027-02-28"}, "range_reversed", "replay.last_day", "2027-03-01"),
        ({"last_day": "2028-03-02"}, "too_long", "replay.last_day", "2028-02-29"),
        ({"last_day": "2027-03-10"}, "not_over", "last_day", "2027-03-09"),
        ({"first_day": "2027-02-01", "last_day": "2027-02-28"}, "no_history", "last_day", "2027-03-01"),
        ({"changes": [{**NO_GUARDRAIL[0], "value": "seniour"}]}, "unknown_reference", "changes.0.value", "senior"),
        ({"changes": [{**NO_GUARDRAIL[0], "name": "weights.mov"}]}, "unknown_setting", "changes.0.name", "weights.move"),
        ({"policy": {"guardrail": {"complex_level": "seniour"}}}, "unknown_reference", None, "senior"),
        ({"night_weekdays": [7]}, "less_than_equal", "replay.night_weekdays.0", "6"),
        ({"kind": "season", "days": 6}, "greater_than_equal", "season.days", "7"),
        ({"kind": "what_if"}, "union_tag_invalid", None, None),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_out_is_said_at_once(
    api: Api, body: dict[str, Any], code: str, field: str | None, nearest: str | None
) -> None:
    api.later(days=9)
    found = api.ask("POST", "/runs", body if "kind" in body else {**WEEK, **body})
    document = problem(found, 422, found.json()["code"])
    mistakes = [document, *document.get("errors", ())]
    assert code in {one["code"] for one in mistakes}, document
    if field is not None:
        assert document["field"] == field, document
    if nearest is not None:
        assert nearest in {one["nearest"] for one in mistakes}, document
    assert api.ask("GET", "/runs").json()["runs"] == []


def test_a_run_of_the_firm_is_asked_for_once_watched_and_cancelled(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "STREAM_S", 0.0)
    first = started(api, {"kind": "season"}, Idempotency_Key="k")
    assert started(api, {"kind": "season"}, Idempotency_Key="k")["id"] == first["id"]
    again = api.ask("POST", "/runs", {"kind": "season", "days": 30}, Idempotency_Key="k")
    problem(again, 422, "idempotency_key_reused")
    address = f"/runs/{first['id']}"
    assert [step["state"] for _, step in steps(api.ask("GET", f"{address}/progress").text)] == ["queued"]
    assert api.ask("GET", f"{address}/points").json() == {"points": [], "next": None}
    assert api.ask("POST", f"{address}/cancel").json()["state"] == "cancelled"
    other = started(api, {"kind": "season"})["id"]
    work_out(api, other)
    problem(api.ask("POST", f"/runs/{other}/cancel"), 409, "run_ended")
    (piece,) = api.ask("GET", f"/runs/{other}/points").json()["points"]
    assert (piece["state"], piece["refusal"], piece["result"]["firm"]) == ("done", None, "Firm")
    for method, path in (
        ("GET", ""),
        ("GET", "/progress"),
        ("GET", "/result"),
        ("GET", "/report"),
        ("POST", "/cancel"),
    ):
        problem(api.ask(method, f"/runs/none{path}"), 404, "not_found")
