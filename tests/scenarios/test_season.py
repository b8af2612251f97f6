from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from scenarios import season_model, season_program
from scenarios.demand import PEOPLE_ONE_BY_ONE, demand
from scenarios.firms import generate_firm
from scenarios.recurring import Rhythm, extended_deadline, recurring_work, year_ahead
from scenarios.season import Costs, ranges_by_skill, season, short_by_skill, shortage_only, told_by_skill
from scenarios.season_figures import Season
from scenarios.season_program import closed
from solver.board import compile_board
from solver.firm import Client, Firm, Overtime, Priority, Skill, Status, Task, TaskType
from solver.policy import Weights
from solver.problem import compile_problem
from tests.firms_for_tests import NOW, day, firm, person, task

WEEK_H = 40


def short_min(one: Firm, *, whole: bool = True) -> dict[str, int]:
    year = demand(one, now=NOW)
    found = closed(year, shortage_only(year, whole=whole))
    return {skill: round(minutes) for skill, minutes in short_by_skill(year, found).items()}


def test_what_is_short_is_what_exceeds_the_hours_before_the_deadline() -> None:
    tasks = tuple(task(f"t{i}", hours=10, due=4) for i in range(6))
    assert short_min(firm((person("ann"),), tasks)) == {"tax": (60 - WEEK_H) * 60}
    assert short_min(firm((person("ann"), person("bob")), tasks)) == {"tax": 0}
    assert short_min(firm((person("ann"), person("bob", skills=("books",))), tasks)) == {"tax": 1_200}


def test_a_deadline_within_the_week_counts_to_the_day_and_so_does_a_release() -> None:
    early = tuple(task(f"t{i}", hours=6, due=1) for i in range(4))
    assert short_min(firm((person("ann"),), early), whole=False) == {"tax": 480}
    late = tuple(task(f"t{i}", hours=6, due=4, release=day(3)) for i in range(4))
    assert short_min(firm((person("ann"),), late), whole=False) == {"tax": 480}


def test_slow_people_and_levels_count() -> None:
    slow = person("ann").model_copy(update={"skills": (Skill(skill="tax", efficiency_pct=200),)})
    one = firm((slow,), tuple(task(f"t{i}", hours=5, due=4) for i in range(8)))
    assert short_min(one) == {"tax": 20 * 60}
    hard = (TaskType(id="return", skill="tax", min_level="senior"),)
    staff = (person("ann"), person("sam", level="senior"))
    assert short_min(firm(staff, tuple(task(f"t{i}", hours=10, due=4) for i in range(6)), task_types=hard)) == {
        "tax": 1_200
    }


def test_a_review_and_its_work_are_two_peoples() -> None:
    pair = (task("a", hours=8, due=4), task("b", hours=4, due=11, reviews="a"))
    assert short_min(firm((person("ann"),), pair)) == {"tax": 4 * 60}, "the shorter one is left"
    assert short_min(firm((person("ann"), person("bob")), pair)) == {"tax": 0}
    other = person("bob", weekly_min=(0, 0, 0, 0, 480, 0, 0))
    busy = [
        task(f"of bob {due}", hours=6, due=due, release=day(due), requested_person="bob", priority=Priority.HIGH)
        for due in (4, 11)
    ]
    both = firm((person("ann"), other), (*pair, *busy))
    # Bob has two hours for the work, a quarter of it, and two for the review, half of it, so ann may do a quarter of that.
    assert short_min(both, whole=False) == {"tax": 60}
    assert short_min(both) == {"tax": 2 * 60}, "the work is one person's"
    assert short_min(firm((person("ann"),), (pair[0], task("c", hours=4, due=11)))) == {"tax": 0}


def test_a_task_that_is_long_for_its_days_is_one_persons_or_nobodys() -> None:
    two = (person("ann"), person("bob"))
    long = firm(two, tuple(task(f"t{i}", hours=24, due=4) for i in range(3)))
    assert short_min(long, whole=False) == {"tax": 0}
    assert short_min(long) == {"tax": 24 * 60}
    year = demand(long, now=NOW)
    least, shown, most = told_by_skill(year, closed(year, shortage_only(year)))["tax"]
    assert (least, shown, most) == pytest.approx((0, 24 * 60, 24 * 60), abs=1), "the answer shown is in the range told"
    fifth, less = (firm(two, tuple(task(f"t{i}", hours=hours, due=4) for i in range(9))) for hours in (8.25, 7.75))
    assert short_min(fifth) == {"tax": 8.25 * 60}, "each has time for four"
    short = firm(two, (*less.tasks, task("t9", hours=7.75, due=4)))
    assert short_min(short) == {"tax": 0}, "under a fifth of a week they may be split"


