"""What one turn writes, collected and written together: many rows of a table are one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from api.store import job_tables  # noqa: F401  # all tables are known before statements are made of them
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


def table_of(record: type[Any]) -> Table:
    """Return the table of a kind of rows, for statements that need no objects."""
    table = record.__table__
    assert isinstance(table, Table)
    return table


# Statements of every turn, made once: making one takes longer than running it.
_FIRMS = table_of(FirmRecord)
_COLUMNS = [_FIRMS.c[one.name] for one in fields(Head)]
_READ_HEAD = select(*_COLUMNS).where(_FIRMS.c.id == bindparam("firm"))
_LOCK_HEAD = _READ_HEAD.with_for_update()
_WRITE_HEAD = (
    update(_FIRMS)
    .where(_FIRMS.c.id == bindparam("firm"))
    .values({one.name: bindparam(f"new_{one.name}") for one in fields(Head)})
)
_INSERTS = {table: insert(table) for table in Record.metadata.sorted_tables}
"""Tables that others refer to first."""


def read_head(session: Session, firm: str, *, lock: bool = False) -> Head:
    """Return the firm's counters; with ``lock`` nobody else has the firm's turn until the transaction ends."""
    # On SQLite the transaction has the write lock of the file already, and `for update` is left out.
    row = session.connection().execute(_LOCK_HEAD if lock else _READ_HEAD, {"firm": firm}).one_or_none()
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
        table = table_of(record)
        require_storable(table.name, columns)
        self._rows[table].append({"firm_id": self.firm, **columns})

    def pending(self, record: type[OfFirm], **keys: Any) -> dict[str, Any] | None:
        """Return the row with these keys that was added and is not written yet, ``None`` where there is none.

        Whoever looks for one row asks here before the database, so that those who share a turn are written together.
        """
        rows = self._rows.get(table_of(record), ())
        return next((row for row in rows if all(row[name] == value for name, value in keys.items())), None)

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
        table = table_of(record)
        require_storable(table.name, columns)
        mine = [table.c.firm_id == self.firm, *(table.c[name] == value for name, value in keys.items())]
        self.session.connection().execute(update(table).where(*mine).values(**columns))

    def write(self) -> None:
        """Write what was collected."""
        connection = self.session.connection()
        if self._rows:
            for table in [one for one in _INSERTS if one in self._rows]:
                # Rows of one statement have the same columns.
                for _, some in groupby(self._rows.pop(table), key=tuple):
                    connection.execute(_INSERTS[table], list(some))

    def finish(self) -> None:
        """Write everything, and the firm's counters where they moved."""
        self.write()
        if self.head != self._found:
            values = {f"new_{name}": value for name, value in vars(self.head).items()}
            self.session.connection().execute(_WRITE_HEAD, {"firm": self.firm, **values})


def require_storable(table: str, columns: Mapping[str, object]) -> None:
    """Refuse text with a NUL character, which PostgreSQL keeps nowhere."""
    for name, value in columns.items():
        if isinstance(value, str) and "\x00" in value:
            message, near = "holds a NUL character, which no database keeps", value.replace("\x00", "")[:80]
            shown = value.replace("\x00", "\\0")[:80]
            refusal = Refusal(
                code="unstorable_text", field=f"{table}.{name}", value=shown, message=message, nearest=near
            )
            raise Refused(refusal)
