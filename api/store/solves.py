"""Solves that were asked for: a row each, which says where it stands, who does it, and what came of it.

    queued -> searching -> applying -> done          at any time before applying: cancelled; at any time: failed

A solve belongs to the worker that claimed it last (``owner``): whoever was taken for dead and wakes up again finds that it is not his
any more, and writes nothing. What is written while a solve runs is no version of the firm; it is written under the firm's lock
all the same, an instant long, so that all transactions of a firm take their locks in one order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from api.store.database import Database
from api.store.draft import Draft, read_head, require_storable
from api.store.job_tables import IncumbentRecord, SolveEventRecord, SolveRecord
from api.store.log import canonical
from api.store.refusals import Ended, not_found
from api.store.solve_states import Claimed, Hold, Solve, SolveAsk, SolveEvent, SolveKind, SolveResult, SolveState
from api.store.tables import RunRecord
from api.store.turn import Turn
from solver.plan import Plan
from solver.refusal import Refusal, Refused
from solver.stop import Progress

_SOLVES: Any = SolveRecord.__table__
_INCUMBENTS: Any = IncumbentRecord.__table__
_EVENTS: Any = SolveEventRecord.__table__
MOST_WAITING = 100
"""Solves of one firm that may wait; each takes a minute or more."""
QUEUED = SolveState.QUEUED.value
"""The state of a solve, and of a run (`RunState`), that waits."""
Job = TypeVar("Job", SolveRecord, RunRecord)


class QueueFull(Refused):
    """As many of the firm's solves wait as may."""


def start_solve(
    turn: Turn, id: str, ask: SolveAsk, *, kind: SolveKind = SolveKind.ON_DEMAND, most_waiting: int | None = None
) -> int:
    """Let a solve wait for a worker, and return its number; workers are told in the same transaction (`api.jobs.queue`).

    Raises
    ------
    QueueFull
        Too many of the firm's solves wait already.
    """
    require_room(
        "solves", len(queue_of(turn.session, SolveRecord)), MOST_WAITING if most_waiting is None else most_waiting
    )
    last = turn.session.scalars(select(func.max(SolveRecord.number))).one() or 0
    with turn.whole():
        turn.draft.add(
            SolveRecord,
            id=id,
            number=last + 1,
            kind=kind.value,
            state=SolveState.QUEUED.value,
            asked=ask.model_dump_json(),
            actor=turn.draft.actor,
            asked_at=turn.draft.at,
            attempts=0,
            spent_s=0.0,
            events=0,
        )
        turn.draft.write()
        _event(turn.draft, id, {"state": SolveState.QUEUED.value})
    return int(last + 1)


def require_room(what: str, waiting: int, most_waiting: int) -> None:
    """Refuse one more of what waits for workers, where as many wait as may.

    Raises
    ------
    QueueFull
        There is no room.
    """
    if waiting >= most_waiting:
        raise QueueFull(
            Refusal(
                code="queue_full",
                field=what,
                value=str(waiting),
                message=f"{what} of this firm wait already",
                nearest=str(most_waiting),
                hint="Maybe cancel one, or ask again when one has ended.",
            )
        )


def cancel_solve(turn: Turn, id: str) -> None:
    """Cancel a solve: one that waits at once, one that is searched for as soon as its worker hears of it.

    Raises
    ------
    Ended
        It has ended otherwise, or its plan is being applied.
    """
    turn.draft.write()
    record = _record(turn.session, id)
    state = SolveState(record.state)
    if state is SolveState.CANCELLED or (record.cancel_at is not None and state is SolveState.SEARCHING):
        return
    if state not in (SolveState.QUEUED, SolveState.SEARCHING):
        message = f"is {state.value} already"
        raise Ended(Refusal(code="solve_ended", field="solve", value=id, message=message))
    with turn.whole():
        turn.draft.update(SolveRecord, {"id": id}, cancel_at=turn.draft.at)
        if state is SolveState.QUEUED:
            end_solve(turn.draft, id, SolveState.CANCELLED)


def claim(database: Database, firm: str, id: str, owner: str, *, now: datetime) -> Claimed | None:
    """Make a solve one's own, whoever had it; ``None`` when nothing is left to do."""
    with locked(database, firm, now, owner) as draft:
        record = _record(draft.session, id)
        state = SolveState(record.state)
        if state.ended:
            return None
        if record.cancel_at is not None and state is not SolveState.APPLYING:
            end_solve(draft, id, SolveState.CANCELLED)
            return None
        version, planned_at = record.version or draft.head.version, record.planned_at or draft.at
        state = state if state is SolveState.APPLYING else SolveState.SEARCHING
        attempts = record.attempts + (record.owner != owner)
        draft.update(
            SolveRecord,
            {"id": id},
            state=state.value,
            owner=owner,
            attempts=attempts,
            version=version,
            planned_at=planned_at,
            started_at=record.started_at or draft.at,
        )
        if record.owner != owner:
            _event(draft, id, {"state": state.value, "attempt": attempts})
        ask = SolveAsk.model_validate_json(record.asked)
        return Claimed(state, ask, version, planned_at, record.spent_s, record.log_before or 0)


