"""Runs of what-ifs: rows that say what was asked, where it stands, which points are done, by whom, and what came of them.

    queued -> running -> done          at any time before it has ended: cancelled, failed

A run is worked out in stages, each of some points (`api.jobs.kinds`): today's plan, then the points that were asked for, then putting
together. A point belongs to the worker that claimed it last; its result is written once, in the transaction that says it is done, and
stands under the hash of all that it depends on: the same point of another run is known at once. What is written while a run goes on is
no version of the firm. Results hold no names; `points_of` and `result_of` give those of today.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.draft import Draft, require_storable, table_of
from api.store.log import canonical
from api.store.names import named, named_json
from api.store.refusals import Ended, not_found, taken
from api.store.run_states import PointAnswer, PointState, Run, RunState
from api.store.solve_states import SolveEvent
from api.store.solves import place_in, queue_of, require_room, row_of
from api.store.tables import PlanRecord, PointRecord, PointResultRecord, RunEventRecord, RunRecord, ScenarioRecord
from api.store.turn import Turn
from solver.refusal import Refusal

_RUNS, _POINTS, _RESULTS, _EVENTS = map(table_of, (RunRecord, PointRecord, PointResultRecord, RunEventRecord))
MOST_WAITING = 20
"""Runs of one firm that may wait."""


class NewRun(NamedTuple):
    """What is asked of a run.

    Attributes
    ----------
    asked
        JSON of the ask, without names.
    points
        How many points are asked for.
    engine
        What works them out: another one comes to other results.
    """

    kind: str
    asked: str
    points: int
    engine: str


def start_run(turn: Turn, id: str, new: NewRun, *, scenario: str | None = None, most_waiting: int | None = None) -> Run:
    """Let a run wait for workers; they are told in the same transaction (`api.jobs.queue.Jobs.start_run`, which is what routes call).

    Where the same was asked of the same firm within the hour, and is still known, the run is done at once.

    Raises
    ------
    Taken
        The firm has a run with this id.
    NotFound
        The firm has no such scenario.
    QueueFull
        Too many of the firm's runs wait already.
    """
    turn.draft.write()
    session = turn.session
    require_storable("run", {"id": id})
    if session.scalars(select(RunRecord.id).where(RunRecord.id == id)).one_or_none() is not None:
        raise taken("run", id)
    if scenario is not None and session.get(ScenarioRecord, (turn.firm, scenario)) is None:
        raise not_found("scenario", scenario, session.scalars(select(ScenarioRecord.id)).all())
    require_room("runs", len(queue_of(session, RunRecord)), MOST_WAITING if most_waiting is None else most_waiting)
    last = session.scalars(select(func.max(RunRecord.number))).one() or 0
    planned_at = turn.draft.at.replace(minute=0, second=0, microsecond=0)
    last_plan = session.scalars(select(PlanRecord.id).order_by(PlanRecord.at.desc(), PlanRecord.id).limit(1)).first()
    depends = {**new._asdict(), "version": turn.version, "planned_at": planned_at.isoformat(), "last_plan": last_plan}
    content_hash = digest(canonical(depends))
    with turn.whole():
        turn.draft.add(
            RunRecord,
            id=id,
            number=last + 1,
            kind=new.kind,
            state=RunState.QUEUED.value,
            scenario=scenario,
            asked=new.asked,
            content_hash=content_hash,
            actor=turn.draft.actor,
            asked_at=turn.draft.at,
            version=turn.version,
            planned_at=planned_at,
            last_plan=last_plan,
            stage=-1,
            points=new.points,
            points_done=0,
            points_known=0,
            events=0,
        )
        turn.draft.write()
        run_event(turn.draft, id, {"state": RunState.QUEUED.value})
        _take_over(turn.draft, id, content_hash)
    return one_run(session, id)


def cancel_run(turn: Turn, id: str) -> Run:
    """Cancel a run; whoever works on one of its points stops within a second. Points that are done stay readable, and known.

    Raises
    ------
    NotFound
        The firm has no such run.
    Ended
        It has ended otherwise.
    """
    turn.draft.write()
    state = RunState(run_record(turn.session, id).state)
    if state is not RunState.CANCELLED:
        if state.ended:
            raise Ended(Refusal(code="run_ended", field="run", value=id, message=f"is {state.value} already"))
        with turn.whole():
            turn.draft.update(RunRecord, {"id": id}, cancel_at=turn.draft.at)
            end_run(turn.draft, id, RunState.CANCELLED)
    return one_run(turn.session, id)


# What people read


def one_run(session: Session, id: str) -> Run:
    """Return one run of the session's firm.

    Raises
    ------
    NotFound
        The firm has no such run.
    """
    return _run(run_record(session, id), queue_of(session, RunRecord), labels_of(session))


def runs_before(
    session: Session, before: int | None, limit: int, *, scenario: str | None = None, kind: str | None = None
) -> list[tuple[int, Run]]:
    """Return up to ``limit`` runs with their numbers, newest first, those before number ``before``; of a scenario or kind only."""
    asked = select(RunRecord).order_by(RunRecord.number.desc()).limit(limit)
    if before is not None:
        asked = asked.where(RunRecord.number < before)
    if scenario is not None:
        asked = asked.where(RunRecord.scenario == scenario)
    if kind is not None:
        asked = asked.where(RunRecord.kind == kind)
    queue, labels = queue_of(session, RunRecord), labels_of(session)
    return [(record.number, _run(record, queue, labels)) for record in session.scalars(asked)]


def run_events_after(session: Session, id: str, number: int, limit: int) -> list[SolveEvent]:
    """Return up to ``limit`` steps of a run behind number ``number``, in their order: what is told to whoever watches it.

    Each document is a JSON object with ``state``, ``points_done`` and ``points``; with ``point`` where a point has ended, and ``error``
    where the run has failed. None comes behind the one whose state is done, cancelled or failed.
    """
    asked = select(RunEventRecord).where(RunEventRecord.run == id, RunEventRecord.number > number)
    records = session.scalars(asked.order_by(RunEventRecord.number).limit(limit))
    return [SolveEvent(record.number, record.at, record.document) for record in records]


def points_of(
    session: Session, id: str, *, after: int | None = None, limit: int = 100, done: bool = False
) -> list[PointAnswer]:
    """Return up to ``limit`` of the points that were asked for, behind number ``after``, in their order: partial results.

    Points appear once today's plan is there. With ``done`` only those that are.
    """
    run_record(session, id)
    asked = (
        select(PointRecord, PointResultRecord.document)
        .outerjoin(
            PointResultRecord,
            (PointResultRecord.firm_id == PointRecord.firm_id) & (PointResultRecord.key == PointRecord.key),
        )
        .where(PointRecord.run == id, PointRecord.counted)
        .order_by(PointRecord.number)
        .limit(limit)
    )
    if after is not None:
        asked = asked.where(PointRecord.number > after)
    if done:
        asked = asked.where(PointRecord.state == PointState.DONE.value)
    labels = labels_of(session)
    return [_answer(record, document, labels) for record, document in session.execute(asked)]


def result_of(session: Session, id: str) -> str | None:
    """Return what came of a run, JSON with the names of today (models: `api.jobs.kinds`); ``None`` unless it is done."""
    record = run_record(session, id)
    if record.result_key is None:
        return None
    asked = select(PointResultRecord.document).where(PointResultRecord.key == record.result_key)
    return named_json(session.scalars(asked).one(), labels_of(session))


def number_of(session: Session, id: str) -> int:
    """Return the number of a run among the firm's."""
    return run_record(session, id).number


