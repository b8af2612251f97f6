"""The firm's calendar: time off, bookings, overtime; what was removed can be put back."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes import parts
from api.routes.access import ChangingCalendar, Here, ReadingPeople, actor
from api.routes.conditions import Expected, Key, etag
from api.routes.examples import CALENDAR_ENTRIES
from api.routes.firm_models import BookingEntry, Entry, EntryAnswer, EntryPage, OvertimeEntry, TimeOffEntry
from api.routes.problems import answers, problem
from api.store.correcting import require_references, restore_entry
from api.store.part_listing import CALENDAR, KeptPart, one_entry
from api.store.parts import PARTS, PartKind
from api.store.turn import Turn
from solver.firm import Name, Overtime
from solver.policy import Frozen

router = APIRouter(prefix="/calendar", tags=["calendar"])

Id = Annotated[str, Path(alias="entry", description="id of the calendar entry")]
CalendarKind = Literal["time_off", "booking", "overtime"]
_SENT: dict[PartKind, type[TimeOffEntry] | type[BookingEntry] | type[OvertimeEntry]] = {
    PartKind.TIME_OFF: TimeOffEntry,
    PartKind.BOOKING: BookingEntry,
    PartKind.OVERTIME: OvertimeEntry,
}


@router.get("", operation_id="listCalendarEntries", summary="List calendar entries", responses=answers())
def entries(
    caller: ReadingPeople,
    here: Here,
    kind: Annotated[
        list[CalendarKind] | None, Query(max_length=3, description="time_off, booking or overtime; none: all")
    ] = None,
    person: Annotated[Name | None, Query(description="whom it concerns by name; overtime of nobody: all")] = None,
    first_day: Annotated[date | None, Query(description="entries that reach this day")] = None,
    last_day: Annotated[date | None, Query(description="entries that begin by this day")] = None,
    limit: parts.Limit = 50,
    after: parts.Cursor = None,
) -> EntryPage:
    """List calendar entries in the order they came."""

    def wanted(entry: Any) -> bool:
        return (
            (person is None or _concerns(entry, person))
            and (first_day is None or entry.last_day >= first_day)
            and (last_day is None or entry.first_day <= last_day)
        )

    kinds = tuple(one for one in CALENDAR if not kind or one.value in kind)
    shown, more = parts.listed(here, caller, kinds, after, limit, wanted)
    return EntryPage(entries=tuple(_answer(one) for one in shown), next=more)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    operation_id="createCalendarEntry",
    summary="Create a calendar entry",
    responses=answers(400),
)
def create(
    given: Annotated[Entry, Body(openapi_examples=CALENDAR_ENTRIES)],
    caller: ChangingCalendar,
    here: Here,
    response: Response,
    key: Key = None,
) -> EntryAnswer:
    """Note time off, a booking or overtime; the next placement counts with it."""
    written = parts.create(here, caller, key, _model(given))
    response.headers["ETag"] = etag(written.version)
    return EntryAnswer(id=written.id, version=written.version, entry=given)


@router.post(
    "/{entry:path}/restore",
    operation_id="restoreCalendarEntry",
    summary="Restore a calendar entry",
    responses=answers(404, 409),
)
def restore(id: Id, caller: ChangingCalendar, here: Here, response: Response) -> EntryAnswer:
    """Put an entry back that was removed, as it was last, under its old id."""

    def act(turn: Turn) -> EntryAnswer:
        restore_entry(turn, id)
        turn.compiled()
        return _answer(one_entry(turn.session, id))

    restored = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(restored.version)
    return restored


@router.get("/{entry:path}", operation_id="getCalendarEntry", summary="Read a calendar entry", responses=answers(404))
def entry(id: Id, caller: ReadingPeople, here: Here, response: Response) -> EntryAnswer:
    """Read one calendar entry; the ETag is what a change asks for."""
    with here.database.reading(caller.firm) as session:
        found = _answer(one_entry(session, id))
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/{entry:path}",
    operation_id="replaceCalendarEntry",
    summary="Replace a calendar entry",
    responses=answers(400, 404, 412, 428),
)
def replace(
    id: Id,
    given: Annotated[Entry, Body(openapi_examples=CALENDAR_ENTRIES)],
    caller: ChangingCalendar,
    here: Here,
    expected: Expected,
    response: Response,
) -> EntryAnswer:
    """Say everything about an entry anew; what kind it is stays."""

    def act(turn: Turn) -> int:
        turn.draft.write()
        there = one_entry(turn.session, id)
        if there.kind.value != given.kind:
            message, status = "is another kind than it was", HTTPStatus.UNPROCESSABLE_ENTITY
            raise problem(status, "kind_differs", "kind", given.kind, message, nearest=there.kind.value)
        require_references(turn.board.firm, _model(given))
        version = turn.put(_model(given), id=id, expected=expected)
        turn.compiled()
        return version

    version = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(version)
    return EntryAnswer(id=id, version=version, entry=given)


@router.delete(
    "/{entry:path}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeCalendarEntry",
    summary="Remove a calendar entry",
    responses=answers(404, 412, 428),
)
def remove(id: Id, caller: ChangingCalendar, here: Here, expected: Expected) -> None:
    """Take an entry out; it can be restored."""

    def act(turn: Turn) -> None:
        turn.draft.write()
        turn.remove(one_entry(turn.session, id).kind, id, expected=expected)
        turn.compiled()

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _concerns(entry: Any, person: str) -> bool:
    if isinstance(entry, Overtime):
        return not entry.people or person in entry.people
    return bool(entry.person == person)


def _model(entry: TimeOffEntry | BookingEntry | OvertimeEntry) -> Frozen:
    return PARTS[PartKind(entry.kind)].model.model_validate(entry.model_dump(exclude={"kind"}))


def _answer(kept: KeptPart) -> EntryAnswer:
    sent = _SENT[kept.kind].model_validate({**kept.model.model_dump(), "kind": kept.kind.value})
    return EntryAnswer(id=kept.id, version=kept.version, entry=sent)
