"""What the routes of scenarios take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError, WrapValidator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from api.jobs.asks import MOST_DRAWS, MOST_WORK_UNITS, Effort, PeriodAsk, RiskResult, SweepResult, WhatIfResult
from api.routes.models import Answer
from api.routes.waiting_models import Said
from api.store.run_states import PointState, RunState
from scenarios.changes import Change, known_changes, require_known_fields
from scenarios.grids import Axis
from scenarios.past_outcome import PastOutcome
from scenarios.rebasing import Rebased
from scenarios.refused_moves import NotProposed
from scenarios.season_figures import Season
from solver.firm import Name
from solver.policy import Frozen
from solver.refusal import Refusal, Refused, refuse

MOST_CHANGES = 100
MOST_VALUES = 200
"""Of one axis of a sweep."""
RunKind = Literal["what_if", "sweep", "risk", "season"]
"""Of what is worked out about a scenario."""
AnyRunKind = Literal["what_if", "sweep", "risk", "season", "replay"]


def _read(value: Any, handler: Any) -> Any:
    """Read changes; what is wrong with one is said without its kind in the path, and with the nearest field where one is unknown."""
    if isinstance(value, list):
        try:
            require_known_fields(value)
        except Refused as error:
            raise _mistake(error.refusal) from error
    try:
        return handler(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(error.title, [_untagged(one) for one in error.errors()]) from error


def _mistake(found: Refusal) -> PydanticCustomError:
    field = found.field.removeprefix("changes.")
    return refuse(found.code, field, found.value, found.message, nearest=found.nearest, hint=found.hint)


def _untagged(detail: Any) -> InitErrorDetails:
    """Return a mistake as pydantic lists it without the kind of change that it puts behind the number."""
    place = detail["loc"]
    if len(place) > 1 and place[1] in known_changes():
        place = (place[0], *place[2:])
    context = detail.get("ctx", {})
    kind: Any = detail["type"]
    if "why" in context:  # one of ours
        kind = PydanticCustomError(detail["type"], "{why}", context)
    return InitErrorDetails(type=kind, loc=place, input=detail["input"], ctx=context)


Changes = Annotated[
    tuple[Change, ...],
    WrapValidator(_read),
    Field(
        min_length=1, max_length=MOST_CHANGES, description="applied in this order; docs/what-if.md says what each does"
    ),
]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewScenario(Frozen):
    """A what-if to be kept. People, clients and types by id, or by a name that only one of them has; kept are ids."""

    name: Title
    note: Said = Field(default="", description="why somebody asks")
    changes: Changes


class ScenarioRow(Answer):
    """A scenario as it is kept."""

    id: str
    version: int = Field(description="counts the changes of the scenario itself, from 1; its ETag")
    name: str
    note: str
    changes: tuple[Change, ...]
    base_version: int = Field(description="of the firm that it was made for; moves only when somebody asks for it")
    created_at: datetime
    created_by: str = Field(description="id of the token or user")
    changed_at: datetime
    changed_by: str = Field(description="id of the token or user")


class ScenarioAnswer(ScenarioRow):
    """A scenario, and what becomes of it on today's firm."""

    firm_version: int = Field(description="of today's firm, which the following is about")
    today: tuple[Rebased, ...] = Field(
        description="each change on today's firm: it applies as it is, applies in another form, or does not, with the reason"
    )


class ScenarioPage(Answer):
    """Scenarios, newest first."""

    scenarios: tuple[ScenarioRow, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class WhatIfRun(Effort):
    """The scenario beside today."""

    kind: Literal["what_if"] = "what_if"
    work_units: Annotated[float, Field(ge=0, le=MOST_WORK_UNITS)] = Field(
        default=1.0, description="deterministic work of each search"
    )
    rounds: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="how often both are solved on while the difference is undecided"
    )


class SweepRun(Effort):
    """The scenario over a range of one or two of its values."""

    kind: Literal["sweep"]
    axes: Annotated[tuple[Axis, ...], Field(min_length=1, max_length=2)]
    work_units: Annotated[float, Field(ge=0, le=MOST_WORK_UNITS)] = Field(
        default=0.1, description="deterministic work of each point, from today's plan"
    )

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        for number, axis in enumerate(self.axes):
            if len(axis.values) > MOST_VALUES:
                words = f"are more than {MOST_VALUES} values"
                raise refuse("too_many_values", f"axes.{number}.values", len(axis.values), words, nearest=MOST_VALUES)
        return self


