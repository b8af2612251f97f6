"""The batch solve: the whole open backlog of a firm, jointly, into a plan with its certificate.

Recipe: compile the board, take the rule's plan, complete it, anneal, bound, solve neighbourhoods exactly until the stop rule
says so, and write down what is known.
"""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version

from solver.board import Board, compile_board
from solver.bound import lower_bound
from solver.construct import completed, rule_plan
from solver.firm import Firm
from solver.plan import Certificate, Plan, SolveStatus, StopReason, Term
from solver.problem import Assignment, Problem, compile_problem
from solver.search import ProgressCallback, Search, anneal_from, solve_neighbourhoods
from solver.stop import Progress, Stop, gap_pct
from solver.trade_off import trade_off
from solver.writing import written


def solve(
    firm: Firm,
    *,
    now: datetime,
    stop: Stop,
    seed: int = 0,
    on_progress: ProgressCallback = lambda progress: None,
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

    Returns
    -------
    Plan
        Never breaks a rule and never costs more than the routing rule's plan, whatever the stop rule.
    """
    return solve_board(compile_board(firm, now=now), stop=stop, seed=seed, on_progress=on_progress)


def solve_board(
    board: Board, *, stop: Stop, seed: int = 0, on_progress: ProgressCallback = lambda progress: None
) -> Plan:
    """Plan every open task of a compiled board; see `solve`."""
    problem = compile_problem(board)
    rule = rule_plan(problem)
    start = min(completed(problem, rule), rule, key=problem.objective_min)
    search = _search(problem, start, stop, seed, on_progress)
    anneal_from(search)
    if search.stop_reason in (None, StopReason.WORK, StopReason.WALL_CLOCK, StopReason.GAP):
        _prove(search)
    if search.stop_reason is None:
        solve_neighbourhoods(search)
    curve = trade_off(problem, search.plan, seed=seed, go_on=lambda: not _cancelled(search))
    search.report(curve.plans[-1], curve.work_units, "trade-off curve")
    return written(problem, search.plan, _certificate(problem, search, rule), curve.points)


def today(firm: Firm, *, now: datetime) -> Plan:
    """Return what happens without the batch: today's promises kept, new work placed by the routing rule, nothing moved.

    Its certificate says what that costs; how far from the best it is, is the batch's question, so no bound is computed.
    """
    problem = compile_problem(compile_board(firm, now=now))
    rule = rule_plan(problem)
    search = _search(problem, rule, lambda progress: StopReason.WORK, 0, lambda progress: None)
    search.stop_reason = StopReason.WORK
    return written(problem, rule, _certificate(problem, search, rule))


def _search(problem: Problem, plan: Assignment, stop: Stop, seed: int, on_progress: ProgressCallback) -> Search:
    base = problem.unavoidable_min()
    progress = Progress(0.0, problem.objective_min(plan) - base, 0, "first plan")
    on_progress(progress)
    return Search(problem, plan, progress, stop, on_progress, base, seed)


def _prove(search: Search) -> None:
    """Compute the bound and take it into the search's progress; a used-up clock or a cancel ends it after a round."""
    hurry = (StopReason.WALL_CLOCK, StopReason.CANCELLED)
    bound = lower_bound(search.problem, go_on=lambda: search.stop(search.progress) not in hurry)
    search.bounded(max(bound.minutes - search.base_min, 0), bound.work_units)


def _cancelled(search: Search) -> bool:
    """Whether somebody asked to end it, before or now; budgets are for the search, and the curve after it is short."""
    return StopReason.CANCELLED in (search.stop_reason, search.stop(search.progress))


def _certificate(problem: Problem, search: Search, rule: Assignment) -> Certificate:
    objective, bound = search.progress.objective_min, search.progress.bound_min
    proven = objective <= bound
    return Certificate(
        status=SolveStatus.OPTIMAL if proven else SolveStatus.FEASIBLE,
        objective_min=objective,
        bound_min=bound,
        gap_pct=gap_pct(objective, bound),
        unavoidable_min=search.base_min,
        terms=tuple(Term(name=name, minutes=minutes) for name, minutes in problem.terms_min(search.plan).items()),
        rule_objective_min=problem.objective_min(rule) - search.base_min,
        stop_reason=StopReason.OPTIMAL if proven else search.stop_reason or StopReason.STALLED,
        seed=search.seed,
        work_units=round(search.progress.work_units, 6),
        versions={name: version(name) for name in ("numba", "numpy", "ortools", "scipy")},
    )
