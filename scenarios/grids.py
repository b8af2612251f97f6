"""What a sweep is: a scenario, one or two of its values over a range, and points, each data that can be solved anywhere.

A point has a key made from the content of all it depends on, and a result that says no more than a chart and a table show. The same
point gives the same result, so a point whose key is known need not be solved again, and points may be done in any order, by anybody.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from scenarios.change import refuse_change
from scenarios.changes import Scenario, scenario_of
from solver.firm import Firm
from solver.plan import Plan
from solver.policy import Frozen
from solver.refusal import Refusal, refuse

Value = bool | int | str | None
VERSION = 1
"""Part of every key; raised when the same point comes to another result."""
MOST_POINTS = 10_000


class Axis(Frozen):
    """One parameter: a field of one of the scenario's changes, and its values."""

    field: Annotated[str, Field(pattern=r"^\d+\.[a-z_]+$")] = Field(
        description="number of the change, from 0, and its field, such as 0.per_week_min"
    )
    values: Annotated[tuple[Value, ...], Field(min_length=1)]
    label: str = Field(default="", description="what people call it; none: the field")
    per: Annotated[int, Field(ge=1)] = Field(
        default=1, description="whole numbers are shown divided by this, 60 for minutes as hours"
    )

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        twice = next((one for n, one in enumerate(self.values) if one in self.values[:n]), None)
        if twice is not None:
            raise refuse("duplicate_value", "values", twice, "occurs twice")
        return self

    @property
    def name(self) -> str:
        """The label, or the field's own name."""
        return self.label or self.field.partition(".")[2].replace("_", " ")

    def shown(self, value: Value) -> str:
        """Return one of the values as people write it."""
        if value is None or isinstance(value, bool | str):
            return "none" if value is None else str(value)
        return f"{value // self.per:,}" if value % self.per == 0 else f"{value / self.per:,.2f}"


class Sweep(Frozen):
    """A scenario, and the one or two parameters it is tried over; the first one changes fastest."""

    scenario: Scenario
    axes: Annotated[tuple[Axis, ...], Field(min_length=1, max_length=2)]

    def points(self, *, now: datetime, seed: int, work_units: float) -> tuple[Point, ...]:
        """Return every point of the grid.

        Raises
        ------
        Refused
            A field is not one of its change, or a value cannot be.
        """
        return tuple(self.point(values, now=now, seed=seed, work_units=work_units) for values in self.cells())

    def cells(self) -> tuple[tuple[Value, ...], ...]:
        """Return the values of the axes at every point of the grid, whether or not such a point can be.

        Raises
        ------
        Refused
            There are too many.
        """
        count = math.prod(len(axis.values) for axis in self.axes)
        if count > MOST_POINTS:
            words = f"are more than {MOST_POINTS:,} points"
            refuse_change("too_many_points", "axes", count, words, nearest=MOST_POINTS, hint="Maybe use larger steps.")
        grid = itertools.product(*(axis.values for axis in reversed(self.axes)))
        return tuple(tuple(reversed(cell)) for cell in grid)

    def point(self, values: Sequence[Value], *, now: datetime, seed: int, work_units: float) -> Point:
        """Return the point with some values of the axes, in their order.

        Raises
        ------
        Refused
            As `points`.
        """
        document = _with_values(self.scenario.model_dump(mode="json"), self.axes, values)
        return Point(scenario=scenario_of(document), values=tuple(values), now=now, seed=seed, work_units=work_units)


def _with_values(document: Mapping[str, Any], axes: Sequence[Axis], values: Sequence[Value]) -> dict[str, Any]:
    changes = [dict(change) for change in document["changes"]]
    for axis, value in zip(axes, values, strict=True):
        number, _, field = axis.field.partition(".")
        if int(number) >= len(changes):
            near = f"{len(changes) - 1}.{field}" if changes else None
            refuse_change("unknown_reference", "axes.field", axis.field, f"names no change {number}", nearest=near)
        changes[int(number)][field] = value
    return {**document, "changes": changes}


class Point(Frozen):
    """One solve of a sweep, with everything it depends on but the firm and the plan it starts from."""

    scenario: Scenario
    values: tuple[Value, ...] = Field(description="of the axes, in their order")
    now: datetime
    seed: int
    work_units: Annotated[float, Field(ge=0)] = Field(description="deterministic work of the search")

    def key(self, ground: str) -> str:
        """Return what the point's result may be stored under; ``ground`` is that of the firm and plan it starts from."""
        content = self.model_dump(mode="json", exclude={"values": True, "scenario": {"name"}})
        return digest_of({"version": VERSION, "ground": ground, **content})


class PointResult(Frozen):
    """What a chart and a table show of a point. Costs are in minutes, what no plan can avoid included."""

    key: str
    values: tuple[Value, ...]
    cost_min: int
    bound_min: int
    gap_pct: float
    utilisation_pct: float | None
    spread_pct: float | None
    on_time_pct: float | None
    escalations: int
    escalated_min: int = Field(description="price of work that nobody takes")
    late: int
    late_min: int = Field(description="price of work promised late")
    moves: int = Field(description="tasks the plan takes from their holders")
    overtime_min: int = Field(description="overtime the promises need")
    same_prices: bool = Field(description="whether it is solved by the weights of the firm as it is")
    todays_prices_min: int | None = Field(
        description="cost by the weights of the firm as it is; none: such a plan is not possible under them"
    )


class PointRefused(Frozen):
    """A point that cannot be: a value of its changes, or what they come to on the firm, is refused. The others do not mind."""

    values: tuple[Value, ...]
    refusal: Refusal


def ground_of(firm: Firm, last: Plan | None) -> str:
    """Return the key of what all points of a sweep start from."""
    plan = None if last is None else digest_of(last.model_dump(mode="json", exclude={"certificate": {"versions"}}))
    return digest_of({"firm": firm.model_dump(mode="json"), "last": plan})


def digest_of(document: object) -> str:
    """Return the hash of a JSON document, whatever the order of its fields."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def values_of(said: str) -> tuple[Value, ...]:
    """Return the values of ``0..10``, ``0..600/60`` (in steps of 60) or ``low,senior,none``.

    Raises
    ------
    Refused
        A range that has no values.
    """
    span = re.fullmatch(r"\s*(-?\d+)\.\.(-?\d+)(?:/(\d+))?\s*", said)
    if span:
        first, last, step = int(span[1]), int(span[2]), int(span[3] or 1)
        if last < first or step < 1:
            near = f"{min(first, last)}..{max(first, last)}"
            refuse_change("no_values", "values", said, "has no values", nearest=near)
        return tuple(range(first, last + 1, step))
    return tuple(_value(word.strip()) for word in said.split(",") if word.strip())


def _value(word: str) -> Value:
    known: Mapping[str, Value] = {"none": None, "true": True, "false": False}
    if word.casefold() in known:
        return known[word.casefold()]
    return int(word) if re.fullmatch(r"-?\d+", word) else word
