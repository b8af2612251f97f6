"""One database, embedded or PostgreSQL: connections with their limits, and sessions that see one firm only.

SQLite: WAL, so readers never wait for the writer; ``synchronous=FULL``, so what was answered as stored survives a power cut (``NORMAL``
survives a crash of the process only, and is faster); foreign keys on; what is
deleted is overwritten; a transaction that writes takes the write lock at its start,
so none is refused in its middle. PostgreSQL: psycopg 3, a pool, limits on statements, locks and idle transactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from api.store.tables import FirmRecord, OfFirm
from solver.refusal import Refusal, Refused

WRITES = "evenhand_writes"
"""Execution option of connections that write."""
CHECKPOINT_PAGES = 4_000
"""Pages of 4 KiB in the log of SQLite before a commit moves them into the file: each page once, however often it was written."""
CACHE_KIB = 8_192
"""Of one connection to SQLite: the inner pages of all indexes."""
FIRM_SETTING = "evenhand.firm"
"""PostgreSQL setting that row-level security reads: the firm of this transaction."""
ALL_FIRMS = "*"
"""Value of the setting under which ids of firms, and nothing else, can be listed."""


@dataclass(frozen=True)
class Limits:
    """How long a database may take, and how many connections one process opens.

    Attributes
    ----------
    lock_s
        Wait for another writer of the same firm (SQLite: of the same file).
    statement_s
        One statement; PostgreSQL only.
    idle_s
        A transaction that does nothing; PostgreSQL only.
    """

    lock_s: float = 10.0
    statement_s: float = 30.0
    idle_s: float = 60.0
    pool_size: int = 5
    pool_overflow: int = 10


class Database:
    """Connections to one database.

    Parameters
    ----------
    url
        ``sqlite:///path/to/file.db`` or ``postgresql://user@host/name``.
    synchronous
        SQLite only: what a commit survives (see the module).

    Raises
    ------
    Refused
        The URL names no database of these two kinds.
    """

    def __init__(
        self, url: str, *, limits: Limits | None = None, synchronous: Literal["FULL", "NORMAL"] = "FULL"
    ) -> None:
        self.url, self.limits = checked_url(url), limits or Limits()
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.engine = self._sqlite(synchronous) if self.embedded else self._postgresql()
        self.writer = self.engine.execution_options(**{WRITES: True})

    def _sqlite(self, synchronous: str) -> Engine:
        limits = self.limits
        engine = create_engine(
            self.url,
            pool_size=limits.pool_size,
            max_overflow=limits.pool_overflow,
            hide_parameters=True,  # names and hashes stand in them, and errors are logged
            connect_args={"timeout": limits.lock_s, "isolation_level": None},
        )

        @event.listens_for(engine, "connect")
        def settings(connection: sqlite3.Connection, _: object) -> None:
            for one in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {one}")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA cache_size={-CACHE_KIB}")  # negative: KiB, not pages

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get(WRITES, False)
            connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _postgresql(self) -> Engine:
        limits = self.limits
        settings = {
            "statement_timeout": round(1_000 * limits.statement_s),
            "lock_timeout": round(1_000 * limits.lock_s),
            "idle_in_transaction_session_timeout": round(1_000 * limits.idle_s),
        }
        return create_engine(
            self.url,
            pool_size=limits.pool_size,
            max_overflow=limits.pool_overflow,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"options": " ".join(f"-c {name}={value}" for name, value in settings.items())},
        )

    @contextmanager
    def reading(self, firm: str) -> Iterator[Session]:
        """Read one firm, all of it as of one moment; never waits for a writer, and cannot write."""
        with self.engine.connect() as connection:
            if not self.embedded:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin() as transaction, Session(connection, autoflush=False) as session:
                self._enter(session, firm)
                yield session
                session.expunge_all()
                transaction.rollback()

    @contextmanager
    def writing(self, firm: str) -> Iterator[Session]:
        """Write one firm in one transaction; committed at the end, rolled back on any error.

        Only `api.store.turn` and what begins a firm write: they hold the firm's turn.
        """
        with self.writer.begin() as connection, Session(connection, autoflush=False) as session:
            self._enter(session, firm)
            yield session

    def _enter(self, session: Session, firm: str) -> None:
        session.info["firm"] = firm
        if not self.embedded:
            session.connection().execute(_SET_FIRM, {"name": FIRM_SETTING, "firm": firm})

    def firm_ids(self) -> list[str]:
        """Return the ids of all firms, sorted; what a schedule over all firms begins with."""
        with self.engine.connect() as connection:
            if not self.embedded:
                connection.execute(_SET_FIRM, {"name": FIRM_SETTING, "firm": ALL_FIRMS})
            return sorted(connection.scalars(select(FirmRecord.id)))  # here, as databases sort in their own ways

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()


_SET_FIRM = text("select set_config(:name, :firm, true)")


@event.listens_for(Session, "do_orm_execute")
def _one_firm_only(state: ORMExecuteState) -> None:
    """Add the session's firm to whatever is asked: the first fence, written once."""
    firm = state.session.info.get("firm")
    if firm is None:
        return
    state.statement = state.statement.options(
        with_loader_criteria(OfFirm, lambda table: table.firm_id == firm, include_aliases=True),
        with_loader_criteria(FirmRecord, lambda table: table.id == firm, include_aliases=True),
    )


def checked_url(url: str) -> URL:
    """Return the URL with our driver; refuse what is neither an SQLite file nor PostgreSQL."""
    hint = "Maybe use sqlite:///evenhand.db or postgresql://user@host/name."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Refused(_refused(url.partition("://")[0], "is not a database URL", hint)) from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise Refused(_refused(kind, "is no database of Evenhand", hint))
    if parsed.database in (None, "", ":memory:"):
        raise Refused(_refused(url, "names no file, and memory is shared by no two connections", hint))
    return parsed.set(drivername="sqlite+pysqlite")


def _refused(value: str, message: str, hint: str) -> Refusal:
    nearest: Any = "sqlite:///evenhand.db"
    return Refusal(
        code="unknown_database", field="database_url", value=value, message=message, nearest=nearest, hint=hint
    )