def note_progress(
    database: Database, firm: str, id: str, owner: str, progress: Progress | None, *, spent_s: float, now: datetime
) -> Hold:
    """Write down where a search stands, if it is still one's own; return whether to go on."""
    with locked(database, firm, now, owner) as draft:
        record = _record(draft.session, id)
        if record.owner != owner or SolveState(record.state).ended:
            return Hold.LOST
        figures: dict[str, Any] = {"spent_s": round(spent_s, 3)}
        if progress is not None:
            figures |= {
                "phase": progress.phase,
                "objective_min": progress.objective_min,
                "bound_min": progress.bound_min,
                "gap_pct": progress.gap_pct,
            }
        draft.update(SolveRecord, {"id": id}, **figures)
        if progress is not None and (progress.objective_min, progress.bound_min) != (
            record.objective_min,
            record.bound_min,
        ):
            _event(draft, id, {"state": record.state, **figures})
        return Hold.GO_ON if record.cancel_at is None else Hold.CANCEL


def keep_incumbent(
    database: Database, firm: str, id: str, owner: str, plan: str, *, now: datetime, final: bool = False
) -> bool:
    """Keep the best plan so far, as JSON; ``final``: the search is over. Return whether the solve is still one's own."""
    with locked(database, firm, now, owner) as draft:
        record = _record(draft.session, id)
        if record.owner != owner or record.state != SolveState.SEARCHING.value:
            return False
        there = select(IncumbentRecord.solve).where(IncumbentRecord.solve == id)
        if draft.session.scalars(there).one_or_none() is None:
            draft.add(IncumbentRecord, solve=id, at=draft.at, document=plan)
        else:
            draft.update(IncumbentRecord, {"solve": id}, at=draft.at, document=plan)
        if final:
            state = SolveState.APPLYING.value
            draft.update(SolveRecord, {"id": id}, state=state, log_before=draft.head.log_number)
            _event(draft, id, {"state": state})
        return True


def end_solve(
    draft: Draft,
    id: str,
    state: SolveState,
    *,
    plan: str | None = None,
    result: SolveResult | None = None,
    error: str | None = None,
) -> None:
    """End a solve, in whatever transaction its end belongs to, and tell the world."""
    document = {"state": state.value, "plan": plan, "error": error}
    draft.update(
        SolveRecord,
        {"id": id},
        state=state.value,
        ended_at=draft.at,
        plan=plan,
        result=None if result is None else result.model_dump_json(),
        error=error,
    )
    _event(draft, id, document)
    draft.tell(f"solve.{state.value}", canonical({"solve": id}))


def give_up(database: Database, firm: str, id: str, error: str, *, now: datetime, owner: str | None = None) -> bool:
    """End a solve that failed, with what is known about it; return whether it had not ended already.

    With ``owner`` only where it is still theirs.
    """
    with locked(database, firm, now, owner or "jobs") as draft:
        record = _record(draft.session, id)
        if SolveState(record.state).ended or (owner is not None and record.owner != owner):
            return False
        end_solve(draft, id, SolveState.FAILED, error=error)
        return True


def cancelled(database: Database, firm: str, id: str, owner: str, *, now: datetime) -> None:
    """End a solve whose search was stopped because somebody asked for it."""
    with locked(database, firm, now, owner) as draft:
        record = _record(draft.session, id)
        if record.owner == owner and not SolveState(record.state).ended:
            end_solve(draft, id, SolveState.CANCELLED)


def forget_incumbent(turn: Turn, id: str) -> None:
    """Drop the incumbent of a solve whose plan is kept."""
    with turn.whole():
        _drop(turn, _INCUMBENTS, _INCUMBENTS.c.solve == id)


def forget_steps(turn: Turn, before: datetime) -> None:
    """Drop steps and incumbents of solves that ended before a moment; the solves, their results and plans stay."""
    ended = select(_SOLVES.c.id).where(_SOLVES.c.firm_id == turn.firm, _SOLVES.c.ended_at < before)
    with turn.whole():
        for table in (_INCUMBENTS, _EVENTS):
            _drop(turn, table, table.c.solve.in_(ended))


def one_solve(session: Session, id: str) -> Solve:
    """Return one solve of the session's firm."""
    return _solve(_record(session, id), queue_of(session, SolveRecord))


