from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.delivery.receiving import Receiver, receiver


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one
