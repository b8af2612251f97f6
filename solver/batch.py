"""The batch solve: the whole open backlog of a firm, jointly, into a plan with its certificate.

Recipe: compile the board, take the rule's plan or the last one, solve a small firm whole, anneal while the bound is computed, solve
neighbourhoods exactly until the stop rule says so, find what fewer moves would gain and which hours are scarce, and write down what is
known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

from solver.again import carried_over
from solver.beside import First
from solver.board import Board, compile_board
from solver.bound import Bound, Relax, starts_by_prices
from solver.construct import completed, rule_plan
from solver.crew import Alone, Crew
from solver.firm import Firm
from solver.packings import Packings
from solver.plan import Certificate, Plan, SolveStatus, StopReason, Term
from solver.price_list import PriceList
from solver.priced_start import start_by_prices
from solver.pricing import price_list
from solver.problem import Assignment, Problem, compile_problem
from solver.running import ProgressCallback, Search
from solver.scarcity import NO_HOURS, Hours, scarce_hours
from solver.search import HOT_MIN, PRICED_MIN, WARM_MIN, anneal_from, cooling, solve_neighbourhoods, solve_whole
from solver.stop import Progress, Stop, gap_pct
from solver.trade_off import trade_off
from solver.writing import written

WARM_SHARE = 0.25
"""Of the annealing where the last plan is nearly right."""
PRICED_SHARE = 0.25
"""Of the annealing from a plan by prices: of four firms of 100 people, four seeds each, plans overbooked four times after so much cost
0.1 to 5 per cent less than after all of it, in three seconds less."""

IncumbentCallback = Callable[[Progress, Callable[[], Plan]], None]
"""Told where the search stands, and given what writes its best plan down, which takes a moment: not every one is worth it."""


def _not_told(progress: Progress, plan: Callable[[], Plan]) -> None:
    """Let a better plan pass."""


def solve(
    firm: Firm,
    *,
    now: datetime,
    stop: Stop,
    seed: int = 0,
    on_progress: ProgressCallback = lambda progress: None,
    on_incumbent: IncumbentCallback = _not_told,
    crew: Crew | None = None,
    last: Plan | None = None,
    advice: bool = True,
) -> Plan:
    """Plan every open task of a firm.

    Parameters
    ----------
    now
        The moment of planning; local to the firm when it has no zone.
    stop
        When to end (`solver.stop`); asked several times a second. With `WorkBudget` the same firm, seed and budget give
        the same plan, byte for byte.
    on_progress
        Told of every step: best objective, bound and gap so far.
    on_incumbent
        Told of the first plan and of each better one. Written down, it is what a search that is cut off there leaves behind: its
        certificate says cancelled, and another search can start from it (``last``).
    crew
        Who does the search's jobs: one after another here by default, or processes (`api.crew`), which find the same plan sooner.
    last
        A plan of the same firm made before; the search starts from what of it still holds.
    advice
        Whether to look for what fewer moves would gain and which hours are scarce, beside the plan; it takes as long as a short search.

    Returns
    -------
    Plan
        Never breaks a rule and never costs more than the routing rule's plan, whatever the stop rule.
    """
    board = compile_board(firm, now=now)
    return solve_board(
        board,
        stop=stop,
        seed=seed,
        on_progress=on_progress,
        on_incumbent=on_incumbent,
        crew=crew,
        last=last,
        advice=advice,
    )


def solve_board(
    board: Board,
    *,
    stop: Stop,
    seed: int = 0,
    on_progress: ProgressCallback = lambda progress: None,
    on_incumbent: IncumbentCallback = _not_told,
    crew: Crew | None = None,
    last: Plan | None = None,
    advice: bool = True,
    problem: Problem | None = None,
    on_bound: Callable[[Bound], None] = lambda bound: None,
    known_min: int | None = None,
) -> Plan:
    """Plan every open task of a compiled board; see `solve`. Its ``problem`` is compiled here unless it is at hand.

    ``on_bound`` is given what the relaxation says. With ``known_min``, a bound that is known already (unavoidable part included), none
    is solved.
    """
    problem = problem or compile_problem(board)
    rule = rule_plan(problem)
    starts = [rule, completed(problem, rule)]
    if last is not None:
        starts.append(carried_over(problem, last))
    start = min(starts, key=problem.objective_min)
    search = _search(problem, start, stop, seed, on_progress, crew or Alone())

    def better(plan: Assignment) -> None:
        on_incumbent(search.progress, lambda: _cut_off(problem, search, rule, plan))

    search.on_better = better
    better(search.plan)
    warm = start is starts[-1] and last is not None
    bound = _searched(search, warm=warm, known_min=known_min)
    if bound is not None:
        on_bound(bound)
    prices = price_list(problem, bound.relaxed) if bound is not None and bound.relaxed is not None else None
    if not advice:
        return written(problem, search.plan, _certificate(problem, search, rule), prices=prices)
    search.progress = replace(search.progress, searching=False)
    curve = trade_off(problem, search.plan, seed=seed, go_on=lambda: _time_left(search))
    search.report(curve.plans[-1], curve.work_units, "trade-off curve")
    hours = _scarcity(search, prices)
    return written(problem, search.plan, _certificate(problem, search, rule, hours), curve.points, prices)


def today(firm: Firm, *, now: datetime) -> Plan:
    """Return what happens without the batch: today's promises kept, new work placed by the routing rule, nothing moved.

    Its certificate says what that costs; how far from the best it is, is the batch's question, so no bound is computed.
    """
    problem = compile_problem(compile_board(firm, now=now))
    rule = rule_plan(problem)
    search = _search(problem, rule, lambda progress: StopReason.WORK, 0, lambda progress: None, Alone())
    search.stop_reason = StopReason.WORK
    return written(problem, rule, _certificate(problem, search, rule))


def _search(
    problem: Problem, plan: Assignment, stop: Stop, seed: int, on_progress: ProgressCallback, crew: Crew
) -> Search:
    base = problem.unavoidable_min()
    progress = Progress(0.0, problem.objective_min(plan) - base, 0, "first plan")
    on_progress(progress)
    return Search(problem, plan, progress, stop, on_progress, base, seed, crew=crew)


def _searched(search: Search, *, warm: bool, known_min: int | None) -> Bound | None:
    """Search until the stop rule says so; return the bound, which is computed beside the annealing unless it is known."""
    bounding, priced = None, None
    if known_min is not None:
        search.bounded(known_min - search.base_min, 0.0)
    elif starts_by_prices(search.problem) and not warm:
        priced, bounding = start_by_prices(search)
    else:
        bounding = search.crew.start(Relax())
    solve_whole(search)
    first = None if priced is None else First(priced, cooling(search.problem, PRICED_MIN, PRICED_SHARE))
    packings = Packings(search, left=0) if warm else Packings(search)
    if priced is not None:
        anneal_from(search, priced, hot_min=PRICED_MIN, share=PRICED_SHARE)
    else:
        if packings.left and search.stop_reason is None:
            packings.begin(1)
        anneal_from(search, search.plan, hot_min=WARM_MIN if warm else HOT_MIN, share=WARM_SHARE if warm else 1.0)
    if bounding is not None and not search.crew.patient:
        while packings.left and packings.due(0.0) and search.stop_reason is None and not search.crew.ready(bounding):
            packings.begin(1)
            packings.finish()
    bound = None
    if bounding is not None and search.stop_reason is not StopReason.CANCELLED:
        # A budget that is spent does not cut the bound short: how far it would have come is a matter of time.
        bound = search.crew.finish(bounding, search.go_on if search.stop_reason is None else lambda: _time_left(search))
    if bound is not None:
        search.bounded(bound.minutes - search.base_min, bound.work_units)
    if search.stop_reason is None:
        solve_neighbourhoods(search, None if bound is None else bound.relaxed, packings, first)
    return bound


def _time_left(search: Search) -> bool:
    """Whether what follows the search may go on: nobody cancelled, and the clock, which knows of it, has not run out."""
    over = (StopReason.CANCELLED, StopReason.WALL_CLOCK)
    return search.stop_reason is not StopReason.CANCELLED and search.stop(search.progress) not in over


def _scarcity(search: Search, prices: PriceList | None) -> Hours:
    """Return the scarce hours of the search's plan, none without prices or time."""
    if prices is None or not _time_left(search):
        return NO_HOURS
    return scarce_hours(search.problem, search.plan, prices, go_on=lambda: _time_left(search), seed=search.seed)


