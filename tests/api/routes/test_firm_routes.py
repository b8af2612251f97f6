from __future__ import annotations

from api.roles import Role
from api.routes.examples import SETTINGS
from tests.api.routes.asking import Api, Ask, new, problem


def test_the_policy_is_tried_changed_with_a_reason_and_can_be_what_it_was(api: Api) -> None:
    before = api.ask("GET", "/policy")
    policy = before.json()["policy"]
    wanted = {**policy, "guardrail": {"complex_from": 1, "complex_level": "senior", "high_value_level": None}}
    tried = api.ask("POST", "/policy/validate", wanted).json()
    assert tried["changed"] == ["guardrail.complex_from", "guardrail.complex_level"]
    assert api.ask("GET", "/policy").content == before.content
    changed = api.ask("PUT", "/policy", {"policy": wanted, "reason": "too hard"}, If_Match=before.headers["etag"])
    assert changed.json() == {**api.ask("GET", "/policy").json(), "policy": wanted}
    assert api.ask("POST", "/placements/dry-run", new("x")).json()["outcome"] == "escalated"
    problem(api.ask("PUT", "/policy", {"policy": policy}, If_Match=before.headers["etag"]), 412, "changed")
    then = api.ask("GET", "/policy/history").json()["policies"]
    assert [one["policy"] for one in then] == [wanted, policy]
    assert api.ask("PUT", "/policy", {"policy": then[1]["policy"]}, If_Match="*").json()["policy"] == policy
    first = api.ask("GET", "/policy/history?limit=1").json()
    rest = api.ask("GET", f"/policy/history?cursor={first['next']}").json()
    assert (len(first["policies"]), len(rest["policies"]), rest["next"]) == (1, 2, None)
    logged = api.ask("GET", "/decisions?kind=policy").json()["decisions"]
    assert [one["reason"] for one in logged] == ["", "too hard"]
    for path, method in (("/policy/validate", "POST"), ("/policy", "PUT")):
        sent = {"guardrail": {"complex_level": "seniro"}}
        found = api.ask(method, path, sent if method == "POST" else {"policy": sent}, If_Match="*")
        assert problem(found, 422, "unknown_reference")["nearest"] == "senior"


def test_settings_change_and_levels_that_people_have_stay(api: Api) -> None:
    before = api.ask("GET", "/firm/settings")
    changed = api.ask("PUT", "/firm/settings", {"settings": SETTINGS}, If_Match=before.headers["etag"])
    assert changed.json()["settings"]["time_zone"] == "America/Chicago"
    assert api.ask("GET", "/firm/settings").json() == changed.json()
    assert api.ask("GET", "/policy").headers["etag"] == changed.headers["etag"]
    fewer = {"settings": {**SETTINGS, "levels": [{"name": "partner"}]}}
    document = problem(api.ask("PUT", "/firm/settings", fewer, If_Match="*"), 422, "unknown_reference")
    assert document["value"] == "associate"
    wrong = {"settings": {**SETTINGS, "time_zone": "America/Chicgo"}}
    document = problem(api.ask("PUT", "/firm/settings", wrong, If_Match="*"), 422, "unknown_time_zone")
    assert document["nearest"] == "America/Chicago"
    assert api.ask("GET", "/firm/settings").json() == changed.json()


def test_the_four_metrics_are_of_the_firm_as_it_is(api: Api) -> None:
    first = api.ask("GET", "/metrics").json()
    assert first["metrics"]["firm"]["load_min"] == 240
    assert [one["subject"] for one in first["metrics"]["people"]] == ["one-ann", "one-p0", "one-p1", "one-p2"]
    assert sum(one["load_min"] for one in first["metrics"]["weeks"]) == 240
    api.ask("POST", "/tasks", new("a", deadline="2027-03-05"))
    api.ask("POST", "/tasks", new("long", estimate_min=100_000))
    api.ask("POST", "/tasks/one-t/complete", {"completed_on": "2027-03-09"}, If_Match="*")
    second = api.ask("GET", "/metrics").json()
    figures = second["metrics"]["firm"]
    assert second["version"] > first["version"]
    assert (figures["load_min"], figures["escalations"], figures["on_time_done_pct"]) == (60, 1, 0.0)


