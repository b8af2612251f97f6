"""A scenario solved and compared with today.

The scenario is searched from today's plan. What its search finds that would do for today as well is carried back, and the other way
round, so neither looks good because its search was lucky. Of the plans met, that one is shown in which every task with another person
than today earns its disruption, so the two differ by what the changes ask for and not by chance. A difference smaller than what is
unknown of both is said to be undecided, and both are solved on, up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from scenarios.changes import Scenario
from scenarios.difference import Comparison, difference
from scenarios.more_offered import dearer_by_at_most
from scenarios.significance import Interval, Significance, Verdict, interval, significance
from solver.again import Promised, carried, kept
from solver.batch import certificate, solve_board
from solver.board import compile_board
from solver.bound import Bound
from solver.construct import completed, rule_plan
from solver.crew import Crew
from solver.firm import Firm
from solver.multipliers import Multipliers, shifted_bound
from solver.nearby import nearby, nearest, people_of
from solver.plan import Plan
from solver.problem import Assignment, Problem, compile_problem, leeway_days
from solver.reading import read_back
from solver.refusal import Refused
from solver.running import ProgressCallback
from solver.stop import Progress, Stop
from solver.writing import written

MakeStop = Callable[[], Stop]
"""Makes the stop rule of one solve, as a rule may count what it has seen."""
RELAXED_AGAIN = 50_000
"""Choices of task, person and window up to which a scenario has a relaxation of its own: one of 30 people and 600 tasks takes a second,
one of 100 and 3,000 (122,542 choices) forty. Beyond, its bound is that of today's multipliers."""


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

    def plan(self, firm: Firm, now: datetime, last: Plan | None = None) -> Plan:
        """Return a plan of a firm, found from ``last`` where there is one."""
        return self.plan_of(compile_problem(compile_board(firm, now=now)), last)

    def plan_of(
        self,
        problem: Problem,
        last: Plan | None = None,
        *,
        seed: int | None = None,
        low_min: int = 0,
        on_bound: Callable[[Bound], None] = lambda bound: None,
    ) -> Plan:
        """Return a plan of a firm that is compiled already; ``low_min`` is a bound known beforehand, unavoidable part included."""
        return solve_board(
            problem.board,
            stop=self.stop(),
            seed=self.seed if seed is None else seed,
            on_progress=self.on_progress,
            crew=self.crew,
            last=last,
            advice=False,
            problem=problem,
            on_bound=on_bound,
            known_min=low_min if low_min and problem.choice_count > RELAXED_AGAIN else None,
        )


@dataclass(frozen=True)
class Baseline:
    """Today, ready to be compared with any number of scenarios.

    Attributes
    ----------
    plan
        The plan that scenarios are searched from.
    multipliers
        Of the relaxation that was solved beside its search, from which scenarios have a bound at once; none where it was not.
    """

    firm: Firm
    now: datetime
    plan: Plan
    multipliers: Multipliers | None = None

    @cached_property
    def problem(self) -> Problem:
        """The firm compiled, once for all scenarios."""
        return compile_problem(compile_board(self.firm, now=self.now))


@dataclass(frozen=True)
class Compared:
    """A comparison with the firms and plans it was made from."""

    comparison: Comparison
    scenario: Scenario
    before: Firm
    after: Firm
    plan_before: Plan
    plan_after: Plan


def baseline(firm: Firm, *, now: datetime, solving: Solving, last: Plan | None = None) -> Baseline:
    """Return today's plan to compare with, found from a plan made before, such as last night's, where there is one."""
    bounds: list[Bound] = []
    problem = compile_problem(compile_board(firm, now=now))
    plan = solving.plan_of(problem, last, on_bound=bounds.append)
    relaxed = bounds[-1].relaxed if bounds else None
    base = Baseline(firm, now, plan, relaxed.multipliers if relaxed else None)
    base.__dict__["problem"] = problem  # compiled once
    return base


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
    today = _Side(base.problem, base.plan, base.plan)
    if firm == base.firm:
        return _compared(base, scenario, today, today, 0)
    problem = compile_problem(compile_board(firm, now=base.now, leeway_days=_leeway_days(base.problem, firm)))
    low_min = shifted_bound(problem, base.problem, base.multipliers)
    would = _Side(problem, base.plan, solving.plan_of(problem, base.plan, low_min=low_min), low_min)
    _settle(today, would, solving.seed)
    done = 0
    while done < rounds and _judged(today, would, done).verdict is Verdict.UNDECIDED and go_on():
        done += 1
        for side in (today, would):
            seed, low_min = solving.seed + done, side.known.low_min
            side.learn(solving.plan_of(side.problem, side.plan, seed=seed, low_min=low_min))
        _settle(today, would, solving.seed)
    return _compared(base, scenario, today, would, done)


