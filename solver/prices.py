"""What everything costs, in minutes: the objective's terms, each named, each with one home.

The batch minimises their sum; the certificate lists them; the explanation quotes them. Weights and their reasons are in
`solver.policy.Weights`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from solver.axis import Axis
from solver.firm import Client, Firm, Task
from solver.policy import Weights

PERSONAL_TERMS = ("moves", "continuity", "level", "mismatch")
TERMS = ("escalation", "late", "balance", *PERSONAL_TERMS)


def escalation_price_min(weights: Weights, task: Task, remaining_min: int) -> int:
    """Return the price of leaving a task to a partner."""
    return weights.escalation * task.priority.factor * remaining_min


def moves(weights: Weights, task: Task, today: date, holder: int | None, people: int) -> NDArray[np.int64]:
    """Return per person the price of taking the task from its holder; more when it is due soon; 0 for a new task."""
    price = np.zeros(people, dtype=np.int64)
    if holder is not None:
        soon = (task.deadline - today).days <= weights.soon_days
        price[:] = weights.move + (weights.move_soon if soon else 0)
        price[holder] = 0
    return price


def continuity(weights: Weights, client: Client, usual: int | None, people: int) -> NDArray[np.int64]:
    """Return per person the price of not being the client's usual person."""
    price = np.zeros(people, dtype=np.int64)
    if usual is not None:
        price[:] = weights.continuity
        price[usual] = 0
    return price


def level(
    weights: Weights, rank: NDArray[np.int64], needed_rank: int, work_min: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return per person the price of a level far above what the task asks: beyond one above, per level and minute."""
    above = np.maximum(rank - needed_rank - 1, 0)
    return -(-weights.level_above_pct * above * work_min // 100)


@dataclass(frozen=True)
class Balance:
    """Fair shares of the backlog, for the whole of it and for the part due by each of the next week ends.

    Attributes
    ----------
    end_slots
        Last slot of each levelled week.
    share_min
        ``(people, 1 + weeks)`` fair share in minutes: of all work, then of the work due by each week end.
    far_min
        ``(people,)`` minutes from the share of all work beyond which imbalance counts double.
    """

    end_slots: NDArray[np.int64]
    share_min: NDArray[np.int64]
    far_min: NDArray[np.int64]
    near_pct: int
    far_pct: int
    week_pct: int

    def cost_min(self, loads: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the price per person of ``loads`` ``(people, 1 + weeks)``, rounded up to whole minutes."""
        away = np.abs(loads - self.share_min)
        far = np.maximum(away[:, 0] - self.far_min, 0)
        hundredths = self.near_pct * away[:, 0] + self.far_pct * far + self.week_pct * away[:, 1:].sum(axis=1)
        cost: NDArray[np.int64] = -(-hundredths // 100)
        return cost

    def columns(self, due: int) -> NDArray[np.bool_]:
        """Return which of the ``1 + weeks`` loads a task promised by slot ``due`` counts in."""
        counts: NDArray[np.bool_] = np.concatenate([[True], due <= self.end_slots])
        return counts


def targets_pct(firm: Firm) -> NDArray[np.int64]:
    """Return everybody's target utilisation, their level's where they have none of their own."""
    targets = {step.name: step.target_utilisation_pct for step in firm.levels}
    own = [person.target_utilisation_pct for person in firm.people]
    return np.array(
        [targets[person.level] if target is None else target for person, target in zip(firm.people, own, strict=True)],
        dtype=np.int64,
    )


def balance(
    firm: Firm, axis: Axis, open_min: NDArray[np.int64], work_min: NDArray[np.int64], due: NDArray[np.int64]
) -> Balance:
    """Compile the fair shares.

    Everybody's share of the work due by a slot is proportional to their open minutes up to it times their target utilisation.

    Parameters
    ----------
    open_min
        ``(people, slots)``.
    work_min
        ``(tasks,)`` minutes of each task at the mean speed of those who may do it.
    due
        ``(tasks,)`` due slot of each task; -1 when overdue.
    """
    weights = firm.policy.weights
    last = int(due.clip(max=axis.count - 1).max(initial=-1))
    ends = [slot for slot in axis.week_end_slots() if slot < last][: weights.week_ends]
    target_pct = targets_pct(firm)
    share = np.zeros((len(firm.people), 1 + len(ends)), dtype=np.int64)
    for column, slot in enumerate([last, *ends]):
        work = int(work_min.sum() if column == 0 else work_min[due <= slot].sum())
        meant = open_min[:, : slot + 1].sum(axis=1) * target_pct
        share[:, column] = work * meant // max(int(meant.sum()), 1)
    return Balance(
        end_slots=np.array(ends, dtype=np.int64),
        share_min=share,
        far_min=share[:, 0] * weights.far_from_share_pct // 100,
        near_pct=weights.balance_pct,
        far_pct=weights.balance_far_pct,
        week_pct=weights.week_balance_pct,
    )
