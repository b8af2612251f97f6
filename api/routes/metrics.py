"""The four metrics: as the firm stands, and week by week as it went."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.routes.access import Here, ReadingPeople
from api.routes.capacity import past_weeks
from api.routes.firm_models import MetricsAnswer, PastWeeks
from api.routes.problems import answers

router = APIRouter(prefix="/metrics", tags=["metrics"])


@router.get("", operation_id="getMetrics", summary="Read the four metrics", responses=answers())
def metrics(caller: ReadingPeople, here: Here) -> MetricsAnswer:
    """Utilisation, spread, on-time and escalations of firm, teams, levels and people, with their weeks, if nobody does anything more."""
    standing = here.standings.of(caller.firm, now=here.now())
    return MetricsAnswer(version=standing.version, at=standing.at, metrics=standing.metrics)


@router.get("/weekly", operation_id="listPastWeeks", summary="List weeks gone by", responses=answers())
def weekly(caller: ReadingPeople, here: Here, weeks: Annotated[int, Query(ge=1, le=105)] = 13) -> PastWeeks:
    """Say how each week went: time logged against capacity, work finished in time, exceptions opened. Capacity is as known today."""
    now = here.now()
    firm = here.standings.of(caller.firm, now=now).firm
    with here.database.reading(caller.firm) as session:
        return PastWeeks(weeks=past_weeks(session, firm, now, weeks))
