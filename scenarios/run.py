"""A scenario solved and compared with today.

Both firms are searched from the same plan with the same budget and seed, so what one search finds the other had the same chance of
finding. Where one of the two results, carried over, is better for the other firm than its own, that firm is searched on from there. A
difference smaller than what is unknown of both plans is said to be undecided, and both are solved on, up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scenarios.changes import Scenario
from scenarios.difference import Comparison, difference
from scenarios.significance import Interval, Significance, Verdict, interval, significance
from solver.again import carried_over
from solver.batch import solve
from solver.board import compile_board
from solver.crew import Crew
from solver.firm import Firm
from solver.plan import Plan
from solver.problem import compile_problem
from solver.running import ProgressCallback
from solver.stop import Stop

MakeStop = Callable[[], Stop]
"""Makes the stop rule of one solve, as a rule may count what it has seen."""


@dataclass(frozen=True)
class Solving:
    """How a firm is solved: by whom, how long, from which seed.

    Attributes
    ----------
    stop
        Makes the rule that ends one solve. With `solver.stop.WorkBudget` a comparison is the same on any machine.
    crew
        Who does the jobs of a search; none: here, one after another.
    """

    stop: MakeStop
    seed: int = 0
    crew: Crew | None = None
    on_progress: ProgressCallback = lambda progress: None

    def plan(self, firm: Firm, now: datetime, last: Plan | None = None, *, seed: int | None = None) -> Plan:
        """Return a plan of a firm, found from ``last`` where there is one."""
        return solve(
            firm,
            now=now,
            stop=self.stop(),
            seed=self.seed if seed is None else seed,
            on_progress=self.on_progress,
            crew=self.crew,
            last=last,
            advice=False,
        )


@dataclass(frozen=True)
class Baseline:
    """Today, ready to be compared with any number of scenarios.

    Attributes
    ----------
    anchor
        The plan that every search starts from.
    plan
        Today's firm, searched from the anchor with the budget that each scenario gets.
    known
        Between what the best plan's cost lies, as all searches of today's firm know it.
    """

    firm: Firm
    now: datetime
    anchor: Plan
    plan: Plan
    known: Interval


@dataclass(frozen=True)
class Compared:
    """A comparison with the firms and plans it was made from."""

    comparison: Comparison
    scenario: Scenario
    before: Firm
    after: Firm
    plan_before: Plan
    plan_after: Plan


def baseline(
    firm: Firm, *, now: datetime, solving: Solving, last: Plan | None = None, first: Solving | None = None
) -> Baseline:
    """Return today's plan to compare with.

    Parameters
    ----------
    last
        A plan of the firm made before, such as last night's: all searches start from it.
    first
        How the firm is solved first where there is no such plan; otherwise as all others are.
    """
    anchor = last or (first or solving).plan(firm, now)
    side = _Side(firm, now, solving.plan(firm, now, anchor))
    if last is None:  # a plan made before may be of the firm as it was then, which says nothing of today's bound
        side.take(anchor)
    return Baseline(firm, now, anchor, side.plan, side.known)


def compare(
    base: Baseline,
    scenario: Scenario,
    *,
    solving: Solving,
    rounds: int = 2,
    go_on: Callable[[], bool] = lambda: True,
) -> Compared:
    """Return the scenario beside today.

    Parameters
    ----------
    rounds
        How often both are solved on, each time with the same budget, while the difference is undecided.
    go_on
        Asked before each solve after the scenario's first; a clock says no here.

    Raises
    ------
    Refused
        A change cannot be made; see `scenarios.changes.apply_all`.
    """
    firm = scenario.apply(base.firm)
    today = _Side(base.firm, base.now, base.plan)
    today.known = base.known
    if firm == base.firm:
        return _compared(base, scenario, today, today, 0)
    would = _Side(firm, base.now, solving.plan(firm, base.now, base.anchor))
    for side, other in ((today, would), (would, today)):
        if go_on():
            side.catch_up(other.plan, solving)
    done = 0
    while done < rounds and _judged(today, would, done).verdict is Verdict.UNDECIDED and go_on():
        done += 1
        for side in (today, would):
            side.take(solving.plan(side.firm, base.now, side.plan, seed=solving.seed + done))
    return _compared(base, scenario, today, would, done)


class _Side:
    """One of the two firms, with the best plan and bound known of it."""

    def __init__(self, firm: Firm, now: datetime, plan: Plan) -> None:
        self.firm, self.now, self.plan = firm, now, plan
        self.known = interval(plan.certificate)

    def take(self, plan: Plan) -> None:
        """Keep a plan if it is cheaper, and its bound if that is higher."""
        found = interval(plan.certificate)
        if found.high_min < self.known.high_min:
            self.plan = plan
        low = max(found.low_min, self.known.low_min)
        self.known = Interval(low, min(found.high_min, self.known.high_min))

    def catch_up(self, other: Plan, solving: Solving) -> None:
        """Search on from the other side's plan where, carried over, it is cheaper than this side's own."""
        problem = compile_problem(compile_board(self.firm, now=self.now))
        if problem.objective_min(carried_over(problem, other)) < self.known.high_min:
            self.take(solving.plan(self.firm, self.now, other))


def _judged(today: _Side, would: _Side, rounds: int) -> Significance:
    return significance(
        today.known,
        would.known,
        same=today.firm == would.firm,
        comparable=today.firm.policy.weights == would.firm.policy.weights,
        rounds=rounds,
    )


def _compared(base: Baseline, scenario: Scenario, today: _Side, would: _Side, rounds: int) -> Compared:
    comparison = Comparison(
        name=scenario.name,
        changes=scenario.sentences(base.firm),
        significance=_judged(today, would, rounds),
        difference=difference(today.firm, today.plan, would.firm, would.plan),
        certificate_before=today.plan.certificate,
        certificate_after=would.plan.certificate,
    )
    return Compared(comparison, scenario, today.firm, would.firm, today.plan, would.plan)


__all__ = ["Baseline", "Compared", "Comparison", "Solving", "baseline", "compare"]
