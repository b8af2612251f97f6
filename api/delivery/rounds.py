"""Deliveries made again and again in one process, until it ends: what `evenhand serve` runs beside its requests.

One question finds the firms that have something due (`api.store.agenda`); the others cost nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event, Thread

from sqlalchemy.exc import SQLAlchemyError

from api.delivery.delivering import Post, deliver_all, next_attempt
from api.delivery.handing_out import ACTOR
from api.store.agenda import Kind, due_firms, forget_takers, put_back, take
from api.store.proposals import expire, next_end
from solver.refusal import Refused

EVERY_S = 1.0
"""Pause between two rounds; nobody waits for it where this process says something and nothing is being delivered."""
FIRMS_AT_ONCE = 4
"""Firms whose webhooks are waited for at the same time: one that is slow keeps nobody waiting."""

_log = logging.getLogger(__name__)


def keep_up(post: Post, firm: str, *, now: datetime, ends: Callable[[], bool] = lambda: False) -> None:
    """Do whatever is due for one firm: end what has expired, hand out what was said, send what is to be sent, until ``ends``."""
    with post.turns.database.reading(firm) as session:
        end, attempt = next_end(session), next_attempt(session, now)
    expired = end is not None and end <= now
    if expired:
        with post.turns.turn(firm, now=now, actor=ACTOR) as turn:
            expire(turn)
    if expired or (attempt is not None and attempt <= now):
        deliver_all(post, firm, now=now, ends=ends)


def next_moment(post: Post, firm: str, *, now: datetime) -> datetime | None:
    """Return when something is due for a firm, ``None`` where nothing is that has a time."""
    with post.turns.database.reading(firm) as session:
        moments = (next_end(session), next_attempt(session, now))
    return min((moment for moment in moments if moment is not None), default=None)


class Rounds:
    """A thread that keeps up with all firms, and a few that it waits for.

    Parameters
    ----------
    now
        The clock, in UTC.
    said
        Set by whoever says something in this process.
    """

    def __init__(
        self, post: Post, *, now: Callable[[], datetime], every_s: float = EVERY_S, said: Event | None = None
    ) -> None:
        self._post, self._now, self._every_s = post, now, every_s
        self._ends, self._said = Event(), said or Event()
        self._busy: dict[str, Future[None]] = {}
        self._firms = ThreadPoolExecutor(FIRMS_AT_ONCE, thread_name_prefix="delivery")
        self._thread = Thread(target=self._run, name="deliveries")

    def start(self) -> None:
        """Begin; on a file, whose processes before this one are gone, with what they had taken."""
        if self._post.turns.database.embedded:
            forget_takers(self._post.turns.database, now=self._now())
        self._thread.start()

    def stop(self) -> None:
        """End after the attempts that are being made; nothing is begun any more."""
        self._ends.set()
        self._said.set()
        self._thread.join()
        self._firms.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._ends.is_set():
            self._said.clear()
            # A process that is at it has the messages of a second in one go, which costs its requests less.
            (self._ends if self.round() else self._said).wait(self._every_s)

    def round(self) -> int:
        """Begin to keep up with every firm that has something due and that nobody is busy with; return how many these are."""
        try:
            firms = due_firms(self._post.turns.database, Kind.POST, now=self._now())
        except SQLAlchemyError as error:
            _log.warning("firms cannot be listed, deliveries wait: %s", error)
            return 0
        self._busy = {firm: future for firm, future in self._busy.items() if not future.done()}
        for firm in firms:
            if firm not in self._busy and not self._ends.is_set():
                self._busy[firm] = self._firms.submit(self._keep_up, firm)
        return len(firms)

    def _keep_up(self, firm: str) -> None:
        turns, now = self._post.turns, self._now()
        try:
            taken = take(turns, firm, Kind.POST, now=now)
            if taken is not None:
                keep_up(self._post, firm, now=now, ends=self._ends.is_set)
                then = next_moment(self._post, firm, now=self._now())
                put_back(turns, firm, Kind.POST, taken, then=then, now=self._now())
        except (SQLAlchemyError, Refused) as error:
            # The database does not answer, or the firm is busy: everything stays due, and the next round comes.
            _log.warning("deliveries of firm %s wait: %s", firm, error)
        except Exception:
            _log.exception("deliveries of firm %s met a defect", firm)
