"""What answers requests: one database, the turns of this process, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Lock

from api.delivery.delivering import Post
from api.delivery.rounds import Rounds
from api.jobs.queue import Jobs
from api.sealing import Seal
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
    jobs
        Where solves are asked for.
    ending
        Set when the process is to end: what is open for long ends then.
    streams
        How many are open.
    seal
        What opens the secrets of webhooks.
    private_webhooks
        Whether webhooks may lead to plain HTTP and the inner network.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = clock,
        seal: Seal | None = None,
        private_webhooks: bool = False,
    ) -> None:
        self.database, self.now = database, now
        self.seal, self.private_webhooks = seal or Seal(), private_webhooks
        self.turns = Turns(database)
        self.standings = Standings(database)
        self.sharing = Sharing(self.turns)
        self.revision = head()
        self.jobs, self.ending, self.streams = Jobs(database), Event(), 0
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

    def deliveries(self) -> Rounds:
        """Return what makes deliveries beside the requests, to be started and stopped."""
        return Rounds(Post(self.turns, self.seal, self.private_webhooks), now=self.now)
