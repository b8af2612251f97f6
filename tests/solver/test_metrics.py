"""The four metrics, in numbers worked out by hand."""

from __future__ import annotations

from datetime import time

import pytest

from solver.batch import solve, today
from solver.firm import Booking, Firm, Status, TaskType, TimeOff
from solver.metrics import measure
from solver.plan import Metrics, MetricsReport
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import Facts


def office() -> Firm:
    """Ada has 36 of her 40 hours promised, Bob 12 of his 32, Cyd nothing of none; one task is late, one has nobody."""
    return firm(
        people=(
            person("ada", team="tax", level="senior"),
            person("bob", team="tax"),
            person("cyd", team="audit", weekly_min=(0,) * 7),
            person("dee", skills=("books",)),
        ),
        tasks=(
            task("a", hours=30, assignee="ada"),
            task("late", hours=6, due=-1, assignee="ada"),
            task("b", hours=12, assignee="bob"),
            task("lost", hours=50, type="closing"),
            task("done", status=Status.DONE, assignee="ada", due=-3, completed_on=day(-3)),
            task("slow", status=Status.DONE, assignee="bob", due=-3, completed_on=day(-2)),
            task("old", status=Status.DONE, assignee="bob", due=-9, completed_on=day(-9)),
            task("undated", status=Status.DONE, assignee="bob"),
            task("dropped", status=Status.CANCELLED, assignee="bob"),
        ),
        task_types=(TaskType(id="return", skill="tax"), TaskType(id="closing", skill="law")),
        time_off=(TimeOff(person="bob", first_day=day(2), last_day=day(2)),),
        bookings=(Booking(person="dee", first_day=day(0), last_day=day(4), minutes_per_day=240),),
    )


@pytest.fixture(scope="module")
def report() -> MetricsReport:
    return measure(office(), today(office(), now=NOW))


def by_name(found: tuple[Metrics, ...]) -> dict[str, Metrics]:
    return {one.subject: one for one in found}


def test_figures_of_the_firm(report: MetricsReport) -> None:
    shares = (2_160 / 2_400, 720 / 1_920, 0 / 1_200)
    mean = sum(shares) / 3
    assert report.firm == Metrics(
        subject="firm",
        capacity_min=5_520,
        load_min=2_880,
        utilisation_pct=round(100 * 2_880 / 5_520, 2),
        spread_pct=90.0,
        variance=round(sum((share - mean) ** 2 for share in shares) / 3, 6),
        on_time_done_pct=round(100 * 2 / 3, 2),
        on_time_forecast_pct=50.0,
        late_open=1,
        escalations=1,
    )


def test_figures_of_a_person(report: MetricsReport) -> None:
    assert by_name(report.people)["ada"] == Metrics(
        subject="ada",
        capacity_min=2_400,
        load_min=2_160,
        utilisation_pct=90.0,
        spread_pct=None,
        variance=None,
        on_time_done_pct=100.0,
        on_time_forecast_pct=50.0,
        late_open=1,
        escalations=0,
    )
    bob = by_name(report.people)["bob"]
    assert (bob.utilisation_pct, bob.on_time_done_pct, bob.on_time_forecast_pct) == (37.5, 50.0, 100.0)


def test_nothing_to_measure_is_none_and_not_zero(report: MetricsReport) -> None:
    cyd = by_name(report.people)["cyd"]
    assert (cyd.capacity_min, cyd.load_min) == (0, 0)
    assert cyd.utilisation_pct is None
    assert cyd.on_time_done_pct is None
    assert cyd.on_time_forecast_pct is None
    assert by_name(report.people)["dee"].utilisation_pct == 0.0


def test_teams_are_those_people_name(report: MetricsReport) -> None:
    assert [one.subject for one in report.teams] == ["audit", "tax"]
    tax = by_name(report.teams)["tax"]
    assert (tax.capacity_min, tax.load_min, tax.spread_pct, tax.late_open) == (4_320, 2_880, 52.5, 1)
    assert tax.variance == round((0.525 / 2) ** 2, 6)
    assert tax.on_time_done_pct == round(100 * 2 / 3, 2)
    assert tax.on_time_forecast_pct == round(100 * 2 / 3, 2)


def test_escalations_count_for_the_firm_only(report: MetricsReport) -> None:
    assert {one.escalations for one in (*report.teams, *report.levels, *report.people)} == {0}


def test_levels_are_those_of_the_firm_in_its_order(report: MetricsReport) -> None:
    assert [one.subject for one in report.levels] == ["associate", "senior", "manager", "partner"]
    associates = by_name(report.levels)["associate"]
    assert (associates.capacity_min, associates.load_min, associates.spread_pct) == (3_120, 720, 37.5)
    assert by_name(report.levels)["partner"].capacity_min == 0
    assert by_name(report.levels)["partner"].spread_pct is None


