"""Neighbourhoods: a few people with all they hold, drawn where the money is."""

from __future__ import annotations

import numpy as np
import pytest

from solver.board import compile_board
from solver.construct import completed, rule_plan
from solver.firm import Client, Firm, TaskType
from solver.neighbourhoods import FAIR_SHARE, FEWEST_PEOPLE, KINDS, Leaning, Neighbourhoods, Taste
from solver.problem import ESCALATED, Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, firm, person, random_firm, task


def problem_of(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def first_plan(problem: Problem) -> Assignment:
    return completed(problem, rule_plan(problem))


@pytest.mark.parametrize("seed", range(10))
def test_scope_is_all_its_people_hold_and_the_lost_tasks_they_may_take(seed: int) -> None:
    problem = problem_of(random_firm(seed, people=7, tasks=30, load=1.2))
    plan, places = first_plan(problem), Neighbourhoods(problem, seed)
    for _ in range(40):
        scope = places.next(plan)
        assert scope is not None
        assert list(scope.people) == sorted(set(scope.people))
        expected = [
            t
            for t in range(problem.task_count)
            if plan.who[t] in scope.people
            or (plan.who[t] == ESCALATED and any(problem.allowed[t, p] for p in scope.people))
        ]
        assert list(scope.tasks) == expected
        assert scope.plan is plan
        places.learn(True, gain_min=0, work_units=0.1)


def test_same_seed_draws_the_same_scopes() -> None:
    problem = problem_of(random_firm(1, people=7, tasks=30))
    plan = first_plan(problem)

    def drawn(seed: int) -> list[tuple[int, ...]]:
        places = Neighbourhoods(problem, seed)
        return [scope.people for _ in range(12) if (scope := places.next(plan))]

    assert drawn(4) == drawn(4)
    assert drawn(4) != drawn(5)


def test_nothing_to_decide_has_no_next() -> None:
    for one in (firm(), firm(people=(person("ada"),)), firm(tasks=(task("a"),))):
        problem = problem_of(one)
        assert Neighbourhoods(problem, 0).next(first_plan(problem)) is None


def test_size_of_a_kind_grows_while_solves_close_and_shrinks_when_they_do_not() -> None:
    problem = problem_of(random_firm(1, people=7, tasks=10))
    places = Neighbourhoods(problem, 0)
    places.kind = 2
    places.learn(True, gain_min=0, work_units=0.1)
    assert places.taste.size == pytest.approx((4.0, 4.0, 4.0 * 1.03, 4.0, 6.0))
    places.learn(False, gain_min=0, work_units=0.1)
    assert places.taste.size[2] == pytest.approx(4.0 * 1.03 * 0.9)
    for _ in range(100):
        places.learn(True, gain_min=0, work_units=0.1)
    assert places.taste.size[2] == 7
    for _ in range(100):
        places.learn(False, gain_min=0, work_units=0.1)
    assert places.taste.size[2] == FEWEST_PEOPLE


def test_kind_that_gains_for_its_work_is_drawn_more_often_and_none_is_given_up() -> None:
    taste = Taste().learnt(0, 100.0, 1.0).learnt(1, 100.0, 10.0).learnt(3, 0.0, 1.0)
    chances = taste.chances(4)
    assert chances.sum() == pytest.approx(1.0)
    assert chances[0] > chances[1] > chances[3] == pytest.approx(FAIR_SHARE / 4)
    assert Taste().chances(5)[0] > Taste().chances(5)[1] > 0


def test_side_of_a_firm_frees_only_its_own_people_and_tasks() -> None:
    problem = problem_of(random_firm(3, people=9, tasks=40, load=1.3))
    plan = first_plan(problem)
    people, tasks = np.array([1, 3, 4, 7]), np.arange(problem.task_count) % 3 > 0
    places = Neighbourhoods(problem, 0, people, tasks & (np.isin(plan.who, people) | (plan.who == ESCALATED)))
    for _ in range(40):
        scope = places.next(plan)
        assert scope is not None
        assert set(scope.people) <= {1, 3, 4, 7}
        assert all(tasks[t] for t in scope.tasks)


def test_tasks_on_which_plan_and_relaxation_agree_stay_where_they_are() -> None:
    problem = crews()
    plan = first_plan(problem)
    placed = np.flatnonzero(plan.who >= 0)
    agreed, half = placed[0], placed[-1]
    leaning = Leaning(
        np.array([agreed, half]),
        plan.who[[agreed, half]].astype(np.int64),
        problem.chosen(plan, np.array([agreed, half])),
        np.array([1.0, 0.5]),
    )
    undecided = leaning.undecided(problem, plan)
    assert not undecided[agreed]
    assert undecided[half]
    places = Neighbourhoods(problem, 0, leaning=leaning)
    kinds = set()
    for _ in range(60):
        scope = places.next(plan)
        assert scope is not None
        kinds.add(KINDS[places.kind])
        if KINDS[places.kind] == "undecided":
            assert agreed not in scope.tasks
    assert kinds == set(KINDS)


def test_scope_has_as_many_people_as_its_size() -> None:
    problem = problem_of(random_firm(2, people=9, tasks=40))
    plan, places = first_plan(problem), Neighbourhoods(problem, 0)
    for _ in range(8):
        scope = places.next(plan)
        assert scope is not None
        assert len(scope.people) == 4
    assert len(places.around(plan, [3], 6).people) == 6
    assert 3 in places.around(plan, [3], 6).people
    assert places.around(plan, [5, 2, 8], 2).people == (2, 5, 8)


def test_only_the_whole_firm_is_everything() -> None:
    problem = problem_of(random_firm(2, people=3, tasks=8))
    plan, places = first_plan(problem), Neighbourhoods(problem, 0)
    assert places.everything(places.around(plan, [0], 3)) == (
        len(places.around(plan, [0], 3).tasks) == problem.task_count
    )
    assert not places.everything(places.around(plan, [0], 2))
    both = problem_of(firm(people=(person("ada"), person("bob")), tasks=(task("a"),)))
    assert Neighbourhoods(both, 0).everything(Neighbourhoods(both, 0).around(first_plan(both), [0], 2))


def crews() -> Problem:
    """Two crews of three that share no skill; one of the first has left work that is too much for the others."""
    return problem_of(
        firm(
            people=tuple(person(f"t{i}") for i in range(3))
            + tuple(person(f"a{i}", skills=("audit",)) for i in range(3)),
            tasks=(
                *(task(f"full{i}", hours=40, assignee=f"t{i}", pinned=True) for i in range(3)),
                task("lost", hours=5),
                *(task(f"audit{i}", hours=10, type="check", assignee=f"a{i}") for i in range(3)),
            ),
            task_types=(TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit")),
        )
    )


def test_people_who_share_work_come_together() -> None:
    problem = crews()
    places, plan = Neighbourhoods(problem, 0), first_plan(problem)
    together = [set(places.around(plan, [3], 3).people) for _ in range(50)]
    assert sum(people == {3, 4, 5} for people in together) >= 45


def test_costly_task_comes_with_people_who_may_do_it() -> None:
    problem = crews()
    plan, places = first_plan(problem), Neighbourhoods(problem, 0)
    assert plan.who[problem.board.task_index["lost"]] == ESCALATED
    for _ in range(20):
        assert set(places._costly_task(plan)) == {0, 1, 2}


def test_work_nobody_may_do_is_no_costly_task() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob")),
            tasks=(task("law", type="law"), task("late", due=-1, requested_person="bob")),
            task_types=(TaskType(id="return", skill="tax"), TaskType(id="law", skill="law")),
        )
    )
    plan, places = first_plan(problem), Neighbourhoods(problem, 0)
    assert [places._costly_task(plan) for _ in range(10)] == [[1]] * 10


