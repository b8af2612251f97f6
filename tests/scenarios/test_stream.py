from __future__ import annotations

from datetime import timedelta

import pytest

from scenarios.stream import SHORTEST_LEAD_DAYS, Stream, arrival_stream
from solver.firm import Status

STREAM = arrival_stream(people=8, tasks=240, seed=3)


def everything(stream: Stream) -> list[str]:
    return [task.id for task in stream.firm.tasks] + [arrival.task.id for arrival in stream.arrivals]


def test_each_task_is_known_at_the_start_or_arrives_once() -> None:
    assert len(everything(STREAM)) == len(set(everything(STREAM))) == 240
    assert len(STREAM.arrivals) > 120


def test_arrivals_come_in_order_within_the_season_and_nobody_has_them() -> None:
    moments = [arrival.when for arrival in STREAM.arrivals]
    assert moments == sorted(moments)
    assert STREAM.now < moments[0]
    assert moments[-1].date() <= STREAM.last_day
    for arrival in STREAM.arrivals:
        assert (arrival.task.assignee, arrival.task.status, arrival.task.logged_min) == (None, Status.PLANNED, 0)
        assert not arrival.task.pinned


def test_preparations_arrive_before_their_reviews_and_work_some_days_before_its_deadline() -> None:
    when = {task.id: STREAM.now for task in STREAM.firm.tasks}
    reviews = 0
    for arrival in STREAM.arrivals:
        if arrival.task.reviews is not None:
            assert when[arrival.task.reviews] <= arrival.when
            reviews += 1
        else:
            assert arrival.when.date() <= arrival.task.deadline - timedelta(days=SHORTEST_LEAD_DAYS)
        when[arrival.task.id] = arrival.when
    assert reviews > 5


def test_nothing_is_overdue_or_waits_for_an_estimate_at_the_start() -> None:
    tasks = [*STREAM.firm.tasks, *(arrival.task for arrival in STREAM.arrivals)]
    assert all(task.estimate_min is not None and task.deadline >= STREAM.now.date() for task in tasks)


@pytest.mark.parametrize("seed", [3, 4])
def test_streams_are_seeded(seed: int) -> None:
    assert (arrival_stream(people=8, tasks=240, seed=seed) == STREAM) is (seed == 3)