def test_weeks_gone_by_say_what_was_logged_finished_and_opened(api: Api) -> None:
    api.ask("POST", "/tasks/one-t/time", {"person": "one-ann", "day": "2027-02-26", "minutes": 240})
    api.ask("POST", "/tasks", new("held", estimate_min=None))
    api.ask("POST", "/tasks", new("long", estimate_min=100_000))
    api.ask("POST", "/tasks/one-t/complete", {}, If_Match="*")
    before, this = api.ask("GET", "/metrics/weekly?weeks=2").json()["weeks"]
    assert (before["week_start"], before["capacity_min"], before["logged_min"]) == ("2027-02-22", 9_600, 240)
    assert (before["utilisation_pct"], before["spread_pct"], before["on_time_pct"]) == (2.5, 10.0, None)
    assert (this["completed"], this["completed_on_time"], this["on_time_pct"]) == (1, 1, 100.0)
    assert (this["escalations_opened"], this["holds_opened"]) == (1, 1)
    assert problem(api.ask("GET", "/metrics/weekly?weeks=106"), 422, "less_than_equal")["nearest"] == "105"


def test_tokens_are_shown_once_used_and_revoked(api: Api) -> None:
    made = api.ask("POST", "/tokens", {"role": "read-only", "days": 7}, Idempotency_Key="k").json()
    again = api.ask("POST", "/tokens", {"role": "read-only", "days": 7}, Idempotency_Key="k").json()
    assert again == {**made, "token": None}
    assert api.send(Ask("GET", "/firm", token=made["token"]))[0].status_code == 200
    listed = api.ask("GET", "/tokens")
    assert made["token"] not in listed.text
    assert sorted(one["role"] for one in listed.json()["tokens"]) == ["owner", "read-only"]
    assert api.ask("DELETE", f"/tokens/{made['id']}").status_code == 204
    assert api.ask("DELETE", f"/tokens/{made['id']}").status_code == 204
    problem(api.send(Ask("GET", "/firm", token=made["token"]))[0], 401, "token_revoked")
    problem(api.ask("DELETE", "/tokens/none"), 404, "not_found")
    assert problem(api.ask("POST", "/tokens", {"role": "staff"}), 422, "token_person")["field"] == "person"
    unknown = problem(api.ask("POST", "/tokens", {"role": "staff", "person": "one-amn"}), 422, "not_found")
    assert unknown["nearest"] == "one-ann"
    assert (
        problem(api.ask("POST", "/tokens", {"role": "owner", "days": 3_651}), 422, "less_than_equal")["nearest"]
        == "3650"
    )


def test_a_firm_begun_by_an_owner_is_apart_and_begun_once(api: Api) -> None:
    body = {"id": "maple", "settings": SETTINGS}
    made = api.ask("POST", "/firms", body, Idempotency_Key="k").json()
    assert made["id"].startswith("maple-")
    assert api.ask("POST", "/firms", body, Idempotency_Key="k").json() == {**made, "token": None}
    other = api.ask("POST", "/firms", body).json()
    assert other["id"] != made["id"]
    found = api.send(Ask("GET", "/firm", token=made["token"]))[0].json()
    assert (found["id"], found["people"], found["time_zone"]) == (made["id"], 0, "America/Chicago")
    problem(api.send(Ask("GET", "/tasks/one-t", token=made["token"]))[0], 404, "not_found")
    for wrong in ("*", "a b", "", "x" * 52):
        problem(api.ask("POST", "/firms", {**body, "id": wrong}), 422, "string_pattern_mismatch")


