"""Moves checked again: whether they can still be made on a board of today, and what they gain there now."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from solver.board import Board
from solver.firm import Task
from solver.moves import Lack, Start, Target
from solver.plan import Filter, Move, Proposal
from solver.policy import Frozen
from solver.problem import Problem, compile_problem
from solver.rebalance import last_due, measured
from solver.wording import hours_text


class Obstacle(Frozen):
    """Why moves cannot be made, or are not worth making, any more."""

    code: str = Field(description="not_open, held, elsewhere, fixed, unknown_person, a filter, hours or no_gain")
    task: str
    person: str | None = Field(description="whom the move gives the task")
    sentence: str


def recheck(board: Board, bundles: Sequence[Sequence[Move]]) -> list[Proposal | Obstacle]:
    """Return each bundle as a proposal of today, with gain and loads as they are now, or what stands in its way first.

    Parameters
    ----------
    board
        Just compiled (`solver.board.compile_board`): one that was kept up to date has the tasks of when it began.
    bundles
        Each is tried alone; the moves of one are made together.
    """
    problem = compile_problem(board)
    start, last = Start(problem, problem.today), last_due(board)
    return [_again(start, moves, last) for moves in bundles]


def _again(start: Start, moves: Sequence[Move], last: int) -> Proposal | Obstacle:
    board = start.problem.board
    for move in moves:
        obstacle = _changed(board, move)
        if obstacle is not None:
            return obstacle
    targets = [Target(board.task_index[move.task], board.staff.row[move.to_person]) for move in moves]
    after = start.tried(targets)
    if isinstance(after, Lack):
        return _lacks(start.problem, after)
    proposal = measured(start, targets, after, last)
    if proposal.gain_min > 0:
        return proposal
    loss = -proposal.gain_min
    words = f"costs {hours_text(loss)} more than it saves now" if loss else "saves nothing now"
    return _obstacle("no_gain", moves[0], f"the move of {', '.join(move.task for move in moves)} {words}")


def _changed(board: Board, move: Move) -> Obstacle | None:
    """Return what has become of the task or the people, ``None`` where they are as the move has them."""
    task = board.known.get(move.task)
    if move.to_person not in board.staff.row:
        return _obstacle("unknown_person", move, f"{move.to_person} is not there any more")
    if task is None or not task.open:
        return _obstacle("not_open", move, f"{move.task} needs no work any more")
    if move.task not in board.task_index:
        return _obstacle("held", move, f"{move.task} waits for its estimate")
    if task.assignee != move.from_person:
        has = "nobody has it" if task.assignee is None else f"{_label(board, task.assignee)} has it"
        return _obstacle("elsewhere", move, f"{move.task} is not where it was: {has}")
    fixed = _fixed(board, task)
    return None if fixed is None else _obstacle("fixed", move, f"{move.task} {fixed}")


def _fixed(board: Board, task: Task) -> str | None:
    if task.id not in board.promises:
        return None  # nobody has it, or nobody who may do it
    return "is pinned now" if task.pinned else "was started" if task.started else None


def _lacks(problem: Problem, lack: Lack) -> Obstacle:
    board, person = problem.board, lack.target.person
    task, label = board.tasks[lack.target.task], board.firm.people[person].label
    move = Move(task=task.id, from_person=task.assignee, to_person=board.firm.people[person].id)
    if lack.gap_min is not None:
        return _obstacle("hours", move, f"{task.id} finds no room with {label}: {hours_text(lack.gap_min)} are missing")
    stop = board.rows[lack.target.task].stop(person)
    if stop is None and task.requested_person not in (None, move.to_person):
        stop = Filter.REQUEST
    if stop is None:
        stop = Filter.REVIEWER if person in board.worked_on_piece(task) else Filter.DEADLINE
    return _obstacle(stop.value, move, f"{task.id} cannot go to {label}, who {stop.meaning}")


def _obstacle(code: str, move: Move, sentence: str) -> Obstacle:
    return Obstacle(code=code, task=move.task, person=move.to_person, sentence=sentence)


def _label(board: Board, person: str) -> str:
    return board.firm.people[board.staff.row[person]].label
