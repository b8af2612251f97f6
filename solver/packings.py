"""Plans in which lumps are packed anew, by dives or by overbooking: whichever gained more for its work last time.

A dive (`solver.diving`) undoes the few lumps that decide most firms within seconds; where late work is all over a large firm,
overbooking (`solver.overbooking`) gains more at once. From the annealed plan of a firm of 100 people seven dives came from 2.98 million
minutes to 0.70 million in 27 seconds of a core, four overbookings and dives in between to 0.90; of another one overbooking from 7.9 to
7.0 million, five dives to 7.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.diving import FINE_MIN, FIRST_SIZE, GROWTH, MOST_TASKS, ROUGH_MIN, Dive
from solver.overbooking import Overbook
from solver.problem import Assignment, Problem
from solver.running import Search

FIRST_PACKINGS = 6
"""Plans made before anything else, each from the best one: one may end at twice another."""
PACKED_SHARE, SETTLED_SHARE, SETTLED = 0.5, 0.15, 0.02
"""Share of the work that goes into more of them, and what is left of it once plan and bound are so close, of the plan: no lump is
undecided then, and what is left is for the neighbourhoods."""


@dataclass
class Packings:
    """Plans by dives and overbooking, each from the best one there is when it begins; what two of them do apart is put together.

    Attributes
    ----------
    left
        How many come before anything else.
    gains
        Minutes that the last ones of a kind gained by unit of work; without limit of a kind that is not tried yet. Kinds that found
        nothing to do are gone.
    size
        Tasks of the next dive: more, and measured finely, after those that gained nothing.
    """

    search: Search
    left: int = FIRST_PACKINGS
    number: int = 0
    spent: float = 0.0
    size: int = FIRST_SIZE
    gains: dict[type[Dive | Overbook], float] = field(default_factory=lambda: {Dive: math.inf, Overbook: math.inf})

    def due(self, spent: float) -> bool:
        """Whether the next ones are due after so much work in all."""
        progress = self.search.progress
        settled = progress.objective_min - progress.bound_min <= SETTLED * progress.objective_min
        share = SETTLED_SHARE if settled else PACKED_SHARE
        return bool(self.gains) and (self.left > 0 or self.spent < share * spent)

    def go(self, most: int) -> float:
        """Make ``most`` of them side by side and take them in; return the work it took."""
        search = self.search
        plan, before = search.plan, search.progress.objective_min
        kind = max(self.gains, key=lambda kind: self.gains[kind])
        begun = [search.crew.start(self._job(kind, plan, number)) for number in range(self.number, self.number + most)]
        self.number, self.left = self.number + most, self.left - most
        # All before any is told: one that is done here and now must not be stopped by the work of another one.
        found = [one for ticket in begun if (one := search.finish(ticket)) is not None]
        work_units = sum(one.work_units for one in found)
        for one in found:
            both = together(search.problem, plan, search.plan, one.plan)
            search.report(one.plan if both is None else both, one.work_units, "packing")
        gained = before - search.progress.objective_min
        if work_units:
            self.gains[kind] = gained / work_units
        elif found:
            del self.gains[kind]
        if kind is Dive and not gained:
            self.size = min(round(GROWTH * self.size), MOST_TASKS)
        self.spent += work_units
        return work_units

    def _job(self, kind: type[Dive | Overbook], plan: Assignment, number: int) -> Dive | Overbook:
        seed = FIRST_PACKINGS * self.search.seed + number
        if kind is Overbook:
            return Overbook(plan, seed)
        return Dive(plan, seed, self.size, ROUGH_MIN if self.size < MOST_TASKS else FINE_MIN)


def together(problem: Problem, plan: Assignment, one: Assignment, other: Assignment) -> Assignment | None:
    """Return what two plans made of one, where they changed tasks of different people and none that are linked; else ``None``.

    Each breaks no rule. Rules are about what one person holds, and about who holds linked tasks, so both changes break none.
    """
    changed = [(new.who != plan.who) | (new.window != plan.window) for new in (one, other)]
    if not all(some.any() for some in changed):
        return None
    people, near = zip(
        *(_touched(problem, plan, new, some) for new, some in zip((one, other), changed, strict=True)), strict=True
    )
    if (people[0] & people[1]).any() or (near[0] & changed[1]).any():
        return None
    both = one.copy()
    both.who[changed[1]], both.window[changed[1]] = other.who[changed[1]], other.window[changed[1]]
    return both


def _touched(
    problem: Problem, plan: Assignment, new: Assignment, changed: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the people whose work a change touches, and the changed tasks with those linked to them."""
    who = np.concatenate([plan.who[changed], new.who[changed]])
    people = np.zeros(problem.person_count, dtype=np.bool_)
    people[who[who >= 0]] = True
    owner = np.repeat(np.arange(problem.task_count), np.diff(problem.piece_start))
    near = changed.copy()
    near[problem.piece[changed[owner]]] = True
    return people, near
