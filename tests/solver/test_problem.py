"""The batch problem: who may do what, in which windows, at which price."""

from __future__ import annotations

import numpy as np
import pytest

from solver.batch import solve, today
from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.firm import Client, Firm, Skill, Status, Task, TaskType
from solver.pairs import holder
from solver.policy import Policy, Weights
from solver.problem import ESCALATED, Assignment, Problem, compile_problem, personal_prices, solo_room_min
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import Facts, problems, terms


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def allowed(problem: Problem, name: str) -> list[str]:
    people = problem.board.firm.people
    return [people[p].id for p in np.flatnonzero(problem.allowed[problem.board.task_index[name]])]


def lateness(problem: Problem, name: str) -> list[int]:
    """Return the price of each window of a task."""
    return [int(problem.late_min[w]) for w in problem.windows_of(problem.board.task_index[name])]


def price(problem: Problem, name: str, who: str) -> dict[str, int]:
    t, p = problem.board.task_index[name], problem.board.staff.row[who]
    return {term: int(prices[p]) for term, prices in personal_prices(problem.board, t).items() if prices[p]}


TEAM = (person("ada"), person("bob"), person("cyd", skills=("audit",)))


def test_new_work_that_somebody_can_do_in_time_is_never_late() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("new", hours=40),)))
    assert lateness(problem, "new") == [0]


def test_new_work_nobody_can_do_in_time_may_be_late() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("huge", hours=41), task("overdue", due=-1))))
    assert lateness(problem, "huge")[0] == 0
    assert lateness(problem, "huge")[1] == (30 + 2 * 3) * 2 * 41 * 60
    assert lateness(problem, "overdue")[0] == (30 + 2 * 1) * 2 * 240
    for name in ("huge", "overdue"):
        assert lateness(problem, name) == sorted(lateness(problem, name))
        last = problem.windows_of(problem.board.task_index[name])[-1]
        assert problem.due[last] == problem.release[last] == problem.board.axis.count


def test_hours_of_somebody_who_may_not_do_it_do_not_make_work_punctual() -> None:
    slow = person("ada", weekly_min=(60,) * 5 + (0, 0))
    problem = problem_of(firm(people=(slow, TEAM[2]), tasks=(task("new", hours=8),)))
    assert len(lateness(problem, "new")) > 1


def test_promise_of_today_bounds_how_late_work_may_be() -> None:
    problem = problem_of(
        firm(
            people=TEAM,
            tasks=(
                task("kept", hours=40, assignee="ada", priority="high"),
                task("behind", hours=4, assignee="ada"),
                task("punctual", hours=4, assignee="bob"),
            ),
        )
    )
    assert lateness(problem, "punctual") == [0]
    # Ada is full until Friday, so today she promises the Monday after, three days late.
    assert lateness(problem, "behind") == [0, (30 + 2 * 3) * 2 * 240]


@pytest.mark.parametrize(
    "one",
    [
        task("asked", hours=4, requested_person="ada"),
        task("asked", hours=4, assignee="cyd"),
        task("asked", hours=4, assignee="bob", requested_person="ada"),
    ],
)
def test_wished_and_flagged_work_may_be_late(one: Task) -> None:
    problem = problem_of(firm(people=TEAM, tasks=(one,)))
    assert lateness(problem, "asked")[0] == 0
    assert len(lateness(problem, "asked")) > 1


def test_pinned_and_started_work_has_one_candidate() -> None:
    problem = problem_of(
        firm(
            people=TEAM,
            tasks=(
                task("free", assignee="ada"),
                task("pinned", assignee="ada", pinned=True),
                task("started", assignee="bob", logged_min=10),
                task("begun", assignee="bob", status=Status.IN_PROGRESS, requested_person="ada"),
                task("asked", requested_person="bob"),
            ),
        )
    )
    assert {name: allowed(problem, name) for name in problem.board.task_index} == {
        "free": ["ada", "bob"],
        "pinned": ["ada"],
        "started": ["bob"],
        "begun": ["bob"],
        "asked": ["bob"],
    }


def test_pinned_work_of_somebody_who_left_is_free_for_others() -> None:
    problem = problem_of(
        firm(people=(person("ada", leave_date=day(-1)), *TEAM[1:]), tasks=(task("a", assignee="ada", pinned=True),))
    )
    assert allowed(problem, "a") == ["bob"]
    assert problem.may_escalate.tolist() == [True]
    assert problem.today.who.tolist() == [ESCALATED]


