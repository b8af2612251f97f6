"""What may turn out otherwise than planned, and how likely: estimates, illness, late documents, further work.

Learnt from the firm's time sheets where there are any (`solver.learning`), else from published figures and assumptions
(`scenarios.figures`). All of it can be set by hand.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from scenarios import figures
from solver.firm import Firm
from solver.learnt import INTERVAL_PCT, Learned, Ratio
from solver.policy import Frozen

Share = Annotated[float, Field(ge=0, le=1)]
Deviation = Annotated[float, Field(ge=0, le=3)]
_NORMAL_90 = 1.6448536269514722
"""Standard deviations from the middle of a normal to the ends of the interval that holds 90 of 100."""
assert INTERVAL_PCT == 90


class Takes(Frozen):
    """Minutes taken over minutes expected, log-normal: a middle that is itself uncertain, and single tasks around it.

    All tasks of a type share the uncertainty of the middle: where a type is underestimated, all its tasks are.
    """

    ratio: Annotated[float, Field(gt=0, le=100)] = figures.ESTIMATE_RATIO
    ratio_sd: Deviation = Field(default=0.0, description="of the log of the ratio: how well the middle is known")
    task_sd: Deviation = Field(
        default=figures.ESTIMATE_SIGMA, description="of the log of a single task around the middle"
    )
    tasks: Annotated[int, Field(ge=0)] = Field(
        default=0, description="finished tasks of the firm that this was learnt from; 0: a published figure"
    )


class Pace(Frozen):
    """A person's speed beside their cells of the skill matrix, log-normal; above 1 is slower."""

    ratio: Annotated[float, Field(gt=0, le=100)] = 1.0
    ratio_sd: Deviation = 0.0


class Chances(Frozen):
    """The odds of one firm. `chances_of` fills them; a firm that knows better changes fields."""

    types: dict[str, Takes] = Field(default_factory=dict, description="by task type; others take the default")
    clients: dict[str, dict[str, Takes]] = Field(
        default_factory=dict, description="by task type, then client, where time sheets know both"
    )
    other: Takes = Takes()
    people: dict[str, Pace] = Field(
        default_factory=dict, description="by person; others are as fast as their cells say"
    )
    absent_week_share: Share = Field(
        default=figures.ABSENT_WEEK_SHARE, description="chance that a person falls ill in a week"
    )
    absent_mean_days: Annotated[float, Field(ge=1, le=365)] = Field(
        default=figures.ABSENT_MEAN_DAYS, description="calendar days an illness lasts on average, geometric"
    )
    late_document_share: Share = Field(
        default=figures.LATE_DOCUMENT_SHARE,
        description="chance that the documents of a client, not yet here, come later than the tasks' release says",
    )
    late_document_mean_days: Annotated[float, Field(ge=0, le=365)] = Field(
        default=figures.LATE_DOCUMENT_MEAN_DAYS, description="calendar days they then are late, exponential"
    )
    arrivals_per_week: Annotated[float, Field(ge=0, le=100_000)] = Field(
        default=0.0,
        description="tasks still to come in a week (Poisson), each like one of the open tasks; no figure holds for all "
        "firms, so none come unless the firm says how many do",
    )
    arrival_lead_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=14, description="calendar days from such a task's arrival to its deadline"
    )

    def takes(self, type: str, client: str) -> Takes:
        """Return how long tasks of a type take for a client."""
        return self.clients.get(type, {}).get(client) or self.types.get(type) or self.other

    def certain(self) -> Chances:
        """Return the same firm with no chance left in it: everything goes as planned."""
        exact = Takes(ratio=1.0, ratio_sd=0.0, task_sd=0.0)
        still = {"absent_week_share": 0.0, "late_document_share": 0.0, "arrivals_per_week": 0.0}
        return Chances(other=exact).model_copy(update=still)


def chances_of(firm: Firm, learned: Learned | None = None) -> Chances:
    """Return the odds of a firm from what its time sheets say, and for types they do not know from published figures."""
    types = {kind.id: _assumed(kind.id, kind.skill) for kind in firm.task_types}
    if learned is None:
        return Chances(types=types)
    spread = {one.type: one.task_sd for one in learned.types}
    types |= {one.type: _takes(one.level, one.task_sd, one.tasks) for one in learned.types}
    clients: dict[str, dict[str, Takes]] = {}
    for one in learned.clients:
        clients.setdefault(one.type, {})[one.client] = _takes(one.level, spread[one.type], one.tasks)
    people = {one.person: Pace(ratio=one.level.ratio, ratio_sd=_sd(one.level)) for one in learned.people}
    return Chances(types=types, clients=clients, people=people)


def _assumed(type: str, skill: str) -> Takes:
    audit = "audit" in type.casefold() or "audit" in skill.casefold()
    return Takes(task_sd=figures.AUDIT_ESTIMATE_SIGMA if audit else figures.ESTIMATE_SIGMA)


def _takes(level: Ratio, task_sd: float, tasks: int) -> Takes:
    return Takes(ratio=level.ratio, ratio_sd=_sd(level), task_sd=task_sd, tasks=tasks)


def _sd(level: Ratio) -> float:
    return math.log(level.high / level.low) / (2 * _NORMAL_90)
