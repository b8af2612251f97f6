"""What is done for a firm by itself, and when, by the firm's own clocks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response
from sqlalchemy.orm import Session

from api.jobs.schedule import Due, Schedule, next_moment, schedule_of
from api.routes.access import Here, ReadingSolves, Scheduling, actor
from api.routes.conditions import Expected, etag
from api.routes.examples import SCHEDULES
from api.routes.problems import answers
from api.routes.solve_models import ScheduleAnswer, Schedules
from api.serving import Serving
from api.store.schedules import change_schedule, clock_of, kept_schedule
from api.store.turn import Turn

router = APIRouter(prefix="/schedules", tags=["solves"])

Id = Annotated[Due, Path(alias="due", description="what is done")]


@router.get("", operation_id="listSchedules", summary="List schedules", responses=answers())
def schedules(caller: ReadingSolves, here: Here) -> Schedules:
    """List what is done by itself: the solve of every night; the look at mid-week, which solves where somebody is overloaded."""
    with here.database.reading(caller.firm) as session:
        return Schedules(schedules=tuple(_answer(here, session, due) for due in Due))


@router.get("/{due}", operation_id="getSchedule", summary="Read a schedule", responses=answers())
def schedule(due: Id, caller: ReadingSolves, here: Here, response: Response) -> ScheduleAnswer:
    """Read when something is done."""
    with here.database.reading(caller.firm) as session:
        found = _answer(here, session, due)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put("/{due}", operation_id="putSchedule", summary="Set a schedule", responses=answers(400, 412, 428))
def put(
    due: Id,
    schedule: Annotated[Schedule, Body(openapi_examples=SCHEDULES)],
    caller: Scheduling,
    here: Here,
    response: Response,
    expected: Expected,
) -> ScheduleAnswer:
    """Say when something is done, or that it is not."""

    def act(turn: Turn) -> ScheduleAnswer:
        change_schedule(turn, due.value, schedule.model_dump_json(), expected=expected)
        turn.draft.write()
        return _answer(here, turn.session, due)

    kept = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(kept.version)
    return kept


def _answer(here: Serving, session: Session, due: Due) -> ScheduleAnswer:
    kept, clock = kept_schedule(session, due.value), clock_of(session)
    schedule = schedule_of(due, kept.document)
    next_at = next_moment(schedule, clock.zone, now=here.now())
    return ScheduleAnswer(id=due, schedule=schedule, last_day=kept.last_day, next_at=next_at, version=kept.version)
