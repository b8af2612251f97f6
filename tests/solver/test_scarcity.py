"""Hours that are scarce: named with exactly what they are worth, and only where they are worth it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from solver import integer_program, model
from solver.batch import solve_board
from solver.board import compile_board
from solver.firm import Firm, Overtime, TaskType
from solver.model import Scope
from solver.plan import Plan, Scarcity, StopReason
from solver.policy import Policy, Weights
from solver.price_list import PriceList
from solver.problem import Assignment, Problem, compile_problem
from solver.reading import read_back
from solver.scarcity import NAMED, Hours, scarce_hours, with_more
from solver.stop import Progress, WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, task

SHORT = WorkBudget(0.05)
EVEN = Policy(weights=Weights(balance_pct=0, balance_far_pct=0, week_balance_pct=0))
"""Loads may be as they are, so that what an hour is worth can be worked out by hand."""


def exact(problem: Problem, start: Assignment | None = None) -> Assignment:
    """Return the best plan of a tiny firm, by the joint model over all of it."""
    whole = Scope(start or problem.today, tuple(range(problem.task_count)), tuple(range(problem.person_count)))
    found, proven, _ = model.solve(model.build(problem, whole), work_units=20.0, seed=0)
    assert proven
    assert found is not None
    return found


def listed(one: Firm, days: tuple[date, ...], rows: Mapping[str, tuple[float, ...]]) -> PriceList:
    people = tuple(each.id for each in one.people)
    return PriceList(people=people, days=days, minute=np.array([rows[id] for id in people]))


def always() -> bool:
    return True


def hours_of(one: Firm, prices: PriceList, *, most: int = NAMED) -> Hours:
    problem = compile_problem(compile_board(one, now=NOW))
    return scarce_hours(problem, exact(problem), prices, go_on=always, most=most)


def one_hour_short() -> Firm:
    """Ada has forty hours by Friday and holds 36; a new task of five hours is an hour too long for her."""
    return firm(
        people=(person("ada", name="Ada Byron", level="senior"), person("bob", skills=("audit",))),
        tasks=(task("held", hours=36, assignee="ada", pinned=True), task("new", hours=5)),
        policy=EVEN,
    )


def test_the_hour_that_lets_an_escalated_task_in_is_named_with_its_exact_worth() -> None:
    one = one_hour_short()
    prices = listed(one, (day(4), day(11)), {"ada": (120.0, 0.0), "bob": (0.0, 0.0)})
    found = hours_of(one, prices).found
    # 60 minutes of price x factor 2 x 300 minutes of work.
    assert found == (
        Scarcity(
            person="ada",
            level="senior",
            skills=("tax",),
            day=day(4),
            price_min=7_200,
            worth_min=36_000,
            escalated_min=36_000,
            late_min=0,
            escalated_work_min=300,
            late_work_min=0,
            tasks=("new",),
            sentence="One more hour of a senior who does tax (Ada Byron) by 2027-03-05 is worth 5 h of escalated work "
            "(36,000 minutes of the plan's cost): new.",
        ),
    )


@pytest.mark.parametrize("added, placed", [(59, False), (60, True)])
def test_the_hour_named_does_in_the_firm_itself_what_it_says(added: int, placed: bool) -> None:
    more = Overtime(first_day=day(4), last_day=day(4), extra_min=(added,) * 7, people=("ada",))
    one = Firm.model_validate(one_hour_short().model_dump() | {"overtime": (more,)})
    problem = compile_problem(compile_board(one, now=NOW))
    assert (exact(problem).who >= 0).all() == placed


def test_an_hour_for_late_work_says_how_much_is_late_no_more() -> None:
    one = firm(
        people=(person("ada"),),
        tasks=(task("first", hours=39, assignee="ada", pinned=True), task("second", hours=2, assignee="ada")),
        policy=EVEN,
    )
    [found] = hours_of(one, listed(one, (day(4),), {"ada": (1.0,)})).found
    # 3 days late: (30 + 2 x 3) x factor 2 x 120 minutes of work; the second task is the one that costs least late.
    assert (found.late_min, found.worth_min, found.late_work_min, found.tasks) == (8_640, 8_640, 120, ("second",))
    assert found.sentence == (
        "One more hour of an associate who does tax (ada) by 2027-03-05 is worth 2 h of late work "
        "(8,640 minutes of the plan's cost): second."
    )


def test_a_firm_with_slack_names_nothing() -> None:
    one = firm((person("ada"), person("bob")), (task("a"), task("b", assignee="bob")), policy=EVEN)
    plan = solve_board(compile_board(one, now=NOW), stop=SHORT)
    assert plan.prices is None or plan.prices.minute.max() == 0.0
    assert plan.certificate.scarcity == ()
    assert hours_of(one, listed(one, (day(4),), {"ada": (500.0,), "bob": (500.0,)})).found == ()


def test_an_hour_with_a_high_price_and_no_worth_is_not_named() -> None:
    one = firm(
        (person("ada"),),
        (task("held", hours=36, assignee="ada", pinned=True), task("new", hours=12)),
        policy=EVEN,
    )
    plan = solve_board(compile_board(one, now=NOW), stop=SHORT)
    prices = plan.prices
    assert prices is not None
    assert prices.minute.max() == pytest.approx(120.0)  # a relaxation fills the hour with a part of the task
    answer = hours_of(one, prices)
    assert answer.found == ()
    assert answer.work_units > 0


def test_what_better_planning_alone_would_find_is_not_worth_of_an_hour() -> None:
    one = firm(
        (person("ada"), person("bob")),
        (task("held", hours=36, assignee="ada", pinned=True), task("new", hours=4)),
        policy=EVEN,
    )
    problem = compile_problem(compile_board(one, now=NOW))
    prices = listed(one, (day(4),), {"ada": (120.0,), "bob": (120.0,)})
    assert problem.today.who.tolist() == [0, -1]  # a poor plan: there is room for the new task
    assert scarce_hours(problem, problem.today, prices, go_on=always).found == ()


def test_the_day_named_is_the_last_one_on_which_the_hour_is_worth_almost_all() -> None:
    one = one_hour_short()
    days = (day(1), day(2), day(3), day(4), day(11))
    [found] = hours_of(one, listed(one, days, {"ada": (121.0, 121.0, 120.0, 120.0, 60.0), "bob": (0.0,) * 5})).found
    assert (found.day, found.price_min) == (day(4), 7_200)


def test_an_hour_is_added_on_a_day_on_which_the_person_works_here() -> None:
    one = firm(
        (person("ada", leave_date=day(3)),),
        (task("held", hours=31, due=3, assignee="ada"), task("new", hours=2)),
        policy=EVEN,
    )
    [found] = hours_of(one, listed(one, (day(4),), {"ada": (120.0,)})).found
    assert (found.day, found.tasks) == (day(3), ("new",))


def test_people_alike_are_named_once_and_the_dearest_hours_come_first() -> None:
    people = (*(person(id) for id in ("ann", "ben", "cat")), person("sue", skills=("audit",)))
    one = firm(
        people,
        (
            *(
                task(f"held-{each.id}", hours=36, assignee=each.id, pinned=True, type=each.skills[0].skill)
                for each in people
            ),
            task("new", hours=5, type="tax"),
            task("big", hours=4.5, type="audit", priority="critical"),
        ),
        task_types=(TaskType(id="tax", skill="tax"), TaskType(id="audit", skill="audit")),
        policy=EVEN,
    )
    price = {"ann": (90.0,), "ben": (90.0,), "cat": (80.0,), "sue": (10.0,)}
    found = hours_of(one, listed(one, (day(4),), price)).found
    assert [(each.person, each.skills, each.tasks) for each in found] == [
        ("sue", ("audit",), ("big",)),
        ("ann", ("tax",), ("new",)),
    ]
    assert [each.person for each in hours_of(one, listed(one, (day(4),), price), most=1).found] == ["ann"]


@pytest.mark.parametrize("solves", [0, 1])
def test_no_solve_is_begun_once_told_to_stop(solves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = one_hour_short()
    problem = compile_problem(compile_board(one, now=NOW))
    prices = listed(one, (day(4),), {"ada": (120.0,), "bob": (0.0,)})
    plan, real = exact(problem), integer_program.solve
    done: list[integer_program.Program] = []

    def counted(program: integer_program.Program, *, nodes: int) -> tuple[Assignment | None, bool, float]:
        done.append(program)
        return real(program, nodes=nodes)

    monkeypatch.setattr(integer_program, "solve", counted)
    assert scarce_hours(problem, plan, prices, go_on=lambda: len(done) < solves).found == ()
    assert len(done) == solves


def test_a_firm_without_people_or_tasks_names_nothing() -> None:
    nobody = PriceList(people=(), days=(), minute=np.zeros((0, 0)))
    assert hours_of(firm(), nobody) == hours_of(firm((person("ada"),)), nobody) == Hours((), 0.0)


def drawn(seed: int) -> tuple[Problem, Assignment, PriceList]:
    """Return a tiny firm with a little more work than hours, its best plan, and prices drawn at random."""
    draw = random.Random(seed)
    people = tuple(
        person(f"p{i}", skills=tuple(draw.sample(("tax", "audit"), draw.randint(1, 2))))
        for i in range(draw.randint(1, 3))
    )
    kinds = tuple(TaskType(id=skill, skill=skill) for skill in ("tax", "audit"))
    held = tuple(
        task(f"held{each.id}", hours=draw.randint(24, 34), assignee=each.id, pinned=True, type=each.skills[0].skill)
        for each in people
    )
    new = tuple(
        task(
            f"new{i}",
            hours=draw.randint(2, 12) / 2,
            due=draw.randint(2, 4),
            release=draw.choice((None, day(1))),
            type=draw.choice(("tax", "audit")),
            priority=draw.choice(("low", "normal", "high")),
            assignee=draw.choice((None, None, people[0].id)),
        )
        for i in range(3 * len(people))
    )
    one = firm(people, (*held, *new), task_types=kinds, policy=EVEN)
    problem = compile_problem(compile_board(one, now=NOW))
    days = tuple(day(i) for i in range(5))
    rows = {each.id: tuple(sorted((draw.uniform(1, 99) for _ in days), reverse=True)) for each in people}
    return problem, exact(problem), listed(one, days, rows)


@pytest.mark.parametrize("seed", range(30))
def test_worth_is_the_difference_of_two_exact_optima(seed: int) -> None:
    problem, plan, prices = drawn(seed)
    board = problem.board
    for each in scarce_hours(problem, plan, prices, go_on=always, most=9).found:
        slot = max(s for s, when in enumerate(board.axis.days) if when == each.day)
        more = with_more(problem, board.staff.row[each.person], slot, 60)
        assert each.worth_min == problem.objective_min(plan) - more.objective_min(exact(more, plan))


@pytest.mark.parametrize("seed, escalated", [(9, True), (10, False), (24, True)])
def test_tiny_firms_with_too_much_work_do_have_hours_to_name(seed: int, escalated: bool) -> None:
    [found] = scarce_hours(*drawn(seed), go_on=always).found
    assert found.worth_min == found.escalated_min + found.late_min
    assert (found.escalated_min > 0, found.late_min > 0) == (escalated, not escalated)


@pytest.mark.parametrize("slot", [0, 2, 4])
def test_a_minute_added_is_in_every_window_around_its_slot_and_no_other(slot: int) -> None:
    one = firm(
        (person("ada"), person("bob")),
        (task("a", due=1), task("b", due=3, release=day(2)), task("c", due=4, release=day(4))),
    )
    problem = compile_problem(compile_board(one, now=NOW))
    more = with_more(problem, 1, slot, 60)
    around = (problem.releases[:, None] <= slot) & (slot <= problem.dues[None, :])
    assert (more.room_min[1] - problem.room_min[1] == 60 * around).all()
    assert (more.room_min[0] == problem.room_min[0]).all()


# In the certificate


def planned(one: Firm) -> Plan:
    return solve_board(compile_board(one, now=NOW), stop=SHORT)


def test_the_certificate_names_scarce_hours_where_the_batch_has_prices() -> None:
    one = one_hour_short()
    plan, again = planned(one), planned(one)
    assert [(each.person, each.day, each.worth_min) for each in plan.certificate.scarcity] == [("ada", day(4), 36_000)]
    assert plan == again
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_a_cancelled_search_names_nothing() -> None:
    def cancelled(progress: Progress) -> StopReason:
        return StopReason.CANCELLED

    one = one_hour_short()
    plan = solve_board(compile_board(one, now=NOW), stop=cancelled)
    assert plan.certificate.scarcity == ()


def test_an_hour_is_tried_on_the_plan_that_was_written() -> None:
    one = one_hour_short()
    plan = planned(one)
    problem = compile_problem(compile_board(one, now=NOW))
    before = read_back(problem, plan)
    after = exact(with_more(problem, 0, 4, 60), before)
    [found] = plan.certificate.scarcity
    assert found.worth_min == problem.objective_min(before) - problem.objective_min(after)
