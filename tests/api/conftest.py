from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.jobs.queue import prepare
from api.store.database import Database, Limits
from api.store.migrating import migrate
from tests.postgres_for_tests import APPLICATION, Server, running

KINDS = ("sqlite", "postgresql")
PATIENT = Limits(lock_s=300, statement_s=300, idle_s=300)
"""Many callers at once, on a machine that does other things as well, wait longer than the ten seconds of a service. What is said to who
has waited too long is for tests with limits of their own."""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "evenhand.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "evenhand.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    prepare(database)
    database.close()
    return path


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, prepared_file: Path) -> Iterator[str]:
    """A database with the tables of today and the queue's, of each kind; on PostgreSQL as a role that row-level security holds back."""
    if request.param == "sqlite":
        path = tmp_path / "evenhand.db"
        path.write_bytes(prepared_file.read_bytes())
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("server")
    made = server.migrated(user=APPLICATION)
    yield made
    server.drop(made)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, limits=PATIENT)
    yield database
    database.close()
