"""Who does the work of a search: jobs that know nothing of each other, done one after another here or side by side elsewhere.

The search starts jobs and takes their results in an order of its own, never in the order in which they end. So one core and two
find the same plan, and a worker that dies costs time and nothing else: its job is done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from solver.problem import Problem

GoOn = Callable[[], bool]
"""Asked several times a second by whoever has a long job; once it says no, the job ends with what it has."""


class Line(Protocol):
    """What a job hears and says while it runs: called, it answers as `GoOn` does."""

    def __call__(self) -> bool:
        """Return whether to go on."""
        ...

    def keep(self, result: Any) -> None:
        """Hand over what the job would end with now, in case it does not end soon after it is told to."""
        ...


@dataclass(frozen=True)
class Near:
    """The line of a job that is done where its result is awaited: nothing needs to be kept for it."""

    go_on: GoOn

    def __call__(self) -> bool:
        """Return whether to go on."""
        return self.go_on()

    def keep(self, result: Any) -> None:
        """Let it be; the job brings it when it ends."""


Result = TypeVar("Result")
Found = TypeVar("Found", covariant=True)


class Job(Protocol[Found]):
    """A piece of work that depends on the problem and its own fields alone, and survives being sent to another process."""

    def __call__(self, problem: Problem, line: Line, /) -> Found:
        """Do it; told to stop, return at once what is known by then."""
        ...


@dataclass(frozen=True)
class Ticket(Generic[Result]):
    """A started job."""

    number: int
    job: Job[Result]


class Crew(Protocol):
    """Does jobs. `Alone` does them here; a crew of processes lives outside the solver and is passed in.

    Attributes
    ----------
    patient
        Whether jobs are awaited after a fixed amount of other work, so that the same budget gives the same plan. Otherwise long ones
        are taken when they are ready, and nobody waits.
    """

    patient: bool

    def meet(self, problem: Problem) -> None:
        """Get ready for a problem; jobs of an earlier one are forgotten."""
        ...

    def start(self, job: Job[Result]) -> Ticket[Result]:
        """Take a job on; it may begin at once or when it is asked for."""
        ...

    def ready(self, ticket: Ticket[Any]) -> bool:
        """Return whether `finish` would return at once, or at least no later for waiting."""
        ...

    def finish(self, ticket: Ticket[Result], go_on: GoOn) -> Result | None:
        """Return what a job came to; once ``go_on`` says no and it is not done soon after, what it kept, or ``None``."""
        ...


@dataclass
class Alone:
    """Does each job when its result is asked for."""

    count: int = 0
    problem: list[Problem] = field(default_factory=list)
    patient: bool = True

    def meet(self, problem: Problem) -> None:
        """Get ready for a problem."""
        self.problem = [problem]

    def start(self, job: Job[Any]) -> Ticket[Any]:
        """Take a job on."""
        self.count += 1
        return Ticket(self.count, job)

    def ready(self, ticket: Ticket[Any]) -> bool:
        """Return that it is: the job is done when it is asked for."""
        return True

    def finish(self, ticket: Ticket[Any], go_on: GoOn) -> Any:
        """Do the job now."""
        return ticket.job(self.problem[0], Near(go_on))
