from __future__ import annotations

import json
from datetime import timedelta

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from api.application import PREFIX
from api.roles import RIGHTS, Right, Role, roles_with
from api.routes.limits import BODY_BYTES
from api.store.database import Database
from api.store.migrating import head
from api.store.refusals import NotFound
from api.store.solve_states import SolveAsk
from api.store.tokens import Wrong, create_token, find_token, revoke_token, tokens_of
from solver.refusal import Refused
from tests.api.routes.asking import NOW, Api, Ask, new, problem, proposed

WORKED = {"person": "one-ann", "day": "2027-03-01", "minutes": 30}
REASON = {"reason": "we say so"}
ANY = {"If-Match": "*"}
ROUTES = {
    ("POST", "/tasks"): (Right.PLACE, Ask("POST", "/tasks", new("a"))),
    ("GET", "/tasks"): (Right.READ_WORK, Ask("GET", "/tasks")),
    ("POST", "/tasks/{id:path}/time"): (Right.LOG_TIME, Ask("POST", "/tasks/one-t/time", WORKED)),
    ("GET", "/tasks/{id:path}"): (Right.READ_WORK, Ask("GET", "/tasks/one-t")),
    ("PATCH", "/tasks/{id:path}"): (
        Right.CHANGE_TASKS,
        Ask("PATCH", "/tasks/one-t", {"priority": "high"}, None, {"If-Match": "*"}),
    ),
    ("POST", "/placements/dry-run"): (Right.TRY_PLACING, Ask("POST", "/placements/dry-run", new("other"))),
    ("GET", "/holds"): (Right.READ_WORK, Ask("GET", "/holds")),
    ("GET", "/holds/{number}"): (Right.READ_WORK, Ask("GET", "/holds/{hold}")),
    ("POST", "/holds/{number}/estimate"): (
        Right.CHANGE_TASKS,
        Ask("POST", "/holds/{hold}/estimate", {"estimate_min": 60}),
    ),
    ("POST", "/holds/{number}/end"): (Right.END_EXCEPTIONS, Ask("POST", "/holds/{other_hold}/end", REASON)),
    ("GET", "/escalations"): (Right.READ_DECISIONS, Ask("GET", "/escalations")),
    ("POST", "/escalations/retry"): (Right.PLACE, Ask("POST", "/escalations/retry")),
    ("GET", "/escalations/{number}"): (Right.READ_DECISIONS, Ask("GET", "/escalations/{escalation}")),
    ("POST", "/escalations/{number}/retry"): (Right.PLACE, Ask("POST", "/escalations/{escalation}/retry")),
    ("POST", "/escalations/{number}/end"): (Right.END_EXCEPTIONS, Ask("POST", "/escalations/{escalation}/end", REASON)),
    ("GET", "/proposals"): (Right.READ_DECISIONS, Ask("GET", "/proposals")),
    ("GET", "/proposals/{id}"): (Right.READ_DECISIONS, Ask("GET", "/proposals/{p0}")),
    ("POST", "/proposals/{id}/approve"): (Right.DECIDE, Ask("POST", "/proposals/{p0}/approve", {}, None, ANY)),
    ("POST", "/proposals/{id}/undo"): (Right.DECIDE, Ask("POST", "/proposals/{p0}/undo", REASON)),
    ("POST", "/proposals/{id}/decline"): (Right.DECIDE, Ask("POST", "/proposals/{p1}/decline", REASON, None, ANY)),
    ("POST", "/proposals/approve"): (Right.DECIDE, Ask("POST", "/proposals/approve", {"proposals": ["{p2}"]})),
    ("GET", "/inbox"): (Right.READ_INBOX, Ask("GET", "/inbox")),
    ("POST", "/inbox/read"): (Right.MARK_READ, Ask("POST", "/inbox/read", {"numbers": [1]})),
    ("GET", "/webhooks"): (Right.MANAGE_WEBHOOKS, Ask("GET", "/webhooks")),
    ("POST", "/webhooks"): (Right.MANAGE_WEBHOOKS, Ask("POST", "/webhooks", {"url": "https://example.com/x"})),
    ("GET", "/webhooks/{id}"): (Right.MANAGE_WEBHOOKS, Ask("GET", "/webhooks/{webhook}")),
    ("PATCH", "/webhooks/{id}"): (
        Right.MANAGE_WEBHOOKS,
        Ask("PATCH", "/webhooks/{webhook}", {"label": "x"}, None, ANY),
    ),
    ("POST", "/webhooks/{id}/secret"): (Right.MANAGE_WEBHOOKS, Ask("POST", "/webhooks/{webhook}/secret")),
    ("POST", "/webhooks/{id}/test"): (Right.MANAGE_WEBHOOKS, Ask("POST", "/webhooks/{webhook}/test")),
    ("POST", "/webhooks/{id}/replay"): (
        Right.MANAGE_WEBHOOKS,
        Ask("POST", "/webhooks/{webhook}/replay", {"since": "2027-03-01T00:00:00Z"}),
    ),
    ("GET", "/webhooks/{id}/deliveries"): (Right.MANAGE_WEBHOOKS, Ask("GET", "/webhooks/{webhook}/deliveries")),
    ("GET", "/webhooks/{id}/deliveries/{number}"): (
        Right.MANAGE_WEBHOOKS,
        Ask("GET", "/webhooks/{webhook}/deliveries/1"),
    ),
    ("POST", "/webhooks/{id}/deliveries/{number}/replay"): (
        Right.MANAGE_WEBHOOKS,
        Ask("POST", "/webhooks/{webhook}/deliveries/1/replay"),
    ),
    ("DELETE", "/webhooks/{id}"): (Right.MANAGE_WEBHOOKS, Ask("DELETE", "/webhooks/{webhook}", None, None, ANY)),
    ("GET", "/decisions"): (Right.READ_DECISIONS, Ask("GET", "/decisions")),
    ("GET", "/decisions/{number}"): (Right.READ_DECISIONS, Ask("GET", "/decisions/1")),
    ("POST", "/solves"): (Right.SOLVE, Ask("POST", "/solves", {"seconds": 60})),
    ("GET", "/solves"): (Right.READ_SOLVES, Ask("GET", "/solves")),
    ("GET", "/solves/{solve}"): (Right.READ_SOLVES, Ask("GET", "/solves/one-s")),
    ("GET", "/solves/{solve}/progress"): (Right.READ_SOLVES, Ask("GET", "/solves/one-s/progress")),
    ("GET", "/solves/{solve}/result"): (Right.READ_SOLVES, Ask("GET", "/solves/one-s/result")),
    ("POST", "/solves/{solve}/cancel"): (Right.SOLVE, Ask("POST", "/solves/one-w/cancel")),
    ("GET", "/schedules"): (Right.READ_SOLVES, Ask("GET", "/schedules")),
    ("PUT", "/schedules/{due}"): (Right.SCHEDULE, Ask("PUT", "/schedules/night", {"at": "03:00:00"})),
    ("GET", "/firm"): (Right.READ_WORK, Ask("GET", "/firm")),
}
"""Every route that asks for a token: its right, and a request that is answered when made with it."""
OPEN = {("GET", "/health"), ("GET", "/ready"), ("GET", "/version")}
OPEN |= {("POST", "/session"), ("GET", "/session/provider"), ("GET", "/session/provider/back")}
OF_SESSIONS = {("GET", "/session"), ("DELETE", "/session"), ("POST", "/session/password")}
"""Asked for by whoever signed in; ``test_sessions`` tries them."""
IN_ADDRESS = [asked for (_, path), (_, asked) in ROUTES.items() if "{" in path and "{due}" not in path]


