"""The schema brought up to date, and compared with what the code expects.

A migration is one transaction on both databases: a process killed in its middle leaves the old schema. Two processes that
migrate at once do it one after the other. There is no way back but a backup.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple

from sqlalchemy import Connection, inspect, text

import api.store.accounts  # noqa: F401  its tables are part of the schema
from api.store.database import Database
from api.store.tables import Record

# Alembic is imported where there is something to migrate or to compare: a service usually starts without it.
_VERSION = re.compile(r"m(\d{4})_\w+\.py")
"""Modules of migrations: one line of them, in the order of their numbers, which are their revisions."""
ADVISORY_LOCK = 7_203_001
"""Number of the PostgreSQL lock that whoever migrates holds."""


class Migrated(NamedTuple):
    """Revisions before and after; ``None`` is an empty database."""

    before: str | None
    after: str


class Checked(NamedTuple):
    """A database compared with this version of Evenhand.

    Attributes
    ----------
    revision, head
        What the database has, ``None`` for nothing, and what the code expects.
    problems
        Differences of the schema, damage and broken references, in words.
    """

    revision: str | None
    head: str
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether the service may run on it."""
        return self.revision == self.head and not self.problems


def head() -> str:
    """Return the newest revision."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Return every revision, oldest first."""
    names = (_VERSION.fullmatch(one.name) for one in files("api.store.migrations.versions").iterdir())
    return sorted(name[1] for name in names if name)


def revision_of(database: Database) -> str | None:
    """Return what a database has, ``None`` for nothing; reads one row."""
    with database.engine.connect() as connection:
        return _revision(connection)


def migrate(database: Database, to: str = "head") -> Migrated:
    """Bring the schema up to ``to``; nothing happens where it is there already."""
    with database.writer.begin() as connection:
        if not database.embedded:
            connection.execute(text("set local statement_timeout = 0"))
            connection.execute(text("set local lock_timeout = 0"))
            connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})
        before = _revision(connection)
        if before != (head() if to == "head" else to):
            _upgrade(connection, to)
        return Migrated(before, str(_revision(connection)))


def check(database: Database) -> Checked:
    """Compare a database with what the code expects."""
    with database.engine.connect() as connection:
        revision = _revision(connection)
        problems = [] if revision is None else _differences(connection)
        if database.embedded:
            problems += _damage(connection)
    return Checked(revision, head(), tuple(problems))


def _upgrade(connection: Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.attributes["connection"] = connection
    config.set_main_option("script_location", "api.store:migrations")
    config.set_main_option("path_separator", "os")
    command.upgrade(config, to)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    return found


def _differences(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    ours = set(Record.metadata.tables)
    context = MigrationContext.configure(
        connection,
        opts={"include_name": lambda name, kind, _: kind != "table" or name in ours, "compare_type": True},
    )
    return [f"schema: {_words(difference)}" for difference in compare_metadata(context, Record.metadata)]


def _words(difference: object) -> str:
    if isinstance(difference, list):  # alembic groups what differs in one column
        return "; ".join(_words(one) for one in difference)
    if isinstance(difference, tuple):
        return " ".join(str(getattr(part, "name", None) or part) for part in difference)
    return str(difference)


def _damage(connection: Connection) -> list[str]:
    rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
    damage = [f"damage: {row}" for row in rows if row != "ok"]
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return damage + [
        f"reference: table {table}, row {row} points to nothing in {there}" for table, row, there, _ in broken
    ]
