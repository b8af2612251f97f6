"""Tokens of the HTTP API: random, of one firm and one role, kept as a hash only, expiring.

A token reads ``evh_ID_SECRET_FIRM``: the firm stands in it, so that looking it up sees that firm's rows and no other's. The secret
has 256 random bits: nobody can guess it from its plain SHA-256, which is computed on every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from api.roles import Role
from api.store.database import Database
from api.store.draft import read_head, table_of
from api.store.refusals import not_found
from api.store.tables import PersonRecord, TokenRecord
from api.store.turn import Turn
from solver.refusal import Refusal, Refused

_FORM = re.compile(r"evh_([0-9a-f]{16})_([0-9a-f]{64})_([A-Za-z0-9][A-Za-z0-9_.-]{0,62})")
_ID_IN = re.compile(r"ev[hs]_([0-9a-f]{16})_")
MAX_DAYS = 3_650
KNOWN_S = 1.0
"""How long what was looked up is believed: a token that another process has revoked opens something for so long."""
KNOWN_AT_ONCE = 10_000
"""Tokens that are remembered; the longest unused is looked up again first."""
USE_NOTED_EVERY = timedelta(minutes=10)
"""How old the last noted use gets before another one is noted: reading costs no write."""


class Token(NamedTuple):
    """What a caller may: of a token, or of somebody who signed in (`api.store.sessions`); without the secret.

    Attributes
    ----------
    person
        Whom it acts for; staff only.
    team
        A manager's: their rights to change end there. ``None``: they do not.
    user
        Who signed in; ``None`` of a token. The id is the session's then.
    """

    firm: str
    id: str
    role: Role
    person: str | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    team: str | None = None
    user: str | None = None


class Wrong(Refused):
    """The token opens nothing: malformed, unknown, revoked or expired."""


class _Made:
    """A new token: its row, and what is said once."""

    def __init__(self, firm: str, now: datetime, role: Role, days: int, person: str | None, team: str | None) -> None:
        self.id, secret = secrets.token_hex(8), secrets.token_hex(32)
        self.text = f"evh_{self.id}_{secret}_{firm}"
        self.row: dict[str, Any] = {
            "id": self.id,
            "secret_hash": hash_of(secret),
            "role": role.value,
            "person": person,
            "team": team,
            "created_at": now,
            "expires_at": now + timedelta(days=days),
        }


def create_token(
    database: Database,
    firm: str,
    role: Role,
    *,
    now: datetime,
    days: int,
    person: str | None = None,
    team: str | None = None,
) -> str:
    """Make a token and return it; this is the only time that it can be read.

    Parameters
    ----------
    days
        How long it is good for, 1 to `MAX_DAYS`.
    person
        Whom it acts for; asked of staff, who log their own time, and of nobody else.
    team
        Whom a manager manages; ``None``: everybody.

    Raises
    ------
    NotFound
        The firm, the person or the team is not there.
    Refused
        The days, the person or the team do not fit.
    """
    _require_days(days)
    require_fitting(role, person, team)
    made = _Made(firm, now, role, days, person, team)
    with database.writing(firm) as session:
        read_head(session, firm, lock=True)
        require_there(session, person, team)
        session.connection().execute(insert(_TOKENS), {"firm_id": firm, **made.row})
    return made.text


def add_token(
    turn: Turn, role: Role, *, days: int, person: str | None = None, team: str | None = None
) -> tuple[str, str]:
    """Make a token in a turn of its firm; return its id, and the token itself. See `create_token`."""
    _require_days(days)
    require_fitting(role, person, team)
    require_there(turn.session, person, team)
    made = _Made(turn.firm, turn.now, role, days, person, team)
    with turn.whole():
        turn.draft.add(TokenRecord, **made.row)
    return made.id, made.text


def _require_days(days: int) -> None:
    if not 1 <= days <= MAX_DAYS:
        near = str(min(max(days, 1), MAX_DAYS))
        raise _refused("token_days", "days", str(days), f"is not between 1 and {MAX_DAYS}", nearest=near)


def require_fitting(role: Role, person: str | None, team: str | None) -> None:
    """Refuse a person or a team that does not go with the role."""
    if (role is Role.STAFF) != (person is not None):
        message = "is asked for with the role staff, and with no other"
        raise _refused("token_person", "person", person or "", message, hint="Maybe give the id of the person.")
    if team is not None and role is not Role.MANAGER:
        message = "goes with the role manager, and with no other"
        raise _refused("token_team", "team", team, message, hint="Maybe leave it out.")


def require_there(session: Session, person: str | None, team: str | None) -> None:
    """Refuse a person or a team that the session's firm does not have."""
    for field, value, column in (("person", person, PersonRecord.id), ("team", team, PersonRecord.team)):
        if value is not None:
            known = session.scalars(select(column).distinct()).all()
            if value not in known:
                raise not_found(field, value, known)


