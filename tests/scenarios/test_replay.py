from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import numpy as np

from scenarios.replay import Replayed, prices_of, replay
from scenarios.stream import Arrival, Away, Fact, Stream, TaskChanged
from solver.firm import Firm, Task, TimeOff
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


def truly(one: Stream, **took_min: int) -> Stream:
    return replace(one, took_min=took_min)


def test_work_takes_what_it_took_and_nobody_knows_it_before() -> None:
    one = stream(
        firm((person("ann"),), (task("x", hours=8, due=4, assignee="ann"),)), task("y", hours=8, due=1), last=4
    )
    assert replayed(one).on_time_pct == 100.0
    long = replayed(truly(one, x=3 * 480))
    assert long.on_time_pct == 100.0  # y goes first: it was promised earlier
    assert replayed(truly(one, y=3 * 480)).on_time_pct == 50.0
    assert replayed(truly(one, x=5 * 480)).on_time_pct == 50.0
    assert replayed(truly(one, y=5 * 480)).escalations == replayed(one).escalations == 0  # nobody saw it coming


def test_work_that_was_done_sooner_makes_room() -> None:
    one = stream(
        firm((person("ann"),), (task("x", hours=24, due=2, assignee="ann"),)), task("y", hours=20, due=4), last=4
    )
    assert replayed(one).escalations == 1
    assert replayed(truly(one, x=120)).escalations == 1  # at ten o'clock it looks full
    assert replayed(truly(one, x=120)).lost == 0  # the next morning it does not
    assert replayed(one).lost == 1


def test_what_became_known_later_changes_nothing_before() -> None:
    base = stream(
        firm((person("ann"),), (task("x", hours=8, due=9, assignee="ann"),)), task("y", hours=30, due=4), last=9
    )
    away = Away(TimeOff(person="ann", first_day=day(1), last_day=day(4)))
    early, late = (replace(base, facts=(Fact(when, away),)) for when in (NOW, NOW + timedelta(hours=3)))
    assert replayed(base).escalations == 0
    assert replayed(early).escalations == 1
    assert replayed(late).escalations == 0  # it had been placed by then
    assert replayed(late).on_time_pct == 50.0


def test_a_fact_between_two_arrivals_counts_for_the_second() -> None:
    one = stream(firm((person("ann"),)), task("a", hours=20, due=4), task("b", hours=15, due=4), last=4)
    shorter = TaskChanged("a", {"estimate_min": 480})
    assert replayed(one).escalations == 0
    away = Away(TimeOff(person="ann", first_day=day(3), last_day=day(4)))
    known = replace(one, facts=(Fact(NOW + timedelta(hours=1, minutes=30), away),))
    assert replayed(known).escalations == 1
    mended = replace(known, facts=(*known.facts, Fact(NOW + timedelta(hours=1, minutes=40), shorter)))
    assert replayed(mended).escalations == 0
    cancelled = replace(one, facts=(Fact(NOW + timedelta(hours=6), TaskChanged("b", {"status": "cancelled"})),))
    assert replayed(cancelled).on_time_pct == 100.0


def test_what_waits_for_its_estimate_is_no_escalation_and_is_placed_when_it_is_known() -> None:
    one = stream(firm((person("ann"),)), task("a", hours=None, due=9), last=9)
    assert (replayed(one).escalations, replayed(one).lost) == (0, 1)
    told = replace(one, facts=(Fact(NOW + timedelta(days=1), TaskChanged("a", {"estimate_min": 120})),))
    assert (replayed(told).escalations, replayed(told).lost, replayed(told).on_time_pct) == (0, 0, 100.0)


def test_what_was_finished_before_the_period_is_not_the_period_s() -> None:
    old = task("old", due=-9).model_copy(update={"status": "done", "completed_on": day(-12), "assignee": "ann"})
    one = stream(firm((person("ann"),), (old,)), task("a", hours=60, due=4), last=4)
    assert replayed(one).on_time_pct == 0.0


def test_without_a_batch_nothing_is_proposed_and_arrivals_are_placed_all_the_same() -> None:
    found = replayed(FULL, batch_weekdays=())
    assert found.proposed == 0
    assert found.escalations == replayed(FULL).escalations  # nothing is approved in either
    assert 0 < found.utilisation_pct <= 100


def test_the_same_proposal_is_approved_or_not_whatever_the_policy() -> None:
    uneven = firm(
        (person("ann"), person("bob")),
        tuple(task(f"t{i}", hours=7, due=9 + i % 2, assignee="ann") for i in range(8)),
    )
    half, again, every = (replayed(stream(uneven), approved_share=share) for share in (0.5, 0.5, 1.0))
    assert half == again
    assert 0 < half.approved < every.approved
