from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from api.application import PREFIX
from api.roles import RIGHTS, Right, Role, roles_with
from api.routes.examples import SETTINGS as EXAMPLE_SETTINGS
from api.routes.limits import BODY_BYTES
from api.store.database import Database
from api.store.migrating import head
from api.store.refusals import NotFound
from api.store.solve_states import SolveAsk
from api.store.tokens import Wrong, create_token, find_token, revoke_token, tokens_of
from solver.refusal import Refused
from tests.api.routes.asking import NOW, Api, Ask, learnt, new, problem, proposed
from tests.api.routes.runs_for_tests import work_out

ANY = {"If-Match": "*"}
WORKED = {"person": "one-ann", "day": "2027-03-01", "minutes": 30}
OFF = {"kind": "time_off", "person": "one-ann", "first_day": "2027-03-08", "last_day": "2027-03-12"}
PERSON = {"id": "one-new", "level": "associate"}
CLIENT, KIND = {"id": "one-client"}, {"id": "one-type", "skill": "tax"}
SETTINGS = {**EXAMPLE_SETTINGS, "time_zone": "America/New_York"}
REASON = {"reason": "we say so"}
WORDS = "incorrect zebra current paperclip"
AWAY = {"change": "away", "person": "one-ann", "first_day": "2027-03-08", "last_day": "2027-03-12"}
SCENARIO = {"name": "one-ann away", "changes": [AWAY]}
ROUTES = {
    ("POST", "/tasks"): (Right.PLACE, Ask("POST", "/tasks", new("a"))),
    ("POST", "/tasks/bulk"): (Right.PLACE, Ask("POST", "/tasks/bulk", {"tasks": [new("b")]})),
    ("GET", "/tasks"): (Right.READ_WORK, Ask("GET", "/tasks")),
    ("POST", "/tasks/{id}/time"): (Right.LOG_TIME, Ask("POST", "/tasks/one-t/time", WORKED)),
    ("GET", "/tasks/{id}"): (Right.READ_WORK, Ask("GET", "/tasks/one-t")),
    ("PATCH", "/tasks/{id}"): (Right.CHANGE_TASKS, Ask("PATCH", "/tasks/one-t", {"priority": "high"}, None, ANY)),
    ("POST", "/tasks/{id}/complete"): (Right.CHANGE_TASKS, Ask("POST", "/tasks/first/complete", {}, None, ANY)),
    ("POST", "/tasks/{id}/reopen"): (Right.CHANGE_TASKS, Ask("POST", "/tasks/first/reopen", None, None, ANY)),
    ("POST", "/tasks/{id}/cancel"): (Right.CHANGE_TASKS, Ask("POST", "/tasks/first/cancel", None, None, ANY)),
    ("DELETE", "/tasks/{id}"): (Right.CHANGE_TASKS, Ask("DELETE", "/tasks/first", None, None, ANY)),
    ("GET", "/time-entries"): (Right.READ_WORK, Ask("GET", "/time-entries")),
    ("GET", "/time-entries/{entry}"): (Right.READ_WORK, Ask("GET", "/time-entries/one-e")),
    ("PATCH", "/time-entries/{entry}"): (
        Right.LOG_TIME,
        Ask("PATCH", "/time-entries/one-e", {"minutes": 5}, None, ANY),
    ),
    ("DELETE", "/time-entries/{entry}"): (Right.LOG_TIME, Ask("DELETE", "/time-entries/one-e", None, None, ANY)),
    ("POST", "/placements/dry-run"): (Right.TRY_PLACING, Ask("POST", "/placements/dry-run", new("other"))),
    ("GET", "/placements/{id}/why"): (Right.TRY_PLACING, Ask("GET", "/placements/one-t/why")),
    ("GET", "/placements/{id}/why-not"): (
        Right.TRY_PLACING,
        Ask("GET", "/placements/one-t/why-not?person=one-unskilled"),
    ),
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
    ("GET", "/decisions/verify"): (Right.READ_DECISIONS, Ask("GET", "/decisions/verify")),
    ("GET", "/decisions/{number}"): (Right.READ_DECISIONS, Ask("GET", "/decisions/1")),
    ("GET", "/decisions/{number}/replay"): (Right.READ_DECISIONS, Ask("GET", "/decisions/1/replay")),
    ("GET", "/people"): (Right.READ_PEOPLE, Ask("GET", "/people")),
    ("GET", "/people/{person}"): (Right.READ_PEOPLE, Ask("GET", "/people/one-ann")),
    ("GET", "/people/{person}/capacity"): (Right.READ_PEOPLE, Ask("GET", "/people/one-ann/capacity")),
    ("POST", "/people"): (Right.CHANGE_PEOPLE, Ask("POST", "/people", PERSON)),
    ("PUT", "/people/{person}"): (Right.CHANGE_PEOPLE, Ask("PUT", "/people/one-new", PERSON, None, ANY)),
    ("PUT", "/people/{person}/skills/{skill}"): (
        Right.CHANGE_PEOPLE,
        Ask("PUT", "/people/one-new/skills/tax", {}, None, ANY),
    ),
    ("DELETE", "/people/{person}/skills/{skill}"): (
        Right.CHANGE_PEOPLE,
        Ask("DELETE", "/people/one-new/skills/tax", None, None, ANY),
    ),
    ("POST", "/people/{person}/leave"): (
        Right.CHANGE_PEOPLE,
        Ask("POST", "/people/one-new/leave", {"last_day": "2027-06-30"}, None, ANY),
    ),
    ("DELETE", "/people/{person}"): (Right.CHANGE_PEOPLE, Ask("DELETE", "/people/one-new", None, None, ANY)),
    ("GET", "/calendar"): (Right.READ_PEOPLE, Ask("GET", "/calendar")),
    ("POST", "/calendar"): (Right.CHANGE_CALENDAR, Ask("POST", "/calendar", OFF)),
    ("GET", "/calendar/{entry}"): (Right.READ_PEOPLE, Ask("GET", "/calendar/{entry}")),
    ("PUT", "/calendar/{entry}"): (Right.CHANGE_CALENDAR, Ask("PUT", "/calendar/{entry}", OFF, None, ANY)),
    ("DELETE", "/calendar/{entry}"): (Right.CHANGE_CALENDAR, Ask("DELETE", "/calendar/{entry}", None, None, ANY)),
    ("POST", "/calendar/{entry}/restore"): (Right.CHANGE_CALENDAR, Ask("POST", "/calendar/{entry}/restore")),
    ("GET", "/clients"): (Right.READ_WORK, Ask("GET", "/clients")),
    ("POST", "/clients"): (Right.CHANGE_CLIENTS, Ask("POST", "/clients", CLIENT)),
    ("GET", "/clients/{client}"): (Right.READ_WORK, Ask("GET", "/clients/one-kept")),
    ("PUT", "/clients/{client}"): (Right.CHANGE_CLIENTS, Ask("PUT", "/clients/one-client", CLIENT, None, ANY)),
    ("DELETE", "/clients/{client}"): (Right.CHANGE_CLIENTS, Ask("DELETE", "/clients/one-client", None, None, ANY)),
    ("GET", "/task-types"): (Right.READ_WORK, Ask("GET", "/task-types")),
    ("POST", "/task-types"): (Right.CHANGE_CLIENTS, Ask("POST", "/task-types", KIND)),
    ("GET", "/task-types/{task_type}"): (Right.READ_WORK, Ask("GET", "/task-types/one-kind")),
    ("PUT", "/task-types/{task_type}"): (Right.CHANGE_CLIENTS, Ask("PUT", "/task-types/one-type", KIND, None, ANY)),
    ("DELETE", "/task-types/{task_type}"): (
        Right.CHANGE_CLIENTS,
        Ask("DELETE", "/task-types/one-type", None, None, ANY),
    ),
    ("GET", "/policy"): (Right.READ_POLICY, Ask("GET", "/policy")),
    ("PUT", "/policy"): (Right.CHANGE_POLICY, Ask("PUT", "/policy", {"policy": {}}, None, ANY)),
    ("POST", "/policy/validate"): (Right.READ_POLICY, Ask("POST", "/policy/validate", {})),
    ("GET", "/policy/history"): (Right.READ_POLICY, Ask("GET", "/policy/history")),
    ("GET", "/metrics"): (Right.READ_PEOPLE, Ask("GET", "/metrics")),
    ("GET", "/metrics/weekly"): (Right.READ_PEOPLE, Ask("GET", "/metrics/weekly")),
    ("POST", "/solves"): (Right.SOLVE, Ask("POST", "/solves", {"seconds": 60})),
    ("GET", "/solves"): (Right.READ_SOLVES, Ask("GET", "/solves")),
    ("GET", "/solves/{solve}"): (Right.READ_SOLVES, Ask("GET", "/solves/one-s")),
    ("GET", "/solves/{solve}/progress"): (Right.READ_SOLVES, Ask("GET", "/solves/one-s/progress")),
    ("GET", "/solves/{solve}/result"): (Right.READ_SOLVES, Ask("GET", "/solves/one-s/result")),
    ("POST", "/solves/{solve}/cancel"): (Right.SOLVE, Ask("POST", "/solves/one-w/cancel")),
    ("POST", "/scenarios"): (Right.MAKE_SCENARIOS, Ask("POST", "/scenarios", SCENARIO)),
    ("GET", "/scenarios"): (Right.READ_SCENARIOS, Ask("GET", "/scenarios")),
    ("GET", "/scenarios/{scenario}"): (Right.READ_SCENARIOS, Ask("GET", "/scenarios/{scenario}")),
    ("PUT", "/scenarios/{scenario}"): (
        Right.MAKE_SCENARIOS,
        Ask("PUT", "/scenarios/{scenario}", SCENARIO, None, ANY),
    ),
    ("POST", "/scenarios/{scenario}/rebase"): (
        Right.MAKE_SCENARIOS,
        Ask("POST", "/scenarios/{scenario}/rebase", None, None, ANY),
    ),
    ("POST", "/scenarios/{scenario}/runs"): (
        Right.MAKE_SCENARIOS,
        Ask("POST", "/scenarios/{scenario}/runs", {"kind": "what_if"}),
    ),
    ("GET", "/scenarios/{scenario}/runs"): (Right.READ_SCENARIOS, Ask("GET", "/scenarios/{scenario}/runs")),
    ("GET", "/scenarios/{scenario}/runs/{run}"): (
        Right.READ_SCENARIOS,
        Ask("GET", "/scenarios/{scenario}/runs/{run}"),
    ),
    ("GET", "/scenarios/{scenario}/runs/{run}/progress"): (
        Right.READ_SCENARIOS,
        Ask("GET", "/scenarios/{scenario}/runs/{run}/progress"),
    ),
    ("GET", "/scenarios/{scenario}/runs/{run}/points"): (
        Right.READ_SCENARIOS,
        Ask("GET", "/scenarios/{scenario}/runs/{run}/points"),
    ),
    ("GET", "/scenarios/{scenario}/runs/{run}/result"): (
        Right.READ_SCENARIOS,
        Ask("GET", "/scenarios/{scenario}/runs/{run}/result"),
    ),
    ("GET", "/scenarios/{scenario}/runs/{run}/report"): (
        Right.READ_SCENARIOS,
        Ask("GET", "/scenarios/{scenario}/runs/{run}/report"),
    ),
    ("POST", "/scenarios/{scenario}/runs/{run}/proposals"): (
        Right.DECIDE,
        Ask("POST", "/scenarios/{scenario}/runs/{run}/proposals", {}),
    ),
    ("POST", "/scenarios/{scenario}/runs/{run}/cancel"): (
        Right.MAKE_SCENARIOS,
        Ask("POST", "/scenarios/{scenario}/runs/{waiting_run}/cancel"),
    ),
    ("POST", "/runs"): (Right.MAKE_SCENARIOS, Ask("POST", "/runs", {"kind": "season"})),
    ("GET", "/runs"): (Right.READ_SCENARIOS, Ask("GET", "/runs")),
    ("GET", "/runs/{run}"): (Right.READ_SCENARIOS, Ask("GET", "/runs/{run}")),
    ("GET", "/runs/{run}/progress"): (Right.READ_SCENARIOS, Ask("GET", "/runs/{run}/progress")),
    ("GET", "/runs/{run}/points"): (Right.READ_SCENARIOS, Ask("GET", "/runs/{run}/points")),
    ("GET", "/runs/{run}/result"): (Right.READ_SCENARIOS, Ask("GET", "/runs/{run}/result")),
    ("GET", "/runs/{run}/report"): (Right.READ_SCENARIOS, Ask("GET", "/runs/{run}/report")),
    ("POST", "/runs/{run}/cancel"): (Right.MAKE_SCENARIOS, Ask("POST", "/runs/{waiting_run}/cancel")),
    ("DELETE", "/scenarios/{scenario}"): (
        Right.MAKE_SCENARIOS,
        Ask("DELETE", "/scenarios/{other_scenario}", None, None, ANY),
    ),
    ("GET", "/schedules"): (Right.READ_SOLVES, Ask("GET", "/schedules")),
    ("GET", "/schedules/{due}"): (Right.READ_SOLVES, Ask("GET", "/schedules/night")),
    ("PUT", "/schedules/{due}"): (Right.SCHEDULE, Ask("PUT", "/schedules/night", {"at": "03:00:00"}, None, ANY)),
    ("GET", "/learned"): (Right.READ_PEOPLE, Ask("GET", "/learned")),
    ("GET", "/suggestions"): (Right.READ_PEOPLE, Ask("GET", "/suggestions")),
    ("GET", "/suggestions/{id}"): (Right.READ_PEOPLE, Ask("GET", "/suggestions/{suggestion}")),
    ("GET", "/suggestions/{id}/gain"): (
        Right.READ_PEOPLE,
        Ask("GET", "/suggestions/{suggestion}/gain?work_units=0.01"),
    ),
    ("POST", "/suggestions/{id}/accept"): (
        Right.DECIDE_SUGGESTIONS,
        Ask("POST", "/suggestions/{suggestion}/accept", {}),
    ),
    ("POST", "/suggestions/{id}/undo"): (
        Right.DECIDE_SUGGESTIONS,
        Ask("POST", "/suggestions/{suggestion}/undo", REASON),
    ),
    ("POST", "/suggestions/{id}/dismiss"): (
        Right.DECIDE_SUGGESTIONS,
        Ask("POST", "/suggestions/{suggestion}/dismiss", REASON),
    ),
    ("GET", "/firm"): (Right.READ_WORK, Ask("GET", "/firm")),
    ("GET", "/firm/settings"): (Right.READ_POLICY, Ask("GET", "/firm/settings")),
    ("PUT", "/firm/settings"): (
        Right.CHANGE_POLICY,
        Ask("PUT", "/firm/settings", {"settings": SETTINGS}, None, ANY),
    ),
    ("GET", "/firm/history"): (Right.READ_DECISIONS, Ask("GET", "/firm/history")),
    ("POST", "/firm/import"): (Right.MOVE_FILES, Ask("POST", "/firm/import", {"clients": [{"id": "c"}]})),
    ("GET", "/firm/export"): (Right.MOVE_FILES, Ask("GET", "/firm/export")),
    ("POST", "/firms"): (Right.CREATE_FIRMS, Ask("POST", "/firms", {"id": "sister", "settings": SETTINGS})),
    ("POST", "/users"): (Right.MANAGE_USERS, Ask("POST", "/users", {"login": "new@example.com", "role": "operations"})),
    ("GET", "/users"): (Right.MANAGE_USERS, Ask("GET", "/users")),
    ("GET", "/users/{user}"): (Right.MANAGE_USERS, Ask("GET", "/users/{user}")),
    ("PATCH", "/users/{user}"): (Right.MANAGE_USERS, Ask("PATCH", "/users/{user}", {"disabled": True}, None, ANY)),
    ("POST", "/users/{user}/password"): (
        Right.MANAGE_USERS,
        Ask("POST", "/users/{user}/password", {"password": WORDS}),
    ),
    ("GET", "/sign-ins"): (Right.MANAGE_USERS, Ask("GET", "/sign-ins")),
    ("GET", "/people/{person}/data"): (Right.MANAGE_PRIVACY, Ask("GET", "/people/one-unskilled/data")),
    ("DELETE", "/people/{person}/data"): (
        Right.MANAGE_PRIVACY,
        Ask("DELETE", "/people/one-unskilled/data", None, None, ANY),
    ),
    ("POST", "/tokens"): (Right.MANAGE_TOKENS, Ask("POST", "/tokens", {"role": "owner"})),
    ("GET", "/tokens"): (Right.MANAGE_TOKENS, Ask("GET", "/tokens")),
    ("DELETE", "/tokens/{token}"): (Right.MANAGE_TOKENS, Ask("DELETE", "/tokens/{token}")),
}
"""Every route that asks for a token: its right, and a request that is answered when made with it, after those before."""
OPEN = {("GET", "/health"), ("GET", "/ready"), ("GET", "/version")}
OPEN |= {("POST", "/session"), ("GET", "/session/provider"), ("GET", "/session/provider/back")}
OF_SESSIONS = {("GET", "/session"), ("DELETE", "/session"), ("POST", "/session/password")}
"""Asked for by whoever signed in; ``test_sessions`` tries them."""
TAKEN_AS_OWN = {("GET", "/schedules/{due}"), ("PUT", "/schedules/{due}")}
"""Routes whose address names what every firm has."""


