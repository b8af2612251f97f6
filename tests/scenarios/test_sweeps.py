"""Sweeps: every point once, each a pure function of its content, and the knee where a planted curve has it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from scenarios.changes import ExtraHours, Joins, PolicySet, Scenario
from scenarios.grids import Axis, PointResult, Sweep, ground_of, values_of
from scenarios.sweeps import Swept, knee_of, run_sweep, solve_point
from solver.batch import solve
from solver.firm import Firm
from solver.plan import Plan
from solver.refusal import Refused
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task

WEEK: dict[str, Any] = {"first_day": day(0), "last_day": day(4)}
OVERTIME = Sweep(
    scenario=Scenario(changes=(ExtraHours(per_week_min=0, people=("ada",), **WEEK),)),
    axes=(Axis(field="0.per_week_min", values=(0, 60, 120, 180, 240), label="overtime"),),
)


def office() -> Firm:
    """Ada is two hours short: the first hour places one task of an hour, the second another, a third is for nothing."""
    return firm(
        (person("ada"), person("bob", skills=("books",))),
        (
            *(task(f"d{n}", hours=8, due=n, assignee="ada", pinned=True) for n in range(5)),
            task("x", hours=1, due=4),
            task("y", hours=1, due=4),
        ),
    )


def last_plan(one: Firm) -> Plan:
    return solve(one, now=NOW, stop=WorkBudget(0.05), advice=False)


def swept(one: Firm, sweep: Sweep, **more: Any) -> Swept:
    return run_sweep(one, sweep, now=NOW, work_units=0.05, **more)


def test_each_hour_of_overtime_places_one_task_until_none_is_left() -> None:
    found = swept(office(), OVERTIME, last=last_plan(office()))
    assert [one.values for one in found.results] == [(0,), (60,), (120,), (180,), (240,)]
    assert [one.escalations for one in found.results] == [2, 1, 0, 0, 0]
    assert [one.overtime_min for one in found.results] == [0, 60, 120, 120, 120]
    assert found.solved == 5
    (knee,) = found.knees()
    assert knee is not None
    assert knee.values == (120,)


def test_two_parameters_make_a_grid_by_rows_of_the_second() -> None:
    sweep = Sweep(
        scenario=Scenario(
            changes=(
                ExtraHours(per_week_min=0, people=("ada",), **WEEK),
                Joins(id="new", like="ada", count=0),
            )
        ),
        axes=(Axis(field="0.per_week_min", values=(0, 60, 120)), Axis(field="1.count", values=(0, 1))),
    )
    found = swept(office(), sweep)
    assert [[one.values for one in row] for row in found.rows()] == [
        [(0, 0), (60, 0), (120, 0)],
        [(0, 1), (60, 1), (120, 1)],
    ]
    assert [[one.escalations for one in row] for row in found.rows()] == [[2, 1, 0], [0, 0, 0]]


def test_a_point_is_a_pure_function_of_its_content() -> None:
    one, last = random_firm(3, people=3, tasks=9), None
    sweep = Sweep(
        scenario=Scenario(name="a", changes=(PolicySet(name="weights.move", value=0),)),
        axes=(Axis(field="0.value", values=(0, 60, 600)),),
    )
    points = sweep.points(now=NOW, seed=0, work_units=0.05)
    ground = ground_of(one, last)
    again = ground_of(Firm.model_validate_json(one.model_dump_json()), last)
    assert again == ground
    assert len({point.key(ground) for point in points}) == 3
    renamed = Sweep(scenario=sweep.scenario.model_copy(update={"name": "b"}), axes=sweep.axes)
    assert [p.key(ground) for p in renamed.points(now=NOW, seed=0, work_units=0.05)] == [p.key(ground) for p in points]
    for other in (
        points[0].model_copy(update={"seed": 1}),
        points[0].model_copy(update={"work_units": 0.06}),
        points[0].model_copy(update={"now": NOW.replace(hour=10)}),
    ):
        assert other.key(ground) != points[0].key(ground)
    assert ground_of(one, last_plan(one)) != ground
    assert solve_point(one, points[1], ground=ground) == solve_point(one, points[1], ground=ground)


def test_known_points_are_not_solved_again() -> None:
    stored: dict[str, PointResult] = {}

    def keep(result: PointResult, done: int, of: int) -> None:
        stored[result.key] = result

    stopped = swept(office(), OVERTIME, on_result=keep, go_on=lambda: len(stored) < 2)
    assert len(stopped.results) == stopped.solved == 2
    whole = swept(office(), OVERTIME, known=stored.get, on_result=keep)
    assert whole.solved == 3
    assert whole.results == swept(office(), OVERTIME).results


def test_a_point_that_cannot_be_is_told_and_the_others_are_solved() -> None:
    sweep = OVERTIME.model_copy(update={"axes": (Axis(field="0.per_week_min", values=(0, -60, 60, 120)),)})
    found = swept(office(), sweep)
    (wrong,) = found.refused
    assert (wrong.values, wrong.refusal.field, wrong.refusal.value) == ((-60,), "changes.0.per_week_min", "-60")
    assert [one.values for one in found.results] == [(0,), (60,), (120,)]
    assert [one.escalations for one in found.results] == [2, 1, 0]
    assert [one.values for one in found.in_order()] == [(0,), (-60,), (60,), (120,)]
    assert found.solved == 3


def test_rows_keep_their_place_where_some_of_their_points_cannot_be() -> None:
    """No day ends before it begins: of the grid of first and last days only half can be, and of one row nothing."""
    sweep = Sweep(
        scenario=Scenario(changes=(ExtraHours(per_week_min=60, people=("ada",), **WEEK),)),
        axes=tuple(
            Axis(field=f"0.{field}", values=values)
            for field, values in (
                ("first_day", ("2027-03-02", "2027-03-04")),
                ("last_day", ("2027-03-01", "2027-03-03", "2027-03-05")),
            )
        ),
    )
    found = swept(office(), sweep)
    assert [[str(one.values[0])[-2:] for one in row] for row in found.rows()] == [[], ["02"], ["02", "04"]]
    assert [one.refusal.code for one in found.refused] == ["range_reversed"] * 3
    assert found.knees() == (None, None, None)


def test_a_sweep_of_which_no_point_can_be_is_refused() -> None:
    sweep = OVERTIME.model_copy(update={"axes": (Axis(field="0.per_week_min", values=(-1, -2)),)})
    with pytest.raises(Refused, match='per_week_min "-1"'):
        swept(office(), sweep)


def test_weights_are_compared_by_todays_prices() -> None:
    one = random_firm(1, people=3, tasks=10, load=0.9)
    sweep = Sweep(
        scenario=Scenario(changes=(PolicySet(name="weights.move", value=60),)),
        axes=(Axis(field="0.value", values=(0, 60, 100_000)),),
    )
    free, today, dear = swept(one, sweep).results
    assert today.same_prices
    assert not free.same_prices
    assert today.todays_prices_min == today.cost_min
    assert dear.moves <= today.moves <= free.moves
    assert free.todays_prices_min is None or free.todays_prices_min >= today.bound_min


def result(value: int, cost: int, **more: object) -> PointResult:
    base: dict[str, object] = {
        "key": str(value),
        "values": (value,),
        "cost_min": cost,
        "bound_min": cost,
        "gap_pct": 0.0,
        "utilisation_pct": None,
        "spread_pct": None,
        "on_time_pct": None,
        "escalations": 0,
        "escalated_min": 0,
        "late": 0,
        "late_min": 0,
        "moves": 0,
        "overtime_min": 0,
        "same_prices": True,
        "todays_prices_min": cost,
    }
    return PointResult.model_validate(base | more)


def test_the_knee_is_where_the_average_step_stops_to_pay() -> None:
    costs = [100, 60, 30, 20, 15, 12]
    row = [result(value, cost) for value, cost in enumerate(costs)]
    assert knee_of(row) == row[2]
    assert knee_of([result(value, 7) for value in range(4)]) is None
    assert knee_of(row[:2]) is None
    shifted = [result(10 + value, cost) for value, cost in enumerate(costs)]
    assert knee_of(shifted) == shifted[2]


def test_weights_have_their_knee_in_gain_against_moves() -> None:
    row = [
        result(weight, 0, same_prices=weight == 60, moves=moves, todays_prices_min=cost)
        for weight, moves, cost in ((0, 40, 100), (60, 20, 110), (600, 10, 150), (6000, 0, 500))
    ]
    assert knee_of(row) == row[2]


@pytest.mark.parametrize(
    "said, values",
    [
        ("0..3", (0, 1, 2, 3)),
        ("0..600/300", (0, 300, 600)),
        ("none, senior", (None, "senior")),
        ("5", (5,)),
        ("true,false", (True, False)),
    ],
)
def test_values_are_read_as_people_write_them(said: str, values: tuple[object, ...]) -> None:
    assert values_of(said) == values


def test_what_cannot_be_swept_is_refused() -> None:
    with pytest.raises(Refused, match=r'Nearest: "0..3"'):
        values_of("3..0")
    wrong = OVERTIME.model_copy(update={"axes": (Axis(field="0.per_week", values=(1,)),)})
    with pytest.raises(Refused, match="per_week_min"):
        wrong.points(now=NOW, seed=0, work_units=1)
    beyond = OVERTIME.model_copy(update={"axes": (Axis(field="1.per_week_min", values=(1,)),)})
    with pytest.raises(Refused, match=r'Nearest: "0.per_week_min"'):
        beyond.points(now=NOW, seed=0, work_units=1)
    below = OVERTIME.model_copy(update={"axes": (Axis(field="0.per_week_min", values=(-1,)),)})
    with pytest.raises(Refused, match="per_week_min"):
        below.points(now=NOW, seed=0, work_units=1)
    many = Axis(field="0.per_week_min", values=tuple(range(10_001)))
    with pytest.raises(Refused, match="10,000"):
        OVERTIME.model_copy(update={"axes": (many,)}).points(now=NOW, seed=0, work_units=1)
    with pytest.raises(ValidationError):
        Axis(field="0.per_week_min", values=(1, 1))
