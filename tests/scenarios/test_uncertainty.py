from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from scenarios.chances import Chances, Pace, Takes, chances_of
from scenarios.controls import surprises
from scenarios.counters import uniforms
from scenarios.draws import Draws, drawn, setting, well_share
from scenarios.execution import Promised, execute
from scenarios.extremes import MOST, StandIns, day_min_of, hours_of, mean_spread
from scenarios.firms import generate_firm
from scenarios.risks import Cause, bottlenecks, late_of, risks
from scenarios.time_sheets import AS_OF, time_sheets
from scenarios.uncertainty import (
    METRICS,
    Outcomes,
    Portion,
    adjusted,
    compared,
    difference,
    make,
    outcomes,
    promised,
    range_of,
    simulated,
)
from solver.batch import today
from solver.firm import Firm, Skill
from solver.learning import learn
from solver.metrics import measure
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task

NO_CHANCE = Chances().certain()
NOISE_ONLY = NO_CHANCE.model_copy(update={"other": Takes(ratio=1.0, task_sd=0.3)})


def same(first: Outcomes | Draws, second: Outcomes | Draws) -> bool:
    return all(np.array_equal(getattr(first, one.name), getattr(second, one.name)) for one in fields(first))


@pytest.mark.parametrize("seed", range(12))
def test_without_chance_every_promise_holds_and_the_metrics_are_those_of_the_plan(seed: int) -> None:
    one = random_firm(seed)
    plan = today(one, now=NOW)
    place, plan_arrays, found = simulated(one, plan, NO_CHANCE, now=NOW, draws=2)
    kept = (found.finish <= plan_arrays.due) | (plan_arrays.who < 0)
    assert kept.all()
    said = measure(one, plan).firm
    assert found.escalations[0] == said.escalations
    assert found.late[0] <= said.late_open  # graded promises are the latest days, work may end before them
    assert found.utilisation_pct[0] == pytest.approx(said.utilisation_pct, abs=0.2)  # whole minutes, rounded up
    late = late_of(place, plan_arrays, found)[0]
    promised_late = {item.task for item in plan.tasks if item.late}
    assert {place.tasks[t] for t in np.flatnonzero(late)} <= promised_late


def test_a_draw_is_the_same_in_whatever_portions_it_is_made() -> None:
    one = random_firm(3)
    odds = chances_of(one).model_copy(update={"arrivals_per_week": 0.0, "absent_week_share": 0.3})
    place = setting(one, now=NOW)
    whole = drawn(place, odds, seed=5, first_draw=0, draws=20)
    parts = [drawn(place, odds, seed=5, first_draw=first, draws=count) for first, count in ((0, 7), (7, 1), (8, 12))]
    for column in fields(Draws):
        joined = np.concatenate([getattr(part, column.name) for part in parts])
        assert np.array_equal(joined, getattr(whole, column.name)), column.name
    assert not same(whole, drawn(place, odds, seed=6, first_draw=0, draws=20))


def test_numbers_belong_to_names_and_not_to_their_order() -> None:
    two = uniforms(1, "task", ["a", "b"], first_draw=0, draws=3, each=5)
    assert np.array_equal(two[::-1], uniforms(1, "task", ["b", "a"], first_draw=0, draws=3, each=5))
    assert not np.array_equal(two, uniforms(1, "illness", ["a", "b"], first_draw=0, draws=3, each=5))
    many = uniforms(2, "task", [str(i) for i in range(500)], first_draw=0, draws=40)[:, :, 0]
    assert many.mean() == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(many[:250].ravel(), many[250:].ravel())[0, 1]) < 0.03


def test_a_draw_strikes_the_same_person_and_task_whatever_else_the_firm_holds() -> None:
    staff = (person("ann"), person("bob"))
    small = firm(staff, (task("a", due=4, assignee="ann"), task("z", due=11, assignee="bob")))
    large = firm((person("cem"), *staff), (task("m", due=9), *small.tasks))
    odds = chances_of(small).model_copy(update={"absent_week_share": 0.5})
    one, two = (drawn(setting(each, now=NOW), odds, seed=1, first_draw=0, draws=30) for each in (small, large))
    assert np.array_equal(one.left_min, two.left_min[:, 1:])
    assert np.array_equal(one.open_min, two.open_min[:, 1:])


