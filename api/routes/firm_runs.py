"""What workers work out about the firm itself: the year ahead, a past period under another policy; and all runs of the firm together."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Response
from fastapi.responses import StreamingResponse

from api.jobs.asks import RunAsk
from api.routes import parts
from api.routes.access import Here, MakingScenarios, ReadingScenarios
from api.routes.conditions import Key
from api.routes.events import STREAM, LastEvent
from api.routes.examples import FIRM_RUNS
from api.routes.problems import answers
from api.routes.run_answers import (
    DOWNLOAD,
    Done,
    Form,
    Pieces,
    ReportForm,
    answer_of,
    begun,
    came_of,
    cancelled,
    page_of,
    pieces_of,
    reported,
    watched,
)
from api.routes.run_parts import asked_of_firm, run_of
from api.routes.runs import RunId
from api.routes.scenario_models import AnyRunKind, NewFirmRun, PointPage, RunAnswer, RunPage, RunResult

router = APIRouter(prefix="/runs", tags=["runs"])


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="startFirmRun",
    summary="Plan the year, or replay the past",
    responses=answers(400, 409, 429),
)
def start(
    ask: Annotated[NewFirmRun, Body(openapi_examples=FIRM_RUNS)],
    caller: MakingScenarios,
    here: Here,
    response: Response,
    key: Key = None,
) -> RunAnswer:
    """Let workers plan the year ahead of the firm as it is, or play a past period again under another policy; nothing is changed."""

    def asked() -> RunAsk:
        with here.database.reading(caller.firm) as session:
            return asked_of_firm(ask, session, now=here.now())

    made = begun(here, caller, key, {"route": "firm run", "ask": ask.model_dump(mode="json")}, asked)
    response.headers["Location"] = f"/api/v1/runs/{made.id}"
    return made


@router.get("", operation_id="listFirmRuns", summary="List everything that was worked out", responses=answers())
def runs(
    caller: ReadingScenarios,
    here: Here,
    kind: AnyRunKind | None = None,
    limit: parts.Limit = 50,
    before: parts.Cursor = None,
) -> RunPage:
    """List what was worked out about the firm and about its scenarios, newest first."""
    with here.database.reading(caller.firm) as session:
        return page_of(session, before, limit, scenario=None, kind=kind)


@router.get("/{run}", operation_id="getFirmRun", summary="Read where any run stands", responses=answers(404))
def one(run: RunId, caller: ReadingScenarios, here: Here) -> RunAnswer:
    """Read where a run stands, whether it is of a scenario or of the firm."""
    with here.database.reading(caller.firm) as session:
        return answer_of(session, run_of(session, None, run))


@router.get(
    "/{run}/progress",
    response_class=StreamingResponse,
    operation_id="watchFirmRun",
    summary="Watch any run",
    responses={**answers(404), **STREAM},
)
def progress(run: RunId, caller: ReadingScenarios, here: Here, last: LastEvent = None) -> Response:
    """Watch a run: one event per step, until it has ended. A stream ends after a while; ask again with the last id."""
    return watched(here, caller, None, run, last)


@router.get(
    "/{run}/points",
    operation_id="listFirmRunPoints",
    summary="Read the results of any run that are there",
    responses=answers(404),
)
def points(
    run: RunId,
    caller: ReadingScenarios,
    here: Here,
    done: Done = False,
    limit: Pieces = 100,
    after: parts.Cursor = None,
) -> PointPage:
    """Read the pieces of a run in their order, with the results that are there by now; also of one that was cancelled."""
    with here.database.reading(caller.firm) as session:
        return pieces_of(session, None, run, done=done, limit=limit, after=after)


@router.post(
    "/{run}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="cancelFirmRun",
    summary="Cancel any run",
    responses=answers(404, 409),
)
def cancel(run: RunId, caller: MakingScenarios, here: Here) -> RunAnswer:
    """Cancel a run. Workers stop within a second; points that are done stay, and are known to the next run."""
    return cancelled(here, caller, None, run)


@router.get(
    "/{run}/result",
    operation_id="getFirmRunResult",
    summary="Read what came of any run",
    responses=answers(404, 409),
)
def result(run: RunId, caller: ReadingScenarios, here: Here) -> RunResult:
    """Read what came of a run: the year ahead; the past as it was and as it would have been; or what came of a scenario."""
    with here.database.reading(caller.firm) as session:
        return came_of(session, None, run)


@router.get(
    "/{run}/report",
    operation_id="getFirmRunReport",
    summary="Download the report of any run",
    response_class=Response,
    responses={**answers(404, 409), **DOWNLOAD},
)
def report(run: RunId, caller: ReadingScenarios, here: Here, form: Form = ReportForm.HTML) -> Response:
    """Download a run as one HTML page that loads nothing; a replay, a comparison or a sweep also as an Excel workbook."""
    return reported(here, caller, None, run, form)
