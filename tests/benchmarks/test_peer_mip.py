"""The rows that HiGHS is given, solved by another MIP solver, against the joint model."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from benchmarks.peers.export import answer_of, instance_of, start_of
from benchmarks.peers.mip import Mip, mip_of
from benchmarks.peers.scoring import Answer, objective_min
from solver import model
from solver.board import compile_board
from solver.firm import Firm
from solver.model import Scope
from solver.problem import Problem, compile_problem
from tests.firms_for_tests import NOW, random_firm
from tests.plan_checker import tiny_firm


def compiled(one: Firm) -> tuple[Problem, Mip]:
    problem = compile_problem(compile_board(one, now=NOW))
    return problem, mip_of(instance_of(problem))


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


@pytest.mark.parametrize("one", [*map(tiny_firm, range(40)), *(random_firm(seed, tasks=12) for seed in range(8))])
def test_the_rows_say_what_the_joint_model_says(one: Firm) -> None:
    problem, mip = compiled(one)
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


def test_only_windows_that_can_bind_get_a_row() -> None:
    _, mip = compiled(random_firm(1, people=4, tasks=30))
    most = np.where(mip.most < np.inf, mip.most, 0.0)
    entries = rows_of(mip)
    heavy = np.flatnonzero((entries.max(axis=1).toarray().ravel() > 1) & (mip.least == -np.inf) & (most > 0))
    assert len(heavy) > 0
    assert (np.asarray(entries[heavy].sum(axis=1)).ravel() > most[heavy]).all()
    pattern = {(tuple(entries[i].indices.tolist())) for i in heavy}
    assert len(pattern) == len(heavy)
