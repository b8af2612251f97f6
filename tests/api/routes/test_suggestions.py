from __future__ import annotations

from typing import Any

from api.roles import Role
from api.store.log import verify
from solver.firm import Status
from tests.api.routes.asking import Api, Ask, learnt, new, problem
from tests.firms_for_tests import day, task

BECAUSE = {"reason": "March was unusual"}


def offered(api: Api, **wanted: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return list(api.ask("GET", f"/suggestions?{query}").json()["suggestions"])


def ids(api: Api, **wanted: str) -> list[str]:
    return [one["id"] for one in offered(api, **wanted)]


def default_min(api: Api) -> int:
    return int(api.ask("GET", "/task-types/one-learnt").json()["task_type"]["default_estimate_min"])


def test_what_time_sheets_say_is_told_with_intervals(api: Api) -> None:
    assert api.ask("GET", "/learned").json()["types"] == []
    learnt(api)
    found = api.ask("GET", "/learned").json()
    (kind,) = found["types"]
    assert (kind["type"], kind["tasks"]) == ("one-learnt", 12)
    assert kind["level"]["low"] < 2 < kind["level"]["high"]
    assert kind["level"]["ratio"] > 1.9
    assert {one["person"] for one in found["people"]} == {"one-ann", "one-p1"}
    assert {(one["person"], one["skill"]) for one in found["people_in_skills"]} == {
        ("one-ann", "tax"),
        ("one-p1", "tax"),
    }
    mine = api.ask("GET", "/learned?person=one-ann").json()
    assert [one["person"] for one in mine["people_in_types"]] == ["one-ann"]
    assert mine["types"] == found["types"]
    api.ask("POST", "/tasks", new("begun"))
    api.ask("POST", "/tasks/begun/time", {"person": "one-ann", "day": "2027-03-01", "minutes": 30})
    assert {"reason": "no task of its type is finished", "tasks": 1} in api.ask("GET", "/learned").json()["left_out"]


def test_a_suggestion_is_accepted_applied_logged_and_undone(api: Api) -> None:
    id = learnt(api)
    one = api.ask("GET", f"/suggestions/{id}").json()
    assert (one["state"], one["decided"]) == ("offered", None)
    assert one["suggestion"]["changes"] == [{"id": "one-learnt", "skill": None, "before": 60, "after": 120}]
    assert one["suggestion"]["sentence"].startswith("one-learnt usually takes 2 h, not 1 h")
    assert default_min(api) == 60  # nothing is applied by itself
    accepted = api.ask("POST", f"/suggestions/{id}/accept", {"reason": "as we see"}, Idempotency_Key="k")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (
        api.ask("POST", f"/suggestions/{id}/accept", {"reason": "as we see"}, Idempotency_Key="k").json()
        == accepted.json()
    )
    assert default_min(api) == 120
    assert id not in ids(api)
    problem(api.ask("POST", f"/suggestions/{id}/accept", {}), 404, "not_found")
    (kept,) = offered(api, state="accepted")
    assert (kept["id"], kept["decided"]["decision_number"]) == (id, accepted.json()["decision_number"])
    entry = api.ask("GET", "/decisions?kind=suggestion").json()["decisions"][0]
    assert (entry["outcome"], entry["reason"], entry["number"]) == (
        "accepted", "as we see", accepted.json()["decision_number"],
    )  # fmt: skip
    undone = api.ask("POST", f"/suggestions/{id}/undo", BECAUSE)
    assert (undone.status_code, undone.json()["state"]) == (200, "undone")
    assert default_min(api) == 60
    assert ids(api) == [id]  # the time sheets say so still
    problem(api.ask("POST", f"/suggestions/{id}/undo", BECAUSE), 409, "suggestion_ended")
    with api.database.reading("one") as session:
        assert verify(session).broken is None


def test_what_was_changed_since_is_not_undone(api: Api) -> None:
    id = learnt(api)
    api.ask("POST", f"/suggestions/{id}/accept", {})
    kind = api.ask("GET", "/task-types/one-learnt").json()["task_type"]
    api.ask("PUT", "/task-types/one-learnt", {**kind, "default_estimate_min": 100}, If_Match="*")
    problem(api.ask("POST", f"/suggestions/{id}/undo", BECAUSE), 409, "suggestion_stale")
    assert default_min(api) == 100


def test_a_dismissed_suggestion_is_not_repeated_until_the_data_change(api: Api) -> None:
    id = learnt(api)
    assert api.ask("POST", f"/suggestions/{id}/dismiss", BECAUSE).json()["state"] == "dismissed"
    assert ids(api) == []
    assert api.ask("GET", f"/suggestions/{id}").json()["decided"]["reason"] == BECAUSE["reason"]
    problem(api.ask("POST", f"/suggestions/{id}/accept", {}), 404, "not_found")
    problem(api.ask("GET", f"/suggestions/{id}/gain"), 404, "not_found")

    def more(first: int, count: int) -> None:
        usual = {"hours": 1, "type": "one-learnt", "status": Status.DONE, "completed_on": day(-20)}
        some = [
            task(f"more-{i}", **usual, assignee=("one-ann", "one-p1")[i % 2], logged_min=(116, 120, 124)[i % 3])  # type: ignore[arg-type]
            for i in range(first, first + count)
        ]
        with api.app.state.serving.turns.turn("one", now=api.at, actor="test") as turn:
            turn.add(*some)

    more(0, 5)  # 17 tasks of 12: the same, and little more of it
    assert ids(api) == []
    more(5, 1)  # 18: half as many again
    assert ids(api) == [id]
    api.ask("POST", f"/suggestions/{id}/dismiss", BECAUSE)
    assert ids(api) == []
    kind = api.ask("GET", "/task-types/one-learnt").json()["task_type"]
    api.ask("PUT", "/task-types/one-learnt", {**kind, "default_estimate_min": 80}, If_Match="*")
    (other,) = offered(api)
    assert other["id"] != id
    assert other["suggestion"]["changes"][0] == {"id": "one-learnt", "skill": None, "before": 80, "after": 120}
    assert api.ask("POST", f"/suggestions/{id}/undo", BECAUSE).status_code == 200


def test_estimates_of_open_tasks_are_corrected_once_and_learnt_from_as_first_given(api: Api) -> None:
    learnt(api)
    for name in ("x", "y"):
        assert api.ask("POST", "/tasks", new(name, type="one-learnt", estimate_min=90)).status_code == 201
    (id,) = ids(api, kind="open_estimates")
    (one,) = offered(api, kind="open_estimates")
    assert {(change["id"], change["before"]) for change in one["suggestion"]["changes"]} == {("x", 90), ("y", 90)}
    assert api.ask("POST", f"/suggestions/{id}/accept", {}).status_code == 200
    after = api.ask("GET", "/tasks/x").json()["task"]["estimate_min"]
    assert 170 <= after <= 190
    assert ids(api, kind="open_estimates") == []  # not corrected again
    level = api.ask("GET", "/learned").json()["types"][0]["level"]
    api.ask("POST", "/tasks/x/time", {"person": "one-ann", "day": "2027-03-01", "minutes": after})
    api.ask("POST", "/tasks/x/complete", {}, If_Match="*")
    again = api.ask("GET", "/learned").json()["types"][0]
    assert again["tasks"] == 13
    assert abs(again["level"]["ratio"] - level["ratio"]) < 0.05  # 180 of 90 minutes: twice, as before
    undone = api.ask("POST", f"/suggestions/{id}/undo", BECAUSE)
    assert undone.status_code == 200
    assert api.ask("GET", "/tasks/y").json()["task"]["estimate_min"] == 90
    assert api.ask("GET", "/tasks/x").json()["task"]["estimate_min"] == after  # done is done


def test_how_fast_somebody_is_goes_into_their_cell_and_their_name_stays(api: Api) -> None:
    people = ("one-ann", "one-p1", "one-p2")
    some = [
        task(
            f"s{i}",
            hours=1,
            assignee=people[i % 3],
            status=Status.DONE,
            completed_on=day(-30),
            logged_min=round((120 if i % 3 == 0 else 60) * (0.97, 1.0, 1.03)[i // 3 % 3]),
        )
        for i in range(90)
    ]
    with api.app.state.serving.turns.turn("one", now=api.at, actor="test") as turn:
        turn.add(*some)
    slow = [one for one in offered(api, kind="efficiency") if one["suggestion"]["person"] == "one-ann"]
    assert slow[0]["suggestion"]["sentence"].startswith("Ann One needs ")
    after = slow[0]["suggestion"]["changes"][0]["after"]
    assert after > 120
    id = slow[0]["id"]
    assert api.ask("POST", f"/suggestions/{id}/accept", {}).status_code == 200
    ann = api.ask("GET", "/people/one-ann").json()["person"]
    assert (ann["name"], ann["skills"][0]["efficiency_pct"]) == ("Ann One", after)
    api.ask("POST", f"/suggestions/{id}/undo", BECAUSE)
    assert api.ask("GET", "/people/one-ann").json()["person"]["skills"][0]["efficiency_pct"] == 100
    assert "Ann One" not in api.ask("GET", "/firm/history").text
    team = api.ask("POST", "/people", {"id": "one-tess", "level": "associate", "team": "tax"})
    assert team.status_code == 201
    held = api.ask("POST", "/tokens", {"role": "manager", "team": "tax"}).json()["token"]
    for what, body in (("accept", {}), ("dismiss", BECAUSE)):
        problem(api.send(Ask("POST", f"/suggestions/{id}/{what}", body, held))[0], 403, "forbidden_team")


def test_the_gain_of_a_suggestion_is_a_scenario_and_stores_nothing(api: Api) -> None:
    learnt(api)
    for i in range(4):
        api.ask("POST", "/tasks", new(f"x{i}", type="one-learnt", estimate_min=400, deadline="2027-03-03"))
    version = api.ask("GET", "/firm").json()["version"]
    (id,) = ids(api, kind="open_estimates")
    found = api.ask("GET", f"/suggestions/{id}/gain?work_units=0.05")
    assert found.status_code == 200, found.text
    gain = found.json()
    assert gain["gain_min"] >= 0
    assert gain["unaware_min"] == gain["gain_min"] + gain["certificate_after"]["objective_min"]
    figures = {one["field"]: one for one in gain["difference"]["figures"]}
    assert figures["utilisation_pct"]["after"] > figures["utilisation_pct"]["before"]
    assert gain["changes"][0].startswith("one-learnt takes ")
    assert gain == api.ask("GET", f"/suggestions/{id}/gain?work_units=0.05").json()
    assert api.ask("GET", "/firm").json()["version"] == version


def test_staff_see_no_suggestions_and_readers_decide_none(api: Api) -> None:
    id = learnt(api)
    for role, path in ((Role.STAFF, "/suggestions"), (Role.STAFF, "/learned")):
        problem(api.send(Ask("GET", path, None, api.token("one", role)))[0], 403, "forbidden")
    for what in ("accept", "dismiss", "undo"):
        body = {} if what == "accept" else BECAUSE
        asked = Ask("POST", f"/suggestions/{id}/{what}", body, api.token("one", Role.INTEGRATION))
        problem(api.send(asked)[0], 403, "forbidden")