def test_two_processes_and_one_come_to_the_same() -> None:
    one = random_firm(4)
    plan = today(one, now=NOW)
    alone = simulated(one, plan, chances_of(one), now=NOW, draws=120)[2]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        shared = simulated(one, plan, chances_of(one), now=NOW, draws=120, workers=pool.map)[2]
    assert same(alone, shared)


def exactly(one: Firm, odds: Chances = NO_CHANCE, **minutes: float) -> tuple[list[int], Outcomes]:
    """Return the slots in which the tasks of today's plan are finished, each taking what is said here."""
    plan = today(one, now=NOW)
    place = setting(one, now=NOW)
    draw = drawn(place, odds, seed=0, first_draw=0, draws=1)
    left = draw.left_min.copy()
    for name, really in minutes.items():
        left[0, place.tasks.index(name)] = really
    arrays = promised(one, plan, place)
    done = execute(place, arrays, replace(draw, left_min=left))
    return done.finish[0].tolist(), Portion(place, (arrays,), odds, 0, 0, 1)()[0]


def test_work_that_overruns_delays_what_follows_and_time_left_over_begins_it_early() -> None:
    one = firm((person("ann"),), tuple(task(f"t{i}", hours=8, due=i, assignee="ann") for i in range(4)))
    assert exactly(one)[0] == [0, 1, 2, 3]
    assert exactly(one, t0=600)[0] == [1, 2, 3, 4]
    assert exactly(one, t0=60, t1=60)[0] == [0, 0, 1, 2]


def test_a_review_waits_for_its_preparation_and_is_blamed_on_it() -> None:
    tasks = (task("p", hours=8, due=4, assignee="ann"), task("r", hours=2, due=7, assignee="bob", reviews="p"))
    one = firm((person("ann"), person("bob")), tasks)
    assert exactly(one)[0] == [0, 1]
    assert exactly(one, p=3 * 480)[0] == [2, 3]
    slow = NO_CHANCE.model_copy(update={"people": {"ann": Pace(ratio=7.0)}})
    place, plan, found = simulated(one, today(one, now=NOW), slow, now=NOW, draws=10)
    review = next(risk for risk in risks(place, plan, found) if risk.task == "r")
    assert (review.late_share, review.cause) == (1.0, Cause.PREPARATION)
    people, _ = bottlenecks(place, plan, found)
    assert [(one.name, one.mean_late) for one in people] == [("ann", 2.0)]


def test_late_documents_begin_the_work_later_for_all_tasks_of_the_client() -> None:
    tasks = tuple(task(f"t{i}", hours=1, due=10, release=day(2 + i), assignee="ann") for i in range(2))
    one = firm((person("ann"),), tasks)
    odds = NO_CHANCE.model_copy(update={"late_document_share": 1.0})
    place = setting(one, now=NOW)
    draw = drawn(place, odds, seed=0, first_draw=0, draws=500)
    days = place.day[draw.release] - place.release_day
    assert days.min() >= 1
    lag = np.ceil(-5.0 * np.log(uniforms(0, "documents", ["acme"], first_draw=0, draws=500, each=2)[0, :, 1]))
    # A release on a weekend falls to the Monday after it.
    assert ((days[:, 0] - lag >= 0) & (days[:, 0] - lag <= 2)).all()


def test_illness_comes_as_often_and_lasts_as_long_as_said() -> None:
    one = firm(tuple(person(f"p{i}", weekly_min=(480,) * 7) for i in range(20)), (task("t", due=60),))
    odds = NO_CHANCE.model_copy(update={"absent_week_share": 0.1, "absent_mean_days": 3.0})
    place = setting(one, now=NOW)
    off = drawn(place, odds, seed=2, first_draw=0, draws=200).open_min == 0
    begins = off[:, :, 1:] & ~off[:, :, :-1]
    weeks = off.shape[2] / 7
    assert begins.sum() / (200 * 20 * weeks) == pytest.approx(0.1, rel=0.06)  # less the ones that touch another
    assert off.mean() == pytest.approx(0.1 * 3.0 / 7, rel=0.06)


def test_what_is_begun_takes_longer_than_is_logged_and_as_long_as_the_rest_of_its_distribution() -> None:
    one = firm((person("ann"),), (task("t", hours=10, due=20, assignee="ann", logged_min=600 - 60),))
    left = drawn(setting(one, now=NOW), NOISE_ONLY, seed=0, first_draw=0, draws=4_000).left_min[:, 0]
    total, begun = left + 540, math.log(0.9) / 0.3
    assert total.min() > 540
    truth = 600 * math.exp(0.3**2 / 2) * (1 - ndtr(begun - 0.3)) / (1 - ndtr(begun))
    assert total.mean() == pytest.approx(truth, rel=0.01)


