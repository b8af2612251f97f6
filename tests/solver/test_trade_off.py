"""The trade-off curve: every point keeps every rule and its limit, and more moves never cost more."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver import anneal, model
from solver.batch import solve, today
from solver.board import compile_board
from solver.construct import completed, in_order, others_on_piece, rule_plan
from solver.firm import Firm
from solver.plan import StopReason, TradeOff
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from solver.running import Search
from solver.search import anneal_from
from solver.stop import Progress, WorkBudget
from solver.trade_off import Curve, doubling, knee, trade_off
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import cheapest, done_in_time, problems, tiny_firm

SHORT = WorkBudget(0.2)


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def annealed(problem: Problem, seed: int = 0) -> Assignment:
    plan = completed(problem, rule_plan(problem))
    start = Progress(0.0, problem.objective_min(plan), 0)
    search = Search(problem, plan, start, SHORT, lambda progress: None, 0, seed)
    anneal_from(search, search.plan)
    return search.plan


def optimal(problem: Problem) -> Assignment:
    everything = model.Scope(annealed(problem), tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    plan, proven, _ = model.solve(model.build(problem, everything), work_units=20.0, seed=0)
    assert plan is not None
    assert proven
    return plan


def lopsided(seed: int) -> Firm:
    """Return a tiny firm in which the first person holds everything, anybody may do it, and moves are cheap."""
    base = tiny_firm(seed)
    update = {"assignee": base.people[0].id, "pinned": False, "status": "planned", "logged_min": 0}
    weights = base.policy.weights.model_copy(update={"move": 5, "move_soon": 5})
    skills = [{"skill": name} for name in ("tax", "audit", "books")]
    able = {"skills": skills, "level": "partner", "start_date": None, "leave_date": None}
    changed = {
        "tasks": [{**dict(one), **update} for one in base.tasks],
        "people": [{**dict(one), **able} for one in base.people],
        "clients": [{**dict(one), "barred": ()} for one in base.clients],
        "policy": base.policy.model_copy(update={"weights": weights}),
    }
    return Firm.model_validate({**dict(base), **changed})


def crowded() -> Problem:
    made = generate_firm(people=8, tasks=60, seed=0)
    return compile_problem(compile_board(made.firm, now=made.now))


def curve_of(problem: Problem, best: Assignment, seed: int = 0) -> Curve:
    return trade_off(problem, best, seed=seed, go_on=lambda: True)


def moves(problem: Problem, plan: Assignment) -> int:
    return sum(
        now != before for now, before in zip(plan.who.tolist(), problem.today.who.tolist(), strict=True) if before >= 0
    )


def faults(problem: Problem, plan: Assignment) -> list[str]:
    """Return every rule that a plan breaks, the hours by a simulation slot by slot."""
    found = [f"work of somebody is escalated: {t}" for t in np.flatnonzero((plan.who < 0) & ~problem.may_escalate)]
    for p in range(problem.person_count):
        jobs = []
        for t in np.flatnonzero(plan.who == p).tolist():
            w = int(problem.first_window[t] + plan.window[t])
            if not (w in problem.windows_of(t) and in_order(problem, plan, t, w)):
                found.append(f"window of {t}")
            if p in others_on_piece(problem, plan, t) or not (problem.allowed[t, p] or problem.today.who[t] == p):
                found.append(f"{p} may not do {t}")
            if problem.due[w] < problem.board.axis.count:
                jobs.append((int(problem.release[w]), int(problem.due[w]), int(problem.work_min[t, p])))
        if not done_in_time(problem.board.open_min[p].tolist(), jobs):
            found.append(f"{p} is not in time")
    return found


def point(moves: int, gain_min: int) -> TradeOff:
    return TradeOff(limit=moves, moves=moves, objective_min=1_000 - gain_min, gain_min=gain_min, escalations=0, late=0)


@pytest.mark.parametrize("seed", range(8))
def test_every_point_keeps_every_rule_and_its_limit_and_more_moves_never_cost_more(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=4 + seed % 5, tasks=20 + 4 * seed, load=0.6 + 0.2 * (seed % 4)))
    best = annealed(problem, seed)
    curve = curve_of(problem, best, seed)
    base = problem.unavoidable_min()
    for point, plan in zip(curve.points, curve.plans, strict=True):
        assert faults(problem, plan) == []
        assert point.moves == moves(problem, plan) <= point.limit
        assert point.objective_min == problem.objective_min(plan) - base
        assert point.gain_min == curve.points[0].objective_min - point.objective_min
        assert point.escalations == (plan.who == ESCALATED).sum()
    assert all(before.limit < after.limit for before, after in pairwise(curve.points))
    assert all(before.objective_min >= after.objective_min for before, after in pairwise(curve.points))
    assert curve.points[0].moves == 0
    assert problem.objective_min(curve.plans[-1]) <= problem.objective_min(best)
    assert curve.points[-1].limit == curve.points[-1].moves
    if len(curve.points) > 1:
        assert curve.work_units > 0


@pytest.mark.parametrize("seed", range(16))
def test_points_of_a_tiny_firm_are_the_best_of_all_assignments_within_their_limits(seed: int) -> None:
    problem = problem_of(lopsided(seed))
    least, base = cheapest(problem), problem.unavoidable_min()
    curve = trade_off(problem, optimal(problem), seed=0, go_on=lambda: True, limits=range(5))
    for point in curve.points:
        within = min(cost for made, cost in least.by_moves.items() if made <= point.limit)
        assert point.objective_min == within - base
    assert curve.points[-1].objective_min == least.objective_min - base


def test_best_plans_of_tiny_firms_make_several_moves() -> None:
    made = [moves(problem, optimal(problem)) for problem in map(problem_of, map(lopsided, range(8)))]
    assert sum(count > 1 for count in made) >= 2


@pytest.mark.parametrize("seed", range(3))
def test_same_seed_gives_the_same_curve(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=6, tasks=40))
    best = annealed(problem, seed)
    first, second = curve_of(problem, best, seed), curve_of(problem, best, seed)
    assert first.points == second.points
    assert first.work_units == second.work_units
    assert all((a.who == b.who).all() for a, b in zip(first.plans, second.plans, strict=True))


def test_few_moves_that_avoid_an_escalation_come_first() -> None:
    """Only ada can do the audit, which fits once one of her tasks, the shorter one, is with bob."""
    one = firm(
        people=(person("ada", skills=("tax", "audit")), person("bob"), person("cyd")),
        tasks=(
            task("long", hours=20, assignee="ada"),
            task("short", hours=16, assignee="ada"),
            *(task(f"b{i}", hours=2, assignee="bob") for i in range(8)),
            task("check", hours=20, type="check", priority="critical"),
        ),
        task_types=(firm().task_types[0], firm().task_types[0].model_copy(update={"id": "check", "skill": "audit"})),
    )
    problem = problem_of(one)
    curve = trade_off(problem, annealed(problem), seed=0, go_on=lambda: True, limits=(1, 2, 3))
    assert [(made.limit, made.escalations) for made in curve.points[:2]] == [(0, 1), (1, 0)]
    suggested = knee(curve.points)
    assert suggested is not None
    assert suggested.escalations == 0


def test_firm_in_which_nobody_holds_anything_has_one_point() -> None:
    problem = problem_of(firm(people=(person("ada"), person("bob")), tasks=(task("a"), task("b"))))
    best = annealed(problem)
    curve = curve_of(problem, best)
    assert [(one.limit, one.moves, one.gain_min) for one in curve.points] == [(0, 0, 0)]
    assert (curve.plans[0].who == best.who).all()
    assert curve.work_units == 0
    assert knee(curve.points) is None


def test_firm_without_tasks_has_one_point() -> None:
    problem = problem_of(firm(people=(person("ada"),)))
    assert len(curve_of(problem, problem.today).points) == 1


def test_work_whose_holder_may_not_go_on_is_no_move() -> None:
    one = firm(people=(person("ada", skills=("audit",)), person("bob")), tasks=(task("a", assignee="ada"), task("b")))
    plan = solve(one, now=NOW, stop=SHORT)
    assert [item.moved_from for item in plan.tasks if item.task == "a"] == ["ada"]
    assert [made.moves for made in plan.trade_off] == [0]


@pytest.mark.parametrize("allowed", [0, 1, 7])
def test_stop_is_answered_at_the_next_step_with_the_points_known(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = crowded()
    best = annealed(problem, seed=2)
    assert moves(problem, best) > 5
    made, asked = 0, 0
    run = anneal.anneal

    def counted(flat: anneal.Facts, state: anneal.State, count: int, hot: float, cold: float) -> int:
        nonlocal made
        made += 1
        return int(run(flat, state, count, hot, cold))

    def go_on() -> bool:
        nonlocal asked
        asked += 1
        return asked <= allowed

    monkeypatch.setattr(anneal, "anneal", counted)
    curve = trade_off(problem, best, seed=0, go_on=go_on)
    assert asked == allowed + 1
    assert made <= allowed
    assert curve.points[0].limit == curve.points[0].moves == 0
    assert problem.objective_min(curve.plans[-1]) == problem.objective_min(best)
    assert len(curve.points) == 2


def test_limits_double_up_to_the_moves_of_the_plan() -> None:
    assert doubling(0) == ()
    assert doubling(3) == (0,)
    assert doubling(5) == (0,)
    assert doubling(6) == (0, 5)
    assert doubling(81) == (0, 5, 10, 20, 40, 80)


def test_knee_is_the_last_point_whose_moves_gain_more_than_the_average_move() -> None:
    curve = (point(0, 0), point(5, 500), point(10, 900), point(20, 950), point(40, 1_000))
    assert knee(curve) == curve[2]


def test_knee_of_a_curve_whose_moves_all_gain_the_same_is_the_best_plan() -> None:
    curve = (point(0, 0), point(5, 50), point(10, 100))
    assert knee(curve) == curve[2]


def test_knee_of_a_curve_that_pays_only_at_the_end_is_the_best_plan() -> None:
    curve = (point(0, 0), point(5, 10), point(10, 1_000))
    assert knee(curve) == curve[2]


@pytest.mark.parametrize("seed", range(3))
def test_plan_carries_the_curve_that_ends_at_its_certificate(seed: int) -> None:
    made = generate_firm(people=8, tasks=60, seed=seed)
    plan = solve(made.firm, now=made.now, stop=SHORT)
    flagged = {flag.task for flag in plan.flags}
    last = plan.trade_off[-1]
    assert last.objective_min == plan.certificate.objective_min
    assert last.moves == sum(item.moved_from is not None and item.task not in flagged for item in plan.tasks)
    assert (last.escalations, last.late) == (len(plan.escalations), sum(item.late for item in plan.tasks))
    assert plan.trade_off[0].moves == 0
    assert problems(made.firm, plan, made.now) == []
    assert plan == solve(made.firm, now=made.now, stop=SHORT)


def test_cancelled_solve_has_the_free_points_only_and_today_has_none() -> None:
    one = random_firm(1)
    plan = solve(one, now=NOW, stop=lambda progress: StopReason.CANCELLED)
    assert plan.trade_off[-1].objective_min == plan.certificate.objective_min
    assert len(plan.trade_off) <= 2
    assert today(one, now=NOW).trade_off == ()
