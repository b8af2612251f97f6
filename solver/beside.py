"""What is done beside the neighbourhoods: long jobs for the bound and for plans that no neighbourhood leads to, by turns.

Branch and cut closes the gap of firms with little to pack, deep dives that of those whose short days decide, other chains from the
first plan that of large ones; which of them a firm is shows by what each closed of the gap for its work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from solver.bound import Relaxed
from solver.branch_and_cut import FIRST_NODES, MORE_NODES, Branch, Branched, Rows, tractable
from solver.crew import Ticket
from solver.deep_dives import Cut, DeepDive, Dived, Root
from solver.overbooking import Found
from solver.problem import Assignment
from solver.restart import Restart
from solver.running import Search, Yield

FIRST_STAGE_UNITS, MORE_STAGE_UNITS = 4.0, 2.0
"""Work done beside the first job of a kind, and how much more beside a stage of branch and cut that may look further than the last."""
DIVE_UNITS, LONG, SHORT_UNITS = 40.0, 3.0, 1.0
"""Work after which a dive is cut; times all work before it that it may take, so that a short search stays short, and what it always may.
The next job goes on where it was cut."""
TURN_UNITS = 40.0
"""Work after which another kind has its turn, though a dive has not ended."""
LUMPY_SHARE = 0.5
"""Share of the plan that the relaxation explains below which lumps decide, and dives come first: on one firm of 30 people they ended at
905 to 910 thousand minutes within a minute, after branch and cut at 920 to 924. Elsewhere branch and cut does, also before other chains:
of two firms of 100 people its first stage raised the bound by 1.6 and 4.7 per cent, where a chain brought the plan down by 1.2 and 0."""
RESTART_UNITS = 25.0
"""Work after which another chain ends: by then most gain little. It never takes more than all work before it."""
FRUITFUL_SHARE = 0.1
"""Share of the gap from which on a kind that has just closed it goes on, though others were not tried yet. Within a minute
it is of no moment: of four firms of 100 people the first stage of branch and cut takes most of it, and all bounds were the same."""
LEAST_UNITS = 0.01
"""Work of a job that came to nothing."""
VAIN_DIVES = VAIN_CHAINS = 6
"""Dives, or chains, after the last that gained anything, from where none is expected to."""


class LongJob(Protocol):
    """A kind of long job, done one after another.

    Attributes
    ----------
    units
        What the next one is expected to take.
    """

    search: Search
    units: float

    @property
    def amid(self) -> bool:
        """Whether the next one goes on with what the last could not end."""
        ...

    @property
    def useful(self) -> bool:
        """Whether another one may close more of the gap."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the one begun has ended."""
        ...

    def start(self) -> None:
        """Start one."""
        ...

    def finish(self) -> None:
        """Take in what it found."""
        ...


@dataclass
class Branching:
    """Branch and cut on the whole firm, stage by stage, each from the best plan so far.

    Attributes
    ----------
    units
        What the next stage is expected to take: as much as the last, or more where it may look further.
    """

    search: Search
    rows: Rows
    nodes: int = FIRST_NODES
    units: float = FIRST_STAGE_UNITS
    useful: bool = True
    amid: bool = False
    ticket: Ticket[Branched] = field(init=False)

    @property
    def ready(self) -> bool:
        """Whether the stage has ended."""
        return self.search.crew.ready(self.ticket)

    def start(self) -> None:
        """Start a stage."""
        self.ticket = self.search.crew.start(Branch(self.search.plan, self.rows, self.nodes))

    def finish(self) -> None:
        """Take in what a stage found."""
        search = self.search
        found = search.finish(self.ticket)
        if found is None:
            return
        phase = "branch and cut"
        search.bounded(found.bound_min - search.base_min, 0.0, phase)
        search.report(found.plan, found.work_units, phase)
        self.rows, self.useful = found.rows, not found.closed
        self.nodes *= MORE_NODES if found.more_nodes else 1
        self.units = found.work_units * (MORE_STAGE_UNITS if found.more_nodes else 1.0)


@dataclass
class Diving:
    """Deep dives (`solver.deep_dives`), each from the best plan so far and the best root, or from where the last was cut.

    Attributes
    ----------
    number, vain
        Dives so far, and those since the last that gained anything.
    cut
        Where the last was cut, if it was.
    """

    search: Search
    relaxed: Relaxed
    number: int = 0
    vain: int = 0
    units: float = FIRST_STAGE_UNITS
    root: Root | None = None
    cut: Cut | None = None
    ticket: Ticket[Dived] = field(init=False)

    @property
    def useful(self) -> bool:
        """Whether another dive may find a better plan."""
        return self.vain < VAIN_DIVES

    @property
    def ready(self) -> bool:
        """Whether the dive has ended."""
        return self.search.crew.ready(self.ticket)

    @property
    def amid(self) -> bool:
        """Whether the last dive was cut where it may still lead to a better plan than there is."""
        if self.cut is None or self.cut.at is None:
            return self.cut is not None
        return self.cut.at.value < self.search.problem.objective_min(self.search.plan)

    def start(self) -> None:
        """Start a dive, or go on with the last."""
        most_units = min(max(LONG * self.search.progress.work_units, SHORT_UNITS), DIVE_UNITS)
        if not self.amid:
            self.cut = None
            self.number += 1
        job = DeepDive(self.search.plan, self.relaxed, self.number - 1, self.root, most_units, self.cut)
        self.ticket = self.search.crew.start(job)

    def finish(self) -> None:
        """Take in what a dive found."""
        search = self.search
        found = search.finish(self.ticket)
        if found is None:
            return
        before, phase = search.progress, "deep dive"
        if found.root is not None:
            self.root, self.units = found.root, found.work_units
            search.bounded(found.root.bound_min - search.base_min, 0.0, phase)
        search.report(found.plan, found.work_units, phase)
        after, self.cut = search.progress, found.cut
        gained = after.objective_min < before.objective_min or after.bound_min > before.bound_min
        if found.root is None:
            self.vain = VAIN_DIVES
        elif gained or found.cut is None:
            self.vain = 0 if gained else self.vain + 1