def test_arrivals_go_to_who_has_room_and_escalate_where_nobody_has() -> None:
    one = firm((person("ann"), person("bob", skills=())), (task("t", hours=8, due=11, assignee="ann"),))
    odds = NO_CHANCE.model_copy(update={"arrivals_per_week": 3.0, "arrival_lead_days": 3})
    place, _, found = simulated(one, today(one, now=NOW), odds, now=NOW, draws=300)
    assert found.load_min[:, 1].max() == 0
    done = (found.load_min[:, 0] - 480) / 480
    assert (done + found.escalations).mean() == pytest.approx(6.0, rel=0.05)  # two weeks of three
    assert found.escalations.max() > 0
    assert place.skills == ("tax",)


def test_learnt_spreads_take_the_place_of_assumed_ones() -> None:
    sheets = time_sheets(people=6, clients=10, tasks=400, seed=0)
    learned = learn(sheets.firm, sheets.observations, as_of=AS_OF)
    odds = chances_of(sheets.firm, learned)
    known = learned.types[0]
    assert odds.types[known.type].ratio == known.level.ratio
    assert odds.types[known.type].task_sd == known.task_sd
    assert odds.takes(known.type, "somebody new") == odds.types[known.type]
    client = learned.clients[0]
    assert odds.takes(client.type, client.client).ratio == client.level.ratio
    assert set(odds.people) == {one.person for one in learned.people}
    assert chances_of(firm()).types["return"] == Takes(ratio=1.05, task_sd=0.25)


