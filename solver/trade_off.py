"""The trade-off curve of a plan: what each further move buys, from today's holders keep everything to the best plan.

A move gives a task to another person than the one who may keep it today. No single method finds the best plan of every limit: annealing
with a surcharge per move is best near the best plan, where moves buy minutes; where few moves decide which task is escalated it stops
at a third of the gain, and an integer program over the people that the plans known so far propose finds the rest (measured on 600 tasks,
20 moves: 2.6 million minutes against 1.5). Every plan met on the way is kept by its number of moves, so a curve never falls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from solver import anneal, flattened, integer_program
from solver.anneal import MOVES_PER_UNIT
from solver.construct import completed, rule_plan
from solver.model import Scope
from solver.plan import TradeOff
from solver.problem import ESCALATED, Assignment, Problem

FIRST_LIMIT = 5
"""Fewest moves worth a point of their own; each further limit is twice the one before."""
STAY_CALLS, DOWN_CALLS, UP_CALLS = 1.5, 5.0, 3.0
"""Annealing in `anneal.MOVES_PER_CALL`: with moves forbidden, from the best plan down, and from the stay-put plan up."""
STEPS_PER_CALL = 100
"""Looks at the plan for each call's worth of moves: a step changes the number of moves by one or two."""
LEAST_PER_TASK, MOST_PER_TASK = 3, 10
"""Annealing moves of a step for each task: enough to reach a large firm, no more than a small one can use."""
LEAST_SURCHARGE_MIN, MOST_SURCHARGE_MIN = 3.0, 1e9
COLD_MIN = 2.0
HEAT_SHARE = 0.03
"""Temperature as a share of the surcharge: 0.1 and more lost escalations that moves had avoided, 0 was slower to send work home."""
STAY_HOT_MIN = 180.0
MOST_PICKS_OF_ANYBODY, MOST_PICKS, MOST_PICKS_OF_TWO = 150, 300, 800
"""Choices up to which an integer program is solved in less than a second: of anybody allowed, of whom some plan proposes, and of
the two or three people of the leanest plans. Twice as many took up to 5 s."""
NODES = 30


@dataclass(frozen=True)
class Curve:
    """The points with the plan of each, by limit, the best plan last.

    Attributes
    ----------
    work_units
        Deterministic work spent, as `solver.search` counts it.
    """

    points: tuple[TradeOff, ...]
    plans: tuple[Assignment, ...]
    work_units: float


def trade_off(
    problem: Problem,
    best: Assignment,
    *,
    seed: int,
    go_on: Callable[[], bool],
    limits: Sequence[int] | None = None,
) -> Curve:
    """Return the best plan found for each limit on moves.

    Parameters
    ----------
    best
        The best plan known. A cheaper one met on the way takes its place as the last point.
    go_on
        Asked between steps of milliseconds and between integer programs; once it says no, only points already known are returned.
    limits
        Numbers of moves; without them 0, 5, 10, 20 and so on doubling. Those of the best plan and above are left out.
    """
    known = _Known(problem)
    for plan in (best, rule_plan(problem), completed(problem, rule_plan(problem)), completed(problem, problem.today)):
        known.take(plan)
    wanted = doubling(known.moves(best)) if limits is None else tuple(sorted({0, *limits}))
    finished = known.moves(best) == 0 or _explored(known, best, wanted, seed, go_on)
    return _curve(known, best, wanted, finished=finished)


def doubling(moves: int) -> tuple[int, ...]:
    """Return the limits below a number of moves: 0, 5, 10, 20, 40 and so on."""
    found = [0] if moves else []
    limit = FIRST_LIMIT
    while limit < moves:
        found.append(limit)
        limit *= 2
    return tuple(found)


def knee(points: Sequence[TradeOff]) -> TradeOff | None:
    """Return the point up to which a further move gains more than the average move of the best plan does.

    It is the point furthest above the chord between the first and the last point. Of points equally far the one that gains most
    is returned, so where all moves gain the same it is the best plan. ``None`` where there is nothing to choose.
    """
    if len(points) < 2:
        return None
    moves, gain = points[-1].moves, points[-1].gain_min
    return max(points, key=lambda point: (point.gain_min * moves - point.moves * gain, point.gain_min, -point.moves))


