from __future__ import annotations

import pytest

from scenarios.planted import Planted, plant
from solver.batch import solve
from solver.plan import Plan, SolveStatus
from solver.stop import WorkBudget
from tests.plan_checker import problems


def planned(planted: Planted, units: float = 4.0) -> Plan:
    plan = solve(planted.firm, now=planted.now, stop=WorkBudget(units))
    assert problems(planted.firm, plan, planted.now) == []
    return plan


@pytest.mark.parametrize(("people", "weeks", "seed"), [(1, 1, 0), (4, 1, 1), (8, 2, 2), (12, 1, 3)])
def test_the_planted_plan_is_found_and_proven(people: int, weeks: int, seed: int) -> None:
    planted = plant(people=people, weeks=weeks, seed=seed)
    plan = planned(planted)
    assert (plan.certificate.objective_min, plan.certificate.status) == (0, SolveStatus.OPTIMAL)
    assert {item.task: item.person for item in plan.tasks} == planted.person_of


@pytest.mark.parametrize("surplus", [1, 3])
def test_exactly_the_surplus_escalates_and_nothing_cheaper_exists(surplus: int) -> None:
    planted = plant(people=6, surplus=surplus, seed=5)
    plan = planned(planted)
    assert plan.certificate.objective_min == planted.objective_min
    assert plan.certificate.bound_min <= planted.objective_min
    # A planted task of two hours costs as much to leave as two surplus tasks of one, so minutes are counted, not tasks.
    left = {each.task for each in plan.escalations}
    assert sum(each.estimate_min or 0 for each in planted.firm.tasks if each.id in left) == 60 * planted.escalations


def test_one_more_hour_saves_exactly_the_price_of_one_surplus_task() -> None:
    planted = plant(people=4, surplus=2, seed=7)
    assert planted.relief is not None
    before = planned(planted)
    relieved = planted.firm.model_copy(update={"overtime": (planted.relief,)})
    after = solve(relieved, now=planted.now, stop=WorkBudget(4.0))
    # A planted task of two hours costs as much to leave as two surplus tasks of one, so minutes are counted, not tasks.
    assert before.certificate.objective_min - after.certificate.objective_min == planted.objective_min // 2


def test_planting_is_seeded() -> None:
    assert plant(people=3, seed=1) == plant(people=3, seed=1)
    assert plant(people=3, seed=1).firm != plant(people=3, seed=2).firm


@pytest.mark.parametrize(
    "wrong", [{"people": 0}, {"people": 1, "weeks": 0}, {"people": 1, "surplus": 1, "surplus_min": 40}]
)
def test_what_cannot_be_planted_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Maybe"):
        plant(**wrong)