def prepared(api: Api) -> dict[str, str]:
    """Let firm ``one`` have what the addresses name; return the ids."""
    hook = api.ask("POST", "/webhooks", {"url": "http://127.0.0.1:9/x", "topics": ["task.*"]}).json()["webhook"]["id"]
    api.ask("POST", "/tasks", new("first"))
    api.deliver()
    today: dict[str, object] = {"deadline": "2027-03-01", "estimate_min": 600}  # ten hours in a day of eight
    waiting: dict[str, dict[str, object]] = {
        "hold": {"estimate_min": None},
        "other_hold": {"estimate_min": None},
        "escalation": today,
    }
    made = {
        name: str(api.ask("POST", "/tasks", new(f"one-{name}", **more)).json()["decision_number"])
        for name, more in waiting.items()
    }
    return made | {"webhook": hook} | {f"p{i}": id for i, id in enumerate(proposed(api, "one-a", "one-b", "one-c"))}


def filled(asked: Ask, ids: dict[str, str], token: str | None) -> Ask:
    """Return a request with the ids in the place of their names."""

    def fill(text: str) -> str:
        for name, id in ids.items():
            text = text.replace(f"{{{name}}}", id)
        return text

    body = asked.body if asked.body is None else json.loads(fill(json.dumps(asked.body)))
    return asked._replace(path=fill(asked.path), body=body, token=token)


def described(api: Api) -> set[tuple[str, str]]:
    """Return method and path of every route, as the OpenAPI document has them."""
    paths = api.ask("GET", "/openapi.json").json()["paths"]
    return {
        (method.upper(), path.removeprefix(PREFIX).replace("/tasks/{id}", "/tasks/{id:path}"))
        for path, methods in paths.items()
        for method in methods
    }


