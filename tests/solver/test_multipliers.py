"""Bounds from another firm's multipliers: the relaxation's own where nothing differs, never above the best plan elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.changes import Away, Change, ExtraHours, Joins, PartTime, TaskAdded
from scenarios.firms import generate_firm
from solver.board import compile_board
from solver.bound import lower_bound
from solver.firm import Firm
from solver.multipliers import Multipliers, shifted_bound
from solver.problem import Problem, compile_problem
from solver.refusal import Refused
from tests.firms_for_tests import NOW, day, firm, person, task
from tests.plan_checker import assignments, cheapest, tiny_firm


def changes(one: Firm) -> tuple[Change, ...]:
    """Return changes of the first person and the first task of a firm."""
    who = one.people[0].id
    return (
        Away(person=who, first_day=day(0), last_day=day(3)),
        PartTime(person=who, share_pct=50),
        ExtraHours(first_day=day(0), last_day=day(4), per_week_min=300),
        Joins(id="new", like=who, start_date=day(1)),
        TaskAdded(task=one.tasks[0].model_copy(update={"id": "more", "assignee": None})),
    )


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def multipliers_of(problem: Problem) -> Multipliers | None:
    relaxed = lower_bound(problem).relaxed
    return None if relaxed is None else relaxed.multipliers


@pytest.mark.parametrize("seed", range(3))
def test_multipliers_give_their_own_firm_the_bound_of_its_relaxation(seed: int) -> None:
    made = generate_firm(people=8, tasks=100, seed=seed)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    found = lower_bound(problem)
    assert found.relaxed is not None
    assert shifted_bound(problem, problem, found.relaxed.multipliers) == pytest.approx(
        found.relaxed.plain, abs=2 + 2e-6 * found.relaxed.plain
    )


def test_no_plan_of_a_changed_firm_costs_less_than_the_bound_from_todays_multipliers() -> None:
    tried, tight = 0, 0
    for seed in range(60):
        one = tiny_firm(seed)
        today = problem_of(one)
        for change in changes(one):
            try:
                problem = problem_of(change.apply(one))
            except Refused:
                continue  # the person starts later or leaves before
            if assignments(problem) > 5_000:
                continue
            low, best = shifted_bound(problem, today, multipliers_of(today)), cheapest(problem).objective_min
            assert low <= best, (seed, change.change)
            tried += 1
            tight += low >= 0.9 * best
    assert tried > 100
    assert tight > tried / 3, "a bound that is far off is of no use"


def test_what_lost_hours_are_worth_is_found_by_trying() -> None:
    """Nobody else has her skill, and her week just holds her tasks: of no worth while she is there, and of much when she is not."""
    one = firm(
        (person("ann"), person("bob", skills=("books",))), tuple(task(f"t{n}", hours=8, due=4) for n in range(5))
    )
    today = problem_of(one)
    variant = Away(person="ann", first_day=day(0), last_day=day(3)).apply(one)
    problem = problem_of(variant)
    low = shifted_bound(problem, today, multipliers_of(today))
    assert low > 0.9 * lower_bound(problem).minutes
    assert low > lower_bound(today).minutes


def test_other_days_or_no_relaxation_say_nothing() -> None:
    one = firm((person("ann"),), (task("a", hours=50, due=4), task("b", hours=4, due=4)))
    today = problem_of(one)
    assert shifted_bound(today, today, multipliers_of(today)) > 0
    later = problem_of(TaskAdded(task=task("far", hours=1, due=200)).apply(one))
    assert shifted_bound(later, today, multipliers_of(today)) == 0
    assert shifted_bound(today, today, None) == 0
    nothing = problem_of(firm((person("ann"),)))
    assert shifted_bound(nothing, nothing, multipliers_of(today)) == 0


def test_any_multipliers_bound_and_none_is_better_than_the_relaxation() -> None:
    made = generate_firm(people=6, tasks=60, seed=1)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    found = lower_bound(problem)
    assert found.relaxed is not None
    mine, chance = found.relaxed.multipliers, np.random.default_rng(0)
    for _ in range(20):
        other = Multipliers(
            mine.person,
            mine.release,
            mine.dues,
            mine.minute * chance.uniform(0, 2, mine.minute.shape),
            mine.end_slots,
            mine.load + chance.normal(0, 0.5, mine.load.shape),
        )
        assert shifted_bound(problem, problem, other) <= found.minutes + 2