def test_a_placement_is_explained_as_the_firm_stands(api: Api) -> None:
    api.ask("POST", "/tasks", new("a", requested_person="one-ann"))
    found = api.ask("GET", "/placements/a/why").json()
    assert (found["explanation"]["code"], found["explanation"]["person"], found["explanation"]["label"]) == (
        "planned",
        "one-ann",
        "Ann One",
    )
    assert found["last_decision"]["decided_by"] == "client request"
    assert "Ann One" in found["sentence"]
    assert "⟦" not in str(found)
    other = api.ask("GET", "/placements/one-t/why-not?person=one-p1").json()
    assert (other["answer"]["code"], other["answer"]["proven"]) == ("price", True)
    asked = api.ask("GET", "/placements/a/why-not?person=one-p1").json()
    assert asked["answer"]["code"] in ("request", "requested")
    api.ask("POST", "/tasks/one-t/complete", {}, If_Match="*")
    assert api.ask("GET", "/placements/one-t/why").json()["explanation"]["code"] == "done"
    api.ask("POST", "/tasks", new("long", deadline="2027-03-05", estimate_min=2_500))
    escalated = api.ask("GET", "/placements/long/why").json()["explanation"]
    assert (escalated["code"], escalated["ways_out"] != []) == ("escalated", True)
    problem(api.ask("GET", "/placements/none/why"), 404, "not_found")
    unknown = problem(api.ask("GET", "/placements/a/why-not?person=one-amn"), 422, "unknown_reference")
    assert (unknown["field"], unknown["nearest"]) == ("person", "one-ann")


def test_decisions_are_filtered_verified_and_made_again(api: Api) -> None:
    api.ask("POST", "/tasks", new("a", requested_person="one-ann"))
    noted = api.ask("GET", "/decisions/verify").json()["head"]
    api.later(hours=1)
    api.ask("POST", "/tasks", new("held", estimate_min=None))

    def numbers(query: str) -> list[int]:
        found = api.send(Ask("GET", f"/decisions?{query}", token=api.owner))[0]
        return [one["number"] for one in found.json()["decisions"]]

    assert numbers("person=one-ann") == numbers("decided_by=client%20request") == numbers("outcome=placed") == [1]
    assert numbers("since=2027-03-01T15:00:00Z") == numbers("since=2027-03-01T10:00:00-05:00") == [2]
    assert numbers("until=2027-03-01T15:00:00Z") == [1]
    assert numbers("kind=place") == [2, 1]
    problem(api.ask("GET", "/decisions?since=2027-03-01T15:00:00"), 422, "timezone_aware")
    problem(api.ask("GET", "/decisions?since=0001-01-01T00:00:00%2B01:00"), 422, "moment_out_of_range")
    assert api.ask("GET", "/decisions/2/replay").json() == {"number": 2, "same": True, "different": []}
    walked = api.ask("GET", f"/decisions/verify?noted={noted}").json()
    assert (walked["entries"], walked["whole"], walked["broken_at"]) == (2, True, None)
    other = api.ask("GET", f"/decisions/verify?noted={'ab' * 32}").json()
    assert (other["whole"], other["broken_at"]) == (False, 1)


def test_what_changed_is_listed_without_names(api: Api) -> None:
    api.ask("POST", "/people", {"id": "dana", "name": "Dana Reed", "level": "senior"})
    api.ask("POST", "/clients", {"id": "birch", "name": "Birch Bakery"})
    found = api.ask("GET", "/firm/history?limit=2")
    assert [(one["kind"], one["part"]) for one in found.json()["changes"]] == [("client", "birch"), ("person", "dana")]
    assert "Dana" not in found.text
    assert "Bakery" not in found.text
    assert found.json()["changes"][0]["actor"].startswith("token:")
    rest = api.ask("GET", f"/firm/history?cursor={found.json()['next']}").json()
    assert rest["changes"][0]["version"] == found.json()["changes"][1]["version"] - 1
    reading = api.token("one", Role.READ_ONLY)
    assert (
        api.send(Ask("GET", "/firm/history?kind=person&part=dana", token=reading))[0].json()["changes"][0]["document"][
            "level"
        ]
        == "senior"
    )
