from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from api.stops import WallClock
from benchmarks import task_assigning
from benchmarks.even_loads import even_loads, towards
from benchmarks.one_deadline import NOW, firm_of
from benchmarks.task_assigning import Instance, checked_score, least_critical_ends, lists_of, planned
from solver import compile_board
from solver.problem import compile_problem

TINY = Instance(
    name="tiny",
    minutes=np.array([[10, 40], [0, 15], [30, 10], [20, 20], [12, 0], [9, 18]]),
    priority=np.array([0, 0, 1, 1, 2, 0]),
)


def everything(instance: Instance) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    able = [np.flatnonzero(row).tolist() for row in instance.minutes]
    return [np.array(who) for who in itertools.product(*able)]


def test_the_published_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(
        json.dumps(
            {
                "taskTypeList": [
                    {"@id": "k0", "baseDuration": 10, "requiredSkillList": ["s0", "s1"]},
                    {"@id": "k1", "baseDuration": 7, "requiredSkillList": []},
                ],
                "taskList": [
                    {"@id": "t0", "taskType": "k0", "customer": "c0", "priority": "MINOR"},
                    {"@id": "t1", "taskType": "k1", "customer": "c1", "priority": "CRITICAL"},
                ],
                "employeeList": [
                    {"skillSet": ["s1", "s0"], "affinityMap": {"c0": "MEDIUM", "c1": "HIGH"}},
                    {"skillSet": ["s0"], "affinityMap": {"c0": "LOW"}},
                ],
            }
        )
    )
    found = task_assigning.read(path)
    assert found.minutes.tolist() == [[20, 0], [7, 28]]
    assert found.priority.tolist() == [2, 0]


def test_the_score_is_counted_in_list_order() -> None:
    assert checked_score(TINY, [[0, 3, 4], [5, 2, 1]]) == (10 + 18 + 43, 42**2 + 43**2, 30 + 28, 42)


@pytest.mark.parametrize(
    "lists",
    [
        pytest.param([[0, 3, 4], [5, 2]], id="a task left out"),
        pytest.param([[0, 3, 4, 5], [5, 2, 1]], id="a task done twice"),
        pytest.param([[0, 3, 4, 1], [5, 2]], id="a skill missing"),
        pytest.param([[0, 3, 4], [5, 2, 1], []], id="an employee nobody knows"),
    ],
)
def test_an_answer_that_breaks_the_instance_is_refused(lists: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="tiny"):
        checked_score(TINY, lists)


def test_no_order_of_the_same_people_is_better_than_priority_and_shortest_first() -> None:
    who = np.array([0, 1, 0, 1, 0, 0])
    mine = [np.flatnonzero(who == i).tolist() for i in range(2)]
    every = itertools.product(*(itertools.permutations(tasks) for tasks in mine))
    assert checked_score(TINY, lists_of(TINY, who)) == min(checked_score(TINY, lists) for lists in every)


def test_a_tiny_instance_gets_its_best_score() -> None:
    who = planned(TINY, clock=WallClock(3_600.0), seed=0)
    best = min(checked_score(TINY, lists_of(TINY, one)) for one in everything(TINY))
    assert checked_score(TINY, lists_of(TINY, who)) == best


def test_the_bounds_hold_for_every_plan() -> None:
    scores = [checked_score(TINY, lists_of(TINY, who)) for who in everything(TINY)]
    assert least_critical_ends(TINY) == min(score[0] for score in scores)
    assert even_loads(TINY.minutes).bound <= min(score[1] for score in scores) + 1e-6


def test_the_fair_shares_are_the_loads_of_the_relaxation() -> None:
    even = even_loads(TINY.minutes)
    balance = compile_problem(compile_board(firm_of(towards(TINY.minutes, even), escalation_min=1), now=NOW)).balance
    assert np.abs(balance.share_min[:2, 0] - even.load_min).max() <= 2
