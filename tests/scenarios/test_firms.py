from __future__ import annotations

import ast
import inspect
import re
from datetime import timedelta
from typing import Any

import pytest

from scenarios import figures
from scenarios.firms import Season, demo_firm, generate_firm, starting
from solver.board import compile_board
from solver.calendar import capacity_min, day_list


@pytest.mark.parametrize("season", list(Season))
@pytest.mark.parametrize(("people", "tasks"), [(8, 120), (30, 600), (100, 1_000)])
def test_a_generated_firm_has_the_size_and_load_asked(season: Season, people: int, tasks: int) -> None:
    made = generate_firm(people=people, tasks=tasks, season=season, seed=3, load=0.9)
    assert len(made.firm.people) == people
    assert sum(task.open for task in made.firm.tasks) == tasks
    last = max(task.deadline for task in made.firm.tasks)
    open_min = int(capacity_min(made.firm, day_list(made.now.date(), last)).sum())
    work_min = sum((task.estimate_min or 0) - task.logged_min for task in made.firm.tasks)
    assert 0.75 <= work_min / open_min <= 0.95


def test_a_firm_begins_in_any_week_with_every_day_at_the_same_distance() -> None:
    made = generate_firm(people=8, tasks=60, seed=1)
    for by_days in (0, 6, 7, 371, -7, -1):
        moved = starting(made, made.now.date() + timedelta(days=by_days))
        weeks = timedelta(weeks=by_days // 7)
        assert moved.now == made.now + weeks
        assert [one.deadline for one in moved.firm.tasks] == [one.deadline + weeks for one in made.firm.tasks]
        assert [one.first_day for one in moved.firm.time_off] == [one.first_day + weeks for one in made.firm.time_off]
        assert [one.first_day for one in moved.firm.overtime] == [one.first_day + weeks for one in made.firm.overtime]
        assert moved.firm.policy == made.firm.policy
    assert starting(made, made.now.date()) == made


def test_generated_firms_are_seeded() -> None:
    assert generate_firm(people=8, tasks=60, seed=1) == generate_firm(people=8, tasks=60, seed=1)
    assert generate_firm(people=8, tasks=60, seed=1).firm != generate_firm(people=8, tasks=60, seed=2).firm


def test_the_busy_season_has_overtime_and_the_quiet_one_more_time_off() -> None:
    busy, quiet = (generate_firm(people=100, tasks=500, season=season, seed=4).firm for season in Season)
    assert busy.overtime
    assert not quiet.overtime
    assert len(quiet.time_off) > len(busy.time_off)


def test_a_generated_firm_is_untidy_as_firms_are() -> None:
    made = generate_firm(people=30, tasks=600, seed=5)
    open_tasks = [task for task in made.firm.tasks if task.open]
    assert any(task.deadline < made.now.date() for task in open_tasks)
    assert any(task.estimate_min is None for task in open_tasks)
    assert any(task.assignee is None for task in open_tasks)
    assert any(task.reviews for task in open_tasks)
    assert any(client.barred for client in made.firm.clients)
    assert {person.level for person in made.firm.people} == {level.name for level in made.firm.levels}


def test_the_demo_firm_has_thirty_people_six_hundred_tasks_and_somebody_who_left() -> None:
    made = demo_firm()
    assert (len(made.firm.people), len(made.firm.tasks)) == (30, 600)
    assert any(person.leave_date and person.leave_date < made.now.date() for person in made.firm.people)
    assert len(compile_board(made.firm, now=made.now).flagged) >= 8


@pytest.mark.parametrize(
    "wrong", [{"people": 0, "tasks": 1}, {"people": 1, "tasks": -1}, {"people": 1, "tasks": 1, "late_share": 2}]
)
def test_a_firm_that_cannot_be_made_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Maybe"):
        generate_firm(**wrong)


def test_every_figure_names_its_source_or_is_marked_an_assumption() -> None:
    body = ast.parse(inspect.getsource(figures)).body
    named = [
        i
        for i, line in enumerate(body)
        if isinstance(line, ast.Assign)
        and ast.unparse(line.targets[0]) not in {"FIRST_NAMES", "LAST_NAMES", "BUSINESSES"}
    ]
    assert len(named) >= 15
    for i in named:
        said = body[i + 1]
        assert isinstance(said, ast.Expr), ast.unparse(body[i])
        assert isinstance(said.value, ast.Constant)
        assert re.search(r"\b[SDA]\b", str(said.value.value)), ast.unparse(body[i])