def alone(count: int) -> tuple[Firm, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return people with one task each, whose chance to be late is known: log-normal against the hours before the deadline."""
    rng = np.random.default_rng(8)
    chance = rng.uniform(0.05, 0.95, count)
    hours_min = 5 * 480
    estimate = np.round(hours_min * np.exp(0.3 * ndtri(chance))).astype(int)
    staff = tuple(person(f"p{i:03}") for i in range(count))
    tasks = tuple(
        task(f"t{i:03}", hours=minutes / 60, due=4, assignee=f"p{i:03}") for i, minutes in enumerate(estimate)
    )
    return firm(staff, tasks), 1 - ndtr(np.log(hours_min / estimate) / 0.3)


def test_intervals_of_deadlines_hold_the_true_chance_in_nine_of_ten_cases() -> None:
    one, truth = alone(300)
    place, plan, found = simulated(one, today(one, now=NOW), NOISE_ONLY, now=NOW, draws=200)
    by_task = {risk.task: risk for risk in risks(place, plan, found)}
    held = [by_task[name].low <= p <= by_task[name].high for name, p in zip(place.tasks, truth, strict=True)]
    assert 0.85 <= np.mean(held) <= 0.95


def test_intervals_of_means_and_of_single_outcomes_hold_the_truth_in_nine_of_ten_cases() -> None:
    one, _ = alone(6)
    place = setting(one, now=NOW)
    plan = promised(one, today(one, now=NOW), place)
    truth = 100 * place.estimate_min.sum() * math.exp(0.3**2 / 2) / (6 * 5 * 480)
    mean_held, outcome_held = [], []
    for seed in range(300):
        (found,) = outcomes(place, (plan,), NOISE_ONLY, draws=40, seed=seed)
        said = range_of(found.utilisation_pct[:39])
        mean_held.append(said.mean_low <= truth <= said.mean_high)
        outcome_held.append(said.low <= found.utilisation_pct[39] <= said.high)
    assert 0.85 <= np.mean(mean_held) <= 0.95
    assert 0.85 <= np.mean(outcome_held) <= 0.95


def test_the_same_draws_tell_two_plans_apart_with_a_fourth_of_the_variance_or_less() -> None:
    one = random_firm(7, people=8, tasks=100)
    place = setting(one, now=NOW)
    first = promised(one, today(one, now=NOW), place)
    who = first.who.copy()
    moved = [t for t in range(len(who)) if who[t] >= 0 and place.allowed[t].sum() > 1][:4]
    for t in moved:
        who[t] = next(p for p in np.flatnonzero(place.allowed[t]) if p != first.who[t])
    ours, theirs = outcomes(place, (first, Promised(who, first.due)), chances_of(one), draws=400)
    for name in ("utilisation_pct", "late", "on_time_pct"):
        found = difference(name, ours, theirs)
        assert found.variance_saved is not None
        assert found.variance_saved >= 4, name
    assert [each.name for each in compared(ours, theirs)] == list(METRICS)
    nothing = compared(ours, ours)[0]
    assert (nothing.mean, nothing.variance_saved, nothing.decided) == (0.0, None, False)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_known_of_draws_tells_plans_apart_that_common_draws_alone_tell_less_well(seed: int) -> None:
    made = generate_firm(people=12, tasks=200, seed=seed)
    place = setting(made.firm, now=made.now)
    ours = promised(made.firm, today(made.firm, now=made.now), place)
    who = ours.who.copy()
    lot = np.random.default_rng(seed).permutation(np.flatnonzero(who >= 0))
    for one, other in zip(lot[::2], lot[1::2], strict=False):
        if place.allowed[one, who[other]] and place.allowed[other, who[one]]:
            who[one], who[other] = who[other], who[one]
    theirs = Promised(who, ours.due)
    both = outcomes(place, (theirs, ours), chances_of(made.firm), draws=400)
    for name in ("late", "spread_pct"):
        found = difference(name, *both)
        assert found.variance_saved is not None
        assert found.by_common_draws is not None
        assert found.variance_saved >= 4, name
        assert found.variance_saved > 1.4 * found.by_common_draws, name


def test_intervals_of_differences_hold_the_truth_in_nine_of_ten_cases() -> None:
    """People with one task each, whom another plan gives each other's tasks, which take half of them longer."""
    rng = np.random.default_rng(5)
    estimates = np.round(5 * 480 * np.exp(0.3 * ndtri(rng.uniform(0.2, 0.8, 6)))).astype(int)
    one = firm(
        tuple(
            person(f"p{i}").model_copy(update={"skills": (Skill(skill="tax", efficiency_pct=100 + 30 * (i % 2)),)})
            for i in range(6)
        ),
        tuple(task(f"t{i}", hours=minutes / 60, due=4, assignee=f"p{i}") for i, minutes in enumerate(estimates)),
    )
    place = setting(one, now=NOW)
    first = promised(one, today(one, now=NOW), place)
    second = Promised(np.roll(first.who, 1), first.due)
    late = [
        sum(
            float(ndtr(np.log(place.remaining_min[t] * place.efficiency_pct[t, p] / 100 / 2400) / 0.3))
            for t, p in enumerate(plan.who)
        )
        for plan in (first, second)
    ]
    held: list[bool] = []
    wide: list[float] = []
    narrow: list[float] = []
    for seed in range(300):
        ours, theirs = outcomes(place, (first, second), NOISE_ONLY, draws=60, seed=seed)
        found = difference("late", ours, theirs)
        held.append(found.low <= late[1] - late[0] <= found.high)
        wide.append(found.by_common_draws or 0.0)
        narrow.append(found.variance_saved or 0.0)
    assert 0.85 <= np.mean(held) <= 0.95
    assert np.mean(narrow) > np.mean(wide)


def test_intervals_of_the_difference_in_spread_hold_the_truth_in_nine_of_ten_cases() -> None:
    """Two hundred cases of sixty draws, beside three times as many draws as all of them have together."""
    one = random_firm(2, people=5, tasks=30)
    odds = chances_of(one).model_copy(update={"absent_week_share": 0.1, "people": {"p01": Pace(ratio_sd=0.1)}})
    place = setting(one, now=NOW)
    first = promised(one, today(one, now=NOW), place)
    second = Promised(np.where(first.who >= 0, (first.who + 1) % 5, -1), first.due)
    truth = difference("spread_pct", *outcomes(place, (first, second), odds, draws=36_000, seed=1_000))
    assert truth.variance_saved is not None
    found = [difference("spread_pct", *outcomes(place, (first, second), odds, draws=60, seed=n)) for n in range(200)]
    assert 0.85 <= np.mean([each.low <= truth.mean <= each.high for each in found]) <= 0.95
    assert np.mean([each.variance_saved or 0.0 for each in found]) > 1.4 * np.mean(
        [each.by_common_draws or 0.0 for each in found]
    )


@pytest.mark.parametrize("mean_days", [1.0, 2.5, 6.0])
def test_chances_of_hours_are_those_of_the_draws(mean_days: float) -> None:
    one = firm(
        (person("ann"), person("bob", weekly_min=(480, 480, 240, 0, 0, 0, 0))), (task("t", due=16, assignee="ann"),)
    )
    odds = NO_CHANCE.model_copy(update={"absent_week_share": 0.4, "absent_mean_days": mean_days})
    place = setting(one, now=NOW)
    made = drawn(place, odds, seed=3, first_draw=0, draws=6_000)
    drawn_min = made.open_min[:, :, : place.last_slot + 1].sum(axis=2)
    for p, days in enumerate(day_min_of(place)):
        minutes, chance = hours_of(days, place.first_day, 0.4, mean_days)
        assert chance.sum() == pytest.approx(1.0)
        found = np.array([(drawn_min[:, p] == each).mean() for each in minutes])
        assert found.sum() == pytest.approx(1.0, abs=1e-3)
        assert np.abs(found - chance).max() < 4 * np.sqrt(0.25 / 6_000)
        assert minutes @ chance == pytest.approx(
            float((place.open_min[p] * well_share(place, odds))[: place.last_slot + 1].sum())
        )


def test_the_mean_spread_of_stand_ins_is_that_of_many_of_them() -> None:
    these = StandIns((900.0, 1500.0, 0.0, 700.0), (0.3, 0.1, 0.0, 0.5), ((480, 480, 480, 0),) * 4, day(0), 0.3, 2.0)
    chance = np.random.default_rng(0)
    loads = these.load_min(chance.normal(size=(200_000, 4)) * np.array(these.sd))
    minutes, share = hours_of(these.day_min[0], these.first, these.week_share, these.mean_days)
    hours = chance.choice(minutes, size=loads.shape, p=share)
    part = np.divide(loads, hours, out=np.zeros_like(loads), where=hours > 0)
    spread = np.minimum(part.max(axis=1), MOST) - np.minimum(np.where(hours > 0, part, MOST).min(axis=1), MOST)
    assert mean_spread(these) == pytest.approx(spread.mean(), abs=4 * spread.std() / np.sqrt(len(spread)))


def test_what_is_known_of_draws_beforehand_is_zero_on_average() -> None:
    one = random_firm(3, people=6, tasks=40)
    paces = {"p00": Pace(ratio=1.2, ratio_sd=0.2)}
    odds = chances_of(one).model_copy(update={"people": paces, "absent_week_share": 0.2})
    place = setting(one, now=NOW)
    plan = promised(one, today(one, now=NOW), place)
    made = drawn(place, odds, seed=1, first_draw=0, draws=4000)
    known = surprises(place, plan, odds, made)
    assert (np.abs(known.mean(axis=0)) < 3.5 * known.std(axis=0) / np.sqrt(len(known))).all()
    (found,) = outcomes(place, (plan,), odds, draws=400)
    assert np.corrcoef(found.surprises.sum(axis=1), found.late)[0, 1] > 0.3
    days = np.where(place.open_min > 0, made.open_min.mean(axis=0) / np.maximum(place.open_min, 1), np.nan)
    assert np.nanmean(np.abs(days - well_share(place, odds))) < 0.01


def test_a_mean_is_taken_where_its_controls_are_zero() -> None:
    controls = np.random.default_rng(2).normal(size=(50, 2))
    mean, varies, freedom = adjusted(3.0 + controls @ np.array([2.0, -1.0]), controls)
    assert mean == pytest.approx(3.0)
    assert varies == pytest.approx(0.0, abs=1e-20)
    assert freedom == 47
    twice = np.hstack([controls, controls])
    assert adjusted(controls[:, 0] ** 2, twice) == pytest.approx(adjusted(controls[:, 0] ** 2, controls))
    few = controls[:20, 0] ** 2
    assert adjusted(few, controls[:20])[:2] == pytest.approx((few.mean(), few.var(ddof=1) / 20))


def test_a_portion_is_made_by_name() -> None:
    one = random_firm(1, people=3, tasks=6)
    place = setting(one, now=NOW)
    plan = promised(one, today(one, now=NOW), place)
    portion = Portion(place, (plan,), chances_of(one), 1, 0, 5)
    assert same(make(portion)[0], portion()[0])


def test_a_firm_without_work_or_people_has_nothing_at_risk() -> None:
    for empty in (firm((person("ann"),)), firm()):
        place, plan, found = simulated(empty, today(empty, now=NOW), chances_of(empty), now=NOW, draws=10)
        assert risks(place, plan, found) == ()
        assert found.late.sum() == 0
        assert bottlenecks(place, plan, found) == ((), ())
