"""Who is answered when there are more requests than hands: rates first, then slots, each firm its share; 429 beyond that."""

from __future__ import annotations

import math
from collections.abc import Collection
from http import HTTPStatus

import anyio.to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.fairness import Full
from api.routes.access import presented
from api.routes.problems import Mistake, response
from api.serving import Serving
from api.store.tokens import id_in

SPARE_THREADS = 24
"""For streams that go on after their answer has begun, and notes made after it."""
QUEUE_RETRY_S = 1


class SharingOut:
    """Lets the application work on as many requests as it can, fairly between firms.

    A slot is given back when the answer begins: the work is done then, and a stream may last.

    Parameters
    ----------
    free
        Paths that are answered whatever else goes on.
    """

    def __init__(self, app: ASGIApp, here: Serving, free: Collection[str] = ()) -> None:
        self._app, self._here, self._free = app, here, free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in self._free:
            await self._app(scope, receive, send)
            return
        firm, refused = self._admitted(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        slots, key = self._here.slots, firm
        threads = anyio.to_thread.current_default_thread_limiter()
        threads.total_tokens = max(threads.total_tokens, self._here.settings.requests_at_once + SPARE_THREADS)
        try:
            await slots.enter(key)
        except Full:
            waiting = self._here.settings.requests_waiting
            await _too_many("firm", key, f"has {waiting} requests waiting here", QUEUE_RETRY_S)(scope, receive, send)
            return
        held = True

        async def answer(message: Message) -> None:
            nonlocal held
            if held and message["type"] == "http.response.start":
                held = False
                slots.leave(key)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            if held:
                slots.leave(key)

    def _admitted(self, scope: Scope) -> tuple[str, ASGIApp | None]:
        """Return whose slots the request takes; and how it is refused, if its share of the minute is used up."""
        here, given = self._here, presented(Request(scope))
        firm = here.good_tokens.firm(given) if given else None
        if firm is None:
            address = (scope.get("client") or ("nowhere",))[0]
            return f"address {address}", _refused(
                "address", address, here.address_rates.take(address), here.address_rates.per_min
            )
        token = id_in(given) or "(not shown)"
        of_token = _refused("token", token, here.token_rates.take(token), here.token_rates.per_min)
        return firm, of_token or _refused("firm", firm, here.firm_rates.take(firm), here.firm_rates.per_min)


def _refused(field: str, value: str, wait_s: float, per_min: int) -> ASGIApp | None:
    if not wait_s:
        return None
    return _too_many(field, value, f"asks for more than {per_min} answers a minute", math.ceil(wait_s))


def _too_many(field: str, value: str, message: str, retry_s: int) -> ASGIApp:
    mistake = Mistake(
        code="too_many_requests",
        detail=f'{field} "{value}" {message}.',
        field=field,
        value=value,
        hint=f"Maybe ask again in {retry_s} s.",
    )
    return response(HTTPStatus.TOO_MANY_REQUESTS, [mistake], {"Retry-After": str(retry_s)})
