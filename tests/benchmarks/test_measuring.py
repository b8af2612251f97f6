from __future__ import annotations

import itertools
import json
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks import assignment, records, tables
from benchmarks.assignment import Instance
from solver import WorkBudget, solve

TINY = Instance(
    name="tiny",
    cost=((4, 9, 3, 6), (8, 2, 7, 5), (6, 6, 6, 6)),
    hours=((30, 40, 20, 50), (20, 30, 40, 30), (35, 35, 35, 35)),
    room=(55, 60, 40),
)


def best_cost(instance: Instance) -> int:
    agents, tasks = range(len(instance.room)), range(len(instance.cost[0]))
    found = []
    for who in itertools.product(agents, repeat=len(tasks)):
        used = [sum(instance.hours[i][j] for j in tasks if who[j] == i) for i in agents]
        if all(u <= room for u, room in zip(used, instance.room, strict=True)):
            found.append(sum(instance.cost[who[j]][j] for j in tasks))
    return min(found)


def test_an_assignment_instance_is_the_same_problem_as_its_firm() -> None:
    plan = solve(assignment.firm_of(TINY), now=datetime(2027, 3, 1), stop=WorkBudget(2.0))
    assert assignment.checked_cost(TINY, plan) == best_cost(TINY)
    assert plan.certificate.bound_min + plan.certificate.unavoidable_min <= best_cost(TINY)


def test_the_published_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny"
    rows = [[3, 4], *TINY.cost, *TINY.hours, TINY.room]
    path.write_text("\n".join(" ".join(map(str, row)) for row in rows))
    assert assignment.read(path) == TINY


def test_an_answer_that_overfills_an_agent_is_refused() -> None:
    plan = solve(assignment.firm_of(TINY), now=datetime(2027, 3, 1), stop=WorkBudget(0.5))
    narrow = Instance("narrow", TINY.cost, TINY.hours, (1, 1, 1))
    with pytest.raises(ValueError, match="narrow: 4 tasks done"):
        assignment.checked_cost(narrow, plan)


def test_without_the_setting_a_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENHAND_BENCHMARK_DIR", raising=False)
    with pytest.raises(SystemExit, match="Maybe set it to where the instances lie"):
        records.instance_folder("gap")


def test_a_measurement_is_one_line_with_its_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    records.record("placing", median_us=3)
    records.record("placing", median_us=4)
    lines = [json.loads(line) for line in (tmp_path / "placing.jsonl").read_text().splitlines()]
    assert [line["median_us"] for line in lines] == [3, 4]
    assert {"date", "commit", "machine", "python", "ortools"} <= set(lines[0])


def test_the_page_shows_what_the_kept_rows_say() -> None:
    page = tables.PAGE.read_text(encoding="utf-8")
    assert tables.rendered(page) == page
