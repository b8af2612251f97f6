"""A person's data: all of it to read, and the person erased.

The log and the history hold ids, and names stand in one cell each: erasing empties these cells and touches no entry, so the chain
stays whole and decisions can still be made again. What is left says what somebody with that id did, and not who that was; a firm
whose ids are themselves names has to give other ids.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.store.accounts import UserRecord
from api.store.database import Database
from api.store.delivery_tables import InboxRecord
from api.store.draft import require_storable
from api.store.parts import PartKind, with_name
from api.store.refusals import not_found
from api.store.tables import (
    AssignmentRecord,
    CalendarRecord,
    DecisionRecord,
    PersonRecord,
    Record,
    TaskRecord,
    TimeRecord,
    TokenRecord,
)
from api.store.tokens import revoke_tokens_of
from api.store.turns import Turns
from api.store.users import SESSIONS, SIGN_INS, USERS
from solver.firm import Person

HIDDEN = {"secret_hash", "password_hash", "firm_id"}
"""Columns that an export leaves out: what opens something, and what is the same in all rows."""


class Erased(NamedTuple):
    """What was erased of a person: users of theirs, and tokens that open nothing any more."""

    person: str
    users: int
    tokens: int


def export_person(session: Session, id: str) -> dict[str, Any]:
    """Return all that the session's firm keeps about a person, as JSON; moments and days as text.

    Raises
    ------
    NotFound
        The firm has nobody with this id.
    """
    record = _person(session, id)
    users = session.scalars(select(UserRecord).where(UserRecord.person == id)).all()
    ids = [one.id for one in users]
    return {
        "person": Person.model_validate_json(with_name(record.document, record.name)).model_dump(mode="json"),
        "calendar": _rows(session, CalendarRecord, CalendarRecord.person == id),
        "tasks": _rows(session, TaskRecord, TaskRecord.assignee == id),
        "assignments": _rows(session, AssignmentRecord, AssignmentRecord.person == id),
        "time": _rows(session, TimeRecord, TimeRecord.person == id),
        "inbox": _rows(session, InboxRecord, InboxRecord.person == id),
        "decisions": _rows(session, DecisionRecord, DecisionRecord.person == id),
        "tokens": _rows(session, TokenRecord, TokenRecord.person == id),
        "users": _rows(session, UserRecord, UserRecord.person == id),
        "sessions": _table_rows(session, SESSIONS, SESSIONS.c.user.in_(ids)),
        "sign_ins": _table_rows(session, SIGN_INS, SIGN_INS.c.user.in_(ids)),
    }


def erase_person(turns: Turns, firm: str, id: str, *, now: datetime, actor: str, expected: int | None = None) -> Erased:
    """Erase who a person is, for good: name, logins, sessions, and where they signed in from; their tokens open nothing any more.

    Backups have it still, until they are thrown away. On PostgreSQL the old rows stay in the files until vacuum comes by.

    Raises
    ------
    NotFound
        The firm has nobody with this id.
    """
    with turns.turn(firm, now=now, actor=actor) as turn:
        stored = turn.stored(PartKind.PERSON, id)
        if stored is None:
            raise not_found("person", id, turn.session.scalars(select(PersonRecord.id)).all())
        # A change like any other, so that every process forgets the name with its board.
        turn.put(Person.model_validate_json(stored.document), expected=expected)
        turn.draft.write()
        connection = turn.session.connection()
        mine = (USERS.c.firm_id == firm, USERS.c.person == id)
        ids = list(connection.scalars(select(USERS.c.id).where(*mine)))
        for table in (SESSIONS, SIGN_INS):
            connection.execute(delete(table).where(table.c.firm_id == firm, table.c.user.in_(ids)))
        connection.execute(delete(USERS).where(*mine))
        tokens = revoke_tokens_of(turn.session, id, now=now)
    _checkpoint(turns.database)
    return Erased(id, len(ids), tokens)


def _checkpoint(database: Database) -> None:
    """Empty the write-ahead log of an embedded database, where the name may still stand; who reads it now keeps it a little longer."""
    if database.embedded:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _person(session: Session, id: str) -> PersonRecord:
    require_storable("people", {"person": id})
    record = session.scalars(select(PersonRecord).where(PersonRecord.id == id)).one_or_none()
    if record is None:
        raise not_found("person", id, session.scalars(select(PersonRecord.id)).all())
    return record


def _rows(session: Session, record: type[Record], where: Any) -> list[dict[str, Any]]:
    return _table_rows(session, record.__table__, where)


def _table_rows(session: Session, table: Any, where: Any) -> list[dict[str, Any]]:
    asked = select(table).where(table.c.firm_id == session.info["firm"], where).order_by(*table.primary_key)
    return [
        {name: _plain(value) for name, value in row.items() if name not in HIDDEN}
        for row in session.connection().execute(asked).mappings()
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
