from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from solver.board import compile_board
from solver.firm import (
    DEFAULT_LEVELS,
    Booking,
    Client,
    DayRange,
    Firm,
    HolidayCalendar,
    Level,
    Overtime,
    Person,
    Priority,
    Procedure,
    ReviewRule,
    Skill,
    Status,
    Task,
    TaskType,
    TimeOff,
)
from solver.policy import Frozen, Guardrail, Policy, ValueTier
from solver.refusal import Refusal, refusals
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task

WEEK = (480, 480, 480, 480, 480, 0, 0)


def refused(model: type[BaseModel], data: dict[str, Any]) -> Refusal:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    found = refusals(caught.value)
    assert len(found) == 1
    return found[0]


def parts(refusal: Refusal) -> tuple[str, str, str, str | None]:
    return refusal.code, refusal.field, refusal.value, refusal.nearest


BASE: dict[type[BaseModel], dict[str, Any]] = {
    Level: {"name": "senior"},
    Skill: {"skill": "tax"},
    Person: {"id": "ann", "level": "senior"},
    TimeOff: {"person": "ann", "first_day": "2027-03-01", "last_day": "2027-03-02"},
    Booking: {"person": "ann", "first_day": "2027-03-01", "last_day": "2027-03-02", "minutes_per_day": 60},
    Overtime: {"first_day": "2027-03-01", "last_day": "2027-03-02", "extra_min": WEEK},
    HolidayCalendar: {},
    Client: {"id": "acme"},
    ReviewRule: {},
    Procedure: {},
    TaskType: {"id": "return", "skill": "tax"},
    Task: {"id": "t", "type": "return", "client": "acme", "deadline": "2027-03-05"},
    Firm: {},
}


@pytest.mark.parametrize(
    "model, field, least, most",
    [
        (Level, "target_utilisation_pct", 0, 1_000),
        (Skill, "efficiency_pct", 10, 1_000),
        (Skill, "mismatch_min", 0, 10_000_000),
        (Person, "target_utilisation_pct", 0, 1_000),
        (TimeOff, "minutes_per_day", 0, 1_440),
        (Booking, "minutes_per_day", 0, 1_440),
        (ReviewRule, "share_pct", 0, 1_000),
        (TaskType, "default_estimate_min", 1, 1_000_000),
        (TaskType, "complexity", 1, 5),
        (Task, "estimate_min", 1, 1_000_000),
        (Task, "logged_min", 0, 10_000_000),
    ],
)
def test_number_at_the_edge_is_accepted_and_beyond_it_refused(
    model: type[BaseModel], field: str, least: int, most: int
) -> None:
    for edge in (least, most):
        assert getattr(model.model_validate(BASE[model] | {field: edge}), field) == edge
    low, high = least - 1, most + 1
    assert parts(refused(model, BASE[model] | {field: low})) == ("greater_than_equal", field, str(low), str(least))
    assert parts(refused(model, BASE[model] | {field: high})) == ("less_than_equal", field, str(high), str(most))


@pytest.mark.parametrize("model, field", [(Person, "weekly_min"), (Overtime, "extra_min")])
def test_week_has_seven_days_of_at_most_a_day_each(model: type[BaseModel], field: str) -> None:
    longest = (1_440,) * 7
    assert getattr(model.model_validate(BASE[model] | {field: longest}), field) == longest
    over = refused(model, BASE[model] | {field: (480, 1_441, 0, 0, 0, 0, 0)})
    assert parts(over) == ("less_than_equal", f"{field}.1", "1441", "1440")
    under = refused(model, BASE[model] | {field: (480, 0, 0, 0, 0, 0, -1)})
    assert parts(under) == ("greater_than_equal", f"{field}.6", "-1", "0")
    assert refused(model, BASE[model] | {field: (480,) * 6}).field.startswith(field)
    assert refused(model, BASE[model] | {field: (480,) * 8}).field.startswith(field)


