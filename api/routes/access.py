"""Who asks, and whether they may: each route has the right it asks for in its signature, as ``caller: Placing`` or the like."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from api.roles import RIGHTS, Right, roles_with
from api.routes.problems import problem
from api.serving import Serving
from api.store.reach import Actor
from api.store.refusals import Busy
from api.store.sessions import SEEN_EVERY, find_session, note_seen
from api.store.tokens import USE_NOTED_EVERY, Token, Wrong, find_token, hash_of, note_use
from api.store.turn import Turn

_log = logging.getLogger(__name__)
_bearer = HTTPBearer(auto_error=False, description="A token made by `evenhand token create`.")


def serving(request: Request) -> Serving:
    """Return what answers this application's requests."""
    found = request.app.state.serving
    assert isinstance(found, Serving)
    return found


# Dependencies that wait for nothing are coroutines: each plain function is a way to another thread and back.


async def _here(request: Request) -> Serving:
    return serving(request)


Here = Annotated[Serving, Depends(_here)]


class _Cookie(APIKeyCookie):
    """The session cookie, whose name depends on whether it came over TLS."""

    async def __call__(self, request: HTTPConnection) -> str | None:
        return session_text(request) or None


_cookie = _Cookie(
    name="__Host-evenhand", scheme_name="Session", auto_error=False, description="Set by `POST /session`."
)


def cookie_name(request: HTTPConnection) -> str:
    """Return the name of the session cookie; over TLS one that no other host, and no plain page, can set."""
    return "__Host-evenhand" if request.url.scheme == "https" else "evenhand"


def session_text(request: HTTPConnection) -> str:
    """Return the session that a browser sends, empty without one."""
    return request.cookies.get(cookie_name(request), "")


def presented(request: HTTPConnection) -> str:
    """Return the token or else the session that a request presents, true or not; empty without any."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else session_text(request)


def csrf_token(session: str) -> str:
    """Return what a page sends to show that it can read what we answer, which other sites cannot."""
    return hash_of(f"csrf:{session}")


async def _caller(
    request: Request,
    here: Here,
    background: BackgroundTasks,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: Annotated[str | None, Depends(_cookie)],
) -> Token:
    text = given.credentials if given is not None else session
    if text is None:
        headers = {"WWW-Authenticate": "Bearer"}
        message = "has no bearer token, and no session"
        raise problem(
            HTTPStatus.UNAUTHORIZED, "token_missing", "authorization", "(not shown)", message, headers=headers
        )
    now = here.now()
    try:
        if given is not None:
            caller, note, every = await _of_token(here, text, now), note_use, USE_NOTED_EVERY
        else:
            idle = timedelta(minutes=here.settings.session_idle_min)
            caller = await run_in_threadpool(find_session, here.database, text, now=now, idle=idle)
            note, every = note_seen, SEEN_EVERY
            _require_own_page(request, text)
    except Wrong:
        here.good_tokens.bad(text)
        raise
    here.good_tokens.good(text, caller.firm)
    request.state.firm, request.state.actor = caller.firm, str(actor(caller))
    if caller.last_used_at is None or now - caller.last_used_at >= every:
        background.add_task(_note_use, here, text, caller, note)
    return caller


async def _of_token(here: Serving, text: str, now: datetime) -> Token:
    known = here.opened.find(text, now=now)
    if known is None:
        looked_up_s = monotonic()
        known = await run_in_threadpool(find_token, here.database, text, now=now)
        here.opened.keep(text, known, looked_up_s=looked_up_s)
    return known


def _require_own_page(request: Request, session: str) -> None:
    """Refuse changes that a page of another site makes a browser ask for."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    sent = request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(sent.encode(), csrf_token(session).encode()):
        message, hint = "is not that of the session", "Maybe send the csrf_token that signing in answered."
        raise problem(HTTPStatus.FORBIDDEN, "csrf", "X-CSRF-Token", "(not shown)", message, hint=hint)


