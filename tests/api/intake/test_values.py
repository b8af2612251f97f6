from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.intake import values
from api.intake.values import BadValue, Broken, Cell, DateOrder

ISO, DAY_FIRST, MONTH_FIRST = DateOrder.ISO, DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST
MARCH_4 = date(2027, 3, 4)


@pytest.mark.parametrize(
    ("cell", "order", "expected"),
    [
        ("2027-03-04", ISO, MARCH_4),
        ("2027/3/4", ISO, MARCH_4),
        ("2027-03-04 00:00:00", ISO, MARCH_4),
        ("2027-03-04T00:00", MONTH_FIRST, MARCH_4),
        ("04/03/2027", DAY_FIRST, MARCH_4),
        ("4.3.2027", DAY_FIRST, MARCH_4),
        ("03/04/2027", MONTH_FIRST, MARCH_4),
        ("3-4-2027", MONTH_FIRST, MARCH_4),
        ("15/03/2027", ISO, date(2027, 3, 15)),
        ("03/15/2027", ISO, date(2027, 3, 15)),
        ("5/5/2027", ISO, date(2027, 5, 5)),
        ("4 March 2027", ISO, MARCH_4),
        ("Mar 4, 2027", ISO, MARCH_4),
        ("4-Mar-2027", ISO, MARCH_4),
        ("Thu, 4 Mar 2027", ISO, MARCH_4),
        ("September 1st, 2027", ISO, date(2027, 9, 1)),
        ("29.02.2028", DAY_FIRST, date(2028, 2, 29)),
        (date(2027, 3, 4), ISO, MARCH_4),
        (datetime(2027, 3, 4), ISO, MARCH_4),
        ("04/03/2027 0:00", DAY_FIRST, MARCH_4),
    ],
)
def test_a_day_is_read_in_every_form_that_has_one_reading(cell: Cell, order: DateOrder, expected: date) -> None:
    assert values.day(cell, order) == expected


@pytest.mark.parametrize(
    ("cell", "order", "code", "nearest"),
    [
        ("03/04/2027", ISO, "ambiguous_date", "2027-04-03"),
        ("15/03/2027", MONTH_FIRST, "no_such_day", "2027-03-15"),
        ("03/15/2027", DAY_FIRST, "no_such_day", "2027-03-15"),
        ("31/04/2027", DAY_FIRST, "no_such_day", "2027-04-30"),
        ("29/02/2027", ISO, "no_such_day", "2027-02-28"),
        ("4/3/27", DAY_FIRST, "short_year", "2027-03-04"),
        ("4/3/27", MONTH_FIRST, "short_year", "2027-04-03"),
        ("2027-03-04 17:30", ISO, "time_of_day", "2027-03-04"),
        (46085, ISO, "not_a_date", "2026-03-04"),
        (True, ISO, "not_a_date", None),
        ("2027-W10-4x", ISO, "not_a_date", None),
        ("2027-03-04T99:00", ISO, "not_a_date", None),
    ],
)
def test_a_day_with_no_or_two_readings_is_refused(cell: Cell, order: DateOrder, code: str, nearest: str | None) -> None:
    with pytest.raises(BadValue) as caught:
        values.day(cell, order)
    assert (caught.value.code, caught.value.nearest) == (code, nearest)


@given(st.dates(date(1990, 1, 1), date(2090, 12, 31)))
def test_every_day_is_read_back_in_its_own_order(day: date) -> None:
    assert values.day(day.isoformat(), ISO) == day
    assert values.day(f"{day.day}/{day.month}/{day.year}", DAY_FIRST) == day
    assert values.day(f"{day.month:02d}/{day.day:02d}/{day.year}", MONTH_FIRST) == day


@given(st.dates(date(1990, 1, 1), date(2090, 12, 31)))
def test_without_an_order_no_day_is_taken_for_another(day: date) -> None:
    said = f"{day.day}/{day.month}/{day.year}"
    if day.day > 12 or day.day == day.month:
        assert values.day(said, ISO) == day
    else:
        with pytest.raises(BadValue, match="may be"):
            values.day(said, ISO)


@pytest.mark.parametrize(
    ("cell", "expected_min"),
    [
        ("90", 90),
        (90, 90),
        (90.0, 90),
        ("1:30", 90),
        ("1.5 h", 90),
        ("90 min", 90),
        (time(1, 30), 90),
        (timedelta(hours=30), 1800),
    ],
)
def test_minutes_say_or_imply_their_unit(cell: Cell, expected_min: int) -> None:
    assert values.minutes(cell, ISO) == expected_min


@pytest.mark.parametrize(
    ("cell", "expected_min"),
    [("1.5", 90), ("1,5", 90), ("1:30", 90), ("90 min", 90), (0.33, 20), ("0.1", 6), (2, 120), ("-1", -60)],
)
def test_hours_become_whole_minutes(cell: Cell, expected_min: int) -> None:
    assert values.hours_as_minutes(cell, ISO) == expected_min


@pytest.mark.parametrize(
    "cell",
    ["1,500", "1.000,5", "1 500", "--3", "1e3", "٣", "inf", float("nan"), float("inf"), True, date(2027, 1, 1), 1e300],
)
def test_a_number_with_no_or_two_readings_is_refused(cell: Cell) -> None:
    with pytest.raises(BadValue):
        values.minutes(cell, ISO)


@pytest.mark.parametrize(("cell", "expected"), [("80", 80), ("80 %", 80), (80.0, 80), ("+5", 5)])
def test_whole_numbers(cell: Cell, expected: int) -> None:
    assert values.whole(cell, ISO) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("17:00", time(17)),
        ("5 pm", time(17)),
        ("5:30 PM", time(17, 30)),
        ("12 am", time(0)),
        ("9:05:30", time(9, 5, 30)),
        (time(8), time(8)),
    ],
)
def test_times_of_day(cell: Cell, expected: time) -> None:
    assert values.clock(cell, ISO) == expected


@pytest.mark.parametrize("cell", ["17", "24:00", "13 pm", "12:60", "noon", 17])
def test_a_time_that_is_none_is_refused(cell: Cell) -> None:
    with pytest.raises(BadValue):
        values.clock(cell, ISO)


def test_a_moment_keeps_its_offset_and_a_midnight_without_one_is_a_day() -> None:
    found = values.moment("2027-03-04T17:00:00Z", ISO)
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(0)
    assert values.moment("2027-03-04T00:00:00", ISO) == MARCH_4
    assert values.moment("03/04/2027 5:30 PM", MONTH_FIRST) == datetime(2027, 3, 4, 17, 30)


@pytest.mark.parametrize(
    ("cell", "expected"), [("yes", True), ("X", True), (True, True), ("No", False), ("0", False), (1, True)]
)
def test_yes_and_no(cell: Cell, expected: bool) -> None:
    assert values.yes_no(cell, ISO) is expected


def test_blank_cells_are_nothing_and_broken_ones_are_refused() -> None:
    assert values.cleaned(" \xa0\t") is None
    assert values.cleaned(None) is None
    for bad in (Broken("=A1", "formula", "is a formula"), "=A1", "a\x07b", "C\ufffd"):
        with pytest.raises(BadValue):
            values.cleaned(bad)


def test_words_names_and_lines() -> None:
    assert values.word("In Progress", ISO) == "in_progress"
    assert values.names("ann; bob ;", ISO) == ("ann", "bob")
    assert values.lines("first\n\n second ", ISO) == ("first", "second")
    assert values.text(1040.0, ISO) == "1040"
