from __future__ import annotations

from typing import Any

import pytest

from tests.api.routes.asking import Api, new, problem

NEW = {"id": "dana", "name": "Dana Reed", "level": "senior", "team": "tax", "skills": [{"skill": "tax"}]}
OFF = {"kind": "time_off", "person": "one-ann", "first_day": "2027-03-08", "last_day": "2027-03-12"}
PARTS: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("/people", "person", NEW, {"team": "audit"}),
    ("/clients", "client", {"id": "birch", "name": "Birch", "usual_person": "one-ann"}, {"tier": "high"}),
    ("/task-types", "task_type", {"id": "books", "skill": "books", "default_estimate_min": 60}, {"complexity": 4}),
)


@pytest.mark.parametrize("path, name, body, change", PARTS, ids=[one[1] for one in PARTS])
def test_a_part_is_created_once_read_replaced_and_removed(
    api: Api, path: str, name: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    first = api.ask("POST", path, body, Idempotency_Key="k")
    assert first.status_code == 201, first.text
    again = api.ask("POST", path, body, Idempotency_Key="k")
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert problem(api.ask("POST", path, body), 409, "taken")["value"] == body["id"]
    where = f"{path}/{body['id']}"
    read = api.ask("GET", where)
    assert (read.json(), read.headers["etag"]) == (first.json(), first.headers["etag"])
    changed = api.ask("PUT", where, {**body, **change}, If_Match=read.headers["etag"])
    assert changed.json()[name] == {**first.json()[name], **change}
    assert api.ask("GET", where).json() == changed.json()
    problem(api.ask("PUT", where, body, If_Match=read.headers["etag"]), 412, "changed")
    problem(api.ask("PUT", where, body), 428, "if_match_missing")
    assert problem(api.ask("PUT", where, {**body, "id": "x"}, If_Match="*"), 422, "id_differs")["nearest"] == body["id"]
    assert body["id"] in api.ask("GET", path).text
    assert api.ask("DELETE", where, If_Match=changed.headers["etag"]).status_code == 204
    unknown = problem(api.ask("GET", where), 404, "not_found")
    assert (unknown["field"], unknown["nearest"] is not None) == (name, True)
    for method, sent in (("PUT", body), ("DELETE", None)):
        problem(api.ask(method, where, sent, If_Match="*"), 404, "not_found")
    assert [
        one["document"] is None for one in api.ask("GET", f"/firm/history?part={body['id']}").json()["changes"]
    ] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "path, body, field, nearest",
    [
        ("/people", {**NEW, "level": "seniro"}, "level", "senior"),
        ("/clients", {"id": "c", "usual_person": "one-amn"}, "usual_person", "one-ann"),
        ("/clients", {"id": "c", "barred": ["one-ann", "two-ann"]}, "barred", "one-ann"),
        ("/task-types", {"id": "c", "skill": "x", "min_level": "maneger"}, "min_level", "manager"),
        ("/task-types", {"id": "c", "skill": "x", "review": {"min_level": "sen"}}, "review.min_level", "senior"),
        ("/calendar", {**OFF, "person": "one-amn"}, "person", "one-ann"),
        (
            "/calendar",
            {
                "kind": "overtime",
                "first_day": "2027-03-01",
                "last_day": "2027-03-01",
                "extra_min": [60] * 7,
                "levels": ["partnr"],
            },
            "levels",
            "partner",
        ),
    ],
)
def test_what_the_firm_does_not_have_is_named_with_the_nearest(
    api: Api, path: str, body: dict[str, Any], field: str, nearest: str
) -> None:
    before = api.ask("GET", "/firm").json()["version"]
    document = problem(api.ask("POST", path, body), 422, "unknown_reference")
    assert (document["field"], document["nearest"]) == (field, nearest)
    assert api.ask("GET", "/firm").json()["version"] == before