def forget_runs(connection: Any, firm: str, before: datetime) -> int:
    """Drop runs that ended before a moment, with their points and steps, and results as old that no run is left of."""
    ended = select(_RUNS.c.id).where(_RUNS.c.firm_id == firm, _RUNS.c.ended_at < before)
    for table in (_EVENTS, _POINTS):
        connection.execute(delete(table).where(table.c.firm_id == firm, table.c.run.in_(ended)))
    count = connection.execute(delete(_RUNS).where(_RUNS.c.firm_id == firm, _RUNS.c.ended_at < before)).rowcount
    used = select(_POINTS.c.key).where(_POINTS.c.firm_id == firm, _POINTS.c.key == _RESULTS.c.key).exists()
    old = (_RESULTS.c.firm_id == firm, _RESULTS.c.at < before)
    connection.execute(delete(_RESULTS).where(*old, ~used))
    return int(count)


def digest(text: str) -> str:
    """Return the hash that names a content."""
    return hashlib.sha256(text.encode()).hexdigest()


def _take_over(draft: Draft, id: str, content_hash: str) -> None:
    """End a run at once where another one of the same content is done: its points are this one's too."""
    same = select(RunRecord).where(RunRecord.content_hash == content_hash, RunRecord.state == RunState.DONE.value)
    found = draft.session.scalars(same.order_by(RunRecord.number.desc()).limit(1)).first()
    if found is None:
        return
    columns = [column for column in _POINTS.c if column.name not in ("run", "known", "tries", "owner")]
    there = select(PointRecord).where(PointRecord.run == found.id).order_by(PointRecord.number)
    rows = [
        {column.name: getattr(record, column.name) for column in columns}
        | {"run": id, "known": True, "tries": 0, "owner": None}
        for record in draft.session.scalars(there)
    ]
    if rows:
        draft.session.connection().execute(insert(_POINTS), rows)
    counts = {"points_done": found.points, "points_known": found.points, "stage": found.stage}
    draft.update(RunRecord, {"id": id}, started_at=draft.at, result_key=found.result_key, **counts)
    end_run(draft, id, RunState.DONE)


