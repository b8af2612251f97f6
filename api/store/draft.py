"""What one turn writes, collected and written together: many rows of a table are one statement."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from api.store.parts import PartKind
from api.store.refusals import not_found
from api.store.tables import ChangeRecord, FirmRecord, OfFirm, OutboxRecord, Record
from solver.refusal import Refusal, Refused


@dataclass
class Head:
    """The counters of a firm: what its row says, and what it will say after this turn."""

    version: int
    base_version: int
    base_at: datetime
    log_number: int
    log_hash: str
    outbox_number: int


HEAD = (
    FirmRecord.version,
    FirmRecord.base_version,
    FirmRecord.base_at,
    FirmRecord.log_number,
    FirmRecord.log_hash,
    FirmRecord.outbox_number,
)


def read_head(session: Session, firm: str, *, lock: bool = False) -> Head:
    """Return the firm's counters; with ``lock`` nobody else has the firm's turn until the transaction ends."""
    asked = select(*HEAD).where(FirmRecord.id == firm)
    # On SQLite the transaction has the write lock of the file already, and the clause is left out.
    row = session.connection().execute(asked.with_for_update() if lock else asked).one_or_none()
    if row is None:
        raise not_found("firm", firm)
    return Head(*row)


class Draft:
    """The rows of one turn of one firm.

    Parameters
    ----------
    at
        The moment that rows say they were written.
    actor
        Id of who asked: a person, a token, a job.
    """

    def __init__(self, session: Session, firm: str, head: Head, *, at: datetime, actor: str) -> None:
        self.session, self.firm, self.head, self.at, self.actor = session, firm, head, at.astimezone(UTC), actor
        self._found = Head(**vars(head))
        self._rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)

    def add(self, record: type[OfFirm], **columns: Any) -> None:
        """Add one row."""
        table = _table(record)
        for name, value in columns.items():
            if isinstance(value, str) and "\x00" in value:
                raise Refused(_with_nul(f"{table.name}.{name}", value))
        self._rows[table].append({"firm_id": self.firm, **columns})

    def change(self, kind: PartKind, part: str, place: int | None, document: str | None) -> int:
        """Count one version further, for a part that is so from now on; return the version. No place: the version."""
        self.head.version += 1
        version = self.head.version
        self.add(
            ChangeRecord,
            version=version,
            kind=kind.value,
            part=part,
            place=version if place is None else place,
            document=document,
            at=self.at,
            actor=self.actor,
        )
        return version

    def tell(self, topic: str, document: str) -> int:
        """Say something to the world once this turn is committed; return its number."""
        self.head.outbox_number += 1
        number = self.head.outbox_number
        self.add(OutboxRecord, number=number, topic=topic, document=document, at=self.at, attempts=0)
        return number

    def update(self, record: type[OfFirm], keys: dict[str, Any], **columns: Any) -> None:
        """Change the rows of this firm that have these keys."""
        self.write()
        table = _table(record)
        for name, value in columns.items():
            if isinstance(value, str) and "\x00" in value:
                raise Refused(_with_nul(f"{table.name}.{name}", value))
        mine = [table.c.firm_id == self.firm, *(table.c[name] == value for name, value in keys.items())]
        self.session.connection().execute(update(table).where(*mine).values(**columns))

    def write(self) -> None:
        """Write what was collected, tables that others refer to first."""
        connection = self.session.connection()
        for table in [one for one in Record.metadata.sorted_tables if one in self._rows]:
            connection.execute(insert(table), self._rows.pop(table))

    def finish(self) -> None:
        """Write everything, and the firm's counters where they moved."""
        self.write()
        if self.head != self._found:
            table = _table(FirmRecord)
            self.session.connection().execute(update(table).where(table.c.id == self.firm).values(**vars(self.head)))


def _table(record: type[Any]) -> Table:
    table = record.__table__
    assert isinstance(table, Table)
    return table


def _with_nul(field: str, value: str) -> Refusal:
    return Refusal(
        code="unstorable_text",
        field=field,
        value=value.replace("\x00", "\\0")[:80],
        message="holds a NUL character, which no database keeps",
        nearest=value.replace("\x00", "")[:80],
    )
