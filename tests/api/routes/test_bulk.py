from __future__ import annotations

from api.routes.work_models import BULK_ROWS
from api.store.log import verify
from tests.api.routes.asking import Api, new, problem


def test_each_row_is_an_answer_or_a_problem_and_none_is_lost(api: Api) -> None:
    rows = [new("a"), new("b", estimate_min=0), {"id": "c"}, new("a"), new("d", client="acne"), new("e", reviews="a")]
    found = api.ask("POST", "/tasks/bulk", {"tasks": rows})
    assert found.status_code == 200
    document = found.json()
    assert [one["row"] for one in document["rows"]] == list(range(6))
    assert (document["taken"], document["refused"]) == (2, 4)
    placed = {one["row"]: one["placed"] for one in document["rows"] if one["placed"]}
    assert set(placed) == {0, 5}
    assert placed[0]["task"]["assignee"] != placed[5]["task"]["assignee"]
    codes = [(one["problems"][0]["code"], one["problems"][0]["field"]) for one in document["rows"] if one["problems"]]
    assert codes == [
        ("greater_than_equal", "estimate_min"),
        ("missing", "type"),
        ("taken", "task"),
        ("unknown_reference", "client"),
    ]
    assert len(document["rows"][2]["problems"]) == 3
    assert document["rows"][4]["problems"][0]["nearest"] == "acme"
    assert api.ask("GET", "/tasks/a").json()["task"] == placed[0]["task"]


def test_all_or_nothing_places_nothing_where_a_row_is_refused(api: Api) -> None:
    for rows, field in (([new("a"), new("b", type="x")], "tasks.1.type"), ([new("a"), {"id": 7}], "tasks.1.id")):
        document = problem(
            api.ask("POST", "/tasks/bulk", {"tasks": rows, "all_or_nothing": True}), 422, document_code(field)
        )
        assert (document["field"], document["row"]) == (field, 1)
    problem(api.ask("GET", "/tasks/a"), 404, "not_found")
    assert api.ask("GET", "/firm").json()["decisions"] == 0
    found = api.ask("POST", "/tasks/bulk", {"tasks": [new("a"), new("b")], "all_or_nothing": True}).json()
    assert (found["taken"], found["refused"]) == (2, 0)
    with api.database.reading("one") as session:
        assert verify(session)[1:4:2] == (2, None)
    assert api.app.state.serving.turns.self_check("one") == ()


def document_code(field: str) -> str:
    return "unknown_reference" if field.endswith("type") else "string_type"


def test_a_key_is_done_once_refused_rows_included(api: Api) -> None:
    body = {"tasks": [new("a"), new("b", estimate_min=0)]}
    first, again = (api.ask("POST", "/tasks/bulk", body, Idempotency_Key="k") for _ in range(2))
    assert again.content == first.content
    assert api.ask("GET", "/firm").json()["decisions"] == 1
    problem(api.ask("POST", "/tasks/bulk", {"tasks": [new("c")]}, Idempotency_Key="k"), 422, "idempotency_key_reused")


def test_the_most_rows_are_taken_and_one_more_is_not(api: Api) -> None:
    held = [{"id": f"h{i}", "type": "return", "client": "acme", "deadline": "2027-03-19"} for i in range(BULK_ROWS + 1)]
    document = problem(api.ask("POST", "/tasks/bulk", {"tasks": held}), 422, "too_long")
    assert document["field"] == "tasks"
    assert api.ask("POST", "/tasks/bulk", {"tasks": held[:-1]}).json()["taken"] == BULK_ROWS
    problem(api.ask("POST", "/tasks/bulk", {"tasks": []}), 422, "too_short")
