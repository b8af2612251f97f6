"""Messages of the outbox handed out: to inboxes at once, to webhooks as deliveries to be made. In one transaction, so none twice."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from api.delivery.topics import DESK, TEST, readers, wanted
from api.store.proposal_states import ProposalStatus
from api.store.tables import (
    DeliveryRecord,
    InboxRecord,
    OutboxRecord,
    ProposalRecord,
    ProposalStateRecord,
    WebhookRecord,
)
from api.store.turns import Turns

AT_ONCE = 200
"""Messages of one transaction: writers of an embedded file wait for no more than these."""
ACTOR = "delivery"
"""Whom rows name that nobody asked for."""


def waits_to_be_handed_out(session: Session) -> bool:
    """Whether the session's firm has said something that is not handed out."""
    return session.scalars(select(OutboxRecord.number).where(OutboxRecord.delivered_at.is_(None))).first() is not None


def hand_out(turns: Turns, firm: str, *, now: datetime) -> int:
    """Hand out what a firm has said; return how many messages, `AT_ONCE` at most. Proposals that reach the desk are delivered."""
    with turns.beside(firm) as session:
        asked = select(OutboxRecord).where(OutboxRecord.delivered_at.is_(None)).order_by(OutboxRecord.number)
        messages = session.scalars(asked.limit(AT_ONCE).with_for_update(skip_locked=True)).all()
        if not messages:
            return 0
        inbox, deliveries, proposals = [], [], []
        hooks = session.scalars(select(WebhookRecord).where(WebhookRecord.disabled_at.is_(None))).all()
        for message in messages:
            row = {"firm_id": firm, "number": message.number, "topic": message.topic}
            row |= {"document": message.document, "at": message.at}
            document = json.loads(message.document)
            reached = readers(message.topic, document)
            inbox += [row | {"person": person} for person in reached]
            deliveries += [pending(row, hook.id, now) for hook in hooks if _sent(hook, message.topic, document)]
            if message.topic == "proposal.created" and DESK in reached:
                proposals.append(document["proposal"])
        connection = session.connection()
        for record, rows in ((InboxRecord, inbox), (DeliveryRecord, deliveries)):
            if rows:
                connection.execute(insert(_table(record)), rows)
        outbox = _table(OutboxRecord)
        here = outbox.c.firm_id == firm, outbox.c.number == bindparam("handed")
        done = update(outbox).where(*here).values(delivered_at=now, attempts=outbox.c.attempts + 1)
        connection.execute(done, [{"handed": message.number} for message in messages])
        for id in proposals:
            _delivered(session, firm, id, now)
    return len(messages)


def pending(row: dict[str, Any], webhook: str, now: datetime) -> dict[str, Any]:
    """Return a delivery to be made, from a message's number, topic, document and moment."""
    return row | {"webhook": webhook, "status": "pending", "attempts": 0, "next_at": now}


def _sent(hook: WebhookRecord, topic: str, document: dict[str, Any]) -> bool:
    if topic == TEST:
        return bool(document["webhook"] == hook.id)
    return wanted(json.loads(hook.topics), topic)


def _delivered(session: Session, firm: str, id: str, now: datetime) -> None:
    """Note that a proposal lies in front of those who decide, unless it is decided already."""
    table, states = _table(ProposalRecord), _table(ProposalStateRecord)
    here = table.c.firm_id == firm, table.c.id == id, table.c.status == ProposalStatus.CREATED.value
    state = ProposalStatus.DELIVERED.value
    if session.connection().execute(update(table).where(*here).values(status=state)).rowcount:
        row = {"firm_id": firm, "proposal": id, "state": state, "at": now, "actor": ACTOR, "reason": "in the inbox"}
        session.connection().execute(insert(states), row)


def _table(record: type[Any]) -> Table:
    table = record.__table__
    assert isinstance(table, Table)
    return table
