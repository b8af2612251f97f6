from __future__ import annotations

from typing import Any

import pytest

from api.roles import Role
from api.store.loading import load_firm
from api.store.log import verify
from api.store.replaying import replay
from tests.api.routes.asking import Api, Ask, new, problem


def test_one_call_decides_stores_and_answers(api: Api) -> None:
    found = api.ask("POST", "/tasks", new("a"))
    assert found.status_code == 201
    placed = found.json()
    assert placed["decision"]["outcome"] == "placed"
    assert placed["task"]["assignee"] == placed["decision"]["person"] is not None
    assert len(placed["decision"]["candidates"]) == 4
    read = api.ask("GET", "/tasks/a")
    assert read.json() == {"task": placed["task"], "version": placed["version"]}
    assert read.headers["etag"] == found.headers["etag"] == f'"{placed["version"]}"'
    with api.database.reading("one") as session:
        assert replay(session, placed["decision_number"]).same
        assert {one.id: one.assignee for one in load_firm(session).tasks}["a"] == placed["task"]["assignee"]


def test_what_cannot_be_placed_is_kept_and_says_so(api: Api) -> None:
    held = api.ask("POST", "/tasks", new("held", estimate_min=None)).json()
    assert (held["decision"]["outcome"], held["task"]["assignee"]) == ("held", None)
    escalated = api.ask("POST", "/tasks", new("long", estimate_min=100_000)).json()
    assert escalated["decision"]["outcome"] == "escalated"
    figures = api.ask("GET", "/firm").json()
    assert (figures["holds_open"], figures["escalations_open"], figures["tasks_unassigned"]) == (1, 1, 2)
    assert (figures["id"], figures["people"], figures["tasks_open"], figures["decisions"]) == ("one", 4, 3, 2)


@pytest.mark.parametrize(
    "body, code, field, nearest",
    [
        (new("a", type="retrun"), "unknown_reference", "type", "return"),
        (new("a", client="acne"), "unknown_reference", "client", "acme"),
        (new("a", requested_person="one-amn"), "unknown_reference", "requested_person", "one-ann"),
        (new("a", reviews="two-t"), "unknown_reference", "reviews", "one-t"),
        (new("a", assignee="one-ann"), "assignee_refused", "assignee", None),
        (new("a", estimate_min=0), "greater_than_equal", "estimate_min", "1"),
        (new("a", estimate_min=1_000_001), "less_than_equal", "estimate_min", "1000000"),
        (new("a", status="done"), "not_open", "status", "planned"),
        (new("a", priority="hihg"), "enum", "priority", "high"),
        (new("a", release="2027-04-01"), "release_after_deadline", "release", "2027-03-19"),
        (new("a" * 201), "string_too_long", "id", None),
        (new(""), "string_too_short", "id", None),
        (new("a\x00b"), "unstorable_text", "task.id", "ab"),
        (new("a", hours=1), "extra_forbidden", "hours", None),
        ({"id": "a"}, "missing", "type", None),
        ([], "model_attributes_type", "input", None),
    ],
)
def test_what_is_refused_names_field_value_and_nearest(
    api: Api, body: Any, code: str, field: str, nearest: str | None
) -> None:
    document = problem(api.ask("POST", "/tasks", body), 422, code)
    assert (document["field"], document.get("nearest")) == (field, nearest)
    assert api.ask("GET", "/firm").json()["decisions"] == 0


def test_every_mistake_is_listed(api: Api) -> None:
    document = problem(
        api.ask("POST", "/tasks", new("a", estimate_min=0, priority="x", hours=2)), 422, "greater_than_equal"
    )
    assert {one["field"] for one in document["errors"]} == {"estimate_min", "priority", "hours"}


def test_an_id_that_is_taken_is_a_conflict(api: Api) -> None:
    assert problem(api.ask("POST", "/tasks", new("one-t")), 409, "taken")["value"] == "one-t"


def test_a_key_is_done_once_and_answered_again(api: Api) -> None:
    first = api.ask("POST", "/tasks", new("a", requested_person="one-ann"), Idempotency_Key="k1")
    api.ask("POST", "/tasks", new("b"))
    again = api.ask("POST", "/tasks", new("a", requested_person="one-ann"), Idempotency_Key="k1")
    assert "Ann One" in first.text
    assert (again.status_code, again.content, again.headers["etag"]) == (201, first.content, first.headers["etag"])
    assert api.ask("GET", "/firm").json()["decisions"] == 2
    problem(api.ask("POST", "/tasks", new("c"), Idempotency_Key="k1"), 422, "idempotency_key_reused")
    problem(api.ask("POST", "/tasks/one-t/time", worked(), Idempotency_Key="k1"), 422, "idempotency_key_reused")
    assert api.ask("POST", "/tasks", new("c"), Idempotency_Key="x" * 200).status_code == 201
    for wrong in ("x" * 201, "a b"):
        problem(api.ask("POST", "/tasks", new("d"), Idempotency_Key=wrong), 422, "string_pattern_mismatch")


