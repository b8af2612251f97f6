"""What answers requests: one database, the turns of this process, the clock; its limits and its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Lock

from api.delivery.delivering import Post
from api.delivery.rounds import Rounds
from api.fairness import GoodTokens, Rates, Slots
from api.jobs.queue import Jobs
from api.learning import Lessons
from api.measures import Measures
from api.oidc import Provider
from api.sealing import Seal
from api.settings import Settings
from api.standing import Standings
from api.store.database import Database
from api.store.migrating import head
from api.store.refusals import busy
from api.store.sharing import Sharing
from api.store.tokens import Opened
from api.store.turns import Turns

PREFIX = "/api/v1"
"""Of every path."""
BACK = "/session/provider/back"
"""Where a provider sends people back to."""

BESIDE = 8
"""Requests of one firm that are worked on at once while others ask as well."""


def clock() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


class Serving:
    """One process's hold on a database.

    Attributes
    ----------
    now
        The clock; tests set their own.
    settings
        The defaults where none are given.
    slots, good_tokens, token_rates, firm_rates, address_rates, sign_in_rates
        Who is answered when there are more requests than hands.
    opened
        Tokens that were looked up a moment ago.
    provider
        Where people may sign in instead; ``None``: nowhere.
    revision
        The schema that this version expects.
    jobs
        Where solves are asked for.
    ending
        Set when the process is to end: what is open for long ends then.
    streams
        How many are open.
    seal
        What opens the secrets of webhooks and connectors.
    private_webhooks
        Whether webhooks may lead to plain HTTP and the inner network.
    """

    def __init__(
        self, database: Database, *, now: Callable[[], datetime] = clock, settings: Settings | None = None
    ) -> None:
        self.database, self.now, self.settings = database, now, settings or Settings()
        self.seal = Seal(self.settings.seal_keys)
        self.private_webhooks = self.settings.private_webhooks
        self.provider = _provider(self.settings)
        self.measures = Measures()
        self.turns = Turns(database, committed=self.measures.committed)
        self.standings = Standings(database)
        self.lessons = Lessons(database, self.standings)
        self.sharing = Sharing(self.turns)
        self.revision = head()
        self.jobs, self.ending, self.streams = Jobs(database), Event(), 0
        given = self.settings
        each = given.firm_requests_at_once
        self.slots = Slots(given.requests_at_once, each, given.requests_waiting, beside=min(each, BESIDE))
        self.good_tokens, self.opened = GoodTokens(), Opened()
        self.token_rates, self.firm_rates = Rates(given.token_requests_per_min), Rates(given.firm_requests_per_min)
        self.address_rates, self.sign_in_rates = Rates(given.address_requests_per_min), Rates(given.sign_ins_per_min)
        self.measures.working.set_function(lambda: self.slots.held)
        self.measures.waiting.set_function(lambda: self.slots.waiting)
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


def _provider(settings: Settings) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    redirect = f"{settings.public_url.rstrip('/')}{PREFIX}{BACK}"
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, redirect)