def test_period_ends_with_the_last_deadline_of_the_plan() -> None:
    two = firm(
        people=(person("ada"),),
        tasks=(
            task("a", hours=8, due=1, assignee="ada"),
            task("held", hours=None, due=60),
            task("done", status=Status.DONE, due=90, assignee="ada"),
        ),
    )
    assert measure(two, today(two, now=NOW)).firm.capacity_min == 2 * 480
    longer = two.model_copy(update={"tasks": (*two.tasks, task("b", due=8, assignee="ada"))})
    assert measure(longer, today(longer, now=NOW)).firm.capacity_min == 7 * 480


def test_minutes_of_today_that_have_passed_do_not_count() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", due=1, assignee="ada"),))
    noon = NOW.replace(hour=12)
    assert measure(one, today(one, now=noon)).firm.capacity_min == 300 + 480


def test_afternoon_of_a_day_with_a_timed_deadline_counts() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", hours=1, due=1, deadline_time=time(12, 0), assignee="ada"),))
    assert measure(one, today(one, now=NOW)).firm.capacity_min == 2 * 480


def test_without_deadlines_ahead_the_period_is_the_horizon() -> None:
    idle = firm(people=(person("ada"),))
    assert measure(idle, today(idle, now=NOW)).firm.capacity_min == 21 * 480
    behind = firm(people=(person("ada"),), tasks=(task("a", due=-2, assignee="ada"),))
    assert measure(behind, today(behind, now=NOW)).firm.capacity_min == 21 * 480


def test_firm_without_people_has_no_figures() -> None:
    done = firm(tasks=(task("done", status=Status.DONE, completed_on=day(0)),))
    idle = firm(people=(person("ada"),))
    report = measure(done, today(idle, now=NOW))
    assert (report.firm.capacity_min, report.firm.utilisation_pct, report.firm.spread_pct) == (0, None, None)
    assert report.firm.on_time_done_pct == 100.0
    assert (report.people, report.teams, report.weeks) == ((), (), ())


def test_weeks_hold_timetable_minutes_and_open_minutes(report: MetricsReport) -> None:
    assert [(week.person, week.week_start, week.load_min, week.capacity_min) for week in report.weeks] == [
        ("ada", day(0), 2_160, 2_400),
        ("bob", day(0), 720, 1_920),
        ("cyd", day(0), 0, 0),
        ("dee", day(0), 0, 1_200),
    ]


def test_weeks_go_on_while_there_is_work() -> None:
    behind = firm(people=(person("ada"),), tasks=(task("a", hours=50, due=-1, assignee="ada"),))
    weeks = measure(behind, today(behind, now=NOW)).weeks
    assert [(week.week_start, week.load_min) for week in weeks] == [
        (day(0), 2_400),
        (day(7), 600),
        (day(14), 0),
        (day(21), 0),
        (day(28), 0),
    ]
    beyond = firm(
        people=(person("ada"),), tasks=(task("a", hours=50, due=1, assignee="ada"), task("b", due=1, assignee="ada"))
    )
    weeks = measure(beyond, today(beyond, now=NOW)).weeks
    assert [(week.week_start, week.load_min, week.capacity_min) for week in weeks] == [
        (day(0), 2_400, 2_400),
        (day(7), 840, 960),
    ]


@pytest.mark.parametrize("seed", range(10))
def test_figures_add_up(seed: int) -> None:
    one = random_firm(seed)
    plan = solve(one, now=NOW, stop=WorkBudget(0.0), seed=seed)
    report, facts = measure(one, plan), Facts(one, plan, NOW)
    assert report.firm.load_min == sum(item.work_min for item in plan.tasks)
    assert report.firm.load_min == sum(each.load_min for each in report.people)
    assert report.firm.capacity_min == sum(each.capacity_min for each in report.people)
    assert report.firm.load_min == sum(each.load_min for each in report.levels)
    last = max(task.deadline for task in facts.to_plan)
    for each in report.people:
        assert each.capacity_min == facts.room(each.subject, NOW.date(), last)
    assert report.firm.escalations == len(plan.escalations)
    assert report.firm.late_open == sum(item.late for item in plan.tasks)
    assert sum(week.load_min for week in report.weeks) == sum(cell.minutes for cell in plan.timetable)
    for week in report.weeks:
        assert week.load_min <= week.capacity_min


def test_period_may_be_given_and_reach_beyond_the_plan() -> None:
    one = firm((person("ada"),), (task("a", hours=8, due=1, assignee="ada"),))
    plan = today(one, now=NOW)
    assert measure(one, plan).firm.capacity_min == 2 * 480
    assert measure(one, plan, until=day(11)).firm.capacity_min == 10 * 480
    assert measure(one, plan, until=day(139)).firm.capacity_min == 100 * 480
    assert measure(one, plan, until=day(139)).firm.load_min == 480
