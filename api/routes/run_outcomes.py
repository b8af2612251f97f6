"""What people do with what came of a run: download it as a report, or turn its moves into proposals."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from api.routes.access import Deciding, Here, ReadingScenarios, actor
from api.routes.conditions import Key, Once
from api.routes.examples import TURNINGS
from api.routes.problems import answers, problem
from api.routes.run_answers import DOWNLOAD, Form, ReportForm, reported
from api.routes.run_parts import finished
from api.routes.runs import RunId
from api.routes.scenario_models import Turned, Turning
from api.routes.scenarios import Id
from api.scenario_proposals import moves_of, named_moves, propose_moves
from api.store.turn import Turn

router = APIRouter(prefix="/scenarios/{scenario}/runs", tags=["scenarios"])


@router.get(
    "/{run}/report",
    operation_id="getRunReport",
    summary="Download a report",
    response_class=Response,
    responses={**answers(404, 409), **DOWNLOAD},
)
def report(id: Id, run: RunId, caller: ReadingScenarios, here: Here, form: Form = ReportForm.HTML) -> Response:
    """Download a comparison, a sweep or a season as one HTML page that loads nothing, the first two as an Excel workbook too."""
    return reported(here, caller, id, run, form)


@router.post(
    "/{run}/proposals",
    status_code=HTTPStatus.CREATED,
    operation_id="proposeRun",
    summary="Turn a scenario into proposals",
    responses=answers(400, 404, 409),
)
def propose(
    id: Id,
    run: RunId,
    turning: Annotated[Turning, Body(openapi_examples=TURNINGS)],
    caller: Deciding,
    here: Here,
    key: Key = None,
) -> Turned:
    """Propose the moves of a scenario that fit and gain on the firm as it is; each is approved or declined like any other.

    What the scenario moves because of something that is not real is refused, and the changes that it rests on are named.
    """
    now = here.now()
    once = Once(caller, key, {"route": "propose", "run": run, **turning.model_dump(mode="json")})
    with here.database.reading(caller.firm) as session:
        found, document = finished(session, id, run, kinds=("what_if",))
    with here.one_search(caller.firm), here.database.reading(caller.firm) as session:
        moves = moves_of(session, caller.firm, found, document, turning.tasks, now=now)

    def act(turn: Turn) -> dict[str, Any]:
        kept = once.answered(turn)
        if kept is not None:
            return kept
        _require_future(turning, now)
        made = propose_moves(turn, moves, expires_at=turning.expires_at)
        once.keep(turn, made)
        return made

    made = here.sharing.act(caller.firm, act, now=now, actor=actor(caller))
    with here.database.reading(caller.firm) as session:
        return Turned.model_validate(named_moves(session, made))


def _require_future(turning: Turning, now: datetime) -> None:
    if turning.expires_at is not None and turning.expires_at <= now:
        status, said = HTTPStatus.UNPROCESSABLE_ENTITY, turning.expires_at.isoformat()
        raise problem(status, "in_the_past", "expires_at", said, "is over", nearest=now.isoformat())
