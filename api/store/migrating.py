"""The schema brought up to date, and compared with what the code expects.

A migration is one transaction on both databases: a process killed in its middle leaves the old schema. Two processes that
migrate at once do it one after the other. There is no way back but a backup.
"""

from __future__ import annotations

from typing import NamedTuple

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import api.store.accounts  # noqa: F401  its tables are part of the schema
from api.store.database import Database
from api.store.tables import Record

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
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def revisions() -> list[str]:
    """Return every revision, oldest first."""
    return [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


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
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        return Migrated(before, str(_revision(connection)))


def check(database: Database) -> Checked:
    """Compare a database with what the code expects."""
    with database.engine.connect() as connection:
        revision = _revision(connection)
        problems = [] if revision is None else _differences(connection)
        if database.embedded:
            problems += _damage(connection)
    return Checked(revision, head(), tuple(problems))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "api.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _differences(connection: Connection) -> list[str]:
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
