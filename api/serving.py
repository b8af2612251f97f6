"""What answers requests: one database, the turns of this process, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock

from api.standing import Standings
from api.store.database import Database
from api.store.migrating import head
from api.store.refusals import busy
from api.store.sharing import Sharing
from api.store.turns import Turns


def clock() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


class Serving:
    """One process's hold on a database.

    Attributes
    ----------
    now
        The clock; tests set their own.
    revision
        The schema that this version expects.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime] = clock) -> None:
        self.database, self.now = database, now
        self.turns = Turns(database)
        self.standings = Standings(database)
        self.sharing = Sharing(self.turns)
        self.revision = head()
        self._searching = Lock()

    @contextmanager
    def one_search(self, firm: str) -> Iterator[None]:
        """Search for an answer as the only one in this process: searches take seconds of a core that placements need."""
        limit_s = self.database.limits.lock_s
        if not self._searching.acquire(timeout=limit_s):
            raise busy(firm, limit_s)
        try:
            yield
        finally:
            self._searching.release()
