"""The neutral file and the scorer that judges peers by it, against the project's own arithmetic and planted mistakes."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.export import answer_of, generated, instance_of, start_of, whole
from benchmarks.peers.instance import Instance, read, write
from benchmarks.peers.scoring import Answer, objective_min, problems
from solver.board import compile_board
from solver.problem import Assignment, Problem, compile_problem
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import tiny_firm


def compiled(one: object) -> tuple[Problem, Instance]:
    problem = compile_problem(compile_board(one, now=NOW))  # type: ignore[arg-type]
    return problem, instance_of(problem)


def start(instance: Instance) -> Answer:
    return Answer(instance.start_who, instance.start_window)


def answer(*places: tuple[int, int]) -> Answer:
    """Return an answer of ``(person, window)`` per task."""
    return Answer(whole([who for who, _ in places]), whole([window for _, window in places]))


LEFT = (-1, -1)


def test_an_instance_says_which_firm_it_is_made_from() -> None:
    made = generated(people=4, tasks=30, load=0.9, seed=5)
    assert made.origin.tolist() == [4, 30, 90, 5]


def test_the_file_holds_every_array_as_it_was(tmp_path: Path) -> None:
    for one in (random_firm(3), firm(people=(person("ada"),)), firm(tasks=(task("a"),))):
        _, instance = compiled(one)
        path = tmp_path / "instance.txt"
        write(instance, path)
        again = read(path)
        for field in fields(Instance):
            before, after = getattr(instance, field.name), getattr(again, field.name)
            assert before.shape == after.shape, field.name
            assert (before == after).all(), field.name


@pytest.mark.parametrize("seed", range(12))
def test_a_plan_costs_what_the_project_says(seed: int) -> None:
    problem, instance = compiled(random_firm(seed))
    assert objective_min(instance, start(instance)) == problem.objective_min(start_of(problem))


@pytest.mark.parametrize("seed", range(30))
def test_random_answers_are_refused_exactly_where_a_rule_is_broken(seed: int) -> None:
    problem, instance = compiled(tiny_firm(seed))
    rng = np.random.default_rng(seed)
    verdicts = set()
    for _ in range(60):
        plan = drawn(problem, rng)
        right = keeps_all_rules(problem, plan)
        verdicts.add(right)
        assert (problems(instance, answer_of(plan)) == []) == right
        if right:
            assert objective_min(instance, answer_of(plan)) == problem.objective_min(plan)
    assert verdicts


def drawn(problem: Problem, rng: np.random.Generator) -> Assignment:
    """Return an assignment of anybody allowed to any window, or escalation where allowed."""
    plan = problem.today.copy()
    for t in range(problem.task_count):
        people = np.flatnonzero(problem.allowed[t])
        if len(people) == 0 or (problem.may_escalate[t] and rng.random() < 0.3):
            plan.who[t], plan.window[t] = -1, -1
        else:
            plan.who[t] = rng.choice(people)
            plan.window[t] = rng.integers(len(problem.windows_of(t)))
    return plan


def keeps_all_rules(problem: Problem, plan: Assignment) -> bool:
    """Whether the windows, the pieces and the order of reviews hold, by the arrays of the project."""
    chosen = problem.first_window[:-1] + plan.window
    for t in np.flatnonzero(plan.who >= 0).tolist():
        others = problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]]
        if (plan.who[others] == plan.who[t]).any():
            return False
        before = int(problem.preparation[t])
        ordered = before >= 0 and plan.who[before] >= 0 and problem.release[chosen[t]] < problem.board.axis.count
        if ordered and problem.release[chosen[t]] <= problem.due[chosen[before]]:
            return False
    may = problem.may_escalate | (plan.who >= 0)
    return bool(may.all() and (problem.slack_min(plan) >= 0).all())


def test_exactly_full_is_accepted_and_one_minute_over_is_not() -> None:
    _, full = compiled(firm(people=(person("ada"),), tasks=(task("a", hours=38), task("b", hours=2))))
    assert problems(full, answer((0, 0), (0, 0))) == []
    over = replace(full, pair_work_min=full.pair_work_min + np.array([0, 1]))
    assert problems(over, answer((0, 0), (0, 0))) == ["person 0 lacks 1 minutes for task 1"]


def test_a_window_that_starts_later_is_checked_too() -> None:
    _, instance = compiled(
        firm(
            people=(person("ada"),),
            tasks=(task("one", hours=8, release=day(4)), task("two", hours=1, release=day(4)), task("early", hours=8)),
        )
    )
    assert problems(instance, answer((0, 0), LEFT, (0, 0))) == []
    assert "lacks 60 minutes" in problems(instance, answer((0, 0), (0, 0), (0, 0)))[0]


def test_each_planted_mistake_is_named() -> None:
    team = (person("ada"), person("bob"), person("cyd", skills=("audit",)))
    held, new = task("held", assignee="ada"), task("new")
    review = task("review", hours=1, reviews="new")
    problem, instance = compiled(firm(people=team, tasks=(held, new, review)))
    good = start(instance)
    assert problems(instance, good) == []
    who, window = good.who.tolist(), good.window.tolist()
    assert -1 not in who

    def wrong(places: dict[int, tuple[int, int]]) -> str:
        changed = dict(enumerate(zip(who, window, strict=True))) | places
        with pytest.raises(ValueError, match=r".") as refused:
            objective_min(instance, answer(*changed.values()))
        return str(refused.value)

    assert wrong({0: LEFT}) == "task 0 may not be escalated"
    assert wrong({1: (2, 0)}) == "person 2 may not do task 1"
    assert wrong({1: (0, 99)}) == "task 1 has no window 99"
    assert "of one piece of work" in wrong({2: (who[1], window[2])})
    early, late = next(
        (k, j)
        for j, before in enumerate(problem.windows_of(1))
        for k, after in enumerate(problem.windows_of(2))
        if problem.release[after] <= problem.due[before]
    )
    assert "its preparation 1 is promised" in wrong({1: (who[1], late), 2: (who[2], early)})


def test_an_answer_for_another_firm_is_refused() -> None:
    _, instance = compiled(firm(people=(person("ada"),), tasks=(task("a"),)))
    assert problems(instance, answer((0, 0), (0, 0))) == ["1 tasks asked, 2 people and 2 windows answered"]
