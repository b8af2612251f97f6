from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.store.database import Database
from tests.api.jobs.solving import Solving


@pytest.fixture
def solving(database: Database) -> Iterator[Solving]:
    solving = Solving(database)
    yield solving
    solving.close()
