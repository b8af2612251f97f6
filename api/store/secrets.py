"""What connectors need (passwords, keys of other services), sealed before it is stored (`api.sealing`).

To change keys, put a new one first in the settings, run `evenhand secrets rotate`, and take the old one away. A secret is sealed for
its firm and name, so that whoever can write to the database cannot move one firm's secret to another place.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from api.sealing import Seal
from api.store.accounts import SecretRecord
from api.store.draft import require_storable, table_of
from api.store.refusals import not_found


def keep_secret(session: Session, seal: Seal, name: str, secret: str, *, now: datetime) -> None:
    """Keep a secret of the session's firm, in place of what it was; the session writes, and its turn commits."""
    require_storable("secrets", {"name": name})
    encrypted = seal.close(secret, place=_place(session, name))
    connection, mine = session.connection(), _mine(session, name)
    if not connection.execute(update(_SECRETS).where(*mine).values(encrypted=encrypted, at=now)).rowcount:
        row = {"firm_id": session.info["firm"], "name": name, "encrypted": encrypted, "at": now}
        connection.execute(insert(_SECRETS), row)


def read_secret(session: Session, seal: Seal, name: str) -> str:
    """Return a secret of the session's firm.

    Raises
    ------
    NotFound
        There is none of this name.
    Unsealable
        None of the keys opens it, or it was put here from elsewhere.
    """
    record = session.scalars(select(SecretRecord).where(SecretRecord.name == name)).one_or_none()
    if record is None:
        raise not_found("secret", name, session.scalars(select(SecretRecord.name)).all())
    return seal.open(record.encrypted, place=_place(session, name))


def forget_secret(session: Session, name: str) -> None:
    """Forget a secret; nothing happens where there is none."""
    session.connection().execute(delete(_SECRETS).where(*_mine(session, name)))


def rotate_secrets(session: Session, seal: Seal) -> int:
    """Seal all secrets of the session's firm anew, with the first key; return how many there are."""
    names = session.scalars(select(SecretRecord.name).order_by(SecretRecord.name)).all()
    for name in names:
        encrypted = seal.close(read_secret(session, seal, name), place=_place(session, name))
        session.connection().execute(update(_SECRETS).where(*_mine(session, name)).values(encrypted=encrypted))
    return len(names)


_SECRETS = table_of(SecretRecord)


def _place(session: Session, name: str) -> str:
    return f"secret {name} of {session.info['firm']}"


def _mine(session: Session, name: str) -> tuple[ColumnElement[bool], ...]:
    return (_SECRETS.c.firm_id == session.info["firm"], _SECRETS.c.name == name)
