"""What is asked of a run of each kind, and what comes of it: the documents in `Run.asked` and of `api.store.runs.result_of`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from scenarios.approvals import Approvals
from scenarios.changes import Scenario
from scenarios.difference import Comparison
from scenarios.firm_changes import PolicySet
from scenarios.grids import PointRefused, PointResult, Sweep
from scenarios.past import Terms
from solver.plan import Plan, RoutingPolicy
from solver.policy import Frozen, Policy
from solver.refusal import refuse

LONGEST_S = 600.0
"""Seconds of one search of a run."""
MOST_WORK_UNITS = 600.0
MOST_DRAWS = 10_000
DRAWS_TOGETHER = 50
"""Draws of one point: a draw takes half a millisecond at 30 people, writing a point down twenty."""
TODAY_WORK_UNITS = 2.0
NIGHT_WORK_UNITS = 0.1
"""Of each batch of a replayed period that is planned anew."""
LONGEST_PERIOD_DAYS = 366
"""Of a replay: every version of the firm in it is read at once."""


class RunAsk(Frozen):
    """What is asked of a run, whatever its kind."""


class Effort(RunAsk):
    """How much is searched. Work is counted, about a second of a core a unit, so that a result is the same on any machine."""

    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    today_work_units: Annotated[float, Field(ge=0, le=MOST_WORK_UNITS)] = Field(
        default=TODAY_WORK_UNITS,
        description="deterministic work for today's plan, from which everything starts; it goes on from the firm's newest plan",
    )


class WhatIfAsk(Effort):
    """A scenario beside today; what comes of it: `WhatIfResult`."""

    scenario: Scenario
    work_units: Annotated[float, Field(ge=0, le=MOST_WORK_UNITS)] | None = Field(
        default=1.0, description="deterministic work of each search; none: only the clock ends it"
    )
    seconds: Annotated[float, Field(gt=0, le=LONGEST_S)] | None = Field(
        default=None, description="of each search; with them the result depends on the machine; none: no limit"
    )
    rounds: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="how often both are solved on while the difference is undecided"
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.work_units is None and self.seconds is None:
            raise refuse("exactly_one", "work_units", None, "and seconds are none: nothing would end the search")
        return self


class WhatIfResult(Frozen):
    """A scenario beside today, with the two plans."""

    comparison: Comparison
    plan_before: Plan
    plan_after: Plan


class SweepAsk(Effort):
    """A scenario over a range of one or two of its values; what comes of it: `SweepResult`."""

    sweep: Sweep
    work_units: Annotated[float, Field(ge=0, le=MOST_WORK_UNITS)] = Field(
        default=0.1, description="deterministic work of each point, from today's plan"
    )


class SweepResult(Frozen):
    """The points of a sweep in their order, and for each row of it the point up to which more pays more than on average."""

    points: tuple[PointResult, ...] = Field(description="those that can be")
    knees: tuple[PointResult | None, ...]
    # Results that were kept before have none.
    refused: tuple[PointRefused, ...] = Field(default=(), description="the others, each with what is wrong with it")


class RiskAsk(Effort):
    """Today's plan, or that of a scenario, carried out on draws; what comes of it: `RiskResult`."""

    scenario: Scenario | None = Field(default=None, description="changes made before; none: the firm as it is")
    draws: Annotated[int, Field(ge=2, le=MOST_DRAWS)] = 400
    arrivals_per_week: Annotated[float, Field(ge=0, le=1_000)] = 0.0
    robust: bool = Field(
        default=False, description="also make a plan with fewer late tasks, and carry it out on the same draws"
    )


class RangeResult(Frozen):
    """A figure over the draws; see `scenarios.uncertainty.Range`."""

    mean: float
    mean_low: float
    mean_high: float
    low: float
    median: float
    high: float


class DifferenceResult(Frozen):
    """How much more of a figure the robust plan has, on the same draws; see `scenarios.uncertainty.Difference`."""

    name: str
    mean: float
    low: float
    high: float
    variance_saved: float | None
    decided: bool


class DeadlineResult(Frozen):
    """The risk of one deadline; see `scenarios.risks.Risk`."""

    task: str
    person: str | None
    late_share: float
    low: float
    high: float
    mean_days_late: float
    cause: str | None