class _Side:
    """One of the two firms: its problem, the cheapest plan known, the plan shown, and what is known of its cost.

    Attributes
    ----------
    near
        The plan whose people keep their tasks unless a move earns its disruption.
    held_back
        Whether a plan was met that is not shown because it leaves more to nobody than today's, which stands here.
    """

    def __init__(self, problem: Problem, near: Plan, plan: Plan, low_min: int = 0) -> None:
        self.problem, self.firm, self.near = problem, problem.board.firm, near
        self.held_back = False
        self.rule_min = problem.objective_min(rule_plan(problem))
        self.best = self.shown = read_back(self.problem, plan)
        found = interval(plan.certificate)
        self.known = Interval(max(found.low_min, low_min), found.high_min)
        self.seed = plan.certificate.seed
        self.searched, self._written = plan.certificate, (self.shown, self.known.low_min, plan)
        self._carried: tuple[Sequence[Promised], Assignment] | None = None

    @property
    def cost_min(self) -> int:
        """Cost of the plan shown, the part that no plan can avoid included."""
        return self.problem.objective_min(self.shown)

    @property
    def plan(self) -> Plan:
        """The plan shown, written down: once, unless it or what is known of it has changed since."""
        shown, low_min, plan = self._written
        if shown is not self.shown or low_min != self.known.low_min:
            plan = self._write()
            self._written = (self.shown, self.known.low_min, plan)
        return plan

    @property
    def tasks(self) -> Sequence[Promised]:
        """What can be carried over of the plan shown."""
        shown, _, plan = self._written
        return plan.tasks if shown is self.shown else kept(self.problem, self.shown)

    def learn(self, plan: Plan) -> None:
        """Take in what another search of this firm found."""
        self.met(read_back(self.problem, plan))
        self.known = Interval(max(self.known.low_min, interval(plan.certificate).low_min), self.known.high_min)

    def met(self, found: Assignment) -> Assignment:
        """Keep a plan that breaks no rule if it is the cheapest met; return it."""
        cost = self.problem.objective_min(found)
        if cost < self.known.high_min:
            self.best, self.known = found, Interval(self.known.low_min, cost)
        return found

    def carry(self, other: Sequence[Promised]) -> Assignment:
        """Return another plan carried over to this firm; the last one is kept."""
        if self._carried is None or self._carried[0] is not other:
            self._carried = (other, self.met(carried(self.problem, other)))
        return self._carried[1]

    def settle(self, other: Sequence[Promised], seed: int, *, search: bool = False, keep_placed: bool = False) -> None:
        """Show the plan that is cheapest with a price on every move away from ``near``, of those met and of the other side's.

        ``search`` looks for more such plans, from the other side's, before. With ``keep_placed``, where ``near`` stands here as it
        is, the plan shown leaves no more tasks and no more work to nobody than ``near`` does.
        """
        people, price = people_of(self.problem, self.near), self.firm.policy.weights.move
        here = self.carry(other)
        choices = [self.shown, here, self.best]
        if search:
            choices.append(self.met(nearby(self.problem, here, people, price, seed=seed)))
        if keep_placed and (standing := self._standing()) is not None:
            choices += [self.met(completed(self.problem, standing)), standing]
            kept = [one for one in choices if _leaves_no_more(self.problem, one, standing)]
            self.held_back = len(kept) < len(choices)
            choices = kept
        self.shown, self.seed = nearest(self.problem, people, choices, price), seed

    def _standing(self) -> Assignment | None:
        """Return the plan to stay near if nothing of it has to change here."""
        problem = self.problem
        try:
            found = read_back(problem, self.near)
        except Refused:
            return None
        placed = np.flatnonzero(found.who >= 0)
        may = problem.allowed[placed, found.who[placed]].all() and problem.may_escalate[found.who < 0].all()
        return found if may and (problem.slack_min(found) >= 0).all() else None

    def _write(self) -> Plan:
        base = self.problem.unavoidable_min()
        known = certificate(
            self.problem,
            self.shown,
            rule_min=self.rule_min,
            progress=Progress(self.searched.work_units, self.cost_min - base, self.known.low_min - base),
            base_min=base,
            stop_reason=self.searched.stop_reason,
            seed=self.seed,
        )
        return written(self.problem, self.shown, known)


def _settle(today: _Side, would: _Side, seed: int) -> None:
    """Bring the two plans near each other: the scenario's to today's, then today's to what it found, and back once more."""
    comparable = today.firm.policy.weights == would.firm.policy.weights
    would.near = today.plan
    would.settle(today.tasks, seed, search=True, keep_placed=comparable)
    today.settle(would.tasks, seed)
    would.near = today.plan
    would.settle(today.tasks, seed, keep_placed=comparable)


def _leeway_days(today: Problem, firm: Firm) -> dict[str, int]:
    """Return how late tasks may be today, of those that are the same in the scenario.

    So hours added forbid nothing: by its own hours alone, work that nobody could do in time today would have to be in time or escalate.
    """
    after = {task.id: task for task in firm.tasks}
    return {name: days for name, days in leeway_days(today).items() if after.get(name) == today.board.known[name]}


def _leaves_no_more(problem: Problem, plan: Assignment, other: Assignment) -> bool:
    """Whether a plan leaves neither more tasks nor more work, by priority, to nobody than another one."""
    left, before = plan.who < 0, other.who < 0
    count = int(left.sum()) <= int(before.sum())
    return count and int(problem.escalation_min[left].sum()) <= int(problem.escalation_min[before].sum())


def _judged(today: _Side, would: _Side, rounds: int) -> Significance:
    return significance(
        today.known,
        would.known,
        costs_min=(today.cost_min, would.cost_min),
        same=today.firm == would.firm,
        comparable=today.firm.policy.weights == would.firm.policy.weights,
        rounds=rounds,
        held_back=would.held_back and would.known.high_min < would.cost_min,
        dearer_by_at_most=dearer_by_at_most(today.problem, would.problem),
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
