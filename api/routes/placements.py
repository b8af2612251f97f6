"""Placements that are only tried, and why things are as they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from api.routes.access import Here, TryingPlacements
from api.routes.decisions import log_entry
from api.routes.examples import TASKS
from api.routes.problems import answers
from api.routes.tasks import Id
from api.routes.work_models import Why, WhyNotAnswer
from api.serving import Serving
from api.standing import Standing
from api.store.boards import labels_of
from api.store.listing import LogWanted, decisions_before, one_task
from api.store.names import named_json
from api.store.tokens import Token
from solver.explanations import Explanation, WhyNot
from solver.firm import Firm, Name, Task
from solver.plan import Decision

router = APIRouter(prefix="/placements", tags=["placements"])

INSIST_UNITS = 0.5
"""Deterministic budget of finding out what it would cost to insist: at 30 people about a second, at 100 about five."""


@router.post("/dry-run", operation_id="tryPlacing", summary="Try a placement", responses=answers(400))
def dry_run(task: Annotated[Task, Body(openapi_examples=TASKS)], caller: TryingPlacements, here: Here) -> Decision:
    """Say who would get a task if it came now, and why; nothing is stored."""
    with here.turns.view(caller.firm, now=here.now()) as view:
        return view.dry_run(task)


@router.get("/{id:path}/why", operation_id="explainPlacement", summary="Explain a placement", responses=answers(404))
def why(id: Id, caller: TryingPlacements, here: Here) -> Why:
    """Say why a task is where it is: what was decided last, what that costs as the firm stands, who else could do it."""
    standing, firm = _with_task(here, caller, id)
    with here.database.reading(caller.firm) as session:
        decided = decisions_before(session, LogWanted(task=id), None, 1)
        labels = labels_of(session)
    from solver.explain import (
        why as explain,  # the libraries of the batch load for seconds, and placing needs none of them
    )

    found = explain(firm, standing.plan, id)
    said = Explanation.model_validate_json(named_json(found.model_dump_json(), labels))
    last = log_entry(decided[0], labels) if decided else None
    return Why(task=id, last_decision=last, explanation=said, sentence=said.sentence())


@router.get(
    "/{id:path}/why-not", operation_id="explainNotPlaced", summary="Explain why not a person", responses=answers(404)
)
def why_not(
    id: Id, caller: TryingPlacements, here: Here, person: Annotated[Name, Query(description="id of the person")]
) -> WhyNotAnswer:
    """Say what stops a person from having a task, or what it would cost to insist, found by planning again. Takes seconds."""
    standing, firm = _with_task(here, caller, id)
    from solver.explain import why_not as explain

    with here.one_search(caller.firm):
        found = explain(firm, standing.plan, id, person, work_units=INSIST_UNITS)
    with here.database.reading(caller.firm) as session:
        labels = labels_of(session)
    said = WhyNot.model_validate_json(named_json(found.model_dump_json(), labels))
    return WhyNotAnswer(answer=said, sentence=said.sentence())


def _with_task(here: Serving, caller: Token, id: str) -> tuple[Standing, Firm]:
    """Return how the firm stands, and the firm with this task in it, however long finished."""
    with here.database.reading(caller.firm) as session:
        task = one_task(session, id).task
    standing = here.standings.of(caller.firm, now=here.now())
    if any(one.id == id for one in standing.firm.tasks):
        return standing, standing.firm
    finished = task.model_copy(update={"reviews": None})  # what it reviewed explains nothing any more
    return standing, standing.firm.model_copy(update={"tasks": (*standing.firm.tasks, finished)})
