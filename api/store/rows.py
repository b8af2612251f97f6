"""What all rows share: names of keys, moments in UTC, the firm they belong to, references within it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, where SQLite knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"moment {value} has no zone. Maybe use datetime.now(UTC).")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Record(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {str: Text, int: BigInteger, date: Date, datetime: Moment, float: Float}  # noqa: RUF012


class OfFirm:
    """Every other row belongs to one firm; sessions read no other firm's (`api.store.database`)."""

    @declared_attr
    def firm_id(cls) -> Mapped[str]:  # noqa: N805
        """The firm: first part of every key."""
        return mapped_column(ForeignKey("firms.id"), primary_key=True, sort_order=-2)


class PartOfFirm(OfFirm):
    """A part of the firm as the engine is told it, as it is now."""

    id: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
    place: Mapped[int]
    version: Mapped[int]
    document: Mapped[str]


def to(table: str, *columns: str, **more: Any) -> ForeignKeyConstraint:
    """Return a reference within the same firm."""
    there = [f"{table}.firm_id", f"{table}.id"]
    return ForeignKeyConstraint(["firm_id", *columns], there, **more)
