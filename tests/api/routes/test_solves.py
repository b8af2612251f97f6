from __future__ import annotations

import json
from typing import Any

import pytest

from api.routes import events
from api.routes.examples import SOLVES
from api.store import solves as stored
from api.store.solves import claim, note_progress
from solver.stop import Progress
from tests.api.routes.asking import NOW, Api, Ask, problem

MINUTE = {"seconds": 60}


def started(api: Api, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    found = api.ask("POST", "/solves", body or MINUTE, **headers)
    assert found.status_code == 202, found.text
    answer = dict(found.json())
    assert found.headers["location"] == f"/api/v1/solves/{answer['id']}"
    return answer


def steps(text: str) -> list[tuple[int, dict[str, Any]]]:
    """Return number and document of each event of a stream."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "id" in lines:
            assert lines["event"] == "progress"
            found.append((int(lines["id"]), json.loads(lines["data"])))
    return found


def test_a_solve_is_asked_for_and_waits_in_its_place(api: Api) -> None:
    first, second = started(api), started(api, {"seconds": 5, "gap_pct": 1.5})
    assert (first["state"], first["position"], second["position"]) == ("queued", 1, 2)
    read = api.ask("GET", f"/solves/{second['id']}").json()
    assert read["ask"] == {"seconds": 5, "work_units": None, "gap_pct": 1.5, "seed": 0}
    assert (read["kind"], read["attempts"], read["objective_min"]) == ("on demand", 0, None)
    assert read["actor"].startswith("token:")
    page = api.ask("GET", "/solves?limit=1").json()
    assert [one["id"] for one in page["solves"]] == [second["id"]]
    page = api.ask("GET", f"/solves?limit=1&cursor={page['next']}").json()
    assert ([one["id"] for one in page["solves"]], page["next"]) == ([first["id"]], None)


def test_the_same_key_asks_for_one_solve(api: Api) -> None:
    first = started(api, Idempotency_Key="k")
    assert started(api, Idempotency_Key="k") == first
    problem(api.ask("POST", "/solves", {"seconds": 61}, Idempotency_Key="k"), 422, "idempotency_key_reused")
    assert len(api.ask("GET", "/solves").json()["solves"]) == 1


def test_every_example_of_a_solve_is_taken(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    content = document["paths"]["/api/v1/solves"]["post"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == set(SOLVES)
    for example in content["examples"].values():
        started(api, example["value"])


@pytest.mark.parametrize(
    "body, code, nearest",
    [
        ({"seconds": 0.9}, "greater_than_equal", "1.0"),
        ({"seconds": 3_600.5}, "less_than_equal", "3600.0"),
        ({"gap_pct": -1}, "greater_than_equal", "0.0"),
        ({"gap_pct": 100.5}, "less_than_equal", "100.0"),
        ({"seed": 2**31}, "less_than_equal", str(2**31 - 1)),
        ({"work_units": 0}, "greater_than", None),
        ({"second": 5}, "extra_forbidden", None),
    ],
)
def test_what_cannot_be_asked_of_a_solve_is_said(
    api: Api, body: dict[str, Any], code: str, nearest: str | None
) -> None:
    document = problem(api.ask("POST", "/solves", body), 422, code)
    assert document["field"] == next(iter(body))
    if nearest is not None:
        assert float(document["nearest"]) == float(nearest)


def test_a_full_queue_is_said_and_opens_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_WAITING", 1)
    first = started(api)
    refused = api.ask("POST", "/solves", MINUTE)
    document = problem(refused, 429, "queue_full")
    assert (document["field"], document["value"], document["nearest"]) == ("solves", "1", "1")
    assert refused.headers["retry-after"] == "60"
    assert api.send(Ask("POST", "/solves", MINUTE, api.foreign))[0].status_code == 202
    assert api.ask("POST", f"/solves/{first['id']}/cancel").json()["state"] == "cancelled"
    started(api)


def test_a_solve_is_watched_step_by_step_and_again_from_where_the_line_broke(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STREAM_S", 0.0)
    id = started(api)["id"]
    stream = api.ask("GET", f"/solves/{id}/progress")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.startswith("retry: 1000\n\n")
    assert steps(stream.text) == [(1, {"state": "queued"})]
    claim(api.database, "one", id, "test", now=NOW)
    for cost in (900, 900, 700):
        progress = Progress(1.0, cost, 450, "annealing")
        note_progress(api.database, "one", id, "test", progress, spent_s=2.0, now=NOW)
    more = steps(api.ask("GET", f"/solves/{id}/progress", Last_Event_ID="1").text)
    assert [number for number, _ in more] == [2, 3, 4]
    assert [document.get("objective_min") for _, document in more] == [None, 900, 700]
    assert more[1][1]["gap_pct"] == 50.0
    assert steps(api.ask("GET", f"/solves/{id}/progress").text)[1:] == more
    document = problem(api.ask("GET", f"/solves/{id}/progress", Last_Event_ID="x"), 422, "event_unknown")
    assert document["field"] == "Last-Event-ID"
    read = api.ask("GET", f"/solves/{id}").json()
    assert (read["objective_min"], read["phase"], read["spent_s"], read["position"]) == (700, "annealing", 2.0, 0)


def test_a_solve_that_has_ended_is_told_to_its_end_and_then_no_more(api: Api) -> None:
    api.solved("s")
    told = steps(api.ask("GET", "/solves/s/progress").text)
    assert [document["state"] for _, document in told] == ["queued", "searching", "applying", "done"]
    again = api.ask("GET", "/solves/s/progress", Last_Event_ID=str(told[-1][0]))
    assert (again.status_code, again.text) == (204, "")


def test_streams_are_counted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_STREAMS", 0)
    id = started(api)["id"]
    refused = api.ask("GET", f"/solves/{id}/progress")
    problem(refused, 503, "too_many_streams")
    assert refused.headers["retry-after"] == "5"
    monkeypatch.setattr(events, "MOST_STREAMS", 1)
    api.app.state.serving.ending.set()
    assert api.ask("GET", f"/solves/{id}/progress").status_code == 200
    assert api.app.state.serving.streams == 0


def test_what_came_of_a_solve_is_read_with_names(api: Api) -> None:
    api.ask(
        "POST",
        "/tasks",
        {"id": "long", "type": "return", "client": "acme", "deadline": "2027-03-05", "estimate_min": 99_999},
    )
    api.solved("s")
    found = api.ask("GET", "/solves/s/result").json()
    assert found["result"] == {"placed": 0, "placed_otherwise": 0, "waiting": 1, "changed": 0, "proposals": []}
    assert [one["task"] for one in found["plan"]["tasks"]] == ["one-t"]
    assert "⟦" not in str(found)
    assert found["plan"]["certificate"]["stop_reason"]
    waits = started(api)["id"]
    document = problem(api.ask("GET", f"/solves/{waits}/result"), 409, "no_result")
    assert (document["value"], document["nearest"]) == ("queued", "done")


def test_what_has_ended_is_not_cancelled_and_what_is_not_there_is_not_found(api: Api) -> None:
    api.solved("s")
    problem(api.ask("POST", "/solves/s/cancel"), 409, "solve_ended")
    id = started(api)["id"]
    for _ in range(2):
        assert api.ask("POST", f"/solves/{id}/cancel").json()["state"] == "cancelled"
    for method, path in (("GET", ""), ("GET", "/progress"), ("GET", "/result"), ("POST", "/cancel")):
        problem(api.ask(method, f"/solves/none{path}"), 404, "not_found")