def open_solves(session: Session) -> list[tuple[str, int]]:
    """Return id and number of every solve of the session's firm that has not ended, in their order."""
    words = [state.value for state in SolveState if not state.ended]
    asked = select(SolveRecord.id, SolveRecord.number).where(SolveRecord.state.in_(words)).order_by(SolveRecord.number)
    return [(id, number) for id, number in session.execute(asked)]


def free_id(session: Session, id: str) -> str:
    """Return ``id``, or with a number behind it where a solve has it already."""
    taken = set(session.scalars(select(SolveRecord.id).where(SolveRecord.id.startswith(id, autoescape=True))))  # few
    return next(one for one in (id, *(f"{id}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)


def solves_before(session: Session, before: int | None, limit: int) -> list[tuple[int, Solve]]:
    """Return up to ``limit`` solves with their numbers, newest first, those before number ``before``."""
    asked = select(SolveRecord).order_by(SolveRecord.number.desc()).limit(limit)
    if before is not None:
        asked = asked.where(SolveRecord.number < before)
    queue = queue_of(session, SolveRecord)
    return [(record.number, _solve(record, queue)) for record in session.scalars(asked)]


def events_after(session: Session, id: str, number: int, limit: int) -> list[SolveEvent]:
    """Return up to ``limit`` steps of a solve behind number ``number``, in their order."""
    asked = select(SolveEventRecord).where(SolveEventRecord.solve == id, SolveEventRecord.number > number)
    records = session.scalars(asked.order_by(SolveEventRecord.number).limit(limit))
    return [SolveEvent(record.number, record.at, record.document) for record in records]


def incumbent_of(session: Session, id: str) -> Plan | None:
    """Return the best plan a solve has written down, with marks for names; ``None`` before there is one."""
    document = session.scalars(select(IncumbentRecord.document).where(IncumbentRecord.solve == id)).one_or_none()
    return None if document is None else Plan.model_validate_json(document)


def owned(session: Session, id: str, owner: str) -> bool:
    """Whether a solve is still in the hands of ``owner`` and has not ended."""
    record = _record(session, id)
    return record.owner == owner and not SolveState(record.state).ended


@contextmanager
def locked(database: Database, firm: str, now: datetime, actor: str) -> Iterator[Draft]:
    """Write rows of jobs under the firm's lock, an instant long, without its turn."""
    with database.writing(firm) as session:
        draft = Draft(session, firm, read_head(session, firm, lock=True), at=now, actor=actor)
        yield draft
        draft.finish()


# What solves and runs have alike


def row_of(session: Session, table: type[Job], what: str, id: str) -> Job:
    """Return the row of a solve or a run, ``what`` says which, as it is now."""
    require_storable(what, {"id": id})
    asked = select(table).where(table.id == id).execution_options(populate_existing=True)
    record = session.scalars(asked).one_or_none()
    if record is None:
        raise not_found(what, id)
    return record


def queue_of(session: Session, table: type[SolveRecord] | type[RunRecord]) -> list[int]:
    """Return the numbers of the firm's solves, or runs, that wait, next one first."""
    return list(session.scalars(select(table.number).where(table.state == QUEUED).order_by(table.number)))


def place_in(queue: list[int], number: int) -> int:
    """Return the place of a number in a queue, 1 for the next; 0 where it does not wait."""
    return queue.index(number) + 1 if number in queue else 0


def _record(session: Session, id: str) -> SolveRecord:
    return row_of(session, SolveRecord, "solve", id)


def _drop(turn: Turn, table: Any, condition: ColumnElement[bool]) -> None:
    turn.draft.write()
    turn.session.connection().execute(delete(table).where(table.c.firm_id == turn.firm, condition))


def _event(draft: Draft, id: str, document: dict[str, Any]) -> None:
    draft.write()
    record = _record(draft.session, id)
    number = record.events + 1
    draft.update(SolveRecord, {"id": id}, events=number)
    draft.add(SolveEventRecord, solve=id, number=number, at=draft.at, document=canonical(document))


def _solve(record: SolveRecord, queue: list[int]) -> Solve:
    return Solve(
        id=record.id,
        kind=SolveKind(record.kind),
        state=SolveState(record.state),
        position=place_in(queue, record.number),
        ask=SolveAsk.model_validate_json(record.asked),
        actor=record.actor,
        asked_at=record.asked_at,
        cancel_at=record.cancel_at,
        attempts=record.attempts,
        version=record.version,
        planned_at=record.planned_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        spent_s=record.spent_s,
        phase=record.phase,
        objective_min=record.objective_min,
        bound_min=record.bound_min,
        gap_pct=record.gap_pct,
        plan=record.plan,
        result=None if record.result is None else SolveResult.model_validate_json(record.result),
        error=record.error,
    )
