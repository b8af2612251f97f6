"""What the processes that search, or work points out, are asked, and what they tell: one line of JSON each."""

from __future__ import annotations

from datetime import datetime

from solver.firm import Firm
from solver.learnt import Learned
from solver.plan import Plan
from solver.policy import Frozen
from solver.stop import Progress


class Asked(Frozen):
    """What is to be searched for.

    Attributes
    ----------
    last
        Where the search begins: the best plan of a search that was cut off.
    cores
        Processes that search side by side, one per core unless told; 1: this one alone.
    plan_every_s, progress_every_s
        Seconds between two incumbents, and two figures, at least; the first one and the last one are told in any case.
    """

    firm: Firm
    now: datetime
    seconds: float
    work_units: float | None = None
    gap_pct: float | None = None
    seed: int = 0
    last: Plan | None = None
    cores: int | None = None
    plan_every_s: float = 5.0
    progress_every_s: float = 0.5


class Told(Frozen):
    """One line of what is told: figures, an incumbent, or, ``final``, the plan."""

    objective_min: int
    bound_min: int
    work_units: float
    phase: str
    plan: Plan | None = None
    final: bool = False

    @property
    def progress(self) -> Progress:
        """The figures as the search has them."""
        return Progress(self.work_units, self.objective_min, self.bound_min, self.phase)


class PointGround(Frozen):
    """What the points of one stage of a run share.

    Attributes
    ----------
    kind, ask
        Of the run: name, and JSON of what was asked.
    last
        The firm's newest plan, which today's goes on from.
    earlier
        Results of the stages before, by stage, in the order of their points.
    cores
        Processes that search where a stage has a single point, one per core unless told.
    learned
        What the firm's time sheets say, where a kind asks for it.
    """

    kind: str
    ask: str
    firm: Firm
    now: datetime
    last: Plan | None
    earlier: tuple[tuple[str, ...], ...]
    cores: int | None = None
    learned: Learned | None = None


class PointAsked(Frozen):
    """A point to be worked out; ``ground`` is told before the first one of it, and stays until another one is."""

    does: str
    arguments: str
    ground: PointGround | None = None


class PointTold(Frozen):
    """What came of a point: its result as JSON, or why there is none."""

    document: str | None = None
    error: str | None = None
