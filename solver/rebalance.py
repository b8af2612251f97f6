"""Rebalancing: today against a plan, cut into proposals that a manager can approve one by one.

A proposal is one move, or the smallest bundle of moves found that works alone: applied to today's promises every rule holds, with or
without the new work that the batch places by itself. Proposals that gain nothing alone are not made: a move must earn its
disruption.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.board import Board
from solver.construct import in_order, others_on_piece
from solver.plan import LoadChange, Move, Plan, Proposal
from solver.problem import ESCALATED, Assignment, Problem, compile_problem

LONGEST_BUNDLE = 12
"""Moves after which a bundle is given up: nobody approves more at once, and the next night finds a shorter way."""


@dataclass(frozen=True)
class _Target:
    """What the plan wants of one task: the person."""

    task: int
    person: int


def proposals(board: Board, plan: Plan) -> tuple[Proposal, ...]:
    """Return the plan's moves as proposals, most gained per move first.

    Parameters
    ----------
    board
        Today's board (`solver.board.compile_board`) of the firm and moment the plan was made for.

    Returns
    -------
    tuple of Proposal
        Each feasible alone, and with all new work placed that needs no move; ties are ordered by id.
    """
    problem = compile_problem(board)
    room = _Room(problem)
    targets = [
        _Target(t, board.staff.row[item.person]) for item in plan.tasks if (t := board.task_index[item.task]) >= 0
    ]
    new = [target for target in targets if problem.today.who[target.task] == ESCALATED and _was_new(board, target.task)]
    moves = [t for t in targets if not _was_new(board, t.task) and problem.today.who[t.task] != t.person]
    base = problem.today.copy()
    blocked = [target for target in new if not room.apply(base, [target])]
    bundles = _bundles(room, base, moves, blocked)
    found = [_proposal(room, base, bundle) for bundle in bundles]
    return tuple(
        sorted((p for p in found if p is not None), key=lambda proposal: (-proposal.gain_per_move_min, proposal.id))
    )


def _was_new(board: Board, t: int) -> bool:
    return board.tasks[t].assignee is None


class _Room:
    """Applies moves to an assignment where every rule holds, and keeps the slack of what was applied."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def apply(self, plan: Assignment, targets: Sequence[_Target]) -> bool:
        """Move all ``targets`` in ``plan`` in their cheapest windows that fit; leave it as it was when that cannot be."""
        problem = self.problem
        trial = plan.copy()
        for target in targets:
            trial.who[target.task], trial.window[target.task] = ESCALATED, -1
        slack = self._slack(trial, sorted({target.person for target in targets}))
        for target in self._preparations_first(targets):
            window = self._window(trial, slack[target.person], target)
            if window is None:
                return False
            t, p = target.task, target.person
            trial.who[t], trial.window[t] = p, window - int(problem.first_window[t])
            row, column = int(problem.release_row[window]), int(problem.due_column[window])
            slack[p][: row + 1, column:] -= problem.work_min[t, p]
        plan.who[:], plan.window[:] = trial.who, trial.window
        return True

    def _slack(self, plan: Assignment, people: Iterable[int]) -> dict[int, NDArray[np.int32]]:
        problem = self.problem
        slack = {p: problem.room_min[p].copy() for p in people}
        for t in np.flatnonzero(np.isin(plan.who, list(slack))).tolist():
            p, w = int(plan.who[t]), int(problem.first_window[t] + plan.window[t])
            slack[p][: problem.release_row[w] + 1, problem.due_column[w] :] -= problem.work_min[t, p]
        return slack

    def _preparations_first(self, targets: Sequence[_Target]) -> list[_Target]:
        moving = {target.task for target in targets}

        def depth(t: int) -> int:
            before = int(self.problem.preparation[t])
            return 1 + depth(before) if before in moving else 0

        return sorted(targets, key=lambda target: (depth(target.task), target.task))

    def _window(self, plan: Assignment, slack: NDArray[np.int32], target: _Target) -> int | None:
        problem, t, p = self.problem, target.task, target.person
        if not problem.allowed[t, p] or p in others_on_piece(problem, plan, t):
            return None
        for w in problem.windows_of(t):
            around = slack[: problem.release_row[w] + 1, problem.due_column[w] :]
            if in_order(problem, plan, t, w) and (around.size == 0 or around.min() >= problem.work_min[t, p]):
                return w
        return None


def _bundles(
    room: _Room, base: Assignment, moves: Sequence[_Target], blocked: Sequence[_Target]
) -> list[list[_Target]]:
    """Return the moves that work alone, and for each other move or blocked new task the smallest closure found."""
    works = {target.task: _works(room, base, [target]) for target in moves}
    needy = [target for target in moves if not works[target.task]] + list(blocked)
    bundles: list[list[_Target]] = []
    used: set[int] = set()
    for target in needy:
        if target.task in used:
            continue
        closed = _closure(room, base, target, [m for m in moves if m.task not in used])
        if closed is not None:
            bundles.append(closed)
            used.update(member.task for member in closed)
    bundles.extend([target] for target in moves if works[target.task] and target.task not in used)
    return bundles