def end_run(draft: Draft, id: str, state: RunState, *, error: str | None = None) -> None:
    """End a run, in whatever transaction its end belongs to, and tell the world."""
    draft.update(RunRecord, {"id": id}, state=state.value, ended_at=draft.at, error=error)
    run_event(draft, id, {"state": state.value} | ({} if error is None else {"error": error}))
    draft.tell(f"run.{state.value}", canonical({"run": id}))


def run_event(draft: Draft, id: str, document: dict[str, Any]) -> None:
    """Count one step of a run further, and say what it was."""
    draft.write()
    record = run_record(draft.session, id)
    number = record.events + 1
    draft.update(RunRecord, {"id": id}, events=number)
    said = {**document, "points_done": record.points_done, "points": record.points}
    draft.add(RunEventRecord, run=id, number=number, at=draft.at, document=canonical(said))


def run_record(session: Session, id: str) -> RunRecord:
    """Return the row of a run as it is now."""
    return row_of(session, RunRecord, "run", id)


def _run(record: RunRecord, queue: list[int], labels: dict[str, str]) -> Run:
    return Run(
        id=record.id,
        kind=record.kind,
        state=RunState(record.state),
        position=place_in(queue, record.number),
        scenario=record.scenario,
        asked=record.asked,
        content_hash=record.content_hash,
        actor=record.actor,
        asked_at=record.asked_at,
        cancel_at=record.cancel_at,
        version=record.version,
        planned_at=record.planned_at,
        last_plan=record.last_plan,
        started_at=record.started_at,
        ended_at=record.ended_at,
        points=record.points,
        points_done=record.points_done,
        points_known=record.points_known,
        events=record.events,
        error=None if record.error is None else named(record.error, labels),
    )


def _answer(record: PointRecord, document: str | None, labels: dict[str, str]) -> PointAnswer:
    shown = document if record.state == PointState.DONE.value else None
    return PointAnswer(
        number=record.number,
        does=record.does,
        asked=named_json(record.asked, labels),
        state=PointState(record.state),
        known=record.known,
        tries=record.tries,
        worker=record.owner,
        begun_at=record.begun_at,
        ended_at=record.ended_at,
        error=None if record.error is None else named(record.error, labels),
        document=None if shown is None else named_json(shown, labels),
    )
