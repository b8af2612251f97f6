"""Webhooks of a firm: registered, changed, their secrets, what is on its way to them, and what is sent again."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from api.delivery.handing_out import pending
from api.delivery.topics import TEST, require_topics, wanted
from api.sealing import Seal
from api.store.draft import require_storable
from api.store.log import canonical
from api.store.refusals import changed, not_found
from api.store.tables import DeliveryRecord, OutboxRecord, WebhookRecord
from api.store.turn import Turn
from solver.refusal import Refusal, Refused

SECRET_BYTES = 32
OLD_SECRET_GOOD = timedelta(hours=24)
"""How long messages are signed with the secret before as well, so that receivers can change theirs in between."""
MOST_WEBHOOKS = 20
"""Of one firm."""
REPLAYED_AT_ONCE = 1_000
"""Messages that one request sends again at most."""


class Hook(NamedTuple):
    """A webhook as it is kept, without its secret.

    Attributes
    ----------
    topics
        What it is sent; none: everything.
    failing_since
        First failure after the last success.
    pending, failed
        Messages that are to be sent, and those given up.
    oldest_pending_at
        When the oldest of the pending ones was said.
    """

    id: str
    version: int
    label: str
    url: str
    topics: tuple[str, ...]
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    old_secret_until: datetime | None
    pending: int
    failed: int
    oldest_pending_at: datetime | None


class Delivery(NamedTuple):
    """One message on its way to a webhook.

    Attributes
    ----------
    next_at
        When it is sent next, ``None`` where it is not.
    answered
        HTTP status of the last answer, ``None`` where none came.
    """

    number: int
    topic: str
    at: datetime
    status: str
    attempts: int
    next_at: datetime | None
    tried_at: datetime | None
    answered: int | None
    error: str | None
    delivered_at: datetime | None


def register(turn: Turn, url: str, *, topics: Sequence[str], label: str, seal: Seal) -> tuple[str, str]:
    """Keep a webhook; return its id and its secret, which is shown this once. The URL was checked."""
    require_topics(topics)
    turn.draft.write()
    if len(turn.session.scalars(select(WebhookRecord.id)).all()) >= MOST_WEBHOOKS:
        message, near = f"is more than {MOST_WEBHOOKS} webhooks", str(MOST_WEBHOOKS)
        refusal = Refusal(code="too_many_webhooks", field="url", value=url[:200], message=message, nearest=near)
        raise Refused(refusal)
    id, secret = f"wh_{secrets.token_hex(8)}", _new_secret()
    row: dict[str, Any] = {"id": id, "version": 1, "label": label, "url": url, "topics": canonical(list(topics))}
    sealed = seal.close(secret, place=place_of(turn.firm, id))
    with turn.whole():
        turn.draft.add(WebhookRecord, **row, secret=sealed, created_at=turn.draft.at)
    return id, secret


def secret_of(session: Session, id: str, seal: Seal) -> str:
    """Return the secret of a webhook, for the answer that says it once more to who asks with the same key."""
    return seal.open(_found(session, id).secret, place=place_of(str(session.info["firm"]), id))


def change(turn: Turn, id: str, *, expected: int | None, **fields: Any) -> int:
    """Change label, URL, topics or whether it is enabled; return its version from now on."""
    record = _checked(turn, id, expected)
    columns = {name: value for name, value in fields.items() if name in ("label", "url")}
    if "topics" in fields:
        require_topics(fields["topics"])
        columns["topics"] = canonical(list(fields["topics"]))
    if fields.get("enabled") is True:
        columns |= {"disabled_at": None, "disabled_why": None, "failing_since": None}
    elif fields.get("enabled") is False and record.disabled_at is None:
        columns |= {"disabled_at": turn.draft.at, "disabled_why": "by hand"}
    version = record.version + 1
    with turn.whole():
        turn.draft.update(WebhookRecord, {"id": id}, version=version, **columns)
    return version


def remove(turn: Turn, id: str, *, expected: int | None) -> None:
    """Forget a webhook, with what was on its way to it."""
    _checked(turn, id, expected)
    with turn.whole():
        for record, column in ((DeliveryRecord, DeliveryRecord.webhook), (WebhookRecord, WebhookRecord.id)):
            turn.session.execute(delete(record).where(column == id), execution_options={"synchronize_session": False})


def rotate(turn: Turn, id: str, seal: Seal) -> str:
    """Give a webhook a new secret, and return it; the old one signs along for `OLD_SECRET_GOOD`."""
    record, secret = _checked(turn, id, None), _new_secret()
    sealed = seal.close(secret, place=place_of(turn.firm, id))
    with turn.whole():
        until = turn.draft.at + OLD_SECRET_GOOD
        fresh = {"secret": sealed, "old_secret": record.secret, "old_until": until, "version": record.version + 1}
        turn.draft.update(WebhookRecord, {"id": id}, **fresh)
    return secret


def reseal(turn: Turn, seal: Seal) -> int:
    """Seal all secrets of the firm's webhooks anew, with the first key; return how many there are. Then the other keys may go."""
    records = turn.session.scalars(select(WebhookRecord).order_by(WebhookRecord.id), execution_options=_FRESH).all()
    count = 0
    for record in records:
        place, fresh = place_of(turn.firm, record.id), dict[str, str]()
        for name in ("secret", "old_secret"):
            sealed = getattr(record, name)
            if sealed is not None:
                fresh[name] = seal.close(seal.open(sealed, place=place), place=place)
        count += len(fresh)
        with turn.whole():
            turn.draft.update(WebhookRecord, {"id": record.id}, **fresh)
    return count


