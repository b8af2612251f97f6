from __future__ import annotations

from typing import Any

from api.roles import Role
from api.store.loading import load_firm
from tests.api.routes.asking import Api, Ask, new, problem


def test_a_task_is_completed_and_opened_again_by_its_person(api: Api) -> None:
    before = api.ask("GET", "/tasks/one-t")
    done = api.ask("POST", "/tasks/one-t/complete", {}, If_Match=before.headers["etag"])
    assert (done.json()["task"]["status"], done.json()["task"]["completed_on"]) == ("done", "2027-03-01")
    problem(api.ask("POST", "/tasks/one-t/complete", {}, If_Match="*"), 409, "not_open")
    problem(api.ask("POST", "/tasks/one-t/cancel", If_Match="*"), 409, "not_open")
    problem(api.ask("POST", "/tasks/one-t/reopen", If_Match=before.headers["etag"]), 412, "changed")
    problem(api.ask("POST", "/tasks/one-t/reopen"), 428, "if_match_missing")
    opened = api.ask("POST", "/tasks/one-t/reopen", If_Match=done.headers["etag"])
    assert opened.json()["task"] == before.json()["task"]
    assert (opened.json()["decision"], opened.json()["decision_number"]) == (None, None)
    problem(api.ask("POST", "/tasks/one-t/reopen", If_Match="*"), 409, "open_already")
    for state in ("complete", "cancel", "reopen"):
        body: dict[str, str] | None = {} if state == "complete" else None
        problem(api.ask("POST", f"/tasks/none/{state}", body, If_Match="*"), 404, "not_found")


def test_what_nobody_had_is_placed_when_it_is_opened_again(api: Api) -> None:
    api.ask("POST", "/tasks", new("held", estimate_min=None))
    api.ask("POST", "/tasks/held/cancel", If_Match="*")
    assert api.ask("GET", "/firm").json()["holds_open"] == 0
    api.ask("PATCH", "/tasks/held", {"estimate_min": 60}, If_Match="*")
    opened = api.ask("POST", "/tasks/held/reopen", If_Match="*").json()
    assert opened["decision"]["outcome"] == "placed"
    assert opened["task"]["assignee"] == opened["decision"]["person"] is not None
    assert api.ask("GET", "/decisions/2").json()["task"] == "held"


def overfull(api: Api) -> tuple[str, int]:
    """Place tasks of today until one has no place; return that one and the number of its escalation."""
    for i in range(8):
        placed = api.ask("POST", "/tasks", new(f"today-{i}", deadline="2027-03-01", estimate_min=400)).json()
        if placed["decision"]["outcome"] == "escalated":
            return f"today-{i}", placed["decision_number"]
    raise AssertionError("four people did eight days of work in one")


def test_what_waits_gets_the_hours_of_a_task_that_is_completed_or_cancelled(api: Api) -> None:
    for ending, body in (("complete", {}), ("cancel", None)):
        waits, number = overfull(api)
        assert api.ask("POST", "/tasks/today-0/reopen", If_Match="*").status_code == 409
        assert api.ask("POST", f"/tasks/today-0/{ending}", body, If_Match="*").status_code == 200
        assert api.ask("GET", f"/tasks/{waits}").json()["task"]["assignee"] is not None
        assert api.ask("GET", f"/escalations/{number}").json()["closed_how"] == "now placed"
        for one in api.ask("GET", "/tasks?due_until=2027-03-01").json()["tasks"]:
            api.ask("DELETE", f"/tasks/{one['task']['id']}", If_Match="*")


def test_what_waits_gets_the_overtime_that_is_restored(api: Api) -> None:
    day = "2027-03-01"
    overtime = {"kind": "overtime", "first_day": day, "last_day": day, "extra_min": [400, 0, 0, 0, 0, 0, 0]}
    entry = api.ask("POST", "/calendar", overtime).json()["id"]
    api.ask("DELETE", f"/calendar/{entry}", If_Match="*")
    waits, number = overfull(api)
    assert api.ask("POST", f"/calendar/{entry}/restore").status_code == 200
    assert api.ask("GET", f"/tasks/{waits}").json()["task"]["assignee"] is not None
    assert api.ask("GET", f"/escalations/{number}").json()["closed_how"] == "now placed"


def test_a_hold_ends_with_its_task_and_another_begins_when_it_is_opened_again(api: Api) -> None:
    first = api.ask("POST", "/tasks", new("held", estimate_min=None)).json()["decision_number"]
    api.ask("POST", "/tasks/held/cancel", If_Match="*")
    assert api.ask("GET", f"/holds/{first}").json()["closed_how"] == "cancelled"
    opened = api.ask("POST", "/tasks/held/reopen", If_Match="*").json()
    assert opened["decision"]["outcome"] == "held"
    holds = api.ask("GET", "/holds?open=true").json()["holds"]
    assert [(one["number"], one["task"]) for one in holds] == [(opened["decision_number"], "held")]