def _cut_off(problem: Problem, search: Search, rule: Assignment, plan: Assignment) -> Plan:
    """Return a plan as it would be left were the search cancelled now."""
    return written(problem, plan, _certificate(problem, search, rule, unfinished=StopReason.CANCELLED))


def _certificate(
    problem: Problem,
    search: Search,
    rule: Assignment,
    hours: Hours = NO_HOURS,
    unfinished: StopReason = StopReason.STALLED,
) -> Certificate:
    return certificate(
        problem,
        search.plan,
        rule_min=problem.objective_min(rule),
        progress=replace(search.progress, work_units=search.progress.work_units + hours.work_units),
        base_min=search.base_min,
        stop_reason=search.stop_reason or unfinished,
        seed=search.seed,
        hours=hours,
    )


def certificate(
    problem: Problem,
    plan: Assignment,
    *,
    rule_min: int,
    progress: Progress,
    base_min: int,
    stop_reason: StopReason,
    seed: int,
    hours: Hours = NO_HOURS,
) -> Certificate:
    """Return what is known about a plan; ``rule_min`` counts the unavoidable part, ``progress`` does not."""
    objective, bound = progress.objective_min, progress.bound_min
    proven = objective <= bound
    terms: Mapping[str, int] = problem.terms_min(plan)
    return Certificate(
        status=SolveStatus.OPTIMAL if proven else SolveStatus.FEASIBLE,
        objective_min=objective,
        bound_min=bound,
        gap_pct=gap_pct(objective, bound),
        unavoidable_min=base_min,
        terms=tuple(Term(name=name, minutes=minutes) for name, minutes in terms.items()),
        rule_objective_min=rule_min - base_min,
        stop_reason=StopReason.OPTIMAL if proven else stop_reason,
        seed=seed,
        work_units=round(progress.work_units, 6),
        versions={name: version(name) for name in ("highspy", "numba", "numpy", "ortools", "scipy")},
        scarcity=hours.found,
    )
