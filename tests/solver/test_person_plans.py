"""The best plan of each person at given prices: what trying every set of items finds, and less only where flags run out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from solver.person_plans import Items, best_plans


def drawn_items(seed: int, windows: int = 2) -> Items:
    """Return items of two people: five tasks with some windows each, rooms by three due columns, balance of two weeks."""
    random = np.random.default_rng(seed)
    rows = []
    for p, t, _ in product(range(2), range(5), range(windows)):
        rows.append((p, int(random.integers(4)), t, int(random.integers(1, 9)), -float(random.integers(1, 200))))
    rows.sort(key=lambda row: row[:2])
    person, column, task, work, price = (np.array(values) for values in zip(*rows, strict=True))
    return Items(
        start=np.searchsorted(person, np.arange(3)).astype(np.int64),
        task=task.astype(np.int64),
        work=work.astype(np.int64),
        column=column.astype(np.int64),
        price=price,
        room=np.sort(random.integers(0, 25, (2, 3)), axis=1).astype(np.int64),
        share=random.uniform(0.0, 20.0, (2, 3)),
        far=np.full(2, 2.0),
        week_column=np.array([0, 2]),
        weights=np.array([3.0, 5.0, 2.0]) * (seed % 3),
    )


def cost_of(i: Items, p: int, item: np.ndarray) -> float:
    """Return what a set of a person's items costs, infinite where it does not fit."""
    work = i.work[item]
    for column in range(i.room.shape[1]):
        if work[i.column[item] <= column].sum() > i.room[p, column]:
            return np.inf
    cost = float(i.price[item].sum())
    for j, last in enumerate(i.week_column.tolist()):
        cost += i.weights[2] * abs(work[i.column[item] <= last].sum() - i.share[p, j + 1])
    away = abs(work.sum() - i.share[p, 0])
    return float(cost + i.weights[0] * away + i.weights[1] * max(away - i.far[p], 0.0))


def least_of(i: Items, p: int, *, once: bool) -> float:
    """Return the least cost of all sets of a person's items; with ``once`` of those that take no task twice."""
    mine = np.arange(i.start[p], i.start[p + 1])
    least = np.inf
    for chosen in product([False, True], repeat=len(mine)):
        item = mine[np.array(chosen)]
        if not once or len(np.unique(i.task[item])) == len(item):
            least = min(least, cost_of(i, p, item))
    return least


@pytest.mark.parametrize("seed", range(12))
def test_with_a_flag_for_each_task_nobody_can_do_better_and_no_task_is_taken_twice(seed: int) -> None:
    i = drawn_items(seed)
    total, cost, item, start = best_plans(i, np.zeros(5), 5)
    for p in range(2):
        mine = item[start[p] : start[p + 1]]
        assert len(np.unique(i.task[mine])) == len(mine)
        assert cost_of(i, p, mine) == pytest.approx(least_of(i, p, once=True))
        assert cost[p] == pytest.approx(cost_of(i, p, mine))
    assert total == pytest.approx(cost.sum())


@pytest.mark.parametrize("seed", range(12))
def test_fewer_flags_only_lower_the_total(seed: int) -> None:
    i = drawn_items(seed)
    totals = [best_plans(i, np.zeros(5), flags)[0] for flags in range(4)]
    assert totals[0] == pytest.approx(sum(least_of(i, p, once=False) for p in range(2)))
    assert sorted(totals) == totals
    assert totals[-1] <= sum(least_of(i, p, once=True) for p in range(2)) + 1e-9


def test_flags_are_needed_and_told_apart_where_two_tasks_overlap() -> None:
    """Some of the drawn items take two tasks twice, one of which begins before the other ends."""
    gained = [
        best_plans(drawn_items(s), np.zeros(5), 2)[0] - best_plans(drawn_items(s), np.zeros(5), 1)[0] for s in range(12)
    ]
    assert max(gained) > 0.0
