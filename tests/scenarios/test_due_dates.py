"""Federal due dates against the days the tax authority published."""

from __future__ import annotations

from datetime import date

import pytest

from scenarios.due_dates import Form, due_date, extended_due_date, form_of, next_business_day


@pytest.mark.parametrize(
    "form, year, day",
    [
        (Form.F1040, 2027, date(2027, 4, 15)),
        (Form.F1040, 2023, date(2023, 4, 18)),  # Saturday, then Emancipation Day observed on Monday
        (Form.F1040, 2022, date(2022, 4, 18)),  # Friday is Emancipation Day observed
        (Form.F1120S, 2025, date(2025, 3, 17)),
        (Form.F1065, 2026, date(2026, 3, 16)),
        (Form.F990, 2027, date(2027, 5, 17)),
    ],
)
def test_due_dates_are_those_published(form: Form, year: int, day: date) -> None:
    assert due_date(form, year) == day


@pytest.mark.parametrize(
    "form, year, day",
    [
        (Form.F1040, 2027, date(2027, 10, 15)),
        (Form.F1120, 2022, date(2022, 10, 17)),
        (Form.F1041, 2023, date(2023, 10, 2)),
        (Form.F1065, 2024, date(2024, 9, 16)),
        (Form.F1120S, 2027, date(2027, 9, 15)),
        (Form.F990, 2026, date(2026, 11, 16)),
    ],
)
def test_extended_due_dates_are_those_published(form: Form, year: int, day: date) -> None:
    assert extended_due_date(form, year) == day


def test_forms_are_known_by_the_usual_ways_to_write_them() -> None:
    assert form_of("1120s") is form_of("Form 1120-S") is form_of("x", "1120 S") is Form.F1120S
    assert form_of("1040 Schedule A") is None
    assert form_of("bookkeeping", "") is None


def test_next_business_day_passes_over_weekends_and_closed_days() -> None:
    friday = date(2027, 3, 5)
    assert next_business_day(friday, ()) == friday
    assert next_business_day(friday, {friday, date(2027, 3, 8)}) == date(2027, 3, 9)