def with_solves(api: Api) -> None:
    """Have the solves that the table asks for: one that is done, one that waits."""
    api.solved("one-s")
    with api.app.state.serving.turns.turn("one", now=NOW, actor="test") as turn:
        api.app.state.serving.jobs.start(turn, "one-w", SolveAsk())


def test_the_table_here_has_every_route(api: Api) -> None:
    assert described(api) == {*ROUTES, *OPEN, *OF_SESSIONS}
    assert not [one for one in api.app.routes if isinstance(one, APIRoute) and not one.include_in_schema]


@pytest.mark.parametrize("role", Role)
def test_every_role_at_every_route_may_what_the_table_says(api: Api, role: Role) -> None:
    api.ask("POST", "/tasks", new("first"))
    with_solves(api)
    ids, token = prepared(api), api.token("one", role)
    for right, asked in ROUTES.values():
        found = api.send(filled(asked, ids, token))[0]
        if right in RIGHTS[role]:
            assert found.status_code in (200, 201, 202, 204), (role, asked, found.text)
        else:
            document = problem(found, 403, "forbidden")
            assert document["value"] == role.value
            assert all(one.value in document["hint"] for one in roles_with(right))


def test_who_may_not_place_has_placed_nothing(api: Api) -> None:
    for role in (Role.STAFF, Role.READ_ONLY):
        problem(api.send(Ask("POST", "/tasks", new("a"), api.token("one", role)))[0], 403, "forbidden")
    problem(api.ask("GET", "/tasks/a"), 404, "not_found")


def test_no_route_answers_without_a_token_that_is_good(api: Api) -> None:
    expired, revoked = api.token("one", Role.OWNER, days=1), api.token("one", Role.OWNER)
    revoke_token(api.database, "one", revoked.split("_")[1], now=NOW)
    api.later(days=1)
    ids = dict.fromkeys(("hold", "other_hold", "escalation", "p0", "p1", "p2"), "1")
    kind, id, secret, firm = api.owner.split("_")
    other_secret = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for _, asked in ROUTES.values():
        for token, code in (
            (None, "token_missing"),
            ("x", "token_invalid"),
            (f"{kind}_{id}_{other_secret}_{firm}", "token_invalid"),
            (f"{kind}_{id}_{secret}_two", "token_invalid"),
            (f"{kind}_{id}_{secret}_nobody", "token_invalid"),
            (f"{kind}_{'0' * 16}_{secret}_{firm}", "token_invalid"),
            (expired, "token_expired"),
            (revoked, "token_revoked"),
        ):
            found = api.send(filled(asked, ids, token))[0]
            problem(found, 401, code)
            assert found.headers["www-authenticate"] == "Bearer"
            assert secret not in found.text


def test_another_firms_ids_are_not_there_on_any_route(api: Api) -> None:
    api.ask("POST", "/tasks", new("one-new"))
    with_solves(api)
    ids = prepared(api)
    before = api.ask("GET", "/tasks").text
    for asked in IN_ADDRESS:
        problem(api.send(filled(asked, ids, api.foreign))[0], 404, "not_found")
    for path in (
        "/tasks",
        "/decisions",
        "/firm",
        "/tasks?assignee=one-ann",
        "/decisions?task=one-new",
        "/solves",
        "/schedules",
        "/holds",
        "/escalations",
        "/proposals",
        "/tasks?assignee=one-ann",
        "/decisions?task=one-new",
    ):
        found = api.send(Ask("GET", path, token=api.foreign))[0]
        assert found.status_code == 200
        assert "one-" not in found.text
    for path in ("/tasks", "/placements/dry-run"):
        for more in ({"reviews": "one-t"}, {"requested_person": "one-ann"}):
            found = api.send(Ask("POST", path, new("x", **more), api.foreign))[0]
            assert "one-" not in problem(found, 422, "unknown_reference")["nearest"]
    assert api.send(Ask("POST", "/tasks", new("one-new"), api.foreign))[0].status_code == 201  # their own
    assert api.ask("GET", "/tasks").text == before


def test_of_a_token_only_a_hash_is_stored_and_its_use_is_noted_now_and_then(api: Api) -> None:
    secret = api.owner.split("_")[2]

    def used() -> object:
        with api.database.reading("one") as session:
            return tokens_of(session)[0].last_used_at

    assert used() is None
    api.ask("GET", "/firm")
    assert used() == NOW
    api.later(minutes=9)
    api.ask("GET", "/firm")
    assert used() == NOW
    api.later(minutes=1)
    api.ask("GET", "/tasks/none")
    api.ask("POST", "/tasks", new("a"))
    assert used() == NOW + timedelta(minutes=10)
    with api.database.engine.connect() as connection:
        if not api.database.embedded:
            connection.exec_driver_sql("select set_config('evenhand.firm', 'one', true)")
        rows = connection.execute(text("select * from tokens where firm_id = 'one'")).all()
    assert len(rows) == 1
    assert secret not in str(rows)


