"""Another chain from the first plan: annealed by another seed, then overbooked and packed, without a look at the best plan.

Where late work is packed into the days of many people, what annealing happens to leave decides where a chain of packings ends, and no
packing leads from one end to another: of one firm of 100 people four chains of 27 units that differed by their seed alone ended at 529,
607, 635 and 646 thousand minutes, of another at 769 and 777.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from solver import anneal, flattened
from solver.crew import Line
from solver.diving import Dive
from solver.improving import Anneal
from solver.overbooking import Found, Overbook
from solver.problem import Assignment, Problem

SMALL_SHARE = 0.01
"""Share of the objective below which the gain of a packing is little."""
MOST_VAIN = 4
"""Dives in a row that gain little, with which a chain ends."""
MOST_STEPS = 64
"""Packings of a chain at most; their seeds are apart from those of the next chain by as many."""


@dataclass(frozen=True)
class Restart:
    """A chain from ``start``, which breaks no rule, through ``heats`` (minutes) and packings; differs by ``seed``.

    Attributes
    ----------
    plan
        The best one so far: what remains where the chain ends above it.
    most_units
        Work after which no step of the chain begins.
    """

    plan: Assignment
    start: Assignment
    seed: int
    heats: tuple[float, ...]
    most_units: float

    def __call__(self, problem: Problem, line: Line) -> Found:
        """Search; told to stop, return the better of the best plan and what the chain has come to."""
        used, chain = 0.0, self.start
        for found in self._steps(problem, line):
            used, chain = used + found.work_units, found.plan
            best = min(self.plan, chain, key=problem.objective_min)
            line.keep(Found(best, used))
            if used >= self.most_units or not line():
                break
        return Found(best, used)

    def _steps(self, problem: Problem, line: Line) -> Iterator[Found]:
        """Give what the chain has come to after each step, and the work of the step: overbooking while it gains, then dives."""
        annealed = Anneal(self.start, flattened.first_random(self.seed), self.heats)(problem, line)
        plan, value = annealed.plan, problem.objective_min(annealed.plan)
        yield Found(plan, annealed.calls * anneal.MOVES_PER_CALL / anneal.MOVES_PER_UNIT)
        kind: type[Dive | Overbook] = Overbook
        vain = 0
        for number in range(MOST_STEPS):
            found = kind(plan, MOST_STEPS * self.seed + number)(problem, line)
            reached = problem.objective_min(found.plan)
            little = value - reached < SMALL_SHARE * (value - problem.unavoidable_min())
            if reached < value:
                plan, value = found.plan, reached
            yield Found(plan, found.work_units)
            vain = vain + 1 if little and kind is Dive else 0
            kind = Dive if little else kind
            if vain == MOST_VAIN:
                return
