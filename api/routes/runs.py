"""Scenarios worked out by the workers: beside today, over a range, under uncertainty, over a year. Started, watched, cancelled, read."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response
from fastapi.responses import StreamingResponse

from api.jobs.asks import RunAsk
from api.routes import parts
from api.routes.access import Here, MakingScenarios, ReadingScenarios
from api.routes.conditions import Key
from api.routes.events import STREAM, LastEvent
from api.routes.examples import RUNS
from api.routes.problems import answers
from api.routes.run_answers import Done, Pieces, answer_of, begun, came_of, cancelled, page_of, pieces_of, watched
from api.routes.run_parts import asked_by, run_of
from api.routes.scenario_models import NewRun, PointPage, RunAnswer, RunKind, RunPage, RunResult
from api.routes.scenarios import Id
from api.store.scenarios import one_scenario
from api.store.scenarios_today import on_today

router = APIRouter(prefix="/scenarios/{scenario}/runs", tags=["scenarios"])

RunId = Annotated[str, Path(alias="run", description="id of the run")]


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="startRun",
    summary="Work a scenario out",
    responses=answers(400, 404, 409, 429),
)
def start(
    id: Id,
    ask: Annotated[NewRun, Body(openapi_examples=RUNS)],
    caller: MakingScenarios,
    here: Here,
    response: Response,
    key: Key = None,
) -> RunAnswer:
    """Let workers solve a scenario beside today's firm, over a range of its values, carry its plan out on draws, or plan its year.

    It is worked out on today's firm, with those of its changes that still apply; `rebased` in the answer says what became of each.
    """
    with here.database.reading(caller.firm) as session:
        kept = one_scenario(session, id)
        today = on_today(session, caller.firm, kept.scenario.changes, kept.base_version, now=here.now())

    def asked() -> RunAsk:
        return asked_by(ask, kept, today)

    content = {"route": "run", "scenario": id, "ask": ask.model_dump(mode="json")}
    made = begun(here, caller, key, content, asked, scenario=id)
    response.headers["Location"] = f"/api/v1/scenarios/{id}/runs/{made.id}"
    return made


@router.get("", operation_id="listRuns", summary="List what was worked out", responses=answers(404))
def runs(
    id: Id,
    caller: ReadingScenarios,
    here: Here,
    kind: RunKind | None = None,
    limit: parts.Limit = 50,
    before: parts.Cursor = None,
) -> RunPage:
    """List what was worked out about a scenario, newest first."""
    with here.database.reading(caller.firm) as session:
        one_scenario(session, id)
        return page_of(session, before, limit, scenario=id, kind=kind)


@router.get("/{run}", operation_id="getRun", summary="Read where a run stands", responses=answers(404))
def one(id: Id, run: RunId, caller: ReadingScenarios, here: Here) -> RunAnswer:
    """Read where a run stands, and on which changes it rests."""
    with here.database.reading(caller.firm) as session:
        return answer_of(session, run_of(session, id, run))


@router.get(
    "/{run}/progress",
    response_class=StreamingResponse,
    operation_id="watchRun",
    summary="Watch a run",
    responses={**answers(404), **STREAM},
)
def progress(id: Id, run: RunId, caller: ReadingScenarios, here: Here, last: LastEvent = None) -> Response:
    """Watch a run: one event per step, until it has ended. A stream ends after a while; ask again with the last id."""
    return watched(here, caller, id, run, last)


@router.get(
    "/{run}/points", operation_id="listPoints", summary="Read the results that are there", responses=answers(404)
)
def points(
    id: Id,
    run: RunId,
    caller: ReadingScenarios,
    here: Here,
    done: Done = False,
    limit: Pieces = 100,
    after: parts.Cursor = None,
) -> PointPage:
    """Read the pieces of a run in their order, with the results that are there by now; also of one that was cancelled."""
    with here.database.reading(caller.firm) as session:
        return pieces_of(session, id, run, done=done, limit=limit, after=after)


@router.post(
    "/{run}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="cancelRun",
    summary="Cancel a run",
    responses=answers(404, 409),
)
def cancel(id: Id, run: RunId, caller: MakingScenarios, here: Here) -> RunAnswer:
    """Cancel a run. Workers stop within a second; points that are done stay, and are known to the next run."""
    return cancelled(here, caller, id, run)


@router.get(
    "/{run}/result", operation_id="getRunResult", summary="Read what came of a run", responses=answers(404, 409)
)
def result(id: Id, run: RunId, caller: ReadingScenarios, here: Here) -> RunResult:
    """Read what came of a run: the comparison with both plans, the points of a sweep, the risks, or the year."""
    with here.database.reading(caller.firm) as session:
        return came_of(session, id, run)
