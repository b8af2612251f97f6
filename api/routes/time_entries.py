"""Time entries: listed, read, corrected, taken back. They are logged on their task."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes.access import Here, LoggingTime, ReadingWork, actor
from api.routes.conditions import Expected, cursor, cursor_parts, etag
from api.routes.examples import CORRECTIONS
from api.routes.models import TaskAnswer
from api.routes.problems import answers, problem
from api.routes.work_models import KeptTimeEntry, TimeCorrected, TimeCorrection, TimePage
from api.store.correcting import KeptTime, correct_time, one_time, remove_time, times_after
from api.store.tokens import Token
from api.store.turn import Turn
from solver.firm import Name

router = APIRouter(prefix="/time-entries", tags=["time entries"])

Id = Annotated[str, Path(alias="entry", description="id of the time entry")]


@router.get("", operation_id="listTimeEntries", summary="List time entries", responses=answers())
def entries(
    caller: ReadingWork,
    here: Here,
    task: Name | None = None,
    person: Name | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> TimePage:
    """List time entries in the order they were written; staff see their own."""
    if caller.person is not None:
        person = _own(caller, person or caller.person)
    parts = cursor_parts(after, int, str)
    place = (parts[0], parts[1]) if parts else None
    with here.database.reading(caller.firm) as session:
        found = times_after(
            session, task=task, person=person, first_day=first_day, last_day=last_day, after=place, limit=limit + 1
        )
    shown = found[:limit]
    more = cursor(shown[-1].version, shown[-1].id) if len(found) > limit else None
    return TimePage(entries=tuple(_answer(one) for one in shown), next=more)


@router.get("/{entry:path}", operation_id="getTimeEntry", summary="Read a time entry", responses=answers(404))
def entry(id: Id, caller: ReadingWork, here: Here, response: Response) -> KeptTimeEntry:
    """Read one time entry; its ETag is what a correction of it asks for."""
    with here.database.reading(caller.firm) as session:
        found = one_time(session, id)
    _own(caller, found.person)
    response.headers["ETag"] = etag(found.version)
    return _answer(found)


@router.patch(
    "/{entry:path}",
    operation_id="correctTimeEntry",
    summary="Correct a time entry",
    responses=answers(400, 404, 412, 428),
)
def correct(
    id: Id,
    correction: Annotated[TimeCorrection, Body(openapi_examples=CORRECTIONS)],
    caller: LoggingTime,
    here: Here,
    expected: Expected,
    response: Response,
) -> TimeCorrected:
    """Correct day or minutes; what remains of the task follows, and the decision log keeps what was said before."""

    def act(turn: Turn) -> TimeCorrected:
        before = _mine(turn, caller, id)
        after, task = correct_time(
            turn,
            id,
            day=correction.day or before.day,
            minutes=correction.minutes or before.minutes,
            reason=correction.reason,
            expected=expected,
        )
        return TimeCorrected(entry=_answer(after), task=TaskAnswer(task=task, version=after.version))

    found = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(found.entry.version)
    return found


@router.delete(
    "/{entry:path}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeTimeEntry",
    summary="Take a time entry back",
    responses=answers(404, 412, 428),
)
def remove(
    id: Id,
    caller: LoggingTime,
    here: Here,
    expected: Expected,
    reason: Annotated[str, Query(max_length=2_000)] = "",
) -> None:
    """Take a time entry back: its minutes remain to be done again, and the decision log keeps what it said."""

    def act(turn: Turn) -> None:
        _mine(turn, caller, id)
        remove_time(turn, id, reason=reason, expected=expected)

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _mine(turn: Turn, caller: Token, id: str) -> KeptTime:
    turn.draft.write()
    found = one_time(turn.session, id)
    _own(caller, found.person)
    return found


def _own(caller: Token, person: str) -> str:
    if caller.person is not None and person != caller.person:
        message, near = "is somebody else; staff have their own time only", caller.person
        raise problem(HTTPStatus.FORBIDDEN, "forbidden_person", "person", person, message, nearest=near)
    return person


def _answer(entry: KeptTime) -> KeptTimeEntry:
    return KeptTimeEntry(**entry._asdict())
