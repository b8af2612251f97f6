"""Overtime needed: by hand, and against a maximum flow of work through the days."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from scenarios.overtime_needed import needed_min, offered_min
from solver.batch import solve
from solver.firm import Firm, Overtime
from solver.plan import Plan, PlannedTask
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, task

ALWAYS = Overtime(first_day=day(0), last_day=day(60), extra_min=(480, 480, 480, 480, 480, 0, 0))


def planned(id: str, person: str, minutes: int, first: int, last: int) -> PlannedTask:
    return PlannedTask(
        task=id,
        person=person,
        work_min=minutes,
        earliest_day=day(first),
        promised_day=day(last),
        finish_day=None,
        late=False,
        days_late=0,
        cause=None,
        moved_from=None,
        new=False,
    )


def plan_of(one: Firm, *tasks: PlannedTask) -> Plan:
    return solve(one, now=NOW, stop=WorkBudget(0.0), advice=False).model_copy(update={"tasks": tasks})


def office() -> Firm:
    return firm((person("ada"), person("bob")), (task("x", due=20),), overtime=(ALWAYS,))


def test_only_what_regular_hours_leave_undone_is_needed() -> None:
    one = office()
    assert needed_min(one, plan_of(one, planned("a", "ada", 480, 0, 0))) == 0
    assert needed_min(one, plan_of(one, planned("a", "ada", 481, 0, 0))) == 1
    assert needed_min(one, plan_of(one, planned("a", "ada", 600, 0, 1), planned("b", "bob", 600, 0, 0))) == 120
    late_start = plan_of(one, planned("a", "ada", 480, 4, 4), planned("b", "ada", 480, 4, 6))  # Friday to Sunday
    assert needed_min(one, late_start) == 480
    assert needed_min(one.model_copy(update={"overtime": ()}), late_start) == 0
    assert offered_min(one, late_start, day(4)) == 2 * 5 * 480


@pytest.mark.parametrize("seed", range(25))
def test_needed_overtime_is_what_no_flow_through_regular_hours_carries(seed: int) -> None:
    rng = random.Random(seed)
    one = office()
    tasks = []
    for n in range(rng.randint(1, 9)):
        first = rng.randint(0, 8)
        tasks.append(planned(f"t{n}", "ada", rng.randint(30, 900), first, first + rng.randint(0, 6)))
    plan = plan_of(one, *tasks)
    days = [day(n) for n in range(20)]
    count = len(tasks)
    capacities = np.zeros((count + len(days) + 2,) * 2, dtype=np.int32)
    source, sink = count + len(days), count + len(days) + 1
    for n, item in enumerate(tasks):
        capacities[source, n] = item.work_min
        for d, when in enumerate(days):
            if item.promised_day is not None and item.earliest_day <= when <= item.promised_day:
                capacities[n, count + d] = item.work_min
    for d, when in enumerate(days):
        capacities[count + d, sink] = 480 if when.weekday() < 5 else 0
    flow = maximum_flow(csr_matrix(capacities), source, sink).flow_value
    assert needed_min(one, plan) == sum(item.work_min for item in tasks) - flow
