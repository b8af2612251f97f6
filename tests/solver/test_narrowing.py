"""Narrowed states: what fits and what lacks is the same as with every window, wherever some tasks are moved."""

from __future__ import annotations

import numpy as np
import pytest

from solver import anneal, flattened
from solver.narrowing import narrowed
from solver.problem import Problem
from tests.solver.test_anneal import faults
from tests.solver.test_overbooking import problem_of, started


def _some(problem: Problem, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    random = np.random.default_rng(seed)
    return np.flatnonzero(random.random(problem.task_count) < 0.4).astype(np.int64)


@pytest.mark.parametrize("seed", range(16))
def test_what_people_lack_is_what_they_lack_with_every_window(seed: int) -> None:
    problem = problem_of(seed)
    tasks = _some(problem, seed)
    if len(tasks) == 0:
        tasks = np.arange(1)
    flat, state, kept = started(problem, seed)
    before = flattened.result(state)
    few, moved, over = narrowed(flat, state, kept, tasks)
    assert moved.slack.size <= state.slack.size
    with np.errstate(over="ignore"):
        for moves in (5, 300, 3_000):
            anneal.overbook(few, moved, over, tasks, moves, 180.0, 20.0, 1.0, 30.0)
            plan = flattened.result(moved)
            lacking = np.maximum(-problem.slack_min(plan).min(axis=(1, 2), initial=0), 0)
            assert (over.over == lacking).all()
            assert (moved.load == problem.loads_min(plan)).all()
    still = np.setdiff1d(np.arange(problem.task_count), tasks)
    assert (plan.who[still] == before.who[still]).all()
    assert (plan.window[still] == before.window[still]).all()


def test_fewer_windows_are_kept_where_few_tasks_move() -> None:
    sizes = []
    for seed in range(16):
        flat, state, kept = started(problem := problem_of(seed), seed)
        few, moved, over = narrowed(flat, state, kept, np.arange(1))
        assert faults(problem, flattened.result(moved)) == []
        assert moved.slack.shape[1:] == over.firm_slack.shape[1:]
        assert (few.row[few.column < moved.slack.shape[2]] < moved.slack.shape[1]).all()
        sizes.append(moved.slack.size / max(state.slack.size, 1))
    assert np.mean(sizes) < 0.2