def test_only_the_longest_tasks_are_kept_in_one_hand_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    held = (
        task(f"of {name}", hours=12, due=4, requested_person=name, priority=Priority.HIGH) for name in ("ann", "bob")
    )
    one = firm((person("ann"), person("bob")), (*held, task("longest", hours=30, due=4), task("long", hours=26, due=4)))
    assert short_min(one) == {"tax": 12 * 60}, "bob's own is left"
    monkeypatch.setattr(season_program, "WHOLE_MOST", 1)
    assert short_min(one) == {"tax": 2 * 60}, "what bob has no time for of it"
    monkeypatch.setattr(season_program, "WHOLE_MOST", 0)
    assert short_min(one) == {"tax": 0}


def test_where_long_tasks_are_not_settled_they_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    one = firm((person("ann"), person("bob")), tuple(task(f"t{i}", hours=24, due=4) for i in range(3)))
    assert short_min(one) == {"tax": 24 * 60}
    monkeypatch.setattr(season_model, "ROUGH_WORST", -1.0)
    assert short_min(one) == {"tax": 0}


def test_people_who_are_planned_as_one_share_long_tasks() -> None:
    many = tuple(person(f"p{i:02d}") for i in range(PEOPLE_ONE_BY_ONE + 1))
    tasks = tuple(task(f"t{i:02d}", hours=24, due=4) for i in range(60))
    assert short_min(firm(many, tasks)) == {"tax": 0}


def test_nobody_does_a_part_of_what_they_have_no_time_for_as_a_whole() -> None:
    two = (person("ann"), person("bob", weekly_min=(120,) * 5 + (0, 0)))
    work = (task("a", hours=20, due=4), task("b", hours=30, due=4))
    assert short_min(firm(two, work), whole=False) == {"tax": 10 * 60}
    assert short_min(firm(two, (task("a", hours=10, due=4), work[1])), whole=False) == {"tax": 0}
    assert short_min(firm(two, work)) == {"tax": 20 * 60}


def test_late_work_is_as_late_as_its_end_all_of_it() -> None:
    def cost(short_h: float) -> float:
        one = firm((person("ann"),), (task("long", hours=46, due=4), task("short", hours=short_h, due=8)))
        year = demand(one, now=NOW)
        assert year.slow == ("long",)
        return closed(year, shortage_only(year)).cost

    weights = Weights()
    week_late = 46 * 60 * Priority.NORMAL.factor * weights.late_day * 7
    assert cost(10) == pytest.approx(0, abs=1), "by Monday the long one, by Tuesday both"
    assert cost(12) == pytest.approx(week_late, abs=1)
    assert cost(1) == pytest.approx(0, abs=1)
    assert week_late < 12 * 60 * Priority.NORMAL.factor * weights.escalation


def test_late_work_with_an_extension_is_in_time() -> None:
    one = firm((person("ann"),), (task("long", hours=46, due=4), task("short", hours=12, due=8)))
    year = demand(one, now=NOW)
    until = np.array([40 if each.tasks == ("long",) else -1 for each in year.classes], dtype=np.int64)
    options = replace(shortage_only(year, whole=False), extended=until, extension=np.full(len(until), 0.01))
    assert closed(year, options).extended.sum() == pytest.approx(2 * 60, abs=1), "what is beyond 56 hours by Tuesday"
    assert closed(year, options).cost == pytest.approx(0, abs=3)


def test_refusing_costs_what_an_escalation_costs_more_than_the_least_lateness_in_the_detailed_plan() -> None:
    one = firm((person("ann"),), (task("long", hours=46, due=4), task("short", hours=4, due=4)))
    year, problem = demand(one, now=NOW), compile_problem(compile_board(one, now=NOW))
    assert year.slow == ("long",)
    refusal = shortage_only(year).refusal
    for k, each in enumerate(year.classes):
        t = problem.board.task_index[each.tasks[0]]
        least = int(problem.least_price_min[t])
        assert refusal[k] * each.minutes == problem.escalation_min[t] - least
        assert (least > 0) == (each.tasks == ("long",))


