from __future__ import annotations

from datetime import time
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from solver.axis import build_axis
from solver.price_list import PriceList
from tests.firms_for_tests import NOW, day, firm, person, task

LIST = PriceList(
    people=("bob", "ann"),
    days=(day(1), day(4), day(9)),
    minute=np.array([[5.0, 4.0, 1.0], [3.0, 0.5, 0.0]]),
    task={"t": 7.5},
)


def test_a_day_between_has_the_price_of_the_next_day_named_and_none_behind_the_last() -> None:
    axis, _ = build_axis(firm((person("ann"),)), NOW)
    found = LIST.on(axis, ("ann", "bob"))
    slots = {axis.days.index(day(offset)): offset for offset in (0, 1, 2, 4, 7, 9, 10)}
    assert [(offset, *found[:, slot]) for slot, offset in slots.items()] == [
        (0, 3.0, 5.0),
        (1, 3.0, 5.0),
        (2, 0.5, 4.0),
        (4, 0.5, 4.0),
        (7, 0.0, 1.0),
        (9, 0.0, 1.0),
        (10, 0.0, 0.0),
    ]


def test_people_and_cuts_the_list_does_not_know_are_no_mistake() -> None:
    one = firm((person("ann"),), (task("t", due=4, deadline_time=time(13, 0)),))
    axis, _ = build_axis(one, NOW)
    found = LIST.on(axis, ("new", "ann"))
    assert found[0].tolist() == [0.0] * axis.count
    assert [found[1, slot] for slot, when in enumerate(axis.days) if when == day(4)] == [0.5, 0.5]


def test_an_empty_list_prices_nothing() -> None:
    axis, _ = build_axis(firm((person("ann"),)), NOW)
    assert not PriceList(people=(), days=(), minute=[]).on(axis, ("ann",)).any()


def test_a_list_survives_json() -> None:
    again = PriceList.model_validate_json(LIST.model_dump_json())
    assert again == LIST
    assert again.minute.dtype == np.float64
    assert PriceList.model_json_schema()["properties"]["minute"]["type"] == "array"


@pytest.mark.parametrize(
    "change",
    [
        {"minute": [[5.0, 4.0, 2.0], [3.0, 0.5, 0.0]]},
        {"people": ("bob", "eve")},
        {"days": (day(1), day(4), day(8))},
        {"task": {}},
        {"skill": {"tax": 1.0}},
    ],
)
def test_lists_that_differ_are_not_equal(change: dict[str, Any]) -> None:
    assert PriceList.model_validate(LIST.model_dump() | change) != LIST


@pytest.mark.parametrize(
    "change, code",
    [
        ({"minute": [[1.0, 1.0, 1.0]]}, "wrong_shape"),
        ({"minute": [[1.0, 1.0, float("nan")]] * 2}, "not_a_number"),
        ({"days": (day(4), day(1), day(9))}, "days_unordered"),
    ],
)
def test_a_list_that_cannot_be_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PriceList.model_validate(LIST.model_dump() | change)
    assert [error["type"] for error in caught.value.errors()] == [code]


def test_prices_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="read-only"):
        LIST.minute[0, 0] = 1.0
