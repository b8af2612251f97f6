"""What firms want done by itself, and the last local day it was done."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.job_tables import ScheduleRecord
from api.store.tables import FirmRecord
from api.store.turn import Turn

PRUNED, DIFFERED = "retention", "self-check"
"""Under which names the last days stand of what no firm chooses: what was kept for long enough went; a board was not what is stored."""


class Clock(NamedTuple):
    """Where a firm's clocks are, and since when it is one."""

    zone: ZoneInfo
    since: datetime


class Kept(NamedTuple):
    """One schedule of a firm: what was asked for, as JSON, ``None`` for what is usual; the last local day it was done."""

    document: str | None
    last_day: date | None


def clock_of(session: Session) -> Clock:
    """Return the clock of the session's firm."""
    document, since = session.execute(select(FirmRecord.document, FirmRecord.created_at)).one()
    return Clock(ZoneInfo(json.loads(document)["time_zone"]), since)


def kept_schedule(session: Session, id: str) -> Kept:
    """Return one schedule of the session's firm."""
    asked = select(ScheduleRecord.document, ScheduleRecord.last_day).where(ScheduleRecord.id == id)
    row = session.execute(asked).one_or_none()
    return Kept(None, None) if row is None else Kept(*row)


def keep_schedule(turn: Turn, id: str, **columns: Any) -> None:
    """Change the document or the last day of a schedule."""
    with turn.whole():
        turn.draft.write()
        there = select(ScheduleRecord.id).where(ScheduleRecord.id == id)
        if turn.session.scalars(there).one_or_none() is None:
            turn.draft.add(ScheduleRecord, id=id, **columns)
        else:
            turn.draft.update(ScheduleRecord, {"id": id}, **columns)