def test_which_skill_of_the_same_person_is_short_is_told_as_a_range() -> None:
    work = (
        *(task(f"t{i}", hours=10, due=4) for i in range(3)),
        *(task(f"b{i}", hours=10, due=4, type="books") for i in range(3)),
    )
    types = (TaskType(id="return", skill="tax"), TaskType(id="books", skill="books"))
    year = demand(firm((person("ann", skills=("tax", "books")),), work, task_types=types), now=NOW)
    both = ranges_by_skill(year, slack=0.0)
    for least, most in both.values():
        assert least == pytest.approx(0, abs=1)
        assert most == pytest.approx(20 * 60, abs=1)
    first = work[0].model_copy(update={"priority": Priority.HIGH})
    year = demand(firm((person("ann", skills=("tax", "books")),), (first, *work[1:]), task_types=types), now=NOW)
    assert ranges_by_skill(year, slack=0.0)["tax"][1] == pytest.approx(20 * 60, abs=1)
    two = (person("ann"), person("bob", skills=("books",), weekly_min=(240, 240, 240, 240, 240, 0, 0)))
    apart = ranges_by_skill(demand(firm(two, work, task_types=types), now=NOW), slack=0.0)
    assert apart["tax"] == pytest.approx((0, 0), abs=1)
    assert apart["books"] == pytest.approx((10 * 60, 10 * 60), abs=1)
    found = short_by_skill(year, closed(year, shortage_only(year)))
    for skill, (least, most) in ranges_by_skill(year).items():
        assert least - 1 <= found[skill] <= most + 1
    assert ranges_by_skill(demand(firm((person("ann"),)), now=NOW)) == {}


def test_least_important_work_is_short_first_and_named() -> None:
    tasks = tuple(task(f"t{i}", hours=10, due=4, priority=Priority.LOW if i == 2 else Priority.HIGH) for i in range(5))
    found = season(firm((person("ann"),), tasks), now=NOW)
    (short,) = found.shortages
    assert (short.minutes, short.tasks, short.level) == (600, ("t2",), "associate")
    assert short.first_week == NOW.date()
    assert found.short_min == 600


def test_overtime_is_cheaper_than_refusing_until_it_is_used_up() -> None:
    tasks = tuple(task(f"t{i}", hours=10, due=4) for i in range(6))
    found = season(firm((person("ann"),), tasks), now=NOW)
    assert {one.kind: one.minutes for one in found.measures} == {"overtime": 900, "refusal": 300}
    assert {one.kind: one.cost_min for one in found.measures} == {"overtime": 1_350, "refusal": 1_200}
    assert found.cost_min == 2_550
    little = season(firm((person("ann"),), tasks), now=NOW, costs=Costs(most_overtime_min=1_500))
    assert [(one.kind, one.minutes) for one in little.measures] == [("overtime", 1_200)]


def test_overtime_that_is_worked_already_is_not_there_to_be_added() -> None:
    busy = Overtime(first_day=day(0), last_day=day(4), extra_min=(120,) * 5 + (0, 0))
    tasks = tuple(task(f"t{i}", hours=10, due=4) for i in range(7))
    found = season(firm((person("ann"),), tasks, overtime=(busy,)), now=NOW)
    assert found.short_min == 70 * 60 - 3_000
    assert next(one.minutes for one in found.measures if one.kind == "overtime") == 600  # up to 60 hours


def weekly_work(weeks: int, hours: float) -> tuple[Task, ...]:
    """Return work due each Friday, from the Monday before on."""
    return tuple(
        task(f"w{w:02d}{half}", hours=hours / 2, due=7 * w + 4, release=day(7 * w))
        for w in range(weeks)
        for half in "ab"
    )


def test_somebody_is_hired_where_that_is_cheaper_than_a_year_of_overtime_and_refusals() -> None:
    one = firm((person("ann", team="tax"),), weekly_work(40, 75))
    found = season(one, now=NOW)
    hires = [measure for measure in found.measures if measure.kind == "hire"]
    assert [(hire.count, hire.subject) for hire in hires] == [(1, "associate tax")]
    assert hires[0].week_start == day(56)
    assert season(one, now=NOW, costs=Costs(hire_lead_weeks=104)).cost_min > found.cost_min
    few = season(firm((person("ann", team="tax"),), weekly_work(40, 45)), now=NOW)
    assert {measure.kind for measure in few.measures} == {"overtime"}


def test_an_extension_is_filed_where_the_law_has_one() -> None:
    kinds = (TaskType(id="1120-S", skill="tax"),)
    tasks = tuple(task(f"t{i}", hours=10, due=14, type="1120-S", release=day(9)) for i in range(5))
    one = firm((person("ann"),), tasks, task_types=kinds)
    assert NOW.date() + timedelta(days=14) == date(2027, 3, 15)
    reach = (*tasks, task("far", hours=1, due=230, type="1120-S"))
    without, found = season(one, now=NOW), season(one.model_copy(update={"tasks": reach}), now=NOW)
    assert "extension" not in {measure.kind for measure in without.measures}  # 15 September is beyond its days
    assert {measure.kind for measure in found.measures} == {"extension"}
    business = [date(2027, 9, 13), date(2027, 9, 15)]
    assert extended_deadline(tasks[0], business) == date(2027, 9, 15)
    assert extended_deadline(task("x", type="1120-S", due=20), business) is None
    assert extended_deadline(task("x", due=14), business) is None


