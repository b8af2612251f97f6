from __future__ import annotations

import re

from api.application import PREFIX
from api.roles import Role
from api.routes.examples import SCENARIOS, TASKS
from api.routes.models import TaskChange
from api.store.saving import create_firm
from solver.firm import Task
from tests.api.routes.asking import NOW, Api, Ask, learnt
from tests.api.routes.runs_for_tests import work_out
from tests.api.routes.test_access import OPEN, filled, waiting
from tests.firms_for_tests import firm, person


def test_every_example_of_a_task_is_tried_and_placed_as_it_says(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    outcomes = {}
    for name, example in document["paths"]["/api/v1/tasks"]["post"]["requestBody"]["content"]["application/json"][
        "examples"
    ].items():
        tried = api.ask("POST", "/placements/dry-run", example["value"])
        placed = api.ask("POST", "/tasks", example["value"])
        assert (tried.status_code, placed.status_code) == (200, 201), placed.text
        assert placed.json()["decision"] == tried.json()
        outcomes[name] = tried.json()["outcome"]
    assert outcomes == {"estimated": "placed", "urgent": "placed", "not estimated": "held"}
    assert set(outcomes) == set(TASKS)


STEPS: tuple[tuple[str, str], ...] = (
    ("createScenario", ""),
    ("startRun", "/scenarios/{scenario}/runs"),
    ("proposeRun", "/scenarios/{scenario}/runs/{run}/proposals"),
    ("replaceScenario", "/scenarios/{scenario}"),
    ("approveProposal", "/proposals/{p2}/approve"),
    ("undoProposal", "/proposals/{p2}/undo"),
    ("declineProposal", "/proposals/{p3}/decline"),
    ("approveProposals", ""),
    ("estimateHeldTask", "/holds/{hold}/estimate"),
    ("endHold", "/holds/{other_hold}/end"),
    ("endEscalation", "/escalations/{escalation}/end"),
    ("registerWebhook", ""),
    ("changeWebhook", "/webhooks/{webhook}"),
    ("replayMessages", "/webhooks/{webhook}/replay"),
    ("markRead", ""),
    ("putSchedule", "/schedules/night"),
    ("acceptSuggestion", "/suggestions/{suggestion}/accept"),
    ("undoSuggestion", "/suggestions/{suggestion}/undo"),
    ("dismissSuggestion", "/suggestions/{suggestion}/dismiss"),
    ("startSolve", ""),
    ("tryPlacing", ""),
    ("placeTask", ""),
    ("placeTasks", ""),
    ("changeTask", "/tasks/return-2026-acme"),
    ("logTime", "/tasks/return-2026-acme/time"),
    ("correctTimeEntry", "/time-entries/sheet-7"),
    ("completeTask", "/tasks/notice-acme/complete"),
    ("createPerson", ""),
    ("replacePerson", "/people/dana"),
    ("putSkill", "/people/dana/skills/audit"),
    ("letPersonLeave", "/people/dana/leave"),
    ("createCalendarEntry", ""),
    ("replaceCalendarEntry", ""),
    ("createClient", ""),
    ("replaceClient", "/clients/birch"),
    ("createTaskType", ""),
    ("replaceTaskType", "/task-types/partnership"),
    ("validatePolicy", ""),
    ("replacePolicy", ""),
    ("replaceSettings", ""),
    ("importFirm", ""),
    ("createToken", ""),
    ("createUser", ""),
    ("changeUser", "/users/{user}"),
    ("resetPassword", "/users/{user}/password"),
    ("createFirm", ""),
    ("startFirmRun", ""),
)
"""Operations that take a body, in an order in which all of their examples are answered, and the address where it has an id."""

OF_PEOPLE = {"signIn", "changePassword"}
"""Asked by people who sign in; ``test_sessions`` tries them."""


def with_a_run(api: Api, firm: str, token: str) -> dict[str, str]:
    """Let a firm have the first scenario of the examples, and a run of it that is done; return the ids."""
    scenario = api.send(Ask("POST", "/scenarios", SCENARIOS["away"]["value"], token))[0].json()["id"]
    run = api.send(Ask("POST", f"/scenarios/{scenario}/runs", {"kind": "what_if"}, token))[0].json()["id"]
    work_out(api, run, firm=firm)
    return {"scenario": scenario, "run": run}


def test_every_example_of_the_document_is_answered(api: Api) -> None:
    create_firm(api.database, "ex", firm((person("ann"), person("ex-ann"), person("ex-p1"))), now=NOW, actor="test")
    token = api.token("ex", Role.OWNER)
    ids = {**waiting(api, "ex", token), "suggestion": learnt(api, "ex")}
    user = {"login": "first@example.com", "role": "operations"}
    ids["user"] = api.send(Ask("POST", "/users", user, token))[0].json()["id"]
    ids |= with_a_run(api, "ex", token)
    paths = api.ask("GET", "/openapi.json").json()["paths"]
    operations = {
        one["operationId"]: (method, path, one) for path, some in paths.items() for method, one in some.items()
    }
    with_body = {name for name, (_, _, one) in operations.items() if "requestBody" in one}
    assert with_body - OF_PEOPLE == {name for name, _ in STEPS}
    entries: dict[str, str] = {}
    for name, address in STEPS:
        method, path, operation = operations[name]
        examples = operation["requestBody"]["content"]["application/json"]["examples"]
        assert examples
        if name == "startFirmRun":  # a period is played again when it is over
            api.later(days=10)
        for title, example in examples.items():
            where = address or path.removeprefix(PREFIX).replace("{entry}", entries.get(title, ""))
            if name == "completeTask":
                api.send(Ask("POST", "/tasks/notice-acme/reopen", None, token, {"If-Match": "*"}))
            value = (
                {**example["value"], "proposals": [ids["p0"], ids["p1"]]}
                if name == "approveProposals"
                else example["value"]
            )
            asked = filled(Ask(method.upper(), where, value, token, {"If-Match": "*"}), ids)
            found = api.send(asked)[0]
            assert found.status_code in (200, 201, 202), (name, title, found.text)
            assert example["summary"]
            if name == "createCalendarEntry":
                entries[title] = found.json()["id"]


def test_names_of_operations_are_whole_and_their_own(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    found = [one for some in document["paths"].values() for one in some.values()]
    names = [one["operationId"] for one in found]
    assert len(names) == len(set(names))
    known = {one["name"] for one in document["tags"]}
    for one in found:
        assert re.fullmatch("[a-z]+[A-Za-z]*", one["operationId"]), one["operationId"]
        assert one["summary"].lower() != one["operationId"].lower()
        assert one["description"].endswith(".")
        assert set(one["tags"]) <= known
        for parameter in one.get("parameters", ()):
            assert parameter["in"] != "path" or parameter["description"], parameter


def test_the_document_says_how_errors_look_and_which_token_is_asked(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    assert {"code", "field", "value", "nearest"} <= set(schemas["ProblemDocument"]["properties"])
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            if path.rpartition("/")[2] in ("health", "ready", "version"):
                continue
            if (method.upper(), path.removeprefix(PREFIX)) not in OPEN:
                assert route["security"] == [{"HTTPBearer": []}, {"Session": []}], (method, path)
            for status in ("401", "403", "413", "422", "429", "503"):
                content = route["responses"][status]["content"]
                assert content == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
                }
    text = str(document)
    named = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)


def test_a_change_has_the_fields_of_a_task_but_those_that_are_decided_or_logged() -> None:
    assert set(Task.model_fields) - set(TaskChange.model_fields) == {"id", "assignee", "logged_min"}
    ours, theirs = TaskChange.model_json_schema()["properties"], Task.model_json_schema()["properties"]
    for name, schema in ours.items():
        same = {key: value for key, value in theirs[name].items() if key not in ("default", "description")}
        assert {key: value for key, value in schema.items() if key != "default"} == same, name
