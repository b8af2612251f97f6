"""How large a request may be; asked before anything of it is read as JSON."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.routes.problems import Mistake, response

BODY_BYTES = 65_536
"""A task with every field at its limit has less than 10 kB."""


class BodyLimit:
    """Takes the body in, and answers 413 as soon as it is too long; the application gets whole bodies only."""

    def __init__(self, app: ASGIApp, limit_bytes: int = BODY_BYTES) -> None:
        self._app, self._limit = app, limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # the caller has gone
            body += message.get("body", b"")
            if len(body) > self._limit:
                await _too_long(self._limit)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, again, send)


def _too_long(limit: int) -> ASGIApp:
    mistake = Mistake(
        code="body_too_large",
        detail=f"The body has more than {limit} bytes.",
        field="body",
        nearest=str(limit),
        hint="Maybe send it in several requests.",
    )
    return response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, [mistake], {"Connection": "close"})
