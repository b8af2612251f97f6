"""Plans written for people, and read back to the arrays they came from."""

from __future__ import annotations

import random
from datetime import time

import numpy as np
import pytest

from solver.batch import solve, today
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.firm import Booking, Client, Firm, Status, TaskType
from solver.plan import EscalatedTask, Plan, PlannedTask, WorkDay
from solver.policy import Policy
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from solver.reading import read_back
from solver.refusal import Refused
from solver.stop import WorkBudget
from solver.timetable import BrokenPromiseError
from solver.writing import board_of, promise_of, written
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task

SHORT = WorkBudget(0.05)


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def planned(one: Firm) -> dict[str, PlannedTask]:
    return {item.task: item for item in solve(one, now=NOW, stop=SHORT).tasks}


def escalated(one: Firm) -> dict[str, EscalatedTask]:
    return {lost.task: lost for lost in solve(one, now=NOW, stop=SHORT).escalations}


def timed(seed: int) -> Firm:
    """Return a random firm in which half of the deadlines have a time of day."""
    rng = random.Random(seed)
    made = random_firm(seed, people=rng.randint(2, 6), tasks=rng.randint(4, 22), load=rng.choice((0.5, 0.9, 1.4)))
    tasks = tuple(
        one.model_copy(update={"deadline_time": time(rng.randint(7, 18), 30) if rng.random() < 0.5 else None})
        for one in made.tasks
    )
    return made.model_copy(update={"tasks": tasks})


def test_planned_task_says_who_when_and_since_when() -> None:
    one = firm(
        people=(person("ada"), person("bob", skills=("audit",))),
        tasks=(
            task("new", hours=6, due=4, release=day(1)),
            task("kept", hours=10, due=2, assignee="ada"),
            task("taken", hours=1, due=4, assignee="bob"),
        ),
    )
    found = planned(one)
    assert found["new"] == PlannedTask(
        task="new",
        person="ada",
        work_min=360,
        earliest_day=day(1),
        promised_day=day(4),
        finish_day=day(1),
        late=False,
        days_late=0,
        cause=None,
        moved_from=None,
        new=True,
    )
    assert (found["kept"].moved_from, found["kept"].new, found["kept"].finish_day) == (None, False, day(1))
    assert (found["taken"].moved_from, found["taken"].new) == ("bob", False)


def test_timetable_is_by_person_and_day_with_slots_of_a_day_added_up() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("noon", hours=1, due=0, deadline_time=time(12, 0), assignee="ada"),
            task("long", hours=10, due=1, assignee="ada"),
            task("other", hours=9, due=1, assignee="bob"),
        ),
    )
    assert today(one, now=NOW).timetable == (
        WorkDay(day=day(0), person="ada", task="noon", minutes=60),
        WorkDay(day=day(0), person="ada", task="long", minutes=420),
        WorkDay(day=day(1), person="ada", task="long", minutes=180),
        WorkDay(day=day(0), person="bob", task="other", minutes=480),
        WorkDay(day=day(1), person="bob", task="other", minutes=60),
    )


def test_work_beyond_the_horizon_has_no_day_and_no_minutes() -> None:
    one = firm(
        people=(person("ada"),),
        tasks=(task("endless", hours=100, due=1, assignee="ada"),),
        policy=Policy(horizon_days=1, late_tail_days=3),
    )
    plan = today(one, now=NOW)
    (item,) = plan.tasks
    assert (item.promised_day, item.finish_day, item.late, plan.timetable) == (None, None, True, ())
    # The horizon ends on Friday; thirty days are added.
    assert item.days_late == 33
    assert item.cause == (
        "nobody who may do it has enough open hours before the deadline, even with nothing else to do; "
        "it does not fit within the horizon"
    )


CAUSES = {
    "passed": (task("x", due=-1, assignee="ada"), "the deadline 2027-02-28 has passed"),
    "weekend": (task("x", due=0, deadline_time=time(9, 30)), "no working time is left before the deadline 2027-03-01"),
    "huge": (
        task("x", hours=50),
        "nobody who may do it has enough open hours before the deadline, even with nothing else to do",
    ),
    "pinned": (
        task("x", hours=6, assignee="bob", pinned=True),
        "it stays with bob, whose hours before the deadline are taken by other promises",
    ),
    "asked": (
        task("x", hours=6, requested_person="bob"),
        "the client asked for bob, whose hours before the deadline are taken by other promises",
    ),
}


