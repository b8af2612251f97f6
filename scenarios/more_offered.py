"""What more hours can cost: where every plan of today stands in the scenario, the best one there is dearer by the fair shares at most.

Bounds of large firms come late and leave gaps of tens of percent, far wider than what one person's overtime changes. Here nothing is
solved: a plan that stands costs the same there but for the balance, whose shares follow everybody's hours, and the balance of any loads
changes by no more than the shares do. So the difference of the two best plans has an upper end that needs no bound of either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.prices import Balance
from solver.problem import Problem

Rows = NDArray[np.int64]


def dearer_by_at_most(today: Problem, would: Problem) -> int | None:
    """Return the minutes by which the scenario's best plan is dearer than today's at most; ``None`` where some plan may not stand."""
    rows = np.array([would.board.staff.row.get(id, -1) for id in today.board.staff.ids], dtype=np.int64)
    if (rows < 0).any() or not (_same_shape(today, would) and _offers(today, would, rows)):
        return None
    return _shifted_min(today.balance, would.balance, rows)


def _same_shape(today: Problem, would: Problem) -> bool:
    """Whether the same tasks have the same windows at the same prices, and the same rules between them."""
    ours, theirs = today.board, would.board
    if [task.id for task in ours.tasks] != [task.id for task in theirs.tasks]:
        return False
    if ours.axis.days != theirs.axis.days or ours.axis.ends != theirs.axis.ends:
        return False
    names = ("first_window", "release", "due", "late_min", "piece", "piece_start", "preparation", "may_escalate")
    return all(np.array_equal(getattr(today, name), getattr(would, name)) for name in names)


def _offers(today: Problem, would: Problem, rows: Rows) -> bool:
    """Whether nothing takes longer, costs more, or has less room for anybody."""
    may, there = today.allowed, would.allowed[:, rows]
    return bool(
        (there | ~may).all()
        and (would.work_min[:, rows] <= today.work_min)[may].all()
        and (would.comfort_min[:, rows] <= today.comfort_min)[may].all()
        and (would.escalation_min <= today.escalation_min).all()
        and (would.room_min[rows] >= today.room_min).all()
    )


def _shifted_min(ours: Balance, theirs: Balance, rows: Rows) -> int | None:
    """Return by how much the balance of any loads can be dearer with the other shares; people not in today's plans have no load."""
    if not np.array_equal(ours.end_slots, theirs.end_slots):
        return None
    apart = np.abs(theirs.share_min[rows] - ours.share_min)
    far = apart[:, 0] + np.abs(theirs.far_min[rows] - ours.far_min)
    hundredths = ours.near_pct * apart[:, 0] + ours.far_pct * far + ours.week_pct * apart[:, 1:].sum(axis=1)
    new = np.delete(theirs.cost_min(np.zeros_like(theirs.share_min)), rows)
    return int((-(-hundredths // 100)).sum() + new.sum())
