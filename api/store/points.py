"""Points of runs as workers do them: stages opened, points added, claimed, finished; runs ended by that.

Everything here is written under the firm's lock, an instant long. Whoever claimed a point last has it, and writes nothing once somebody
else does (`api.store.runs` for what people ask and read).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from api.store.database import Database
from api.store.draft import Draft, require_storable, table_of
from api.store.refusals import not_found
from api.store.run_states import Finished, NewPoint, PointClaim, PointState, Run, RunState
from api.store.runs import digest, end_run, one_run, run_event, run_record
from api.store.solve_states import Hold
from api.store.solves import locked
from api.store.tables import PointRecord, PointResultRecord, RunRecord

_POINTS = table_of(PointRecord)
TOGETHER = 500
"""Points written by one statement."""


def begin_run(database: Database, firm: str, id: str, *, now: datetime) -> Run | None:
    """Say that a run is being worked on; ``None`` when it has ended."""
    with locked(database, firm, now, "jobs") as draft:
        record = run_record(draft.session, id)
        state = RunState(record.state)
        if state is RunState.QUEUED:
            draft.update(RunRecord, {"id": id}, state=RunState.RUNNING.value, started_at=draft.at)
            run_event(draft, id, {"state": RunState.RUNNING.value})
        return None if state.ended else one_run(draft.session, id)


def add_points(
    database: Database, firm: str, id: str, stage: int, points: Sequence[NewPoint], *, now: datetime
) -> bool:
    """Add points of a stage; those there already stay, those whose result is known are done. Return whether the run goes on."""
    with locked(database, firm, now, "jobs") as draft:
        record = run_record(draft.session, id)
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
            run_event(draft, id, {"state": record.state})
        return True


def waiting_points(session: Session, id: str, stage: int) -> list[int]:
    """Return the numbers of the points of a stage that are not done, in their order."""
    open_ones = (PointState.WAITING.value, PointState.RUNNING.value)
    asked = select(PointRecord.number).where(PointRecord.run == id, PointRecord.stage == stage)
    return list(session.scalars(asked.where(PointRecord.state.in_(open_ones)).order_by(PointRecord.number)))


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
        record = run_record(draft.session, id)
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
        run, point = run_record(draft.session, id), _point(draft.session, id, number)
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
    state = RunState(run_record(session, id).state)
    point = _point(session, id, number)
    if state.ended:
        return Hold.CANCEL
    return Hold.GO_ON if point.owner == owner and point.state == PointState.RUNNING.value else Hold.LOST


def finish_point(
    database: Database, firm: str, id: str, number: int, owner: str, document: str, *, now: datetime
) -> Finished:
    """Keep what came of a point and say that it is done, in one transaction, if it is still one's own and the run goes on."""
    with locked(database, firm, now, owner) as draft:
        run, point = run_record(draft.session, id), _point(draft.session, id, number)
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
        record = run_record(draft.session, id)
        if RunState(record.state).ended:
            return False
        last = select(PointRecord.key).where(PointRecord.run == id).order_by(PointRecord.number.desc()).limit(1)
        draft.update(RunRecord, {"id": id}, result_key=draft.session.scalars(last).one())
        end_run(draft, id, RunState.DONE)
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
        if RunState(run_record(draft.session, id).state).ended:
            return False
        if point is not None:
            if owner is not None and _point(draft.session, id, point).owner != owner:
                return False
            keys = {"run": id, "number": point}
            draft.update(PointRecord, keys, state=PointState.FAILED.value, ended_at=draft.at, error=error)
        end_run(draft, id, RunState.FAILED, error=error)
        return True


def _count(draft: Draft, run: RunRecord, point: PointRecord, *, known: bool) -> None:
    """Count a point that is done, and tell whoever watches."""
    if not point.counted:
        return
    counts = {"points_done": run.points_done + 1, "points_known": run.points_known + known}
    draft.update(RunRecord, {"id": run.id}, **counts)
    run_event(draft, run.id, {"state": run.state, "point": point.number})


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


def _point(session: Session, id: str, number: int) -> PointRecord:
    asked = select(PointRecord).where(PointRecord.run == id, PointRecord.number == number)
    record = session.scalars(asked.execution_options(populate_existing=True)).one_or_none()
    if record is None:
        raise not_found("point", str(number))
    return record
