"""Gain against moves in the report: the sentence, the plot, the table, and nothing where nothing is to choose."""

from __future__ import annotations

from dataclasses import replace

from api.report import ReportData
from api.report.page import html
from api.report.trade_off import HEIGHT, WIDTH, trade_off_view
from solver.plan import TradeOff


def point(limit: int, gain_min: int, escalations: int = 0) -> TradeOff:
    return TradeOff(
        limit=limit,
        moves=limit,
        objective_min=5_000 - gain_min,
        gain_min=gain_min,
        escalations=escalations,
        late=1,
    )


CURVE = (point(0, 0, 3), point(5, 3_000, 1), point(10, 3_800), point(16, 4_001))


def with_curve(report: ReportData, *points: TradeOff) -> ReportData:
    return replace(report, plan=report.plan.model_copy(update={"trade_off": points}))


def test_the_sentence_says_how_far_it_pays_to_go(report: ReportData) -> None:
    view = trade_off_view(with_curve(report, *CURVE))
    assert view is not None
    assert view.sentence == (
        "With 5 moves instead of 16 you get 74 % of the gain; each move after that gives less than the average move of the plan."
    )
    assert [one.suggested for one in view.points] == [False, True, False, False]
    assert [one.limit for one in view.points] == ["0", "5", "10", "all"]
    assert [one.share for one in view.points] == ["0 %", "74 %", "94 %", "100 %"]


def test_the_plot_goes_from_nothing_to_the_whole_gain(report: ReportData) -> None:
    view = trade_off_view(with_curve(report, *CURVE))
    assert view is not None
    assert (view.points[0].x, view.points[0].y) == (0, HEIGHT)
    assert (view.points[-1].x, view.points[-1].y) == (WIDTH, 0)
    assert [one.y for one in view.points] == sorted((one.y for one in view.points), reverse=True)


def test_all_moves_are_suggested_where_each_is_worth_the_same(report: ReportData) -> None:
    view = trade_off_view(with_curve(report, point(0, 0), point(1, 100)))
    assert view is not None
    assert view.sentence.startswith("All 1 move: ")
    assert view.points[-1].suggested


def test_a_curve_that_gains_nothing_divides_by_nothing(report: ReportData) -> None:
    view = trade_off_view(with_curve(report, point(0, 0), point(2, 0)))
    assert view is not None
    assert [one.share for one in view.points] == ["0 %", "0 %"]


def test_the_page_shows_the_curve_where_there_is_a_choice(report: ReportData) -> None:
    assert "Gain against moves" not in html(report)
    assert "Gain against moves" not in html(with_curve(report, point(0, 0)))
    page = html(with_curve(report, *CURVE))
    assert "With 5 moves instead of 16 you get 74 % of the gain" in page
    assert page.count("<circle") == len(CURVE)
    assert "4,001" in page