def place_of(firm: str, id: str) -> str:
    """Return what the secrets of a webhook are sealed for."""
    return f"webhook {id} of {firm}"


def try_out(turn: Turn, id: str) -> int:
    """Say something to one webhook only; return the number of the message."""
    record = _checked(turn, id, None)
    if record.disabled_at is not None:
        hint = "Maybe enable it first."
        refusal = Refusal(code="webhook_disabled", field="webhook", value=id, message="is disabled", hint=hint)
        raise Refused(refusal)
    return turn.tell(TEST, {"webhook": id})


def replay_one(turn: Turn, id: str, number: int) -> None:
    """Send one message again, from the first attempt on and with the same id."""
    _checked(turn, id, None)
    asked = select(DeliveryRecord.number).where(DeliveryRecord.webhook == id, DeliveryRecord.number == number)
    if turn.session.scalars(asked).one_or_none() is None:
        raise not_found("delivery", str(number))
    with turn.whole():
        _again(turn, id, number)


def replay_since(turn: Turn, id: str, since: datetime) -> int:
    """Send again what was said from a moment on and has not arrived: given up, or never sent as it was disabled; return how many."""
    hook = _checked(turn, id, None)
    topics = json.loads(hook.topics)
    mine = and_(DeliveryRecord.webhook == id, DeliveryRecord.at >= since)
    found = turn.session.execute(select(DeliveryRecord.number, DeliveryRecord.status).where(mine))
    there = {row.number: row.status for row in found}
    asked = select(OutboxRecord).where(OutboxRecord.at >= since, OutboxRecord.delivered_at.is_not(None))
    messages = turn.session.scalars(asked.order_by(OutboxRecord.number)).all()
    missing = [one for one in messages if one.number not in there and one.topic != TEST and wanted(topics, one.topic)]
    failed = sorted(number for number, status in there.items() if status == "failed")
    with turn.whole():
        for number in failed[:REPLAYED_AT_ONCE]:
            _again(turn, id, number)
        for one in missing[: REPLAYED_AT_ONCE - len(failed[:REPLAYED_AT_ONCE])]:
            row = {"number": one.number, "topic": one.topic, "document": one.document, "at": one.at}
            turn.draft.add(DeliveryRecord, **pending(row, id, turn.draft.at))
    return min(len(failed) + len(missing), REPLAYED_AT_ONCE)


