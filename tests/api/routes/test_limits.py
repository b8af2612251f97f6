"""Every limit that the OpenAPI document names, tried one over: refused, and the field is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from api.application import PREFIX
from api.store.database import Database
from tests.api.routes.asking import Api, Ask
from tests.api.routes.test_access import ANY, prepared

LONGER_THAN_BODIES = 65_536


@pytest.fixture(scope="module")
def embedded(prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    path = tmp_path_factory.mktemp("limits") / "evenhand.db"
    path.write_bytes(prepared_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield Api(database)
    database.close()


def test_every_limit_of_a_query_is_refused_one_over(embedded: Api) -> None:
    document, routes = embedded.ask("GET", "/openapi.json").json(), prepared(embedded)
    asked, named = [], []
    for (method, path), (_, one) in routes.items():
        for parameter in document["paths"][PREFIX + path][method.lower()].get("parameters", ()):
            if parameter["in"] == "query":
                for value in _over(parameter["schema"], document):
                    query = urlencode({parameter["name"]: value}, doseq=True)
                    asked.append(one._replace(path=f"{one.path.partition('?')[0]}?{query}", token=embedded.owner))
                    named.append(parameter["name"])
    for one, name, found in zip(asked, named, embedded.send(*asked), strict=True):
        _require_refused(found, one, name)
    assert len(asked) > 80


def test_every_limit_of_a_body_is_refused_one_over(embedded: Api) -> None:
    document = embedded.ask("GET", "/openapi.json").json()
    before = embedded.ask("GET", "/firm").json()["version"]
    asked, named = [], []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None or operation["operationId"] in ("importFirm", "changePassword"):
                continue
            where = path.removeprefix(PREFIX).partition("{")[0] + ("x" if "{" in path else "")
            where += path.partition("}")[2]
            for example in content["examples"].values():
                for place, body in _bodies(content["schema"], example["value"], document):
                    asked.append(Ask(method.upper(), where, body, embedded.owner, ANY))
                    named.append(place)
    assert len(asked) > 250
    for one, name, found in zip(asked, named, embedded.send(*asked), strict=True):
        _require_refused(found, one, name)
    assert embedded.ask("GET", "/firm").json()["version"] == before


def _require_refused(found: Any, asked: Ask, name: str) -> None:
    assert found.status_code == 422, (asked, found.status_code, found.text[:300])
    problem = found.json()
    fields = [str(one["field"]) for one in problem.get("errors", [problem])]
    assert any(name in field.split(".") for field in fields), (asked, name, fields)


def _resolved(schema: dict[str, Any], document: dict[str, Any], value: Any = None) -> dict[str, Any]:
    """Return the schema that says something: references followed, of several the one that fits, or has limits."""
    if "$ref" in schema:
        return _resolved(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, value)
    if "discriminator" in schema:
        mapping = schema["discriminator"]["mapping"]
        kind = next(iter(mapping)) if value is None else value[schema["discriminator"]["propertyName"]]
        return _resolved({"$ref": mapping[kind]}, document)
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            some = [one for one in schema[name] if one.get("type") != "null"]
            return _resolved(some[0], document, value)
    return schema


def _over(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[Any]:
    """Yield values one over each limit of a schema."""
    found = _resolved(schema, document)
    if "maximum" in found:
        yield found["maximum"] + 1
    if "minimum" in found:
        yield found["minimum"] - 1
    if found.get("maxLength", LONGER_THAN_BODIES) < LONGER_THAN_BODIES:
        yield "x" * (found["maxLength"] + 1)
    if found.get("minLength"):
        yield "x" * (found["minLength"] - 1)
    if "enum" in found or "pattern" in found or found.get("format") in ("date", "date-time"):
        yield "\u00a7"
    if found.get("type") in ("integer", "boolean"):
        yield "\u00a7"
    if "maxItems" in found and "prefixItems" not in found:
        item = _resolved(found["items"], document)
        yield [item.get("enum", [{}])[0]] * (found["maxItems"] + 1)
    if found.get("minItems") and "prefixItems" not in found:
        yield []


def _bodies(schema: dict[str, Any], example: Any, document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield an example with one value over a limit, for each value and limit; and with one field that nobody knows."""
    found = _resolved(schema, document, example)
    for name, part in found.get("properties", {}).items():
        inner = _resolved(part, document)
        if inner.get("properties"):
            for place, body in _bodies(part, example.get(name, {}), document):
                yield place, {**copy.deepcopy(example), name: body}
            continue
        for value in _over(part, document):
            yield name, {**copy.deepcopy(example), name: value}
    if found.get("properties"):
        yield "unheard", {**example, "unheard": 1}
