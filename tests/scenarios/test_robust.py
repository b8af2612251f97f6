from __future__ import annotations

import numpy as np
import pytest

from scenarios.chances import Chances, Pace, Takes, chances_of
from scenarios.draws import drawn, setting
from scenarios.execution import execute
from scenarios.hedging import late_count
from scenarios.robust import robust
from scenarios.uncertainty import compared, outcomes, promised
from solver.batch import today
from solver.board import compile_board
from solver.problem import compile_problem
from solver.reading import read_back
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import problems

NOISE = Chances().certain().model_copy(update={"other": Takes(ratio=1.1, task_sd=0.3)})


@pytest.mark.parametrize("seed", range(6))
def test_a_robust_plan_breaks_no_rule_and_has_no_more_late_tasks_on_draws_it_has_not_seen(seed: int) -> None:
    one = random_firm(seed, people=6, tasks=40)
    plan = today(one, now=NOW)
    found = robust(one, plan, chances_of(one), now=NOW, draws=60, looks=20_000)
    # It starts from the rule's plan here, and pays a little comfort for fewer late tasks.
    assert [each for each in problems(one, found.plan, NOW) if "above the rule's" not in each] == []
    assert [lost.task for lost in found.plan.escalations] == [lost.task for lost in plan.escalations]
    place = setting(one, now=NOW)
    both = tuple(promised(one, each, place) for each in (plan, found.plan))
    before, after = outcomes(place, both, chances_of(one), draws=300, seed=1)
    late = next(each for each in compared(before, after) if each.name == "late")
    assert late.high <= 0.05
    assert found.late_after <= found.late_before


def test_a_task_at_risk_goes_to_who_has_time_and_back_and_forth_gives_the_same() -> None:
    staff = (person("ann"), person("bob"))
    tasks = tuple(task(f"t{i}", hours=19, due=4, assignee="ann") for i in range(2))
    one = firm(staff, tasks)
    plan = today(one, now=NOW)
    found = robust(one, plan, NOISE, now=NOW, draws=50)
    assert sorted(item.person for item in found.plan.tasks) == ["ann", "bob"]
    assert (found.moved, found.taken) == (1, 1)
    assert found.late_before > 0.5 > found.late_after
    assert robust(one, plan, NOISE, now=NOW, draws=50) == found


def test_without_chance_there_is_nothing_to_hedge() -> None:
    one = firm((person("ann"), person("bob")), (task("t", hours=30, due=4, assignee="ann"),))
    plan = today(one, now=NOW)
    found = robust(one, plan, NOISE.certain(), now=NOW, draws=5)
    assert found.moved == 0
    assert found.plan.tasks == plan.tasks


def test_swaps_are_found_where_no_single_task_can_be_handed_over() -> None:
    """Ann is slow and full; Bob is full too. Ann's long task for Bob's short one is the only way."""
    staff = (person("ann"), person("bob"))
    tasks = (
        task("long", hours=34, due=4, assignee="ann"),
        task("first", hours=20, due=4, assignee="bob"),
        task("second", hours=3, due=4, assignee="bob"),
    )
    one = firm(staff, tasks)
    odds = NOISE.certain().model_copy(update={"people": {"ann": Pace(ratio=1.3)}})
    found = robust(one, today(one, now=NOW), odds, now=NOW, draws=3)
    assert found.late_before == 1.0
    assert found.late_after == 0.0
    assert {item.task: item.person for item in found.plan.tasks}["long"] == "bob"


def test_the_search_counts_late_tasks_as_the_execution_does() -> None:
    one = random_firm(11, people=5, tasks=30)
    plan = today(one, now=NOW)
    place, problem = setting(one, now=NOW), compile_problem(compile_board(one, now=NOW))
    draws = drawn(place, chances_of(one), seed=3, first_draw=0, draws=40)
    arrays = promised(one, plan, place)
    done = execute(place, arrays, draws)
    assignment = read_back(problem, plan)
    assert np.array_equal(assignment.who, arrays.who)
    for p in range(len(place.people)):
        mine = np.flatnonzero(arrays.who == p)
        mine = mine[np.lexsort((np.array([place.tasks[t] for t in mine]), arrays.due[mine]))]
        ready = draws.release.copy()
        for t in mine:
            before = int(place.preparation[t])
            if before >= 0 and arrays.who[before] >= 0:
                ready[:, t] = np.maximum(ready[:, t], done.finish[:, before] + 1)
        late = late_count(
            np.ascontiguousarray(draws.open_min[:, p]),
            draws.left_min * draws.pace[:, p : p + 1],
            ready,
            mine,
            place.efficiency_pct[:, p] / 100.0,
            place.deadline,
            np.zeros_like(ready),
        )
        assert late == (done.finish[:, mine] > place.deadline[mine]).sum()
