"""Runs of what-ifs: rows that say what was asked, where it stands, which points are done, by whom, and what came of them.

    queued -> running -> done          at any time before it has ended: cancelled, failed

A run is worked out in stages, each of some points (`api.jobs.kinds`): today's plan, then the points that were asked for, then putting
together. A point belongs to the worker that claimed it last; its result is written once, in the transaction that says it is done, and
stands under the hash of all that it depends on: the same point of another run is known at once. What is written while a run goes on is
no version of the firm. Results hold no names; `points_of` and `result_of` give those of today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.database import Database
from api.store.draft import Draft, require_storable, table_of
from api.store.log import canonical
from api.store.names import named, named_json
from api.store.refusals import Ended, not_found, taken
from api.store.run_states import Finished, NewPoint, PointAnswer, PointClaim, PointState, Run, RunState
from api.store.solve_states import Hold, SolveEvent
from api.store.solves import locked, require_room
from api.store.tables import PlanRecord, PointRecord, PointResultRecord, RunEventRecord, RunRecord, ScenarioRecord
from api.store.turn import Turn
from solver.refusal import Refusal

_RUNS, _POINTS, _RESULTS, _EVENTS = map(table_of, (RunRecord, PointRecord, PointResultRecord, RunEventRecord))
MOST_WAITING = 20
"""Runs of one firm that may wait."""
TOGETHER = 500
"""Points written by one statement."""


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
    require_room("runs", len(_waiting(session)), MOST_WAITING if most_waiting is None else most_waiting)
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
        _event(turn.draft, id, {"state": RunState.QUEUED.value})
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
    state = RunState(_record(turn.session, id).state)
    if state is not RunState.CANCELLED:
        if state.ended:
            raise Ended(Refusal(code="run_ended", field="run", value=id, message=f"is {state.value} already"))
        with turn.whole():
            turn.draft.update(RunRecord, {"id": id}, cancel_at=turn.draft.at)
            _end(turn.draft, id, RunState.CANCELLED)
    return one_run(turn.session, id)


# What people read


def one_run(session: Session, id: str) -> Run:
    """Return one run of the session's firm.

    Raises
    ------
    NotFound
        The firm has no such run.
    """
    return _run(_record(session, id), _waiting(session), labels_of(session))


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
    waiting, labels = _waiting(session), labels_of(session)
    return [(record.number, _run(record, waiting, labels)) for record in session.scalars(asked)]


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
    _record(session, id)
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
    record = _record(session, id)
    if record.result_key is None:
        return None
    asked = select(PointResultRecord.document).where(PointResultRecord.key == record.result_key)
    return named_json(session.scalars(asked).one(), labels_of(session))


# What workers do


def begin_run(database: Database, firm: str, id: str, *, now: datetime) -> Run | None:
    """Say that a run is being worked on; ``None`` when it has ended."""
    with locked(database, firm, now, "jobs") as draft:
        record = _record(draft.session, id)
        state = RunState(record.state)
        if state is RunState.QUEUED:
            draft.update(RunRecord, {"id": id}, state=RunState.RUNNING.value, started_at=draft.at)
            _event(draft, id, {"state": RunState.RUNNING.value})
        return None if state.ended else one_run(draft.session, id)


def add_points(
    database: Database, firm: str, id: str, stage: int, points: Sequence[NewPoint], *, now: datetime
) -> bool:
    """Add points of a stage; those there already stay, those whose result is known are done. Return whether the run goes on."""
    with locked(database, firm, now, "jobs") as draft:
        record = _record(draft.session, id)
        if RunState(record.state).ended:
            return False
        there = _numbers(draft.session, id, points)
        new = [point for point in points if point.number not in there]
        known = _known(draft.session, {point.key for point in new})
        for i in range(0, len(new), TOGETHER):
            rows = [_row(draft, id, stage, point, known) for point in new[i : i + TOGETHER]]
            draft.session.connection().execute(insert(_POINTS), rows)
        found = sum(point.counted and point.key in known for point in new)
        done = {"points_done": record.points_done + found, "points_known": record.points_known + found}
        draft.update(RunRecord, {"id": id}, **done)
        if found:
            _event(draft, id, {"state": record.state})
        return True


def waiting_points(session: Session, id: str, stage: int) -> list[int]:
    """Return the numbers of the points of a stage that are not done, in their order."""
    open_ones = (PointState.WAITING.value, PointState.RUNNING.value)
    asked = select(PointRecord.number).where(PointRecord.run == id, PointRecord.stage == stage)
    return list(session.scalars(asked.where(PointRecord.state.in_(open_ones)).order_by(PointRecord.number)))


def number_of(session: Session, id: str) -> int:
    """Return the number of a run among the firm's."""
    return _record(session, id).number


