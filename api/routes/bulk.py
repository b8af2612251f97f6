"""Many tasks in one request: taken in and placed in their order, in one transaction, each row with its own answer or refusal."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import ValidationError

from api.routes.access import Here, Placing, actor
from api.routes.conditions import Key, Once
from api.routes.examples import BULK
from api.routes.models import Placed
from api.routes.placed import placed_before
from api.routes.problems import Mistake, Problems, answers, mistake_of
from api.routes.work_models import NewTasks, PlacedRow, PlacedTasks
from api.store.turn import Turn
from solver.firm import Task
from solver.refusal import Refused, refusals

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.post("/bulk", operation_id="placeTasks", summary="Place many tasks", responses=answers(400))
def place_many(
    new: Annotated[NewTasks, Body(openapi_examples=BULK)], caller: Placing, here: Here, key: Key = None
) -> PlacedTasks:
    """Take tasks in and place them in their order; a row that is refused leaves the others as they are, or stops all, as you wish."""
    once = Once(caller, key, {"route": "bulk", "tasks": new.model_dump(mode="json")})
    read = [_read(one) for one in new.tasks]
    if new.all_or_nothing:
        _require_all([PlacedRow(row=i, placed=None, problems=_problems(one)) for i, one in enumerate(read)])

    def act(turn: Turn) -> list[PlacedRow]:
        kept = once.answered(turn)
        if kept is not None:
            return [_again(turn, i, one) for i, one in enumerate(kept["rows"])]
        rows = [_placed(turn, i, one) for i, one in enumerate(read)]
        if new.all_or_nothing:
            _require_all(rows)  # what was placed before is rolled back with the turn
        once.keep(turn, {"rows": [_kept(one) for one in rows]})
        return rows

    rows = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    taken = sum(row.placed is not None for row in rows)
    return PlacedTasks(rows=tuple(rows), taken=taken, refused=len(rows) - taken)


def _read(given: dict[str, Any]) -> Task | tuple[Mistake, ...]:
    try:
        return Task.model_validate_json(json.dumps(given))  # as JSON: a date is a text, and no number is one
    except ValidationError as error:
        return tuple(mistake_of(one) for one in refusals(error))


def _problems(read: Task | tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    return () if isinstance(read, Task) else read


def _placed(turn: Turn, row: int, read: Task | tuple[Mistake, ...]) -> PlacedRow:
    if not isinstance(read, Task):
        return PlacedRow(row=row, placed=None, problems=read)
    touched = turn.touched
    try:
        number, version, after, decision = turn.place(read)
    except Refused as error:
        if turn.touched != touched:
            raise
        return PlacedRow(row=row, placed=None, problems=(mistake_of(error.refusal),))
    placed = Placed(task=after, version=version, decision_number=number, decision=decision)
    return PlacedRow(row=row, placed=placed, problems=())


def _kept(row: PlacedRow) -> dict[str, Any]:
    if row.placed is None:
        return {"problems": [one.model_dump() for one in row.problems]}
    return {"number": row.placed.decision_number, "version": row.placed.version}


def _again(turn: Turn, row: int, kept: dict[str, Any]) -> PlacedRow:
    if "problems" in kept:
        return PlacedRow(row=row, placed=None, problems=tuple(Mistake.model_validate(one) for one in kept["problems"]))
    return PlacedRow(row=row, placed=placed_before(turn, **kept), problems=())


def _require_all(rows: list[PlacedRow]) -> None:
    wrong = [
        one.model_copy(update={"field": f"tasks.{row.row}.{one.field}", "row": row.row})
        for row in rows
        for one in row.problems
    ]
    if wrong:
        raise Problems(HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
