"""Who asks, and whether they may: each route has the right it asks for in its signature, as ``caller: Placing`` or the like."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.roles import RIGHTS, Right, roles_with
from api.routes.problems import problem
from api.serving import Serving
from api.store.refusals import Busy
from api.store.tokens import USE_NOTED_EVERY, Token, find_token, note_use

_log = logging.getLogger(__name__)
_bearer = HTTPBearer(auto_error=False, description="A token made by `evenhand token create`.")


def serving(request: Request) -> Serving:
    """Return what answers this application's requests."""
    found = request.app.state.serving
    assert isinstance(found, Serving)
    return found


Here = Annotated[Serving, Depends(serving)]


def _caller(
    here: Here, background: BackgroundTasks, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Token:
    if given is None:
        headers = {"WWW-Authenticate": "Bearer"}
        message = "has no bearer token"
        raise problem(
            HTTPStatus.UNAUTHORIZED, "token_missing", "authorization", "(not shown)", message, headers=headers
        )
    now = here.now()
    token = find_token(here.database, given.credentials, now=now)
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        background.add_task(_note_use, here, token)
    return token


def _note_use(here: Serving, token: Token) -> None:
    """Note the use once the answer is out, as reading waits for no writer."""
    try:
        here.sharing.act(token.firm, lambda turn: note_use(turn, token), now=here.now(), actor=actor(token))
    except Busy as error:
        _log.warning("use of token %s is noted with the next one: %s", token.id, error)


def actor(token: Token) -> str:
    """Return whom the log names: ids, no name."""
    return f"token:{token.id}"


def _may(right: Right) -> Callable[[Token], Token]:
    def ask(token: Annotated[Token, Depends(_caller)]) -> Token:
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
LoggingTime = Annotated[Token, Depends(_may(Right.LOG_TIME))]
ReadingPeople = Annotated[Token, Depends(_may(Right.READ_PEOPLE))]
ChangingPeople = Annotated[Token, Depends(_may(Right.CHANGE_PEOPLE))]
ChangingCalendar = Annotated[Token, Depends(_may(Right.CHANGE_CALENDAR))]
ChangingClients = Annotated[Token, Depends(_may(Right.CHANGE_CLIENTS))]
ReadingPolicy = Annotated[Token, Depends(_may(Right.READ_POLICY))]
ChangingPolicy = Annotated[Token, Depends(_may(Right.CHANGE_POLICY))]
MovingFiles = Annotated[Token, Depends(_may(Right.MOVE_FILES))]
ManagingTokens = Annotated[Token, Depends(_may(Right.MANAGE_TOKENS))]
CreatingFirms = Annotated[Token, Depends(_may(Right.CREATE_FIRMS))]
ReadingSolves = Annotated[Token, Depends(_may(Right.READ_SOLVES))]
Solving = Annotated[Token, Depends(_may(Right.SOLVE))]
Scheduling = Annotated[Token, Depends(_may(Right.SCHEDULE))]
Deciding = Annotated[Token, Depends(_may(Right.DECIDE))]
EndingExceptions = Annotated[Token, Depends(_may(Right.END_EXCEPTIONS))]
ReadingInbox = Annotated[Token, Depends(_may(Right.READ_INBOX))]
MarkingRead = Annotated[Token, Depends(_may(Right.MARK_READ))]
ManagingWebhooks = Annotated[Token, Depends(_may(Right.MANAGE_WEBHOOKS))]
