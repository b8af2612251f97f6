"""Sweeps: a scenario with one or two of its values over a range, one solve a point, and the knee of a row of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from scenarios.grids import Point, PointRefused, PointResult, Sweep, Value, ground_of
from scenarios.overtime_needed import needed_min
from scenarios.run import Solving
from scenarios.significance import interval
from solver.board import compile_board
from solver.crew import Crew
from solver.firm import Firm
from solver.metrics import measure
from solver.plan import Plan, TradeOff
from solver.problem import compile_problem
from solver.reading import read_back
from solver.refusal import Refused
from solver.stop import WorkBudget
from solver.trade_off import knee


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


def result_or_refused(values: Sequence[Value], work: Callable[[], PointResult]) -> PointResult | PointRefused:
    """Return what came of a point, or why it cannot be."""
    try:
        return work()
    except Refused as error:
        return PointRefused(values=tuple(values), refusal=error.refusal)


@dataclass(frozen=True)
class Swept:
    """A sweep with its results, in the order of its points.

    Attributes
    ----------
    refused
        The points that cannot be, in their order; results of the others are in ``results``.
    """

    sweep: Sweep
    results: tuple[PointResult, ...]
    solved: int
    refused: tuple[PointRefused, ...] = ()

    def in_order(self) -> tuple[PointResult | PointRefused, ...]:
        """Return every point that is there, in the order of the grid."""
        points: tuple[PointResult | PointRefused, ...] = (*self.results, *self.refused)
        found = {one.values: one for one in points}
        return tuple(found[values] for values in self.sweep.cells() if values in found)

    def shown(self, result: PointResult | PointRefused) -> tuple[str, ...]:
        """Return the values of a point as people write them."""
        return tuple(axis.shown(value) for axis, value in zip(self.sweep.axes, result.values, strict=True))

    def rows(self) -> tuple[tuple[PointResult, ...], ...]:
        """Return the results by the value of the second axis; one row where there is none."""
        values = self.sweep.axes[1].values if len(self.sweep.axes) > 1 else (None,)
        rows: dict[Value, list[PointResult]] = {value: [] for value in values}
        for one in self.results:
            rows[one.values[1] if len(one.values) > 1 else None].append(one)
        return tuple(tuple(row) for row in rows.values())

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
    """Solve the points of a sweep one after another; one that cannot be is kept with the reason, and the others are solved.

    Parameters
    ----------
    known
        Asked for the result of a key before it is solved.
    on_result
        Told each result, with how many points are over by then and how many there are.
    go_on
        Asked before each point; once it says no, what is finished by then is returned.

    Raises
    ------
    Refused
        No point of the sweep can be; why the first one cannot.
    """
    cells, ground = sweep.cells(), ground_of(firm, last)
    results: list[PointResult] = []
    refused: list[PointRefused] = []
    solved = 0

    def worked_out(values: tuple[Value, ...]) -> PointResult:
        nonlocal solved
        point = sweep.point(values, now=now, seed=seed, work_units=work_units)
        result = known(point.key(ground))
        if result is None:
            result = solve_point(firm, point, ground=ground, last=last, crew=crew)
            solved += 1
        return result

    for number, values in enumerate(cells, start=1):
        if not go_on():
            break
        found = result_or_refused(values, partial(worked_out, values))
        if isinstance(found, PointRefused):
            refused.append(found)
        else:
            results.append(found.model_copy(update={"values": values}))
            on_result(results[-1], number, len(cells))
    if len(refused) == len(cells):
        raise Refused(refused[0].refusal)
    return Swept(sweep, tuple(results), solved, tuple(refused))


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
