"""More capacity: never more escalations, never a dearer best plan; and the firms in which one more hour removes one escalation."""

from __future__ import annotations

import random
from datetime import timedelta

import numpy as np
import pytest

from scenarios.changes import Change, ExtraHours, Joins, PartTime, Scenario
from scenarios.more_offered import dearer_by_at_most
from scenarios.planted import plant
from scenarios.run import Compared, Solving, baseline, compare
from scenarios.significance import Verdict
from solver.batch import solve
from solver.board import compile_board
from solver.firm import Firm, Task
from solver.plan import Plan
from solver.policy import Policy, Weights
from solver.problem import Assignment, compile_problem, leeway_days
from solver.reading import read_back
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, task
from tests.plan_checker import problems

QUICK = Solving(stop=lambda: WorkBudget(0.05))
LEVEL_OR_NOT = Policy(weights=Weights(balance_pct=0, balance_far_pct=0, week_balance_pct=0))
"""Fair shares follow the hours, so more hours change the price of an uneven load; here there is none."""


def compared(one: Firm, change: Change) -> Compared:
    return compare(baseline(one, now=NOW, solving=QUICK), Scenario(changes=(change,)), solving=QUICK, rounds=0)


def left(plan: Plan) -> tuple[int, int]:
    """Return how many tasks a plan leaves to nobody, and at what price."""
    price = next(term.minutes for term in plan.certificate.terms if term.name == "escalation")
    return len(plan.escalations), price


def overtime(minutes: int) -> ExtraHours:
    return ExtraHours(first_day=day(0), last_day=day(4), per_week_min=minutes)


DEARER = "is above the rule's"
"""By price the short task would be given up for the long one; today's plan stands, so the plan shown gives up neither."""
LONG_AND_SHORT = firm((person("ada"),), (task("long", hours=50, due=4), task("short", hours=5, due=4)))
"""Nobody has fifty hours until Friday, so the long task may be late; with twelve more hours it has to be in time."""


def test_work_that_may_be_late_today_may_be_late_with_more_hours() -> None:
    before = solve(LONG_AND_SHORT, now=NOW, stop=WorkBudget(0.05))
    assert left(before)[0] == 0
    assert [item.task for item in before.tasks if item.late] == ["long"]
    by_its_own_hours = solve(overtime(720).apply(LONG_AND_SHORT), now=NOW, stop=WorkBudget(0.05))
    assert left(by_its_own_hours)[0] == 1
    found = compared(LONG_AND_SHORT, overtime(720))
    assert left(found.plan_after)[0] == 0
    assert found.comparison.difference.escalations_gained == ()
    assert not [one for one in problems(found.after, found.plan_after, NOW, leeway={"long"}) if DEARER not in one]
    assert "leaves more to nobody" in found.comparison.significance.sentence


def test_what_may_be_late_is_told_by_its_days() -> None:
    problem = compile_problem(compile_board(LONG_AND_SHORT, now=NOW))
    leeway = leeway_days(problem)
    assert set(leeway) == {"long"}
    longer = overtime(720).apply(LONG_AND_SHORT)
    assert leeway_days(compile_problem(compile_board(longer, now=NOW))) == {}
    assert leeway_days(compile_problem(compile_board(longer, now=NOW, leeway_days=leeway))) == leeway


def test_several_small_tasks_do_not_take_the_place_of_one_large_one() -> None:
    """Of 29, 12, 12 and 16 hours forty hold all but the largest; forty-five hold 29 and 16, which is more work and fewer tasks."""
    one = firm(
        (person("ada"),), tuple(task(f"t{hours}{n}", hours=hours, due=4) for n, hours in enumerate((29, 12, 12, 16)))
    )
    assert left(solve(one, now=NOW, stop=WorkBudget(0.05)))[0] == 1
    assert left(solve(overtime(300).apply(one), now=NOW, stop=WorkBudget(0.05)))[0] == 2
    found = compared(one, overtime(300))
    assert [lost.task for lost in found.plan_after.escalations] == ["t290"]
    known = found.comparison.significance
    assert known.after.high_min < known.cost_after_min, "the cheapest plan is known all the same"


def overloaded(seed: int, policy: Policy) -> Firm:
    """Return a firm with more work than hours: tasks that nobody can do in time, held tasks, reviews."""
    rng = random.Random(seed)
    staff = (
        person("ada", skills=("tax", "books")),
        person("bob", weekly_min=(480, 480, 240, 0, 0, 0, 0)),
        person("eve"),
    )
    tasks: list[Task] = []
    for n in range(12):
        assignee = rng.choice(("ada", "bob", "eve", None, None, None))
        hours, due = rng.choice((3, 6, 9, 14, 22, 30, 45)), rng.choice((2, 4, 7, 9))
        reviews = f"t{n - 1:02}" if n and assignee is None and rng.random() < 0.2 and not tasks[-1].reviews else None
        tasks.append(task(f"t{n:02}", hours=hours, due=due, assignee=assignee, reviews=reviews))
    return firm(staff, tuple(tasks), policy=policy)