SEEN = (
    "/tasks",
    "/people",
    "/calendar",
    "/firm/history",
    "/clients",
    "/holds",
    "/escalations",
    "/proposals",
    "/solves",
    "/suggestions",
    "/users",
)
"""What a firm sees of itself, and others do not change."""


def prepared(api: Api) -> dict[tuple[str, str], tuple[Right, Ask]]:
    """Let firm ``one`` have what the requests name, and return them with the ids that the service gave."""
    api.ask("POST", "/tasks/one-t/time", {**WORKED, "id": "one-e"})
    api.ask("POST", "/people", {"id": "one-unskilled", "level": "associate"})
    api.ask("POST", "/clients", {"id": "one-kept"})
    api.ask("POST", "/task-types", {"id": "one-kind", "skill": "tax"})
    ids = {
        "entry": api.ask("POST", "/calendar", OFF).json()["id"],
        "token": api.ask("POST", "/tokens", {"role": "read-only"}).json()["id"],
        "user": api.ask("POST", "/users", {"login": "one@example.com", "role": "operations"}).json()["id"],
        "suggestion": learnt(api),
    } | waiting(api, "one", api.owner)
    with_solves(api)
    ids |= with_scenarios(api)
    return {name: (right, filled(asked, ids)) for name, (right, asked) in ROUTES.items()}