def test_people_are_filtered_and_paged(api: Api) -> None:
    api.ask("POST", "/people", {**NEW, "start_date": "2027-04-01"})

    def ids(query: str) -> list[str]:
        return [one["person"]["id"] for one in api.ask("GET", f"/people?{query}").json()["people"]]

    assert ids("level=senior") == ids("team=tax") == ["dana"]
    assert ids("skill=tax&employed_on=2027-03-31") == ["one-ann", "one-p0", "one-p1", "one-p2"]
    first = api.ask("GET", "/people?limit=3").json()
    assert [one["person"]["id"] for one in first["people"]] == ["one-ann", "one-p0", "one-p1"]
    assert ids(f"limit=3&cursor={first['next']}") == ["one-p2", "dana"]
    assert [one["client"]["id"] for one in api.ask("GET", "/clients?search=CM").json()["clients"]] == ["acme"]
    assert api.ask("GET", "/clients?tier=high").json() == {"clients": [], "next": None}
    assert [one["task_type"]["id"] for one in api.ask("GET", "/task-types?skill=tax").json()["task_types"]] == [
        "return"
    ]


def test_a_skill_given_and_taken_counts_at_once(api: Api) -> None:
    api.ask("POST", "/task-types", {"id": "audit", "skill": "audit"})
    assert api.ask("POST", "/placements/dry-run", new("x", type="audit")).json()["outcome"] == "escalated"
    found = api.ask("PUT", "/people/one-p1/skills/audit", {"efficiency_pct": 125}, If_Match="*")
    assert found.json()["person"]["skills"][-1] == {"skill": "audit", "efficiency_pct": 125, "mismatch_min": 0}
    assert api.ask("POST", "/placements/dry-run", new("x", type="audit")).json()["person"] == "one-p1"
    taken = api.ask("DELETE", "/people/one-p1/skills/audit", If_Match=found.headers["etag"])
    assert [one["skill"] for one in taken.json()["person"]["skills"]] == ["tax"]
    unknown = problem(api.ask("DELETE", "/people/one-p1/skills/audit", If_Match="*"), 404, "not_found")
    assert (unknown["field"], unknown["nearest"]) == ("skill", "tax")
    limit = problem(
        api.ask("PUT", "/people/one-p1/skills/audit", {"efficiency_pct": 1_001}, If_Match="*"), 422, "less_than_equal"
    )
    assert limit["nearest"] == "1000"


def test_who_leaves_gets_no_work_after_the_last_day(api: Api) -> None:
    for id in ("one-ann", "one-p0", "one-p1"):
        found = api.ask("POST", f"/people/{id}/leave", {"last_day": "2027-02-26"}, If_Match="*")
        assert found.json()["person"]["leave_date"] == "2027-02-26"
    assert api.ask("POST", "/tasks", new("a")).json()["task"]["assignee"] == "one-p2"
    api.ask("POST", "/people", {**NEW, "start_date": "2027-04-01"})
    early = problem(
        api.ask("POST", "/people/dana/leave", {"last_day": "2027-03-31"}, If_Match="*"), 422, "leave_before_start"
    )
    assert early["nearest"] == "2027-04-01"


def test_somebody_whom_something_refers_to_is_not_removed(api: Api) -> None:
    api.ask("POST", "/clients", {"id": "c", "barred": ["one-p1"]})
    document = problem(api.ask("DELETE", "/people/one-p1", If_Match="*"), 409, "referred_to")
    assert "clients" in document["detail"]
    assert "tasks" in problem(api.ask("DELETE", "/people/one-ann", If_Match="*"), 409, "referred_to")["detail"]


