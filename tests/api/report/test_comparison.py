"""Page and workbook of a comparison: every kind of change can be shown, and what they show is what differs."""

from __future__ import annotations

import re

import pytest

from api.report.comparison import ComparisonData
from api.report.comparison_page import comparison_html
from api.report.comparison_sheets import comparison_sheets
from api.report.comparison_story import tell_comparison
from api.report.sweep_view import sweep_view
from scenarios.changes import (
    Away,
    Change,
    ClientWon,
    EstimatesOff,
    ExtensionFiled,
    ExtraHours,
    Joins,
    Leaves,
    NewWork,
    PolicySet,
    Scenario,
    TaskDropped,
)
from scenarios.due_dates import Form
from scenarios.grids import Axis, PointRefused, PointResult, Sweep
from scenarios.run import Baseline, Solving, baseline, compare
from scenarios.sweeps import Swept
from solver.firm import Client, Firm
from solver.refusal import Refusal
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, task

BRIEF = Solving(stop=lambda: WorkBudget(0.0))


def office() -> Firm:
    """Ada has her week full; the last task finds nobody."""
    return firm(
        (person("ada", name="Ada Reyes", level="senior"), person("bob", name="Bob Moss", skills=("books",))),
        (
            *(task(f"d{n}", hours=8, due=n, assignee="ada", pinned=True) for n in range(5)),
            task("x", hours=2, due=4),
        ),
        clients=(Client(id="acme", name="Acme & Sons"),),
    )


@pytest.fixture(scope="module")
def base() -> Baseline:
    return baseline(office(), now=NOW, solving=BRIEF)


def data(base: Baseline, *changes: Change) -> ComparisonData:
    scenario = Scenario(name="<try>", changes=changes)
    compared = compare(base, scenario, solving=BRIEF, rounds=0)
    return ComparisonData(base.firm, NOW, scenario.sentences(base.firm), compared, None, ("one <note>",))


CHANGES: tuple[Change, ...] = (
    Away(person="ada", first_day=day(0), last_day=day(4)),
    Leaves(person="ada", last_day=day(1)),
    Joins(id="dan", name="Dan Fox", like="ada"),
    ExtraHours(first_day=day(4), last_day=day(4), extra_min=(0, 0, 0, 0, 120, 0, 0), people=("ada",)),
    ClientWon(client=Client(id="beta", name="Beta"), work=(NewWork(type="return", deadline=day(3), estimate_min=90),)),
    ExtensionFiled(tasks=("x",), form=Form.F1040),
    EstimatesOff(factor_pct=100),
    TaskDropped(task="x"),
    PolicySet(name="weights.move", value=0),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.change)
def test_every_change_has_its_page_and_its_sheets(base: Baseline, change: Change) -> None:
    found = data(base, change)
    page = comparison_html(found)
    assert "&lt;try&gt;" in page
    assert "one &lt;note&gt;" in page
    assert "<script" not in page
    assert "None" not in re.sub(r"<p class=\"empty\">None\.</p>", "", page)
    assert comparison_sheets(found)[0].title == "Summary"


def test_new_people_and_mended_escalations_are_named(base: Baseline) -> None:
    story = tell_comparison(data(base, Joins(id="dan", name="Dan Fox", like="ada"))).compared
    assert story is not None
    assert [(one.task.id, one.elsewhere) for one in story.mended] == [("x", "Dan Fox")]
    assert "1 escalation fewer" in story.headline
    (dan,) = [one for one in story.people if one.name == "Dan Fox"]
    assert (dan.work, dan.work_change, dan.gained) == (("0 h", "2 h"), "+2 h", ("x",))


def test_overtime_is_shown_as_offered_and_needed(base: Baseline) -> None:
    story = tell_comparison(data(base, CHANGES[3])).compared
    assert story is not None
    assert [(one.before, one.after) for one in story.overtime] == [("0 h", "2 h"), ("0 h", "2 h")]


def point(value: int, cost: int, escalations: int) -> PointResult:
    return PointResult(
        key=str(value),
        values=(value,),
        cost_min=cost,
        bound_min=cost,
        gap_pct=0.0,
        utilisation_pct=80.0,
        spread_pct=None,
        on_time_pct=100.0,
        escalations=escalations,
        escalated_min=0,
        late=0,
        late_min=0,
        moves=0,
        overtime_min=value,
        same_prices=True,
        todays_prices_min=cost,
    )


def test_a_sweep_has_charts_of_what_changes_with_the_knee_where_it_is() -> None:
    sweep = Sweep(
        scenario=Scenario(changes=(ExtraHours(first_day=day(0), last_day=day(4), per_week_min=0),)),
        axes=(Axis(field="0.per_week_min", values=(0, 60, 120, 240), label="overtime", per=60),),
    )
    results = tuple(point(value, cost, e) for value, cost, e in ((0, 100, 2), (60, 40, 1), (120, 20, 0), (240, 10, 0)))
    view = sweep_view(Swept(sweep, results, 4))
    assert [one.title for one in view.charts] == ["Cost, minutes", "Escalations", "Overtime needed, hours"]
    (line,) = view.charts[0].lines
    assert [(dot.x, dot.y, dot.knee) for dot in line.dots] == [
        (0.0, 0.0, False),
        (90.0, 93.3, True),
        (180.0, 124.4, False),
        (360.0, 140.0, False),
    ]
    assert view.sentence.startswith("The knee is at 1:")
    assert [row.values for row in view.rows] == [("0",), ("1",), ("2",), ("4",)]
    assert [len(line.paths) for chart in view.charts for line in chart.lines] == [1, 1, 1]


def test_a_point_that_cannot_be_is_a_cross_on_the_axis_and_a_row_with_the_reason() -> None:
    """The line is broken where it stands, in page and workbook stands why; words of the data are text."""
    sweep = Sweep(
        scenario=Scenario(changes=(ExtraHours(first_day=day(0), last_day=day(4), per_week_min=0),)),
        axes=(Axis(field="0.per_week_min", values=(0, 60, 120, 240), label="overtime", per=60),),
    )
    results = tuple(point(value, cost, e) for value, cost, e in ((0, 100, 2), (60, 40, 1), (240, 10, 0)))
    why = Refusal(code="less_than_equal", field="changes.0.per_week_min", value="<b>120</b>", message="is too much")
    swept = Swept(sweep, results, 3, (PointRefused(values=(120,), refusal=why),))
    view = sweep_view(swept)
    (line,) = view.charts[0].lines
    assert line.paths == ("0,0 90,93.3", "360,140")
    assert [(cross.x, cross.y) for cross in line.crosses] == [(180.0, 140.0)]
    assert line.crosses[0].words.startswith('2: cannot be: changes.0.per_week_min "<b>120</b>" is too much.')
    assert [(row.values, bool(row.cells), bool(row.refused)) for row in view.rows] == [
        (("0",), True, False), (("1",), True, False), (("2",), False, True), (("4",), True, False),
    ]  # fmt: skip
    assert view.sentence.endswith("1 of 4 points cannot be; the table says why.")
    shown = ComparisonData(office(), NOW, ("overtime: 0, 1, 2, 4.",), None, swept)
    text = comparison_html(shown)
    assert text.count('class="cross') == len(view.charts)
    assert "Cannot be: <bdi>changes.0.per_week_min" in text
    assert "<b>120</b>" not in text
    rows = [list(row) for row in comparison_sheets(shown)[-1].rows]
    assert [row[-1] for row in rows] == ["", "", why.sentence(), ""]
    assert {len(row) for row in rows} == {len(comparison_sheets(shown)[-1].columns)}