@dataclass
class _Known:
    """The cheapest plan met for each number of moves, with its objective, and the work spent to meet them."""

    problem: Problem
    plans: dict[int, tuple[int, Assignment]] = field(default_factory=dict)
    work_units: float = 0.0

    def __post_init__(self) -> None:
        self.holder = self.problem.today.who
        self.held = np.flatnonzero(self.holder >= 0)

    def moves(self, plan: Assignment) -> int:
        """Return how many tasks the plan takes from people who may keep them."""
        return int((plan.who[self.held] != self.holder[self.held]).sum())

    def take(self, plan: Assignment) -> None:
        """Keep a copy of the plan if it is the cheapest of as many moves."""
        moves, objective = self.moves(plan), self.problem.objective_min(plan)
        if moves not in self.plans or objective < self.plans[moves][0]:
            self.plans[moves] = objective, plan.copy()

    def within(self, limit: int) -> Assignment:
        """Return the cheapest plan of at most ``limit`` moves, of equal ones that with fewer moves."""
        moves = min((m for m in self.plans if m <= limit), key=lambda m: (self.plans[m][0], m))
        return self.plans[moves][1]


def _curve(known: _Known, best: Assignment, wanted: Sequence[int], *, finished: bool) -> Curve:
    last = known.within(max(known.plans))
    if known.problem.objective_min(last) >= known.problem.objective_min(best):
        last = best
    most = known.moves(last)
    limits = [limit for limit in wanted if limit < most]
    if not finished:
        limits = [b for a, b in zip([-1, *limits], limits, strict=False) if any(a < m <= b for m in known.plans)]
    plans = [*(known.within(limit) for limit in limits), last]
    points = [_point(known, limit, plan) for limit, plan in zip([*limits, most], plans, strict=True)]
    return Curve(tuple(points), tuple(plans), known.work_units)


def _point(known: _Known, limit: int, plan: Assignment) -> TradeOff:
    problem = known.problem
    objective = problem.objective_min(plan)
    placed = np.flatnonzero(plan.who >= 0)
    return TradeOff(
        limit=limit,
        moves=known.moves(plan),
        objective_min=objective - problem.unavoidable_min(),
        gain_min=problem.objective_min(known.within(0)) - objective,
        escalations=int((plan.who == ESCALATED).sum()),
        late=int((problem.late_min[problem.chosen(plan, placed)] > 0).sum()),
    )


def _explored(known: _Known, best: Assignment, wanted: Sequence[int], seed: int, go_on: Callable[[], bool]) -> bool:
    """Look for plans of every limit; return whether nobody stopped it."""
    problem = known.problem
    top = min(float(max(problem.escalation_min.max(), problem.late_min.max(), 100)), MOST_SURCHARGE_MIN)
    stay = replace(problem, allowed=_at_home(known, problem.allowed))
    if not _swept(known, stay, known.within(0), (0.0, 0.0), STAY_CALLS, seed, go_on):
        return False
    if not _swept(known, problem, best, (LEAST_SURCHARGE_MIN, top), DOWN_CALLS, seed, go_on):
        return False
    lean = _leanest(known, best)
    few = replace(problem, allowed=_proposed(known, lean))
    if not _swept(known, few, known.within(0), (top, LEAST_SURCHARGE_MIN), UP_CALLS, seed, go_on):
        return False
    for limit in wanted:
        # Above as many moves as avoid every escalation the surcharge finds the better plans.
        if limit < max(known.moves(lean), FIRST_LIMIT + 1):
            if not go_on():
                return False
            _solved(known, lean, best, limit)
    return True