def test_whoever_finished_the_preparation_may_not_review() -> None:
    problem = problem_of(
        firm(
            people=TEAM,
            tasks=(
                task("done", status=Status.DONE, assignee="ada"),
                task("held", hours=None, assignee="bob"),
                task("review", reviews="done"),
                task("other", reviews="held"),
            ),
        )
    )
    assert allowed(problem, "review") == ["bob"]
    assert allowed(problem, "other") == ["ada"]


def test_people_too_short_of_hours_for_punctual_work_are_left_out() -> None:
    short = person("bob", weekly_min=(60,) * 5 + (0, 0))
    problem = problem_of(
        firm(people=(person("ada"), short), tasks=(task("a", hours=5), task("b", hours=6), task("c", hours=6, due=-1)))
    )
    assert [allowed(problem, name) for name in "abc"] == [["ada", "bob"], ["ada"], ["ada", "bob"]]


def test_escalation_is_dearer_than_any_lateness_the_work_may_have() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("new"), task("late", due=-1))))
    base = 60 * 2 * 240
    assert problem.escalation_min.tolist() == [base, base + max(lateness(problem, "late"))]


def test_only_work_without_a_person_may_be_escalated() -> None:
    problem = problem_of(
        firm(people=TEAM, tasks=(task("new"), task("kept", assignee="ada"), task("flagged", assignee="cyd")))
    )
    assert problem.may_escalate.tolist() == [True, False, True]
    assert problem.today.who.tolist() == [ESCALATED, 0, ESCALATED]
    assert [holder(problem.board, one) for one in problem.board.tasks] == [None, 0, None]


def test_personal_prices_name_their_reason() -> None:
    people = (
        person("ada", level="partner"),
        person("bob"),
        person("cyd", skills=()).model_copy(update={"skills": (Skill(skill="tax", mismatch_min=7),)}),
    )
    problem = problem_of(
        firm(
            people=people,
            tasks=(task("a", hours=4, assignee="bob"), task("b", hours=4, due=20, assignee="bob"), task("c", hours=4)),
            clients=(Client(id="acme", usual_person="bob"),),
        )
    )
    assert price(problem, "a", "ada") == {"moves": 180, "continuity": 30, "level": 48}
    assert price(problem, "b", "cyd") == {"moves": 60, "continuity": 30, "mismatch": 7}
    assert price(problem, "c", "ada") == {"continuity": 30, "level": 48}
    assert price(problem, "a", "bob") == {}
    assert problem.comfort_min.tolist() == [[258, 0, 217], [138, 0, 97], [78, 0, 37]]


def test_flagged_work_moves_for_nothing() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("a", assignee="cyd"),)))
    assert price(problem, "a", "ada") == {}


def test_unavoidable_is_what_each_task_costs_alone() -> None:
    problem = problem_of(
        firm(
            people=TEAM,
            tasks=(
                task("fine", hours=30),
                task("crowded", hours=30),
                task("overdue", hours=8, due=-1),
                task("nobody", hours=1, type="law"),
            ),
            task_types=(TaskType(id="return", skill="tax"), TaskType(id="law", skill="law")),
        )
    )
    lost = 60 * 2 * 60 + max(lateness(problem, "nobody"))
    assert problem.unavoidable_min() == 32 * 2 * 480 + lost
    assert [problem.unavoidable(t) for t in range(4)] == [False, False, False, True]


def test_windows_too_short_for_the_task_are_not_what_it_costs_alone() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("overdue", hours=12, due=-1),)))
    # Twelve hours take until Tuesday, two days late.
    assert problem.unavoidable_min() == (30 + 2 * 2) * 2 * 720


def test_room_of_a_window_is_its_open_minutes() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("a", due=2, release=day(1)), task("b", due=-1))))
    (only,) = problem.windows_of(0)
    assert solo_room_min(problem, only).tolist() == [960, 960, 960]
    beyond = problem.windows_of(1)[-1]
    assert (solo_room_min(problem, beyond) > 10**9).all()


