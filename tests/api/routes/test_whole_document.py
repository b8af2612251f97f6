"""Requests drawn from the OpenAPI document, sent by every role: all are answered as it says, and none with another firm's data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.application import PREFIX
from api.roles import RIGHTS, Right, Role
from api.store.database import Database
from tests.api.routes.asking import Api, Ask, learnt, new
from tests.api.routes.runs_for_tests import work_out
from tests.api.routes.test_access import AWAY, OFF, ROUTES, WORKED, waiting

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 12
"""Requests per operation and kind."""
REFERENCES: dict[str, Any] = {
    "type": "return",
    "client": "acme",
    "person": "one-ann",
    "requested_person": "one-ann",
    "usual_person": "one-ann",
    "assignee": None,
    "reviews": "one-t",
    "status": "planned",
    "level": "senior",
    "min_level": "senior",
    "complex_level": "senior",
    "high_value_level": "senior",
    "barred": ["one-p1"],
    "people": ["one-ann"],
    "levels": ["senior"],
    "country": "US",
    "subdivision": None,
    "time_zone": "America/New_York",
}
# A stream of a solve that waits stays open until it has ended: what it tells is tested with `tests/api/routes/test_solves.py`.
STREAMS = {
    ("GET", "/solves/{solve}/progress"),
    ("GET", "/scenarios/{scenario}/runs/{run}/progress"),
    ("GET", "/runs/{run}/progress"),
}
OPERATIONS = sorted(
    set(ROUTES) - STREAMS, key=lambda one: (one[1] == "/firm/import", one[0] == "DELETE", "/end" in one[1], one)
)
"""What takes things away comes last."""


class World:
    """Two firms, tokens of every role of the first, and the ids of both."""

    def __init__(self, database: Database) -> None:
        self.api = Api(database)
        self.schema: Any = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", self.api.app)
        self.tokens = {role: self.api.token("one", role, days=3_000) for role in Role}
        self.ids = {
            firm: self._fill(firm, token) for firm, token in (("one", self.api.owner), ("two", self.api.foreign))
        }
        self.theirs = self.seen_by_them()

    def _fill(self, firm: str, token: str) -> dict[str, list[str]]:
        """Let a firm have one of everything; return ids by the names that addresses have for them."""

        def post(path: str, body: object) -> Any:
            found = self.api.send(Ask("POST", path, body, token))[0]
            assert found.status_code == 201, found.text
            return found.json()

        post("/tasks", new(f"{firm}-new"))
        if firm == "two":  # ids and numbers that count what happens should not be those of the other firm
            for i in range(5):
                post("/tasks", new(f"two-more-{i}"))
        post(f"/tasks/{firm}-t/time", {**WORKED, "id": f"{firm}-e", "person": f"{firm}-ann"})
        for kind, more in (("clients", {}), ("task-types", {"skill": "tax"}), ("people", {"level": "senior"})):
            post(f"/{kind}", {"id": f"{firm}-{kind}", **more})
        there = waiting(self.api, firm, token)
        away = {**AWAY, "person": f"{firm}-ann"}
        scenario = post("/scenarios", {"name": f"{firm}-ann away", "changes": [away]})["id"]
        runs = [
            self.api.send(Ask("POST", f"/scenarios/{scenario}/runs", {"kind": kind}, token))[0].json()["id"]
            for kind in ("what_if", "risk")
        ]
        work_out(self.api, runs[0], firm=firm)
        solve = self.api.send(Ask("POST", "/solves", {"seconds": 1}, token))[0].json()["id"]
        return {
            "id": [f"{firm}-t", f"{firm}-new"],
            "person": [f"{firm}-ann", f"{firm}-people"],
            "client": [f"{firm}-clients"],
            "task_type": [f"{firm}-task-types"],
            "entry": [post("/calendar", {**OFF, "person": f"{firm}-ann"})["id"], f"{firm}-e"],
            "token": [post("/tokens", {"role": "owner"})["id"]],
            "solve": [solve],
            "scenario": [scenario],
            "run": runs,
            "user": [post("/users", {"login": f"{firm}@example.com", "role": "owner"})["id"]],
            "suggestions/{id}": [learnt(self.api, firm)],
            "webhooks/{id}": [there["webhook"]],
            "proposals/{id}": [there[f"p{i}"] for i in range(4)],
            "holds/{number}": [there["hold"], there["other_hold"]],
            "escalations/{number}": [there["escalation"]],
        }

    def seen_by_them(self) -> list[str]:
        """Return all that the second firm sees of itself."""
        lists = [
            path
            for method, path in ROUTES
            if method == "GET" and "{" not in path and path not in ("/firm/export", "/tokens")
        ]
        return [one.text for one in self.api.send(*(Ask("GET", path, None, self.api.foreign) for path in lists))]


@pytest.fixture(scope="module")
def world(prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    path = tmp_path_factory.mktemp("whole") / "evenhand.db"
    path.write_bytes(prepared_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield World(database)
    database.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("method, path", OPERATIONS, ids=lambda part: part)
def test_whatever_is_sent_is_answered_as_the_document_says(
    world: World, method: str, path: str, mode: GenerationMode
) -> None:
    operation = world.schema[f"{PREFIX}{path}"][method]
    right = ROUTES[method, path][0]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def tried(case: Case[Any], data: st.DataObject) -> None:
        role = data.draw(st.sampled_from([Role.OWNER, Role.OWNER, *Role]))
        whose = data.draw(st.sampled_from(["one", "one", "two", None])) if "{" in path else None
        if whose is not None:
            whose = whose if _name(case, path, world.ids[whose], data) else None
        if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            case.body = _with_references(case.body)
        _send(world, case, role, right, foreign=whose == "two")

    tried()


def test_the_other_firm_is_as_it_was(world: World) -> None:
    assert world.seen_by_them() == world.theirs


def _name(case: Case[Any], path: str, ids: dict[str, list[str]], data: st.DataObject) -> bool:
    """Let the address name something that is there; return whether it can."""
    named = False
    for name in case.path_parameters or {}:
        some = ids.get(f"{path.split('/')[1]}/{{{name}}}") or (
            ids.get(name) if name != "id" or _of_tasks(path) else None
        )
        if some:
            case.path_parameters[name] = data.draw(st.sampled_from(some))
            named = True
    return named


def _of_tasks(path: str) -> bool:
    return path.startswith(("/tasks", "/placements"))


def _with_references(body: Any) -> Any:
    """Let a body name what the firm has, so that it gets past the first look."""
    if isinstance(body, dict):
        named = {name: REFERENCES.get(name, _with_references(value)) for name, value in body.items()}
        return {name: named[name] if value is not None else None for name, value in body.items()}
    return [_with_references(one) for one in body] if isinstance(body, list) else body


def _send(world: World, case: Case[Any], role: Role, right: Right, *, foreign: bool) -> None:
    if "If-Match" in str(case.operation.definition.raw):
        case.headers.setdefault("If-Match", "*")
    found = case.call(headers={"Authorization": f"Bearer {world.tokens[role]}"}, timeout=60)
    case.validate_response(found, checks=CHECKS)
    if right not in RIGHTS[role]:
        assert 400 <= found.status_code < 500, found.text
    if foreign:
        assert found.status_code >= 400, "another firm's part was found"
    sent = str((case.path_parameters, case.query, case.body))
    text = found.content.decode(errors="replace")
    for theirs in ("Ann Two", "two-ann", "two-t", "two-clients"):
        assert theirs in sent or theirs not in text, (case.method, case.path, text)