def _note_use(here: Serving, text: str, caller: Token, note: Callable[[Turn, Token], None]) -> None:
    """Note the use once the answer is out, as reading waits for no writer."""
    if not here.opened.notes_use(text, now=here.now()):
        return
    try:
        here.sharing.act(caller.firm, lambda turn: note(turn, caller), now=here.now(), actor=actor(caller))
    except (Busy, DBAPIError) as error:
        # The request was answered, and that stands: a database that is full or gone is told to whoever asks next.
        _log.warning("use of %s is noted with the next one: %s", actor(caller), error)


def actor(caller: Token) -> Actor:
    """Return whom the log names, by id and no name; a turn holds them to their team."""
    return Actor(f"token:{caller.id}" if caller.user is None else f"user:{caller.user}", caller.team)


async def _signed_in(caller: Annotated[Token, Depends(_caller)]) -> Token:
    if caller.user is None:
        message, hint = "is no session", "Maybe sign in with POST /session."
        raise problem(HTTPStatus.FORBIDDEN, "no_session", "authorization", "(not shown)", message, hint=hint)
    return caller


def _may(right: Right) -> Callable[[Token], Awaitable[Token]]:
    async def ask(token: Annotated[Token, Depends(_caller)]) -> Token:
        if right not in RIGHTS[token.role]:
            roles = ", ".join(roles_with(right))
            message, hint = f"may not {right.value}", f"Maybe use a token of one of: {roles}."
            raise problem(HTTPStatus.FORBIDDEN, "forbidden", "role", token.role.value, message, hint=hint)
        return token

    return ask


ReadingWork = Annotated[Token, Depends(_may(Right.READ_WORK))]
ReadingDecisions = Annotated[Token, Depends(_may(Right.READ_DECISIONS))]
TryingPlacements = Annotated[Token, Depends(_may(Right.TRY_PLACING))]
Placing = Annotated[Token, Depends(_may(Right.PLACE))]
ChangingTasks = Annotated[Token, Depends(_may(Right.CHANGE_TASKS))]
SignedIn = Annotated[Token, Depends(_signed_in)]
LoggingTime = Annotated[Token, Depends(_may(Right.LOG_TIME))]
ReadingPeople = Annotated[Token, Depends(_may(Right.READ_PEOPLE))]
ChangingPeople = Annotated[Token, Depends(_may(Right.CHANGE_PEOPLE))]
ChangingCalendar = Annotated[Token, Depends(_may(Right.CHANGE_CALENDAR))]
ChangingClients = Annotated[Token, Depends(_may(Right.CHANGE_CLIENTS))]
ReadingPolicy = Annotated[Token, Depends(_may(Right.READ_POLICY))]
ChangingPolicy = Annotated[Token, Depends(_may(Right.CHANGE_POLICY))]
MovingFiles = Annotated[Token, Depends(_may(Right.MOVE_FILES))]
ManagingUsers = Annotated[Token, Depends(_may(Right.MANAGE_USERS))]
ManagingPrivacy = Annotated[Token, Depends(_may(Right.MANAGE_PRIVACY))]
ManagingTokens = Annotated[Token, Depends(_may(Right.MANAGE_TOKENS))]
CreatingFirms = Annotated[Token, Depends(_may(Right.CREATE_FIRMS))]
ReadingSolves = Annotated[Token, Depends(_may(Right.READ_SOLVES))]
Solving = Annotated[Token, Depends(_may(Right.SOLVE))]
Scheduling = Annotated[Token, Depends(_may(Right.SCHEDULE))]
Deciding = Annotated[Token, Depends(_may(Right.DECIDE))]
DecidingSuggestions = Annotated[Token, Depends(_may(Right.DECIDE_SUGGESTIONS))]
EndingExceptions = Annotated[Token, Depends(_may(Right.END_EXCEPTIONS))]
ReadingInbox = Annotated[Token, Depends(_may(Right.READ_INBOX))]
MarkingRead = Annotated[Token, Depends(_may(Right.MARK_READ))]
ManagingWebhooks = Annotated[Token, Depends(_may(Right.MANAGE_WEBHOOKS))]
