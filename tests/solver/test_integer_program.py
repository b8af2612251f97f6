"""The integer program in arrays against the joint model, which is the written statement of the problem."""

from __future__ import annotations

import pytest

from solver import integer_program, model
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.model import Scope
from solver.problem import Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, random_firm


def begun(seed: int, tasks: int) -> tuple[Problem, Assignment]:
    problem = compile_problem(compile_board(random_firm(seed, tasks=tasks), now=NOW))
    return problem, completed(problem, rule_plan(problem))


def solved_both_ways(problem: Problem, scope: Scope) -> tuple[int, int]:
    exact, proven, _ = model.solve(model.build(problem, scope), work_units=20.0, seed=0)
    found, best, _ = integer_program.solve(integer_program.build(problem, scope), nodes=100_000)
    assert proven
    assert best
    assert exact is not None
    assert found is not None
    assert (problem.slack_min(found) >= problem.slack_min(scope.plan).clip(max=0)).all()
    return problem.objective_min(exact), problem.objective_min(found)


@pytest.mark.parametrize("seed", range(40))
def test_whole_firm_costs_the_same_by_either_one(seed: int) -> None:
    problem, plan = begun(seed, tasks=9)
    scope = Scope(plan, tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    exact, found = solved_both_ways(problem, scope)
    assert exact <= found <= exact + problem.person_count


@pytest.mark.parametrize("seed", range(40, 60))
def test_part_of_a_firm_costs_the_same_by_either_one(seed: int) -> None:
    problem, plan = begun(seed, tasks=12)
    people = tuple(range(max(problem.person_count - 1, 1)))
    tasks = tuple(t for t in range(problem.task_count) if plan.who[t] in people or plan.who[t] < 0)
    exact, found = solved_both_ways(problem, Scope(plan, tasks, people))
    assert exact <= found <= exact + len(people)


def test_too_few_nodes_may_end_without_proof_but_never_with_a_broken_rule() -> None:
    problem, plan = begun(7, tasks=14)
    scope = Scope(plan, tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    found, _, work = integer_program.solve(integer_program.build(problem, scope), nodes=1)
    assert work > 0
    if found is not None:
        assert (problem.slack_min(found) >= 0).all()
