"""The client against the OpenAPI document: nothing that the API can do is forgotten, and every answer is read as what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from api.application import PREFIX, application
from api.client import Client
from api.store.database import Database

FOLDER = Path(__file__).parents[2] / "api" / "client"
OF_BROWSERS = {"signIn", "signOut", "getSession", "changePassword", "goToProvider", "comeBackFromProvider"}
"""Signing in gives a cookie, which browsers keep; the client has a token."""
METHODS = {"_get": "GET", "_pages": "GET", "_steps": "GET", "_create": "POST", "_decide": "POST", "_remove": "DELETE"}
"""How each way of asking is sent; the others say it first."""
WITH_MODEL = {"_get", "_pages", "_create", "_decide", "_change", "_ask"}


class Asked(NamedTuple):
    """What a method of the client asks, read from its source; ids in the path are ``{}``."""

    name: str
    method: str
    path: str
    model: str | None


def asked_in(path: Path) -> Iterator[Asked]:
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
            paths = {
                target.id: _text(one.value)
                for one in ast.walk(function)
                if isinstance(one, ast.Assign)
                for target in one.targets
                if isinstance(target, ast.Name)
            }
            for call in ast.walk(function):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and call.func.attr.startswith("_")
                ):
                    yield from _asked(function.name, call, paths)


def _asked(name: str, call: ast.Call, paths: dict[str, str | None]) -> Iterator[Asked]:
    assert isinstance(call.func, ast.Attribute)
    way, given = call.func.attr, list(call.args)
    model = given.pop(0) if way in WITH_MODEL else None
    if way == "_read":
        return
    method = METHODS.get(way) or str(_text(given.pop(0)))
    where = paths.get(given[0].id) if isinstance(given[0], ast.Name) else _text(given[0])
    assert where is not None, (name, ast.dump(call))
    yield Asked(name, method, where, model.id if isinstance(model, ast.Name) else None)


def _text(node: ast.expr) -> str | None:
    """Return a text, what is put into it as ``{}``."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return None


def test_every_operation_has_a_method_that_reads_its_answer(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")
    document = application(database).openapi()
    database.close()
    asked = {(one.method, one.path): one for path in FOLDER.glob("*.py") for one in asked_in(path)}
    operations = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix(PREFIX))): one
        for path, some in document["paths"].items()
        for method, one in some.items()
    }
    missing = {one["operationId"] for key, one in operations.items() if key not in asked}
    assert missing == OF_BROWSERS
    assert set(asked) <= set(operations), "the client asks what nobody serves"
    for key, one in asked.items():
        assert hasattr(Client, one.name)
        answers = [found for status, found in operations[key]["responses"].items() if status.startswith("2")]
        models = {
            content["schema"]["$ref"].rpartition("/")[2]
            for found in answers
            for content in found.get("content", {}).values()
            if "$ref" in content.get("schema", {})
        }
        if one.model is not None:
            assert models == {one.model}, (one, models)
