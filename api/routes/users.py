"""People who sign in: made, listed, changed, disabled, given a new password; every attempt to sign in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response

from api.passwords import hashed
from api.routes.access import Here, ManagingUsers, actor
from api.routes.conditions import Expected, Key, Once, cursor, etag, moment_cursor
from api.routes.examples import NEW_PASSWORDS, USER_CHANGES, USERS
from api.routes.parts import Cursor, Limit
from api.routes.problems import answers, problem
from api.routes.user_models import (
    GivenPassword,
    NewUser,
    SignInAnswer,
    SignInPage,
    UserAnswer,
    UserChange,
    UserPage,
)
from api.store.log import By, EntryKind
from api.store.tokens import Token
from api.store.turn import Turn
from api.store.users import User, add_user, change_user, one_user, renew_password, sign_ins_of, users_after
from solver.firm import Name

router = APIRouter(tags=["users"])

Id = Annotated[str, Path(alias="user", description="id of the user")]


@router.post(
    "/users",
    status_code=HTTPStatus.CREATED,
    operation_id="createUser",
    summary="Let somebody sign in",
    responses=answers(400, 409),
)
def create(
    new: Annotated[NewUser, Body(openapi_examples=USERS)],
    caller: ManagingUsers,
    here: Here,
    response: Response,
    key: Key = None,
) -> UserAnswer:
    """Let somebody sign in from now on."""
    # What is kept of a request to know it again says nothing about a password.
    once = Once(caller, key, {"route": "user", "new": new.model_dump(mode="json", exclude={"password"})})
    kept = None if new.password is None else hashed(new.password.get_secret_value())

    def act(turn: Turn) -> UserAnswer:
        before = once.answered(turn)
        if before is not None:
            return _answer(one_user(turn.session, before["id"]))
        turn.draft.write()
        user = add_user(turn.session, new.login, kept, new.role, now=turn.now, person=new.person, team=new.team)
        once.keep(turn, {"id": user.id})
        _note(turn, user, "created")
        return _answer(user)

    return _tagged(here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller)), response)


@router.get("/users", operation_id="listUsers", summary="List users", responses=answers())
def users(caller: ManagingUsers, here: Here, limit: Limit = 50, after: Cursor = None) -> UserPage:
    """List who may sign in, oldest first; those who are disabled as well."""
    with here.database.reading(caller.firm) as session:
        found = users_after(session, moment_cursor(after), limit + 1)
    shown = found[:limit]
    more = cursor(shown[-1].created_at.isoformat(), shown[-1].id) if len(found) > limit else None
    return UserPage(users=tuple(_answer(one) for one in shown), next=more)


@router.get("/users/{user}", operation_id="getUser", summary="Read a user", responses=answers(404))
def user(id: Id, caller: ManagingUsers, here: Here, response: Response) -> UserAnswer:
    """Read one user."""
    with here.database.reading(caller.firm) as session:
        return _tagged(_answer(one_user(session, id)), response)


@router.patch(
    "/users/{user}",
    operation_id="changeUser",
    summary="Change a user",
    responses=answers(400, 404, 409, 412, 428),
)
def change(
    id: Id,
    change: Annotated[UserChange, Body(openapi_examples=USER_CHANGES)],
    caller: ManagingUsers,
    here: Here,
    response: Response,
    expected: Expected,
) -> UserAnswer:
    """Change what somebody may do, at once; or let them sign in no more, which ends their sessions. Nobody does that to themselves."""
    changes = {name: getattr(change, name) for name in change.model_fields_set}

    def act(turn: Turn) -> UserAnswer:
        turn.draft.write()
        _require_another(caller, id)
        changed = change_user(turn.session, id, changes, now=turn.now, expected=expected)
        _note(turn, changed, "changed")
        return _answer(changed)

    return _tagged(here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller)), response)


@router.post(
    "/users/{user}/password",
    operation_id="resetPassword",
    summary="Give a user a new password",
    responses=answers(400, 404, 409),
)
def reset(
    id: Id,
    given: Annotated[GivenPassword, Body(openapi_examples=NEW_PASSWORDS)],
    caller: ManagingUsers,
    here: Here,
    response: Response,
) -> UserAnswer:
    """Give somebody a new password: their sessions end, and they may sign in again where they were locked out or disabled."""
    kept = hashed(given.password.get_secret_value())

    def act(turn: Turn) -> UserAnswer:
        turn.draft.write()
        _require_another(caller, id)
        changed = renew_password(turn.session, id, kept, now=turn.now)
        _note(turn, changed, "new password")
        return _answer(changed)

    return _tagged(here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller)), response)


@router.get("/sign-ins", operation_id="listSignIns", summary="List attempts to sign in", responses=answers())
def sign_ins(
    caller: ManagingUsers,
    here: Here,
    user: Annotated[Name | None, Query(description="id of the user")] = None,
    limit: Limit = 50,
    before: Cursor = None,
) -> SignInPage:
    """List attempts to sign in, newest first, with what came of each and where it came from."""
    with here.database.reading(caller.firm) as session:
        found = sign_ins_of(session, user=user, before=moment_cursor(before), most=limit + 1)
    shown = found[:limit]
    more = cursor(shown[-1].at.isoformat(), shown[-1].id) if len(found) > limit else None
    rows = tuple(SignInAnswer(at=one.at, user=one.user, outcome=one.outcome, address=one.address) for one in shown)
    return SignInPage(sign_ins=rows, next=more)


def _require_another(caller: Token, id: str) -> None:
    """Refuse an owner to lock themselves out."""
    if caller.user == id:
        message, hint = "is who asks", "Maybe ask another owner."
        raise problem(HTTPStatus.CONFLICT, "own_user", "user", id, message, hint=hint)


def _note(turn: Turn, user: User, outcome: str) -> None:
    """Log who let whom do what; the login is a name, and stays out."""
    document: dict[str, Any] = {
        "user": user.id,
        "role": user.role.value,
        "person": user.person,
        "team": user.team,
        "disabled": user.disabled_at is not None,
    }
    turn.note(EntryKind.ACCOUNT, by=By.MANAGER, outcome=outcome, reason="", document=document)


def _answer(found: User) -> UserAnswer:
    return UserAnswer(**found._asdict())


def _tagged(found: UserAnswer, response: Response) -> UserAnswer:
    response.headers["ETag"] = etag(found.version)
    return found
