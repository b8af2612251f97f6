"""Signing in and being signed in: attempts that are counted before they are tried, sessions that end.

A session reads ``evs_ID_SECRET_FIRM``, as tokens do, and only a hash of it is kept. Whatever is wrong with an attempt, it is answered
alike and takes as long: the same writes, and a hash computed in any case. Only a firm that is not there saves a write.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from api.passwords import hashed, is_outdated, is_right
from api.roles import Role
from api.store.accounts import SessionRecord, UserRecord
from api.store.database import Database
from api.store.draft import read_head
from api.store.refusals import NotFound
from api.store.tokens import Token, Wrong, hash_of
from api.store.turn import Turn
from api.store.users import SESSIONS, SIGN_INS, USERS, end_sessions, login_of
from solver.refusal import Refusal, Refused

_FORM = re.compile(r"evs_([0-9a-f]{16})_([0-9a-f]{64})_([A-Za-z0-9][A-Za-z0-9_.-]{0,62})")
FREE_FAILURES = 5
"""In a row; the next one waits."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
"""Each further failure doubles the wait. It ends by itself: who only wants to lock somebody out must go on trying."""
AHEAD = timedelta(minutes=5)
"""A session that began or was used further in the future than this ends: a clock was wrong, and nobody knows for how long it is good."""
SEEN_EVERY = timedelta(minutes=1)
"""How old the last noted use of a session gets before another one is noted."""


class SignedIn(NamedTuple):
    """A session that has begun: the text that opens it, to be read this once, and what it may."""

    text: str
    caller: Token


def sign_in(
    database: Database, firm: str, login: str, password: str, *, now: datetime, address: str, hours: int
) -> SignedIn:
    """Begin a session.

    Parameters
    ----------
    address
        Where the attempt came from; kept with it.
    hours
        How long the session lasts at most.

    Raises
    ------
    Wrong
        Firm, login or password are wrong, or the user is locked out or disabled: which one is for the audit only.
    """
    user, attempt = _attempt(database, firm, login, now=now, address=address)
    if not is_right(password, None if user is None else user.password_hash) or user is None or attempt is None:
        raise wrong_sign_in()
    kept = hashed(password) if is_outdated(user.password_hash) else user.password_hash
    with database.writing(firm) as session:
        read_head(session, firm, lock=True)
        mine = (USERS.c.firm_id == firm, USERS.c.id == user.id)
        # Unless the password was changed, or the user disabled, while it was tried.
        same = (USERS.c.password_hash == user.password_hash, USERS.c.disabled_at.is_(None))
        values = {"failures": 0, "locked_until": None, "signed_in_at": now, "password_hash": kept}
        if not session.connection().execute(update(USERS).where(*mine, *same).values(**values)).rowcount:
            raise wrong_sign_in()
        this = (SIGN_INS.c.firm_id == firm, SIGN_INS.c.id == attempt)
        session.connection().execute(update(SIGN_INS).where(*this).values(outcome="signed in"))
        return _begun(session, user, now=now, hours=hours)


def sign_in_as(database: Database, firm: str, login: str, *, now: datetime, address: str, hours: int) -> SignedIn:
    """Begin a session of somebody whom a provider has vouched for; passwords and waits for wrong ones do not matter.

    Raises
    ------
    Wrong
        The firm has no such user, or no more.
    """
    try:
        with database.writing(firm) as session:
            read_head(session, firm, lock=True)
            user = _by_login(session, login)
            good = user is not None and user.disabled_at is None
            outcome = "by provider" if good else "unknown" if user is None else "disabled"
            _keep_attempt(session, secrets.token_hex(8), user, outcome, now=now, address=address)
            if user is not None and good:
                mine = (USERS.c.firm_id == firm, USERS.c.id == user.id)
                session.connection().execute(update(USERS).where(*mine).values(signed_in_at=now))
                return _begun(session, user, now=now, hours=hours)
    except NotFound:
        pass  # no such firm: answered as if there were no such user
    raise wrong_sign_in()


def _begun(session: Session, user: UserRecord, *, now: datetime, hours: int) -> SignedIn:
    id, secret, firm = secrets.token_hex(8), secrets.token_hex(32), str(session.info["firm"])
    row: dict[str, Any] = {
        "firm_id": firm,
        "id": id,
        "secret_hash": hash_of(secret),
        "user": user.id,
        "created_at": now,
        "expires_at": now + timedelta(hours=hours),
        "seen_at": now,
    }
    session.connection().execute(insert(SESSIONS), row)
    record = session.scalars(select(SessionRecord).where(SessionRecord.id == id)).one()
    return SignedIn(f"evs_{id}_{secret}_{firm}", _caller(record, user))


