"""Solves: asked for, watched, cancelled, and what came of them. Workers do them (`api.jobs`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body, Path, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from api.routes.access import Here, ReadingSolves, Solving, actor
from api.routes.conditions import Key, Once, cursor, cursor_parts
from api.routes.events import STREAM, LastEvent, Steps, event_number, events
from api.routes.examples import SOLVES
from api.routes.problems import answers, problem
from api.routes.solve_models import SolveAnswer, SolvePage, SolveResultAnswer, SolveStarted
from api.store.records import load_plan
from api.store.solve_states import Solve, SolveAsk, SolveEvent, SolveState
from api.store.solves import cancel_solve, events_after, one_solve, solves_before
from api.store.turn import Turn

router = APIRouter(prefix="/solves", tags=["solves"])

# What is not there is 404, however long its id.
Id = Annotated[str, Path(description="id of the solve")]


@router.post(
    "", status_code=HTTPStatus.ACCEPTED, operation_id="startSolve", summary="Start a solve", responses=answers(400, 429)
)
def start(
    ask: Annotated[SolveAsk, Body(openapi_examples=SOLVES)],
    caller: Solving,
    here: Here,
    response: Response,
    key: Key = None,
) -> SolveStarted:
    """Ask for a solve of the whole open backlog. What comes of it is applied: new work is placed, moves become proposals."""
    once, id = Once(caller, key, {"route": "solve", "ask": ask.model_dump(mode="json")}), uuid4().hex

    def act(turn: Turn) -> SolveStarted:
        kept = once.answered(turn)
        if kept is not None:
            return SolveStarted.model_validate(kept)
        here.jobs.start(turn, id, ask)
        waits = one_solve(turn.session, id)
        started = SolveStarted(id=id, state=waits.state, position=waits.position)
        once.keep(turn, started.model_dump(mode="json"))
        return started

    started = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["Location"] = f"/api/v1/solves/{started.id}"
    return started


@router.get("", operation_id="listSolves", summary="List solves", responses=answers())
def solves(
    caller: ReadingSolves,
    here: Here,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> SolvePage:
    """List solves, newest first."""
    parts = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        found = solves_before(session, parts[0] if parts else None, limit + 1)
    shown = found[:limit]
    more = cursor(shown[-1][0]) if len(found) > limit else None
    return SolvePage(solves=tuple(_answer(one) for _, one in shown), next=more)


@router.get("/{solve}", operation_id="getSolve", summary="Read a solve", responses=answers(404))
def one(solve: Id, caller: ReadingSolves, here: Here) -> SolveAnswer:
    """Read where a solve stands."""
    with here.database.reading(caller.firm) as session:
        return _answer(one_solve(session, solve))


@router.get(
    "/{solve}/progress",
    response_class=StreamingResponse,
    operation_id="watchSolve",
    summary="Watch a solve",
    responses={**answers(404), **STREAM},
)
def progress(solve: Id, caller: ReadingSolves, here: Here, last: LastEvent = None) -> Response:
    """Watch a solve: one event per step, until it has ended. A stream ends after a while; ask again with the last id."""
    number = event_number(last)
    with here.database.reading(caller.firm) as session:
        one_solve(session, solve)
    return events(here, caller.firm, _steps(solve), number)


@router.post(
    "/{solve}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="cancelSolve",
    summary="Cancel a solve",
    responses=answers(404, 409),
)
def cancel(solve: Id, caller: Solving, here: Here) -> SolveAnswer:
    """Cancel a solve that has not been applied yet; nothing comes of it. One that is being searched for ends in a moment."""

    def act(turn: Turn) -> SolveAnswer:
        cancel_solve(turn, solve)
        return _answer(one_solve(turn.session, solve))

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


@router.get(
    "/{solve}/result", operation_id="getSolveResult", summary="Read what came of a solve", responses=answers(404, 409)
)
def result(solve: Id, caller: ReadingSolves, here: Here) -> SolveResultAnswer:
    """Read what came of a solve: its plan with the certificate, what was placed, which proposals were made."""
    with here.database.reading(caller.firm) as session:
        found = one_solve(session, solve)
        if found.state is not SolveState.DONE or found.plan is None or found.result is None:
            message, hint = "has no result", "Maybe watch its progress."
            raise problem(
                HTTPStatus.CONFLICT, "no_result", "state", found.state.value, message, nearest="done", hint=hint
            )
        return SolveResultAnswer(id=solve, result=found.result, plan=load_plan(session, found.plan))


def _answer(found: Solve) -> SolveAnswer:
    return SolveAnswer(**{name: value for name, value in found._asdict().items() if name in SolveAnswer.model_fields})


def _steps(solve: str) -> Steps:
    def steps(session: Session, number: int, limit: int) -> tuple[list[SolveEvent], bool]:
        return events_after(session, solve, number, limit), one_solve(session, solve).state.ended

    return steps
