"""What comes of a plan: new work is placed and moves become proposals, where both are still right.

The firm has gone on while its plan was searched for. Every task that waits is looked at on the board of now: it goes to whom the plan
gives it if that person passes every filter of the rule today (or, for work that can only be late, every one but the deadline), else
through the rule like an arrival. Work that changed since is left as it is. Moves are cut into proposals on the firm of now.
All of it may be begun again at any point: what is placed is not placed twice; plan, proposals and the solve's end are one
transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.jobs.ending import Lost
from api.store.boards import know_prepared
from api.store.database import Database
from api.store.job_tables import SolveRecord
from api.store.loading import firm_at
from api.store.log import By, EntryKind
from api.store.parts import PartKind
from api.store.proposals import propose
from api.store.records import keep_plan
from api.store.solve_states import SolveResult, SolveState
from api.store.solves import claim, end_solve, forget_incumbent, incumbent_of, one_solve, owned
from api.store.tables import DecisionRecord, ExceptionRecord, FirmRecord, TaskRecord
from api.store.turn import Turn
from api.store.turns import Turns
from solver.board import compile_board
from solver.firm import Task
from solver.plan import Decision, Outcome, Plan, Proposal
from solver.rebalance import proposals
from solver.waiting import NewWork, advice, may_have, new_work

TOGETHER = 20
"""Tasks placed in one turn: whoever places something meanwhile waits for no more."""


class Applying:
    """Applies the plans of one worker."""

    def __init__(self, database: Database, turns: Turns, owner: str, *, now: Callable[[], datetime]) -> None:
        self._database, self._turns, self._owner, self._now = database, turns, owner, now

    def apply(self, firm: str, id: str) -> str:
        """Apply the plan of a solve; return how it ended.

        Raises
        ------
        Lost
            Another worker has claimed the solve.
        """
        claimed = claim(self._database, firm, id, self._owner, now=self._now())
        with self._database.reading(firm) as session:
            solve, plan = one_solve(session, id), incumbent_of(session, id)
        if claimed is None:
            return solve.state.value
        if plan is None:
            raise RuntimeError(f"solve {id} of {firm} is to be applied and has no plan")
        waiting = new_work(plan)
        for i in range(0, len(waiting), TOGETHER):
            with self._turn(firm, id) as turn:
                self._require_mine(turn, id)
                for one in waiting[i : i + TOGETHER]:
                    _place(turn, one, claimed.version)
        version, found = self._proposals(firm, plan, claimed.version)
        with self._turn(firm, id) as turn:
            self._require_mine(turn, id)
            keep_plan(turn, id, plan, version=claimed.version)
            forget_incumbent(turn, id)
            made = _propose(turn, id, found, version)
            end_solve(turn.draft, id, SolveState.DONE, plan=id, result=_result(turn, id, plan, made))
        return SolveState.DONE.value

    def _turn(self, firm: str, id: str) -> AbstractContextManager[Turn]:
        return self._turns.turn(firm, now=self._now(), actor=actor_of(id))

    def _require_mine(self, turn: Turn, id: str) -> None:
        turn.draft.write()
        if not owned(turn.session, id, self._owner):
            raise Lost

    def _proposals(self, firm: str, plan: Plan, planned: int) -> tuple[int, tuple[Proposal, ...]]:
        """Return the version that was looked at, and the plan's moves of work that has not changed, as proposals on it."""
        with self._database.reading(firm) as session:
            version = session.scalars(select(FirmRecord.version)).one()
            made, changed = firm_at(session, version, marked=True), _changed(session, planned)
        board = compile_board(made, now=self._now())
        same = tuple(
            item
            for item in plan.tasks
            if item.task not in changed and item.task in board.task_index and item.person in board.staff.row
        )
        return version, proposals(board, plan.model_copy(update={"tasks": same}))


def actor_of(id: str) -> str:
    """Return whom the log names for what a solve does."""
    return f"solve:{id}"


def _place(turn: Turn, waiting: NewWork, planned: int) -> None:
    """Place one task that waits, by the plan where that is right today, else by the rule; leave what somebody has by now."""
    stored = turn.stored(PartKind.TASK, waiting.task)
    if stored is None:
        return
    task = Task.model_validate_json(stored.document)
    if task.assignee is not None or not task.open:
        return
    said = _said(turn, task)
    item = waiting.item if stored.version <= planned else None
    if item is not None and may_have(said, item):
        day = "" if item.promised_day is None else f", to be done by {item.promised_day.isoformat()}"
        late = ", late" if item.late else ""
        turn.assign(task.id, item.person, by=By.BATCH, reason=f"the plan of the whole backlog has it so{day}{late}")
        return
    open_ones = select(ExceptionRecord.number).where(
        ExceptionRecord.task == task.id, ExceptionRecord.closed_at.is_(None)
    )
    if said.outcome is Outcome.PLACED or turn.session.scalars(open_ones).first() is None:
        # Where it stays an exception that is open already, nothing is said twice.
        turn.place_again(task.id, by=By.BATCH)


def _said(turn: Turn, task: Task) -> Decision:
    """Return what the rule says of a task on the board of now, which stays as it is, cuts of its axis included."""
    board = turn.board if turn.board.axis.holds(task) else turn.board.copy()
    know_prepared(turn.session, board, task, turn.version)
    return advice(board, task)


def _changed(session: Session, planned: int) -> frozenset[str]:
    """Return the tasks that have changed since a version, in whatever way."""
    return frozenset(session.scalars(select(TaskRecord.id).where(TaskRecord.version > planned)))


def _propose(turn: Turn, plan: str, found: Sequence[Proposal], version: int) -> list[str]:
    """Keep the proposals whose tasks have not changed meanwhile; return the ids of those that wait."""
    turn.draft.write()
    ids = sorted({move.task for one in found for move in one.moves})
    asked = select(TaskRecord.id).where(TaskRecord.id.in_(ids), TaskRecord.version <= version)
    same = frozenset(turn.session.scalars(asked))
    return propose(turn, [one for one in found if all(move.task in same for move in one.moves)], plan=plan)


def _result(turn: Turn, id: str, plan: Plan, made: Sequence[str]) -> SolveResult:
    """Count what the solve did, as the log has it, whoever did it."""
    turn.draft.write()
    before = select(SolveRecord.log_before).where(SolveRecord.id == id)
    first = turn.session.scalars(before).one() or 0
    counted = (
        select(DecisionRecord.kind, DecisionRecord.outcome, func.count())
        .where(DecisionRecord.number > first, DecisionRecord.actor == actor_of(id))
        .group_by(DecisionRecord.kind, DecisionRecord.outcome)
    )
    counts = {(kind, outcome): int(count) for kind, outcome, count in turn.session.execute(counted)}
    by_plan = counts.get((EntryKind.ASSIGN.value, "assigned"), 0)
    by_rule = counts.get((EntryKind.PLACE.value, Outcome.PLACED.value), 0)
    ids = [one.task for one in new_work(plan)]
    still = select(func.count()).select_from(TaskRecord)
    open_ones = still.where(TaskRecord.id.in_(ids), TaskRecord.open, TaskRecord.assignee.is_(None))
    waiting = turn.session.scalars(open_ones).one()
    changed = len(ids) - by_plan - by_rule - waiting
    return SolveResult(
        placed=by_plan, placed_otherwise=by_rule, waiting=waiting, changed=changed, proposals=tuple(made)
    )
