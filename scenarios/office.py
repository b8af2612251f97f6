"""A firm at work in a replay: its tasks as they stand, what batches propose and managers approve, how evenly work is promised.

Made-up seasons (`scenarios.replay`) and past periods (`scenarios.past_office`) are played on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from solver.board import Board
from solver.firm import Firm, Task
from solver.plan import Proposal


@dataclass(frozen=True)
class Evenness:
    """How promised work was shared on a morning, in points: busiest less idlest, and standard deviation."""

    day: date
    spread_pct: float
    deviation_pct: float


@dataclass
class Office:
    """The firm as it stands, and what has been counted.

    Attributes
    ----------
    base
        The firm; its tasks are those of the beginning.
    proposed
        Moves proposed so far: task and who gets it.
    approved
        Moves made because a proposal was approved.
    """

    base: Firm
    tasks: dict[str, Task] = field(init=False)
    shares: list[Evenness] = field(init=False, default_factory=list)
    proposed: set[tuple[str, str]] = field(init=False, default_factory=set)
    approved: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.tasks = {task.id: task for task in self.base.tasks}

    def firm(self) -> Firm:
        """Return the firm with its tasks as they stand."""
        return self.base.model_copy(update={"tasks": tuple(self.tasks.values())})

    def measure(self, board: Board) -> None:
        """Note how unevenly work is promised until the last deadline."""
        last = board.axis.last_deadline_slot(board.firm.policy.late_tail_days)
        open_min = board.until_min[:, last + 1]
        here = open_min > 0
        share = 100 * board.load_min[here] / open_min[here]
        if len(share):
            self.shares.append(Evenness(board.axis.first_day, float(share.max() - share.min()), float(share.std())))

    def propose(self, found: Iterable[Proposal], approves: Callable[[Proposal], bool]) -> list[str]:
        """Count what is proposed for the first time; make what is approved and touches nobody twice at once.

        Returns
        -------
        list of str
            The tasks that changed hands.
        """
        touched: set[str] = set()
        moved: list[str] = []
        for proposal in found:
            self.proposed |= {(move.task, move.to_person) for move in proposal.moves if move.from_person is not None}
            people = {change.person for change in proposal.loads}
            if not approves(proposal) or people & touched:
                continue
            touched |= people
            for move in proposal.moves:
                self.tasks[move.task] = self.tasks[move.task].model_copy(update={"assignee": move.to_person})
                moved.append(move.task)
        self.approved += len(moved)
        return moved
