from __future__ import annotations

import pytest

from api.store.database import Database
from tests.api.routes.asking import Api


@pytest.fixture
def api(database: Database) -> Api:
    return Api(database)
