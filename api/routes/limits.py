"""How large a request may be; asked before anything of it is read as JSON."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.routes.problems import Mistake, response

BODY_BYTES = 65_536
"""A task with every field at its limit has less than 10 kB."""
LARGER_BYTES = {"/tasks/bulk": 1_048_576, "/firm/import": 16_777_216}
"""By the end of the address: many tasks at once; the files of a firm."""


class BodyLimit:
    """Takes the body in, and answers 413 as soon as it is too long; the application gets whole bodies only."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._larger = {prefix + path: limit_bytes for path, limit_bytes in LARGER_BYTES.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, limit = bytearray(), self._larger.get(scope["path"], BODY_BYTES)
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # the caller has gone
            body += message.get("body", b"")
            if len(body) > limit:
                await _too_long(limit)(scope, receive, send)
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
