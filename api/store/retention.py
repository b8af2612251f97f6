"""What is kept for a while only: answers to idempotency keys, messages on their ways, attempts to sign in, ended sessions and runs.

Decisions, changes and everything of the domain are kept for good. What has not arrived, and is still tried, is kept as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, delete, exists, func, or_, select, tuple_

from api.store.accounts import SessionRecord, SignInRecord
from api.store.draft import table_of
from api.store.runs import forget_runs
from api.store.tables import AnswerRecord, DeliveryRecord, InboxRecord, OutboxRecord
from api.store.turns import Turns

AT_ONCE = 2_000
"""Rows of one transaction: on SQLite whoever writes anything waits for no more."""


class Keeping(NamedTuple):
    """How long each is kept.

    Attributes
    ----------
    answers
        A request that is sent again later than this is done again.
    messages
        To the world, after they were handed out; those that were not are kept.
    deliveries
        To webhooks, after they arrived or were given up.
    inbox
        Messages for people, read or not.
    sign_ins
        Attempts to sign in, with the address they came from.
    sessions
        After they ended.
    jobs
        What the queue knows of jobs that have ended; the solves themselves stay.
    runs
        Of what-ifs, after they ended, with what came of them; scenarios are kept.
    """

    answers: timedelta = timedelta(days=30)
    messages: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=30)
    inbox: timedelta = timedelta(days=180)
    sign_ins: timedelta = timedelta(days=180)
    sessions: timedelta = timedelta(days=30)
    jobs: timedelta = timedelta(days=1)
    runs: timedelta = timedelta(days=90)


class Pruned(NamedTuple):
    """How many rows of a firm were deleted."""

    firm: str
    answers: int
    messages: int
    deliveries: int
    inbox: int
    sign_ins: int
    sessions: int
    runs: int


def prune(turns: Turns, firm: str, *, now: datetime, keeping: Keeping | None = None) -> Pruned:
    """Delete what is older than it is kept, of one firm, a few rows at a time; doing it twice does nothing more."""
    keep = keeping or Keeping()
    counts = [_delete(turns, firm, table, old) for table, old in _old(keep, now)]
    with turns.beside(firm) as session:
        counts.append(forget_runs(session.connection(), firm, now - keep.runs))
    return Pruned(firm, *counts)


def _old(keep: Keeping, now: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Give each table with what goes of it, in the order of `Pruned`."""
    answers, outbox, deliveries, inbox, sign_ins, sessions = map(
        table_of, (AnswerRecord, OutboxRecord, DeliveryRecord, InboxRecord, SignInRecord, SessionRecord)
    )
    yield answers, answers.c.at < now - keep.answers
    # Nothing that is still on its way: it could not be sent to a webhook once more.
    mine = deliveries.c.firm_id == outbox.c.firm_id, deliveries.c.number == outbox.c.number
    on_its_way = exists().where(*mine, deliveries.c.status == "pending")
    yield outbox, (outbox.c.delivered_at < now - keep.messages) & ~on_its_way
    ended = func.coalesce(deliveries.c.delivered_at, deliveries.c.tried_at, deliveries.c.at)
    yield deliveries, (deliveries.c.status != "pending") & (ended < now - keep.deliveries)
    yield inbox, inbox.c.at < now - keep.inbox
    yield sign_ins, sign_ins.c.at < now - keep.sign_ins
    old = now - keep.sessions
    yield sessions, or_(sessions.c.ended_at < old, sessions.c.expires_at < old)


def _delete(turns: Turns, firm: str, table: Table, old: ColumnElement[bool]) -> int:
    key: Any = tuple_(*table.primary_key)
    some = select(*table.primary_key).where(table.c.firm_id == firm, old).limit(AT_ONCE)
    deleted = 0
    while True:
        with turns.beside(firm) as session:
            count = session.connection().execute(delete(table).where(key.in_(some))).rowcount
        deleted += count
        if count < AT_ONCE:
            return deleted
