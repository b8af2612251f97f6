"""Linear programs solved again with more in them: the same value as from nothing, with multipliers that prove it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from solver.linear_program import Program, Repeated


def programs(seed: int) -> list[Program]:
    """Return packings that grow: each next one with a sum of some variables that is limited, and one more row."""
    random = np.random.default_rng(seed)
    items = 12
    price = -random.uniform(1.0, 9.0, items)
    upper = np.ones(items)
    equal, equal_right = sp.csr_matrix((0, items)), np.zeros(0)
    most, most_right = sp.csr_matrix(random.uniform(1.0, 5.0, (2, items))), random.uniform(6.0, 12.0, 2)
    found = [Program(price, upper, equal, equal_right, most, most_right)]
    for _ in range(3):
        sums = sp.csr_matrix(np.where(random.random((2, items)) < 0.5, random.uniform(1.0, 4.0, (2, items)), 0.0))
        width = len(price)
        price, upper = np.append(price, np.zeros(2)), np.append(upper, random.uniform(1.0, 5.0, 2))
        sums.resize(2, width)
        equal = sp.vstack(
            [sp.hstack([equal, sp.csr_matrix((equal.shape[0], 2))]), sp.hstack([sums, -sp.eye(2)])]
        ).tocsr()
        equal_right = np.append(equal_right, np.zeros(2))
        more = sp.csr_matrix(np.where(np.arange(width + 2) < items, random.uniform(0.0, 3.0, width + 2), 0.0))
        most = sp.vstack([sp.hstack([most, sp.csr_matrix((most.shape[0], 2))]), more]).tocsr()
        most_right = np.append(most_right, random.uniform(3.0, 9.0))
        found.append(Program(price, upper, equal, equal_right, most, most_right))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_each_one_comes_to_its_least_and_its_multipliers_prove_it(seed: int) -> None:
    repeated = Repeated()
    for one in programs(seed):
        answer = repeated.solve(one)
        assert answer is not None
        least = linprog(
            one.price,
            A_ub=one.most,
            b_ub=one.most_right,
            A_eq=one.equal,
            b_eq=one.equal_right,
            bounds=np.column_stack([np.zeros(len(one.upper)), one.upper]),
        )
        assert one.price @ answer.values == pytest.approx(least.fun)
        assert (answer.most <= 0.0).all()
        reduced = one.price - one.equal.T @ answer.equal - one.most.T @ answer.most
        proof = one.equal_right @ answer.equal + one.most_right @ answer.most + np.minimum(reduced, 0.0) @ one.upper
        assert proof == pytest.approx(least.fun)


def test_going_on_takes_fewer_iterations_than_beginning_anew() -> None:
    on, anew = 0, 0
    for seed in range(20):
        repeated = Repeated()
        for one in programs(seed)[1:]:
            answer, fresh = repeated.solve(one), Repeated().solve(one)
            assert answer is not None
            assert fresh is not None
            on, anew = on + answer.iterations, anew + fresh.iterations
    assert on < anew


def test_a_program_without_an_answer_has_none_and_the_next_begins_anew() -> None:
    good = programs(0)[1]
    impossible = Program(good.price, good.upper, good.equal, good.equal_right + 1e6, good.most, good.most_right)
    repeated = Repeated()
    assert repeated.solve(good) is not None
    assert repeated.solve(impossible) is None
    assert repeated.basis is None
    assert repeated.solve(good) is not None