def test_free_minutes_are_capacity_less_planned_work(api: Api) -> None:
    api.ask("POST", "/calendar", {**OFF, "first_day": "2027-03-02", "last_day": "2027-03-02"})
    found = api.ask("GET", "/people/one-ann/capacity?days=8").json()
    days = [(one["capacity_min"], one["planned_min"], one["free_min"]) for one in found["days"]]
    assert days[:3] == [(480, 240, 240), (0, 0, 0), (480, 0, 480)]
    assert [(one["first_day"], one["free_min"]) for one in found["weeks"]] == [
        ("2027-03-01", 1_680),
        ("2027-03-08", 480),
    ]
    api.later(hours=4)
    assert api.ask("GET", "/people/one-ann/capacity?days=1").json()["days"][0]["capacity_min"] == 240
    assert problem(api.ask("GET", "/people/one-ann/capacity?days=93"), 422, "less_than_equal")["nearest"] == "92"
    past = problem(api.ask("GET", "/people/one-ann/capacity?first_day=2027-02-28"), 422, "day_out_of_range")
    assert past["nearest"] == "2027-03-01"
    far = problem(api.ask("GET", "/people/one-ann/capacity?first_day=9999-12-31"), 422, "day_out_of_range")
    assert far["nearest"] == "2029-02-28"
    assert problem(api.ask("GET", "/people/one-amn/capacity"), 404, "not_found")["nearest"] == "one-ann"


def test_a_calendar_entry_counts_is_removed_and_put_back(api: Api) -> None:
    created = api.ask("POST", "/calendar", OFF, Idempotency_Key="k")
    assert api.ask("POST", "/calendar", OFF, Idempotency_Key="k").content == created.content
    id = created.json()["id"]
    assert api.ask("GET", f"/calendar/{id}").json() == created.json()
    shorter = {**OFF, "last_day": "2027-03-09"}
    changed = api.ask("PUT", f"/calendar/{id}", shorter, If_Match=created.headers["etag"])
    assert changed.json()["entry"]["last_day"] == "2027-03-09"
    booked = {
        "kind": "booking",
        "person": "one-ann",
        "first_day": "2027-03-08",
        "last_day": "2027-03-08",
        "minutes_per_day": 5,
    }
    kind = problem(api.ask("PUT", f"/calendar/{id}", booked, If_Match="*"), 422, "kind_differs")
    assert kind["nearest"] == "time_off"
    assert api.ask("DELETE", f"/calendar/{id}", If_Match=changed.headers["etag"]).status_code == 204
    problem(api.ask("GET", f"/calendar/{id}"), 404, "not_found")
    restored = api.ask("POST", f"/calendar/{id}/restore")
    assert (restored.json()["id"], restored.json()["entry"]) == (id, changed.json()["entry"])
    problem(api.ask("POST", f"/calendar/{id}/restore"), 409, "taken")
    problem(api.ask("POST", "/calendar/time_off-999/restore"), 404, "not_found")
    problem(api.ask("POST", "/calendar/one-ann/restore"), 404, "not_found")  # no calendar entry, though the firm has it
    days = api.ask("GET", "/people/one-ann/capacity?days=10").json()["days"]
    assert [one["capacity_min"] for one in days[7:10]] == [0, 0, 480]


def test_the_calendar_is_filtered(api: Api) -> None:
    booked = {
        "kind": "booking",
        "person": "one-p1",
        "first_day": "2027-04-01",
        "last_day": "2027-04-02",
        "minutes_per_day": 5,
    }
    all_of_us = {
        "kind": "overtime",
        "first_day": "2027-04-03",
        "last_day": "2027-04-03",
        "extra_min": [0, 0, 0, 0, 0, 60, 0],
    }
    for body in (OFF, booked, all_of_us):
        assert api.ask("POST", "/calendar", body).status_code == 201

    def kinds(query: str) -> list[str]:
        return [one["entry"]["kind"] for one in api.ask("GET", f"/calendar?{query}").json()["entries"]]

    assert kinds("") == ["time_off", "booking", "overtime"]
    assert kinds("kind=booking&kind=time_off") == ["time_off", "booking"]
    assert kinds("person=one-p1") == ["booking", "overtime"]
    assert kinds("first_day=2027-03-13") == kinds("first_day=2027-04-02") == ["booking", "overtime"]
    assert kinds("last_day=2027-03-08") == ["time_off"]
    problem(api.ask("GET", "/calendar?kind=task"), 422, "literal_error")
    problem(api.ask("POST", "/calendar", {**OFF, "kind": "x"}), 422, "union_tag_invalid")
    assert problem(api.ask("POST", "/calendar", {**OFF, "last_day": "2027-03-01"}), 422, "range_reversed")["nearest"]
