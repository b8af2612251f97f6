"""The annealing: every figure stays in step, no rule is ever broken, and a run is the same everywhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from solver import anneal
from solver.anneal import Facts, State
from solver.board import compile_board
from solver.construct import completed, in_order, others_on_piece, rule_plan
from solver.firm import Client, Firm
from solver.policy import Policy
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from tests.child import printed
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import done_in_time


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def started(problem: Problem, seed: int = 0) -> tuple[Facts, State]:
    start = completed(problem, rule_plan(problem))
    return anneal.facts(problem), anneal.start_state(problem, start, seed)


def run(flat: Facts, state: State, moves: int, hot: float = 180.0, cold: float = 1.5) -> int:
    """Anneal; also without compilation, where numpy warns of the overflow that the generator means."""
    with np.errstate(over="ignore"):
        return int(anneal.anneal(flat, state, moves, hot, cold))


def faults(problem: Problem, plan: Assignment) -> list[str]:
    """Return every rule that a plan breaks."""
    found: list[str] = []
    beyond = problem.board.axis.count
    for p in range(problem.person_count):
        jobs = []
        for t in np.flatnonzero(plan.who == p).tolist():
            w = int(problem.first_window[t] + plan.window[t])
            if w not in problem.windows_of(t):
                found.append(f"window of {t}")
            if not problem.allowed[t, p] and problem.today.who[t] != p:
                found.append(f"{p} may not do {t}")
            if p in others_on_piece(problem, plan, t).tolist():
                found.append(f"{p} has two tasks of the piece of {t}")
            if not in_order(problem, plan, t, w):
                found.append(f"order of {t}")
            if problem.due[w] < beyond:
                jobs.append((int(problem.release[w]), int(problem.due[w]), int(problem.work_min[t, p])))
        if not done_in_time(problem.board.open_min[p].tolist(), jobs):
            found.append(f"{p} is not in time")
    lost = plan.who == ESCALATED
    if (lost & ~problem.may_escalate).any():
        found.append("work of somebody is escalated")
    return found


@pytest.mark.parametrize("seed", range(24))
def test_every_figure_stays_in_step_and_no_rule_is_broken(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=2 + seed % 5, tasks=6 + seed, load=0.5 + 0.2 * (seed % 4)))
    flat, state = started(problem, seed)
    before = problem.objective_min(anneal.result(state))
    for moves in (7, 500, 3_000):
        change = run(flat, state, moves)
        plan = anneal.result(state)
        assert problem.objective_min(plan) == before + change
        before += change
        assert faults(problem, plan) == []
        assert (state.slack == problem.slack_min(plan)).all()
        assert (state.slack >= 0).all()
        assert (state.load == problem.loads_min(plan)).all()
        assert (state.cost == problem.balance.cost_min(problem.loads_min(plan))).all()
        for p in range(-1, problem.person_count):
            held = state.held[p, : state.held_count[p]].tolist()
            assert sorted(held) == np.flatnonzero(plan.who == p).tolist()
            assert [int(state.place[t]) for t in held] == list(range(len(held)))


@pytest.mark.parametrize("seed", range(8))
def test_cold_run_never_costs_more(seed: int) -> None:
    problem = problem_of(random_firm(seed))
    flat, state = started(problem, seed)
    assert run(flat, state, 3_000, hot=1e-9, cold=1e-10) <= 0


def test_same_seed_makes_the_same_moves_and_another_seed_others() -> None:
    problem = problem_of(random_firm(3, people=6, tasks=40))
    ends = []
    for seed in (1, 1, 2):
        flat, state = started(problem, seed)
        run(flat, state, 2_000)
        ends.append(anneal.result(state))
    assert (ends[0].who == ends[1].who).all()
    assert (ends[0].window == ends[1].window).all()
    assert (ends[0].who != ends[2].who).any()


def test_result_is_a_copy() -> None:
    flat, state = started(problem_of(random_firm(3)))
    first = anneal.result(state)
    kept = first.copy()
    run(flat, state, 2_000)
    assert (first.who == kept.who).all()
    assert (anneal.result(state).who != kept.who).any()


def test_numbers_are_those_of_the_published_generator() -> None:
    mask, x, expected = 2**64 - 1, 88_172_645_463_325_252, []
    for _ in range(200):
        x ^= x >> 12
        x = (x ^ (x << 25)) & mask
        x ^= x >> 27
        expected.append(((x * 0x2545F4914F6CDD1D & mask) >> 11) / 2**53)
    state = np.array([88_172_645_463_325_252], dtype=np.uint64)
    with np.errstate(over="ignore"):
        drawn = [float(anneal._random(state)) for _ in range(200)]
    assert drawn == expected
    assert all(0 <= number < 1 for number in drawn)


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 1])
def test_no_seed_starts_the_generator_at_nothing(seed: int) -> None:
    problem = problem_of(random_firm(0, tasks=4))
    assert anneal.start_state(problem, problem.today, seed).random[0] != 0


def test_home_is_whoever_costs_least() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob"), person("cyd", skills=("audit",))),
            tasks=(
                task("held", assignee="ada"),
                task("usual", client="bobs"),
                task("nobody", type="law"),
                task("pinned", assignee="ada", pinned=True, client="bobs"),
            ),
            clients=(Client(id="acme"), Client(id="bobs", usual_person="bob")),
            task_types=(firm().task_types[0], firm().task_types[0].model_copy(update={"id": "law", "skill": "law"})),
        )
    )
    flat = anneal.facts(problem)
    assert flat.home.tolist() == [0, 1, -1, 0]
    starts = flat.candidate_start.tolist()
    assert [flat.candidate[a:b].tolist() for a, b in pairwise(starts)] == [[0, 1], [0, 1], [], [0]]


def test_firm_without_people_can_be_flattened() -> None:
    problem = problem_of(firm(tasks=(task("a"),)))
    assert anneal.facts(problem).home.tolist() == [-1]
    flat, state = started(problem)
    assert run(flat, state, 100) == 0


def test_reviews_are_listed_with_their_preparation() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob")),
            tasks=(task("a"), task("b", reviews="a"), task("c", reviews="a"), task("d")),
        )
    )
    flat = anneal.facts(problem)
    assert flat.review_start.tolist() == [0, 2, 2, 2, 2]
    assert flat.review.tolist() == [1, 2]


def test_two_full_people_exchange_their_work() -> None:
    crossed = firm(
        people=(person("ada"), person("bob")),
        tasks=(task("a", hours=40, assignee="ada", client="bobs"), task("b", hours=40, assignee="bob", client="adas")),
        clients=(Client(id="bobs", usual_person="bob"), Client(id="adas", usual_person="ada")),
        policy=Policy(weights=Policy().weights.model_copy(update={"continuity": 1_000})),
    )
    flat, state = started(problem_of(crossed))
    assert run(flat, state, 300, hot=1.0, cold=0.1) == 2 * 180 - 2 * 1_000
    assert anneal.result(state).who.tolist() == [1, 0]


def test_dear_new_work_pushes_cheap_new_work_out() -> None:
    full = firm(
        people=(person("ada"),),
        tasks=(task("cheap", hours=30, priority="low"), task("dear", hours=30, priority="critical")),
    )
    flat, state = started(problem_of(full))
    assert anneal.result(state).who.tolist() == [0, ESCALATED]
    run(flat, state, 300, hot=1.0, cold=0.1)
    assert anneal.result(state).who.tolist() == [ESCALATED, 0]


def test_work_that_has_a_person_is_not_pushed_out() -> None:
    full = firm(
        people=(person("ada"),),
        tasks=(
            task("cheap", hours=30, priority="low", assignee="ada"),
            task("dear", hours=30, priority="critical"),
        ),
    )
    flat, state = started(problem_of(full))
    run(flat, state, 2_000)
    assert anneal.result(state).who.tolist() == [0, ESCALATED]


def test_chain_of_three_makes_room() -> None:
    one = firm(
        people=(person("ada", skills=("tax", "audit")), person("bob")),
        tasks=(
            task("held", hours=30, assignee="ada"),
            task("new", hours=30, type="check"),
        ),
        task_types=(firm().task_types[0], firm().task_types[0].model_copy(update={"id": "check", "skill": "audit"})),
    )
    flat, state = started(problem_of(one))
    run(flat, state, 300, hot=1.0, cold=0.1)
    assert anneal.result(state).who.tolist() == [1, 0]


def test_late_work_is_promised_earlier_when_room_appears() -> None:
    problem = problem_of(
        firm(people=(person("ada"), person("bob")), tasks=(task("a", hours=8, due=-1), task("b", hours=8, due=-1)))
    )
    late = Assignment(np.array([0, 0], dtype=np.int32), np.array([1, 3], dtype=np.int32))
    flat, state = anneal.facts(problem), anneal.start_state(problem, late, 0)
    run(flat, state, 500, hot=1.0, cold=0.1)
    found = anneal.result(state)
    assert sorted(found.who.tolist()) == [0, 1]
    assert found.window.tolist() == [0, 0]


def test_promise_stays_where_an_earlier_one_would_cost_more_balance() -> None:
    weights = Policy().weights.model_copy(
        update={"balance_pct": 0, "balance_far_pct": 0, "week_balance_pct": 1_000, "late_start": 0, "late_day": 0}
    )
    problem = problem_of(
        firm(
            people=(person("ada", target_utilisation_pct=10), person("bob", skills=("audit",))),
            tasks=(task("a", hours=8, due=-1, priority="low"), task("b", due=8, type="check")),
            task_types=(
                firm().task_types[0],
                firm().task_types[0].model_copy(update={"id": "check", "skill": "audit"}),
            ),
            policy=Policy(weights=weights),
        )
    )
    days = problem.board.axis.days
    later = next(w for w in problem.windows_of(0) if days[problem.due[w]] >= day(7))
    plan = Assignment(np.array([0, 1], dtype=np.int32), np.array([later, 0], dtype=np.int32))
    state = anneal.start_state(problem, plan, 0)
    assert run(anneal.facts(problem), state, 200, hot=1.0, cold=0.1) == 0
    assert anneal.result(state).window.tolist() == [later, 0]
    sooner = Assignment(plan.who, np.array([0, 0], dtype=np.int32))
    assert problem.objective_min(sooner) > problem.objective_min(plan)


CHILD = """
import warnings
warnings.simplefilter("ignore")
import sys
from tests.firms_for_tests import NOW, random_firm
from solver import anneal
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.problem import compile_problem
for seed in (2, 5, 9):
    problem = compile_problem(compile_board(random_firm(seed, people=6, tasks=40), now=NOW))
    state = anneal.start_state(problem, completed(problem, rule_plan(problem)), seed)
    change = anneal.anneal(anneal.facts(problem), state, 1500, 180.0, 1.5)
    print(int(change), anneal.result(state).who.tolist(), anneal.result(state).window.tolist(), hasattr(anneal.anneal, "py_func"))
"""


def test_compiled_moves_are_those_of_plain_python() -> None:
    said_by_child = printed(CHILD, NUMBA_DISABLE_JIT="1")
    said = said_by_child.splitlines()
    for line, seed in zip(said, (2, 5, 9), strict=True):
        problem = problem_of(random_firm(seed, people=6, tasks=40))
        flat, state = started(problem, seed)
        change = run(flat, state, 1_500)
        found = anneal.result(state)
        assert line == f"{change} {found.who.tolist()} {found.window.tolist()} False"
