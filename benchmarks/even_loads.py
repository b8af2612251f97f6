"""Even loads: the least sum of squared loads, as prices and fair shares the engine knows.

Around the loads of the relaxation the square is its tangent and little else: a minute costs everybody in proportion to their load. So
the tangent is the mismatch price, and what a square adds for loads that miss the relaxation's is the balance price, with those loads
as the fair shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog

from benchmarks.one_deadline import OneDeadline
from benchmarks.overload import usual_min

ROUNDS = 6
"""Rounds of tangents: with 500 tasks and 20 people the bound is then within a part in a hundred thousand of that of twelve rounds."""
FINE = 100
"""Price units of a minute at the mean load. A load that misses its share by a hundredth, as whole tasks make it, adds a hundredth of the
tangent per minute: one unit, which is what 100 % of balance is."""


@dataclass(frozen=True)
class EvenLoads:
    """The relaxation.

    Attributes
    ----------
    bound
        No plan has a smaller sum of squared loads.
    load_min
        ``(people,)`` loads that have it; fractional.
    reduced_min
        ``(tasks, people)`` minutes that a pair costs above the task's cheapest, in minutes at the mean load; 0 where it may not be.
    """

    bound: float
    load_min: NDArray[np.float64]
    reduced_min: NDArray[np.float64]


def even_loads(work_min: NDArray[np.int64]) -> EvenLoads:
    """Return the relaxation, in which tasks may be shared and squares are the highest of their tangents."""
    tasks, people = work_min.shape
    task, person = np.nonzero(work_min)
    pairs = np.arange(len(task))
    work = sp.csr_matrix((work_min[task, person].astype(np.float64), (person, pairs)), shape=(people, len(task)))
    once = sp.hstack([sp.csr_matrix((np.ones(len(task)), (task, pairs))), sp.csr_matrix((tasks, people))])
    price = np.concatenate([np.zeros(len(task)), np.ones(people)])
    touch = [np.full(people, even) for even in work_min.max(axis=1).sum() / people * np.linspace(0.05, 2.0, 40)]
    for _ in range(ROUNDS):
        # square >= 2 a load - a^2 for each point a where a tangent touches
        rows = [sp.hstack([sp.diags(2 * at) @ work, -sp.identity(people)]) for at in touch]
        right = np.concatenate([at**2 for at in touch])
        found = linprog(price, A_ub=sp.vstack(rows), b_ub=right, A_eq=once, b_eq=np.ones(tasks), method="highs")
        load = work @ found.x[: len(task)]
        touch.append(load)
    slope = np.where(work_min > 0, work_min * load, np.inf)
    reduced = np.where(work_min > 0, slope - slope.min(axis=1, keepdims=True), 0.0) / max(load.mean(), 1.0)
    return EvenLoads(float(found.fun), load, reduced)


def towards(work_min: NDArray[np.int64], even: EvenLoads) -> OneDeadline:
    """Return work with the tangent as price and the loads of ``even`` as fair shares.

    People who may do nothing take what the fair shares of all are too large.
    """
    share = np.maximum(np.round(even.load_min).astype(np.int64), 1)
    room = 2 * np.maximum(share, work_min.max(axis=0))
    target = np.maximum(1000 * 2 * share // room, 1)
    claims = int((room * target).sum())
    idle = max((usual_min(work_min) * claims // int(share.sum()) - claims) // 1000, 1)
    nothing = np.zeros((len(work_min), 1), dtype=np.int64)
    return OneDeadline(
        name="even loads",
        work_min=np.hstack([work_min, nothing]),
        price_min=np.hstack([np.round(FINE * even.reduced_min).astype(np.int64), nothing]),
        room_min=np.append(room, idle),
        target_pct=np.append(target, 1000),
        balance_pct=100,
    )
