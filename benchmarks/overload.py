"""A deadline as a limit that costs instead of one that binds: every minute anybody works beyond it has a price.

The engine's balance prices the distance from a fair share beyond a part of that share. People who may do nothing take shares too, so
with enough of them everybody's share is half of the limit, and what costs is the load beyond it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.one_deadline import DAY_MIN, OneDeadline

DEAREST_PCT = MOST_TARGET_PCT = 1_000
"""Ends of the ranges of a weight and of a target utilisation."""
LEAST_LIMIT_MIN = 480
"""Shorter limits are counted in finer minutes: the engine's search looks for differences of minutes in plans of days."""


def without_limit(work_min: NDArray[np.int64], limit_min: int) -> OneDeadline:
    """Return work for which there is time enough, where load beyond ``limit_min`` costs; a plan that costs nothing keeps the limit.

    Minutes are multiplied where the limit is short. ``work_min`` is ``(tasks, people)``, 0 where the person may not do the task.
    """
    fine = -(-LEAST_LIMIT_MIN // limit_min)
    work, limit = work_min * fine, limit_min * fine
    room = -(-2 * limit // DAY_MIN) * DAY_MIN
    share, beyond_pct = share_of(limit)
    idle_room, idle_pct = _idle(usual_min(work), room, work.shape[1], share)
    nothing = np.zeros((len(work), len(idle_room)), dtype=np.int64)
    with_idle = np.hstack([work, nothing])
    return OneDeadline(
        name="overload costs",
        work_min=with_idle,
        price_min=np.zeros_like(with_idle),
        room_min=np.concatenate([np.full(work.shape[1], room), idle_room]),
        target_pct=np.concatenate([np.ones(work.shape[1], dtype=np.int64), idle_pct]),
        overload_pct=DEAREST_PCT,
        overload_from_pct=beyond_pct,
    )


def can_cost(work_min: NDArray[np.int64], limit_min: int) -> bool:
    """Whether there is work enough for a fair share of half of the limit: idle people take shares, but add no work."""
    share, _ = share_of(limit_min)
    return usual_min(work_min) >= int(work_min.shape[1]) * share


def share_of(limit_min: int) -> tuple[int, int]:
    """Return the largest share, of at most half, and the percentage of it, rounded down, that together are the limit."""
    for share in range(limit_min // 2, 0, -1):
        pct = -(-100 * (limit_min - share) // share)
        if share + share * pct // 100 == limit_min:
            return share, pct
    return limit_min, 0


def usual_min(work_min: NDArray[np.int64]) -> int:
    """Return all work at the mean speed of those who may do it, as the fair shares count it (docs/data.md)."""
    return int((work_min.sum(axis=1) // np.maximum((work_min > 0).sum(axis=1), 1)).sum())


def _idle(usual_min: int, room_min: int, people: int, share_min: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rooms and targets of idle people, so that each of ``people`` with target 1 % has a fair share of ``share_min``."""
    # The share is usual x room / (all rooms x targets), rounded down: aim at half a minute above.
    claims = max(2 * usual_min * room_min // (2 * share_min + 1) - people * room_min, 0)
    whole, rest = divmod(claims, MOST_TARGET_PCT * room_min)
    target, minutes = divmod(rest, room_min)
    rooms = [*[room_min] * whole, room_min, minutes]
    return np.array(rooms, dtype=np.int64), np.array([*[MOST_TARGET_PCT] * whole, target, 1], dtype=np.int64)