def waiting(api: Api, firm: str, token: str) -> dict[str, str]:
    """Let a firm have a webhook with a message, and what waits for people; return the ids."""

    def post(path: str, body: object) -> Any:
        found = api.send(Ask("POST", path, body, token))[0]
        assert found.status_code == 201, found.text
        return found.json()

    hook = post("/webhooks", {"url": "http://127.0.0.1:9/x", "topics": ["task.*"]})
    ids = {"webhook": hook["webhook"]["id"]}
    post("/tasks", new("first"))
    api.deliver(firm)
    waits: dict[str, dict[str, object]] = {
        "hold": {"estimate_min": None},
        "other_hold": {"estimate_min": None},
        "escalation": {"deadline": "2027-03-01", "estimate_min": 600},  # ten hours in a day of eight
    }
    for name, more in waits.items():
        ids[name] = str(post("/tasks", new(f"{firm}-{name}", **more))["decision_number"])
    tasks = (f"{firm}-{letter}" for letter in "abcd")
    return ids | {f"p{i}": id for i, id in enumerate(proposed(api, *tasks, firm=firm))}


def filled(asked: Ask, ids: dict[str, str]) -> Ask:
    """Return a request with the ids in the place of their names."""

    def fill(text: str) -> str:
        for name, id in ids.items():
            text = text.replace(f"{{{name}}}", id)
        return text

    body = asked.body if asked.body is None else json.loads(fill(json.dumps(asked.body)))
    return asked._replace(path=fill(asked.path), body=body)


