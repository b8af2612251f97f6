"""Deliveries made: claimed for a while, sent, and noted. Whoever is killed in between loses nothing; what was sent is sent once more.

A message arrives at least once, each time with the same id. A failed attempt is repeated after ever longer waits, which add up to
three days; a webhook that fails for `DISABLED_AFTER` is disabled, and the desk is told.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from api.delivery.handing_out import ACTOR, AT_ONCE, hand_out, waits_to_be_handed_out
from api.delivery.sending import TOTAL_S, Answered, Message, send
from api.delivery.webhooks import place_of
from api.sealing import Seal, Unsealable
from api.store.tables import DeliveryRecord, WebhookRecord
from api.store.turns import Turns
from api.tracing import span

BACK_OFF = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Waits after the first, second, ... failed attempt, as the Standard Webhooks specification suggests; then it is given up."""
UNREACHABLE = frozenset({408, 429, 502, 503, 504})
"""Answers that are not about the message: what follows it waits as well."""
SPREAD = 0.1
"""Waits are up to so much longer, so that what failed together does not come back together."""
DISABLED_AFTER = timedelta(days=5)
TOGETHER = 8
"""Messages that one worker takes of one webhook at a time."""
WEBHOOKS_AT_ONCE = 4
LEASE = timedelta(seconds=TOGETHER * TOTAL_S + 30)
"""For how long nobody else sends what was claimed: as long as sending it can take."""


@dataclass(frozen=True)
class Post:
    """What it takes to deliver.

    Attributes
    ----------
    private
        Whether webhooks may lead to plain HTTP and the inner network.
    """

    turns: Turns
    seal: Seal
    private: bool = False


class Due(NamedTuple):
    """One delivery that was claimed; ``secrets`` are sealed."""

    webhook: str
    url: str
    secrets: tuple[str, ...]
    message: Message
    attempts: int


class Done(NamedTuple):
    """One attempt.

    Attributes
    ----------
    answered
        What came back, ``None`` where it was not made, as the webhook could not be reached a moment before.
    until
        When the next one is made, ``None`` for never.
    """

    due: Due
    answered: Answered | None
    until: datetime | None


class Delivered(NamedTuple):
    """What one round did: messages handed out, attempts that arrived, attempts that failed."""

    handed_out: int
    arrived: int
    failed: int


def anything_due(session: Session, now: datetime) -> bool:
    """Whether there is anything to hand out or to send for the session's firm."""
    if waits_to_be_handed_out(session):
        return True
    return session.execute(_due(now).limit(1)).first() is not None


def deliver_all(post: Post, firm: str, *, now: datetime, ends: Callable[[], bool] = lambda: False) -> Delivered:
    """Hand out what a firm has said, and send what is due, until nothing is, or until ``ends`` says so."""
    handed = arrived = failed = 0
    while not ends() and (some := hand_out(post.turns, firm, now=now)) > 0:
        handed += some
        if some < AT_ONCE:
            break
    while not ends() and (due := claim(post.turns, firm, now=now)):
        done = deliver(post, due, now=now, ends=ends)
        arrived += sum(one.answered is not None and one.answered.arrived for one in done)
        failed += sum(one.answered is not None and not one.answered.arrived for one in done)
    return Delivered(handed, arrived, failed)


def claim(turns: Turns, firm: str, *, now: datetime) -> list[Due]:
    """Take what is due, a few of each webhook, so that nobody else sends it before the lease ends."""
    with turns.beside(firm) as session:
        claimed: list[Due] = []
        for hook in session.scalars(select(WebhookRecord).where(WebhookRecord.disabled_at.is_(None))).all():
            mine = _due(now).where(DeliveryRecord.webhook == hook.id).order_by(DeliveryRecord.number).limit(TOGETHER)
            records = session.scalars(mine.with_for_update(of=DeliveryRecord, skip_locked=True))
            claimed += [_claimed(record, hook, now) for record in records]
        for one in claimed:
            _write(session, one, leased_until=now + LEASE, attempts=one.attempts, tried_at=now)
        return claimed


def deliver(post: Post, due: Sequence[Due], *, now: datetime, ends: Callable[[], bool] = lambda: False) -> list[Done]:
    """Send what was claimed, several webhooks at a time, and note what came back; no attempt begins once ``ends`` says so."""
    groups = [list(some) for _, some in groupby(due, key=lambda one: (one.message.firm, one.webhook))]
    with ThreadPoolExecutor(WEBHOOKS_AT_ONCE) as threads:
        found = threads.map(lambda some: _send_in_order(post, some, now, ends), groups)
        done = [one for some in found for one in some]
    for firm, some in groupby(done, key=lambda one: one.due.message.firm):
        _note(post.turns, firm, list(some), now)
    return done


def _send_in_order(post: Post, due: Sequence[Due], now: datetime, ends: Callable[[], bool]) -> list[Done]:
    """Send to one webhook until it cannot be reached: the next message would fail as well, and wait as long."""
    done: list[Done] = []
    resumed: datetime | None = None
    for one in due:
        resumed = now if resumed is None and ends() else resumed
        if resumed is not None:
            done.append(Done(one, None, resumed))
            continue
        answered = _sent(post, one, now)
        until = None if answered.arrived or one.attempts > len(BACK_OFF) else now + wait(one, answered)
        done.append(Done(one, answered, until))
        if not answered.arrived and (answered.status is None or answered.status in UNREACHABLE):
            resumed = until or now + BACK_OFF[0]
    return done


