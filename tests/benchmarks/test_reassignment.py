from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.stops import WallClock
from benchmarks.processes import Instance, checked_cost, read
from benchmarks.reassigning import reassigned

MODEL = """
2
0 10
1 1
3
0 0 20 20 12 20 0 2 5
0 1 30 20 10 20 2 0 5
1 1 20 20 20 20 5 5 0
3
1 0
2 0
1 1 0
5
0 8 2 3
0 6 3 2
1 4 4 1
1 5 1 7
2 3 3 1
1
0 1 2
3
1 10 100
"""
"""Two resources, the second transient; three machines in two neighbourhoods and two locations; service 2 needs service 0 nearby; one
balance cost."""


@pytest.fixture
def tiny(tmp_path: Path) -> Instance:
    model, assignment = tmp_path / "model_tiny.txt", tmp_path / "assignment_tiny.txt"
    model.write_text(MODEL)
    assignment.write_text("0 1 0 1 0")
    return read(model, assignment)


def every_cost(instance: Instance) -> list[int]:
    found = []
    for who in itertools.product(range(3), repeat=5):
        try:
            found.append(checked_cost(instance, np.array(who)))
        except ValueError:
            continue
    return found


def test_the_published_format_is_read(tiny: Instance) -> None:
    assert tiny.name == "tiny"
    assert tiny.capacity.tolist() == [[20, 20], [30, 20], [20, 20]]
    assert tiny.safe.tolist() == [[12, 20], [10, 20], [20, 20]]
    assert tiny.depends_on == ((), (), (0,))
    assert tiny.need.tolist() == [[8, 2], [6, 3], [4, 4], [5, 1], [3, 3]]
    assert (tiny.balances.tolist(), tiny.weights) == ([[0, 1, 2, 3]], (1, 10, 100))


def test_the_cost_is_counted_from_the_instance(tiny: Instance) -> None:
    # Use of the first resource is 15, 11 and 0 of 20, 30 and 20; of the second 9, 4 and 0 of 20 each.
    assert checked_cost(tiny, tiny.today) == 10 * (3 + 1) + 3 * (max(2 * 5 - 11, 0) + (2 * 19 - 16) + (2 * 20 - 20))


def test_moves_are_paid_for_process_service_and_machine(tiny: Instance) -> None:
    moved = np.array([0, 2, 0, 1, 0])
    free = [(5, 11), (25, 19), (14, 17)]
    balance = sum(3 * max(2 * a - b, 0) for a, b in free)
    assert checked_cost(tiny, moved) == 10 * 3 + balance + 2 + 10 * 1 + 100 * 5


@pytest.mark.parametrize(
    ("who", "rule"),
    [
        pytest.param([0, 0, 0, 1, 0], "_together", id="two of one service on a machine"),
        pytest.param([1, 2, 2, 1, 1], "_unspread", id="a service in one location only"),
        pytest.param([0, 1, 0, 1, 2], "_dependence", id="a service without the one it needs"),
    ],
)
def test_an_answer_that_breaks_a_hard_rule_is_refused(tiny: Instance, who: list[int], rule: str) -> None:
    changed = replace(tiny, spread=np.array([2, 2, 1]))
    with pytest.raises(ValueError, match=rule):
        checked_cost(changed, np.array(who))


def test_what_moved_still_takes_the_transient_resource_where_it_was(tiny: Instance) -> None:
    capacity = np.array([[20, 9], [30, 20], [20, 20]])
    assert checked_cost(replace(tiny, capacity=capacity), tiny.today) > 0
    exchanged = np.array([1, 0, 0, 1, 0])
    with pytest.raises(ValueError, match="_overfull"):
        checked_cost(replace(tiny, capacity=capacity), exchanged)


def test_a_tiny_instance_gets_its_least_cost_and_keeps_the_rules(tiny: Instance) -> None:
    looks = itertools.count()  # a clock of its own: five looks, however long they take
    found = reassigned(tiny, clock=WallClock(5.0, clock=lambda: float(next(looks))), seed=0)
    assert checked_cost(tiny, found) == min(every_cost(tiny))
