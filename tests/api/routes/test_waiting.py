from __future__ import annotations

from typing import Any

import pytest

from api.roles import Role
from api.routes.conditions import cursor
from api.routes.examples import APPROVALS, ESTIMATES, REASONS
from api.store.log import verify
from api.store.replaying import replay
from solver.firm import Status
from tests.api.routes.asking import Api, Ask, new, problem, proposed


def approve(api: Api, id: str, body: Any = None, **headers: str) -> Any:
    return api.ask("POST", f"/proposals/{id}/approve", body or {}, **{"If_Match": "*", **headers})


def test_a_proposal_is_read_and_approved_once(api: Api) -> None:
    first, second = proposed(api, "a", "b")
    read = api.ask("GET", f"/proposals/{first}")
    one = read.json()
    assert (one["id"], one["status"], one["plan"]) == (first, "created", None)
    assert one["proposal"]["moves"] == [{"task": "a", "from_person": "one-ann", "to_person": "one-p1"}]
    assert one["proposal"]["gain_min"] > 0
    assert [state["state"] for state in one["states"]] == ["created"]
    assert "⟦" not in read.text
    etag = read.headers["etag"]
    problem(api.ask("POST", f"/proposals/{first}/approve", {}), 428, "if_match_missing")
    problem(approve(api, first, If_Match='"1"'), 412, "changed")
    done = approve(api, first, {"reason": "Ann One is drowning"}, If_Match=etag, Idempotency_Key="k")
    assert done.status_code == 200, done.text
    given = done.json()
    assert (given["proposals"], given["status"], given["gain_min"] > 0) == ([first], "approved", True)
    assert [(one["task"], one["person"]) for one in given["assignments"]] == [("a", "one-p1")]
    assert api.ask("GET", "/tasks/a").json()["task"]["assignee"] == "one-p1"
    assert approve(api, first, {"reason": "Ann One is drowning"}, If_Match=etag, Idempotency_Key="k").json() == given
    entry = api.ask("GET", f"/decisions/{given['decision_number']}").json()
    assert (entry["kind"], entry["outcome"], entry["reason"]) == ("proposal", "approved", "Ann One is drowning")
    late = api.send(Ask("POST", f"/proposals/{first}/approve", {}, api.token("one", Role.MANAGER), {"If-Match": "*"}))
    document = problem(late[0], 409, "proposal_ended")
    assert f"approved already, by {entry['actor']} at 2027-03-01T14:00:00+00:00" in document["detail"]
    assert (document["field"], document["value"]) == ("proposal", first)
    assert api.ask("GET", f"/proposals/{second}").json()["status"] == "created"
    with api.database.reading("one") as session:
        assert verify(session).broken is None
        assert replay(session, given["assignments"][0]["decision_number"]).same


def test_two_managers_at_once_one_wins(api: Api) -> None:
    (id,) = proposed(api, "a")
    tokens = [api.token("one", Role.MANAGER) for _ in range(4)]
    found = api.send(*(Ask("POST", f"/proposals/{id}/approve", {}, token, {"If-Match": "*"}) for token in tokens))
    assert sorted(one.status_code for one in found) == [200, 409, 409, 409]
    decisions = api.ask("GET", "/decisions?task=a").json()["decisions"]
    assert [one["kind"] for one in decisions] == ["assign", "place"]


def test_a_declined_proposal_says_who_and_why_and_stays_declined(api: Api) -> None:
    (id,) = proposed(api, "a")
    problem(api.ask("POST", f"/proposals/{id}/decline", {"reason": " "}, If_Match="*"), 422, "string_too_short")
    body = {"reason": "Ann One knows the client"}
    done = api.ask("POST", f"/proposals/{id}/decline", body, If_Match="*", Idempotency_Key="k")
    assert (done.json()["status"], done.json()["assignments"], done.json()["gain_min"]) == ("declined", [], None)
    assert api.ask("POST", f"/proposals/{id}/decline", body, If_Match="*", Idempotency_Key="k").json() == done.json()
    state = api.ask("GET", f"/proposals/{id}").json()["states"][-1]
    assert (state["state"], state["reason"]) == ("declined", "Ann One knows the client")
    assert state["actor"].startswith("token:")
    problem(approve(api, id), 409, "proposal_ended")
    assert api.ask("GET", "/tasks/a").json()["task"]["assignee"] == "one-ann"