def test_tokens_are_made_for_those_who_are_there(api: Api) -> None:
    database: Database = api.database
    with pytest.raises(NotFound, match="firm"):
        create_token(database, "three", Role.OWNER, now=NOW, days=1)
    with pytest.raises(NotFound, match='Nearest: "one-ann"'):
        create_token(database, "one", Role.STAFF, now=NOW, days=1, person="one-anm")
    for role, person in ((Role.STAFF, None), (Role.OWNER, "one-ann")):
        with pytest.raises(Refused, match="role staff"):
            create_token(database, "one", role, now=NOW, days=1, person=person)
    for days, near in ((0, "1"), (3_651, "3650")):
        with pytest.raises(Refused, match=f'Nearest: "{near}"'):
            create_token(database, "one", Role.OWNER, now=NOW, days=days)
    with pytest.raises(NotFound, match="token"):
        revoke_token(database, "two", api.owner.split("_")[1], now=NOW)
    assert find_token(database, api.owner, now=NOW).role is Role.OWNER
    with pytest.raises(Wrong, match="expired"):
        find_token(database, api.owner, now=NOW + timedelta(days=30))


def test_a_body_over_the_limit_is_refused_before_it_is_read(api: Api) -> None:
    body = json.dumps(new("a")).encode()
    whole = body + b" " * (BODY_BYTES - len(body))
    for asked in (Ask("POST", "/tasks", whole + b" ", api.owner), Ask("POST", "/tasks", whole + b" ")):
        assert problem(api.send(asked)[0], 413, "body_too_large")["nearest"] == str(BODY_BYTES)
    json_type = {"Content-Type": "application/json"}
    assert api.send(Ask("POST", "/tasks", whole, api.owner, json_type))[0].status_code == 201


@pytest.mark.parametrize(
    "body, status, code",
    [
        (b"{", 400, "json_invalid"),
        (b"\xff\xfe", 400, "json_invalid"),
        (b"[" * 60_000, 400, None),
        (b'{"id": ' + b"9" * 5_000 + b"}", 400, None),
        (b'{"id": "\\ud800", "type": "return", "client": "acme", "deadline": "2027-03-19"}', 422, "string_unicode"),
        (b'{"id": "a", "type": "return", "client": "acme", "deadline": "2027-03-19", "estimate_min": NaN}', 422, None),
        (b"", 422, "missing"),
    ],
)
def test_bodies_that_are_no_task_are_refused(api: Api, body: bytes, status: int, code: str | None) -> None:
    found = api.send(Ask("POST", "/tasks", body, api.owner, {"Content-Type": "application/json"}))[0]
    problem(found, status, code or found.json()["code"])


def test_what_is_not_there_and_what_fails_are_problems_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    problem(api.ask("GET", "/nothing"), 404, "not_found")
    problem(api.ask("DELETE", "/firm"), 405, "method_not_allowed")
    with api.database.writer.begin() as connection:
        if api.database.embedded:
            connection.execute(text("update firms set document = 'broken'"))
    if api.database.embedded:
        document = problem(api.ask("GET", "/firm"), 500, "defect")
        assert "JSON" not in str(document)


def test_state_is_open_to_everybody(api: Api) -> None:
    for path, body in (("/health", {"status": "ok"}), ("/ready", {"status": "ok"})):
        found = api.send(Ask("GET", path))[0]
        assert (found.status_code, found.json()) == (200, body)
    assert api.send(Ask("GET", "/version"))[0].json()["revision"] == head()
    api.app.state.serving.revision = "later"
    document = problem(api.send(Ask("GET", "/ready"))[0], 503, "not_ready")
    assert (document["value"], document["nearest"]) == (head(), "later")


def test_a_database_that_is_gone_is_said_without_its_address(api: Api) -> None:
    gone = api.database.url.set(host="127.0.0.1", port=9, database="gone", query={})
    if api.database.embedded:
        gone = api.database.url.set(database=f"{api.database.url.database}-gone/evenhand.db")
    api.app.state.serving.database = Database(gone.render_as_string(hide_password=False))
    for path in ("/ready", "/firm"):
        found = api.ask("GET", path)
        problem(found, 503, "database_unavailable")
        assert found.headers["retry-after"] == "1"
        assert "gone" not in found.text
