from __future__ import annotations

from datetime import datetime, time, timedelta

import numpy as np
import pytest

from scenarios.chances import Chances, chances_of
from scenarios.draws import drawn, setting
from scenarios.time_sheets import AS_OF, Habits, TimeSheets, time_sheets
from solver.firm import Firm, Status, Task
from solver.learning import learn
from solver.observations import Observation, TimeEntry, observed

PAST, ALL = 1_000, 1_300


def firm_with(sheets: TimeSheets, done: tuple[Observation, ...], coming: tuple[Observation, ...]) -> Firm:
    """Return the firm with its past work finished and the rest open, nothing of it logged."""

    def task(one: Observation, **more: object) -> Task:
        usual = {"id": one.task, "type": one.type, "client": one.client, "deadline": AS_OF + timedelta(days=30)}
        return Task.model_validate({**usual, "estimate_min": one.estimate_min, "assignee": one.person, **more})

    finished = (
        task(one, status=Status.DONE, logged_min=one.logged_min, completed_on=one.finished_on or AS_OF) for one in done
    )
    return sheets.firm.model_copy(update={"tasks": (*finished, *(task(one) for one in coming))})


def held(sheets: TimeSheets, learning: bool) -> tuple[float, Chances]:
    """Return the share of coming tasks that took what 90 of 100 draws say, each by whoever has it."""
    done, coming = sheets.observations[:PAST], sheets.observations[PAST:]
    firm = firm_with(sheets, done, coming)
    entries = [
        TimeEntry(task=one.task, person=str(one.person), day=AS_OF, minutes=minutes)
        for one in done
        for minutes in (one.logged_min // 2, one.logged_min - one.logged_min // 2)
    ]
    odds = chances_of(firm, learn(firm, observed(firm, entries), as_of=AS_OF) if learning else None)
    place = setting(firm, now=datetime.combine(AS_OF, time(9)))
    draws = drawn(place, odds, seed=7, first_draw=0, draws=200)
    people = [place.people.index(str(one.person)) for one in coming]
    assert place.tasks == tuple(one.task for one in coming)
    low, high = np.quantile(draws.left_min * draws.pace[:, people], [0.05, 0.95], axis=0)
    took = np.array([one.logged_min for one in coming])
    return float(((low <= took) & (took <= high)).mean()), odds


@pytest.mark.parametrize("task_sd", [0.15, 0.3, 0.6])
def test_the_spread_of_the_firm_s_own_tasks_is_learnt_and_covers_those_that_come(task_sd: float) -> None:
    sheets = [
        time_sheets(people=10, clients=20, tasks=ALL, seed=seed, habits=Habits(task_sd=task_sd)) for seed in range(2)
    ]
    shares, odds = zip(*(held(one, learning=True) for one in sheets), strict=True)
    assert 0.86 <= np.mean(shares) <= 0.94
    for one in odds:
        spreads = [takes.task_sd for takes in one.types.values()]
        assert spreads == pytest.approx([task_sd] * 6, rel=0.25)
        assert np.mean(spreads) == pytest.approx(task_sd, rel=0.08)
        assert sum(takes.tasks for takes in one.types.values()) == PAST


def test_published_figures_do_not_hold_where_the_firm_s_own_are_wider() -> None:
    sheets = time_sheets(people=10, clients=20, tasks=ALL, seed=0, habits=Habits(task_sd=0.6))
    share, odds = held(sheets, learning=False)
    assert share < 0.75
    assert all(takes.tasks == 0 for takes in odds.types.values())
