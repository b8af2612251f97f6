"""The first plan by prices: it breaks no rule at any prices, and keeps for the scarce person what only they may do."""

from __future__ import annotations

import numpy as np
import pytest

from solver.ascent import MinutePrices
from solver.bound import climbed
from solver.construct import completed, rule_plan
from solver.firm import TaskType
from solver.priced_start import priced_plan
from tests.firms_for_tests import firm, person, random_firm, task
from tests.solver.test_anneal import faults
from tests.solver.test_bound import problem_of


@pytest.mark.parametrize("seed", range(20))
def test_plan_breaks_no_rule_at_any_prices(seed: int) -> None:
    random = np.random.default_rng(seed)
    problem = problem_of(random_firm(seed, people=2 + seed % 5, tasks=8 + 2 * seed, load=0.6 + 0.3 * (seed % 4)))
    shape = len(problem.releases), len(problem.dues), problem.person_count
    load = random.uniform(-1.0, 1.0, (1 + len(problem.balance.end_slots), problem.person_count))
    plan = priced_plan(problem, MinutePrices(random.exponential(1.0, shape).astype(np.float32), load))
    assert faults(problem, plan) == []
    assert not ((plan.who < 0) & ~problem.may_escalate & problem.allowed.any(axis=1)).any()


def test_scarce_person_is_kept_for_what_only_they_may_do() -> None:
    """The rule asks Ada, who is free all day like Bob and first by name, for the return, and nobody is left for the check."""
    problem = problem_of(
        firm(
            people=(person("ada", skills=("tax", "audit")), person("bob")),
            task_types=(TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit")),
            tasks=(task("a", hours=8, due=0), task("b", hours=8, due=0, type="check")),
        )
    )
    assert (completed(problem, rule_plan(problem)).who < 0).sum() == 1
    prices = climbed(problem).prices
    assert prices is not None
    assert priced_plan(problem, prices).who.tolist() == [1, 0]
