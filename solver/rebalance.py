"""Rebalancing: today against a plan, cut into proposals that a manager can approve one by one.

A proposal is one move, or the smallest bundle of moves found that works alone: applied to today's promises every rule holds, with or
without the new work that the batch places by itself. Proposals that gain nothing alone are not made: a move must earn its
disruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solver.board import Board
from solver.moves import Lack, Start, Target
from solver.plan import LoadChange, Move, Plan, Proposal
from solver.problem import ESCALATED, Assignment, Problem, compile_problem, personal_prices

LONGEST_BUNDLE = 12
"""Moves after which a bundle is given up: nobody approves more at once, and the next night finds a shorter way."""


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
    targets = [
        Target(t, board.staff.row[item.person]) for item in plan.tasks if (t := board.task_index[item.task]) >= 0
    ]
    new = [target for target in targets if problem.today.who[target.task] == ESCALATED and _was_new(board, target.task)]
    moves = [t for t in targets if not _was_new(board, t.task) and problem.today.who[t.task] != t.person]
    starts = _Starts(Start(problem, problem.today), Start(problem, problem.today))
    blocked: list[Target] = []
    for target in new:
        placed = starts.placed.tried([target])
        if isinstance(placed, Lack):
            blocked.append(target)
        else:
            starts.placed.take(placed)
    last = last_due(board)
    found = [_proposal(starts.placed, bundle, last) for bundle in _bundles(starts, moves, blocked)]
    return tuple(
        sorted((p for p in found if p is not None), key=lambda proposal: (-proposal.gain_per_move_min, proposal.id))
    )


def last_due(board: Board) -> int:
    """Return the slot of the last deadline of open work; loads are compared with the hours until then."""
    return max((board.axis.due_slot(task.deadline, task.deadline_time) for task in board.tasks), default=-1)


def _was_new(board: Board, t: int) -> bool:
    return board.tasks[t].assignee is None


@dataclass(frozen=True)
class _Starts:
    """The two plans a proposal must work on: today with all new work placed that needs no move, and today alone."""

    placed: Start
    today: Start

    def lack(self, targets: Sequence[Target]) -> Lack | None:
        """Return what keeps the targets from being applied to either plan, ``None`` when both take them."""
        for start in (self.placed, self.today):
            found = start.tried(targets)
            if isinstance(found, Lack):
                return found
        return None


def _bundles(starts: _Starts, moves: Sequence[Target], blocked: Sequence[Target]) -> list[list[Target]]:
    """Return the moves that work alone, and for each other move or blocked new task the smallest closure found."""
    alone = {target.task for target in moves if starts.lack([target]) is None}
    needy = [target for target in moves if target.task not in alone] + list(blocked)
    bundles: list[list[Target]] = []
    used: set[int] = set()
    for target in needy:
        if target.task in used:
            continue
        closed = _closure(starts, target, [m for m in moves if m.task not in used])
        if closed is not None:
            bundles.append(closed)
            used.update(member.task for member in closed)
    bundles.extend([target] for target in moves if target.task in alone and target.task not in used)
    return bundles


def _closure(starts: _Starts, target: Target, moves: Sequence[Target]) -> list[Target] | None:
    """Add moves out of the people who lack room until everything fits, then drop what is not needed."""
    bundle = [target]
    work_min = starts.placed.problem.work_min
    while (lack := starts.lack(bundle)) is not None:
        inside = {member.task for member in bundle}
        receiving = {member.person for member in bundle}
        holder = starts.placed.plan.who
        helpful = [m for m in moves if m.task not in inside and int(holder[m.task]) in receiving]
        if not helpful or len(bundle) >= LONGEST_BUNDLE:
            return None
        freeing = [m for m in helpful if _may_cure(starts.placed, lack, m)]
        single = next((m for m in freeing if starts.lack([*bundle, m]) is None), None)
        most = max(freeing or helpful, key=lambda m: (int(work_min[m.task, m.person]), -m.task))
        bundle.append(single or most)
    for member in list(bundle[1:]):
        fewer = [other for other in bundle if other is not member]
        if starts.lack(fewer) is None:
            bundle = fewer
    return bundle


def _may_cure(start: Start, lack: Lack, move: Target) -> bool:
    """Whether a move could by itself mend a lack: it takes enough minutes, or another task of the piece, from that person."""
    problem, person = start.problem, lack.target.person
    if int(start.plan.who[move.task]) != person:
        return False
    if lack.gap_min is None:
        t = lack.target.task
        return move.task in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]
    return int(problem.work_min[move.task, person]) >= lack.gap_min


def _proposal(start: Start, bundle: Sequence[Target], last: int) -> Proposal | None:
    after = start.tried(bundle)
    if isinstance(after, Lack):
        return None
    proposal = measured(start, bundle, after, last)
    return proposal if proposal.gain_min > 0 else None


def measured(start: Start, bundle: Sequence[Target], after: Assignment, last: int) -> Proposal:
    """Return what a bundle changes on the plan it starts from: gain, which may be a loss, loads until slot ``last``, and the reason."""
    problem, base = start.problem, start.plan
    gain = problem.objective_min(base) - problem.objective_min(after)
    moves = tuple(_move(problem, target) for target in sorted(bundle, key=lambda target: target.task))
    return Proposal(
        id="+".join(f"{move.task}>{move.to_person}" for move in moves),
        moves=moves,
        gain_min=gain,
        gain_per_move_min=round(gain / len(moves), 1),
        loads=_loads(problem, base, after, bundle, last),
        reason=_reason(problem, base, after, bundle),
    )


def _move(problem: Problem, target: Target) -> Move:
    board = problem.board
    task = board.tasks[target.task]
    return Move(task=task.id, from_person=task.assignee, to_person=board.firm.people[target.person].id)


def _loads(
    problem: Problem, base: Assignment, after: Assignment, bundle: Sequence[Target], last: int
) -> tuple[LoadChange, ...]:
    board = problem.board
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


def _reason(problem: Problem, base: Assignment, after: Assignment, bundle: Sequence[Target]) -> str:
    """Say what the proposal mends, most serious first."""
    reasons = [text for target in bundle for text in _mends(problem, base, after, target)]
    saved = _saved_min(problem, base, after, bundle)
    words = {
        "balance": "evens out the load",
        "continuity": "brings the client to its usual person",
        "level": "keeps senior time free",
        "mismatch": "suits the person better",
    }
    kinder = sorted(words, key=lambda name: -saved[name])
    reasons += [words[name] for name in kinder if saved[name] > 0][:2]
    return "; ".join(dict.fromkeys(reasons)) or "costs less in all"


def _saved_min(problem: Problem, base: Assignment, after: Assignment, bundle: Sequence[Target]) -> dict[str, int]:
    """Return what the bundle saves of the balance and of each personal term."""
    cost = problem.balance.cost_min
    saved = {"balance": int(cost(problem.loads_min(base)).sum() - cost(problem.loads_min(after)).sum())}
    for target in bundle:
        before, now = int(base.who[target.task]), int(after.who[target.task])
        for name, price in personal_prices(problem.board, target.task).items():
            saved[name] = saved.get(name, 0) + (int(price[before]) if before != ESCALATED else 0) - int(price[now])
    return saved


def _mends(problem: Problem, base: Assignment, after: Assignment, target: Target) -> list[str]:
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