def open_stage(
    database: Database, firm: str, id: str, opener: str, sizes: Sequence[int], *, behind: int, now: datetime
) -> int | None:
    """Open the next stage of a run whose stage is over; one opener does, and may do so again where it was interrupted.

    Parameters
    ----------
    opener
        Name of whoever opens it.
    sizes
        Points of each stage.
    behind
        The last stage that this opener has opened wholly, -1 for none.

    Returns
    -------
    The stage that the opener has to open, as many as there are stages where all are over, ``None`` where it has nothing to do.
    """
    with locked(database, firm, now, opener) as draft:
        record = _record(draft.session, id)
        if RunState(record.state).ended:
            return None
        if record.opener == opener and record.stage > behind:
            return record.stage
        if record.stage >= 0:
            there = select(func.count()).select_from(PointRecord)
            there = there.where(PointRecord.run == id, PointRecord.stage == record.stage)
            if draft.session.scalars(there).one() < sizes[record.stage] or waiting_points(
                draft.session, id, record.stage
            ):
                return None
        if record.stage + 1 < len(sizes):
            draft.update(RunRecord, {"id": id}, stage=record.stage + 1, opener=opener)
        return record.stage + 1


def documents_of(session: Session, id: str, before_stage: int) -> list[list[str]]:
    """Return the results of all stages before one, by stage, in the order of their points; marks for names."""
    asked = (
        select(PointRecord.stage, PointResultRecord.document)
        .join(
            PointResultRecord,
            (PointResultRecord.firm_id == PointRecord.firm_id) & (PointResultRecord.key == PointRecord.key),
        )
        .where(PointRecord.run == id, PointRecord.stage < before_stage)
        .order_by(PointRecord.number)
    )
    found: list[list[str]] = [[] for _ in range(before_stage)]
    for stage, document in session.execute(asked):
        found[stage].append(document)
    return found


def digests_of(session: Session, id: str, before_stage: int) -> list[str]:
    """Return the hashes of the results of all stages before one, in the order of their points."""
    asked = (
        select(PointResultRecord.digest)
        .join(
            PointRecord,
            (PointResultRecord.firm_id == PointRecord.firm_id) & (PointResultRecord.key == PointRecord.key),
        )
        .where(PointRecord.run == id, PointRecord.stage < before_stage)
        .order_by(PointRecord.number)
    )
    return list(session.scalars(asked))


def claim_point(database: Database, firm: str, id: str, number: int, owner: str, *, now: datetime) -> PointClaim | None:
    """Make a point one's own, whoever had it; ``None`` when nothing is left to do.

    A point whose result is known by now, from another run, is done by that.
    """
    with locked(database, firm, now, owner) as draft:
        run, point = _record(draft.session, id), _point(draft.session, id, number)
        if RunState(run.state).ended or point.state not in (PointState.WAITING.value, PointState.RUNNING.value):
            return None
        keys = {"run": id, "number": number}
        if _known(draft.session, {point.key}):
            draft.update(PointRecord, keys, state=PointState.DONE.value, known=True, ended_at=draft.at)
            _count(draft, run, point, known=True)
            return None
        tries, state = point.tries + 1, PointState.RUNNING.value
        draft.update(PointRecord, keys, state=state, owner=owner, tries=tries, begun_at=point.begun_at or draft.at)
        return PointClaim(point.stage, point.does, point.asked, point.key, tries)


def hold_of(session: Session, id: str, number: int, owner: str) -> Hold:
    """Return whether a worker is to go on with a point."""
    state = RunState(_record(session, id).state)
    point = _point(session, id, number)
    if state.ended:
        return Hold.CANCEL
    return Hold.GO_ON if point.owner == owner and point.state == PointState.RUNNING.value else Hold.LOST


def finish_point(
    database: Database, firm: str, id: str, number: int, owner: str, document: str, *, now: datetime
) -> Finished:
    """Keep what came of a point and say that it is done, in one transaction, if it is still one's own and the run goes on."""
    with locked(database, firm, now, owner) as draft:
        run, point = _record(draft.session, id), _point(draft.session, id, number)
        if RunState(run.state).ended or point.owner != owner or point.state != PointState.RUNNING.value:
            return Finished(kept=False, stage_over=False)
        if not _known(draft.session, {point.key}):
            draft.add(PointResultRecord, key=point.key, document=document, digest=digest(document), at=draft.at)
            draft.write()
        keys = {"run": id, "number": number}
        draft.update(PointRecord, keys, state=PointState.DONE.value, ended_at=draft.at)
        _count(draft, run, point, known=False)
        return Finished(kept=True, stage_over=not waiting_points(draft.session, id, point.stage))


