"""What is kept for a while only: answers to idempotency keys, delivered messages, attempts to sign in, ended sessions, ended runs.

Decisions, changes and everything of the domain are kept for good.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, or_

from api.store.accounts import SessionRecord, SignInRecord
from api.store.database import Database
from api.store.draft import read_head, table_of
from api.store.runs import forget_runs
from api.store.tables import AnswerRecord, OutboxRecord


class Keeping(NamedTuple):
    """How long each is kept.

    Attributes
    ----------
    answers
        A request that is sent again later than this is done again.
    delivered
        Messages to the world, after they were delivered; those that were not are kept.
    sign_ins
        Attempts to sign in, with the address they came from.
    sessions
        After they ended.
    runs
        Of what-ifs, after they ended, with what came of them; scenarios are kept.
    """

    answers: timedelta = timedelta(days=30)
    delivered: timedelta = timedelta(days=30)
    sign_ins: timedelta = timedelta(days=180)
    sessions: timedelta = timedelta(days=30)
    runs: timedelta = timedelta(days=90)


class Pruned(NamedTuple):
    """How many rows of a firm were deleted."""

    firm: str
    answers: int
    delivered: int
    sign_ins: int
    sessions: int
    runs: int


def prune(database: Database, firm: str, *, now: datetime, keeping: Keeping | None = None) -> Pruned:
    """Delete what is older than it is kept, of one firm, in its turn; doing it twice does nothing more."""
    keep = keeping or Keeping()
    answers, outbox, sign_ins, sessions = map(table_of, (AnswerRecord, OutboxRecord, SignInRecord, SessionRecord))
    old_sessions = now - keep.sessions
    ended = or_(sessions.c.ended_at < old_sessions, sessions.c.expires_at < old_sessions)
    with database.writing(firm) as session:
        read_head(session, firm, lock=True)
        connection = session.connection()
        counts = [
            connection.execute(delete(table).where(table.c.firm_id == firm, old)).rowcount
            for table, old in (
                (answers, answers.c.at < now - keep.answers),
                (outbox, outbox.c.delivered_at < now - keep.delivered),
                (sign_ins, sign_ins.c.at < now - keep.sign_ins),
                (sessions, ended),
            )
        ]
        counts.append(forget_runs(connection, firm, now - keep.runs))
    return Pruned(firm, *counts)


def _table(record: Any) -> Table:
    table = record.__table__
    assert isinstance(table, Table)
    return table