def test_what_is_kept_for_a_key_has_no_name_in_it(api: Api) -> None:
    api.ask("POST", "/tasks", new("a", requested_person="one-ann"), Idempotency_Key="k1")
    with api.database.engine.connect() as connection:
        if not api.database.embedded:
            connection.exec_driver_sql("select set_config('evenhand.firm', 'one', true)")
        kept = connection.exec_driver_sql("select answer from idempotency_keys").scalars().all()
    assert len(kept) == 1
    assert "Ann" not in kept[0]


def test_a_key_of_another_token_is_another_key(api: Api) -> None:
    other = api.token("one", Role.MANAGER)
    asked = [
        Ask("POST", "/tasks", new(id), token, {"Idempotency-Key": "k"})
        for id, token in (("a", api.owner), ("b", other))
    ]
    assert [api.send(one)[0].json()["task"]["id"] for one in asked] == ["a", "b"]


def test_sixteen_requests_with_one_key_at_once_are_one(api: Api) -> None:
    asked = Ask("POST", "/tasks", new("a"), api.owner, {"Idempotency-Key": "k"})
    found = api.send(*[asked] * 16)
    assert {one.status_code for one in found} == {201}
    assert len({one.content for one in found}) == 1
    assert api.ask("GET", "/firm").json()["decisions"] == 1


def test_32_threads_place_at_once_and_nothing_is_lost_or_twice(api: Api) -> None:
    bodies = [new(f"n{i}") for i in range(64)] + [new(f"n{i}") for i in range(16)]
    found = api.send(*(Ask("POST", "/tasks", body, api.owner) for body in bodies))
    assert sorted(one.status_code for one in found) == [201] * 64 + [409] * 16
    answered = {one.json()["task"]["id"]: one.json()["task"]["assignee"] for one in found if one.status_code == 201}
    with api.database.reading("one") as session:
        stored = {one.id: one.assignee for one in load_firm(session).tasks if one.id.startswith("n")}
        assert stored == answered
        assert len(stored) == 64
        verified = verify(session)
        assert (verified.entries, verified.broken) == (64, None)
        assert all(replay(session, number).same for number in range(1, 65, 9))
    assert api.app.state.serving.turns.self_check("one") == ()


def test_a_bad_change_spoils_nothing_for_those_who_share_the_turn(api: Api) -> None:
    for id in ("a", "b"):
        api.ask("POST", "/tasks", new(id, **({"reviews": "a"} if id == "b" else {})))
    bad = Ask("PATCH", "/tasks/a", {"reviews": "b"}, api.owner, {"If-Match": "*"})
    good = [Ask("POST", "/tasks", new(f"n{i}"), api.owner) for i in range(12)]
    found = api.send(*good[:6], bad, *good[6:])
    assert [one.status_code for one in found] == [201] * 6 + [422] + [201] * 6
    assert found[6].json()["field"].endswith("reviews")


def test_lists_go_on_where_the_page_ended(api: Api) -> None:
    for i in range(5):
        api.ask("POST", "/tasks", new(f"n{i}"))
    seen, after = [], ""
    while True:
        page = api.ask("GET", f"/tasks?limit=2{after}").json()
        seen += [one["task"]["id"] for one in page["tasks"]]
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    assert seen == ["one-t", "n0", "n1", "n2", "n3", "n4"]