def test_a_task_that_was_a_mistake_is_removed_and_one_that_was_worked_on_is_not(api: Api) -> None:
    api.ask("POST", "/tasks", new("a"))
    etag = api.ask("GET", "/tasks/a").headers["etag"]
    api.ask("POST", "/tasks", new("b", reviews="a"))
    document = problem(api.ask("DELETE", "/tasks/a", If_Match=etag), 409, "referred_to")
    assert "cancel the task" in document["hint"]
    assert api.ask("DELETE", "/tasks/b", If_Match="*").status_code == 204
    assert api.ask("DELETE", "/tasks/a", If_Match=etag).status_code == 204
    problem(api.ask("DELETE", "/tasks/a", If_Match="*"), 404, "not_found")
    removed = api.ask("GET", "/firm/history?kind=task&part=a").json()["changes"]
    assert [one["document"] is None for one in removed] == [True, False]
    with api.database.reading("one") as session:
        assert [one.id for one in load_firm(session).tasks] == ["one-t"]


def logged(api: Api, id: str, minutes: int, **more: Any) -> None:
    body = {"id": id, "person": "one-ann", "day": "2027-03-01", "minutes": minutes, **more}
    assert api.ask("POST", "/tasks/one-t/time", body).status_code == 201


def test_a_corrected_time_entry_changes_what_remains_and_the_log_keeps_what_it_said(api: Api) -> None:
    logged(api, "e", 90)
    etag = api.ask("GET", "/time-entries/e").headers["etag"]
    found = api.ask("PATCH", "/time-entries/e", {"minutes": 60, "reason": "Ann One had lunch"}, If_Match=etag)
    assert (found.json()["entry"]["minutes"], found.json()["task"]["task"]["logged_min"]) == (60, 60)
    problem(api.ask("PATCH", "/time-entries/e", {"minutes": 61}, If_Match=etag), 412, "changed")
    moved = api.ask("PATCH", "/time-entries/e", {"day": "2027-02-26"}, If_Match=found.headers["etag"]).json()
    assert (moved["entry"]["day"], moved["entry"]["minutes"]) == ("2027-02-26", 60)
    assert api.ask("DELETE", "/time-entries/e?reason=twice", If_Match="*").status_code == 204
    problem(api.ask("GET", "/time-entries/e"), 404, "not_found")
    assert api.ask("GET", "/tasks/one-t").json()["task"]["logged_min"] == 0
    entries = api.ask("GET", "/decisions?kind=time").json()["decisions"]
    assert [(one["outcome"], one["reason"]) for one in entries] == [
        ("removed", "twice"),
        ("corrected", ""),
        ("corrected", "Ann One had lunch"),
    ]
    with api.database.engine.connect() as connection:
        if not api.database.embedded:
            connection.exec_driver_sql("select set_config('evenhand.firm', 'one', true)")
        kept = connection.exec_driver_sql("select reason, document from decisions order by number").all()
    assert "Ann" not in str(kept)
    assert '"before":{"day":"2027-03-01","minutes":90}' in kept[0].document
    logged(api, "e", 15)  # an id that was taken back is free again


def test_time_entries_are_listed_by_task_person_and_day(api: Api) -> None:
    logged(api, "a", 10)
    logged(api, "b", 20, person="one-p1", day="2027-02-26")
    logged(api, "c", 30, day="2027-02-25")

    def ids(query: str) -> list[str]:
        return [one["id"] for one in api.ask("GET", f"/time-entries?{query}").json()["entries"]]

    assert ids("task=one-t") == ["a", "b", "c"]
    assert ids("person=one-p1") == ["b"]
    assert ids("first_day=2027-02-26") == ["a", "b"]
    assert ids("last_day=2027-02-25") == ["c"]
    first = api.ask("GET", "/time-entries?limit=2").json()
    assert [one["id"] for one in first["entries"]] == ["a", "b"]
    assert ids(f"limit=2&cursor={first['next']}") == ["c"]


def test_staff_see_and_correct_their_own_time_only(api: Api) -> None:
    logged(api, "mine", 10)
    logged(api, "theirs", 20, person="one-p1")
    token = api.token("one", Role.STAFF)

    def ask(method: str, path: str, body: Any = None) -> Any:
        return api.send(Ask(method, path, body, token, {"If-Match": "*"}))[0]

    assert [one["id"] for one in ask("GET", "/time-entries").json()["entries"]] == ["mine"]
    for found in (
        ask("GET", "/time-entries?person=one-p1"),
        ask("GET", "/time-entries/theirs"),
        ask("PATCH", "/time-entries/theirs", {"minutes": 1}),
        ask("DELETE", "/time-entries/theirs"),
    ):
        assert problem(found, 403, "forbidden_person")["nearest"] == "one-ann"
    assert ask("PATCH", "/time-entries/mine", {"minutes": 1}).status_code == 200


def test_a_correction_says_something(api: Api) -> None:
    logged(api, "e", 10)
    problem(api.ask("PATCH", "/time-entries/e", {"reason": "why"}, If_Match="*"), 422, "value_error")
    assert problem(api.ask("PATCH", "/time-entries/e", {"minutes": 1_441}, If_Match="*"), 422, "less_than_equal")[
        "nearest"
    ]
    problem(api.ask("PATCH", "/time-entries/none", {"minutes": 1}, If_Match="*"), 404, "not_found")