def test_what_is_not_right_any_more_says_what_has_changed(api: Api) -> None:
    (id,) = proposed(api, "a")
    assert api.ask("PATCH", "/tasks/a", {"pinned": True}, If_Match="*").status_code == 200
    document = problem(approve(api, id), 409, "proposal_stale")
    assert "a is pinned now" in document["detail"]
    assert "task a: pinned is True, was False" in document["detail"]


def test_several_are_approved_together_and_undone_one_by_one(api: Api) -> None:
    ids = proposed(api, "a", "b")
    problem(api.ask("POST", "/proposals/approve", {"proposals": [*ids, "p-none"]}), 422, "not_found")
    assert api.ask("GET", "/tasks/a").json()["task"]["assignee"] == "one-ann"
    done = api.ask("POST", "/proposals/approve", {"proposals": ids}, Idempotency_Key="k")
    assert [one["task"] for one in done.json()["assignments"]] == ["a", "b"]
    assert api.ask("POST", "/proposals/approve", {"proposals": ids}, Idempotency_Key="k").json() == done.json()
    problem(api.ask("POST", "/proposals/approve", {"proposals": []}), 422, "too_short")
    problem(api.ask("POST", "/proposals/approve", {"proposals": [f"p{i}" for i in range(51)]}), 422, "too_long")
    back = api.ask("POST", f"/proposals/{ids[0]}/undo", {"reason": "not in this week"}, Idempotency_Key="u")
    assert (back.json()["status"], back.json()["gain_min"]) == ("undone", None)
    assert api.ask("GET", "/tasks/a").json()["task"]["assignee"] == "one-ann"
    assert api.ask("POST", f"/proposals/{ids[0]}/undo", {"reason": "not in this week"}, Idempotency_Key="u").json() == (
        back.json()
    )
    problem(api.ask("POST", f"/proposals/{ids[0]}/undo", {"reason": "again"}), 409, "proposal_ended")


def test_proposals_are_listed_in_pages_and_filtered(api: Api) -> None:
    ids = proposed(api, "a", "b", "c")
    approve(api, ids[1])
    seen, after = [], ""
    while True:
        page = api.ask("GET", f"/proposals?limit=1{after}").json()
        seen += [one["id"] for one in page["proposals"]]
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(ids)

    def listed(query: str) -> set[str]:
        return {one["id"] for one in api.ask("GET", f"/proposals?{query}").json()["proposals"]}

    assert listed("waiting=true") == {ids[0], ids[2]}
    assert listed("status=approved") == listed("waiting=false") == listed("task=b") == {ids[1]}
    assert listed("person=one-p1&waiting=true") == {ids[0], ids[2]}
    assert listed("person=one-p2") == listed("plan=none") == set()
    long_ago = cursor("0001-01-01T00:00:00+14:00", "b")
    for wrong in ("WyJhIiwiYiJd", "WzEsIDJd", "WyIyMDI3LTAzLTAxIiwiYiJd", long_ago):
        problem(api.ask("GET", f"/proposals?cursor={wrong}"), 422, "cursor_unknown")
    for method, path in (("GET", "/proposals/none"), ("POST", "/proposals/none/undo")):
        problem(api.ask(method, path, {"reason": "x"} if method == "POST" else None), 404, "not_found")


def test_a_hold_is_placed_at_once_by_its_estimate_here_or_on_the_task(api: Api) -> None:
    held = [api.ask("POST", "/tasks", new(f"h{i}", estimate_min=None)).json()["decision_number"] for i in range(3)]
    page = api.ask("GET", "/holds?open=true&limit=2").json()
    assert [one["number"] for one in page["holds"]] == held[:2]
    assert [one["number"] for one in api.ask("GET", f"/holds?cursor={page['next']}").json()["holds"]] == held[2:]
    body = {"estimate_min": 60}
    placed = api.ask("POST", f"/holds/{held[0]}/estimate", body, Idempotency_Key="k")
    assert (placed.status_code, placed.json()["decision"]["outcome"]) == (200, "placed")
    assert placed.headers["etag"] == api.ask("GET", "/tasks/h0").headers["etag"]
    again = api.ask("POST", f"/holds/{held[0]}/estimate", body, Idempotency_Key="k")
    assert again.content == placed.content
    closed = api.ask("GET", f"/holds/{held[0]}").json()
    assert (closed["closed_how"], closed["task"]) == ("now placed", "h0")
    document = problem(api.ask("POST", f"/holds/{held[0]}/estimate", body), 409, "hold_ended")
    assert "ended (now placed) already" in document["detail"]
    changed = api.ask("PATCH", "/tasks/h1", body, If_Match="*").json()
    assert changed["task"]["assignee"] is not None
    ended = api.ask("POST", f"/holds/{held[2]}/end", {"reason": "the client left"}, Idempotency_Key="e")
    assert ended.status_code == 200
    assert api.ask("POST", f"/holds/{held[2]}/end", {"reason": "the client left"}, Idempotency_Key="e").json() == (
        ended.json()
    )
    assert api.ask("GET", "/holds?open=true").json() == {"holds": [], "next": None}
    assert len(api.ask("GET", "/holds?open=false").json()["holds"]) == 3
    assert [one["number"] for one in api.ask("GET", "/holds?task=h1").json()["holds"]] == [held[1]]
    problem(api.ask("GET", "/holds/999"), 404, "not_found")
    problem(api.ask("POST", "/holds/999/end", {"reason": "x"}), 404, "not_found")


