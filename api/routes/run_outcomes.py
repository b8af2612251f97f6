"""What people do with what came of a run: download it as a report, or turn its moves into proposals."""

from __future__ import annotations

import io
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from api.routes.access import Deciding, Here, ReadingScenarios, actor
from api.routes.conditions import Key, Once
from api.routes.examples import TURNINGS
from api.routes.problems import answers, problem
from api.routes.run_parts import finished
from api.routes.runs import RunId
from api.routes.scenario_models import Turned, Turning
from api.routes.scenarios import Id
from api.routes.uploads import FORMS
from api.scenario_proposals import moves_of, named_moves, propose_moves
from api.store.turn import Turn

router = APIRouter(prefix="/scenarios/{scenario}/runs", tags=["scenarios"])


class ReportForm(StrEnum):
    """What a report is downloaded as."""

    HTML = "html"
    XLSX = "xlsx"


MEDIA = {ReportForm.HTML: "text/html", ReportForm.XLSX: FORMS["xlsx"]}
_DOWNLOAD = {
    "description": "The report",
    "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()},
}


@router.get(
    "/{run}/report",
    operation_id="getRunReport",
    summary="Download a report",
    response_class=Response,
    responses={**answers(404, 409), 200: _DOWNLOAD},
)
def report(
    id: Id,
    run: RunId,
    caller: ReadingScenarios,
    here: Here,
    form: Annotated[ReportForm, Query(description="a page for people, or a workbook")] = ReportForm.HTML,
) -> Response:
    """Download a comparison or a sweep as one HTML page that loads nothing, or as an Excel workbook."""
    from api.report.comparison_page import comparison_html  # libraries that nobody needs to place a task
    from api.report.comparison_sheets import write_comparison_workbook
    from api.report.of_runs import comparison_of_run

    with here.database.reading(caller.firm) as session:
        found, document = finished(session, id, run, kinds=("what_if", "sweep"))
        data = comparison_of_run(session, found, document)
    if form is ReportForm.HTML:
        content = comparison_html(data).encode()
    else:
        book = io.BytesIO()
        write_comparison_workbook(data, book)
        content = book.getvalue()
    named = {"Content-Disposition": f'attachment; filename="what-if.{form.value}"'}
    return Response(content, HTTPStatus.OK, named, MEDIA[form])


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
