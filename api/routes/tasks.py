"""Tasks: taken in and placed in one call, read, listed, changed; time logged on them."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes.access import ChangingTasks, Here, LoggingTime, Placing, ReadingWork, actor
from api.routes.conditions import Expected, Key, Once, cursor, cursor_parts, etag
from api.routes.examples import TASK_CHANGES, TASKS, TIMES
from api.routes.models import Placed, TaskAnswer, TaskChange, TaskPage, TimeEntry, TimeLogged
from api.routes.placed import placed_before
from api.routes.problems import answers, problem
from api.store.listing import Wanted, one_task, tasks_after
from api.store.parts import PartKind
from api.store.refusals import not_found
from api.store.turn import Turn
from solver.firm import Name, Status, Task
from solver.refusal import Refusal, Refused, nearest_name

router = APIRouter(prefix="/tasks", tags=["tasks"])

# Ids may have a slash in them, hence `path`; and what is not there is 404, however long.
Id = Annotated[str, Path(description="id of the task")]


@router.post(
    "", status_code=HTTPStatus.CREATED, operation_id="placeTask", summary="Place a task", responses=answers(400, 409)
)
async def place(
    task: Annotated[Task, Body(openapi_examples=TASKS)],
    caller: Placing,
    here: Here,
    response: Response,
    key: Key = None,
) -> Placed:
    """Take a task in, decide who gets it, and store both: placed, held or escalated, with everybody's reason."""
    once = Once(caller, key, {"route": "place", "task": task.model_dump(mode="json")})

    def act(turn: Turn) -> Placed:
        kept = once.answered(turn)
        if kept is not None:
            return placed_before(turn, **kept)
        number, version, after, decision = turn.place(task)
        # Not the answer itself: it has names in it, and all of it stands in the log.
        once.keep(turn, {"number": number, "version": version})
        return Placed(task=after, version=version, decision_number=number, decision=decision)

    placed = await here.sharing.acting(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(placed.version)
    return placed


@router.get("", operation_id="listTasks", summary="List tasks", responses=answers())
def tasks(
    caller: ReadingWork,
    here: Here,
    open: Annotated[bool | None, Query(description="whether work remains")] = None,
    unassigned: Annotated[bool | None, Query(description="whether nobody has it")] = None,
    status: Status | None = None,
    assignee: Name | None = None,
    client: Name | None = None,
    type: Name | None = None,
    due_from: Annotated[date | None, Query(description="first deadline")] = None,
    due_until: Annotated[date | None, Query(description="last deadline")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> TaskPage:
    """List tasks in the order they came. Tasks that come while you turn pages are on the last one."""
    wanted = Wanted(open, status, assignee, client, type, due_from, due_until, unassigned)
    parts = cursor_parts(after, int, str)
    with here.database.reading(caller.firm) as session:
        found = tasks_after(session, wanted, (parts[0], parts[1]) if parts else None, limit + 1)
    shown = found[:limit]
    more = cursor(shown[-1].place, shown[-1].task.id) if len(found) > limit else None
    return TaskPage(tasks=tuple(TaskAnswer(task=one.task, version=one.version) for one in shown), next=more)


@router.post(
    "/{id:path}/time",
    status_code=HTTPStatus.CREATED,
    operation_id="logTime",
    summary="Log time",
    responses=answers(400, 404, 409),
)
def log_time(
    id: Id,
    entry: Annotated[TimeEntry, Body(openapi_examples=TIMES)],
    caller: LoggingTime,
    here: Here,
    response: Response,
    key: Key = None,
) -> TimeLogged:
    """Log time on a task: what remains of it shrinks. Staff log their own time only."""
    if caller.person is not None and entry.person != caller.person:
        message, near = "is somebody else; staff log their own time", caller.person
        raise problem(HTTPStatus.FORBIDDEN, "forbidden_person", "person", entry.person, message, nearest=near)
    once = Once(caller, key, {"route": "time", "task": id, "entry": entry.model_dump(mode="json")})
    name = entry.id or uuid4().hex

    def act(turn: Turn) -> TimeLogged:
        kept = once.answered(turn)
        if kept is not None:
            return TimeLogged.model_validate(kept)
        require_task(turn, id)
        after = turn.log_time(name, task=id, person=entry.person, day=entry.day, minutes=entry.minutes)
        logged = TimeLogged(id=name, task=after, version=turn.version)
        once.keep(turn, logged.model_dump(mode="json"))
        return logged

    logged = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(logged.version)
    return logged


@router.get("/{id:path}", operation_id="getTask", summary="Read a task", responses=answers(404))
def task(id: Id, caller: ReadingWork, here: Here, response: Response) -> TaskAnswer:
    """Read one task; its ETag is what a change of it asks for."""
    with here.database.reading(caller.firm) as session:
        kept = one_task(session, id)
    response.headers["ETag"] = etag(kept.version)
    return TaskAnswer(task=kept.task, version=kept.version)


@router.patch("/{id:path}", operation_id="changeTask", summary="Change a task", responses=answers(400, 404, 412, 428))
def change(
    id: Id,
    change: Annotated[TaskChange, Body(openapi_examples=TASK_CHANGES)],
    caller: ChangingTasks,
    here: Here,
    expected: Expected,
    response: Response,
) -> TaskAnswer:
    """Change facts about a task, if nobody else has changed it since it was read (If-Match)."""
    fields = change.model_dump(exclude_unset=True)
    if not fields:
        hint = "Maybe send one of: " + ", ".join(TaskChange.model_fields) + "."
        raise problem(HTTPStatus.UNPROCESSABLE_ENTITY, "nothing_to_change", "body", "{}", "changes nothing", hint=hint)

    def act(turn: Turn) -> TaskAnswer:
        require_task(turn, id)
        _require_links(turn, fields)
        after, version = turn.change_task(id, expected=expected, **fields)
        # Where the firm as a whole refuses the change, it does so here, and nobody who shares the turn pays for it.
        turn.compiled()
        return TaskAnswer(task=after, version=version)

    changed = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(changed.version)
    return changed


def require_task(turn: Turn, id: str) -> None:
    """Ask for the task first: an address that leads nowhere is 404, whatever else is wrong."""
    if turn.stored(PartKind.TASK, id) is None:
        raise not_found("task", id, list(turn.board.known))


def _require_links(turn: Turn, fields: dict[str, Any]) -> None:
    board = turn.board
    for name, known in (("type", board.types), ("client", board.clients)):
        if name in fields and fields[name] not in known:
            raise _unknown(name, fields[name], nearest_name(fields[name], list(known)))
    prepared = fields.get("reviews")
    if prepared is not None and turn.stored(PartKind.TASK, prepared) is None:
        raise _unknown("reviews", prepared, nearest_name(prepared, list(board.known)))


def _unknown(field: str, value: str, nearest: str | None) -> Refused:
    return Refused(Refusal(code="unknown_reference", field=field, value=value, message="is not known", nearest=nearest))
