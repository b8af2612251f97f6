"""Packings: dives and overbooking in turn, each from the best plan; what two of them do apart is put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.contention import dear_tasks
from solver.diving import FIRST_SIZE, GROWTH, MOST_TASKS, Dive
from solver.overbooking import Found, Overbook
from solver.packings import FIRST_OVERBOOKED, FIRST_PACKINGS, MOST_VAIN, PACKED_SHARE, VAIN_SHARE, Packings, together
from solver.problem import Assignment, Problem, compile_problem
from solver.running import Search
from solver.stop import Progress
from tests.firms_for_tests import NOW, random_firm
from tests.solver.test_anneal import faults


def started(problem: Problem, plan: Assignment) -> Search:
    base = problem.unavoidable_min()
    progress = Progress(0.0, problem.objective_min(plan) - base, 0)
    return Search(problem, plan, progress, lambda progress: None, lambda progress: None, base, 0)


def contested_firm() -> Search:
    made = generate_firm(people=8, tasks=80, load=1.2, seed=3)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    return started(problem, completed(problem, rule_plan(problem)))


def without_gain(monkeypatch: pytest.MonkeyPatch, work_units: float) -> list[str]:
    """Let every job return what it began with; return what was begun."""
    begun: list[str] = []

    def nothing(job: Dive | Overbook, problem: Problem, go_on: object) -> Found:
        begun.append(type(job).__name__)
        return Found(job.plan, work_units)

    for kind in (Dive, Overbook):
        monkeypatch.setattr(kind, "__call__", nothing)
    return begun


def test_each_begins_with_the_best_plan_and_a_worse_one_is_forgotten() -> None:
    running = contested_firm()
    packings = Packings(running)
    for _ in range(FIRST_PACKINGS):
        assert packings.due(0.0)
        before = running.plan
        packings.begin(1)
        packings.finish()
        assert packings.plan is before
        assert running.problem.objective_min(running.plan) <= running.problem.objective_min(before)
        assert faults(running.problem, running.plan) == []
    assert packings.due(0.0) == packings.fruitful


def test_the_first_ones_overbook_even_if_they_gain_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    packings = Packings(contested_firm())
    begun = without_gain(monkeypatch, 1.0)
    for _ in range(FIRST_PACKINGS):
        packings.begin(1)
        packings.finish()
    assert begun == ["Overbook"] * FIRST_OVERBOOKED + ["Dive"] * (FIRST_PACKINGS - FIRST_OVERBOOKED)


def test_the_kind_with_least_work_since_it_gained_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    packings = Packings(contested_firm(), left=0)
    begun = without_gain(monkeypatch, 1.0)
    for _ in range(4):
        packings.begin(1)
        packings.finish()
    assert begun == ["Overbook", "Dive", "Overbook", "Dive"]
    packings.vain_units[Overbook] = 0.0
    packings.begin(1)
    assert packings.kind is Overbook


def test_one_that_gains_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    running = contested_firm()
    best = Overbook(running.plan, 0)(running.problem, lambda: True).plan
    assert running.problem.objective_min(best) < 0.9 * running.problem.objective_min(running.plan)
    packings = Packings(running)
    monkeypatch.setattr(Overbook, "__call__", lambda job, problem, go_on: Found(best, 1.0))
    kinds = []
    for _ in range(3):
        packings.begin(1)
        kinds.append(packings.kind)
        packings.finish()
    assert kinds[:2] == [Overbook, Overbook]
    assert packings.vain_units[Overbook] > 0.0


def test_more_are_due_when_other_work_has_been_done(monkeypatch: pytest.MonkeyPatch) -> None:
    packings = Packings(contested_firm(), left=0)
    without_gain(monkeypatch, 1.0)
    packings.begin(1)
    spent = packings.finish()
    assert packings.hopeful
    assert not packings.due(spent / PACKED_SHARE)
    assert packings.due(1.01 * spent / PACKED_SHARE)
    packings.hopeful = False
    assert not packings.due(spent / VAIN_SHARE)
    assert packings.due(1.01 * spent / VAIN_SHARE)
    packings.fruitful = True
    assert packings.due(0.0)


def test_a_kind_with_nothing_to_do_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    packings = Packings(contested_firm())
    begun = without_gain(monkeypatch, 0.0)
    for _ in range(2):
        assert packings.due(1.0)
        packings.begin(2)
        packings.finish()
    assert begun == ["Overbook", "Overbook", "Dive", "Dive"]
    assert not packings.due(1.0)


def test_dives_become_finer_and_larger_once_those_of_all_dear_tasks_were_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    running = contested_firm()
    packings = Packings(running, vain_units={Dive: 0.0})
    dear = dear_tasks(running.problem, running.plan)
    assert dear > 1
    without_gain(monkeypatch, 1.0)
    sizes: list[int] = []
    for _ in range(2 * min(dear, MOST_VAIN)):
        assert packings.fine == (len(sizes) >= min(dear, MOST_VAIN))
        packings.begin(1)
        packings.finish()
        sizes.append(packings.size)
    assert sizes[min(dear, MOST_VAIN) - 2 :: min(dear, MOST_VAIN)] == [FIRST_SIZE, round(GROWTH * FIRST_SIZE)]
    assert packings.size == min(round(GROWTH * round(GROWTH * FIRST_SIZE)), MOST_TASKS)
    assert not packings.hopeful


def apart(problem: Problem, plan: Assignment, groups: tuple[set[int], set[int]]) -> list[Assignment]:
    """Return the plan with what each of two groups of people holds escalated, as far as it may be."""
    made = []
    for group in groups:
        one = plan.copy()
        gone = np.isin(plan.who, list(group)) & problem.may_escalate
        one.who[gone], one.window[gone] = -1, -1
        made.append(one)
    return made


@pytest.mark.parametrize("seed", range(12))
def test_two_plans_that_touch_different_people_are_put_together(seed: int) -> None:
    problem = compile_problem(compile_board(random_firm(seed, people=4, tasks=24), now=NOW))
    plan = completed(problem, rule_plan(problem))
    one, other = apart(problem, plan, ({0, 1}, {2, 3}))
    both = together(problem, plan, one, other)
    changed = [(made.who != plan.who) | (made.window != plan.window) for made in (one, other)]
    linked = {
        int(o)
        for t in np.flatnonzero(changed[0])
        for o in problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]
    }
    if not all(some.any() for some in changed) or linked & set(np.flatnonzero(changed[1]).tolist()):
        assert both is None
        return
    assert both is not None
    assert faults(problem, both) == []
    saved = [problem.objective_min(plan) - problem.objective_min(made) for made in (one, other, both)]
    assert saved[2] == saved[0] + saved[1]


def test_two_plans_that_touch_one_person_are_not_put_together() -> None:
    problem = compile_problem(compile_board(random_firm(1, people=3, tasks=24), now=NOW))
    plan = completed(problem, rule_plan(problem))
    one, other = apart(problem, plan, ({0, 1}, {1, 2}))
    assert together(problem, plan, one, other) is None
    assert together(problem, plan, plan, other) is None


def test_more_than_one_at_a_time_come_to_the_same_plan_again() -> None:
    plans = []
    for _ in range(2):
        running = contested_firm()
        packings = Packings(running)
        for _ in range(2):
            packings.begin(2)
            packings.finish()
        plans.append(replace(running.plan))
    assert (plans[0].who == plans[1].who).all()
    assert (plans[0].window == plans[1].window).all()