@pytest.mark.parametrize(
    "model, field",
    [
        (Level, "name"),
        (Skill, "skill"),
        (Person, "id"),
        (Person, "level"),
        (TimeOff, "person"),
        (Booking, "person"),
        (Client, "id"),
        (TaskType, "id"),
        (TaskType, "skill"),
        (Task, "id"),
        (Task, "type"),
        (Task, "client"),
    ],
)
def test_name_has_one_to_two_hundred_characters_and_no_spaces_around(model: type[BaseModel], field: str) -> None:
    assert getattr(model.model_validate(BASE[model] | {field: " ab "}), field) == "ab"
    assert getattr(model.model_validate(BASE[model] | {field: "x" * 200}), field) == "x" * 200
    blank = refused(model, BASE[model] | {field: "  "})
    assert (blank.code, blank.field) == ("string_too_short", field)
    long = refused(model, BASE[model] | {field: "x" * 201})
    assert (long.code, long.field) == ("string_too_long", field)


@pytest.mark.parametrize("model", list(BASE), ids=lambda model: model.__name__)
def test_each_model_is_frozen_and_closed(model: type[BaseModel]) -> None:
    one = model.model_validate(BASE[model])
    assert isinstance(one, Frozen)
    for field in model.model_fields:
        with pytest.raises(ValidationError):
            setattr(one, field, getattr(one, field))
    refusal = refused(model, BASE[model] | {"unheard_of": 1})
    assert (refusal.code, refusal.field, refusal.value) == ("extra_forbidden", "unheard_of", "1")


@pytest.mark.parametrize("model", list(BASE), ids=lambda model: model.__name__)
def test_each_required_field_is_named_when_missing(model: type[BaseModel]) -> None:
    for field in BASE[model]:
        refusal = refused(model, {name: value for name, value in BASE[model].items() if name != field})
        assert (refusal.code, refusal.field) == ("missing", field)


def test_priority_factors_double() -> None:
    assert [(one.value, one.factor) for one in Priority] == [("low", 1), ("normal", 2), ("high", 4), ("critical", 8)]


@pytest.mark.parametrize(
    "model, field, given_value, nearest",
    [
        (Task, "priority", "hihg", "high"),
        (Task, "status", "in progress", "in_progress"),
        (Client, "tier", "standart", "standard"),
    ],
)
def test_unknown_choice_is_refused_with_the_nearest(
    model: type[BaseModel], field: str, given_value: str, nearest: str
) -> None:
    refusal = refused(model, BASE[model] | {field: given_value})
    assert parts(refusal) == ("enum", field, given_value, nearest)


def test_two_cells_for_one_skill_are_refused() -> None:
    refusal = refused(Person, BASE[Person] | {"skills": [{"skill": "tax"}, {"skill": "audit"}, {"skill": "tax"}]})
    assert parts(refusal) == ("duplicate_id", "skills", "tax", None)
    assert refusal.message == "occurs twice"


def test_person_may_leave_on_the_first_day_but_not_before() -> None:
    dates = {"start_date": "2027-03-02", "leave_date": "2027-03-02"}
    assert Person.model_validate(BASE[Person] | dates).leave_date == date(2027, 3, 2)
    refusal = refused(Person, BASE[Person] | dates | {"leave_date": "2027-03-01"})
    assert parts(refusal) == ("leave_before_start", "leave_date", "2027-03-01", "2027-03-02")


def test_person_without_start_date_may_leave_any_day() -> None:
    assert Person.model_validate(BASE[Person] | {"leave_date": "1999-01-01"}).start_date is None
    assert Person.model_validate(BASE[Person] | {"start_date": "1999-01-01"}).leave_date is None


@pytest.mark.parametrize("model", [TimeOff, Booking, Overtime])
def test_range_may_be_one_day_but_not_reversed(model: type[DayRange]) -> None:
    one = model.model_validate(BASE[model] | {"last_day": "2027-03-01"})
    assert one.first_day == one.last_day
    refusal = refused(model, BASE[model] | {"last_day": "2027-02-28"})
    assert parts(refusal) == ("range_reversed", "last_day", "2027-02-28", "2027-03-01")


def test_unknown_country_is_refused_with_the_nearest() -> None:
    assert parts(refused(HolidayCalendar, {"country": "USX"})) == ("unknown_country", "country", "USX", "US")
    assert HolidayCalendar(country="DE").country == "DE"
    assert HolidayCalendar(country=None).country is None