def find_session(database: Database, text: str, *, now: datetime, idle: timedelta) -> Token:
    """Return what a session may.

    Parameters
    ----------
    idle
        How long it lasts without being used.

    Raises
    ------
    Wrong
        It opens nothing (any more).
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise _ended("session_invalid", "is not of the form evs_ID_SECRET_FIRM")
    id, secret, firm = form.groups()
    with database.reading(firm) as session:
        record = session.scalars(select(SessionRecord).where(SessionRecord.id == id)).one_or_none()
        same = hmac.compare_digest(hash_of(secret), "" if record is None else record.secret_hash)
        if record is None or not same:
            raise _ended("session_invalid", "is not known")
        user = session.scalars(select(UserRecord).where(UserRecord.id == record.user)).one()
        found, disabled = _caller(record, user), user.disabled_at is not None
    if found.revoked_at is not None or disabled:
        raise _ended("session_ended", "was ended")
    seen = found.last_used_at or found.created_at
    if found.expires_at <= now or seen + idle <= now or max(seen, found.created_at) > now + AHEAD:
        raise _ended("session_expired", "has expired")
    return found


def note_seen(turn: Turn, token: Token) -> None:
    """Keep when a session was used last."""
    with turn.whole():
        turn.draft.update(SessionRecord, {"id": token.id}, seen_at=turn.now)


def sign_out(database: Database, caller: Token, *, now: datetime) -> None:
    """End one session."""
    with database.writing(caller.firm) as session:
        mine = (SESSIONS.c.firm_id == caller.firm, SESSIONS.c.id == caller.id)
        session.connection().execute(update(SESSIONS).where(*mine).values(ended_at=now))


def change_password(database: Database, caller: Token, old: str, new: str, *, now: datetime, address: str) -> None:
    """Give oneself a new password; all other sessions end. A wrong old one counts as a failed attempt.

    Raises
    ------
    Wrong
        The old password is not right, or there were too many attempts.
    Refused
        The new one cannot be one.
    """
    kept = hashed(new)
    with database.reading(caller.firm) as session:
        login = session.scalars(select(UserRecord.login).where(UserRecord.id == caller.user)).one()
    user, attempt = _attempt(database, caller.firm, login, now=now, address=address)
    if not is_right(old, None if user is None else user.password_hash) or user is None:
        raise wrong_sign_in()
    with database.writing(caller.firm) as session:
        read_head(session, caller.firm, lock=True)
        mine = (USERS.c.firm_id == caller.firm, USERS.c.id == user.id)
        values = {"failures": 0, "locked_until": None, "password_hash": kept}
        session.connection().execute(update(USERS).where(*mine).values(**values))
        this = (SIGN_INS.c.firm_id == caller.firm, SIGN_INS.c.id == attempt)
        session.connection().execute(update(SIGN_INS).where(*this).values(outcome="new password"))
        end_sessions(session, user.id, now=now, but=caller.id)


def _attempt(
    database: Database, firm: str, login: str, *, now: datetime, address: str
) -> tuple[UserRecord | None, str | None]:
    """Count an attempt as a failure before it is tried, so that many at once are as many; return whom to try, and its id."""
    id = secrets.token_hex(8)
    try:
        with database.writing(firm) as session:
            read_head(session, firm, lock=True)
            user = _by_login(session, login)
            outcome = "unknown" if user is None else _outcome(user, now)
            if user is not None and outcome == "password":
                mine = (USERS.c.firm_id == firm, USERS.c.id == user.id)
                failures = user.failures + 1
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(0, failures - FREE_FAILURES), 10))
                until = now + wait if failures >= FREE_FAILURES else None
                session.connection().execute(update(USERS).where(*mine).values(failures=failures, locked_until=until))
            _keep_attempt(session, id, user, outcome, now=now, address=address)
            session.expunge_all()
    except NotFound:
        return None, None
    return (user if outcome == "password" else None), id


def _keep_attempt(
    session: Session, id: str, user: UserRecord | None, outcome: str, *, now: datetime, address: str
) -> None:
    row = {
        "firm_id": session.info["firm"],
        "id": id,
        "at": now,
        "user": None if user is None else user.id,
        "outcome": outcome,
        "address": address[:80],
    }
    session.connection().execute(insert(SIGN_INS), row)


def _outcome(user: UserRecord, now: datetime) -> str:
    """Return what an attempt comes to until the password is found right."""
    if user.disabled_at is not None:
        return "disabled"
    # A wait longer than the longest comes from a clock that went back since, and holds nobody.
    until = user.locked_until
    return "locked" if until is not None and now < until <= now + LONGEST_WAIT else "password"


def _by_login(session: Session, login: str) -> UserRecord | None:
    try:
        known = login_of(login)
    except Refused:
        return None
    return session.scalars(select(UserRecord).where(UserRecord.login == known)).one_or_none()


def _caller(record: SessionRecord, user: UserRecord) -> Token:
    return Token(
        firm=record.firm_id,
        id=record.id,
        role=Role(user.role),
        person=user.person,
        created_at=record.created_at,
        expires_at=record.expires_at,
        last_used_at=record.seen_at,
        revoked_at=record.ended_at,
        team=user.team,
        user=user.id,
    )


def wrong_sign_in() -> Wrong:
    """Refuse an attempt, whatever is wrong with it."""
    message, hint = "does not go with this password here, or has to wait", "Maybe try again in a few minutes."
    return Wrong(Refusal(code="sign_in_failed", field="login", value="(not shown)", message=message, hint=hint))


def _ended(code: str, message: str) -> Wrong:
    hint = "Maybe sign in again."
    return Wrong(Refusal(code=code, field="session", value="(not shown)", message=message, hint=hint))
