"""Escalations: tasks that nobody could take, why, the ways out; tried again when somebody asks or capacity appears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from sqlalchemy.orm import Session

from api.routes.access import EndingExceptions, Here, Placing, ReadingDecisions, actor
from api.routes.conditions import Key, Once
from api.routes.examples import REASONS
from api.routes.holds import Number
from api.routes.models import Placed
from api.routes.problems import answers
from api.routes.waiting_again import ended_by_hand, listed, routed_again
from api.routes.waiting_models import (
    Because,
    Ended,
    EscalationAnswer,
    EscalationPage,
    Given,
    Retried,
    WholeEscalation,
)
from api.store.boards import labels_of
from api.store.log import read
from api.store.names import named, with_names
from api.store.turn import Turn
from api.store.waiting import KeptException, one_exception
from solver.firm import Name

router = APIRouter(prefix="/escalations", tags=["escalations"])

KIND = "escalation"


@router.get("", operation_id="listEscalations", summary="List escalations", responses=answers())
def escalations(
    caller: ReadingDecisions,
    here: Here,
    open: Annotated[bool | None, Query(description="whether the task still waits")] = None,
    task: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> EscalationPage:
    """List escalations, oldest first."""
    with here.database.reading(caller.firm) as session:
        found, more = listed(session, KIND, open=open, task=task, limit=limit, after=after)
        labels = labels_of(session)
        shown = tuple(EscalationAnswer(**_fields(session, one, labels)) for one in found)
    return EscalationPage(escalations=shown, next=more)


@router.post(
    "/retry", operation_id="retryEverything", summary="Try everything that waits again", responses=answers(400)
)
def retry_all(caller: Placing, here: Here, key: Key = None) -> Retried:
    """Try everything that waits again: what has a place by now gets it, the rest stays as it is."""
    once = Once(caller, key, {"route": "retry all"})

    def act(turn: Turn) -> Retried:
        kept = once.answered(turn)
        if kept is not None:
            return Retried.model_validate(kept)
        given = tuple(
            Given(task=one.task.id, person=one.task.assignee, decision_number=one.number)
            for one in turn.retry("somebody asked for it")
        )
        retried = Retried(placed=given)
        once.keep(turn, retried.model_dump(mode="json"))
        return retried

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


@router.get("/{number}", operation_id="getEscalation", summary="Read an escalation", responses=answers(404))
def escalation(number: Number, caller: ReadingDecisions, here: Here) -> WholeEscalation:
    """Read one escalation: everybody as they were seen, and the ways out, each one checked."""
    with here.database.reading(caller.firm) as session:
        kept, labels = one_exception(session, KIND, number), labels_of(session)
        answer = read(session, number).answer
        assert answer is not None
        return WholeEscalation(**_fields(session, kept, labels), decision=with_names(answer, labels))


@router.post(
    "/{number}/retry",
    operation_id="retryEscalation",
    summary="Try an escalation again",
    responses=answers(400, 404, 409),
)
def retry(number: Number, caller: Placing, here: Here, response: Response, key: Key = None) -> Placed:
    """Route an escalated task again, whatever comes of it; it is logged in any case."""
    return routed_again(caller, here, response, key, KIND, number)


@router.post(
    "/{number}/end", operation_id="endEscalation", summary="End an escalation", responses=answers(400, 404, 409)
)
def end(
    number: Number,
    because: Annotated[Because, Body(openapi_examples=REASONS)],
    caller: EndingExceptions,
    here: Here,
    key: Key = None,
) -> Ended:
    """End an escalation without placing its task; the task stays open, and nobody has it."""
    return ended_by_hand(caller, here, key, KIND, number, because.reason)


def _fields(session: Session, kept: KeptException, labels: Mapping[str, str]) -> dict[str, Any]:
    fields = {name: value for name, value in kept._asdict().items() if name != "kind"}
    return fields | {"reason": named(read(session, kept.number).reason, labels)}