def _sent(post: Post, due: Due, now: datetime) -> Answered:
    try:
        place = place_of(due.message.firm, due.webhook)
        secrets = [post.seal.open(sealed, place=place) for sealed in due.secrets]
    except Unsealable as error:
        return Answered(None, str(error))
    firm, number = due.message.firm, due.message.number
    with span("delivery", firm=firm, webhook=due.webhook, message=number, attempt=due.attempts) as traced:
        answered = send(due.url, due.message, secrets, now=now, private=post.private)
        if traced is not None:
            traced.set_attribute("http.response.status_code", answered.status or 0)
    return answered


def _note(turns: Turns, firm: str, done: Sequence[Done], now: datetime) -> None:
    with turns.beside(firm) as session:
        for one in done:
            _write(session, one.due, leased_until=None, **_outcome(one, now))
            if one.answered is not None:
                _note_hook(session, one.due.webhook, one.answered, now)
        last = {one.due.webhook: one.answered for one in done if one.answered is not None}
        reasons = {id: _why_disabled(session, id, answered, now) for id, answered in last.items()}
    for id, why in reasons.items():
        if why is not None:
            _disable(turns, firm, id, why, now)


def _outcome(done: Done, now: datetime) -> dict[str, Any]:
    due, answered, until = done
    if answered is None:
        return {"attempts": due.attempts - 1, "next_at": until}
    said = {"answered": answered.status, "error": answered.error or None}
    if answered.arrived:
        return {**said, "status": "delivered", "delivered_at": now}
    return {**said, "status": "failed"} if until is None else {**said, "next_at": until}


def wait(due: Due, answered: Answered) -> timedelta:
    """Return how long to wait after an attempt that failed, at least as long as the receiver asks."""
    usual = BACK_OFF[min(due.attempts, len(BACK_OFF)) - 1]
    share = zlib.crc32(f"{due.webhook} {due.message.id} {due.attempts}".encode()) / 2**32
    return max(usual * (1 + SPREAD * share), answered.retry_after or timedelta())


def _note_hook(session: Session, id: str, answered: Answered, now: datetime) -> None:
    here = and_(WebhookRecord.firm_id == session.info["firm"], WebhookRecord.id == id)
    table = update(WebhookRecord).execution_options(synchronize_session=False)
    if answered.arrived:
        session.execute(table.where(here, WebhookRecord.failing_since.is_not(None)).values(failing_since=None))
    else:
        session.execute(table.where(here, WebhookRecord.failing_since.is_(None)).values(failing_since=now))


def _why_disabled(session: Session, id: str, answered: Answered, now: datetime) -> str | None:
    """Return why a webhook is to be disabled after its last answer, ``None`` where it is not."""
    if answered.arrived:
        return None
    if answered.gone:
        return "the receiver answered 410: it wants no more"
    since = session.scalars(select(WebhookRecord.failing_since).where(WebhookRecord.id == id)).one_or_none()
    if since is None or now - since < DISABLED_AFTER:
        return None
    return f"every attempt has failed since {since:%Y-%m-%d %H:%M} UTC; the last one: {answered.error}"


def _disable(turns: Turns, firm: str, id: str, why: str, now: datetime) -> None:
    with turns.turn(firm, now=now, actor=ACTOR) as turn:
        asked = select(WebhookRecord.disabled_at).where(WebhookRecord.id == id)
        if turn.session.execute(asked).first() != (None,):
            return  # gone, or disabled by somebody else meanwhile
        with turn.whole():
            turn.draft.update(WebhookRecord, {"id": id}, disabled_at=now, disabled_why=why)
        turn.tell("webhook.disabled", {"webhook": id, "why": why})


def _due(now: datetime) -> Any:
    hook = and_(WebhookRecord.firm_id == DeliveryRecord.firm_id, WebhookRecord.id == DeliveryRecord.webhook)
    free = or_(DeliveryRecord.leased_until.is_(None), DeliveryRecord.leased_until <= now)
    asked = select(DeliveryRecord).join(WebhookRecord, hook).where(WebhookRecord.disabled_at.is_(None))
    return asked.where(DeliveryRecord.status == "pending", DeliveryRecord.next_at <= now, free)


def _claimed(record: DeliveryRecord, hook: WebhookRecord, now: datetime) -> Due:
    old = hook.old_secret is not None and hook.old_until is not None and now < hook.old_until
    secrets = (hook.secret, str(hook.old_secret)) if old else (hook.secret,)
    message = Message(record.firm_id, record.number, record.topic, record.document, record.at)
    return Due(hook.id, hook.url, secrets, message, record.attempts + 1)


def _write(session: Session, due: Due, **columns: Any) -> None:
    """Note something of a delivery, unless it has arrived meanwhile or was forgotten."""
    here = (
        DeliveryRecord.firm_id == due.message.firm,
        DeliveryRecord.webhook == due.webhook,
        DeliveryRecord.number == due.message.number,
        DeliveryRecord.status == "pending",
    )
    changed = update(DeliveryRecord).where(*here).values(**columns)
    session.execute(changed, execution_options={"synchronize_session": False})