@pytest.mark.parametrize("case", list(CAUSES))
def test_cause_of_lateness_is_the_first_that_holds(case: str) -> None:
    late, cause = CAUSES[case]
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(task("full", hours=36, assignee="bob", pinned=True, priority="critical"), late),
    )
    assert planned(one)["x"].cause == cause


def test_review_that_has_no_time_after_its_preparation_says_so() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(task("prepare", hours=2, due=0, assignee="ada"), task("review", hours=1, due=0, reviews="prepare")),
    )
    assert planned(one)["review"].cause == "the work it reviews cannot be done early enough"


def test_hours_promised_to_other_work_are_the_last_cause() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("one", hours=38, assignee="ada", pinned=True, priority="critical"),
            task("two", hours=38, assignee="bob", pinned=True, priority="critical"),
            task("x", hours=6, assignee="ada"),
        ),
    )
    assert planned(one)["x"].cause == (
        "everybody who may do it has promised the hours before the deadline to other work"
    )


def test_escalation_names_who_is_qualified_and_how_short_they_are() -> None:
    one = firm(
        people=(
            person("ada"),
            person("bob"),
            person("cyd", skills=("audit",)),
        ),
        tasks=(
            task("a", hours=39, assignee="ada", pinned=True),
            task("b", hours=30, assignee="bob", pinned=True),
            task("new", hours=15),
        ),
        bookings=(Booking(person="bob", first_day=day(0), last_day=day(0), minutes_per_day=60),),
    )
    lost = escalated(one)["new"]
    assert [(c.person, c.remaining_min, c.gap_min, c.load_min, c.work_min) for c in lost.qualified] == [
        ("bob", 540, 360, 1_800, 900),
        ("ada", 60, 840, 2_340, 900),
    ]
    assert lost.reason == (
        "2 qualified people, none with enough open hours before the deadline: bob is nearest, 6 h short"
    )
    assert not lost.unavoidable
    assert [way.person for way in lost.ways_out] == ["bob", "ada", "bob", "ada"]


def test_escalation_of_a_wish_names_whom_the_client_asked_for() -> None:
    one = firm(
        people=(person("ada", name="Ada"), person("bob", name="Bob", skills=("audit",))),
        tasks=(task("skill", requested_person="bob"), task("barred", client="sealed", requested_person="ada")),
        clients=(Client(id="acme"), Client(id="sealed", barred=("ada",))),
    )
    lost = escalated(one)
    assert lost["skill"].reason == "the client asked for Bob, who does not have the skill"
    assert lost["barred"].reason == "the client asked for Ada, who is barred from the client"
    assert all(item.unavoidable and item.qualified == () for item in lost.values())


