"""Every refusal as a problem document (RFC 9457): a stable code, field, value and nearest valid value; never a trace of the code.

``type`` is ``about:blank`` and ``title`` the status in words, as the RFC has it for problems that their status says; what kind of
mistake it was stands in ``code``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.oidc import NotBelieved, Unreachable
from api.sealing import Unsealable
from api.store.refusals import Busy, Changed, Ended, InUse, NotFound, OutOfReach, Stale, Taken, Unreadable
from api.store.solves import QueueFull
from api.store.tokens import Wrong
from solver.refusal import Refusal, Refused, refusal_of, refusals

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
QUEUE_RETRY_AFTER_S = 60
ADDRESSED = frozenset(
    {"task", "decision", "solve", "proposal", "hold", "escalation", "webhook", "delivery", "suggestion"}
)
"""What addresses name by `id` or `number`, or by another name than the refusal's."""
SHOWN_ERRORS = 20
"""Mistakes of one request that are listed."""

_log = logging.getLogger(__name__)


class Mistake(BaseModel):
    """One thing wrong with a request."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="stable, for programs")
    detail: str = Field(description="one sentence for people")
    field: str | None = Field(default=None, description="where it stands, dotted")
    value: str | None = Field(default=None, description="what was given")
    nearest: str | None = Field(default=None, description="the nearest value that would be accepted")
    hint: str | None = Field(default=None, description="what to do")
    file: str | None = Field(default=None, description="of an import: the sheet")
    row: int | None = Field(default=None, description="of an import: as a spreadsheet counts; of many tasks: from 0")


class ProblemDocument(Mistake):
    """Why a request was not answered (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    errors: tuple[Mistake, ...] = Field(default=(), description="every mistake, where there are several")


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: int, refusal: Refusal, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(refusal.sentence())
        self.status, self.refusal, self.headers = status, refusal, dict(headers or {})


class Problems(Exception):
    """Ends a request with everything that is wrong with it, all of it listed."""

    def __init__(self, status: int, mistakes: Sequence[Mistake]) -> None:
        super().__init__(mistakes[0].detail)
        self.status, self.mistakes = status, mistakes


def problem(status: int, code: str, field: str, value: str, message: str, **more: Any) -> Problem:
    """Make a problem from its parts; ``nearest``, ``hint`` and ``headers`` are optional."""
    headers = more.pop("headers", None)
    return Problem(status, Refusal(code=code, field=field, value=value, message=message, **more), headers)


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how problems of these statuses are described in the OpenAPI document."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in sorted({*statuses, 401, 403, 413, 422, 429, 503})
    }


