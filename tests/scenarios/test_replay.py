from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import numpy as np

from scenarios.replay import Replayed, prices_of, replay
from scenarios.stream import Arrival, Stream
from solver.firm import Firm, Task
from solver.plan import Plan
from solver.policy import Policy
from solver.price_list import PriceList
from tests.firms_for_tests import NOW, day, firm, person, task

UNITS = 0.001
STAFF = (person("ann"), person("bob"), person("eve", weekly_min=(240,) * 5 + (0, 0)))


def stream(one: Firm, *arrivals: Task, last: int = 11) -> Stream:
    """Return a stream in which each task arrives an hour after the one before, day and night, from ten o'clock on the first day."""
    moments = (NOW + timedelta(hours=1 + i) for i in range(len(arrivals)))
    found = tuple(Arrival(when, each) for when, each in zip(moments, arrivals, strict=True))
    exact = one.model_copy(update={"policy": Policy(remaining_floor_min=1)})
    return Stream(exact, NOW, found, day(last))


def replayed(one: Stream, **more: object) -> Replayed:
    return replay(one, night_units=UNITS, **more)  # type: ignore[arg-type]


EASY = stream(firm(STAFF), *(task(f"t{i:02d}", hours=2 + i % 5, due=2 + i % 8) for i in range(20)))
FULL = stream(firm(STAFF), *(task(f"t{i:02d}", hours=6 + i % 7, due=2 + i % 8) for i in range(18)))


def test_where_there_is_time_for_all_of_it_everything_is_placed_and_done() -> None:
    found = replayed(EASY)
    assert (found.arrivals, found.escalations, found.lost, found.on_time_pct) == (20, 0, 0, 100.0)


def test_the_same_stream_gives_the_same_season_and_policies_differ() -> None:
    by_rule, by_price = replayed(FULL), replayed(FULL, priced=True)
    assert by_rule == replayed(FULL)
    assert by_price != by_rule


def test_what_nobody_has_time_for_is_counted_when_it_comes_and_when_it_is_lost() -> None:
    one = firm((person("ann"),), ())
    found = replayed(stream(one, task("a", hours=30), task("b", hours=11), task("c", hours=9), last=4))
    assert (found.escalations, found.escalated_min) == (1, 660)
    assert (found.lost, found.lost_min) == (1, 660)
    assert found.on_time_pct == round(200 / 3, 2)


def test_what_escalated_is_asked_again_each_morning() -> None:
    """Bob's hours are the only ones for the review; they are free again once the work promised around it is done."""
    one = firm((person("ann"), person("bob")), (task("p", hours=4, due=9, assignee="ann"),))
    found = replayed(stream(one, task("r", hours=2, due=9, reviews="p"), last=9))
    assert (found.escalations, found.lost) == (1, 0)
    assert found.on_time_pct == 100.0


def test_work_is_done_in_the_hours_there_are() -> None:
    """Four days of eight hours: the fifth day's deadline is met, one hour more on the first four is not."""
    one = firm((person("ann"),), (task("x", hours=32, due=3, assignee="ann"),))
    assert replayed(stream(one, last=4)).on_time_pct == 100.0
    late = firm((person("ann"),), (task("x", hours=33, due=3, assignee="ann"),))
    assert replayed(stream(late, last=4)).on_time_pct == 0.0


def test_slow_people_take_longer_and_finish() -> None:
    slow = person("ann").model_copy(
        update={"skills": (person("ann").skills[0].model_copy(update={"efficiency_pct": 137}),)}
    )
    one = firm((slow,), (task("x", hours=29, due=4, assignee="ann"),))
    assert replayed(stream(one, last=4)).on_time_pct == 100.0


def test_a_review_of_what_nobody_has_yet_is_no_mistake() -> None:
    one = firm((person("ann"), person("bob", skills=())))
    found = replayed(stream(one, task("p", hours=60, due=4), task("r", hours=1, due=4, reviews="p"), last=4))
    assert found.escalations >= 1


def test_each_working_night_is_planned_once_and_its_prices_serve_the_day() -> None:
    nights: list[tuple[date, int]] = []

    def dear(one: Firm, plan: Plan) -> PriceList:
        nights.append((plan.now.date(), len(one.tasks)))
        return PriceList(people=("bob", "eve"), days=(EASY.last_day,), minute=np.array([[100.0], [100.0]]))

    found = replayed(EASY, priced=True, prices=dear)
    assert [when for when, _ in nights] == [day(i) for i in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
    assert [known for _, known in nights[:3]] == [0, 7, 20]
    assert found.deviation_pct > 5 * replayed(EASY, priced=True).deviation_pct  # ann gets all she has time for


def test_moves_are_proposed_and_made_only_where_approved() -> None:
    uneven = firm(
        (person("ann"), person("bob")),
        tuple(task(f"t{i}", hours=7, due=9 + i % 2, assignee="ann") for i in range(8)),
    )
    none, every = (replayed(stream(uneven), approved_share=share) for share in (0.0, 1.0))
    assert none.proposed > 0
    assert none.approved == 0
    assert every.approved > 0
    assert every.deviation_pct < none.deviation_pct


def test_prices_are_those_the_plan_brings_along_if_any() -> None:
    listed = PriceList(people=("ann",), days=(day(0),), minute=np.ones((1, 1)))
    one = firm()
    assert prices_of(one, cast(Plan, SimpleNamespace(prices=listed))) is listed
    assert prices_of(one, cast(Plan, SimpleNamespace(prices=None))) is None


def test_a_season_without_work_is_measured_too() -> None:
    empty = replace(stream(firm((person("ann"),)), last=4), arrivals=())
    assert replayed(empty).spread_pct == 0.0
