"""Signing in and out, for pages in a browser: a cookie that scripts cannot read, and a token that other sites cannot know."""

from __future__ import annotations

import math
from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from api.routes.access import Here, SignedIn, cookie_name, csrf_token, session_text
from api.routes.models import NewPassword, SessionAnswer, SignIn
from api.routes.problems import answers, problem
from api.serving import Serving
from api.store.sessions import change_password, sign_in, sign_out
from api.store.tokens import Token

router = APIRouter(prefix="/session", tags=["session"])


@router.post("", status_code=HTTPStatus.CREATED, responses=answers(400, 429))
def begin(given: SignIn, here: Here, request: Request, response: Response) -> SessionAnswer:
    """Sign in. Changes ask for the `csrf_token` of the answer, as header X-CSRF-Token."""
    address = _address(here, request)
    password = given.password.get_secret_value()
    hours = here.settings.session_h
    begun = sign_in(here.database, given.firm, given.login, password, now=here.now(), address=address, hours=hours)
    response.set_cookie(
        cookie_name(request),
        begun.text,
        max_age=round(timedelta(hours=hours).total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return _answer(begun.caller, begun.text)


@router.get("", responses=answers())
def session(caller: SignedIn, request: Request) -> SessionAnswer:
    """Say who is signed in."""
    return _answer(caller, session_text(request))


@router.delete("", status_code=HTTPStatus.NO_CONTENT, responses=answers())
def end(caller: SignedIn, here: Here, request: Request, response: Response) -> None:
    """Sign out."""
    sign_out(here.database, caller, now=here.now())
    response.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True)


@router.post("/password", status_code=HTTPStatus.NO_CONTENT, responses=answers(400, 429))
def password(given: NewPassword, caller: SignedIn, here: Here, request: Request) -> None:
    """Change one's password; all other sessions of the user end."""
    address = _address(here, request)
    old, new = given.old.get_secret_value(), given.new.get_secret_value()
    change_password(here.database, caller, old, new, now=here.now(), address=address)


def _address(here: Serving, request: Request) -> str:
    """Return where an attempt comes from, unless there were too many from there."""
    address = request.client.host if request.client is not None else "nowhere"
    wait_s = math.ceil(here.sign_in_rates.take(address))
    if wait_s:
        status, message = HTTPStatus.TOO_MANY_REQUESTS, "has tried to sign in too often"
        headers, hint = {"Retry-After": str(wait_s)}, f"Maybe try again in {wait_s} s."
        raise problem(status, "too_many_sign_ins", "address", address, message, hint=hint, headers=headers)
    return address


def _answer(caller: Token, text: str) -> SessionAnswer:
    assert caller.user is not None
    return SessionAnswer(
        firm=caller.firm,
        user=caller.user,
        role=caller.role,
        person=caller.person,
        team=caller.team,
        expires_at=caller.expires_at,
        csrf_token=csrf_token(text),
    )
