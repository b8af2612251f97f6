"""Components and restricted problems: what they cost adds up to the whole, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.board import compile_board
from solver.components import components, restricted
from solver.construct import completed, in_order, others_on_piece, rule_plan
from solver.firm import Client, Firm, TaskType
from solver.plan import StopReason
from solver.problem import Assignment, Problem, compile_problem
from solver.running import Search
from solver.search import anneal_from
from solver.stop import Progress, WorkBudget
from solver.wide import compile_wide, problem_of
from tests.firms_for_tests import NOW, firm, person, random_firm, task

TABLES = ("work_min", "comfort_min", "allowed")


def two_departments(*, more: tuple[object, ...] = (), **changes: object) -> Firm:
    """Return two people for tax and two for audit who share nothing, each with some work."""
    people = (person("ada"), person("bob"), person("cyd", skills=("audit",)), person("dan", skills=("audit",)))
    tasks = tuple(task(f"t{i}", type=("return", "check")[i % 2], hours=3 + i) for i in range(8))
    types = (TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit"), TaskType(id="odd", skill="law"))
    base: dict[str, object] = {"people": people, "tasks": (*tasks, *more), "task_types": types}
    return firm(**{**base, **changes})  # type: ignore[arg-type]


def problem(one: Firm) -> Problem:
    return compile_problem(compile_board(one, now=NOW))


def names(whole: Problem, tasks: list[int]) -> list[str]:
    return [whole.board.tasks[t].id for t in tasks]


def annealed(part: Problem, start: Assignment) -> Assignment:
    """Return a plan after a moment of annealing, whose work is counted."""
    progress = Progress(0.0, part.objective_min(start), 0)
    search = Search(part, start, progress, WorkBudget(0.0), lambda progress: None, 0, 0)
    anneal_from(search, search.plan)
    assert search.stop_reason in (StopReason.WORK, StopReason.OPTIMAL, None)
    return search.plan


def breaks_no_rule(whole: Problem, plan: Assignment) -> bool:
    placed = np.flatnonzero(plan.who >= 0)
    orderly = (in_order(whole, plan, t, int(whole.chosen(plan, np.array([t]))[0])) for t in placed.tolist())
    separate = (plan.who[t] not in others_on_piece(whole, plan, t) for t in placed.tolist())
    return bool(
        (whole.slack_min(plan) >= 0).all()
        and whole.allowed[placed, plan.who[placed]].all()
        and whole.may_escalate[plan.who < 0].all()
        and all(orderly)
        and all(separate)
    )


def test_departments_that_share_nobody_are_two_components() -> None:
    whole = problem(two_departments())
    found = components(whole)
    assert [one.people.tolist() for one in found] == [[0, 1], [2, 3]]
    assert names(whole, found[0].tasks.tolist()) == ["t0", "t2", "t4", "t6"]
    assert names(whole, found[1].tasks.tolist()) == ["t1", "t3", "t5", "t7"]


def test_one_review_joins_two_departments() -> None:
    review = task("look", type="check", reviews="t0")
    assert len(components(problem(two_departments(more=(review,))))) == 1


def test_task_nobody_may_do_belongs_to_no_component() -> None:
    whole = problem(two_departments(more=(task("lost", type="odd"), task("look", type="check", reviews="lost"))))
    found = components(whole)
    assert len(found) == 2
    assert "lost" not in [name for one in found for name in names(whole, one.tasks.tolist())]


def test_person_who_may_do_nothing_is_a_component_without_tasks() -> None:
    people = (person("ada"), person("eve", skills=("law",)))
    found = components(problem(firm(people=people, tasks=(task("a"),))))
    assert [(one.people.tolist(), one.tasks.tolist()) for one in found] == [([0], [0]), ([1], [])]


def test_firm_without_people_or_without_tasks_has_components_all_the_same() -> None:
    assert components(problem(firm(tasks=(task("a"),)))) == ()
    assert len(components(problem(firm(people=(person("ada"), person("bob")))))) == 2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), people=st.integers(1, 8), tasks=st.integers(0, 24))
def test_objectives_of_components_add_up_to_the_whole(seed: int, people: int, tasks: int) -> None:
    whole = problem(random_firm(seed, people=people, tasks=tasks))
    for plan in (whole.today, rule_plan(whole), completed(whole, whole.today)):
        total, lifted = 0, Assignment(np.full_like(plan.who, -1), np.full_like(plan.window, -1))
        for one in components(whole):
            part = restricted(whole, one.tasks, one.people)
            mine = _cut(part.tasks, part.people, plan)
            total += part.problem.objective_min(mine)
            lifted = part.lifted(mine, lifted)
        nobody = [t for t in range(whole.task_count) if whole.unavoidable(t)]
        assert total + int(whole.escalation_min[nobody].sum()) == whole.objective_min(plan)
        assert lifted.who.tolist() == plan.who.tolist()
        assert lifted.window.tolist() == plan.window.tolist()


def _cut(tasks: np.ndarray, people: np.ndarray, plan: Assignment) -> Assignment:
    """Return the tasks of a component as a plan of its own; with all windows in use their places are the same."""
    who = [-1 if p < 0 else people.tolist().index(p) for p in plan.who[tasks].tolist()]
    return Assignment(np.array(who, dtype=np.int32), plan.window[tasks].copy())


@pytest.mark.parametrize("seed", range(12))
def test_plans_of_components_together_break_no_rule(seed: int) -> None:
    whole = problem(random_firm(seed, people=6, tasks=24))
    plan = whole.today
    for one in components(whole):
        part = restricted(whole, one.tasks, one.people)
        plan = part.lifted(annealed(part.problem, completed(part.problem, part.problem.today)), plan)
    assert breaks_no_rule(whole, plan)


@pytest.mark.parametrize("seed", range(8))
def test_restriction_to_everything_is_the_whole_problem(seed: int) -> None:
    whole = problem(random_firm(seed))
    part = restricted(whole, np.arange(whole.task_count), np.arange(whole.person_count)).problem
    for name in (*TABLES, "first_window", "release", "due", "late_min", "piece", "piece_start", "preparation"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)), name
    assert np.array_equal(part.today.who, whole.today.who)
    assert np.array_equal(part.today.window, whole.today.window)


def test_windows_that_may_not_be_used_are_gone_and_leave_a_task_without_any_to_nobody() -> None:
    whole = problem(two_departments(more=(task("late", due=-2, assignee="ada"),)))
    late = whole.board.task_index["late"]
    usable = np.ones(len(whole.due), dtype=np.bool_)
    mine = list(whole.windows_of(late))
    usable[mine[1:]] = False
    part = restricted(whole, np.array([0, late]), np.array([0]), usable=usable)
    assert part.problem.first_window.tolist() == [0, 1, 2]
    usable[mine] = False
    part = restricted(whole, np.array([0, late]), np.array([0]), usable=usable)
    assert part.problem.allowed.tolist() == [[True], [False]]
    assert part.problem.today.who.tolist() == [-1, -1]


def test_what_names_tasks_refuses_a_restricted_problem() -> None:
    whole = problem(two_departments(more=(task("mine", assignee="ada"),)))
    part = restricted(whole, np.arange(3), np.array([0, 1])).problem
    for misuse in (rule_plan, lambda one: one.board.tasks):
        with pytest.raises(AttributeError, match="Maybe lift its plan"):
            misuse(part)


@pytest.mark.parametrize("seed", range(6))
def test_wide_problem_is_the_same_problem(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.wide.TOGETHER", 7)
    board = compile_board(random_firm(seed, people=5, tasks=40), now=NOW)
    whole, wide = compile_problem(board), compile_wide(board)
    tasks, people = np.divmod(np.arange(whole.allowed.size)[::-3], whole.person_count)
    for name in TABLES:
        table, read = getattr(whole, name), getattr(wide, name)
        assert read.shape == table.shape
        assert np.array_equal(read[tasks, people], table[tasks, people])
        for t in (0, len(board.tasks) - 1, 3):
            assert np.array_equal(read[t], table[t])
            assert read[t, 1] == table[t, 1]
    for name in ("first_window", "release", "due", "late_min", "escalation_min", "room_min"):
        assert np.array_equal(getattr(whole, name), getattr(wide, name)), name
    assert np.array_equal(whole.balance.share_min, wide.balance.share_min)
    plan = completed(wide, rule_plan(wide))
    assert np.array_equal(plan.who, completed(whole, rule_plan(whole)).who)
    assert whole.objective_min(plan) == wide.objective_min(plan)
    assert whole.terms_min(plan) == wide.terms_min(plan)
    assert whole.unavoidable_min() == wide.unavoidable_min()


def test_tables_are_built_where_they_fit() -> None:
    board = compile_board(two_departments(), now=NOW)
    assert isinstance(problem_of(board).allowed, np.ndarray)
    assert not isinstance(problem_of(board, most_pairs=1).allowed, np.ndarray)


def test_firm_of_one_client_and_many_skills_is_cut_along_the_skills() -> None:
    people = tuple(person(f"p{i}", skills=(f"s{i // 3}",)) for i in range(9))
    types = tuple(TaskType(id=f"k{i}", skill=f"s{i}") for i in range(3))
    tasks = tuple(task(f"w{i}", type=f"k{i % 3}") for i in range(9))
    one = firm(people=people, tasks=tasks, task_types=types, clients=(Client(id="acme", usual_person="p0"),))
    assert [len(part.people) for part in components(problem(one))] == [3, 3, 3]