def test_an_escalation_is_read_with_its_ways_out_and_tried_again(api: Api) -> None:
    long = [api.ask("POST", "/tasks", new(f"e{i}", estimate_min=2_400, deadline="2027-03-05")).json() for i in range(4)]
    assert [one["decision"]["outcome"] for one in long[-1:]] == ["escalated"]
    number = long[-1]["decision_number"]
    (listed,) = api.ask("GET", "/escalations?open=true").json()["escalations"]
    assert (listed["number"], listed["task"]) == (number, "e3")
    assert "none with enough open hours" in listed["reason"]
    whole = api.ask("GET", f"/escalations/{number}")
    assert whole.json()["decision"] == long[-1]["decision"]
    assert whole.json()["decision"]["ways_out"]
    assert "⟦" not in whole.text
    assert api.ask("POST", "/escalations/retry", Idempotency_Key="all").json() == {"placed": []}
    again = api.ask("POST", f"/escalations/{number}/retry", Idempotency_Key="k")
    assert (again.json()["decision"]["outcome"], again.json()["decision_number"]) == ("escalated", number + 1)
    assert api.ask("POST", f"/escalations/{number}/retry", Idempotency_Key="k").content == again.content
    done = api.ask("PATCH", "/tasks/e0", {"status": Status.DONE, "completed_on": "2027-03-01"}, If_Match="*")
    assert done.status_code == 200
    assert api.ask("GET", "/tasks/e3").json()["task"]["assignee"] == long[0]["task"]["assignee"]
    assert api.ask("GET", f"/escalations/{number}").json()["closed_how"] == "now placed"
    problem(api.ask("POST", f"/escalations/{number}/retry"), 409, "escalation_ended")
    problem(api.ask("POST", f"/escalations/{number}/end", {"reason": "late"}), 409, "escalation_ended")
    problem(api.ask("GET", "/escalations/1"), 404, "not_found")  # a decision, but no escalation
    other = api.ask("POST", "/tasks", new("e5", estimate_min=9_000, deadline="2027-03-05")).json()["decision_number"]
    assert api.ask("POST", f"/escalations/{other}/end", {"reason": "by a partner"}).status_code == 200
    assert api.ask("GET", "/escalations?open=true").json()["escalations"] == []


@pytest.mark.parametrize("examples", [REASONS, ESTIMATES, APPROVALS])
def test_the_examples_are_sent_as_they_are(api: Api, examples: dict[str, Any]) -> None:
    (id,) = proposed(api, "a")
    held = api.ask("POST", "/tasks", new("h", estimate_min=None)).json()["decision_number"]
    document = api.ask("GET", "/openapi.json").json()["paths"]
    all_ways: dict[str, list[tuple[str, str, dict[str, str], int]]] = {
        id_of(REASONS): [
            ("/proposals/{id}/decline", f"/proposals/{id}/decline", {"If_Match": "*"}, 200),
            ("/holds/{number}/end", f"/holds/{held}/end", {}, 200),
        ],
        id_of(ESTIMATES): [("/holds/{number}/estimate", f"/holds/{held}/estimate", {}, 200)],
        id_of(APPROVALS): [("/proposals/approve", "/proposals/approve", {}, 422)],  # ids of nobody's proposals
    }
    ways = all_ways[id_of(examples)]
    for described, path, headers, status in ways:
        shown = document[f"/api/v1{described}"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        assert shown == {name: dict(example) for name, example in examples.items()}
        for example in shown.values():
            found = api.ask("POST", path, example["value"], **headers)
            assert found.status_code == status, found.text
            if status == 422:
                problem(found, 422, "not_found")


def id_of(examples: dict[str, Any]) -> str:
    return next(iter(examples))
