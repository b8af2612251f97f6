"""Deliveries made again and again in one process, until it ends: what `evenhand serve` runs beside its requests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event, Thread

from sqlalchemy.exc import SQLAlchemyError

from api.delivery.delivering import Post, anything_due, deliver_all
from api.delivery.handing_out import ACTOR
from api.store.proposals import any_due, expire
from solver.refusal import Refused

EVERY_S = 1.0
"""Pause between two rounds over all firms."""
FIRMS_AT_ONCE = 4
"""Firms whose webhooks are waited for at the same time: one that is slow keeps nobody waiting."""

_log = logging.getLogger(__name__)


def keep_up(post: Post, firm: str, *, now: datetime, ends: Callable[[], bool] = lambda: False) -> None:
    """Do whatever is due for one firm: end what has expired, hand out what was said, send what is to be sent, until ``ends``."""
    with post.turns.database.reading(firm) as session:
        expired, due = any_due(session, now), anything_due(session, now)
    if expired:
        with post.turns.turn(firm, now=now, actor=ACTOR) as turn:
            expire(turn)
    if expired or due:
        deliver_all(post, firm, now=now, ends=ends)


class Rounds:
    """A thread that keeps up with all firms, and a few that it waits for.

    Parameters
    ----------
    now
        The clock, in UTC.
    """

    def __init__(self, post: Post, *, now: Callable[[], datetime], every_s: float = EVERY_S) -> None:
        self._post, self._now, self._every_s = post, now, every_s
        self._ends = Event()
        self._busy: dict[str, Future[None]] = {}
        self._firms = ThreadPoolExecutor(FIRMS_AT_ONCE, thread_name_prefix="delivery")
        self._thread = Thread(target=self._run, name="deliveries")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the attempts that are being made; nothing is begun any more."""
        self._ends.set()
        self._thread.join()
        self._firms.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._ends.is_set():
            self.round()
            self._ends.wait(self._every_s)

    def round(self) -> None:
        """Begin to keep up with every firm that nobody is busy with."""
        try:
            firms = self._post.turns.database.firm_ids()
        except SQLAlchemyError as error:
            _log.warning("firms cannot be listed, deliveries wait: %s", error)
            return
        self._busy = {firm: future for firm, future in self._busy.items() if not future.done()}
        for firm in firms:
            if firm not in self._busy and not self._ends.is_set():
                self._busy[firm] = self._firms.submit(self._keep_up, firm)

    def _keep_up(self, firm: str) -> None:
        try:
            keep_up(self._post, firm, now=self._now(), ends=self._ends.is_set)
        except (SQLAlchemyError, Refused) as error:
            # The database does not answer, or the firm is busy: everything stays due, and the next round comes.
            _log.warning("deliveries of firm %s wait: %s", firm, error)
        except Exception:
            _log.exception("deliveries of firm %s met a defect", firm)
