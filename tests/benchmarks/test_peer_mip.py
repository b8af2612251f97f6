"""The rows that HiGHS is given, solved by another MIP solver, against the joint model."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from benchmarks.peers.export import answer_of, instance_of, start_of
from benchmarks.peers.mip import Mip, mip_of
from benchmarks.peers.scoring import Answer, objective_min
from solver import model
from solver.board import compile_board
from solver.firm import Firm
from solver.model import Scope
from solver.problem import Problem, compile_problem
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import tiny_firm


def compiled(one: Firm, chained: bool = False) -> tuple[Problem, Mip]:
    problem = compile_problem(compile_board(one, now=NOW))
    return problem, mip_of(instance_of(problem), -1 if chained else 10**9)


def rows_of(mip: Mip) -> sp.csr_matrix:
    return sp.csr_matrix((mip.entry, mip.column, mip.row_start), shape=(len(mip.least), len(mip.price)))


def cheapest(mip: Mip) -> Answer:
    found = milp(
        mip.price,
        integrality=np.arange(len(mip.price)) < mip.binary_count,
        bounds=Bounds(np.zeros(len(mip.price)), mip.upper),
        constraints=LinearConstraint(rows_of(mip), mip.least, mip.most),
        options={"mip_rel_gap": 0.0},
    )
    assert found.success, found.message
    return mip.answer(found.x)


def optimum_min(problem: Problem) -> int:
    scope = Scope(problem.today, tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    plan, proven, _ = model.solve(model.build(problem, scope), work_units=20.0, seed=0)
    assert plan is not None
    assert proven
    return problem.objective_min(plan)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("one", [*map(tiny_firm, range(20)), *(random_firm(seed, tasks=12) for seed in range(6))])
def test_the_rows_say_what_the_joint_model_says(one: Firm, chained: bool) -> None:
    problem, mip = compiled(one, chained)
    found = objective_min(mip.instance, cheapest(mip))
    best = optimum_min(problem)
    # Balance is rounded up per person only when scored: the program may prefer a plan that is a minute per person dearer.
    assert best <= found <= best + problem.person_count


@pytest.mark.parametrize("seed", range(6))
def test_a_given_plan_is_one_of_its_solutions(seed: int) -> None:
    problem, mip = compiled(random_firm(seed))
    start = answer_of(start_of(problem))
    values = mip.start(start)
    again = mip.answer(values)
    assert (again.who == start.who).all()
    assert (again.window == start.window).all()
    whole_rows = rows_of(mip)[:, : mip.binary_count]
    binary_only = np.flatnonzero(abs(rows_of(mip)[:, mip.binary_count :]).sum(axis=1) == 0)
    sums = (whole_rows @ values)[binary_only]
    assert (sums >= mip.least[binary_only]).all()
    assert (sums <= mip.most[binary_only]).all()


def test_hours_are_rows_only_where_windows_can_bind() -> None:
    busy, idle = (compiled(one)[1] for one in crowd_and_pair())
    assert len(hours(busy)) == 1
    assert rows_of(busy)[hours(busy)].sum() == 9 * 5 * 60
    assert busy.most[hours(busy)].tolist() == [5 * 8 * 60]
    assert len(hours(idle)) == 0


def crowd_and_pair() -> tuple[Firm, Firm]:
    """Return a firm with more work than one person can do in a week, and one with little."""
    many = tuple(task(f"t{i}", hours=5) for i in range(9))
    return firm(people=(person("ada"),), tasks=many), firm(people=(person("ada"),), tasks=many[:2])


def hours(mip: Mip) -> NDArray[np.int64]:
    """Return the rows of hours: no least, and more than one minute at most."""
    return np.flatnonzero((mip.least == -np.inf) & (mip.most > 1) & (rows_of(mip).max(axis=1).toarray().ravel() > 1))
