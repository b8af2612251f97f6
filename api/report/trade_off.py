"""Gain against moves as a small plot and a table: what fewer moves would give up, and the suggested limit."""

from __future__ import annotations

from dataclasses import dataclass

from api.report.source import ReportData
from api.report.wording import count_text, share_pct
from solver.plan import TradeOff
from solver.trade_off import knee

WIDTH, HEIGHT = 420.0, 150.0
"""Size of the plotted area in the units of its drawing."""


@dataclass(frozen=True)
class CurvePoint:
    """One limit in words, and where it stands in the plot."""

    limit: str
    moves: str
    gain: str
    share: str
    escalations: int
    late: int
    suggested: bool
    x: float
    y: float


@dataclass(frozen=True)
class TradeOffView:
    """The curve, with the sentence that suggests a limit."""

    sentence: str
    points: tuple[CurvePoint, ...]
    line: str
    width: float = WIDTH
    height: float = HEIGHT


def trade_off_view(report: ReportData) -> TradeOffView | None:
    """Put the curve into words and coordinates; none where there is nothing to choose."""
    points = report.plan.trade_off
    suggested = knee(points)
    if suggested is None:
        return None
    shown = tuple(curve_point(one, points[-1], suggested) for one in points)
    line = " ".join(f"{one.x:g},{one.y:g}" for one in shown)
    return TradeOffView(sentence(suggested, points[-1]), shown, line)


def sentence(suggested: TradeOff, last: TradeOff) -> str:
    """Say how far it pays to go."""
    moves = count_text(suggested.moves, "move")
    if suggested == last:
        return f"All {moves}: no smaller limit gives more for each move than the whole plan does."
    return (
        f"With {moves} instead of {last.moves:,} you get {gain_share(suggested, last)} of the gain; "
        "each move after that gives less than the average move of the plan."
    )


def gain_share(point: TradeOff, last: TradeOff) -> str:
    """Return a point's share of the whole gain, rounded down so that only all of it is called 100 %."""
    share = share_pct(point.gain_min, last.gain_min)
    return "0 %" if share is None else f"{int(share)} %"


def curve_point(point: TradeOff, last: TradeOff, suggested: TradeOff) -> CurvePoint:
    """Put one point into words and coordinates, gain upwards."""
    gain = point.gain_min / last.gain_min if last.gain_min else 0.0
    return CurvePoint(
        limit="all" if point == last else f"{point.limit:,}",
        moves=f"{point.moves:,}",
        gain=f"{point.gain_min:,}",
        share=gain_share(point, last),
        escalations=point.escalations,
        late=point.late,
        suggested=point == suggested,
        x=round(WIDTH * point.moves / max(last.moves, 1), 1),
        y=round(HEIGHT * (1 - gain), 1),
    )
