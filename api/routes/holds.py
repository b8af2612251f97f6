"""Holds: tasks that wait for their estimate, and are routed at once when it comes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes.access import ChangingTasks, EndingExceptions, Here, ReadingWork
from api.routes.conditions import Key
from api.routes.examples import ESTIMATES, REASONS
from api.routes.models import Placed
from api.routes.problems import answers
from api.routes.waiting_again import ended_by_hand, listed, routed_again
from api.routes.waiting_models import Because, Ended, Estimate, HoldAnswer, HoldPage
from api.store.waiting import one_exception
from solver.firm import Name

router = APIRouter(prefix="/holds", tags=["holds"])

KIND = "hold"
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="of the decision that opened it")]


@router.get("", operation_id="listHolds", summary="List holds", responses=answers())
def holds(
    caller: ReadingWork,
    here: Here,
    open: Annotated[bool | None, Query(description="whether the task still waits")] = None,
    task: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> HoldPage:
    """List holds, oldest first."""
    with here.database.reading(caller.firm) as session:
        shown, more = listed(session, KIND, open=open, task=task, limit=limit, after=after)
    return HoldPage(holds=tuple(HoldAnswer.model_validate(one._asdict()) for one in shown), next=more)


@router.get("/{number}", operation_id="getHold", summary="Read a hold", responses=answers(404))
def hold(number: Number, caller: ReadingWork, here: Here) -> HoldAnswer:
    """Read one hold."""
    with here.database.reading(caller.firm) as session:
        return HoldAnswer.model_validate(one_exception(session, KIND, number)._asdict())


@router.post(
    "/{number}/estimate",
    operation_id="estimateHeldTask",
    summary="Estimate a held task",
    responses=answers(400, 404, 409),
)
def estimate(
    number: Number,
    estimate: Annotated[Estimate, Body(openapi_examples=ESTIMATES)],
    caller: ChangingTasks,
    here: Here,
    response: Response,
    key: Key = None,
) -> Placed:
    """Give a held task its estimate, and decide at once who gets it."""
    return routed_again(caller, here, response, key, KIND, number, estimate_min=estimate.estimate_min)


@router.post("/{number}/end", operation_id="endHold", summary="End a hold", responses=answers(400, 404, 409))
def end(
    number: Number,
    because: Annotated[Because, Body(openapi_examples=REASONS)],
    caller: EndingExceptions,
    here: Here,
    key: Key = None,
) -> Ended:
    """End a hold without an estimate; the task stays open, and nobody has it."""
    return ended_by_hand(caller, here, key, KIND, number, because.reason)