def _at_home(known: _Known, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return who may do what when everybody keeps what they hold."""
    home = allowed.copy()
    home[known.held] = False
    home[known.held, known.holder[known.held]] = True
    return home


def _leanest(known: _Known, best: Assignment) -> Assignment:
    """Return the plan of fewest moves that escalates no more than the best one."""
    lost = int((best.who == ESCALATED).sum())
    return known.plans[min(m for m, (_, p) in known.plans.items() if int((p.who == ESCALATED).sum()) <= lost)][1]


def _proposed(known: _Known, *plans: Assignment) -> NDArray[np.bool_]:
    """Return as allowed only whom the plans, the stay-put plan or today give each task."""
    problem = known.problem
    found = np.zeros_like(problem.allowed)
    for plan in (*plans, known.within(0), problem.today):
        placed = np.flatnonzero(plan.who >= 0)
        found[placed, plan.who[placed]] = True
    return found


def _swept(
    known: _Known,
    problem: Problem,
    start: Assignment,
    surcharges_min: tuple[float, float],
    calls: float,
    seed: int,
    go_on: Callable[[], bool],
) -> bool:
    """Anneal from ``start`` with a surcharge per move that goes from one end to the other, or cool without one where both are 0."""
    if not go_on():
        return False
    away = _away(known)
    flat = flattened.facts(replace(problem, comfort_min=problem.comfort_min + away * (100 if surcharges_min[0] else 0)))
    flat = flat._replace(comfort=problem.comfort_min.copy())
    state = flattened.start_state(problem, start, seed)
    tasks = problem.task_count
    moves = max(min(anneal.MOVES_PER_CALL // STEPS_PER_CALL, MOST_PER_TASK * tasks), LEAST_PER_TASK * tasks)
    steps = max(min(int(calls * anneal.MOVES_PER_CALL) // moves, int(calls * STEPS_PER_CALL)), 1)
    if surcharges_min[0]:
        surcharges = np.geomspace(*surcharges_min, steps).tolist()
        heats = [max(COLD_MIN, HEAT_SHARE * surcharge) for surcharge in surcharges]
    else:
        surcharges, heats = [0.0] * steps, np.geomspace(STAY_HOT_MIN, COLD_MIN, steps).tolist()
    for surcharge, heat in zip(surcharges, heats, strict=True):
        if not go_on():
            return False
        np.add(problem.comfort_min, away * np.int32(round(surcharge)), out=flat.comfort)
        anneal.anneal(flat, state, moves, heat, 0.9 * heat)
        known.take(Assignment(state.who, state.window))
        known.work_units += moves / MOVES_PER_UNIT
    return True


def _away(known: _Known) -> NDArray[np.int32]:
    """Return 1 where giving a task to a person is a move, else 0."""
    away = np.zeros_like(known.problem.comfort_min)
    away[known.held] = 1
    away[known.held, known.holder[known.held]] = 0
    return away


def _solved(known: _Known, lean: Assignment, best: Assignment, limit: int) -> None:
    """Solve for one limit by an integer program with the widest choice of people that is still solved in a moment."""
    problem, start = known.problem, known.within(limit)
    several = np.diff(problem.first_window) > 1
    wide, narrow = _proposed(known, lean, best, start), _proposed(known, lean, start)
    for allowed, rewindow, most in (
        (problem.allowed, True, MOST_PICKS_OF_ANYBODY),
        (wide, True, MOST_PICKS),
        (narrow, True, MOST_PICKS_OF_TWO),
        (narrow, False, MOST_PICKS_OF_TWO),
    ):
        if limit == 0:
            allowed = _at_home(known, allowed)
        allowed = allowed & problem.allowed
        choices = allowed.sum(axis=1)
        free = np.flatnonzero((choices > 1) | ((start.who < 0) & (choices > 0)) | (several & rewindow & (choices > 0)))
        if int((choices * np.diff(problem.first_window))[free].sum()) <= most:
            break
    else:
        return
    scope = Scope(start, tuple(free.tolist()), tuple(range(problem.person_count)))
    program = integer_program.build(replace(problem, allowed=allowed), scope)
    fixed = known.held[~np.isin(known.held, free)]
    _at_most(program, known, free, limit - int((start.who[fixed] != known.holder[fixed]).sum()))
    plan, _, units = integer_program.solve(program, nodes=NODES)
    known.work_units += units
    if plan is not None:
        known.take(plan)


def _at_most(program: integer_program.Program, known: _Known, free: NDArray[np.int64], moves: int) -> None:
    """At most this many of the free tasks leave their holders."""
    task = free[program.task]
    away = np.flatnonzero((known.holder[task] >= 0) & (known.holder[task] != program.person))
    if len(away):
        row = program.constraints(np.array([-np.inf]), np.array([float(moves)]))
        program.put(np.repeat(row, len(away)), away, 1.0)
