"""People who sign in: made, listed, changed, disabled, given a new password. Their logins are names: they stand in one cell each.

What takes a session is done in a transaction that has the firm's lock: a turn of the firm, or one of its own.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from api.passwords import hashed
from api.roles import Role
from api.store.accounts import SessionRecord, SignInRecord, UserRecord
from api.store.database import Database
from api.store.draft import read_head, require_storable, table_of
from api.store.refusals import changed, not_found, taken
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
    version: int


class SignIn(NamedTuple):
    """One attempt to sign in.

    Attributes
    ----------
    user
        ``None``: nobody of the firm has the login that was typed.
    outcome
        ``signed in``, ``by provider``, ``new password``, or why not: ``unknown``, ``password``, ``locked``, ``disabled``.
    """

    id: str
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
    kept = None if password is None else hashed(password)
    with database.writing(firm) as session:
        read_head(session, firm, lock=True)
        return add_user(session, login, kept, role, now=now, person=person, team=team)


def add_user(
    session: Session,
    login: str,
    password_hash: str | None,
    role: Role,
    *,
    now: datetime,
    person: str | None = None,
    team: str | None = None,
) -> User:
    """Let somebody sign in from now on; see `create_user`."""
    require_fitting(role, person, team)
    login = login_of(login)
    require_there(session, person, team)
    if session.scalars(select(UserRecord.id).where(UserRecord.login == login)).one_or_none() is not None:
        raise taken("login", login)
    row: dict[str, Any] = {
        "firm_id": session.info["firm"],
        "id": secrets.token_hex(8),
        "login": login,
        "password_hash": password_hash or "",
        "role": role.value,
        "person": person,
        "team": team,
        "created_at": now,
        "failures": 0,
        "version": 1,
    }
    session.connection().execute(insert(USERS), row)
    return one_user(session, row["id"])


def one_user(session: Session, id: str) -> User:
    """Return one user of the session's firm."""
    require_storable("users", {"user": id})
    asked = select(UserRecord).where(UserRecord.id == id)
    record = session.scalars(asked, execution_options=_FRESH).one_or_none()
    if record is None:
        raise not_found("user", id, session.scalars(select(UserRecord.id)).all())
    return _user(record)


def users_of(session: Session) -> list[User]:
    """Return who may sign in to the session's firm, oldest first."""
    return users_after(session, None, None)


def users_after(session: Session, after: tuple[datetime, str] | None, limit: int | None) -> list[User]:
    """Return up to ``limit`` users, oldest first, those behind ``after`` (created at, id)."""
    asked = select(UserRecord).order_by(UserRecord.created_at, UserRecord.id).limit(limit)
    if after is not None:
        asked = asked.where(tuple_(UserRecord.created_at, UserRecord.id) > after)
    return [_user(record) for record in session.scalars(asked, execution_options=_FRESH)]


def sign_ins_of(
    session: Session, *, user: str | None = None, before: tuple[datetime, str] | None = None, most: int = 100
) -> list[SignIn]:
    """Return the last attempts to sign in to the session's firm, newest first, those behind ``before`` (at, id); of one user or all."""
    asked = select(SignInRecord).order_by(SignInRecord.at.desc(), SignInRecord.id).limit(most)
    if user is not None:
        require_storable("sign_ins", {"user": user})
        asked = asked.where(SignInRecord.user == user)
    if before is not None:
        at, id = before
        asked = asked.where(or_(SignInRecord.at < at, and_(SignInRecord.at == at, SignInRecord.id > id)))
    return [SignIn(*(getattr(record, name) for name in SignIn._fields)) for record in session.scalars(asked)]


def change_user(
    session: Session, id: str, changes: Mapping[str, Any], *, now: datetime, expected: int | None = None
) -> User:
    """Change what somebody who signs in may do.

    Parameters
    ----------
    changes
        ``role``, ``person``, ``team`` and ``disabled``; what is left out stays. A role applies to sessions that are open at once;
        disabling ends them.
    expected
        The version that the change is meant for; ``None``: any.

    Raises
    ------
    NotFound
        There is no such user, person or team.
    Changed
        The user is not at the version ``expected`` any more.
    Refused
        Person or team do not go with the role.
    """
    user = one_user(session, id)
    if expected is not None and user.version != expected:
        raise changed("user.version", expected, user.version)
    wanted = {"role": user.role, "person": user.person, "team": user.team, **changes}
    disabled = wanted.pop("disabled", user.disabled_at is not None)
    require_fitting(wanted["role"], wanted["person"], wanted["team"])
    require_there(session, wanted["person"], wanted["team"])
    _write(session, id, **wanted, disabled_at=(user.disabled_at or now) if disabled else None)
    if disabled:
        end_sessions(session, id, now=now)
    return one_user(session, id)


def renew_password(session: Session, id: str, password_hash: str, *, now: datetime) -> User:
    """Give a user a new password, end their sessions, and let them sign in again where they were locked out or disabled."""
    one_user(session, id)
    _write(session, id, password_hash=password_hash, failures=0, locked_until=None, disabled_at=None)
    end_sessions(session, id, now=now)
    return one_user(session, id)


def disable_user(database: Database, firm: str, login: str, *, now: datetime) -> None:
    """Let somebody sign in no more, and end their sessions."""
    with database.writing(firm) as session:
        change_user(session, _locked(session, firm, login), {"disabled": True}, now=now)


def set_password(database: Database, firm: str, login: str, password: str, *, now: datetime) -> None:
    """Give somebody a new password; see `renew_password`."""
    kept = hashed(password)
    with database.writing(firm) as session:
        renew_password(session, _locked(session, firm, login), kept, now=now)


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


def _write(session: Session, id: str, **values: Any) -> None:
    mine = (USERS.c.firm_id == session.info["firm"], USERS.c.id == id)
    values = {name: value.value if isinstance(value, Role) else value for name, value in values.items()}
    session.connection().execute(update(USERS).where(*mine).values(version=USERS.c.version + 1, **values))


def _user(record: UserRecord) -> User:
    return User(**{name: getattr(record, name) for name in User._fields} | {"role": Role(record.role)})


_FRESH = {"populate_existing": True}
USERS, SESSIONS, SIGN_INS = table_of(UserRecord), table_of(SessionRecord), table_of(SignInRecord)