def _works(room: _Room, base: Assignment, targets: Sequence[_Target]) -> bool:
    """Whether the targets can be applied to today alone, and to today with the new work placed."""
    return all(room.apply(start.copy(), targets) for start in (base, room.problem.today))


def _closure(room: _Room, base: Assignment, target: _Target, moves: Sequence[_Target]) -> list[_Target] | None:
    """Add moves out of the people who lack room until everything fits, then drop what is not needed."""
    bundle = [target]
    while not _works(room, base, bundle):
        inside = {member.task for member in bundle}
        receiving = {member.person for member in bundle}
        helpful = [m for m in moves if m.task not in inside and int(base.who[m.task]) in receiving]
        if not helpful or len(bundle) >= LONGEST_BUNDLE:
            return None
        single = next((m for m in helpful if _works(room, base, [*bundle, m])), None)
        bundle.append(single or max(helpful, key=lambda m: (int(room.problem.work_min[m.task, m.person]), -m.task)))
    for member in list(bundle[1:]):
        fewer = [other for other in bundle if other is not member]
        if _works(room, base, fewer):
            bundle = fewer
    return bundle


def _proposal(room: _Room, base: Assignment, bundle: Sequence[_Target]) -> Proposal | None:
    problem, after = room.problem, base.copy()
    room.apply(after, bundle)
    gain = problem.objective_min(base) - problem.objective_min(after)
    if gain <= 0:
        return None
    moves = tuple(_move(problem, target) for target in sorted(bundle, key=lambda target: target.task))
    return Proposal(
        id="+".join(f"{move.task}>{move.to_person}" for move in moves),
        moves=moves,
        gain_min=gain,
        gain_per_move_min=round(gain / len(moves), 1),
        loads=_loads(problem, base, after, bundle),
        reason=_reason(problem, base, after, bundle),
    )


def _move(problem: Problem, target: _Target) -> Move:
    board = problem.board
    task = board.tasks[target.task]
    return Move(task=task.id, from_person=task.assignee, to_person=board.firm.people[target.person].id)


def _loads(problem: Problem, base: Assignment, after: Assignment, bundle: Sequence[_Target]) -> tuple[LoadChange, ...]:
    board = problem.board
    last = max((board.axis.due_slot(task.deadline, task.deadline_time) for task in board.tasks), default=-1)
    touched = {target.person for target in bundle} | {int(base.who[target.task]) for target in bundle}
    before_min, after_min = problem.loads_min(base)[:, 0], problem.loads_min(after)[:, 0]
    return tuple(
        LoadChange(
            person=board.firm.people[p].id,
            before_min=int(before_min[p]),
            after_min=int(after_min[p]),
            capacity_min=board.capacity_min(p, 0, last),
        )
        for p in sorted(touched)
        if p >= 0
    )


def _reason(problem: Problem, base: Assignment, after: Assignment, bundle: Sequence[_Target]) -> str:
    """Say what the proposal mends, most serious first."""
    reasons = [text for target in bundle for text in _mends(problem, base, after, target)]
    kinder = {name: _difference(problem, base, after, name) for name in ("balance", "continuity", "level", "mismatch")}
    words = {
        "balance": "evens out the load",
        "continuity": "brings the client to its usual person",
        "level": "keeps senior time free",
        "mismatch": "suits the person better",
    }
    reasons += [words[name] for name, gain in sorted(kinder.items(), key=lambda item: -item[1]) if gain > 0][:2]
    return "; ".join(dict.fromkeys(reasons)) or "costs less in all"


def _difference(problem: Problem, base: Assignment, after: Assignment, name: str) -> int:
    if name == "balance":
        cost = problem.balance.cost_min
        return int(cost(problem.loads_min(base)).sum() - cost(problem.loads_min(after)).sum())
    return problem.terms_min(base)[name] - problem.terms_min(after)[name]


def _mends(problem: Problem, base: Assignment, after: Assignment, target: _Target) -> list[str]:
    board, t = problem.board, target.task
    task = board.tasks[t]
    if task.id in board.flagged:
        person = board.firm.people[board.staff.row[str(task.assignee)]].label
        return [f"{task.id}: {person} {board.flagged[task.id].meaning}"]
    if base.who[t] == ESCALATED:
        return [f"makes room for {task.id}, which nobody could take"]
    late = int(problem.late_min[problem.first_window[t] + base.window[t]])
    now = int(problem.late_min[problem.first_window[t] + after.window[t]])
    if late > now:
        return [f"{task.id} is done in time again" if now == 0 else f"{task.id} is done earlier, though late"]
    return []
