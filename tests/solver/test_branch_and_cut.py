"""Branch and cut on whole firms: the optimum where every assignment can be tried, and never a bound above it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from scenarios.firms import generate_firm
from solver import integer_program
from solver.board import compile_board
from solver.bound import lower_bound
from solver.branch_and_cut import MORE_NODES, Branch, Branched, Rows, tractable
from solver.construct import completed, rule_plan
from solver.crew import Near
from solver.model import Scope
from solver.problem import Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, random_firm
from tests.plan_checker import assignments, cheapest, tiny_firm
from tests.solver.test_anneal import faults


def problem_of(seed: int) -> Problem:
    return compile_problem(compile_board(random_firm(seed), now=NOW))


def first_plan(problem: Problem) -> Assignment:
    return completed(problem, rule_plan(problem))


def small_problems() -> list[Problem]:
    found = [compile_problem(compile_board(tiny_firm(seed), now=NOW)) for seed in range(60)]
    return [problem for problem in found if problem.allowed.any() and assignments(problem) <= 20_000]


def staged(problem: Problem, rows: Rows = frozenset(), stages: int = 20) -> list[Branched]:
    found: list[Branched] = []
    plan, nodes = first_plan(problem), 1
    while len(found) < stages and not (found and found[-1].closed):
        stage = Branch(plan, rows, nodes)(problem, Near(lambda: True))
        plan, rows, nodes = stage.plan, stage.rows, nodes * (MORE_NODES if stage.more_nodes else 1)
        found.append(stage)
    return found


@dataclass
class Listening:
    """A line that says to stop after some questions and remembers what is handed over."""

    questions: int
    kept: list[Any] = field(default_factory=list)

    def __call__(self) -> bool:
        self.questions -= 1
        return self.questions >= 0

    def keep(self, result: Any) -> None:
        self.kept.append(result)


def holds(problem: Problem, plan: Assignment) -> bool:
    return bool((problem.slack_min(plan) >= 0).all())


def test_closes_on_the_best_of_all_assignments() -> None:
    tried = 0
    for problem in small_problems():
        best = cheapest(problem).objective_min
        stages = staged(problem)
        assert stages[-1].closed
        for stage in stages:
            assert stage.bound_min <= best <= problem.objective_min(stage.plan)
        # What is closed is closed but for the rounding of each person's balance to a whole minute.
        assert problem.objective_min(stages[-1].plan) - best <= problem.person_count
        tried += 1
    assert tried > 40


def test_windows_left_out_are_rows_once_a_plan_breaks_them() -> None:
    grown = 0
    for seed in range(12):
        problem = problem_of(seed)
        if not problem.allowed.any():
            continue
        stages = staged(problem, stages=6)
        assert all(holds(problem, stage.plan) for stage in stages)
        for before, after in pairwise(stages):
            assert before.rows <= after.rows
        grown += bool(stages[-1].rows)
    assert grown > 0


@pytest.mark.parametrize("seed", range(12))
def test_cumulative_loads_say_the_same_as_windows(seed: int) -> None:
    problem = problem_of(seed)
    scope = Scope(first_plan(problem), tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    every = {(p, a) for p in range(problem.person_count) for a in range(problem.room_min.shape[1])}
    answers = [integer_program.solve(integer_program.build(problem, scope, rows), nodes=500) for rows in (None, every)]
    assert all(proven for _, proven, _ in answers)
    plans = [plan for plan, _, _ in answers if plan is not None]
    assert [faults(problem, plan) for plan in plans] == [[], []]
    assert problem.objective_min(plans[0]) == problem.objective_min(plans[1])


def test_rows_left_out_only_lower_what_a_program_allows() -> None:
    problem = problem_of(3)
    scope = Scope(first_plan(problem), tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    none: Rows = frozenset()
    every = {(p, a) for p in range(problem.person_count) for a in range(problem.room_min.shape[1])}
    whole, all_named, fewest = (integer_program.build(problem, scope, rows) for rows in (None, every, none))
    assert all_named.rows > fewest.rows
    answers = [integer_program.solve(one, nodes=500) for one in (whole, all_named, fewest)]
    assert all(proven for _, proven, _ in answers)
    exact, named, relaxed = (problem.objective_min(plan) for plan, _, _ in answers if plan is not None)
    assert exact == named >= relaxed


@pytest.mark.parametrize("questions", [0, 1, 5, 20])
def test_told_to_stop_it_has_a_right_plan_and_a_bound(questions: int) -> None:
    for problem in small_problems()[:15]:
        line, start = Listening(questions), first_plan(problem)
        stage = Branch(start, frozenset(), 1)(problem, line)
        best = cheapest(problem).objective_min
        for each in (*line.kept, stage):
            assert holds(problem, each.plan)
            assert each.bound_min <= best <= problem.objective_min(each.plan) <= problem.objective_min(start)
        bounds = [each.bound_min for each in (*line.kept, stage)]
        assert bounds == sorted(bounds)


def test_same_stage_finds_the_same() -> None:
    problem = problem_of(5)
    once, again = (staged(problem, stages=3) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert np.array_equal(one.plan.who, other.plan.who)
        assert (one.bound_min, one.work_units, one.rows) == (other.bound_min, other.work_units, other.rows)


@pytest.mark.parametrize(("people", "tasks", "small_enough"), [(30, 600, True), (150, 4500, False)])
def test_only_firms_that_it_can_handle_are_tried(people: int, tasks: int, small_enough: bool) -> None:
    made = generate_firm(people=people, tasks=tasks, load=0.9, seed=0)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    relaxed = lower_bound(problem).relaxed if small_enough else None
    assert tractable(problem, relaxed.rows if relaxed is not None else frozenset()) is small_enough
