"""What ends a task and what lets it begin again: completed, cancelled, opened once more, taken out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from api.routes.access import ChangingTasks, Here, actor
from api.routes.conditions import Expected, etag
from api.routes.examples import COMPLETIONS
from api.routes.models import TaskAnswer
from api.routes.problems import answers, problem
from api.routes.tasks import Id, require_task
from api.routes.work_models import Completion, Reopened
from api.store.listing import one_task
from api.store.parts import PartKind
from api.store.turn import Turn
from solver.calendar import local_now
from solver.firm import Status, Task

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.post(
    "/{id:path}/complete",
    operation_id="completeTask",
    summary="Complete a task",
    responses=answers(400, 404, 409, 412, 428),
)
def complete(
    id: Id,
    completion: Annotated[Completion, Body(openapi_examples=COMPLETIONS)],
    caller: ChangingTasks,
    here: Here,
    expected: Expected,
    response: Response,
) -> TaskAnswer:
    """Say that a task is done; its person's hours are free from then on."""

    def act(turn: Turn) -> TaskAnswer:
        _require_open(turn, id)
        day = completion.completed_on or local_now(turn.board.firm, here.now()).date()
        return _changed(turn, id, expected, status=Status.DONE, completed_on=day)

    return _answered(here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller)), response)


@router.post(
    "/{id:path}/cancel", operation_id="cancelTask", summary="Cancel a task", responses=answers(404, 409, 412, 428)
)
def cancel(id: Id, caller: ChangingTasks, here: Here, expected: Expected, response: Response) -> TaskAnswer:
    """Say that a task needs no more work, and was not finished."""

    def act(turn: Turn) -> TaskAnswer:
        _require_open(turn, id)
        return _changed(turn, id, expected, status=Status.CANCELLED)

    return _answered(here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller)), response)


@router.post(
    "/{id:path}/reopen", operation_id="reopenTask", summary="Reopen a task", responses=answers(404, 409, 412, 428)
)
def reopen(id: Id, caller: ChangingTasks, here: Here, expected: Expected, response: Response) -> Reopened:
    """Let work on a task begin again. Its person has it again; where it had nobody, it is placed at once."""

    def act(turn: Turn) -> Reopened:
        task = _task(turn, id)
        if task.open:
            message, hint = "is open already", "Maybe read it again."
            raise problem(HTTPStatus.CONFLICT, "open_already", "status", task.status.value, message, hint=hint)
        status = Status.IN_PROGRESS if task.logged_min else Status.PLANNED
        if task.assignee is None:
            number, version, after, decision = turn.place_again(id, expected=expected, status=status, completed_on=None)
            return Reopened(task=after, version=version, decision_number=number, decision=decision)
        found = _changed(turn, id, expected, status=status, completed_on=None)
        return Reopened(task=found.task, version=found.version, decision_number=None, decision=None)

    reopened = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(reopened.version)
    return reopened


@router.delete(
    "/{id:path}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="removeTask",
    summary="Remove a task",
    responses=answers(404, 409, 412, 428),
)
def remove(id: Id, caller: ChangingTasks, here: Here, expected: Expected) -> None:
    """Take out a task that should never have been there; one that somebody worked on, or that is reviewed, is cancelled instead."""

    def act(turn: Turn) -> None:
        require_task(turn, id)
        turn.remove(PartKind.TASK, id, expected=expected)
        turn.compiled()

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _task(turn: Turn, id: str) -> Task:
    require_task(turn, id)
    return one_task(turn.session, id).task


def _require_open(turn: Turn, id: str) -> None:
    task = _task(turn, id)
    if not task.open:
        message, hint = "needs no work any more", "Maybe open it again first."
        raise problem(HTTPStatus.CONFLICT, "not_open", "status", task.status.value, message, hint=hint)


def _changed(turn: Turn, id: str, expected: int | None, **fields: Any) -> TaskAnswer:
    after, version = turn.change_task(id, expected=expected, **fields)
    turn.compiled()
    return TaskAnswer(task=after, version=version)


def _answered(found: TaskAnswer, response: Response) -> TaskAnswer:
    response.headers["ETag"] = etag(found.version)
    return found
