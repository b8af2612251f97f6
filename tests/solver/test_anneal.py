"""The annealing: every figure stays in step, no rule is ever broken, and a run is the same everywhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from solver import anneal, flattened
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
    return flattened.facts(problem), flattened.start_state(problem, start, seed)


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
    before = problem.objective_min(flattened.result(state))
    for moves in (7, 500, 3_000):
        change = run(flat, state, moves)
        plan = flattened.result(state)
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
        ends.append(flattened.result(state))
    assert (ends[0].who == ends[1].who).all()
    assert (ends[0].window == ends[1].window).all()
    assert (ends[0].who != ends[2].who).any()


def test_result_is_a_copy() -> None:
    flat, state = started(problem_of(random_firm(3)))
    first = flattened.result(state)
    kept = first.copy()
    run(flat, state, 2_000)
    assert (first.who == kept.who).all()
    assert (flattened.result(state).who != kept.who).any()


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
    assert flattened.start_state(problem, problem.today, seed).random[0] != 0


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
    flat = flattened.facts(problem)
    assert flat.home.tolist() == [0, 1, -1, 0]
    starts = flat.candidate_start.tolist()
    assert [flat.candidate[a:b].tolist() for a, b in pairwise(starts)] == [[0, 1], [0, 1], [], [0]]


def test_firm_without_people_can_be_flattened() -> None:
    problem = problem_of(firm(tasks=(task("a"),)))
    assert flattened.facts(problem).home.tolist() == [-1]
    flat, state = started(problem)
    assert run(flat, state, 100) == 0


def test_reviews_are_listed_with_their_preparation() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob")),
            tasks=(task("a"), task("b", reviews="a"), task("c", reviews="a"), task("d")),
        )
    )
    flat = flattened.facts(problem)
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
    assert flattened.result(state).who.tolist() == [1, 0]


def test_dear_new_work_pushes_cheap_new_work_out() -> None:
    full = firm(
        people=(person("ada"),),
        tasks=(task("cheap", hours=30, priority="low"), task("dear", hours=30, priority="critical")),
    )
    flat, state = started(problem_of(full))
    assert flattened.result(state).who.tolist() == [0, ESCALATED]
    run(flat, state, 300, hot=1.0, cold=0.1)
    assert flattened.result(state).who.tolist() == [ESCALATED, 0]


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
    assert flattened.result(state).who.tolist() == [0, ESCALATED]


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
    assert flattened.result(state).who.tolist() == [1, 0]


def test_late_work_is_promised_earlier_when_room_appears() -> None:
    problem = problem_of(
        firm(people=(person("ada"), person("bob")), tasks=(task("a", hours=8, due=-1), task("b", hours=8, due=-1)))
    )
    late = Assignment(np.array([0, 0], dtype=np.int32), np.array([1, 3], dtype=np.int32))
    flat, state = flattened.facts(problem), flattened.start_state(problem, late, 0)
    run(flat, state, 500, hot=1.0, cold=0.1)
    found = flattened.result(state)
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
    state = flattened.start_state(problem, plan, 0)
    assert run(flattened.facts(problem), state, 200, hot=1.0, cold=0.1) == 0
    assert flattened.result(state).window.tolist() == [later, 0]
    sooner = Assignment(plan.who, np.array([0, 0], dtype=np.int32))
    assert problem.objective_min(sooner) > problem.objective_min(plan)


@pytest.mark.parametrize("seed", range(4))
def test_no_chain_comes_about_that_its_least_change_would_have_ruled_out(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=6, tasks=40))
    flat, state = started(problem, seed)
    run(flat, state, 2_000)
    random, tight, done = np.random.default_rng(seed), 0, 0
    for _ in range(4_000):
        t, u = random.integers(problem.task_count, size=2).tolist()
        q = int(random.integers(-1, problem.person_count))
        p = int(state.who[u])
        if t == u or p < 0 or q == p or state.who[t] == p or not (q < 0 or problem.allowed[u, q]):
            continue
        before, least = flattened.result(state), int(anneal._least_ejected(flat, state, t, u, q))
        change = int(anneal._eject(flat, state, t, u, q, 1e18))
        if change:
            after = flattened.result(state)
            assert change == problem.objective_min(after) - problem.objective_min(before)
            assert least <= change
            tight, done = tight + (least == change), done + 1
    assert done > 50
    assert tight > 10


@pytest.mark.parametrize("seed", range(4))
def test_room_once_other_work_is_gone_is_that_of_the_ledger_without_it(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=6, tasks=40))
    flat, state = started(problem, seed)
    run(flat, state, 2_000)
    held, answers = np.flatnonzero(state.who >= 0), set()
    for u in held.tolist():
        p, old = int(state.who[u]), int(flat.first_window[u] + state.window[u])
        out = (int(flat.row[old]), int(flat.column[old]), int(flat.work[u, p]))
        for t in np.flatnonzero(problem.allowed[:, p]).tolist():
            for w in problem.windows_of(t):
                into = (int(flat.row[w]), int(flat.column[w]), int(flat.work[t, p]))
                said = anneal._fits_instead(state.slack, p, *out, *into)
                anneal._take(state.slack, p, out[0], out[1], -out[2])
                fits = anneal._fits(state.slack, p, *into)
                inside = state.slack[p, : into[0] + 1, into[1] :]
                assert fits == (inside.size == 0 or int(inside.min()) >= into[2])
                anneal._take(state.slack, p, *out)
                assert said == fits
                answers.add(bool(said))
    assert answers == {True, False}


CHILD = """
import warnings
warnings.simplefilter("ignore")
import sys
from tests.firms_for_tests import NOW, random_firm
from solver import anneal, flattened
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.problem import compile_problem
for seed in (2, 5, 9):
    problem = compile_problem(compile_board(random_firm(seed, people=6, tasks=40), now=NOW))
    state = flattened.start_state(problem, completed(problem, rule_plan(problem)), seed)
    change = anneal.anneal(flattened.facts(problem), state, 1500, 180.0, 1.5)
    print(int(change), flattened.result(state).who.tolist(), flattened.result(state).window.tolist(), hasattr(anneal.anneal, "py_func"))
"""


def test_compiled_moves_are_those_of_plain_python() -> None:
    said_by_child = printed(CHILD, NUMBA_DISABLE_JIT="1")
    said = said_by_child.splitlines()
    for line, seed in zip(said, (2, 5, 9), strict=True):
        problem = problem_of(random_firm(seed, people=6, tasks=40))
        flat, state = started(problem, seed)
        change = run(flat, state, 1_500)
        found = flattened.result(state)
        assert line == f"{change} {found.who.tolist()} {found.window.tolist()} False"
