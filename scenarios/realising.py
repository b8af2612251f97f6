"""What a scenario moves, as proposals for the firm as it is: those that fit and gain there, and why the others do not.

A scenario moves work because something is different in it. Where that is not so in the firm, a move may gain nothing there, or not even
be possible: somebody who is only thought of cannot be given work. Such a move is refused, and the changes that it rests on are named,
so that whoever wants it knows what has to become real before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from scenarios.changes import Change, apply_all
from scenarios.difference import TaskMove
from scenarios.refused_moves import NotProposed
from solver.board import compile_board
from solver.firm import Firm
from solver.plan import Move, Plan, Proposal
from solver.rebalance import proposals
from solver.rechecking import Obstacle, recheck
from solver.refusal import Refused

MOST_TRIED = 12
"""Changes of which each is tried alone, with the problem compiled for each; of more only all together."""


class Realised(NamedTuple):
    """The moves of a scenario on the firm as it is."""

    proposals: tuple[Proposal, ...]
    refused: tuple[NotProposed, ...]


def realised(
    firm: Firm, plan: Plan, moves: Sequence[TaskMove], changes: Sequence[Change], *, now: datetime
) -> Realised:
    """Return a scenario's moves as proposals for today's firm, and those that are none, each with what it rests on.

    Parameters
    ----------
    firm
        As it is.
    plan
        The scenario's.
    moves
        What the scenario's plan gives to others than today's plan does (`scenarios.difference.Difference.moves`).
    changes
        Those of the scenario that are not real; they can be made to ``firm``.
    """
    board, made = compile_board(firm, now=now), _Changes(firm, changes, now)
    refused: dict[str, NotProposed] = {}
    able: dict[str, Move] = {}
    for move in moves:
        found = _as_it_is(firm, move, made)
        if isinstance(found, Move):
            able[move.task] = found
        else:
            refused[move.task] = found
    wanted = {move.task: move.to_person for move in moves}
    items = [
        item
        for item in plan.tasks
        if item.task in able and item.task in board.task_index and item.person == wanted[item.task]
    ]
    found_ones = proposals(board, plan.model_copy(update={"tasks": tuple(items)}))
    proposed = {move.task for one in found_ones for move in one.moves}
    left = [move for task, move in able.items() if task not in proposed]
    for one, obstacle, depends in zip(left, recheck(board, [[each] for each in left]), made.needed(left), strict=True):
        refused[one.task] = _refusal(one, obstacle, depends)
    return Realised(found_ones, tuple(refused[move.task] for move in moves if move.task in refused))


class _Changes:
    """The changes that are not real, and what rests on them."""

    def __init__(self, firm: Firm, changes: Sequence[Change], now: datetime) -> None:
        self.firm, self.changes, self.now = firm, changes, now

    def first_with(self, *, task: str | None = None, person: str | None = None) -> tuple[int, ...]:
        """Return the first change after which a task or person is there."""
        for number in range(len(self.changes)):
            after = apply_all(self.firm, self.changes[: number + 1])
            if task in {one.id for one in after.tasks} or person in {one.id for one in after.people}:
                return (number,)
        return ()

    def needed(self, moves: Sequence[Move]) -> list[tuple[int, ...]]:
        """Return for each move the first change that lets it fit and gain alone, else all of them where all together do."""
        found: dict[str, tuple[int, ...]] = {}
        for numbers in self._sets():
            left = [move for move in moves if move.task not in found]
            if not left:
                break
            try:
                firm = apply_all(self.firm, [self.changes[number] for number in numbers])
            except Refused:
                continue  # one that needs an earlier one
            for move, now in zip(left, self._rechecked(firm, left), strict=True):
                if isinstance(now, Proposal):
                    found[move.task] = numbers
        return [found.get(move.task, ()) for move in moves]

    def _sets(self) -> list[tuple[int, ...]]:
        numbers = range(len(self.changes))
        alone = [(number,) for number in numbers] if 1 < len(numbers) <= MOST_TRIED else []
        return [*alone, tuple(numbers)] if numbers else []

    def _rechecked(self, firm: Firm, moves: Sequence[Move]) -> list[Proposal | Obstacle]:
        return recheck(compile_board(firm, now=self.now), [[move] for move in moves])


def _as_it_is(firm: Firm, move: TaskMove, made: _Changes) -> Move | NotProposed:
    """Return a move from whoever has the task, or why there is no such move."""
    task = next((one for one in firm.tasks if one.id == move.task), None)
    holder = None if task is None else task.assignee

    def no(code: str, reason: str, depends_on: tuple[int, ...] = ()) -> NotProposed:
        said = {"from_person": holder, "to_person": move.to_person, "code": code, "reason": reason}
        return NotProposed.model_validate({"task": move.task, **said, "depends_on": depends_on})

    labels = {person.id: person.label for person in firm.people}
    if task is None:
        return no("no_task", f"{move.task} is only thought of", made.first_with(task=move.task))
    if not task.open:
        return no("not_open", f"{move.task} needs no work any more")
    if move.to_person not in labels:
        words = f"{move.to_person} is only thought of, and can be given no work"
        return no("unknown_person", words, made.first_with(person=move.to_person))
    if holder is None:
        return no("nobody_has_it", f"nobody has {move.task}: it is placed, and not moved")
    if holder == move.to_person:
        return no("is_there", f"{labels[holder]} has {move.task} already; today's plan would move it away")
    return Move(task=move.task, from_person=holder, to_person=move.to_person)


def _refusal(move: Move, obstacle: Proposal | Obstacle, depends_on: tuple[int, ...]) -> NotProposed:
    if isinstance(obstacle, Obstacle):
        code, reason = obstacle.code, obstacle.sentence
    else:
        code, reason = "not_alone", f"{move.task} finds no room once the work that nobody has yet is placed"
    said = {**move.model_dump(), "code": code, "reason": reason, "depends_on": depends_on}
    return NotProposed.model_validate(said)