@dataclass(frozen=True)
class First:
    """Where other chains begin: a first plan, and the temperatures (minutes) it is annealed through."""

    plan: Assignment
    heats: tuple[float, ...]


@dataclass
class Restarting:
    """Other chains from the first plan (`solver.restart`), each by another seed.

    Attributes
    ----------
    first
        Where they begin.
    number, vain
        Chains so far, and those since the last that ended below the best plan.
    """

    search: Search
    first: First
    number: int = 0
    vain: int = 0
    units: float = FIRST_STAGE_UNITS
    amid: bool = False
    ticket: Ticket[Found] = field(init=False)

    @property
    def useful(self) -> bool:
        """Whether another chain may end below the best plan."""
        return self.vain < VAIN_CHAINS

    @property
    def ready(self) -> bool:
        """Whether the chain has ended."""
        return self.search.crew.ready(self.ticket)

    def start(self) -> None:
        """Start a chain."""
        search = self.search
        self.number += 1
        self.units = min(max(search.progress.work_units, SHORT_UNITS), RESTART_UNITS)
        job = Restart(search.plan, self.first.plan, search.seed + self.number, self.first.heats, self.units)
        self.ticket = search.crew.start(job)

    def finish(self) -> None:
        """Take in where a chain ended."""
        search, before = self.search, self.search.progress.objective_min
        found = search.finish(self.ticket)
        if found is None:
            return
        search.report(found.plan, found.work_units, "another chain")
        self.vain = 0 if search.progress.objective_min < before else self.vain + 1


@dataclass
class LongJobs:
    """Long jobs of several kinds by turns: each for as long as it closes much of the gap, then the best for its work of late.

    Attributes
    ----------
    closed
        What each kind closed of the gap, in minutes.
    open
        Work of each kind on what it has not ended, which closed nothing yet.
    running
        Work of the kind at hand since its turn began.
    fruitful
        Whether the last job closed much of the gap.
    """

    kinds: tuple[LongJob, ...]
    closed: tuple[Yield, ...] = field(init=False)
    open: list[float] = field(init=False)
    turn: int = 0
    running: float = 0.0
    fruitful: bool = False

    def __post_init__(self) -> None:
        self.closed = tuple(Yield() for _ in self.kinds)
        self.open = [0.0] * len(self.kinds)

    @property
    def useful(self) -> bool:
        """Whether another job may close more of the gap."""
        return any(kind.useful for kind in self.kinds)

    @property
    def units(self) -> float:
        """What the job at hand is expected to take."""
        return self.kinds[self.turn].units

    @property
    def ready(self) -> bool:
        """Whether the job at hand has ended."""
        return self.kinds[self.turn].ready

    def start(self) -> None:
        """Start one job: what goes on with the last, for so long that another kind would not wait for ever, or one of a new turn."""
        if self.running == 0.0 or self.running >= TURN_UNITS or not self.kinds[self.turn].amid:
            useful = [k for k, kind in enumerate(self.kinds) if kind.useful]
            if not (self.fruitful and self.turn in useful):
                untried = sorted(
                    (k for k in useful if self.closed[k].work_units == 0.0), key=lambda k: self.open[k] > 0.0
                )
                self.turn = untried[0] if untried else max(useful, key=lambda k: self.closed[k].rate)
            self.running = 0.0
        self.kinds[self.turn].start()

    def finish(self) -> None:
        """Take in what it found."""
        kind = self.kinds[self.turn]
        before = kind.search.progress
        kind.finish()
        after = kind.search.progress
        gap_min = before.objective_min - before.bound_min
        closed_min = gap_min - (after.objective_min - after.bound_min)
        work_units = max(after.work_units - before.work_units, LEAST_UNITS)
        self.fruitful = closed_min >= FRUITFUL_SHARE * gap_min
        self.open[self.turn] += work_units
        self.running += work_units
        if closed_min > 0 or not kind.amid:
            self.closed[self.turn].learn(closed_min, self.open[self.turn])
            self.open[self.turn] = 0.0


def long_jobs(search: Search, relaxed: Relaxed, first: First | None = None) -> LongJobs | None:
    """Return what the size of a firm allows to be done beside its neighbourhoods; other chains where they have a start."""
    if not tractable(search.problem, relaxed.rows):
        return None
    branching, diving = Branching(search, relaxed.rows), Diving(search, relaxed)
    chains: tuple[LongJob, ...] = () if first is None else (Restarting(search, first),)
    lumpy = search.progress.bound_min < LUMPY_SHARE * search.progress.objective_min
    return LongJobs((*chains, diving, branching) if lumpy else (branching, *chains, diving))