def test_without_costly_work_the_unbalanced_person_is_drawn() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob"), person("cyd")),
            tasks=(task("a", hours=40, assignee="cyd"), task("b", hours=20, assignee="ada")),
        )
    )
    plan, places = first_plan(problem), Neighbourhoods(problem, 0)
    cost = problem.balance.cost_min(problem.loads_min(plan)) + 1.0
    drawn = [places._costly_task(plan) for _ in range(300)]
    for p in range(3):
        assert drawn.count([p]) / 300 == pytest.approx(cost[p] / cost.sum(), abs=0.1)


def test_moved_task_comes_with_its_person_and_its_home() -> None:
    problem = problem_of(
        firm(
            people=(person("ada"), person("bob"), person("cyd")),
            tasks=(task("a", assignee="ada"), task("b", client="cyds")),
            clients=(Client(id="acme"), Client(id="cyds", usual_person="cyd")),
        )
    )
    places = Neighbourhoods(problem, 0)
    moved = Assignment(np.array([1, 2], dtype=np.int32), np.array([0, 0], dtype=np.int32))
    assert [places._moved(moved) for _ in range(10)] == [[1, 0]] * 10
    home = Assignment(np.array([0, 2], dtype=np.int32), np.array([0, 0], dtype=np.int32))
    assert {tuple(places._moved(home)) for _ in range(60)} == {(0,), (1,), (2,)}
    nothing = Assignment(np.array([-1, -1], dtype=np.int32), np.array([-1, -1], dtype=np.int32))
    assert {tuple(places._moved(nothing)) for _ in range(60)} == {(0,), (1,), (2,)}


def test_every_kind_is_drawn() -> None:
    problem = crews()
    places, plan = Neighbourhoods(problem, 0), first_plan(problem)
    kinds = set()
    for _ in range(40):
        places.next(plan)
        kinds.add(KINDS[places.kind])
    assert kinds == set(KINDS[:-1])


def test_growing_ends_when_everybody_is_in() -> None:
    problem = problem_of(firm(people=(person("ada"), person("bob")), tasks=(task("a"),)))
    assert Neighbourhoods(problem, 0).around(first_plan(problem), [0], 5).people == (0, 1)
