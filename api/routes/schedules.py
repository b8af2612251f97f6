"""What is done for a firm by itself, and when, by the firm's own clocks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path
from sqlalchemy.orm import Session

from api.jobs.schedule import Due, Schedule, next_moment, schedule_of
from api.routes.access import Here, ReadingSolves, Scheduling, actor
from api.routes.examples import SCHEDULES
from api.routes.problems import answers
from api.routes.solve_models import ScheduleAnswer, Schedules
from api.serving import Serving
from api.store.schedules import clock_of, keep_schedule, kept_schedule
from api.store.turn import Turn

router = APIRouter(prefix="/schedules", tags=["solves"])


@router.get("", operation_id="listSchedules", summary="List schedules", responses=answers())
def schedules(caller: ReadingSolves, here: Here) -> Schedules:
    """List what is done by itself: the solve of every night; the look at mid-week, which solves where somebody is overloaded."""
    with here.database.reading(caller.firm) as session:
        return Schedules(schedules=tuple(_answer(here, session, due) for due in Due))


@router.put("/{due}", operation_id="putSchedule", summary="Set a schedule", responses=answers(400))
def put(
    due: Annotated[Due, Path(description="what is done")],
    schedule: Annotated[Schedule, Body(openapi_examples=SCHEDULES)],
    caller: Scheduling,
    here: Here,
) -> ScheduleAnswer:
    """Say when something is done, or that it is not."""

    def act(turn: Turn) -> ScheduleAnswer:
        keep_schedule(turn, due.value, document=schedule.model_dump_json())
        turn.draft.write()
        return _answer(here, turn.session, due)

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _answer(here: Serving, session: Session, due: Due) -> ScheduleAnswer:
    kept, clock = kept_schedule(session, due.value), clock_of(session)
    schedule = schedule_of(due, kept.document)
    next_at = next_moment(schedule, clock.zone, now=here.now())
    return ScheduleAnswer(id=due, schedule=schedule, last_day=kept.last_day, next_at=next_at)