def described(api: Api) -> set[tuple[str, str]]:
    """Return method and path of every route, as the OpenAPI document has them."""
    paths = api.ask("GET", "/openapi.json").json()["paths"]
    return {(method.upper(), path.removeprefix(PREFIX)) for path, methods in paths.items() for method in methods}


def with_solves(api: Api) -> None:
    """Have the solves that the table asks for: one that is done, one that waits."""
    api.solved("one-s")
    with api.app.state.serving.turns.turn("one", now=NOW, actor="test") as turn:
        api.app.state.serving.jobs.start(turn, "one-w", SolveAsk())


def with_scenarios(api: Api) -> dict[str, str]:
    """Have a scenario with a run that is done and one that waits, and another scenario; return the ids."""
    made = [api.ask("POST", "/scenarios", SCENARIO).json()["id"] for _ in range(2)]
    runs = [
        api.ask("POST", f"/scenarios/{made[0]}/runs", {"kind": "what_if", "seed": n}).json()["id"] for n in range(2)
    ]
    work_out(api, runs[0])
    return {"scenario": made[0], "other_scenario": made[1], "run": runs[0], "waiting_run": runs[1]}


def test_the_table_here_has_every_route(api: Api) -> None:
    assert described(api) == {*ROUTES, *OPEN, *OF_SESSIONS}
    assert not [one for one in api.app.routes if isinstance(one, APIRoute) and not one.include_in_schema]


