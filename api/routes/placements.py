"""Placements that are only tried."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.routes.access import Here, TryingPlacements
from api.routes.examples import TASKS
from api.routes.problems import answers
from solver.firm import Task
from solver.plan import Decision

router = APIRouter(prefix="/placements", tags=["placements"])


@router.post("/dry-run", responses=answers(400))
def dry_run(task: Annotated[Task, Body(openapi_examples=TASKS)], caller: TryingPlacements, here: Here) -> Decision:
    """Say who would get a task if it came now, and why; nothing is stored."""
    with here.turns.view(caller.firm, now=here.now()) as view:
        return view.dry_run(task)
