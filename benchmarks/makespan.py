"""The least common deadline by which everything is done (R||Cmax), driven through the front door.

A deadline is reachable when the firm that has it gets a plan without escalations, so the adapter probes deadlines and the engine plans.
What the adapter adds is the linear relaxation (Lenstra, Shmoys and Tardos 1990: nobody does what takes them longer than the deadline):

* it proves deadlines impossible, and so gives the bound;
* its dual prices rank the pairs of task and person. A pair that costs more than deadline less bound is in no plan that keeps the
  deadline, so it is no skill; what the others cost is their mismatch price, which leads any search to the plans that leave room.

A task left undone costs more than all prices of any plan in time: an objective below that is a deadline kept.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linprog

from api.stops import WallClock
from benchmarks.one_deadline import NOW, OneDeadline, assignees, exact, firm_of, require_somebody
from benchmarks.overload import DEAREST_PCT, can_cost, without_limit
from solver import Plan, solve
from solver.crew import Alone, Crew
from solver.plan import StopReason
from solver.stop import FirstOf, Progress, Stop

PRICE_MIN_PER_TASK = 20
"""Price of a plan that just keeps its deadline, spread over its tasks: fine enough to tell pairs apart in whole minutes."""
PART_OF_REST, PART_OF_ALL = 3, 10
"""A probe that does not succeed ends after a third of the time that is left, yet not before a tenth of all: a first failure is the one
that leaves most to do otherwise, and each that follows is still worth an annealing."""
FLOAT_MIN = 1e-6


@dataclass(frozen=True)
class Relaxation:
    """The relaxation at one deadline.

    Attributes
    ----------
    bound_min
        No plan is done earlier; fractional. Above the deadline: no plan keeps it.
    reduced_min
        ``(tasks, people)`` by how much the bound rises when the pair is used; infinite where it may not be.
    share
        ``(tasks, people)`` part of each task with each person.
    """

    bound_min: float
    reduced_min: NDArray[np.float64]
    share: NDArray[np.float64]


@dataclass(frozen=True)
class Decided:
    """Stop as soon as the plan keeps the deadline, or that is proven impossible: no plan that breaks it costs less than ``least_min``."""

    least_min: int

    def __call__(self, progress: Progress) -> StopReason | None:
        """Return `StopReason.GAP` when the objective, or its bound, tells."""
        decided = progress.objective_min < self.least_min or progress.bound_min >= self.least_min
        return StopReason.GAP if decided else None


@dataclass
class Search:
    """Deadlines between what is proven impossible and what a plan keeps.

    Attributes
    ----------
    work_min
        ``(tasks, people)``; 0 where the person may not do the task.
    crew
        Who does the jobs of all probes.
    floor_min
        No deadline below is tried for now: proven impossible, or a probe has failed.
    found_by
        Who made the best plan: the adapter by rounding the relaxation, the engine, or both where the engine left tasks undone.
    binding
        How the next probe asks: with hours that end at the deadline, or with hours enough and a price on overload.
    reached
        After each probe: the deadline it asked for, and the best makespan so far.
    """

    work_min: NDArray[np.int64]
    bound_min: int
    who: NDArray[np.int64]
    crew: Crew
    floor_min: int = 0
    found_by: str = "rounding"
    binding: bool = True
    probes: int = 0
    reached: list[tuple[int, int]] = field(default_factory=list)

    @property
    def makespan_min(self) -> int:
        """Longest work of anybody in the best plan so far."""
        return makespan_min(self.work_min, self.who)


def shortest(work_min: NDArray[np.int64], *, clock: WallClock, seed: int, crew: Crew | None = None) -> Search:
    """Return the best plan found before the clock ends, with its bound; without a ``crew`` the jobs are done here."""
    require_somebody(work_min)
    first = first_deadline_min(work_min)
    search = Search(work_min, first, rounded(work_min, relaxation(work_min, first)), crew or Alone(), floor_min=first)
    while clock.elapsed_s() < clock.limit_s and search.bound_min < search.makespan_min:
        if search.floor_min >= search.makespan_min:
            search.floor_min = max(search.bound_min, search.makespan_min - 1)
        slice_s = max((clock.limit_s - clock.elapsed_s()) / PART_OF_REST, clock.limit_s / PART_OF_ALL)
        # Nearer the floor: a probe that succeeds ends early, and the bound is mostly close.
        deadline = search.floor_min + (search.makespan_min - search.floor_min) // 4
        _probe(search, deadline, FirstOf((WallClock(slice_s), clock)), seed + search.probes)
    return search


def _probe(search: Search, deadline_min: int, stop: Stop, seed: int) -> None:
    """Ask the engine for a plan that keeps the deadline, and take in what it found."""
    relaxed = relaxation(search.work_min, deadline_min)
    useful = np.where(_useful(relaxed, deadline_min), search.work_min, 0)
    binding = search.binding or not can_cost(useful, deadline_min)
    asked = _priced(useful, deadline_min, relaxed) if binding else without_limit(useful, deadline_min)
    least_min = 1 + PRICE_MIN_PER_TASK * len(useful) if binding else 1
    plan = solve(
        firm_of(asked, escalation_min=max(least_min, int(asked.work_min.max()) * DEAREST_PCT)),
        now=NOW,
        stop=FirstOf((Decided(least_min), stop)),
        seed=seed,
        crew=search.crew,
        advice=False,
    )
    _learn(search, plan, deadline_min)
    # Fair shares are rounded, so only hours that end prove anything.
    if binding and plan.certificate.bound_min >= least_min and exact(useful):
        search.bound_min = max(search.bound_min, deadline_min + 1)


def _learn(search: Search, plan: Plan, deadline_min: int) -> None:
    """Take in what a probe found; one that fails is followed by one that asks the other way."""
    search.probes += 1
    who = completed(search.work_min, assignees(plan, len(search.work_min)))
    if makespan_min(search.work_min, who) < search.makespan_min:
        search.who = who
        search.found_by = "engine, completed" if plan.escalations else "engine"
    if makespan_min(search.work_min, who) > deadline_min:
        search.floor_min = deadline_min + 1
        search.binding = not search.binding
    search.reached.append((deadline_min, search.makespan_min))


def _useful(relaxed: Relaxation, deadline_min: int) -> NDArray[np.bool_]:
    """Return which pairs may be in a plan that keeps the deadline."""
    useful: NDArray[np.bool_] = relaxed.reduced_min <= max(deadline_min - relaxed.bound_min, 0.0) + FLOAT_MIN
    return useful


def _priced(useful_min: NDArray[np.int64], deadline_min: int, relaxed: Relaxation) -> OneDeadline:
    """Return the work with hours that end at the deadline and the prices of the relaxation."""
    room = max(deadline_min - relaxed.bound_min, FLOAT_MIN)
    scale = PRICE_MIN_PER_TASK * len(useful_min) / room
    price = np.where(useful_min > 0, np.clip(relaxed.reduced_min, 0.0, room) * scale, 0.0)
    return OneDeadline(
        name="one deadline",
        work_min=useful_min,
        price_min=np.floor(price).astype(np.int64),
        room_min=np.full(useful_min.shape[1], deadline_min, dtype=np.int64),
    )


def first_deadline_min(work_min: NDArray[np.int64]) -> int:
    """Return the least deadline that the relaxation does not prove impossible."""
    every = np.where(work_min > 0, work_min, np.iinfo(np.int64).max)
    longest = int(work_min.max(initial=0))
    free = relaxation(work_min, longest)
    low = max(int(every.min(axis=1).max(initial=0)), int(np.ceil(free.bound_min - FLOAT_MIN)))
    high = makespan_min(work_min, rounded(work_min, free))

    def possible(deadline_min: int) -> bool:
        return relaxation(work_min, deadline_min).bound_min <= deadline_min + FLOAT_MIN

    return low if possible(low) else bisect_left(range(high), True, lo=low, key=possible)


def relaxation(work_min: NDArray[np.int64], deadline_min: int) -> Relaxation:
    """Return the linear relaxation with the pairs that fit the deadline; each task has one."""
    tasks, people = work_min.shape
    task, person = np.nonzero((work_min > 0) & (work_min <= deadline_min))
    pairs = np.arange(len(task))
    load = (work_min[task, person].astype(np.float64), (person, pairs))
    found = linprog(
        np.append(np.zeros(len(task)), 1.0),
        A_ub=sp.hstack([sp.csr_matrix(load, shape=(people, len(task))), -np.ones((people, 1))]),
        b_ub=np.zeros(people),
        A_eq=sp.csr_matrix((np.ones(len(task)), (task, pairs)), shape=(tasks, len(task) + 1)),
        b_eq=np.ones(tasks),
        method="highs",
    )
    # Any weights that add up to one give a bound: whatever the LP solver returns, what follows holds.
    weight = np.maximum(-found.ineqlin.marginals, 0.0)
    weighted = np.full(work_min.shape, np.inf)
    weighted[task, person] = (weight / weight.sum())[person] * work_min[task, person]
    least = weighted.min(axis=1)
    share = np.zeros(work_min.shape)
    share[task, person] = found.x[:-1]
    return Relaxation(float(least.sum()), weighted - least[:, None], share)


def rounded(work_min: NDArray[np.int64], relaxed: Relaxation) -> NDArray[np.int64]:
    """Return the tasks that the relaxation leaves whole with their people, and the others where they end earliest."""
    whole = relaxed.share.max(axis=1) > 1.0 - FLOAT_MIN
    return completed(work_min, np.where(whole, relaxed.share.argmax(axis=1), -1))


def completed(work_min: NDArray[np.int64], who: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``who`` with each task left undone (-1) given to whoever would be done with everything first, longest first."""
    full, loads = who.copy(), loads_min(work_min, who)
    able = np.where(work_min > 0, work_min, np.iinfo(np.int32).max)
    for t in sorted(np.flatnonzero(who < 0).tolist(), key=lambda t: -int(able[t].min())):
        full[t] = int((loads + able[t]).argmin())
        loads[full[t]] += work_min[t, full[t]]
    return full


def loads_min(work_min: NDArray[np.int64], who: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``(people,)`` minutes of what each person does; undone tasks (-1) count nowhere."""
    loads = np.zeros(work_min.shape[1], dtype=np.int64)
    done = np.flatnonzero(who >= 0)
    np.add.at(loads, who[done], work_min[done, who[done]])
    return loads


def makespan_min(work_min: NDArray[np.int64], who: NDArray[np.int64]) -> int:
    """Return the longest work of anybody."""
    return int(loads_min(work_min, who).max(initial=0))