def test_lists_are_filtered(api: Api) -> None:
    api.ask("POST", "/tasks", new("a", deadline="2027-03-08"))
    api.ask("POST", "/tasks", new("b", estimate_min=None))
    etag = api.ask("GET", "/tasks/a").headers["etag"]
    done = api.ask("PATCH", "/tasks/a", {"status": "done", "completed_on": "2027-03-01"}, If_Match=etag)
    assert done.status_code == 200

    def ids(query: str) -> list[str]:
        return [one["task"]["id"] for one in api.ask("GET", f"/tasks?{query}").json()["tasks"]]

    assert ids("open=true") == ["one-t", "b"]
    assert ids("status=done") == ids("due_from=2027-03-06&due_until=2027-03-08") == ["a"]
    assert ids("assignee=one-ann&type=return&client=acme&open=true") == ["one-t"]
    assert ids("client=nobody") == ids("assignee=two-ann") == []
    document = problem(api.ask("GET", "/tasks?status=dome"), 422, "enum")
    assert (document["field"], document["nearest"]) == ("status", "done")
    assert problem(api.ask("GET", "/tasks?limit=201"), 422, "less_than_equal")["nearest"] == "200"
    problem(api.ask("GET", "/tasks?client=a%00"), 422, "unstorable_text")


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "W10", "WzFd", "WyJhIiwiYiJd", "WzEsICJhXHUwMDAwIl0", "WzFlOTksICJhIl0", "é"]
)
def test_a_cursor_that_we_did_not_make_is_refused(api: Api, cursor: str) -> None:
    problem(api.ask("GET", f"/tasks?cursor={cursor}"), 422, "cursor_unknown")


def test_a_change_asks_for_the_version_that_was_read(api: Api) -> None:
    stale = api.ask("GET", "/tasks/one-t").headers["etag"]
    changed = api.ask("PATCH", "/tasks/one-t", {"estimate_min": 120, "priority": "high"}, If_Match=stale)
    assert (changed.status_code, changed.json()["task"]["estimate_min"]) == (200, 120)
    assert changed.headers["etag"] != stale
    assert api.ask("GET", "/tasks/one-t").json() == changed.json()
    document = problem(api.ask("PATCH", "/tasks/one-t", {"estimate_min": 5}, If_Match=stale), 412, "changed")
    assert (document["value"], document["nearest"]) == (stale.strip('"'), changed.headers["etag"].strip('"'))
    problem(api.ask("PATCH", "/tasks/one-t", {"estimate_min": 5}), 428, "if_match_missing")
    for strange in ("7", 'W/"1"', '"a"', '"1", "2"', '"9999999999999999999"'):
        problem(api.ask("PATCH", "/tasks/one-t", {"estimate_min": 5}, If_Match=strange), 412, "if_match_unknown")
    assert api.ask("GET", "/tasks/one-t").json() == changed.json()
    assert api.ask("PATCH", "/tasks/one-t", {"deadline_time": None}, If_Match="*").status_code == 200


@pytest.mark.parametrize(
    "body, code, field",
    [
        ({}, "nothing_to_change", "body"),
        ({"assignee": "one-p1"}, "extra_forbidden", "assignee"),
        ({"id": "b"}, "extra_forbidden", "id"),
        ({"logged_min": 5}, "extra_forbidden", "logged_min"),
        ({"client": None}, "string_type", "client"),
        ({"client": "acne"}, "unknown_reference", "client"),
        ({"type": "nothing"}, "unknown_reference", "type"),
        ({"reviews": "two-t"}, "unknown_reference", "reviews"),
        ({"reviews": "one-t"}, "reviews_itself", "reviews"),
        ({"requested_person": "two-ann"}, "not_found", "requested_person"),
        ({"release": "2028-01-01"}, "release_after_deadline", "release"),
    ],
)
def test_a_change_that_cannot_be_is_refused(api: Api, body: Any, code: str, field: str) -> None:
    before = api.ask("GET", "/tasks/one-t").json()
    assert problem(api.ask("PATCH", "/tasks/one-t", body, If_Match="*"), 422, code)["field"] == field
    assert api.ask("GET", "/tasks/one-t").json() == before


def test_ids_with_slashes_are_found(api: Api) -> None:
    assert api.ask("POST", "/tasks", new("2026/acme/time")).status_code == 201
    assert api.ask("GET", "/tasks/2026/acme/time").json()["task"]["id"] == "2026/acme/time"
    assert api.ask("GET", "/tasks/2026%2Facme%2Ftime").status_code == 200
    assert api.ask("POST", "/tasks/2026/acme/time/time", worked()).status_code == 201
    problem(api.ask("GET", "/tasks/" + "x" * 3_000), 404, "not_found")
    problem(api.ask("GET", "/tasks/a%00"), 422, "unstorable_text")


def worked(**more: Any) -> dict[str, Any]:
    return {"person": "one-ann", "day": "2027-03-01", "minutes": 30, **more}


