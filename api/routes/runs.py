"""Scenarios worked out by the workers: beside today, over a range, under uncertainty. Started, watched, cancelled, read."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from api.routes import parts
from api.routes.access import Here, MakingScenarios, ReadingScenarios, actor
from api.routes.conditions import Key, Once, attempted, cursor, cursor_parts
from api.routes.events import STREAM, LastEvent, Steps, event_number, events
from api.routes.examples import RUNS
from api.routes.problems import answers
from api.routes.run_parts import ask_of, asked_by, changes_of, finished, run_of
from api.routes.scenario_models import (
    Came,
    NewRun,
    PointPage,
    PointRow,
    RunAnswer,
    RunKind,
    RunPage,
    RunResult,
    RunRow,
)
from api.routes.scenarios import Id
from api.store.run_states import Run
from api.store.runs import cancel_run, one_run, points_of, run_events_after, runs_before
from api.store.scenarios import one_scenario
from api.store.scenarios_today import on_today, on_version
from api.store.solve_states import SolveEvent
from api.store.turn import Turn

router = APIRouter(prefix="/scenarios/{scenario}/runs", tags=["scenarios"])

RunId = Annotated[str, Path(alias="run", description="id of the run")]
CAME: TypeAdapter[Any] = TypeAdapter(Came)


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
    """Let workers solve a scenario beside today's firm, over a range of its values, or carry its plan out on draws.

    It is worked out on today's firm, with those of its changes that still apply; `rebased` in the answer says what became of each.
    """
    once = Once(caller, key, {"route": "run", "scenario": id, "ask": ask.model_dump(mode="json")})
    with here.database.reading(caller.firm) as session:
        kept = one_scenario(session, id)
        today = on_today(session, caller.firm, kept.scenario.changes, kept.base_version, now=here.now())
    asked, new = attempted(lambda: asked_by(ask, kept, today)), uuid4().hex

    def act(turn: Turn) -> str:
        found = once.answered(turn)
        if found is not None:
            return str(found["id"])
        here.jobs.start_run(turn, new, asked(), scenario=id)
        once.keep(turn, {"id": new})
        return new

    made = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["Location"] = f"/api/v1/scenarios/{id}/runs/{made}"
    with here.database.reading(caller.firm) as session:
        return _answer(session, id, run_of(session, id, made))


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
    place = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        one_scenario(session, id)
        found = runs_before(session, place[0] if place else None, limit + 1, scenario=id, kind=kind)
        shown = found[:limit]
        more = cursor(shown[-1][0]) if len(found) > limit else None
        return RunPage(runs=tuple(RunRow.model_validate(_row(id, one)) for _, one in shown), next=more)


@router.get("/{run}", operation_id="getRun", summary="Read where a run stands", responses=answers(404))
def one(id: Id, run: RunId, caller: ReadingScenarios, here: Here) -> RunAnswer:
    """Read where a run stands, and on which changes it rests."""
    with here.database.reading(caller.firm) as session:
        return _answer(session, id, run_of(session, id, run))


@router.get(
    "/{run}/progress",
    response_class=StreamingResponse,
    operation_id="watchRun",
    summary="Watch a run",
    responses={**answers(404), **STREAM},
)
def progress(id: Id, run: RunId, caller: ReadingScenarios, here: Here, last: LastEvent = None) -> Response:
    """Watch a run: one event per step, until it has ended. A stream ends after a while; ask again with the last id."""
    number = event_number(last)
    with here.database.reading(caller.firm) as session:
        run_of(session, id, run)
    return events(here, caller.firm, _steps(run), number)


@router.get(
    "/{run}/points", operation_id="listPoints", summary="Read the results that are there", responses=answers(404)
)
def points(
    id: Id,
    run: RunId,
    caller: ReadingScenarios,
    here: Here,
    done: Annotated[bool, Query(description="only those with a result")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    after: parts.Cursor = None,
) -> PointPage:
    """Read the pieces of a run in their order, with the results that are there by now; also of one that was cancelled."""
    place = cursor_parts(after, int)
    with here.database.reading(caller.firm) as session:
        run_of(session, id, run)
        found = points_of(session, run, after=place[0] if place else None, limit=limit + 1, done=done)
    shown = found[:limit]
    rows = (
        PointRow.model_validate({**point._asdict(), "started_at": point.begun_at, **_shown(point.document)})
        for point in shown
    )
    more = cursor(shown[-1].number) if len(found) > limit else None
    return PointPage(points=tuple(rows), next=more)


@router.post(
    "/{run}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="cancelRun",
    summary="Cancel a run",
    responses=answers(404, 409),
)
def cancel(id: Id, run: RunId, caller: MakingScenarios, here: Here) -> RunAnswer:
    """Cancel a run. Workers stop within a second; points that are done stay, and are known to the next run."""

    def act(turn: Turn) -> None:
        turn.draft.write()
        run_of(turn.session, id, run)
        cancel_run(turn, run)

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    with here.database.reading(caller.firm) as session:
        return _answer(session, id, run_of(session, id, run))


@router.get(
    "/{run}/result", operation_id="getRunResult", summary="Read what came of a run", responses=answers(404, 409)
)
def result(id: Id, run: RunId, caller: ReadingScenarios, here: Here) -> RunResult:
    """Read what came of a run: the comparison with both plans, the points of a sweep, or the risks."""
    with here.database.reading(caller.firm) as session:
        found, document = finished(session, id, run)
    return RunResult(id=run, result=CAME.validate_python({**json.loads(document), "kind": found.kind}))


def _shown(document: str | None) -> dict[str, Any]:
    """Return the result of a piece, without what only putting the pieces together needs, and why there can be none."""
    if document is None:
        return {"result": None, "refusal": None}
    found = json.loads(document)
    shown = {name: value for name, value in found.items() if name != "packed"}
    return {"result": shown, "refusal": found.get("refusal")}


def _steps(run: str) -> Steps:
    def steps(session: Session, number: int, limit: int) -> tuple[list[SolveEvent], bool]:
        return run_events_after(session, run, number, limit), one_run(session, run).state.ended

    return steps


def _answer(session: Session, id: str, run: Run) -> RunAnswer:
    kept = one_scenario(session, id)
    rebased = None
    if kept.changed_at <= run.asked_at and kept.base_version <= run.version:
        rebased = on_version(session, kept.scenario.changes, kept.base_version, run.version, now=run.planned_at).changes
    return RunAnswer.model_validate({**_row(id, run), "rebased": rebased})


def _row(scenario: str, run: Run) -> dict[str, object]:
    return {**run._asdict(), "scenario": scenario, "ask": ask_of(run), "changes": changes_of(run)}
