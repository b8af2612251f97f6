"""Steps of a solve or a run as server-sent events: each with its number as id, so that who reconnects goes on where the line broke."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.routes.problems import problem
from api.serving import Serving
from api.store.solve_states import SolveEvent

MEDIA_TYPE = "text/event-stream"
MOST_STREAMS = 32
"""Streams that one process keeps open; each reads twice a second."""
STREAM_S = 30.0
"""After which a stream ends, as proxies end what is open for longer; clients of server-sent events ask again by themselves."""
LOOK_S = 0.5
RETRY_MS = 1_000
AT_ONCE = 100
LastEvent = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The id of the last event that was received: goes on behind it."),
]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    204: {"description": "It has ended, and everything was told"},
}


Steps = Callable[[Session, int, int], tuple[list[SolveEvent], bool]]
"""Reads up to so many steps behind a number, and whether the last one has been told by them."""


def events(here: Serving, firm: str, steps: Steps, number: int) -> Response:
    """Answer with the steps behind ``number``, and those to come; 204 where none will, after which clients do not ask again."""
    if here.streams >= MOST_STREAMS:
        message, hint = "are open already", "Maybe read it itself now and then."
        raise problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_streams",
            "streams",
            str(here.streams),
            message,
            nearest=str(MOST_STREAMS),
            hint=hint,
            headers={"Retry-After": "5"},
        )
    found, ended = _read(here, firm, steps, number)
    if ended and not found:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return StreamingResponse(
        _stream(here, firm, steps, number), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"}
    )


def event_number(last: str | None) -> int:
    """Return the number of the last event that a client has received, 0 where it has none."""
    if last is None:
        return 0
    if not (last.isascii() and last.isdigit() and len(last) <= 18):
        message, hint = "is no id of an event of ours", "Maybe begin without one."
        raise problem(HTTPStatus.UNPROCESSABLE_ENTITY, "event_unknown", "Last-Event-ID", last[:80], message, hint=hint)
    return int(last)


async def _stream(here: Serving, firm: str, steps: Steps, number: int) -> AsyncIterator[str]:
    here.streams += 1
    last_s = time.monotonic() + STREAM_S
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while not here.ending.is_set():
            found, ended = await run_in_threadpool(_read, here, firm, steps, number)
            for step in found:
                yield f"id: {step.number}\nevent: progress\ndata: {step.document}\n\n"
                number = step.number
            if found:
                continue
            if ended or time.monotonic() >= last_s:
                return
            await asyncio.sleep(LOOK_S)
    finally:
        here.streams -= 1


def _read(here: Serving, firm: str, steps: Steps, number: int) -> tuple[list[SolveEvent], bool]:
    """Return the steps behind a number, and whether none will come behind them."""
    with here.database.reading(firm) as session:
        return steps(session, number, AT_ONCE)
