"""Which firms have something due: one indexed question about all of them, whatever their number.

Each firm has a row per kind of work with the moment it is looked at next. Triggers set it to "at once" wherever something is said,
sent again, enabled or scheduled otherwise, so that no code that writes can forget it. Whoever looks takes the row for a while first,
does what is due, and then puts it back at the next moment; what was caused in between makes it due at once again. Moments are no
further off than `Kind.longest`, and one that is further is due: clocks that were wrong are forgotten.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from api.store.database import Database
from api.store.draft import table_of
from api.store.job_tables import AgendaRecord
from api.store.tables import DeliveryRecord
from api.store.turns import Turns

WHENEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Due at once, whatever the clocks say."""
_AGENDA = table_of(AgendaRecord)


class Kind(Enum):
    """What is looked at: by which name, who took it how long before somebody else does, and after how long at the latest."""

    POST = "post", timedelta(seconds=15), timedelta(hours=1)
    JOBS = "jobs", timedelta(seconds=60), timedelta(days=1)

    def __init__(self, word: str, taken: timedelta, longest: timedelta) -> None:
        self.word, self.taken, self.longest = word, taken, longest


def due_firms(database: Database, kind: Kind, *, now: datetime) -> list[str]:
    """Return the ids of the firms to be looked at, sorted; one query."""
    with database.listing() as connection:
        asked = select(_AGENDA.c.firm_id).where(_AGENDA.c.kind == kind.word, _due(kind, now))
        return sorted(connection.scalars(asked))  # here, as databases sort in their own ways


def take(turns: Turns, firm: str, kind: Kind, *, now: datetime) -> datetime | None:
    """Have a firm to oneself for a while; return until when, ``None`` where somebody else was faster."""
    until = now + kind.taken
    with turns.beside(firm) as session:
        mine = update(_AGENDA).where(*_row(firm, kind), _due(kind, now)).values(at=until)
        return until if session.connection().execute(mine).rowcount else None


def put_back(turns: Turns, firm: str, kind: Kind, taken: datetime, *, then: datetime | None, now: datetime) -> None:
    """Have a firm looked at again at ``then``, or when something happens; at once, where it did meanwhile."""
    latest = now + kind.longest
    at = latest if then is None else min(then, latest)
    with turns.beside(firm) as session:
        session.connection().execute(update(_AGENDA).where(*_row(firm, kind), _AGENDA.c.at == taken).values(at=at))


def forget_takers(database: Database, *, now: datetime) -> None:
    """Have everything looked at again that somebody may have taken: for the only process of a file, when it begins."""
    with database.writer.begin() as connection:
        for kind in Kind:
            mine = (_AGENDA.c.kind == kind.word, _AGENDA.c.at <= now + kind.taken)
            connection.execute(update(_AGENDA).where(*mine).values(at=WHENEVER))
        deliveries = table_of(DeliveryRecord)
        mine = (deliveries.c.status == "pending", deliveries.c.leased_until.is_not(None))
        connection.execute(update(deliveries).where(*mine).values(leased_until=None))


def _row(firm: str, kind: Kind) -> tuple[Any, ...]:
    return _AGENDA.c.firm_id == firm, _AGENDA.c.kind == kind.word


def _due(kind: Kind, now: datetime) -> ColumnElement[bool]:
    return or_(_AGENDA.c.at <= now, _AGENDA.c.at > now + 2 * kind.longest)