def test_unknown_subdivision_is_refused_with_the_nearest_of_that_country() -> None:
    refusal = refused(HolidayCalendar, {"country": "US", "subdivision": "CAL"})
    assert parts(refusal) == ("unknown_subdivision", "subdivision", "CAL", "CA")
    assert HolidayCalendar(country="US", subdivision="CA").subdivision == "CA"
    assert refused(HolidayCalendar, {"country": "DE", "subdivision": "CA"}).code == "unknown_subdivision"


def test_release_on_the_deadline_is_accepted_and_after_it_refused() -> None:
    assert task("t", due=4, release=day(4)).release == day(4)
    refusal = refused(Task, BASE[Task] | {"release": "2027-03-06"})
    assert parts(refusal) == ("release_after_deadline", "release", "2027-03-06", "2027-03-05")
    assert refusal.hint.startswith("Maybe ")


def test_task_that_reviews_itself_is_refused() -> None:
    assert parts(refused(Task, BASE[Task] | {"reviews": "t"})) == ("reviews_itself", "reviews", "t", None)


def test_deadline_that_is_no_date_is_refused() -> None:
    refusal = refused(Task, BASE[Task] | {"deadline": "31/04/2027"})
    assert (refusal.field, refusal.value) == ("deadline", "31/04/2027")


@pytest.mark.parametrize(
    "model, more, field",
    [
        (Firm, {"workday_start": "09:00Z"}, "workday_start"),
        (Firm, {"workday_end": "17:00+01:00"}, "workday_end"),
        (Task, {"deadline_time": "12:00+05:00"}, "deadline_time"),
    ],
)
def test_time_with_a_zone_of_its_own_is_refused_where_local_time_is_asked(
    model: type[BaseModel], more: dict[str, Any], field: str
) -> None:
    assert refused(model, BASE[model] | more).field == field


@pytest.mark.parametrize(
    "status, logged, is_open, is_started",
    [
        (Status.PLANNED, 0, True, False),
        (Status.PLANNED, 1, True, True),
        (Status.IN_PROGRESS, 0, True, True),
        (Status.DONE, 60, False, False),
        (Status.CANCELLED, 60, False, False),
    ],
)
def test_task_is_open_until_done_and_started_once_somebody_began(
    status: Status, logged: int, is_open: bool, is_started: bool
) -> None:
    one = task("t", status=status, logged_min=logged)
    assert (one.open, one.started) == (is_open, is_started)


def test_label_is_the_name_or_else_the_id() -> None:
    assert Person(id="ann", name="Ann Lee", level="senior").label == "Ann Lee"
    assert Person(id="ann", level="senior").label == "ann"
    assert Client(id="acme", name="Acme Inc").label == "Acme Inc"
    assert Client(id="acme").label == "acme"
    assert TaskType(id="1040", name="Tax return", skill="tax").label == "Tax return"
    assert TaskType(id="1040", skill="tax").label == "1040"


def test_firm_of_nothing_is_a_firm_with_the_default_levels() -> None:
    empty = Firm()
    assert empty.levels == DEFAULT_LEVELS
    assert [level.name for level in empty.levels] == ["associate", "senior", "manager", "partner"]
    assert (empty.people, empty.tasks) == ((), ())


@pytest.mark.parametrize("people, tasks", [(0, 0), (2, 0), (0, 2)])
def test_firm_without_people_or_tasks_compiles(people: int, tasks: int) -> None:
    one = firm(tuple(person(f"p{i}") for i in range(people)), tuple(task(f"t{i}") for i in range(tasks)))
    board = compile_board(one, now=NOW)
    assert len(board.load_min) == people
    assert len(board.rows) == tasks
    assert board.promises == {}


def test_unknown_time_zone_is_refused_with_the_nearest() -> None:
    refusal = refused(Firm, {"time_zone": "Europe/Berln"})
    assert parts(refusal) == ("unknown_time_zone", "time_zone", "Europe/Berln", "Europe/Berlin")
    assert str(Firm(time_zone="Europe/Berlin").zone) == "Europe/Berlin"


def test_workday_has_at_least_a_minute() -> None:
    assert Firm(workday_start=time(9, 0), workday_end=time(9, 1)).workday_end == time(9, 1)
    for end in ("09:00:00", "08:59:00"):
        refusal = refused(Firm, {"workday_start": "09:00", "workday_end": end})
        assert parts(refusal) == ("workday_reversed", "workday_end", end, None)