class BottleneckResult(Frozen):
    """A person or skill whose hours make work late; see `scenarios.risks.Bottleneck`."""

    name: str
    mean_late: float
    any_late_share: float
    utilisation_pct: float | None


class RobustResult(Frozen):
    """The robust plan, and how it differs from the plan on the same draws."""

    plan: Plan
    moved: int
    taken: int
    metrics: dict[str, RangeResult]
    differences: tuple[DifferenceResult, ...]


class RiskResult(Frozen):
    """A plan under uncertainty."""

    plan: Plan
    draws: int
    samples: dict[str, tuple[float, ...]] = Field(description="each metric on each draw")
    metrics: dict[str, RangeResult] = Field(
        description="by name: utilisation_pct, spread_pct, on_time_pct, late, escalations"
    )
    deadlines: tuple[DeadlineResult, ...] = Field(description="greatest risk first")
    people: tuple[BottleneckResult, ...] = Field(description="worst first")
    skills: tuple[BottleneckResult, ...] = Field(description="worst first")
    robust: RobustResult | None


class SeasonAsk(RunAsk):
    """The year ahead of the firm, or of the firm after a scenario; what comes of it: `scenarios.season.Season`."""

    scenario: Scenario | None = Field(default=None, description="changes made before; none: the firm as it is")
    days: Annotated[int, Field(ge=7, le=600)] = Field(default=365, description="how far ahead")


class PeriodAsk(Frozen):
    """A past period, and what is to be different in it; nothing: only whether the record comes out again."""

    first_day: date
    last_day: date
    policy: Policy | None = Field(default=None, description="in place of the firm's own; none: as recorded")
    changes: Annotated[tuple[PolicySet, ...], Field(max_length=100)] = Field(
        default=(), description="single settings of the policy, on top of either"
    )
    routing: RoutingPolicy | None = Field(
        default=None, description="by the rule, or by the prices of the last batch; none: as recorded"
    )
    night_weekdays: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(max_length=7)] | None = Field(
        default=None, description="mornings before which the batch runs, Monday is 0; none: as recorded; empty: never"
    )
    freeze_days: Annotated[int, Field(ge=0, le=365)] | None = Field(
        default=None, description="work due within so many days of a batch is not moved by it; none: as recorded"
    )
    approvals: Approvals = Field(
        default=Approvals.AS_THEY_DID, description="which proposals managers approve under the other policy"
    )
    work_units: Annotated[float, Field(ge=0.0001, le=MOST_WORK_UNITS)] = Field(
        default=NIGHT_WORK_UNITS, description="deterministic work of each batch that is planned anew"
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0

    @model_validator(mode="after")
    def _a_period(self) -> Self:
        if self.last_day < self.first_day:
            raise refuse("range_reversed", "last_day", self.last_day, "is before first_day", nearest=self.first_day)
        if (self.last_day - self.first_day).days >= LONGEST_PERIOD_DAYS:
            longest = self.first_day + timedelta(days=LONGEST_PERIOD_DAYS - 1)
            raise refuse("too_long", "last_day", self.last_day, "makes the period longer than a year", nearest=longest)
        return self

    @property
    def terms(self) -> Terms:
        """What is different; nothing: the policy in force."""
        return Terms(
            policy=self.policy,
            settings=self.changes,
            routing=self.routing,
            night_weekdays=None if self.night_weekdays is None else tuple(sorted(set(self.night_weekdays))),
            freeze_days=self.freeze_days,
            approvals=self.approvals,
        ).called("the other policy")

    @property
    def other(self) -> bool:
        """Whether anything is to be different."""
        return self.terms != Terms()


class ReplayAsk(RunAsk, PeriodAsk):
    """A past period played again from the decision log; what comes of it: `scenarios.past_replay.PastOutcome`."""


class Packed(Frozen):
    """An array: type, shape, and its bytes, deflated, as base64."""

    dtype: str
    shape: tuple[int, ...]
    data: str


class RobustPlan(Frozen):
    """A robust plan, as a point of a run; see `scenarios.robust.Robust`."""

    plan: Plan
    moved: int
    taken: int


class DrawsResult(Frozen):
    """What one portion of draws comes to: a number a draw for each metric, and what is needed to put portions together."""

    first_draw: int
    draws: int
    metrics: dict[str, tuple[float, ...]]
    packed: tuple[dict[str, Packed], ...] = Field(description="outcomes of the plan, and of the robust one")
