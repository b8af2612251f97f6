"""The tables of people who sign in, and of what connectors need: fenced off by firm like all others (`api.store.tables`)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from api.store.rows import OfFirm, Record, to


class UserRecord(OfFirm, Record):
    """Somebody who signs in with a password, of which only a hash is kept. The login stands here and nowhere else."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    person: Mapped[str | None]
    team: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[datetime | None]
    signed_in_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (to("people", "person"), Index(None, "firm_id", "login", unique=True))


class SessionRecord(OfFirm, Record):
    """A time of being signed in. What the browser sends is nowhere."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    user: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (to("users", "user"), Index(None, "firm_id", "user"))


class SignInRecord(OfFirm, Record):
    """One attempt to sign in. What was typed is nowhere: people type passwords where logins belong."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    user: Mapped[str | None]
    outcome: Mapped[str]
    address: Mapped[str]

    __table_args__ = (Index(None, "firm_id", "at"),)


class SecretRecord(OfFirm, Record):
    """Something that a connector needs, encrypted with a key that is not in the database."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    encrypted: Mapped[str]
    at: Mapped[datetime]