def test_workday_shorter_than_a_minute_is_refused() -> None:
    refusal = refused(Firm, {"workday_start": "09:00:10", "workday_end": "09:00:50"})
    assert (refusal.code, refusal.field) == ("workday_reversed", "workday_end")


def test_firm_without_levels_is_refused() -> None:
    assert parts(refused(Firm, {"levels": []})) == ("no_levels", "levels", "()", "associate")


@pytest.mark.parametrize("part", ["levels", "people", "clients", "task_types", "tasks"])
def test_second_of_two_equal_ids_is_refused(part: str) -> None:
    entry = {
        "levels": {"name": "senior"},
        "people": {"id": "same", "level": "associate"},
        "clients": {"id": "same"},
        "task_types": {"id": "same", "skill": "tax"},
        "tasks": {"id": "same", "type": "return", "client": "acme", "deadline": "2027-03-05"},
    }[part]
    refusal = refused(Firm, firm().model_dump() | {part: [entry, entry]})
    assert parts(refusal) == ("duplicate_id", part, entry.get("id", "senior"), None)
    assert refusal.hint == "Maybe one of the two should be removed."


DATED = {"first_day": "2027-03-01", "last_day": "2027-03-02"}
ANN = {"id": "ann", "level": "senior"}
WORK = BASE[Task]


@pytest.mark.parametrize(
    "more, field, value, nearest, hint",
    [
        ({"people": [ANN | {"level": "seniro"}]}, "people.0.level", "seniro", "senior", "levels"),
        ({"clients": [{"id": "acme", "usual_person": "an"}]}, "clients.0.usual_person", "an", "ann", "people"),
        ({"clients": [{"id": "acme", "barred": ["ann", "an"]}]}, "clients.0.barred", "an", "ann", "people"),
        (
            {"task_types": [BASE[TaskType] | {"min_level": "partners"}]},
            "task_types.0.min_level",
            "partners",
            "partner",
            "levels",
        ),
        (
            {"task_types": [BASE[TaskType] | {"review": {"min_level": "menager"}}]},
            "task_types.0.review.min_level",
            "menager",
            "manager",
            "levels",
        ),
        ({"tasks": [WORK | {"type": "retrun"}]}, "tasks.0.type", "retrun", "return", "task types"),
        ({"tasks": [WORK | {"client": "acmee"}]}, "tasks.0.client", "acmee", "acme", "clients"),
        ({"tasks": [WORK | {"assignee": "anne"}]}, "tasks.0.assignee", "anne", "ann", "people"),
        ({"tasks": [WORK | {"requested_person": "anne"}]}, "tasks.0.requested_person", "anne", "ann", "people"),
        ({"tasks": [WORK, WORK | {"id": "u", "reviews": "tt"}]}, "tasks.1.reviews", "tt", "t", "tasks"),
        ({"time_off": [DATED | {"person": "anne"}]}, "time_off.0.person", "anne", "ann", "people"),
        (
            {"bookings": [DATED | {"person": "anne", "minutes_per_day": 60}]},
            "bookings.0.person",
            "anne",
            "ann",
            "people",
        ),
        (
            {"overtime": [DATED | {"extra_min": WEEK, "people": ["anne"]}]},
            "overtime.0.people",
            "anne",
            "ann",
            "people",
        ),
        (
            {"overtime": [DATED | {"extra_min": WEEK, "levels": ["junior"]}]},
            "overtime.0.levels",
            "junior",
            "senior",
            "levels",
        ),
        (
            {"policy": {"guardrail": {"complex_level": "Partner"}}},
            "policy.guardrail.complex_level",
            "Partner",
            "partner",
            "levels",
        ),
        (
            {"policy": {"guardrail": {"high_value_level": "Partner"}}},
            "policy.guardrail.high_value_level",
            "Partner",
            "partner",
            "levels",
        ),
    ],
)
def test_reference_to_nothing_is_refused_with_the_nearest_and_where_to_add_it(
    more: dict[str, Any], field: str, value: str, nearest: str, hint: str
) -> None:
    base = firm((person("ann", level="senior"),)).model_dump()
    refusal = refused(Firm, base | more)
    assert parts(refusal) == ("unknown_reference", field, value, nearest)
    assert refusal.hint == f"Maybe add it under {hint}."


