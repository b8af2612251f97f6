"""The heat map: people by week, today and with the plan, grouped by team."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from api.report.labels import Names, PersonLabel
from api.report.source import ReportData
from api.report.wording import percent_text, share_pct, week_text
from solver.firm import Firm
from solver.plan import MetricsReport, WeekLoad
from solver.wording import hours_text

STEPS_PCT = (1, 40, 60, 80, 95)
"""Lower ends of the shades above the palest, in percent of capacity; above 100 has a hue of its own."""


@dataclass(frozen=True)
class HeatCell:
    """One week of one person or group, ``tone`` being its class in the page."""

    load_min: int
    capacity_min: int

    @property
    def text(self) -> str:
        """The number in the cell."""
        if not self.capacity_min:
            return "over" if self.load_min else "away"
        return f"{share_pct(self.load_min, self.capacity_min):.0f}"

    @property
    def tone(self) -> str:
        """The shade: ``away``, ``over`` or ``h0`` (idle) to ``h5`` (full)."""
        if self.load_min > self.capacity_min:
            return "over"
        share = share_pct(self.load_min, self.capacity_min)
        return "away" if share is None else f"h{sum(share >= step for step in STEPS_PCT)}"

    @property
    def hours(self) -> str:
        """Load of capacity, in hours."""
        return f"{hours_text(self.load_min)} of {hours_text(self.capacity_min)}"


@dataclass(frozen=True)
class HeatRow:
    """One person's weeks, with the metrics' utilisation over the whole period."""

    person: PersonLabel
    cells: tuple[HeatCell, ...]
    whole: str


@dataclass(frozen=True)
class HeatGroup:
    """The people of one team."""

    title: str
    cells: tuple[HeatCell, ...]
    rows: tuple[HeatRow, ...]
    whole: str


@dataclass(frozen=True)
class HeatMap:
    """One view of the firm by week."""

    key: str
    title: str
    weeks: tuple[str, ...]
    groups: tuple[HeatGroup, ...]
    everybody: tuple[HeatCell, ...]
    everybody_whole: str


def week_starts(report: ReportData) -> tuple[date, ...]:
    """Return the Mondays on show: up to the last week in which anybody works, today or with the plan."""
    both = (*report.before.weeks, *report.after.weeks)
    busy = [week.week_start for week in both if week.load_min]
    last = max(busy, default=None)
    return tuple(sorted({week.week_start for week in both if last is None or week.week_start <= last}))


def heat_maps(report: ReportData, names: Names) -> tuple[HeatMap, HeatMap]:
    """Return the map with the plan, then the map of today."""
    mondays = week_starts(report)
    return (
        heat_map("plan", "With the plan", report.firm, report.after, mondays, names),
        heat_map("today", "Today", report.firm, report.before, mondays, names),
    )


def heat_map(
    key: str, title: str, firm: Firm, metrics: MetricsReport, mondays: tuple[date, ...], names: Names
) -> HeatMap:
    """Return one view: teams by name, within each the highest level first, then by name."""
    loads = {(week.person, week.week_start): week for week in metrics.weeks}
    whole = {one.subject: percent_text(one.utilisation_pct) for one in metrics.people}
    team_whole = {one.subject: percent_text(one.utilisation_pct) for one in metrics.teams}
    rows = [
        HeatRow(person, tuple(cell(loads.get((person.id, monday))) for monday in mondays), whole.get(person.id, ""))
        for person in people_in_order(firm, names)
    ]
    teams = sorted({row.person.team for row in rows}, key=lambda team: (not team, team))
    grouped = [(team, [row for row in rows if row.person.team == team]) for team in teams]
    return HeatMap(
        key=key,
        title=title,
        weeks=tuple(week_text(monday) for monday in mondays),
        groups=tuple(
            HeatGroup(team or "No team", totals(own), tuple(own), team_whole.get(team, "")) for team, own in grouped
        ),
        everybody=totals(rows),
        everybody_whole=percent_text(metrics.firm.utilisation_pct),
    )


def people_in_order(firm: Firm, names: Names) -> list[PersonLabel]:
    """Return everybody by team (those without one last), level from the top, name."""
    labels = [names.person(person.id) for person in firm.people]
    rank = {level.name: i for i, level in enumerate(firm.levels)}
    return sorted(labels, key=lambda one: (not one.team, one.team, -rank[one.level], one.name.casefold(), one.id))


def cell(week: WeekLoad | None) -> HeatCell:
    """Return a week's cell; a week the metrics do not know has no hours."""
    return HeatCell(0, 0) if week is None else HeatCell(week.load_min, week.capacity_min)


def totals(rows: Iterable[HeatRow]) -> tuple[HeatCell, ...]:
    """Add up rows week by week."""
    columns = zip(*(row.cells for row in rows), strict=True)
    return tuple(
        HeatCell(sum(one.load_min for one in column), sum(one.capacity_min for one in column)) for column in columns
    )
