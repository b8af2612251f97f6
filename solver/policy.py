"""What the firm wants: guardrail, weights in minutes with the reason beside each, cadence and horizon."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Minutes = Annotated[int, Field(ge=0, le=10_000_000)]
Percent = Annotated[int, Field(ge=0, le=1_000)]


class Frozen(BaseModel):
    """Base of everything the engine is told: frozen, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ValueTier(StrEnum):
    """How much a client is worth to the firm."""

    LOW = "low"
    STANDARD = "standard"
    HIGH = "high"


class MissingEstimate(StrEnum):
    """What happens to a task without an estimate."""

    HOLD = "hold"
    TYPE_DEFAULT = "type_default"


class Guardrail(Frozen):
    """The minimum level that complex work or a high-value client demands (product rule, step 5)."""

    complex_from: Annotated[int, Field(ge=1, le=5)] = Field(
        default=4, description="complexity (1 to 5) from which a task counts as complex"
    )
    complex_level: str | None = Field(default=None, description="lowest level that may do complex work; none: no limit")
    high_value_level: str | None = Field(
        default=None, description="lowest level that may work for a client of the high tier; none: no limit"
    )


class Weights(Frozen):
    """Prices of what trades off, all in minutes of comfort. The description of each field is its reason."""

    escalation: Minutes = Field(
        default=60,
        description="per minute of work that nobody takes, times priority: "
        "a partner spends hours on each, so it must outbid any comfort below",
    )
    late_start: Minutes = Field(
        default=30,
        description="per minute of work promised after its deadline, times priority, once: "
        "a broken promise costs half of a task nobody takes",
    )
    late_day: Minutes = Field(
        default=2,
        description="per minute of late work and calendar day late, times priority: late work is finished early",
    )
    balance_pct: Percent = Field(
        default=100,
        description="per minute of load away from a person's fair share of the whole backlog: "
        "a minute of imbalance is a minute somebody else waits",
    )
    balance_far_pct: Percent = Field(
        default=100,
        description="added to balance_pct beyond far_from_share_pct of the fair share: "
        "the last overloaded hour hurts twice as much as the first",
    )
    far_from_share_pct: Percent = Field(
        default=20, description="share of the fair share within which the imbalance counts once only"
    )
    week_balance_pct: Percent = Field(
        default=25,
        description="per minute of work due by the end of a week away from the fair share of it: "
        "a level month may hide an unlevel week, but weeks even out by themselves in part",
    )
    week_ends: Annotated[int, Field(ge=0, le=12)] = Field(
        default=4, description="how many week ends are levelled; beyond a month arrivals change everything"
    )
    move: Minutes = Field(
        default=60, description="taking a task from its person: an hour for handing over, telling, and reading in"
    )
    move_soon: Minutes = Field(
        default=120, description="added when the task is due within soon_days: no time is left to read in"
    )
    soon_days: Annotated[int, Field(ge=0, le=60)] = Field(
        default=5, description="calendar days to the deadline within which a move counts as late notice"
    )
    continuity: Minutes = Field(
        default=30, description="the client's usual person does not get the task: half an hour of questions asked again"
    )
    level_above_pct: Percent = Field(
        default=10,
        description="per minute of work and level above need beyond the first: keeps seniors free for what only they can do",
    )
    overtime: Minutes = Field(
        default=60,
        description="per minute added to somebody's hours to mend an escalation: as much as a minute of ordinary work promised "
        "late, for both break what was agreed, one with a colleague, one with a client",
    )


class Cadence(Frozen):
    """When the batch runs; read by the service, not by the solver."""

    nightly_hour: Annotated[int, Field(ge=0, le=23)] = Field(default=2, description="local hour of the full re-solve")
    midweek_check: bool = Field(default=True, description="check for overload each Wednesday morning")


class Policy(Frozen):
    """Everything about the firm's wishes that is not a fact: what to guard, what to pay for, how far to look."""

    guardrail: Guardrail = Guardrail()
    weights: Weights = Weights()
    cadence: Cadence = Cadence()
    horizon_days: Annotated[int, Field(ge=1, le=730)] = Field(
        default=28, description="calendar days looked ahead at least; later deadlines extend it"
    )
    late_tail_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=42,
        description="calendar days kept behind the last deadline, so that late work has a day it will be done",
    )
    missing_estimate: MissingEstimate = Field(
        default=MissingEstimate.HOLD, description="hold a task without an estimate, or use its type's default"
    )
    remaining_floor_min: Annotated[int, Field(ge=1, le=480)] = Field(
        default=15, description="minutes an open task still needs when its estimate is used up"
    )