def done(id: str, due: date, **more: object) -> Task:
    base: dict[str, object] = {"status": Status.DONE, "completed_on": due, "deadline": due}
    return task(id).model_copy(update=base | more)


def test_rhythms_are_told_from_deadlines() -> None:
    months = tuple(done(f"m{i}", date(2026, 7 + i, 28)) for i in range(5))
    once = done("once", date(2026, 4, 15), client="bea")
    two = (done("q1", date(2026, 4, 30), client="cem"), done("q2", date(2026, 7, 31), client="cem"))
    odd = (done("o1", date(2026, 4, 15), client="dan"), done("o2", date(2026, 4, 18), client="dan"))
    clients = tuple(Client(id=name) for name in ("acme", "bea", "cem", "dan"))
    found = recurring_work(firm((person("ann"),), (*months, once, *two, *odd), clients=clients))
    assert [(one.last.id, one.rhythm) for one in found] == [
        ("m4", Rhythm.MONTH),
        ("once", Rhythm.YEAR),
        ("q2", Rhythm.QUARTER),
        ("o1", Rhythm.YEAR),
        ("o2", Rhythm.YEAR),
    ]
    assert Rhythm.MONTH.after(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert Rhythm.QUARTER.after(date(2026, 11, 30), 1) == date(2027, 2, 28)
    assert Rhythm.TWO_WEEKS.after(date(2027, 3, 1), 2) == date(2027, 3, 29)


def test_the_year_ahead_has_every_turn_on_a_business_day_and_keeps_reviews_with_their_work() -> None:
    last = tuple(done(f"m{i}", date(2026, 9 + i, 28)) for i in range(4))
    check = done("r3", date(2026, 12, 30), type="check", reviews="m3", estimate_min=30)
    before = tuple(done(f"r{i}", date(2026, 9 + i, 30), type="check", reviews=f"m{i}") for i in range(3))
    kinds = (TaskType(id="return", skill="tax"), TaskType(id="check", skill="tax"))
    year = year_ahead(firm((person("ann"),), (*last, *before, check), task_types=kinds), now=NOW)
    coming = [one for one in year.tasks if one.open]
    returns = [one for one in coming if one.type == "return"]
    assert len(returns) == 12
    assert [one.deadline for one in returns[:3]] == [date(2027, 3, 29), date(2027, 4, 28), date(2027, 5, 28)]
    assert all(one.deadline.weekday() < 5 for one in coming)
    checks = [one for one in coming if one.type == "check"]
    assert [one.reviews for one in checks[:2]] == ["m3 +3", "m3 +4"]
    assert {one.estimate_min for one in checks} == {30}


def test_a_generated_firm_is_planned_for_a_year_and_everything_adds_up() -> None:
    made = generate_firm(people=12, tasks=150, seed=3, load=1.2)
    year = year_ahead(made.firm, now=made.now)
    found = season(year, now=made.now)
    assert found.tasks > 150
    assert sum(week.due_min for week in found.skills) == found.demand_min
    assert abs(sum(week.done_min + week.short_min for week in found.skills) - found.demand_min) < len(found.skills)
    assert abs(sum(one.minutes for one in found.shortages) - found.short_min) < 300
    assert all(week.used_min <= week.open_min + 1 for week in found.levels)
    assert Season.model_validate_json(found.model_dump_json()) == found
    named = {name for one in found.shortages for name in one.tasks}
    assert named <= {one.id for one in year.tasks}


def test_more_people_never_make_a_season_shorter_of_hours() -> None:
    made = generate_firm(people=10, tasks=120, seed=5, load=1.3)
    twin = made.firm.people[0].model_copy(update={"id": "twin"})
    more = made.firm.model_copy(update={"people": (*made.firm.people, twin)})
    fewer = [
        closed(year, shortage_only(year, whole=False)).cost
        for year in (demand(each, now=made.now) for each in (made.firm, more))
    ]
    assert fewer[1] <= fewer[0] + 1e-6


@pytest.mark.parametrize("people", [39, 45])
def test_a_large_firm_is_planned_by_groups_that_have_the_same_hours(people: int) -> None:
    made = generate_firm(people=people, tasks=60, seed=1)
    year = demand(made.firm, now=made.now)
    assert (len(year.groups) == people) == (people <= 40)
    assert sum(len(group.people) for group in year.groups) == people
    shares = np.array([group.open_min.sum() for group in year.groups])
    assert shares.sum() == year.board.open_min.sum()


def test_a_firm_without_work_is_short_of_nothing() -> None:
    found = season(firm((person("ann"),)), now=NOW)
    assert (found.short_min, found.shortages, found.measures, found.cost_min) == (0, (), (), 0)
    nobody = season(firm((person("ann", skills=()),), (task("t"),)), now=NOW)
    assert nobody.nobody == ("t",)