MORE: tuple[Change, ...] = (
    ExtraHours(first_day=day(0), last_day=day(9), per_week_min=360),
    ExtraHours(first_day=day(0), last_day=day(9), per_week_min=1200, people=("bob",)),
    Joins(id="new", like="eve", start_date=day(1)),
    PartTime(person="bob", weekly_min=(480, 480, 480, 480, 480, 0, 0)),
)


@pytest.mark.parametrize("seed", range(12))
def test_more_capacity_never_leaves_more_tasks_or_more_work_to_nobody(seed: int) -> None:
    one = overloaded(seed, LEVEL_OR_NOT if seed % 2 else Policy())
    found = compared(one, MORE[seed % len(MORE)])
    tasks_before, price_before = left(found.plan_before)
    tasks_after, price_after = left(found.plan_after)
    assert tasks_before > 0 or any(item.late for item in found.plan_before.tasks)
    assert tasks_after <= tasks_before
    assert price_after <= price_before
    if seed % 2:
        known = found.comparison.significance
        assert known.after.high_min <= known.before.high_min
        assert known.verdict is not Verdict.DEARER


def test_more_hours_are_dearer_by_the_fair_shares_at_most_whatever_the_bounds_say() -> None:
    one = overloaded(1, Policy())
    base = compile_problem(compile_board(one, now=NOW))
    plan = read_back(base, solve(one, now=NOW, stop=WorkBudget(0.0)))
    leeway = leeway_days(base)
    for change in MORE[:3]:
        more = compile_problem(compile_board(change.apply(one), now=NOW, leeway_days=leeway))
        most = dearer_by_at_most(base, more)
        assert most is not None
        rows = np.array([more.board.staff.row[id] for id in base.board.staff.ids])
        who = np.where(plan.who >= 0, rows[plan.who], plan.who).astype(np.int32)
        assert more.objective_min(Assignment(who, plan.window)) - base.objective_min(plan) <= most
    fewer = PartTime(person="ada", share_pct=50).apply(one)
    assert dearer_by_at_most(base, compile_problem(compile_board(fewer, now=NOW, leeway_days=leeway))) is None
    assert dearer_by_at_most(base, base) == 0
    found = compared(one, MORE[0]).comparison.significance
    known = dearer_by_at_most(base, compile_problem(compile_board(MORE[0].apply(one), now=NOW, leeway_days=leeway)))
    assert known is not None
    assert found.most_min <= known


SHAPES = ((1, 1, 60, 0), (2, 1, 60, 1), (3, 1, 90, 2), (2, 2, 60, 3), (3, 3, 30, 4), (4, 2, 60, 5))
"""People, people who share a skill, minutes of each surplus task, seed."""


@pytest.mark.parametrize(("people", "group_size", "surplus_min", "seed"), SHAPES)
def test_one_more_hour_of_one_skill_removes_exactly_one_escalation(
    people: int, group_size: int, surplus_min: int, seed: int
) -> None:
    planted = plant(people=people, group_size=group_size, surplus=1, surplus_min=surplus_min, seed=seed)
    friday = planted.now.date() + timedelta(days=4)
    for helper in dict.fromkeys(("P0000", f"P{group_size - 1:04}", f"P{people - 1:04}")):
        hours = ExtraHours(
            first_day=friday, last_day=friday, extra_min=(0, 0, 0, 0, surplus_min, 0, 0), people=(helper,)
        )
        base = baseline(planted.firm, now=planted.now, solving=QUICK)
        found = compare(base, Scenario(changes=(hours,)), solving=QUICK, rounds=0)
        has_the_skill = int(helper[1:]) < group_size
        assert left(found.plan_before)[0] == 1
        assert left(found.plan_after)[0] == (0 if has_the_skill else 1)
        if has_the_skill:
            assert found.comparison.significance.verdict is Verdict.CHEAPER


@pytest.mark.parametrize(("people", "group_size", "surplus_min", "seed"), [one for one in SHAPES if one[2] <= 60])
def test_the_certificate_names_the_hours_that_remove_the_escalation(
    people: int, group_size: int, surplus_min: int, seed: int
) -> None:
    planted = plant(people=people, group_size=group_size, surplus=1, surplus_min=surplus_min, seed=seed)
    plan = solve(planted.firm, now=planted.now, stop=WorkBudget(0.5))
    (lost,) = plan.escalations  # one of the tasks that are as long as the surplus
    assert plan.certificate.scarcity
    for hour in plan.certificate.scarcity:
        assert int(hour.person[1:]) < group_size
        assert hour.skills == ("skill 0",)
        assert hour.escalated_work_min == surplus_min
        assert hour.worth_min == hour.escalated_min == 120 * surplus_min
        assert hour.tasks == (lost.task,)
        assert lost.task in hour.sentence