def finish_run(database: Database, firm: str, id: str, *, now: datetime) -> bool:
    """End a run whose last point is done: the result of that one is the run's. Return whether it had not ended already."""
    with locked(database, firm, now, "jobs") as draft:
        record = _record(draft.session, id)
        if RunState(record.state).ended:
            return False
        last = select(PointRecord.key).where(PointRecord.run == id).order_by(PointRecord.number.desc()).limit(1)
        draft.update(RunRecord, {"id": id}, result_key=draft.session.scalars(last).one())
        _end(draft, id, RunState.DONE)
        return True


def fail_run(
    database: Database,
    firm: str,
    id: str,
    error: str,
    *,
    now: datetime,
    point: int | None = None,
    owner: str | None = None,
) -> bool:
    """End a run that failed, with what is known about it; return whether it had not ended already.

    Parameters
    ----------
    point, owner
        The point it failed over; only where that is still the owner's.
    """
    with locked(database, firm, now, owner or "jobs") as draft:
        if RunState(_record(draft.session, id).state).ended:
            return False
        if point is not None:
            if owner is not None and _point(draft.session, id, point).owner != owner:
                return False
            keys = {"run": id, "number": point}
            draft.update(PointRecord, keys, state=PointState.FAILED.value, ended_at=draft.at, error=error)
        _end(draft, id, RunState.FAILED, error=error)
        return True


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
    _end(draft, id, RunState.DONE)


def _end(draft: Draft, id: str, state: RunState, *, error: str | None = None) -> None:
    draft.update(RunRecord, {"id": id}, state=state.value, ended_at=draft.at, error=error)
    _event(draft, id, {"state": state.value} | ({} if error is None else {"error": error}))
    draft.tell(f"run.{state.value}", canonical({"run": id}))


def _count(draft: Draft, run: RunRecord, point: PointRecord, *, known: bool) -> None:
    """Count a point that is done, and tell whoever watches."""
    if not point.counted:
        return
    counts = {"points_done": run.points_done + 1, "points_known": run.points_known + known}
    draft.update(RunRecord, {"id": run.id}, **counts)
    _event(draft, run.id, {"state": run.state, "point": point.number})


def _event(draft: Draft, id: str, document: dict[str, Any]) -> None:
    draft.write()
    record = _record(draft.session, id)
    number = record.events + 1
    draft.update(RunRecord, {"id": id}, events=number)
    said = {**document, "points_done": record.points_done, "points": record.points}
    draft.add(RunEventRecord, run=id, number=number, at=draft.at, document=canonical(said))


def _row(draft: Draft, id: str, stage: int, point: NewPoint, known: frozenset[str]) -> dict[str, Any]:
    there = point.key in known
    require_storable("run_points", point._asdict())
    return {
        **point._asdict(),
        "firm_id": draft.firm,
        "run": id,
        "stage": stage,
        "state": PointState.DONE.value if there else PointState.WAITING.value,
        "known": there,
        "tries": 0,
        "ended_at": draft.at if there else None,
    }


def _numbers(session: Session, id: str, points: Sequence[NewPoint]) -> frozenset[int]:
    if not points:
        return frozenset()
    first, last = min(one.number for one in points), max(one.number for one in points)
    asked = select(PointRecord.number).where(PointRecord.run == id, PointRecord.number.between(first, last))
    return frozenset(session.scalars(asked))


def _known(session: Session, keys: set[str]) -> frozenset[str]:
    ordered, found = sorted(keys), set[str]()
    for i in range(0, len(ordered), TOGETHER):
        some = ordered[i : i + TOGETHER]
        found |= set(session.scalars(select(PointResultRecord.key).where(PointResultRecord.key.in_(some))))
    return frozenset(found)


def _waiting(session: Session) -> list[int]:
    """Return the numbers of the firm's runs that wait, next one first."""
    asked = select(RunRecord.number).where(RunRecord.state == RunState.QUEUED.value)
    return list(session.scalars(asked.order_by(RunRecord.number)))


def _record(session: Session, id: str) -> RunRecord:
    require_storable("run", {"id": id})
    asked = select(RunRecord).where(RunRecord.id == id).execution_options(populate_existing=True)
    record = session.scalars(asked).one_or_none()
    if record is None:
        raise not_found("run", id)
    return record


def _point(session: Session, id: str, number: int) -> PointRecord:
    asked = select(PointRecord).where(PointRecord.run == id, PointRecord.number == number)
    record = session.scalars(asked.execution_options(populate_existing=True)).one_or_none()
    if record is None:
        raise not_found("point", str(number))
    return record


def _run(record: RunRecord, waiting: list[int], labels: dict[str, str]) -> Run:
    return Run(
        id=record.id,
        kind=record.kind,
        state=RunState(record.state),
        position=waiting.index(record.number) + 1 if record.number in waiting else 0,
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