def test_every_reference_that_exists_is_accepted() -> None:
    one = full_firm()
    assert one.clients[0].barred == ("bob",)
    assert one.level_rank(one.policy.guardrail.complex_level) == 1


def test_reference_among_nothing_has_no_nearest() -> None:
    refusal = refused(Firm, {"tasks": [WORK]})
    assert parts(refusal) == ("unknown_reference", "tasks.0.type", "return", None)


def test_skill_of_a_type_that_nobody_has_is_no_mistake() -> None:
    assert firm((person("ann", skills=()),), (task("t"),)).people[0].skills == ()


@pytest.mark.parametrize(
    "links",
    [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}, {"z": "a", "a": "b", "b": "c", "c": "a"}],
)
def test_circle_of_reviews_is_refused(links: dict[str, str]) -> None:
    work = tuple(task(id, reviews=links.get(id)).model_dump() for id in sorted({*links, *links.values()}))
    refusal = refused(Firm, firm().model_dump() | {"tasks": work})
    assert (refusal.code, refusal.field) == ("review_circle", "reviews")
    assert refusal.value in {"a", "b", "c"}


def test_chain_and_fork_of_reviews_are_accepted() -> None:
    chain = (task("a"), task("b", reviews="a"), task("c", reviews="b"), task("d", reviews="b"))
    assert len(firm((), chain).tasks) == 4
    assert len(firm((), tuple(reversed(chain))).tasks) == 4


def test_level_rank_counts_from_the_lowest() -> None:
    assert [Firm().level_rank(name) for name in (None, "associate", "senior", "partner")] == [0, 0, 1, 3]


def full_firm() -> Firm:
    return Firm(
        name="Full",
        time_zone="Europe/Berlin",
        workday_start=time(8, 30),
        workday_end=time(16, 45),
        levels=(Level(name="staff"), Level(name="head", target_utilisation_pct=50)),
        holiday_calendar=HolidayCalendar(country="DE", subdivision="BY", extra=(day(1),), worked=(day(2),)),
        people=(
            Person(
                id="ann",
                name="Ann Lee",
                level="head",
                team="north",
                skills=(Skill(skill="tax", efficiency_pct=80, mismatch_min=5),),
                weekly_min=(480, 240, 480, 0, 120, 60, 0),
                start_date=day(-100),
                leave_date=day(100),
                target_utilisation_pct=90,
            ),
            Person(id="bob", level="staff"),
        ),
        clients=(Client(id="acme", name="Acme", tier=ValueTier.HIGH, usual_person="ann", barred=("bob",)),),
        task_types=(
            TaskType(
                id="return",
                name="Return",
                skill="tax",
                default_estimate_min=60,
                min_level="staff",
                complexity=5,
                review=ReviewRule(min_level="head", share_pct=30),
                procedure=Procedure(steps=("read", "write"), link="https://example.org"),
            ),
        ),
        tasks=(
            task("p", deadline_time=time(12, 0), release=day(0), assignee="ann", pinned=True, priority=Priority.LOW),
            task("r", reviews="p", requested_person="ann", logged_min=5, status=Status.IN_PROGRESS),
            task("d", hours=None, status=Status.DONE, completed_on=day(-1)),
        ),
        time_off=(TimeOff(person="ann", first_day=day(1), last_day=day(2), minutes_per_day=30),),
        bookings=(Booking(person="bob", first_day=day(1), last_day=day(2), minutes_per_day=30, label="course"),),
        overtime=(Overtime(first_day=day(1), last_day=day(2), extra_min=WEEK, people=("ann",), levels=("head",)),),
        policy=Policy(guardrail=Guardrail(complex_level="head", high_value_level="head")),
    )


def test_firm_with_everything_survives_json() -> None:
    one = full_firm()
    assert Firm.model_validate_json(one.model_dump_json()) == one
    assert Firm.model_validate(one.model_dump(mode="json")) == one
    assert Firm.model_validate(one.model_dump()) == one


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_random_firm_survives_json(seed: int) -> None:
    one = random_firm(seed)
    assert Firm.model_validate_json(one.model_dump_json()) == one
