"""One task against all people, leaving time aside: what it takes each of them and what stops them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solver.eligibility import FILTERS, work_min
from solver.firm import Firm, Task, TaskType
from solver.plan import Filter
from solver.policy import MissingEstimate


@dataclass(frozen=True)
class TaskRow:
    """One task against all people. Its arrays are shared by the tasks that ask the same: not to be written.

    Attributes
    ----------
    efficiency_pct
        ``(people,)`` percent of the estimate each person needs, 0 where the skill is missing.
    stopped
        ``(people,)`` code of the first static filter before the deadline (`solver.eligibility`), 0 for none.
    below
        ``(people,)`` whether the guardrail stops the person; never whom the client asked for.
    """

    task: Task
    remaining_min: int
    needed_rank: int
    efficiency_pct: NDArray[np.int64]
    stopped: NDArray[np.int8]
    below: NDArray[np.bool_]

    @property
    def work_min(self) -> NDArray[np.int64]:
        """``(people,)`` minutes the task takes each person, 0 where the skill is missing; worked out at each call."""
        return work_min(self.efficiency_pct, self.remaining_min)

    def takes_min(self, person: int) -> int:
        """Return the minutes the task takes one person."""
        return -(-int(self.efficiency_pct[person]) * self.remaining_min // 100)

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Who may do the task."""
        allowed: NDArray[np.bool_] = (self.stopped == 0) & ~self.below
        return allowed

    def stop(self, person: int) -> Filter | None:
        """Return the first static filter that stops a person, guardrail last."""
        if self.stopped[person]:
            return FILTERS[int(self.stopped[person]) - 1]
        return Filter.GUARDRAIL if bool(self.below[person]) else None


def remaining_min(firm: Firm, task: Task, kind: TaskType) -> int:
    """Return the minutes of estimate left: estimate less logged, never below the floor while the task is open."""
    estimate = task.estimate_min
    if estimate is None:
        estimate = kind.default_estimate_min or 0
    return max(estimate - task.logged_min, firm.policy.remaining_floor_min)


def is_held(firm: Firm, task: Task, kind: TaskType) -> bool:
    """Whether a task waits for its estimate: none was given, and the firm chose no default or the type has none."""
    if task.estimate_min is not None:
        return False
    return firm.policy.missing_estimate is MissingEstimate.HOLD or kind.default_estimate_min is None
