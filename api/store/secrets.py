"""What connectors need (passwords, keys of webhooks), encrypted at rest with keys that are in the settings and not in the database.

Fernet (AES-128-CBC with HMAC-SHA-256). The first key encrypts, all of them decrypt: to change keys, put a new one first, run
`evenhand secrets rotate`, and take the old one away. Firm and name are encrypted with the secret, so that whoever can write
to the database cannot move one firm's secret to another place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from api.store.accounts import SecretRecord
from api.store.draft import require_storable, table_of
from api.store.refusals import Unreadable, not_found
from solver.refusal import Refusal, Refused


class Keys:
    """The keys of the settings.

    Parameters
    ----------
    texts
        Each as `new_key` makes it; the first one encrypts.

    Raises
    ------
    Refused
        One is no key; the refusal never has it in it.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        try:
            keys = [Fernet(text) for text in texts]
        except ValueError:
            raise _refused("secret_key", "is no key", "Maybe make one with: evenhand secrets key") from None
        self._fernet = MultiFernet(keys) if keys else None

    @property
    def fernet(self) -> MultiFernet:
        """All keys as one; refuses where there are none."""
        if self._fernet is None:
            raise _refused("no_secret_key", "is not set", "Maybe make one with: evenhand secrets key")
        return self._fernet


def new_key() -> str:
    """Return a new random key."""
    return Fernet.generate_key().decode()


def keep_secret(session: Session, keys: Keys, name: str, secret: str, *, now: datetime) -> None:
    """Keep a secret of the session's firm, in place of what it was; the session writes, and its turn commits."""
    require_storable("secrets", {"name": name})
    encrypted = _encrypted(session, keys, name, secret)
    connection, mine = session.connection(), _mine(session, name)
    if not connection.execute(update(_SECRETS).where(*mine).values(encrypted=encrypted, at=now)).rowcount:
        row = {"firm_id": session.info["firm"], "name": name, "encrypted": encrypted, "at": now}
        connection.execute(insert(_SECRETS), row)


def read_secret(session: Session, keys: Keys, name: str) -> str:
    """Return a secret of the session's firm.

    Raises
    ------
    NotFound
        There is none of this name.
    Unreadable
        None of the keys opens it, or it was put here from elsewhere.
    """
    record = session.scalars(select(SecretRecord).where(SecretRecord.name == name)).one_or_none()
    if record is None:
        raise not_found("secret", name, session.scalars(select(SecretRecord.name)).all())
    try:
        firm, kept_as, secret = json.loads(keys.fernet.decrypt(record.encrypted))
    except InvalidToken:
        raise _unreadable(name, "is not opened by any of the secret_keys") from None
    if (firm, kept_as) != (session.info["firm"], name):
        raise _unreadable(name, "was kept for something else, and put here")
    return str(secret)


def forget_secret(session: Session, name: str) -> None:
    """Forget a secret; nothing happens where there is none."""
    session.connection().execute(delete(_SECRETS).where(*_mine(session, name)))


def rotate_secrets(session: Session, keys: Keys) -> int:
    """Encrypt all secrets of the session's firm anew, with the first key; return how many there are."""
    names = session.scalars(select(SecretRecord.name).order_by(SecretRecord.name)).all()
    for name in names:
        encrypted = _encrypted(session, keys, name, read_secret(session, keys, name))
        session.connection().execute(update(_SECRETS).where(*_mine(session, name)).values(encrypted=encrypted))
    return len(names)


def _encrypted(session: Session, keys: Keys, name: str, secret: str) -> str:
    return keys.fernet.encrypt(json.dumps([session.info["firm"], name, secret]).encode()).decode()


_SECRETS = table_of(SecretRecord)


def _mine(session: Session, name: str) -> tuple[ColumnElement[bool], ...]:
    return (_SECRETS.c.firm_id == session.info["firm"], _SECRETS.c.name == name)


def _refused(code: str, message: str, hint: str) -> Refused:
    return Refused(Refusal(code=code, field="secret_keys", value="(not shown)", message=message, hint=hint))


def _unreadable(name: str, message: str) -> Unreadable:
    hint = "Maybe put the key it was kept with behind the others."
    return Unreadable(Refusal(code="secret_unreadable", field="secret", value=name, message=message, hint=hint))
