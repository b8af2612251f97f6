"""How the client asks: requests that are repeated where they may be, pages as iterators, steps of a stream, problems as exceptions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.routes.problems import MEDIA_TYPE, ProblemDocument

PREFIX = "/api/v1"
PAUSE_S = 0.2
"""Before the first repetition; twice as long before each further one."""
LONGEST_PAUSE_S = 10.0
PAGE_ROWS = 200
STREAM_TIMEOUT_S = 90.0
"""Without a sign of the service, after which a stream has broken: it ends them itself long before."""
_AGAIN = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Model = TypeVar("Model", bound=BaseModel)
Row = TypeVar("Row")


class Problem(Exception):
    """What the service refused, and why; ``document`` has every mistake where there are several."""

    def __init__(self, document: ProblemDocument) -> None:
        super().__init__(document.detail)
        self.document = document
        self.status, self.code = document.status, document.code
        self.field, self.value, self.nearest, self.hint = (
            document.field,
            document.value,
            document.nearest,
            document.hint,
        )


class Requests:
    """The API as one token may use it; threads may share it.

    Parameters
    ----------
    address
        Where the service answers, without ``/api/v1``.
    repeats
        How often a request is sent again when the service is busy, or gone.
    wait
        Waits a number of seconds.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        repeats: int = 4,
        timeout_s: float = 30.0,
        wait: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        base = address.rstrip("/").removesuffix(PREFIX) + PREFIX
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout_s, transport=transport)
        self._repeats, self._wait, self._timeout_s = repeats, wait, timeout_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get(self, model: type[Model], path: str, wanted: dict[str, Any] | None = None) -> Model:
        return self._read(model, self._send("GET", path, params=wanted, repeatable=True))

    def _pages(
        self, model: type[Model], path: str, rows: Callable[[Any], Sequence[Row]], wanted: dict[str, Any]
    ) -> Iterator[Row]:
        after: dict[str, str] = {}
        while True:
            page: Any = self._get(model, path, {"limit": PAGE_ROWS, **wanted, **after})
            yield from rows(page)
            if page.next is None:
                return
            after = {"cursor": page.next}

    def _create(self, model: type[Model], path: str, body: BaseModel | dict[str, Any] | None, key: str | None) -> Model:
        headers = {"Idempotency-Key": key or uuid4().hex}
        return self._read(model, self._send("POST", path, body=body, headers=headers, repeatable=True))

    def _ask(
        self,
        model: type[Model],
        method: str,
        path: str,
        body: BaseModel | dict[str, Any] | None = None,
        *,
        repeatable: bool = False,
    ) -> Model:
        return self._read(model, self._send(method, path, body=body, repeatable=repeatable))

    def _remove(self, path: str, version: int | None, **params: Any) -> None:
        self._send("DELETE", path, params=params or None, headers=_if_match(version))

    def _decide(self, model: type[Model], path: str, body: BaseModel, key: str | None, version: int | None) -> Model:
        headers = {"Idempotency-Key": key or uuid4().hex, **_if_match(version)}
        return self._read(model, self._send("POST", path, body=body, headers=headers, repeatable=True))

    def _change(
        self, model: type[Model], method: str, path: str, body: BaseModel | dict[str, Any] | None, version: int | None
    ) -> Model:
        return self._read(model, self._send(method, path, body=body, headers=_if_match(version)))

    def _read(self, model: type[Model], found: httpx.Response) -> Model:
        return model.model_validate_json(found.content)

    def _steps(self, path: str, after: int) -> Iterator[tuple[int, str]]:
        """Yield number and data of each step of a stream behind ``after``; where the line breaks it is taken up behind the last one."""
        failures = 0
        while True:
            found = self._send("GET", path, headers={"Last-Event-ID": str(after)}, repeatable=True, stream=True)
            try:
                if found.status_code == HTTPStatus.NO_CONTENT:
                    return
                for number, said in _events(found.iter_lines()):
                    yield number, said
                    after, failures = number, 0
            except httpx.TransportError:
                failures += 1
                if failures > self._repeats:
                    raise
                self._wait(min(PAUSE_S * 2**failures, LONGEST_PAUSE_S))
            finally:
                found.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | dict[str, Any] | bytes | None = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        repeatable: bool = False,
        stream: bool = False,
    ) -> httpx.Response:
        """Send a request, again where it may be; ``repeatable``: also where it may have been done already.

        With ``stream`` the answer is still to be read, and closed.
        """
        content = body.model_dump_json().encode() if isinstance(body, BaseModel) else body
        sent: dict[str, Any] = {"json": content} if isinstance(content, dict) else {"content": content}
        typed = {"Content-Type": "application/json"} if isinstance(body, BaseModel) else {}
        written = None if params is None else TypeAdapter(dict[str, Any]).dump_python(params, mode="json")
        timeout = httpx.Timeout(self._timeout_s, read=STREAM_TIMEOUT_S) if stream else httpx.Timeout(self._timeout_s)
        for repeat in range(self._repeats + 1):
            last = repeat == self._repeats
            pause_s = min(PAUSE_S * 2**repeat, LONGEST_PAUSE_S)
            try:
                request = self._http.build_request(
                    method, path, params=written, headers={**typed, **(headers or {})}, timeout=timeout, **sent
                )
                found = self._http.send(request, stream=stream)
                if stream and not found.is_success:
                    found.read()
            except httpx.TransportError as error:
                if last or not (repeatable or isinstance(error, _NOT_SENT)):
                    raise
            else:
                if found.is_success:
                    return found
                if last or found.status_code not in _AGAIN or not (repeatable or _was_not_done(found)):
                    raise _problem(found)
                pause_s = _asked_pause_s(found, pause_s)
            self._wait(pause_s)
        raise AssertionError("the last repetition returns or raises")


def _events(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Yield number and data of each event that is whole."""
    number, said = 0, ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            number = int(value)
        elif name == "data":
            said = value
        elif not line and said:
            yield number, said
            said = ""


def in_path(id: str) -> str:
    """Return an id as one step of a path, whatever signs it has."""
    return quote(id, safe="")


def _if_match(version: int | None) -> dict[str, str]:
    return {"If-Match": "*" if version is None else f'"{version}"'}


def _was_not_done(found: httpx.Response) -> bool:
    """Whether the service itself says that it did nothing; a proxy between knows nothing of it."""
    return found.headers.get("content-type") == MEDIA_TYPE and found.status_code != HTTPStatus.GATEWAY_TIMEOUT


def _asked_pause_s(found: httpx.Response, pause_s: float) -> float:
    asked = found.headers.get("retry-after", "")
    return min(max(pause_s, float(asked)), LONGEST_PAUSE_S) if asked.isdigit() else pause_s


def _problem(found: httpx.Response) -> Problem:
    try:
        return Problem(ProblemDocument.model_validate_json(found.content))
    except ValidationError:  # somebody between answered
        phrase = HTTPStatus(found.status_code).phrase if found.status_code in set(HTTPStatus) else "unknown status"
        detail = f"The service's address answers {found.status_code}, {phrase}."
        return Problem(ProblemDocument(code="not_evenhand", detail=detail, title=phrase, status=found.status_code))
