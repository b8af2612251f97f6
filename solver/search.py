"""The search: anneal and pack for seconds, then solve neighbourhoods of a few people exactly, where the money is.

No single method wins (docs/benchmarks.md): compiled annealing is unbeaten at thousands of tasks but stops short on small
firms with scarce people; exact neighbourhoods undo just that. The search is anytime: it holds a complete plan that breaks
no rule from the first moment, never returns a worse one than it was given, and looks at its stop rule several times a second.

All work but the first annealing is done as jobs (`solver.crew`): rounds of two neighbourhoods at a time, on sides of the firm that
share nobody, put together in a fixed order, or one beside branch and cut. So the plan is the same on one core and on two, and the second
core is not idle. The stop rule is asked with the work of whole rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver import anneal, flattened, neighbourhoods
from solver.beside import Branching, First, LongJobs, long_jobs
from solver.bound import Relaxed
from solver.crew import Ticket
from solver.improving import Anneal, Improve, Improved
from solver.neighbourhoods import Leaning, Taste
from solver.packings import Packings
from solver.plan import StopReason
from solver.problem import ESCALATED, Assignment, Problem
from solver.running import Search, Yield
from solver.settling import Settle, settles

ANNEAL_BASE_MOVES = 1_000_000
ANNEAL_MOVES_PER_TASK = 2_000
"""At 600 tasks two seconds of annealing, at 3,000 six; longer runs gained less than the neighbourhoods after them."""
HOT_MIN, PRICED_MIN, WARM_MIN, COLD_MIN = 180.0, 120.0, 6.0, 1.5
"""Temperatures in minutes: two to three times the price of a move to start, less from a plan by prices and from a plan that is nearly
right, well below any price to end."""
MOST_CALLS = 32
"""Annealing calls in one job: a second or two, so that the arrays are seldom built anew."""
MOST_CALL_TASKS = 1_000
"""Tasks from where calls take longer, and fewer make up a job."""
FIRST_UNITS, ROUND_UNITS = 0.25, 2.0
"""Deterministic budget of each job of a round: a handful of neighbourhoods, so that two sides end at about the same time; shorter at
first, when most is gained."""
PEOPLE_TO_SPLIT = 2.5
"""Sides are cut when each has at least this many times half the people of a neighbourhood; smaller ones hold too few of them."""

FRESH_SETTLING_UNITS, LEAST_SETTLING_SHARE = 4.0, 0.05
"""Work of a settling that begins at the relaxation, at most, and no more than all work before it, so that a short search stays short;
and the share of the work that settlings have even while neighbourhoods gain more for theirs: what is useless now may be the only one that
helps later."""
WHOLE_PICKS, WHOLE_NODES, WHOLE_STAGES, WHOLE_UNITS = 4_000, 200, 4, 2.0
"""Choices of person and window up to which the whole firm is solved before anything else, nodes and stages of it, and work after which no
further stage begins: a second or two. Where many plans cost the same, as with one deadline for all, a stage may take five seconds."""


def round_units(number: int) -> float:
    """Return the deterministic budget of each job of a round."""
    return min(FIRST_UNITS * (number + 1), ROUND_UNITS)


def cooling(problem: Problem, hot_min: float, share: float = 1.0) -> tuple[float, ...]:
    """Return the temperatures between calls of annealing from ``hot_min`` until it is cold, or through a share of as many."""
    calls = -(-(ANNEAL_BASE_MOVES + ANNEAL_MOVES_PER_TASK * problem.task_count) // anneal.MOVES_PER_CALL)
    return tuple(np.geomspace(hot_min, COLD_MIN, math.ceil(share * calls) + 1).tolist())


def anneal_from(
    search: Search,
    plan: Assignment,
    *,
    hot_min: float = HOT_MIN,
    share: float = 1.0,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Anneal from a plan, cooling once over a number of moves set by the size of the problem, or a share of it.

    It is done here and not by the crew, which may take seconds to be ready and has the bound and the overbooking to begin with.
    """
    problem = search.problem
    if problem.task_count == 0 or not problem.allowed.any():
        return
    heats = cooling(problem, hot_min, share)
    calls = len(heats) - 1
    most = max(MOST_CALLS * MOST_CALL_TASKS // max(problem.task_count, MOST_CALL_TASKS), 1)
    random, done, size = flattened.first_random(search.seed), 0, 1
    while done < calls and search.stop_reason is None and not enough():
        stretch = heats[done : done + size + 1]
        found = Anneal(plan, random, stretch)(problem, search.go_on)
        plan, random, done, size = found.plan, found.random, done + found.calls, min(2 * size, most)
        search.report(plan, found.calls * anneal.MOVES_PER_CALL / anneal.MOVES_PER_UNIT, "annealing")


def solve_neighbourhoods(
    search: Search, relaxed: Relaxed | None = None, packings: Packings | None = None, first: First | None = None
) -> None:
    """Free a few people at a time and solve them exactly until the stop rule says so, or nothing is left to try.

    With what a relaxation says, neighbourhoods follow it, and the bound is tightened beside them as long as that gets anywhere.
    Packings come first, and now and then. Other chains begin at ``first``.
    """
    settlings = None if relaxed is None or not settles(search.problem, relaxed) else Settlings(search, relaxed)
    leaning, spent = None if relaxed is None else relaxed.leaning, 0.0 if packings is None else packings.spent
    rounds = Rounds(search, leaning, packings, settlings, spent=spent)
    beside = None if relaxed is None else long_jobs(search, relaxed, first)
    while search.go_on():
        if beside is not None and beside.useful:
            beside.start()
            rounds.beside(beside)
            # Where a plan must not depend on time, what has not ended when the budget has is left: how far it came does.
            if search.stop_reason is None or not search.crew.patient:
                beside.finish()
        elif rounds.idle >= neighbourhoods.PATIENCE:
            search.stop_reason = StopReason.STALLED
        else:
            rounds.go(2 if rounds.may_split else 1)


def solve_whole(search: Search) -> None:
    """Solve the whole of a small firm at once, for its plan and its bound; a larger firm is left as it is."""
    if search.problem.choice_count > WHOLE_PICKS or not search.problem.allowed.any():
        return
    whole, before = Branching(search, frozenset(), WHOLE_NODES), search.progress.work_units
    for _ in range(WHOLE_STAGES):
        short = search.progress.work_units - before < WHOLE_UNITS
        if short and whole.useful and whole.nodes == WHOLE_NODES and search.go_on():
            whole.start()
            whole.finish()


@dataclass
class Settlings:
    """Settling who of a few people does what (`solver.settling`), where the relaxation leaves little to decide.

    The first begins where the relaxation has most of each task, and so does each after one that gained nothing; the others at the best
    plan, on as many sides as there are to do.
    """

    search: Search
    relaxed: Relaxed
    number: int = 0
    fresh: bool = True
    spent: float = 0.0
    gained: Yield = field(default_factory=Yield)

    def due(self, spent: float, other: Yield) -> bool:
        """Whether the next ones are due after so much work in all, beside what ``other`` rounds gain."""
        return self.number == 0 or self.gained.rate > other.rate or self.spent < LEAST_SETTLING_SHARE * spent

    def go(self, sides: int, units: float) -> float:
        """Do some; return the work it took."""
        search, problem, before = self.search, self.search.problem, self.search.progress.objective_min
        fresh, random = self.fresh, np.random.default_rng((search.seed, self.number))
        units = max(units, min(FRESH_SETTLING_UNITS, search.progress.work_units)) if fresh else units
        self.number += 1
        cut = _cut(problem, random) if sides > 1 and not fresh else (np.arange(problem.person_count),)
        jobs = [
            Settle(
                search.plan,
                self.relaxed,
                people,
                tasks,
                search.seed + 2 * self.number + side,
                units,
                fresh=fresh,
            )
            for side, (people, tasks) in enumerate(zip(cut, _free(problem, search.plan, cut, random), strict=True))
        ]
        plan, work_units = search.plan.copy(), 0.0
        for job, ticket in [(job, search.crew.start(job)) for job in jobs]:
            found = search.finish(ticket)
            if found is not None:
                plan.who[job.tasks], plan.window[job.tasks] = found.plan.who[job.tasks], found.plan.window[job.tasks]
                work_units += found.work_units
        search.report(plan, work_units, "settling")
        self.spent += work_units
        gain_min = before - search.progress.objective_min
        self.fresh = gain_min == 0 and not fresh
        self.gained.learn(gain_min, work_units)
        return work_units


@dataclass
class Rounds:
    """Rounds of neighbourhoods, and what they learnt so far.

    Attributes
    ----------
    idle
        Neighbourhoods since the last gain.
    spent
        Work of all rounds so far, and of packings before them.
    """

    search: Search
    leaning: Leaning | None = None
    packings: Packings | None = None
    settlings: Settlings | None = None
    gained: Yield = field(default_factory=Yield)
    taste: Taste = field(default_factory=Taste)
    number: int = 0
    idle: int = 0
    spent: float = 0.0

    @property
    def units(self) -> float:
        """Deterministic budget of each job of the next round."""
        return round_units(self.number)

    @property
    def may_split(self) -> bool:
        """Whether the firm is large enough for two sides."""
        return self.search.problem.person_count >= PEOPLE_TO_SPLIT * self.taste.size[0]

    def go(self, sides: int) -> None:
        """Do one round, or as many packings as there are sides."""
        other = self.packings
        if other is not None and other.due(self.spent):
            other.begin(sides)
            self.spent += other.finish()
        elif self.settlings is not None and self.settlings.due(self.spent, self.gained):
            self.spent += self.settlings.go(sides, self.units)
        else:
            self.finish(self.start(sides))

    def beside(self, other: LongJobs) -> None:
        """Do rounds beside a long job: for as much work as that should take, or until it is ready, if the crew is not patient."""
        until, crew = self.spent + other.units, self.search.crew
        while self.idle < neighbourhoods.PATIENCE and self.search.stop_reason is None:
            self.go(1)
            if self.spent >= until if crew.patient else other.ready:
                return

    def start(self, sides: int) -> list[tuple[Improve, Ticket[Improved]]]:
        """Start a round on one side, which is everybody, or on two."""
        units = self.units
        self.number += 1
        search, problem = self.search, self.search.problem
        random = np.random.default_rng((search.seed, self.number))
        cut = _cut(problem, random) if sides > 1 else (np.arange(problem.person_count),)
        tries = max(neighbourhoods.PATIENCE - self.idle, 1)
        jobs = [
            Improve(
                search.plan,
                people,
                tasks,
                self.taste,
                (search.seed, self.number, side),
                units,
                tries,
                self.leaning,
            )
            for side, (people, tasks) in enumerate(zip(cut, _free(problem, search.plan, cut, random), strict=True))
        ]
        return [(job, search.crew.start(job)) for job in jobs]

    def finish(self, started: list[tuple[Improve, Ticket[Improved]]]) -> None:
        """Put the sides of a round together, in their order, and take the result in."""
        search, plan, units, phase = self.search, self.search.plan.copy(), 0.0, "neighbourhoods"
        before = search.progress.objective_min
        for job, ticket in started:
            found = search.finish(ticket)
            if found is None:
                continue
            plan.who[job.tasks], plan.window[job.tasks] = found.plan.who[job.tasks], found.plan.window[job.tasks]
            units += found.work_units
            self.taste = found.taste
            self.idle = found.since_gain + (self.idle if found.since_gain == found.tried else 0)
            phase = f"exact solves of {found.people} people, {found.free_tasks} tasks"
            if found.proven:
                search.report(plan, 0.0, phase)
                search.bounded(search.progress.objective_min, 0.0, phase)
            if found.tried == 0:
                self.idle = neighbourhoods.PATIENCE
        self.spent += units
        search.report(plan, units, phase)
        self.gained.learn(before - search.progress.objective_min, units)


def _cut(problem: Problem, random: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
    """Return two halves of the people, those who share much work together, another cut each time."""
    near = problem.shared_tasks[int(random.integers(problem.person_count))]
    order = np.argsort(-(near + random.random(len(near)) * (near.max() + 1.0)), kind="stable")
    half = len(order) // 2
    return np.sort(order[:half]), np.sort(order[half:])


def _free(
    problem: Problem, plan: Assignment, cut: tuple[NDArray[np.int64], ...], random: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Return per side which tasks may change: what its people hold, and escalated tasks by lot.

    A task of a later side that is linked to a free one of an earlier side stays where it is, so rules between tasks hold in the
    plan put together.
    """
    if len(cut) == 1:
        return [np.ones(problem.task_count, dtype=np.bool_)]
    lot = random.integers(len(cut), size=problem.task_count)
    taken = np.zeros(problem.task_count, dtype=np.bool_)
    free: list[NDArray[np.bool_]] = []
    owner = np.repeat(np.arange(problem.task_count), np.diff(problem.piece_start))
    for side, people in enumerate(cut):
        mine = np.isin(plan.who, people) | ((plan.who == ESCALATED) & (lot == side))
        mine[owner[taken[problem.piece]]] = False
        taken |= mine
        free.append(mine)
    return free
