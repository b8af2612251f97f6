"""What firms want done by itself, and the last local day it was done."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.job_tables import ScheduleRecord
from api.store.refusals import changed
from api.store.tables import FirmRecord
from api.store.turn import Turn


class Clock(NamedTuple):
    """Where a firm's clocks are, and since when it is one."""

    zone: ZoneInfo
    since: datetime


class Kept(NamedTuple):
    """One schedule of a firm: what was asked for, as JSON, ``None`` for what is usual; the last local day it was done; its version."""

    document: str | None
    last_day: date | None
    version: int


def clock_of(session: Session) -> Clock:
    """Return the clock of the session's firm."""
    document, since = session.execute(select(FirmRecord.document, FirmRecord.created_at)).one()
    return Clock(ZoneInfo(json.loads(document)["time_zone"]), since)


def kept_schedule(session: Session, id: str) -> Kept:
    """Return one schedule of the session's firm."""
    asked = select(ScheduleRecord.document, ScheduleRecord.last_day, ScheduleRecord.version).where(
        ScheduleRecord.id == id
    )
    row = session.execute(asked).one_or_none()
    return Kept(None, None, 0) if row is None else Kept(*row)


def change_schedule(turn: Turn, id: str, document: str, *, expected: int | None) -> None:
    """Keep when something is done, if it is still at the version ``expected``; ``None`` for any."""
    turn.draft.write()
    version = kept_schedule(turn.session, id).version
    if expected is not None and version != expected:
        raise changed("schedule.version", expected, version)
    keep_schedule(turn, id, document=document, version=version + 1)


def keep_schedule(turn: Turn, id: str, **columns: Any) -> None:
    """Change columns of a schedule."""
    with turn.whole():
        turn.draft.write()
        there = select(ScheduleRecord.id).where(ScheduleRecord.id == id)
        if turn.session.scalars(there).one_or_none() is None:
            turn.draft.add(ScheduleRecord, id=id, **columns)
        else:
            turn.draft.update(ScheduleRecord, {"id": id}, **columns)
