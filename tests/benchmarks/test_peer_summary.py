"""Runs put beside each other: bounds shared, medians over firms, methods without a plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import tables
from benchmarks.peers.summary import Group, groups


def run(method: str, seed: int, at_10: int | None, at_60: int | None, **more: Any) -> dict[str, Any]:
    trace = [(seconds, at) for seconds, at in ((5.0, at_10), (50.0, at_60)) if at is not None]
    base: dict[str, Any] = {
        "people": 3,
        "tasks": 9,
        "load": 0.9,
        "limit_s": 60.0,
        "escalated": 2,
        "bound": None,
        "peer": {},
        "trace": trace,
    }
    machine = {
        "machine": "m",
        "python": "3",
        "numba": "1",
        "numpy": "2",
        "ortools": "9",
        "scipy": "1",
        "date": "d",
        "commit": "c",
    }
    return base | machine | {"method": method, "seed": seed, "at_10_s": at_10, "at_60_s": at_60} | more


ROWS = [
    run("evenhand", 0, 120, 110, bound=90),
    run("evenhand", 1, 260, 220, bound=200),
    run("evenhand", 2, 900, 300, bound=0),
    run("highs", 0, None, 100, bound=100),
    run("highs", 1, None, 230, bound=190, peer={"versions": {"highspy": "1.16.0"}, "moves_per_s": 7}),
    run("highs", 2, None, None, bound=150),
]


def only(rows: list[dict[str, Any]]) -> Group:
    (group,) = groups(rows)
    return group


def test_everybody_is_measured_against_the_best_bound_of_the_firm() -> None:
    group = only(ROWS)
    assert group.bounds == {0: 100, 1: 200, 2: 150}
    assert group.median_pct("evenhand", "at_60_s") == pytest.approx(10.0)
    assert group.median_pct("evenhand", "at_10_s") == pytest.approx(30.0)


def test_a_method_without_plans_on_most_firms_shows_none() -> None:
    group = only(ROWS)
    assert group.median_pct("highs", "at_10_s") is None
    assert group.median_pct("highs", "at_60_s") == pytest.approx(15.0)


def test_a_curve_steps_where_plans_were_found() -> None:
    curve = only(ROWS).curve("highs", np.array([1.0, 49.0, 50.0]))
    assert np.isnan(curve[:2]).all()
    assert curve[2] == pytest.approx(15.0)
    ours = only(ROWS).curve("evenhand", np.array([1.0, 5.0, 60.0]))
    assert ours[1:].tolist() == pytest.approx([30.0, 10.0])


def test_methods_stand_in_their_order_and_limits_apart() -> None:
    found = groups([*ROWS, run("rule", 0, 9, 9), run("rule", 0, 9, 9, limit_s=300.0)])
    assert [(group.limit_s, list(group.rows)) for group in found] == [
        (60.0, ["rule", "highs", "evenhand"]),
        (300.0, ["rule"]),
    ]


def test_the_page_has_a_table_over_time_and_one_by_firm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "newest", lambda *_: ROWS)
    text = tables.peers()
    assert "| HiGHS, one MIP | 3 | no plan | 15.0 % | 2 | 7 |" in text
    assert "| Evenhand | 110 | 220 | 300 |" in text
    assert "| HiGHS, one MIP | 100 | 230 | none |" in text
    assert "| best bound proven | 100 | 200 | 150 |" in text
    assert "highspy 1.16.0" in text


def test_no_runs_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "newest", lambda *_: [])
    assert tables.peers() == "Not measured yet."