class RiskRun(Effort):
    """The scenario's plan carried out on draws of what may turn out otherwise."""

    kind: Literal["risk"]
    draws: Annotated[int, Field(ge=2, le=MOST_DRAWS)] = 400
    arrivals_per_week: Annotated[float, Field(ge=0, le=1_000)] = 0.0
    robust: bool = Field(
        default=False, description="also make a plan with fewer late tasks, and carry it out on the same draws"
    )


class SeasonRun(Frozen):
    """The year ahead by skill and level, week by week: what runs out, and the cheapest mix that closes it."""

    kind: Literal["season"]
    days: Annotated[int, Field(ge=7, le=600)] = Field(default=365, description="how far ahead")


class ReplayRun(PeriodAsk):
    """A past period played again from the decision log, under the policy in force and under another one."""

    kind: Literal["replay"]


NewRun = Annotated[WhatIfRun | SweepRun | RiskRun | SeasonRun, Field(discriminator="kind")]
NewFirmRun = Annotated[SeasonRun | ReplayRun, Field(discriminator="kind")]
AnyRun = WhatIfRun | SweepRun | RiskRun | SeasonRun | ReplayRun


class RunRow(Answer):
    """Something worked out about a scenario, or about the firm itself, as it stands."""

    id: str
    scenario: str | None = Field(description="none: it is about the firm itself, or its scenario was removed")
    kind: AnyRunKind
    state: RunState
    position: int = Field(description="among the runs of this firm that wait, 1 for the next; 0: it does not wait")
    ask: Annotated[AnyRun, Field(discriminator="kind")]
    version: int = Field(description="of the firm that it is worked out for")
    planned_at: datetime = Field(description="the moment that is planned from")
    actor: str = Field(description="id of the token or user that asked")
    asked_at: datetime
    cancel_at: datetime | None = Field(description="when somebody asked to cancel it")
    started_at: datetime | None
    ended_at: datetime | None
    points: int = Field(
        description="how many pieces there are: 1 for a comparison or a season, the points of a sweep, portions of draws, 3 for a "
        "replay under another policy"
    )
    points_done: int
    points_known: int = Field(description="of those done, how many were known before and not worked out again")
    error: str | None = Field(description="why it failed, in words; none: it did not")
    changes: tuple[Change, ...] = Field(description="as they were applied to that firm")


class RunAnswer(RunRow):
    """Something worked out, with what became of its scenario on that day's firm."""

    rebased: tuple[Rebased, ...] | None = Field(
        description="what became of the scenario's changes on that firm; none: the scenario has been changed since, or there is none"
    )


class RunPage(Answer):
    """Runs, newest first."""

    runs: tuple[RunRow, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class RunStep(Answer):
    """One step of a run, as it is told to whoever watches it."""

    number: int = Field(default=0, description="of the event")
    state: RunState
    points: int
    points_done: int
    point: int | None = Field(default=None, description="the piece that has ended; none: none has")
    error: str | None = None


class PointRow(Answer):
    """One piece of a run."""

    number: int
    state: PointState
    known: bool = Field(description="whether its result was there before")
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None
    refusal: Refusal | None = Field(description="why this point of a sweep cannot be; none: it can, as far as is known")
    result: Any = Field(description="what came of it, as it stands in the result of the run; none: not yet")


class PointPage(Answer):
    """The pieces of a run in their order, with the results that are there by now."""

    points: tuple[PointRow, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class WhatIfCame(WhatIfResult):
    """A scenario beside today, with the two plans."""

    kind: Literal["what_if"]


class SweepCame(SweepResult):
    """The points of a sweep, with the knees."""

    kind: Literal["sweep"]


class RiskCame(RiskResult):
    """A plan under uncertainty."""

    kind: Literal["risk"]


class SeasonCame(Season):
    """The year ahead."""

    kind: Literal["season"]


class ReplayCame(PastOutcome):
    """A past period as it was and as it would have been."""

    kind: Literal["replay"]


Came = Annotated[WhatIfCame | SweepCame | RiskCame | SeasonCame | ReplayCame, Field(discriminator="kind")]


class RunResult(Answer):
    """What came of a run."""

    id: str
    result: Came


class Turned(Answer):
    """The moves of a scenario: those that are proposals now, and why the others are none."""

    proposals: tuple[str, ...] = Field(description="ids; they wait for a manager like any other")
    refused: tuple[NotProposed, ...]
    changes: tuple[Rebased, ...] = Field(description="what `depends_on` counts: the changes, on today's firm")


class Turning(Frozen):
    """Turns the moves of a scenario into proposals."""

    expires_at: AwareDatetime | None = Field(default=None, description="when they are void; none: after seven days")
    tasks: Annotated[tuple[Name, ...], Field(max_length=1_000)] = Field(
        default=(), description="only the moves of these; empty: all"
    )
