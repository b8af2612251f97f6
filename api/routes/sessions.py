"""Signing in and out, for pages in a browser: a cookie that scripts cannot read, and a token that other sites cannot know."""

from __future__ import annotations

import base64
import hmac
import json
import math
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from api.oidc import Provider
from api.routes.access import Here, SignedIn, cookie_name, csrf_token, session_text
from api.routes.examples import PASSWORDS, SIGN_INS
from api.routes.models import FIRM, NewPassword, SessionAnswer, SignIn
from api.routes.problems import answers, problem
from api.serving import Serving
from api.store.sessions import SignedIn as Begun
from api.store.sessions import change_password, sign_in, sign_in_as, sign_out
from api.store.tokens import Token

WAY_S = 600
"""How long somebody may take at the provider."""
router = APIRouter(prefix="/session", tags=["sessions"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    operation_id="signIn",
    summary="Sign in with a password",
    responses=answers(400, 429),
)
def begin(
    given: Annotated[SignIn, Body(openapi_examples=SIGN_INS)], here: Here, request: Request, response: Response
) -> SessionAnswer:
    """Sign in. Changes ask for the `csrf_token` of the answer, as header X-CSRF-Token."""
    address = _address(here, request)
    password = given.password.get_secret_value()
    hours = here.settings.session_h
    begun = sign_in(here.database, given.firm, given.login, password, now=here.now(), address=address, hours=hours)
    return _begun(begun, hours, request, response)


@router.get(
    "/provider",
    status_code=HTTPStatus.SEE_OTHER,
    operation_id="goToProvider",
    summary="Sign in elsewhere",
    responses=answers(404, 429),
    response_class=Response,
)
def go(
    here: Here, request: Request, firm: Annotated[str, Query(pattern=FIRM, description="id of the firm")]
) -> Response:
    """Sign in at the OpenID Connect provider of the settings: send a browser here."""
    begun = _provider(here).begin()
    _address(here, request)
    kept = json.dumps([firm, begun.state, begun.nonce, begun.verifier])
    response = Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": begun.address})
    secure = request.url.scheme == "https"
    # Lax, as the provider's page sends the browser back.
    name, value = _way_name(request), base64.urlsafe_b64encode(kept.encode()).decode()
    response.set_cookie(name, value, max_age=WAY_S, path="/", secure=secure, httponly=True, samesite="lax")
    return response


@router.get(
    "/provider/back", operation_id="comeBackFromProvider", summary="Come back from there", responses=answers(404, 429)
)
def back(
    here: Here,
    request: Request,
    response: Response,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> SessionAnswer:
    """Come back from the provider; answers as signing in with a password does."""
    provider, address = _provider(here), _address(here, request)
    firm, began, nonce, verifier = _way(request)
    response.delete_cookie(_way_name(request), path="/")
    if not began or not hmac.compare_digest(state.encode(), began.encode()):
        raise problem(
            HTTPStatus.UNAUTHORIZED,
            "sign_in_failed",
            "state",
            "(not shown)",
            "is of no sign-in that this browser began",
        )
    login = provider.finish(code, nonce=nonce, verifier=verifier, now=here.now())
    hours = here.settings.session_h
    begun = sign_in_as(here.database, firm, login, now=here.now(), address=address, hours=hours)
    return _begun(begun, hours, request, response)


@router.get("", operation_id="getSession", summary="Who is signed in", responses=answers())
def session(caller: SignedIn, request: Request) -> SessionAnswer:
    """Say who is signed in."""
    return _answer(caller, session_text(request))


@router.delete(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="signOut",
    summary="Sign out of the service",
    responses=answers(),
)
def end(caller: SignedIn, here: Here, request: Request, response: Response) -> None:
    """Sign out."""
    sign_out(here.database, caller, now=here.now())
    response.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True)


@router.post(
    "/password",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="changePassword",
    summary="Change the password",
    responses=answers(400, 429),
)
def password(
    given: Annotated[NewPassword, Body(openapi_examples=PASSWORDS)], caller: SignedIn, here: Here, request: Request
) -> None:
    """Change one's password; all other sessions of the user end."""
    address = _address(here, request)
    old, new = given.old.get_secret_value(), given.new.get_secret_value()
    change_password(here.database, caller, old, new, now=here.now(), address=address)


def _provider(here: Serving) -> Provider:
    if here.provider is None:
        message, hint = "is not set", "Maybe sign in with a password."
        raise problem(HTTPStatus.NOT_FOUND, "no_provider", "oidc_issuer", "", message, hint=hint)
    return here.provider


def _way_name(request: Request) -> str:
    return f"{cookie_name(request)}-way"


def _way(request: Request) -> tuple[str, str, str, str]:
    """Return what the browser kept on its way to the provider; empty where it kept nothing."""
    try:
        kept = json.loads(base64.urlsafe_b64decode(request.cookies.get(_way_name(request), "")))
    except ValueError:
        kept = None
    if not isinstance(kept, list) or [type(one) for one in kept] != [str] * 4:
        return "", "", "", ""
    firm, state, nonce, verifier = kept
    return (firm, state, nonce, verifier) if re.fullmatch(FIRM, firm) else ("", "", "", "")


def _begun(begun: Begun, hours: int, request: Request, response: Response) -> SessionAnswer:
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
