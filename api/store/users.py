"""People who sign in: made, listed, disabled, given a new password. Their logins are names: they stand in one cell each."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from api.passwords import hashed
from api.roles import Role
from api.store.accounts import SessionRecord, SignInRecord, UserRecord
from api.store.database import Database
from api.store.draft import read_head, require_storable, table_of
from api.store.refusals import not_found, taken
from api.store.tokens import require_fitting, require_there
from solver.refusal import Refusal, Refused

LONGEST_LOGIN = 200


class User(NamedTuple):
    """Somebody who signs in; without the hash of the password."""

    id: str
    login: str
    role: Role
    person: str | None
    team: str | None
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    signed_in_at: datetime | None


class SignIn(NamedTuple):
    """One attempt to sign in.

    Attributes
    ----------
    user
        ``None``: nobody of the firm has the login that was typed.
    outcome
        ``signed in``, or why not: ``unknown``, ``password``, ``locked``, ``disabled``.
    """

    at: datetime
    user: str | None
    outcome: str
    address: str


def create_user(
    database: Database,
    firm: str,
    login: str,
    password: str | None,
    role: Role,
    *,
    now: datetime,
    person: str | None = None,
    team: str | None = None,
) -> User:
    """Let somebody sign in from now on.

    Parameters
    ----------
    password
        ``None``: only a provider lets them in (`api.oidc`).

    Raises
    ------
    NotFound
        The firm, the person or the team is not there.
    Taken
        Somebody of the firm has this login.
    Refused
        The login or the password cannot be one, or person or team do not go with the role.
    """
    require_fitting(role, person, team)
    login, kept = login_of(login), "" if password is None else hashed(password)
    with database.writing(firm) as session:
        read_head(session, firm, lock=True)
        require_there(session, person, team)
        if session.scalars(select(UserRecord.id).where(UserRecord.login == login)).one_or_none() is not None:
            raise taken("login", login)
        row: dict[str, Any] = {
            "firm_id": firm,
            "id": secrets.token_hex(8),
            "login": login,
            "password_hash": kept,
            "role": role.value,
            "person": person,
            "team": team,
            "created_at": now,
            "failures": 0,
        }
        session.connection().execute(insert(USERS), row)
        return next(one for one in users_of(session) if one.id == row["id"])


def users_of(session: Session) -> list[User]:
    """Return who may sign in to the session's firm, oldest first."""
    asked = select(UserRecord).order_by(UserRecord.created_at, UserRecord.id)
    return [
        User(**{name: getattr(record, name) for name in User._fields} | {"role": Role(record.role)})
        for record in session.scalars(asked)
    ]


def sign_ins_of(session: Session, *, most: int = 100) -> list[SignIn]:
    """Return the last attempts to sign in to the session's firm, newest first."""
    asked = select(SignInRecord).order_by(SignInRecord.at.desc(), SignInRecord.id).limit(most)
    return [SignIn(*(getattr(record, name) for name in SignIn._fields)) for record in session.scalars(asked)]


def disable_user(database: Database, firm: str, login: str, *, now: datetime) -> None:
    """Let somebody sign in no more, and end their sessions."""
    with database.writing(firm) as session:
        id = _locked(session, firm, login)
        mine = (USERS.c.firm_id == firm, USERS.c.id == id, USERS.c.disabled_at.is_(None))
        session.connection().execute(update(USERS).where(*mine).values(disabled_at=now))
        end_sessions(session, id, now=now)


def set_password(database: Database, firm: str, login: str, password: str, *, now: datetime) -> None:
    """Give somebody a new password, end their sessions, and let them sign in again where they were locked out or disabled."""
    kept = hashed(password)
    with database.writing(firm) as session:
        id = _locked(session, firm, login)
        mine = (USERS.c.firm_id == firm, USERS.c.id == id)
        values = {"password_hash": kept, "failures": 0, "locked_until": None, "disabled_at": None}
        session.connection().execute(update(USERS).where(*mine).values(**values))
        end_sessions(session, id, now=now)


def end_sessions(session: Session, user: str, *, now: datetime, but: str | None = None) -> None:
    """End all sessions of a user, but perhaps one."""
    mine = (SESSIONS.c.firm_id == session.info["firm"], SESSIONS.c.user == user, SESSIONS.c.ended_at.is_(None))
    others = () if but is None else (SESSIONS.c.id != but,)
    session.connection().execute(update(SESSIONS).where(*mine, *others).values(ended_at=now))


def login_of(text: str) -> str:
    """Return a login as it is kept: the same for every way of writing it.

    Raises
    ------
    Refused
        It is empty, too long, or has spaces or signs in it that nobody sees.
    """
    login = unicodedata.normalize("NFKC", text).strip().casefold()
    require_storable("users", {"login": login})
    if not login or len(login) > LONGEST_LOGIN or not login.isprintable() or " " in login:
        near = "".join(one for one in login if one.isprintable() and one != " ")[:LONGEST_LOGIN] or "dana@example.com"
        message = f"is not 1 to {LONGEST_LOGIN} printable characters without spaces"
        raise Refused(Refusal(code="login", field="login", value=text[:80], message=message, nearest=near))
    return login


def _locked(session: Session, firm: str, login: str) -> str:
    """Return the id of a user of whom nobody else writes now."""
    read_head(session, firm, lock=True)
    id = session.scalars(select(UserRecord.id).where(UserRecord.login == login_of(login))).one_or_none()
    if id is None:
        raise not_found("login", login, session.scalars(select(UserRecord.login)).all())
    return id


USERS, SESSIONS, SIGN_INS = table_of(UserRecord), table_of(SessionRecord), table_of(SignInRecord)