def test_holds_and_flags_keep_their_person() -> None:
    one = firm(
        people=(person("ada", name="Ada", skills=("audit",)), person("bob")),
        tasks=(
            task("z", assignee="ada"),
            task("y", assignee="ada"),
            task("silent", hours=None, assignee="ada"),
            task("lonely", hours=None),
        ),
    )
    plan = solve(one, now=NOW, stop=SHORT)
    assert [(hold.task, hold.assignee, hold.reason) for hold in plan.holds] == [
        ("silent", "ada", "the estimate is missing"),
        ("lonely", None, "the estimate is missing"),
    ]
    assert [(flag.task, flag.person, flag.reason) for flag in plan.flags] == [
        ("y", "ada", "Ada does not have the skill"),
        ("z", "ada", "Ada does not have the skill"),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_board_of_a_plan_holds_its_promises_and_leaves_the_old_one_alone(seed: int) -> None:
    problem = problem_of(random_firm(seed))
    before = dict(problem.board.promises)
    plan = completed(problem, rule_plan(problem))
    board = board_of(problem, plan)
    assert problem.board.promises == before
    placed = np.flatnonzero(plan.who >= 0).tolist()
    assert board.promises == {problem.board.tasks[t].id: promise_of(problem, plan, t) for t in placed}
    assert (board.load_min == problem.loads_min(plan)[:, 0]).all()
    assert (board.ledger.slack >= 0).all()
    board.withdraw(problem.board.tasks[placed[0]].id)
    assert problem.board.promises == before


def test_plan_that_breaks_a_promise_is_not_written() -> None:
    problem = problem_of(firm(people=(person("ada"),), tasks=(task("a", hours=30), task("b", hours=30))))
    broken = Assignment(np.array([0, 0], dtype=np.int32), np.array([0, 0], dtype=np.int32))
    certificate = solve(problem.board.firm, now=NOW, stop=SHORT).certificate
    with pytest.raises(BrokenPromiseError, match="is not done by then"):
        written(problem, broken, certificate)


def round_trip(one: Firm) -> None:
    """Write and read three plans of a firm; what is read keeps every promise and says the same."""
    problem = problem_of(one)
    certificate = today(one, now=NOW).certificate
    for plan in (problem.today, rule_plan(problem), completed(problem, rule_plan(problem))):
        text = written(problem, plan, certificate)
        back = read_back(problem, Plan.model_validate_json(text.model_dump_json()))
        assert (back.who == plan.who).all()
        assert (problem.slack_min(back) >= 0).all()
        assert problem.objective_min(back) == problem.objective_min(plan)
        assert written(problem, back, certificate) == text


@pytest.mark.parametrize("seed", range(16))
def test_plan_is_read_back_as_it_was_written(seed: int) -> None:
    round_trip(random_firm(seed))


@pytest.mark.parametrize("seed", range(24))
def test_plan_with_timed_deadlines_is_read_back_as_it_was_written(seed: int) -> None:
    round_trip(timed(seed))


def test_preparation_promised_by_the_evening_of_a_cut_day_is_read_back_by_the_evening() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("noon", hours=1, due=1, deadline_time=time(12, 0), assignee="bob"),
            task("prepare", hours=14, due=1, assignee="ada"),
            task("review", hours=8, due=2, reviews="prepare", assignee="bob"),
        ),
    )
    round_trip(one)


def test_plan_of_another_firm_is_refused() -> None:
    small = firm(people=(person("ada"),), tasks=(task("a"),))
    plan = today(small, now=NOW)
    for other in (
        firm(people=(person("ada"),), tasks=(task("b"),)),
        firm(people=(person("bob"),), tasks=(task("a"),)),
        firm(people=(person("ada"),), tasks=(task("a", due=3),)),
        firm(people=(person("ada"),), tasks=(task("a", status=Status.DONE),)),
        firm(people=(person("ada"),), tasks=(task("a", hours=None),)),
    ):
        with pytest.raises(Refused, match='plan "a" is not planned as this firm and moment allow'):
            read_back(problem_of(other), plan)


def test_plan_without_one_of_the_tasks_is_refused() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", assignee="ada"), task("b", assignee="ada")))
    plan = today(one, now=NOW)
    with pytest.raises(Refused, match="solve again"):
        read_back(problem_of(one), plan.model_copy(update={"tasks": plan.tasks[:1]}))


def test_plan_with_a_review_before_its_preparation_is_refused() -> None:
    tasks = (
        task("prepare", hours=2, due=4, assignee="ada"),
        task("review", hours=2, due=4, reviews="prepare", assignee="bob"),
    )
    one = firm(people=(person("ada"), person("bob")), tasks=tasks)
    problem, plan = problem_of(one), today(one, now=NOW)
    read_back(problem, plan)
    prepare, review = plan.tasks
    assert (prepare.promised_day, review.earliest_day) == (day(2), day(3))
    later = prepare.model_copy(update={"promised_day": day(3)})
    with pytest.raises(Refused, match="solve again"):
        read_back(problem, plan.model_copy(update={"tasks": (later, review)}))
    after = review.model_copy(update={"earliest_day": day(4)})
    read_back(problem, plan.model_copy(update={"tasks": (later, after)}))


def test_escalated_work_is_read_back_as_escalated() -> None:
    one = firm(
        people=(person("ada"),),
        tasks=(task("a"), task("law", type="law")),
        task_types=(TaskType(id="return", skill="tax"), TaskType(id="law", skill="law")),
    )
    back = read_back(problem_of(one), solve(one, now=NOW, stop=SHORT))
    assert (back.who.tolist(), back.window.tolist()) == ([0, ESCALATED], [0, -1])
