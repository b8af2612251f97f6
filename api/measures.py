"""What the service measures of itself, for Prometheus: no ids and no names in any of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.store.database import Database
from api.store.job_tables import ScheduleRecord
from api.store.refusals import NotFound
from api.store.schedules import DIFFERED
from api.store.tables import ExceptionRecord, OutboxRecord

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STORE_READ_EVERY_S = 15.0
STORE_READ_SHARE = 0.02
"""How old figures from the store get, and which share of the time goes into reading them: every firm is asked, in a transaction of
its own, so with a thousand firms they are some minutes old."""
DIFFERED_SHOWN = timedelta(days=7)
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """The figures of one process, and those of the store that it reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests answered", "method", "route", "status")
        self.request_s = self._histogram("request_seconds", "From a request to its answer", "method", "route")
        self.decisions = self._counter("decisions", "Decisions stored by this process", "kind", "outcome")
        self.decision_s = self._histogram("decision_seconds", "From a firm's turn to its commit, per decision")
        self.working = self._gauge("requests_working", "Requests that are worked on")
        self.waiting = self._gauge("requests_waiting", "Requests that wait for a slot")
        self._up = self._gauge("database_up", "1 when the database answered the last time it was asked")
        self._firms = self._gauge("firms", "Firms in the database")
        self._outbox = self._gauge("outbox_waiting", "Messages to the world that are not delivered yet")
        self._outbox_age_s = self._gauge("outbox_oldest_seconds", "Age of the oldest message that waits")
        self._open = self._gauge("exceptions_open", "Holds and escalations that wait", "kind")
        self._differed = self._gauge("self_check_differs", "Firms of which a board was not what is stored, in a week")
        self._read_again_s = float("-inf")
        self._reading = Lock()

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"evenhand_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"evenhand_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(f"evenhand_{name}", what, labels, registry=self.registry, buckets=BUCKETS_S)

    def committed(self, decided: Iterable[tuple[str, str]], seconds: float) -> None:
        """Count what one turn has decided, once that is stored."""
        for kind, outcome in decided:
            self.decisions.labels(kind, outcome).inc()
            self.decision_s.observe(seconds)

    def text(self, database: Database, *, now: datetime) -> bytes:
        """Return all figures as Prometheus reads them."""
        with self._reading:
            began_s = monotonic()
            if began_s >= self._read_again_s:
                self._read_store(database, now)
                spent_s = monotonic() - began_s
                self._read_again_s = began_s + max(STORE_READ_EVERY_S, spent_s / STORE_READ_SHARE)
        return generate_latest(self.registry)

    def _read_store(self, database: Database, now: datetime) -> None:
        waiting, oldest, opened, differed = 0, now, {"hold": 0, "escalation": 0}, 0
        differed_at = select(ScheduleRecord.last_day).where(ScheduleRecord.id == DIFFERED)
        try:
            firms = database.firm_ids()
            for firm in firms:
                with database.reading(firm) as session:
                    undelivered = OutboxRecord.delivered_at.is_(None)
                    asked = select(func.count(), func.min(OutboxRecord.at)).where(undelivered)
                    count, first = session.execute(asked).one()
                    by_kind = select(ExceptionRecord.kind, func.count()).where(ExceptionRecord.closed_at.is_(None))
                    for kind, some in session.execute(by_kind.group_by(ExceptionRecord.kind)):
                        opened[kind] = opened.get(kind, 0) + some
                    day = session.scalars(differed_at).one_or_none()
                    differed += day is not None and day >= (now - DIFFERED_SHOWN).date()
                waiting, oldest = waiting + count, min(oldest, first or now)
        except (DBAPIError, PoolTimeout, NotFound):
            self._up.set(0)  # the figure says it; who asks about the figures is answered all the same
            return
        self._up.set(1)
        self._firms.set(len(firms))
        self._differed.set(differed)
        self._outbox.set(waiting)
        self._outbox_age_s.set((now - oldest).total_seconds())
        for kind, some in opened.items():
            self._open.labels(kind).set(some)
