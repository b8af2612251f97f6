"""Plans in which lumps are packed anew, by dives or by overbooking: whichever has done less work since it gained.

A dive (`solver.diving`) undoes the few lumps that decide most firms within seconds; where late work is all over a large firm,
overbooking (`solver.overbooking`) gains more at once. Of one firm of 100 people seven dives came from 2.98 million minutes, annealed,
to 0.70 million in 27 seconds of a core; of another, five dives from 7.94 million to 7.26, a few overbookings and dives by turns to 7.15.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.contention import dear_tasks
from solver.crew import Ticket
from solver.diving import FIRST_SIZE, GROWTH, MOST_TASKS, Dive
from solver.overbooking import Found, Overbook
from solver.problem import Assignment, Problem
from solver.restart import SMALL_SHARE
from solver.running import Search

FIRST_PACKINGS, FIRST_OVERBOOKED = 6, 4
"""Plans made before anything else, each from the best one: one may end at twice another. So that the dives after them begin at a good
one, the first of them are overbooked whatever they gain."""
PACKED_SHARE, VAIN_SHARE, SETTLED_SHARE, SETTLED = 0.5, 0.3, 0.15, 0.02
"""Share of the work that goes into more of them, what is left of it after those that gained nothing, and once plan and bound are so
close, of the plan: no lump is undecided then, and what is left is for the neighbourhoods."""
MOST_VAIN = 12
"""Dives in a row that gain little, at most one for each dear task, before they get finer and larger: one tells of what it drew alone. Of
100 people 14 small dives after two overbookings came to 480 and 490 thousand minutes in 35 seconds of a core, where a search with
finer and larger ones after the first stood at 825."""
LONG, SHORT_UNITS = 2.0, 1.0
"""Times all work before it that a dive may take, and what it always may, so that a short search stays short."""


@dataclass
class Packings:
    """Plans by dives and overbooking, each from the best one there is when it begins; what two of them do apart is put together.

    Attributes
    ----------
    left
        How many come before anything else.
    vain_units
        Work of each kind since it gained more than little: the kind with the least is next. Kinds that found nothing to do are gone.
    fruitful
        Whether the last ones gained more than little: others follow at once.
    size, fine
        Of the next dive: measured finely and larger after as many that gained little as there are dear tasks to draw.
    vain
        Dives in a row that gained little.
    hopeful
        Whether not all of these were.
    plan, kind
        What those begun started from, and what they are.
    """

    search: Search
    left: int = FIRST_PACKINGS
    number: int = 0
    spent: float = 0.0
    size: int = FIRST_SIZE
    fine: bool = False
    vain: int = 0
    hopeful: bool = True
    vain_units: dict[type[Dive | Overbook], float] = field(default_factory=lambda: {Overbook: 0.0, Dive: 0.0})
    fruitful: bool = False
    begun: list[Ticket[Found]] = field(default_factory=list)
    plan: Assignment = field(init=False)
    kind: type[Dive | Overbook] = field(init=False)

    def due(self, spent: float) -> bool:
        """Whether the next ones are due after so much work in all."""
        if self.begun or not self.vain_units:
            return bool(self.begun)
        progress = self.search.progress
        settled = progress.objective_min - progress.bound_min <= SETTLED * progress.objective_min
        share = SETTLED_SHARE if settled else PACKED_SHARE if self.hopeful else VAIN_SHARE
        return self.left > 0 or (self.fruitful and not settled) or self.spent < share * spent

    def begin(self, most: int) -> None:
        """Start up to ``most`` of them side by side, those already begun counted."""
        if not self.begun:
            self.plan, self.kind = self.search.plan, self._next()
        while len(self.begun) < most:
            self.begun.append(self.search.crew.start(self._job()))
            self.number, self.left = self.number + 1, self.left - 1

    def _next(self) -> type[Dive | Overbook]:
        """Return the kind that is due: overbooking at first, then the one with the least work since it gained."""
        if self.left > FIRST_PACKINGS - FIRST_OVERBOOKED and Overbook in self.vain_units:
            return Overbook
        return min(self.vain_units, key=lambda kind: self.vain_units[kind])

    def finish(self) -> float:
        """Take in what was begun; return the work it took."""
        search, before = self.search, self.search.progress.objective_min
        # All before any is told: one that is done here and now must not be stopped by the work of another one.
        found = [one for ticket in self.begun if (one := search.finish(ticket)) is not None]
        self.begun.clear()
        work_units = sum((one.work_units for one in found), 0.0)
        for one in found:
            both = together(search.problem, self.plan, search.plan, one.plan)
            search.report(one.plan if both is None else both, one.work_units, "packing")
        gained = before - search.progress.objective_min
        little = gained < SMALL_SHARE * before
        if work_units:
            self.vain_units[self.kind] = self.vain_units[self.kind] + work_units if little else 0.0
        elif found:
            del self.vain_units[self.kind]
        self.fruitful, self.hopeful = not little, self.hopeful or gained > 0
        if self.kind is Dive:
            self._grow(len(found), little)
        self.spent += work_units
        return work_units

    def _grow(self, dives: int, little: bool) -> None:
        """Take in that some dives gained ``little`` or more."""
        self.vain = self.vain + dives if little else 0
        if self.vain and self.vain >= min(dear_tasks(self.search.problem, self.search.plan), MOST_VAIN):
            self.size = min(round(GROWTH * self.size), MOST_TASKS)
            self.fine, self.hopeful, self.vain = True, False, 0

    def _job(self) -> Dive | Overbook:
        seed = FIRST_PACKINGS * self.search.seed + self.number
        if self.kind is Overbook:
            return Overbook(self.plan, seed)
        most_units = max(LONG * self.search.progress.work_units, SHORT_UNITS)
        return Dive(self.plan, seed, self.size, self.fine, most_units)


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
