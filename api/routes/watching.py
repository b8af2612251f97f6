"""Around every request: an id for it, safe headers on its answer, one line in the log, figures, a span; outside of all that may fail."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api import tracing
from api.measures import Measures

_log = logging.getLogger("api.requests")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer that does not say otherwise."""
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class Watching:
    """Watches over one application.

    Parameters
    ----------
    prefix
        Of the paths of routes.
    quiet
        Paths asked every few seconds by machines: logged at level debug while all is well.
    """

    def __init__(self, app: ASGIApp, measures: Measures, *, prefix: str, quiet: Collection[str]) -> None:
        self._app, self._measures, self._prefix, self._quiet = app, measures, prefix, quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        id = given if _ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})
        status, began_s = 500, perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = id
                for name, value in (HEADERS | (OVER_TLS if scope.get("scheme") == "https" else {})).items():
                    headers.setdefault(name, value)
            await send(message)

        with bound_contextvars(request_id=id), self._traced(scope) as span:
            try:
                await self._app(scope, receive, answer)
            finally:
                self._told(scope, status, perf_counter() - began_s)
                method, route = scope["method"], self._route(scope)
                about = {"http.request.method": method, "http.route": route, "evenhand.request_id": id}
                tracing.answered(span, f"{method} {route}", status, about)

    def _traced(self, scope: Scope) -> AbstractContextManager[Any]:
        if scope["path"] in self._quiet:
            return nullcontext()
        return tracing.requested(scope["method"], Headers(scope=scope))

    def _told(self, scope: Scope, status: int, seconds: float) -> None:
        route = self._route(scope)
        method = scope["method"] if route != "none" else "any"  # what nobody serves adds no figures without end
        self._measures.requests.labels(method, route, str(status)).inc()
        self._measures.request_s.labels(method, route).observe(seconds)
        said: dict[str, Any] = {
            "method": scope["method"],
            "path": scope["path"],
            "route": route,
            "status": status,
            "duration_ms": round(1_000 * seconds, 1),
            "address": (scope.get("client") or ("",))[0],
            **{name: scope["state"][name] for name in ("firm", "actor") if name in scope["state"]},
        }
        level = logging.DEBUG if route in self._quiet and status < 400 else logging.INFO
        _log.log(level, "answered", extra=said)

    def _route(self, scope: Scope) -> str:
        """Return the path with its parameters as names; "none" where nobody serves it."""
        if scope["path"] in self._quiet:
            return str(scope["path"])
        path = getattr(scope.get("route"), "path", None)
        if path is None:
            return "none"
        # Of an included router the framework says the path without the prefix, and has said it with.
        return path if path.startswith(self._prefix) else f"{self._prefix}{path}"