def test_piece_lists_everything_above_and_below() -> None:
    problem = problem_of(
        firm(people=TEAM, tasks=(task("a"), task("b", reviews="a"), task("c", reviews="b"), task("d")))
    )
    starts = problem.piece_start.tolist()
    pieces = [sorted(problem.piece[starts[t] : starts[t + 1]].tolist()) for t in range(4)]
    assert pieces == [[1, 2], [0, 2], [0, 1], []]
    assert problem.preparation.tolist() == [-1, 0, 1, -1]


def test_held_preparation_asks_for_no_order() -> None:
    problem = problem_of(firm(people=TEAM, tasks=(task("held", hours=None), task("review", reviews="held"))))
    assert problem.preparation.tolist() == [-1]
    assert problem.piece.tolist() == []


@pytest.mark.parametrize("seed", range(12))
def test_terms_add_up_to_the_objective_and_are_those_of_the_checker(seed: int) -> None:
    one = random_firm(seed)
    problem = problem_of(one)
    plan = today(one, now=NOW)
    arrays = rule_plan(problem)
    said = problem.terms_min(arrays)
    assert sum(said.values()) == problem.objective_min(arrays)
    for name, right in terms(Facts(one, plan, NOW)).items():
        assert said[name] in right


@pytest.mark.parametrize("seed", range(8))
def test_slack_is_open_minutes_less_the_work_inside(seed: int) -> None:
    problem = problem_of(random_firm(seed, tasks=12))
    plan = completed(problem, rule_plan(problem))
    slack = problem.slack_min(plan)
    days = problem.board.open_min
    for p in range(problem.person_count):
        mine = np.flatnonzero(plan.who == p)
        windows = problem.chosen(plan, mine)
        for a, release in enumerate(problem.releases.tolist()):
            for b, due in enumerate(problem.dues.tolist()):
                if release > due:
                    assert slack[p, a, b] > 10**8
                    continue
                inside = (problem.release[windows] >= release) & (problem.due[windows] <= due)
                work = problem.work_min[mine[inside], p].sum()
                assert slack[p, a, b] == days[p, release : due + 1].sum() - work


def test_loads_count_work_in_the_weeks_it_is_promised_by() -> None:
    problem = problem_of(
        firm(
            people=TEAM[:2],
            tasks=(
                task("first", hours=1, due=4, assignee="ada"),
                task("second", hours=2, due=11, assignee="ada"),
                task("third", hours=4, due=15, assignee="bob"),
            ),
        )
    )
    assert problem.loads_min(problem.today).tolist() == [[180, 60, 180], [240, 0, 0]]


def test_efficiency_is_in_the_work_and_rounded_up() -> None:
    fast = person("ada").model_copy(update={"skills": (Skill(skill="tax", efficiency_pct=83),)})
    problem = problem_of(firm(people=(fast, person("bob")), tasks=(task("a", hours=1.5),)))
    assert problem.work_min.tolist() == [[75, 90]]


def test_copy_of_an_assignment_is_its_own() -> None:
    first = Assignment(np.array([0], dtype=np.int32), np.array([0], dtype=np.int32))
    second = first.copy()
    second.who[0], second.window[0] = 5, 6
    assert (first.who[0], first.window[0]) == (0, 0)


def test_other_weights_are_other_prices() -> None:
    weights = Weights(move=1, move_soon=2, continuity=4, level_above_pct=50, escalation=3)
    problem = problem_of(
        firm(
            people=(person("ada", level="manager"), person("bob")),
            tasks=(task("a", hours=4, assignee="bob"), task("b", hours=1)),
            clients=(Client(id="acme", usual_person="bob"),),
            policy=Policy(weights=weights),
        )
    )
    assert price(problem, "a", "ada") == {"moves": 3, "continuity": 4, "level": 120}
    assert problem.escalation_min.tolist()[1] == 3 * 2 * 60


def test_deadline_beyond_the_longest_horizon_is_always_in_time() -> None:
    one = firm(people=(person("ada"),), tasks=(task("far", hours=10_000, due=1_500),))
    problem = problem_of(one)
    assert set(lateness(problem, "far")) == {0}
    assert allowed(problem, "far") == ["ada"]
    plan = solve(one, now=NOW, stop=WorkBudget(0.0))
    assert [(item.promised_day, item.late, item.days_late) for item in plan.tasks] == [(None, False, 0)]
    assert problems(one, plan, NOW) == []