def test_time_is_logged_once_per_id_and_per_key(api: Api) -> None:
    first = api.ask("POST", "/tasks/one-t/time", worked(), Idempotency_Key="k")
    again = api.ask("POST", "/tasks/one-t/time", worked(), Idempotency_Key="k")
    assert (first.status_code, first.json()["task"]["logged_min"]) == (201, 30)
    assert (again.status_code, again.content) == (201, first.content)
    assert first.headers["etag"] == api.ask("GET", "/tasks/one-t").headers["etag"]
    assert api.ask("POST", "/tasks/one-t/time", worked(id="e1")).json()["task"]["logged_min"] == 60
    problem(api.ask("POST", "/tasks/one-t/time", worked(id="e1")), 409, "taken")
    assert problem(api.ask("POST", "/tasks/one-t/time", worked(minutes=0)), 422, "greater_than_equal")["nearest"] == "1"
    assert (
        problem(api.ask("POST", "/tasks/one-t/time", worked(minutes=1_441)), 422, "less_than_equal")["nearest"]
        == "1440"
    )
    unknown = problem(api.ask("POST", "/tasks/one-t/time", worked(person="one-anm")), 422, "not_found")
    assert (unknown["field"], unknown["nearest"]) == ("person", "one-ann")
    problem(api.ask("POST", "/tasks/none/time", worked(person="nobody")), 404, "not_found")


def test_staff_log_their_own_time(api: Api) -> None:
    token = api.token("one", Role.STAFF)
    own, other = (Ask("POST", "/tasks/one-t/time", worked(person=who), token) for who in ("one-ann", "one-p1"))
    assert api.send(own)[0].status_code == 201
    assert problem(api.send(other)[0], 403, "forbidden_person")["nearest"] == "one-ann"


def test_trying_a_placement_stores_nothing(api: Api) -> None:
    tried = api.ask("POST", "/placements/dry-run", new("a", requested_person="one-ann"))
    assert (tried.status_code, tried.json()["person"]) == (200, "one-ann")
    assert "Ann One" in tried.json()["reason"]
    figures = api.ask("GET", "/firm").json()
    assert (figures["decisions"], figures["tasks_open"]) == (0, 1)
    assert api.ask("POST", "/tasks", new("a", requested_person="one-ann")).json()["decision"] == tried.json()
    problem(api.ask("POST", "/placements/dry-run", new("b", type="x")), 422, "unknown_reference")


def test_decisions_are_listed_and_read_with_names(api: Api) -> None:
    placed = [api.ask("POST", "/tasks", new(f"n{i}", requested_person="one-ann")).json() for i in range(3)]
    page = api.ask("GET", "/decisions?limit=2").json()
    assert [one["number"] for one in page["decisions"]] == [3, 2]
    rest = api.ask("GET", f"/decisions?limit=2&cursor={page['next']}").json()
    assert ([one["number"] for one in rest["decisions"]], rest["next"]) == ([1], None)
    assert [one["task"] for one in api.ask("GET", "/decisions?task=n1").json()["decisions"]] == ["n1"]
    whole = api.ask("GET", "/decisions/2").json()
    assert whole["answer"] == placed[1]["decision"]
    assert whole["asked"] == {**placed[1]["task"], "assignee": None}
    assert whole["actor"].startswith("token:")
    assert "Ann One" in whole["reason"]
    assert "⟦" not in api.ask("GET", "/decisions").text + api.ask("GET", "/decisions/2").text
    with api.database.reading("one") as session:
        assert (
            api.ask("GET", "/firm").json()["log_head"]
            == verify(session).head
            == api.ask("GET", "/decisions/3").json()["hash"]
        )
    problem(api.ask("GET", "/decisions/4"), 404, "not_found")
    problem(api.ask("GET", "/decisions/0"), 422, "greater_than_equal")
    problem(api.ask("GET", f"/decisions/{2**63}"), 422, "less_than_equal")
    problem(api.ask("GET", "/decisions?cursor=WzEsICJhIl0"), 422, "cursor_unknown")


@pytest.mark.parametrize("deadline, outcome", [("9999-12-31", "placed"), ("0001-01-01", "escalated")])
def test_the_first_and_the_last_day_there_are_can_be_deadlines(api: Api, deadline: str, outcome: str) -> None:
    placed = api.ask("POST", "/tasks", new("a", deadline=deadline)).json()
    assert placed["decision"]["outcome"] == outcome
    assert api.ask("POST", "/tasks", new("b", deadline=deadline, deadline_time="12:00")).status_code == 201
    assert api.ask("GET", f"/tasks?due_from={deadline}&due_until={deadline}").json()["tasks"][0]["task"]["id"] == "a"
    api.later(hours=1)
    assert api.ask("POST", "/tasks", new("c")).status_code == 201
