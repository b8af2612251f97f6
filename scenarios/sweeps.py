"""Sweeps: a scenario with one or two of its values over a range, one solve a point.

A point is data: what it needs to be solved anywhere, a key made from the content of all of it, and a result that says no more than a
chart and a table show. The same point gives the same result, so a point whose key is known need not be solved again, and points may be
done in any order, by anybody.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from scenarios.change import refuse_change
from scenarios.changes import Scenario, scenario_of
from scenarios.overtime_needed import needed_min
from scenarios.run import Solving
from scenarios.significance import interval
from solver.board import compile_board
from solver.crew import Crew
from solver.firm import Firm
from solver.metrics import measure
from solver.plan import Plan, TradeOff
from solver.policy import Frozen
from solver.problem import compile_problem
from solver.reading import read_back
from solver.refusal import Refused, refuse
from solver.stop import WorkBudget
from solver.trade_off import knee

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
        count = math.prod(len(axis.values) for axis in self.axes)
        if count > MOST_POINTS:
            words = f"are more than {MOST_POINTS:,} points"
            refuse_change("too_many_points", "axes", count, words, nearest=MOST_POINTS, hint="Maybe use larger steps.")
        document = self.scenario.model_dump(mode="json")
        grid = itertools.product(*(axis.values for axis in reversed(self.axes)))
        found = []
        for values in (tuple(reversed(cell)) for cell in grid):
            scenario = scenario_of(_with_values(document, self.axes, values))
            found.append(Point(scenario=scenario, values=values, now=now, seed=seed, work_units=work_units))
        return tuple(found)


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
        return _digest({"version": VERSION, "ground": ground, **content})


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


def ground_of(firm: Firm, last: Plan | None) -> str:
    """Return the key of what all points of a sweep start from."""
    plan = None if last is None else _digest(last.model_dump(mode="json", exclude={"certificate": {"versions"}}))
    return _digest({"firm": firm.model_dump(mode="json"), "last": plan})


def _digest(document: object) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def solve_point(
    firm: Firm, point: Point, *, ground: str, last: Plan | None = None, crew: Crew | None = None
) -> PointResult:
    """Solve one point: a pure function of its arguments (a crew changes who does the work, not what comes of it).

    Parameters
    ----------
    ground
        `ground_of` the firm and ``last``, made once for all points.
    last
        Today's plan, from which the search starts.
    """
    changed = point.scenario.apply(firm)
    solving = Solving(stop=lambda: WorkBudget(point.work_units), seed=point.seed, crew=crew)
    plan = solving.plan(changed, point.now, last)
    figures, known = measure(changed, plan).firm, interval(plan.certificate)
    terms = {term.name: term.minutes for term in plan.certificate.terms}
    return PointResult(
        key=point.key(ground),
        values=point.values,
        cost_min=known.high_min,
        bound_min=known.low_min,
        gap_pct=known.gap_pct,
        utilisation_pct=figures.utilisation_pct,
        spread_pct=figures.spread_pct,
        on_time_pct=figures.on_time_forecast_pct,
        escalations=figures.escalations,
        escalated_min=terms["escalation"],
        late=figures.late_open,
        late_min=terms["late"],
        moves=sum(item.moved_from is not None for item in plan.tasks),
        overtime_min=needed_min(changed, plan),
        same_prices=changed.policy.weights == firm.policy.weights,
        todays_prices_min=_by_todays_prices(firm, changed, plan, known.high_min),
    )


def _by_todays_prices(firm: Firm, changed: Firm, plan: Plan, cost_min: int) -> int | None:
    if changed.policy.weights == firm.policy.weights:
        return cost_min
    policy = changed.policy.model_copy(update={"weights": firm.policy.weights})
    problem = compile_problem(compile_board(changed.model_copy(update={"policy": policy}), now=plan.now))
    try:
        return problem.objective_min(read_back(problem, plan))
    except Refused:
        return None


@dataclass(frozen=True)
class Swept:
    """A sweep with its results, in the order of its points."""

    sweep: Sweep
    results: tuple[PointResult, ...]
    solved: int

    def shown(self, result: PointResult) -> tuple[str, ...]:
        """Return the values of a point as people write them."""
        return tuple(axis.shown(value) for axis, value in zip(self.sweep.axes, result.values, strict=True))

    def rows(self) -> tuple[tuple[PointResult, ...], ...]:
        """Return the results by the value of the second axis; one row where there is none."""
        width = len(self.sweep.axes[0].values)
        return tuple(self.results[start : start + width] for start in range(0, len(self.results), width))

    def knees(self) -> tuple[PointResult | None, ...]:
        """Return for each row the point up to which more pays more than on average; see `knee_of`."""
        return tuple(knee_of(row) for row in self.rows())


def run_sweep(
    firm: Firm,
    sweep: Sweep,
    *,
    now: datetime,
    seed: int = 0,
    work_units: float,
    last: Plan | None = None,
    crew: Crew | None = None,
    known: Callable[[str], PointResult | None] = lambda key: None,
    on_result: Callable[[PointResult, int, int], None] = lambda result, done, of: None,
    go_on: Callable[[], bool] = lambda: True,
) -> Swept:
    """Solve the points of a sweep one after another.

    Parameters
    ----------
    known
        Asked for the result of a key before it is solved.
    on_result
        Told each result, with how many there are by then and how many there will be.
    go_on
        Asked before each point; once it says no, the whole rows finished by then are returned.
    """
    points = sweep.points(now=now, seed=seed, work_units=work_units)
    ground, results, solved = ground_of(firm, last), [], 0
    for point in points:
        if not go_on():
            break
        result = known(point.key(ground))
        if result is None:
            result = solve_point(firm, point, ground=ground, last=last, crew=crew)
            solved += 1
        results.append(result.model_copy(update={"values": point.values}))
        on_result(results[-1], len(results), len(points))
    return Swept(sweep, tuple(results), solved)


def knee_of(row: Sequence[PointResult]) -> PointResult | None:
    """Return the point up to which each further step saves more than the average step does.

    Steps are those of the value; where weights differ, whose costs are in different currencies, they are moves, and costs are by today's
    weights. ``None`` with fewer than three points, where nothing is saved, or where values are no rising whole numbers.
    """
    if len(row) < 3:
        return None
    if all(one.same_prices for one in row):
        places = [one.values[0] for one in row]
        steps = [place for place in places if isinstance(place, int) and not isinstance(place, bool)]
        costs = [one.cost_min for one in row]
    else:
        row = sorted(row, key=lambda one: (one.moves, one.todays_prices_min or 0))
        steps = [one.moves for one in row]
        costs = [one.todays_prices_min for one in row if one.todays_prices_min is not None]
    if len(steps) < len(row) or len(costs) < len(row) or steps != sorted(steps):
        return None
    curve = [
        TradeOff(
            limit=step,
            moves=step - steps[0],
            objective_min=cost,
            gain_min=costs[0] - cost,
            escalations=one.escalations,
            late=one.late,
        )
        for step, cost, one in zip(steps, costs, row, strict=True)
    ]
    if curve[-1].gain_min <= 0:
        return None
    best = knee(curve)
    return None if best is None else row[curve.index(best)]


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