def find_token(database: Database, text: str, *, now: datetime) -> Token:
    """Return what a token is good for.

    Raises
    ------
    Wrong
        It opens nothing; what the refusal says never has the token in it.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise _wrong("token_invalid", "is not of the form evh_ID_SECRET_FIRM")
    id, secret, firm = form.groups()
    with database.reading(firm) as session:
        record = session.scalars(select(TokenRecord).where(TokenRecord.id == id)).one_or_none()
        # Compared in any case, so that how long it takes says nothing about which ids there are.
        same = hmac.compare_digest(hash_of(secret), "" if record is None else record.secret_hash)
        if record is None or not same:
            raise _wrong("token_invalid", "is not known")
        token = _token(record)
    if token.revoked_at is not None:
        raise _wrong("token_revoked", "was revoked")
    if token.expires_at <= now:
        raise _wrong("token_expired", f"expired at {token.expires_at.isoformat()}")
    return token


class Opened:
    """Tokens that were looked up a moment ago: a caller who asks often is not looked up for each request.

    A token that is revoked opens nothing more in the process that revokes it (`forget`), and in others after `KNOWN_S`. When one
    expires is looked at each time.

    Parameters
    ----------
    tick
        A clock in seconds that never goes back.
    """

    def __init__(self, *, tick: Callable[[], float] = monotonic) -> None:
        self._tick = tick
        self._known: OrderedDict[str, tuple[float, Token]] = OrderedDict()
        self._changing = Lock()

    def find(self, text: str, *, now: datetime) -> Token | None:
        """Return what a token is good for, ``None`` where that is to be looked up."""
        with self._changing:
            looked_up_s, token = self._known.get(text, (None, None))
        if looked_up_s is None or token is None or self._tick() - looked_up_s >= KNOWN_S or token.expires_at <= now:
            return None
        return token

    def keep(self, text: str, token: Token, *, looked_up_s: float) -> None:
        """Remember what was looked up; ``looked_up_s`` is when that began."""
        with self._changing:
            self._known[text] = looked_up_s, token
            self._known.move_to_end(text)
            if len(self._known) > KNOWN_AT_ONCE:
                self._known.popitem(last=False)

    def notes_use(self, text: str, *, now: datetime) -> bool:
        """Whether the use of a token is to be noted by whoever asks this: not by every request of one moment."""
        with self._changing:
            if text not in self._known:
                return True
            looked_up_s, token = self._known[text]
            notes = token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY
            if notes:
                self._known[text] = looked_up_s, token._replace(last_used_at=now)
            return notes

    def forget(self, firm: str) -> None:
        """Forget all tokens of a firm, as one of them is revoked."""
        with self._changing:
            for text in [text for text, (_, token) in self._known.items() if token.firm == firm]:
                del self._known[text]


def id_in(text: str) -> str | None:
    """Return the id that a token or a session says it has, true or not; ``None`` where it has none."""
    form = _ID_IN.match(text)
    return None if form is None else form[1]


def tokens_of(session: Session) -> list[Token]:
    """Return the tokens of the session's firm, oldest first."""
    asked = select(TokenRecord).order_by(TokenRecord.created_at, TokenRecord.id)
    return [_token(record) for record in session.scalars(asked)]


def revoke_token(database: Database, firm: str, id: str, *, now: datetime) -> None:
    """Let a token open nothing from now on; one that is revoked stays as it is."""
    with database.writing(firm) as session:
        read_head(session, firm, lock=True)
        known = session.scalars(select(TokenRecord.id)).all()
        if id not in known:
            raise not_found("token", id, known)
        mine = (_TOKENS.c.firm_id == firm, _TOKENS.c.id == id, _TOKENS.c.revoked_at.is_(None))
        session.connection().execute(update(_TOKENS).where(*mine).values(revoked_at=now))


def revoke_tokens_of(session: Session, person: str, *, now: datetime) -> int:
    """Let no token of a person open anything from now on; return how many did until now."""
    mine = (_TOKENS.c.firm_id == session.info["firm"], _TOKENS.c.person == person, _TOKENS.c.revoked_at.is_(None))
    return session.connection().execute(update(_TOKENS).where(*mine).values(revoked_at=now)).rowcount


def note_use(turn: Turn, token: Token) -> None:
    """Keep when a token was used last; a turn of its own firm, which others share."""
    with turn.whole():
        turn.draft.update(TokenRecord, {"id": token.id}, last_used_at=turn.now)


_TOKENS = table_of(TokenRecord)


def hash_of(secret: str) -> str:
    """Return what is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(record: TokenRecord) -> Token:
    return Token(
        firm=record.firm_id,
        id=record.id,
        role=Role(record.role),
        person=record.person,
        created_at=record.created_at,
        expires_at=record.expires_at,
        last_used_at=record.last_used_at,
        revoked_at=record.revoked_at,
        team=record.team,
    )


def _wrong(code: str, message: str) -> Wrong:
    hint = "Maybe make one with: evenhand token create"
    return Wrong(Refusal(code=code, field="token", value="(not shown)", message=message, hint=hint))


def _refused(code: str, field: str, value: str, message: str, *, nearest: str | None = None, hint: str = "") -> Refused:
    return Refused(Refusal(code=code, field=field, value=value, message=message, nearest=nearest, hint=hint))
