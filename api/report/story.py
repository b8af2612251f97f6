"""Everything the page shows, gathered from the data into one frozen model; the template only lays it out."""

from __future__ import annotations

from dataclasses import dataclass

from api.report.assurance import Assurance, assurance
from api.report.cards import Card, MetricRow, Todo, cards, headline, hints, metric_rows, todos
from api.report.exceptions import (
    DueView,
    EscalationView,
    FlagView,
    HoldView,
    escalation_views,
    flag_views,
    hold_views,
    late_views,
    tight_views,
)
from api.report.heat import HeatMap, heat_maps
from api.report.labels import Names
from api.report.proposed import Placement, ProposalView, placements, proposal_views
from api.report.source import ReportData
from api.report.timetable import PersonTimetable, timetables
from api.report.trade_off import TradeOffView, trade_off_view
from api.report.wording import count_text, moment_text


@dataclass(frozen=True)
class Story:
    """The report in the order in which it is read."""

    firm: str
    moment: str
    size: str
    headline: str
    hints: tuple[str, ...]
    notes: tuple[str, ...]
    todos: tuple[Todo, ...]
    cards: tuple[Card, ...]
    metric_rows: tuple[MetricRow, ...]
    heat_maps: tuple[HeatMap, HeatMap]
    proposals: tuple[ProposalView, ...]
    trade_off: TradeOffView | None
    placements: tuple[Placement, ...]
    escalations: tuple[EscalationView, ...]
    late: tuple[DueView, ...]
    late_today: int
    tight: tuple[DueView, ...]
    holds: tuple[HoldView, ...]
    flags: tuple[FlagView, ...]
    timetables: tuple[PersonTimetable, ...]
    assurance: Assurance


def tell(report: ReportData) -> Story:
    """Gather the story of a report."""
    names = Names.of(report.firm)
    return Story(
        firm=report.firm.name,
        moment=moment_text(report.firm, report.plan.now),
        size=size(report),
        headline=headline(report),
        hints=hints(report),
        notes=report.notes,
        todos=todos(report),
        cards=cards(report),
        metric_rows=metric_rows(report),
        heat_maps=heat_maps(report, names),
        proposals=proposal_views(report, names),
        trade_off=trade_off_view(report),
        placements=placements(report, names),
        escalations=escalation_views(report, names),
        late=late_views(report, names),
        late_today=report.before.firm.late_open,
        tight=tight_views(report, names),
        holds=hold_views(report, names),
        flags=flag_views(report, names),
        timetables=timetables(report, names),
        assurance=assurance(report),
    )


def size(report: ReportData) -> str:
    """Say how much was planned."""
    still_open = sum(1 for task in report.firm.tasks if task.open)
    clients = count_text(len(report.firm.clients), "client")
    return (
        f"{count_text(len(report.firm.people), 'person', 'people')}, {clients}, {count_text(still_open, 'open task')}"
    )
