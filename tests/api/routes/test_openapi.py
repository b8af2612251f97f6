from __future__ import annotations

from api.application import PREFIX
from api.routes.examples import TASKS
from api.routes.models import TaskChange
from solver.firm import Task
from tests.api.routes.asking import Api
from tests.api.routes.test_access import OPEN


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
