"""The tables of delivery: the inbox, webhooks, and what is on its way to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from api.store.rows import OfFirm, Record, to


class InboxRecord(OfFirm, Record):
    """A message of the outbox for one person, or, without a name, for the desk of those who decide. It outlives the person."""

    __tablename__ = "inbox"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str]
    document: Mapped[str]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    read_by: Mapped[str | None]

    __table_args__ = (Index(None, "firm_id", "person", "number"),)


class WebhookRecord(OfFirm, Record):
    """An address that is sent messages. Its secrets are sealed (`api.sealing`)."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    label: Mapped[str]
    url: Mapped[str]
    topics: Mapped[str]
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_why: Mapped[str | None]


class DeliveryRecord(OfFirm, Record):
    """A message on its way to a webhook, with what came of the last attempt. Whoever sends it has it until ``leased_until``."""

    __tablename__ = "deliveries"

    webhook: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic: Mapped[str]
    document: Mapped[str]
    at: Mapped[datetime]
    status: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    answered: Mapped[int | None]
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        to("webhooks", "webhook"),
        Index(None, "firm_id", "status", "next_at"),
        Index(None, "firm_id", "webhook", "status", "number"),
    )