def response(
    status: int, some: Sequence[Mistake], headers: Mapping[str, str] | None = None, *, shown: int = SHOWN_ERRORS
) -> Response:
    """Return the problem document of these mistakes, the first one at its head."""
    first = some[0].model_dump(exclude_none=True)
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **first}
    if len(some) > 1:
        document["errors"] = [one.model_dump(exclude_none=True) for one in some[:shown]]
    # ASCII, as what was sent may hold halves of characters that UTF-8 has no bytes for.
    return Response(json.dumps(document), status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let the application answer every error with a problem document."""
    for error, answer in (
        (Problem, _problem),
        (Problems, _problems),
        (Refused, _refused),
        (RequestValidationError, _invalid_request),
        (ValidationError, _invalid_model),
        (HTTPException, _http),
        (DBAPIError, _database),
        (PoolTimeout, _database),
        (Exception, _defect),
    ):
        app.add_exception_handler(error, answer)


def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return response(error.status, [mistake_of(error.refusal)], error.headers)


def _problems(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problems)
    return response(error.status, error.mistakes, shown=len(error.mistakes))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    refusal, headers = error.refusal, {}
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, NotFound) and _in_address(request, refusal):
        status = HTTPStatus.NOT_FOUND  # what the address names; what the body names is a mistake in the body
    elif isinstance(error, Ended | InUse | Stale) or (isinstance(error, Taken) and refusal.field != "idempotency_key"):
        status = HTTPStatus.CONFLICT
    elif isinstance(error, QueueFull):
        status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(QUEUE_RETRY_AFTER_S)}
    elif isinstance(error, OutOfReach):
        status = HTTPStatus.FORBIDDEN
    elif isinstance(error, Changed):
        status = HTTPStatus.PRECONDITION_FAILED
    elif isinstance(error, Wrong):
        status, headers = HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"}
    elif isinstance(error, NotBelieved):
        status = HTTPStatus.UNAUTHORIZED
    elif isinstance(error, Unreachable):
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(RETRY_AFTER_S)}
        _log.error("%s", error)
    elif isinstance(error, Busy):
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(RETRY_AFTER_S)}
    elif isinstance(error, Unsealable):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        _log.error("%s", error)
    elif isinstance(error, Unreadable):
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        _log.error("%s", error)
    if isinstance(error, Taken) and refusal.field == "idempotency_key":
        said = {"code": "idempotency_key_reused", "message": "was used for another request"}
        refusal = refusal.model_copy(update={**said, "hint": "Maybe use a new key for each request."})
    return response(status, [mistake_of(refusal)], headers)


def _in_address(request: Request, refusal: Refusal) -> bool:
    """Whether the refused value is what the address names.

    Parameters are called as the refusal's field, but for those of `ADDRESSED`, which are ids and numbers of their router.
    """
    named = request.path_params
    given = named.values() if refusal.field in ADDRESSED else (named.get(refusal.field),)
    return refusal.value in map(str, given)


def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        refusal = Refusal(code="json_invalid", field="body", value="(not shown)", message="is not JSON")
        return response(HTTPStatus.BAD_REQUEST, [mistake_of(refusal)])
    # Where a value stands is said as in the model: without "body" or "query" before it.
    found = [refusal_of({**detail, "loc": detail["loc"][1:]}) for detail in details]
    return response(HTTPStatus.UNPROCESSABLE_ENTITY, [mistake_of(one) for one in found])


def _invalid_model(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    return response(HTTPStatus.UNPROCESSABLE_ENTITY, [mistake_of(one) for one in refusals(error)])


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    field, value = "request", f"{request.method} {request.url.path}"
    refusal = Refusal(code=code, field=field, value=value, message=f"is answered: {phrase}")
    return response(error.status_code, [mistake_of(refusal)], error.headers)


def _database(_: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not (isinstance(error, OperationalError) or error.connection_invalidated):
        raise error
    # The message of a driver may hold addresses and statements: for the log, and for nobody else.
    _log.error("the database does not answer: %s", error)
    code, message, hint = "database_unavailable", "does not answer", "Maybe try again."
    if isinstance(error, DBAPIError) and _is_full(error):
        code, message = "database_full", "has no room left; nothing was changed"
        hint = "Maybe free some room on its disk; then it goes on by itself."
    refusal = Refusal(code=code, field="database", value="", message=message, hint=hint)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return response(HTTPStatus.SERVICE_UNAVAILABLE, [mistake_of(refusal)], headers)


def _is_full(error: DBAPIError) -> bool:
    return "disk is full" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "53100"


def _defect(request: Request, error: Exception) -> Response:
    # The server logs the error with its trace once this is answered.
    value = f"{request.method} {request.url.path}"
    refusal = Refusal(
        code="defect", field="request", value=value, message="met a defect of Evenhand; nothing was changed"
    )
    return response(HTTPStatus.INTERNAL_SERVER_ERROR, [mistake_of(refusal)])


def mistake_of(refusal: Refusal) -> Mistake:
    """Return a refusal as it is answered."""
    return Mistake(
        code=refusal.code,
        detail=refusal.sentence(),
        field=refusal.field,
        value=refusal.value,
        nearest=refusal.nearest,
        hint=refusal.hint or None,
    )
