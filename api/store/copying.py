"""Backups: one file of all firms as of one moment, made while everybody works, and restored into an empty database of either kind.

Gzipped lines of JSON: a head (schema revision, columns of each table), one line a row, and an end with the count and a SHA-256 of all
lines before it. A database at an older revision is copied as it is, and brought up to date after it was restored. Secrets of connectors
are in it as they are stored, encrypted; hashes of tokens and passwords, too: the file is nobody else's to read.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, Date, DateTime, MetaData, Table, insert, select, text

from api.store.database import ALL_FIRMS, FIRM_SETTING, Database
from api.store.log import Verified, verify
from api.store.migrating import head, migrate, revision_of, revisions
from solver.refusal import Refusal, Refused

FORM = 1
AT_ONCE = 500
"""Rows in memory."""
DERIVED = frozenset({"agenda"})
"""Tables that the database fills by itself, here and there: what was due is looked for again after a restore."""


class Copied(NamedTuple):
    """What a backup has in it."""

    revision: str
    firms: int
    rows: int


class Restored(NamedTuple):
    """What was restored, and the chain of every firm walked afterwards."""

    copied: Copied
    chains: tuple[Verified, ...]


def back_up(database: Database, path: Path, *, now: datetime) -> Copied:
    """Write a backup; the file is whole or not there at all, and only its owner may read it.

    Raises
    ------
    Refused
        The database is empty.
    """
    revision = revision_of(database)
    if revision is None:
        raise _refused("database", "none", "has no schema, and nothing to keep", "Maybe run: evenhand db migrate")
    part = path.with_name(f"{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5, mtime=0) as file:
                copied = _write(database, revision, file, now)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return copied


def restore(database: Database, path: Path) -> Restored:
    """Fill an empty database from a backup, bring it up to date, and walk every chain; all rows are there at the end, or none.

    Raises
    ------
    Refused
        The file is damaged, is no backup, or comes from a later version; or the database is not empty.
    """
    lines = _lines(path)
    begin = json.loads(next(lines))
    if begin.get("evenhand_backup") != FORM or begin["revision"] not in revisions():
        known = f"revision {head()}"
        raise _refused("backup", str(path), "is of another version of Evenhand", "Maybe update Evenhand.", known)
    found = revision_of(database)
    if found not in (None, begin["revision"]) or (found is not None and database.firm_ids()):
        hint = "Maybe restore into a new one."
        raise _refused("database", found or "none", "is not empty, or not as old as the backup", hint)
    if found is None:
        migrate(database, begin["revision"])
    with database.writer.begin() as connection:
        copied = _read(database, connection, begin, lines)
    migrate(database)
    return Restored(copied, tuple(_verified(database, firm) for firm in database.firm_ids()))


def _verified(database: Database, firm: str) -> Verified:
    with database.reading(firm) as session:
        return verify(session)


def _write(database: Database, revision: str, file: gzip.GzipFile, now: datetime) -> Copied:
    checksum, rows = hashlib.sha256(), 0

    def line(document: object) -> None:
        written = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        checksum.update(written)
        file.write(written)

    with database.engine.connect() as connection:
        if not database.embedded:
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            tables = _tables(connection)
            columns = {table.name: [column.name for column in table.columns] for table in tables}
            made_at = now.astimezone(UTC).isoformat()
            line({"evenhand_backup": FORM, "revision": revision, "made_at": made_at, "tables": columns})
            _enter(database, connection, ALL_FIRMS)
            firms = sorted(connection.scalars(select(tables[0].c.id)))
            for firm in firms:
                _enter(database, connection, firm)
                for table in tables:
                    asked = select(table).where(_of_firm(table) == firm).order_by(*table.primary_key)
                    with connection.execute(asked.execution_options(yield_per=AT_ONCE)) as result:
                        for row in result:
                            line([table.name, *(_plain(value) for value in row)])
                            rows += 1
    file.write(json.dumps({"rows": rows, "sha256": checksum.hexdigest()}).encode() + b"\n")
    return Copied(revision, len(firms), rows)


def _read(database: Database, connection: Connection, begin: dict[str, Any], lines: Iterator[bytes]) -> Copied:
    tables = {table.name: table for table in _tables(connection)}
    names = begin["tables"]
    waiting: list[dict[str, Any]] = []
    firms, rows, current = 0, 0, ("", "")
    for line in lines:
        name, *values = json.loads(line)
        row = dict(zip(names[name], values, strict=True))
        firm = row["id"] if name == "firms" else row["firm_id"]
        if (name, firm) != current or len(waiting) >= AT_ONCE:
            _insert(connection, tables.get(current[0]), waiting)
            if firm != current[1]:
                _enter(database, connection, firm)
                firms += 1
            waiting, current = [], (name, firm)
        waiting.append({column: _value(tables[name], column, value) for column, value in row.items()})
        rows += 1
    _insert(connection, tables.get(current[0]), waiting)
    return Copied(begin["revision"], firms, rows)


def _insert(connection: Connection, table: Table | None, rows: list[dict[str, Any]]) -> None:
    if table is not None and rows:
        connection.execute(insert(table), rows)


def _lines(path: Path) -> Iterator[bytes]:
    """Give the lines but the last, which must be true of all before it; whoever reads to the end has a whole file."""
    checksum, rows, last = hashlib.sha256(), -1, b""
    try:
        with gzip.open(path) as file:
            for line in file:
                if last:
                    checksum.update(last)
                    rows += 1
                    yield last
                last = line
        end = json.loads(last or b"{}")
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError, json.JSONDecodeError):
        end = None
    if not isinstance(end, dict) or (end.get("rows"), end.get("sha256")) != (rows, checksum.hexdigest()):
        message = "is no backup, or is damaged: its end does not say what is in it"
        raise _refused("backup", str(path), message, "Maybe take another copy.")


def _tables(connection: Connection) -> list[Table]:
    """Return the tables of firms as the database has them, those that others refer to first; the first one is that of the firms."""
    metadata = MetaData()
    metadata.reflect(connection)
    found = [table for table in metadata.sorted_tables if table.name == "firms" or "firm_id" in table.c]
    found = [table for table in found if table.name not in DERIVED]
    return sorted(found, key=lambda table: table.name != "firms")


def _of_firm(table: Table) -> Any:
    return table.c.id if table.name == "firms" else table.c.firm_id


def _enter(database: Database, connection: Connection, firm: str) -> None:
    if not database.embedded:
        connection.execute(text("select set_config(:name, :firm, true)"), {"name": FIRM_SETTING, "firm": firm})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _value(table: Table, column: str, plain: Any) -> Any:
    kind = table.c[column].type
    if plain is None:
        return None
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(plain)
        return moment if kind.timezone else moment.replace(tzinfo=None)
    if isinstance(kind, Date):
        return date.fromisoformat(plain)
    return bool(plain) if isinstance(kind, Boolean) else plain


def _refused(field: str, value: str, message: str, hint: str, nearest: str | None = None) -> Refused:
    return Refused(
        Refusal(code=f"{field}_refused", field=field, value=value, message=message, nearest=nearest, hint=hint)
    )