def hooks_of(session: Session) -> list[Hook]:
    """Return the webhooks of the session's firm, oldest first, each with its backlog."""
    records = session.scalars(
        select(WebhookRecord).order_by(WebhookRecord.created_at, WebhookRecord.id), execution_options=_FRESH
    )
    backlogs = _backlogs(session)
    return [_hook(record, backlogs) for record in records]


def one_hook(session: Session, id: str) -> Hook:
    """Return one webhook of the session's firm."""
    return _hook(_found(session, id), _backlogs(session))


def deliveries_before(
    session: Session, id: str, *, status: str | None, before: int | None, limit: int
) -> list[Delivery]:
    """Return up to ``limit`` deliveries to a webhook, newest message first, those before number ``before``."""
    _found(session, id)
    asked = select(DeliveryRecord).where(DeliveryRecord.webhook == id)
    if status is not None:
        asked = asked.where(DeliveryRecord.status == status)
    if before is not None:
        asked = asked.where(DeliveryRecord.number < before)
    records = session.scalars(asked.order_by(DeliveryRecord.number.desc()).limit(limit), execution_options=_FRESH)
    return [_delivery(record) for record in records]


def one_delivery(session: Session, id: str, number: int) -> Delivery:
    """Return one delivery to a webhook."""
    asked = select(DeliveryRecord).where(DeliveryRecord.webhook == id, DeliveryRecord.number == number)
    record = session.scalars(asked, execution_options=_FRESH).one_or_none()
    if record is None:
        raise not_found("delivery", str(number))
    return _delivery(record)


_FRESH = {"populate_existing": True}


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _again(turn: Turn, id: str, number: int) -> None:
    anew = {"status": "pending", "attempts": 0, "next_at": turn.draft.at, "leased_until": None, "delivered_at": None}
    turn.draft.update(DeliveryRecord, {"webhook": id, "number": number}, **anew)


def _found(session: Session, id: str) -> WebhookRecord:
    require_storable("webhook", {"id": id})
    asked = select(WebhookRecord).where(WebhookRecord.id == id)
    record = session.scalars(asked, execution_options=_FRESH).one_or_none()
    if record is None:
        raise not_found("webhook", id, list(session.scalars(select(WebhookRecord.id))))
    return record


def _checked(turn: Turn, id: str, expected: int | None) -> WebhookRecord:
    turn.draft.write()
    record = _found(turn.session, id)
    if expected is not None and record.version != expected:
        raise changed("webhook.version", expected, record.version)
    return record


def _backlogs(session: Session) -> Mapping[str, Mapping[str, tuple[int, datetime]]]:
    """Return per webhook and status how many deliveries there are, and when the oldest was said."""
    columns = (DeliveryRecord.webhook, DeliveryRecord.status)
    waits: ColumnElement[bool] = DeliveryRecord.status.in_(["pending", "failed"])
    asked = select(*columns, func.count(), func.min(DeliveryRecord.at)).where(waits).group_by(*columns)
    found: dict[str, dict[str, tuple[int, datetime]]] = {}
    for webhook, status, count, oldest in session.execute(asked):
        found.setdefault(webhook, {})[status] = (count, oldest)
    return found


def _hook(record: WebhookRecord, backlogs: Mapping[str, Mapping[str, tuple[int, datetime]]]) -> Hook:
    backlog = backlogs.get(record.id, {})
    waiting, oldest = backlog.get("pending", (0, None))
    return Hook(
        id=record.id,
        version=record.version,
        label=record.label,
        url=record.url,
        topics=tuple(json.loads(record.topics)),
        created_at=record.created_at,
        failing_since=record.failing_since,
        disabled_at=record.disabled_at,
        disabled_why=record.disabled_why,
        old_secret_until=record.old_until,
        pending=waiting,
        failed=backlog.get("failed", (0, None))[0],
        oldest_pending_at=oldest,
    )


def _delivery(record: DeliveryRecord) -> Delivery:
    return Delivery(
        number=record.number,
        topic=record.topic,
        at=record.at,
        status=record.status,
        attempts=record.attempts,
        next_at=record.next_at if record.status == "pending" else None,
        tried_at=record.tried_at,
        answered=record.answered,
        error=record.error,
        delivered_at=record.delivered_at,
    )
