"""What is answered about runs, whether they are asked for below their scenario or among all of the firm."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Query, Response
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from api.jobs.asks import RunAsk
from api.routes.access import actor
from api.routes.conditions import Once, attempted, cursor, cursor_parts
from api.routes.events import Steps, event_number, events
from api.routes.problems import problem
from api.routes.run_parts import ask_of, changes_of, finished, run_of
from api.routes.scenario_models import Came, PointPage, PointRow, RunAnswer, RunPage, RunResult, RunRow
from api.routes.uploads import FORMS
from api.serving import Serving
from api.store.run_states import Run
from api.store.runs import cancel_run, one_run, points_of, run_events_after, runs_before
from api.store.scenarios import one_scenario
from api.store.scenarios_today import on_version
from api.store.solve_states import SolveEvent
from api.store.tokens import Token
from api.store.turn import Turn

Done = Annotated[bool, Query(description="only those with a result")]
Pieces = Annotated[int, Query(ge=1, le=200)]
_CAME: TypeAdapter[Any] = TypeAdapter(Came)
REPORTED = ("what_if", "sweep", "season", "replay")
"""Kinds of runs that have a report."""


class ReportForm(StrEnum):
    """What a report is downloaded as."""

    HTML = "html"
    XLSX = "xlsx"


Form = Annotated[ReportForm, Query(description="a page for people, or a workbook")]
MEDIA = {ReportForm.HTML: "text/html", ReportForm.XLSX: FORMS["xlsx"]}
DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()},
    }
}


def begun(
    here: Serving,
    caller: Token,
    key: str | None,
    content: Mapping[str, Any],
    ask: Callable[[], RunAsk],
    *,
    scenario: str | None = None,
) -> RunAnswer:
    """Let a run wait for workers, once for each key; answer how it stands.

    Parameters
    ----------
    content
        Of the request, by which it is known again.
    ask
        Returns what workers are asked, or refuses; not asked of a request that was answered before.
    """
    once, new, asked = Once(caller, key, dict(content)), uuid4().hex, attempted(ask)

    def act(turn: Turn) -> str:
        found = once.answered(turn)
        if found is not None:
            return str(found["id"])
        here.jobs.start_run(turn, new, asked(), scenario=scenario)
        once.keep(turn, {"id": new})
        return new

    made = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    with here.database.reading(caller.firm) as session:
        return answer_of(session, run_of(session, scenario, made))


def answer_of(session: Session, run: Run) -> RunAnswer:
    """Return how a run stands, and what became of its scenario on its firm."""
    rebased = None
    if run.scenario is not None:
        kept = one_scenario(session, run.scenario)
        if kept.changed_at <= run.asked_at and kept.base_version <= run.version:
            there = on_version(session, kept.scenario.changes, kept.base_version, run.version, now=run.planned_at)
            rebased = there.changes
    return RunAnswer.model_validate({**_row(run), "rebased": rebased})


def page_of(session: Session, before: str | None, limit: int, *, scenario: str | None, kind: str | None) -> RunPage:
    """Return runs, newest first; with a scenario those of it."""
    place = cursor_parts(before, int)
    found = runs_before(session, place[0] if place else None, limit + 1, scenario=scenario, kind=kind)
    shown = found[:limit]
    more = cursor(shown[-1][0]) if len(found) > limit else None
    return RunPage(runs=tuple(RunRow.model_validate(_row(one)) for _, one in shown), next=more)


def watched(here: Serving, caller: Token, scenario: str | None, run: str, last: str | None) -> Response:
    """Answer with the steps of a run, as they come."""
    number = event_number(last)
    with here.database.reading(caller.firm) as session:
        run_of(session, scenario, run)
    return events(here, caller.firm, _steps(run), number)


def pieces_of(
    session: Session, scenario: str | None, run: str, *, done: bool, limit: int, after: str | None
) -> PointPage:
    """Return the pieces of a run in their order, with the results that are there."""
    place = cursor_parts(after, int)
    run_of(session, scenario, run)
    found = points_of(session, run, after=place[0] if place else None, limit=limit + 1, done=done)
    shown = found[:limit]
    rows = (
        PointRow.model_validate({**point._asdict(), "started_at": point.begun_at, **_shown(point.document)})
        for point in shown
    )
    return PointPage(points=tuple(rows), next=cursor(shown[-1].number) if len(found) > limit else None)


def cancelled(here: Serving, caller: Token, scenario: str | None, run: str) -> RunAnswer:
    """Cancel a run; answer how it stands."""

    def act(turn: Turn) -> None:
        turn.draft.write()
        run_of(turn.session, scenario, run)
        cancel_run(turn, run)

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    with here.database.reading(caller.firm) as session:
        return answer_of(session, run_of(session, scenario, run))


def came_of(session: Session, scenario: str | None, run: str) -> RunResult:
    """Return what came of a run."""
    found, document = finished(session, scenario, run)
    return RunResult(id=run, result=_CAME.validate_python({**json.loads(document), "kind": found.kind}))


def reported(here: Serving, caller: Token, scenario: str | None, run: str, form: ReportForm) -> Response:
    """Answer with the report of a run, as a file."""
    from api.report.of_runs import report_of_run  # libraries that nobody needs to place a task

    with here.database.reading(caller.firm) as session:
        found, document = finished(session, scenario, run, kinds=REPORTED)
        if found.kind == "season" and form is ReportForm.XLSX:
            words, hint = "is not made of a season", "Maybe read its result: it has the figures."
            raise problem(HTTPStatus.CONFLICT, "other_form", "form", form.value, words, nearest="html", hint=hint)
        content = report_of_run(session, found, document, workbook=form is ReportForm.XLSX)
    name = "what-if" if found.kind in ("what_if", "sweep") else found.kind
    named = {"Content-Disposition": f'attachment; filename="{name}.{form.value}"'}
    return Response(content, HTTPStatus.OK, named, MEDIA[form])


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


def _row(run: Run) -> dict[str, object]:
    return {**run._asdict(), "ask": ask_of(run), "changes": changes_of(run)}
