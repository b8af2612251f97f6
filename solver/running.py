"""A running search: what it has found and used so far, and who is told and asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from solver.crew import Alone, Crew, Result, Ticket
from solver.plan import StopReason
from solver.problem import Assignment, Problem
from solver.stop import Progress, Stop

ProgressCallback = Callable[[Progress], None]
AssignmentCallback = Callable[[Assignment], None]

FADING = 0.7
"""What is left of the gain and the work of a round in comparing the two after one more."""


@dataclass
class Search:
    """A running search: the best plan so far and the work spent.

    Attributes
    ----------
    base_min
        The unavoidable part, taken off every objective that is shown.
    crew
        Who does the jobs; it has met the problem.
    on_better
        Told of each better plan, once the progress says what it costs.
    """

    problem: Problem
    plan: Assignment
    progress: Progress
    stop: Stop
    on_progress: ProgressCallback
    base_min: int
    seed: int
    stop_reason: StopReason | None = None
    crew: Crew = field(default_factory=Alone)
    on_better: AssignmentCallback = lambda plan: None

    def __post_init__(self) -> None:
        self.crew.meet(self.problem)

    def report(self, plan: Assignment, work_units: float, phase: str) -> bool:
        """Take in a plan and work done, tell the listener, and return whether to go on."""
        objective = self.problem.objective_min(plan) - self.base_min
        better = objective < self.progress.objective_min
        if better:
            self.plan = plan
        self.progress = replace(
            self.progress,
            work_units=self.progress.work_units + work_units,
            objective_min=min(objective, self.progress.objective_min),
            phase=phase,
        )
        if better:
            self.on_better(plan)
        return self.go_on()

    def bounded(self, bound_min: int, work_units: float, phase: str = "lower bound") -> bool:
        """Take in a lower bound (less the unavoidable part) and the work it took; return whether to go on."""
        progress = self.progress
        self.progress = replace(
            progress,
            work_units=progress.work_units + work_units,
            bound_min=max(bound_min, progress.bound_min),
            phase=phase,
        )
        return self.go_on()

    def go_on(self) -> bool:
        """Tell the listener, ask the stop rule, and return whether to go on."""
        self.on_progress(self.progress)
        if self.stop_reason is None:
            self.stop_reason = self.stop(self.progress)
        if self.progress.objective_min <= self.progress.bound_min:
            self.stop_reason = StopReason.OPTIMAL
        return self.stop_reason is None

    def finish(self, ticket: Ticket[Result]) -> Result | None:
        """Return what a job came to; while it runs, the stop rule is asked with the work of the rounds before."""
        return self.crew.finish(ticket, self.go_on)


@dataclass
class Yield:
    """What jobs of one kind gained for their work of late."""

    gain_min: float = 0.0
    work_units: float = 0.0

    def learn(self, gain_min: float, work_units: float) -> None:
        """Take in another round."""
        self.gain_min = FADING * self.gain_min + gain_min
        self.work_units = FADING * self.work_units + work_units

    @property
    def rate(self) -> float:
        """Minutes gained per unit."""
        return self.gain_min / self.work_units if self.work_units > 0.0 else 0.0