@pytest.mark.parametrize("role", Role)
def test_every_role_at_every_route_may_what_the_table_says(api: Api, role: Role) -> None:
    routes = prepared(api)
    token = api.token("one", role)
    for right, asked in routes.values():
        found = api.send(asked._replace(token=token))[0]
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
    routes = [filled(asked, ids) for _, asked in ROUTES.values()]
    head, id, secret, firm = api.owner.split("_")
    other_secret = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    some = (
        (None, "token_missing"),
        (expired, "token_expired"),
        (revoked, "token_revoked"),
        ("x", "token_invalid"),
        (f"{head}_{id}_{other_secret}_{firm}", "token_invalid"),
        (f"{head}_{id}_{secret}_two", "token_invalid"),
        (f"{head}_{id}_{secret}_nobody", "token_invalid"),
        (f"{head}_{'0' * 16}_{secret}_{firm}", "token_invalid"),
    )
    for i, asked in enumerate(routes):
        for token, code in some if i == 0 else (some[0], some[1 + i % 7]):
            found = api.send(asked._replace(token=token))[0]
            problem(found, 401, code)
            assert found.headers["www-authenticate"] == "Bearer"
            assert secret not in found.text


def test_another_firms_ids_are_not_there_on_any_route(api: Api) -> None:
    api.ask("POST", "/tasks", new("one-new"))
    routes = prepared(api)
    api.ask("POST", "/people", PERSON)
    api.ask("POST", "/clients", CLIENT)
    api.ask("POST", "/task-types", KIND)
    before = [api.ask("GET", path).text for path in SEEN]
    for (method, path), (_, asked) in routes.items():
        if "{" in path and (method, path) not in TAKEN_AS_OWN:
            problem(api.send(asked._replace(token=api.foreign))[0], 404, "not_found")
    lists = [path for method, path in ROUTES if method == "GET" and "{" not in path and path != "/firm/export"]
    for path in (*lists, "/firm/export?form=json", "/tasks?assignee=one-ann", "/decisions?task=one-new"):
        found = api.send(Ask("GET", path, token=api.foreign))[0]
        assert found.status_code == 200
        assert "one-" not in found.text
    for path in ("/tasks", "/placements/dry-run"):
        for more in ({"reviews": "one-t"}, {"requested_person": "one-ann"}):
            found = api.send(Ask("POST", path, new("x", **more), api.foreign))[0]
            assert "one-" not in problem(found, 422, "unknown_reference")["nearest"]
    assert api.send(Ask("POST", "/tasks", new("one-new"), api.foreign))[0].status_code == 201  # their own
    assert before == [api.ask("GET", path).text for path in SEEN]


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
