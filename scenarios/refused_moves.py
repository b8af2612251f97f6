"""Why a move of a scenario is no proposal, as data; apart from `scenarios.realising`, which needs the libraries of the batch."""

from __future__ import annotations

from pydantic import Field

from solver.policy import Frozen


class NotProposed(Frozen):
    """A move of the scenario that is no proposal for the firm as it is."""

    task: str
    from_person: str | None = Field(description="who has the task today; none: nobody, or there is no such task")
    to_person: str
    code: str = Field(
        description="no_task, not_open, nobody_has_it, is_there, unknown_person, a filter, hours, no_gain, fixed or not_alone"
    )
    reason: str
    depends_on: tuple[int, ...] = Field(
        description="numbers of the changes with which it would fit and gain: one that is enough alone, or all of them"
    )
