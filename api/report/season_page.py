"""The season plan as a page: hours by level and week, what runs out when, and what closes it, down to the tasks."""

from __future__ import annotations

from collections.abc import Iterable

from api.report.charts import Chart, columns
from api.report.outlook import OutlookPage, Part, Row
from scenarios.season_figures import Season
from solver.wording import hours_text

RANGE_COLUMNS = ("skill", "missing", "in any answer nearly as good")


def season_headline(found: Season) -> str:
    """Say what is missing and what it takes."""
    share = (
        f"{100 * found.demand_min / found.open_min:.0f} % of the hours there are"
        if found.open_min
        else "no hours at all"
    )
    work = f"{hours_text(found.demand_min)} of work in {found.tasks:,} tasks: {share}."
    if not found.shortages:
        return f"{work} Everything finds its time."
    first = min(found.shortages, key=lambda one: (one.first_week, one.skill))
    return (
        f"{work} {hours_text(found.short_min)} find nobody, first of all {first.skill} in the week of "
        f"{first.first_week:%d %B %Y}. The cheapest way out costs {hours_text(found.cost_min)} of pay at the lowest level."
    )


def season_page(found: Season) -> OutlookPage:
    """Put the season into words and charts."""
    return OutlookPage(
        title="The year ahead",
        firm=found.firm,
        moment=f"From {found.now:%d %B %Y}",
        headline=season_headline(found),
        notes=tuple(_notes(found)),
        parts=(_levels(found), _shortages(found), _ranges(found), _measures(found), _skills(found)),
        footer="Work may be split between people here and is counted by the week; who does which task is the plan's question "
        "(evenhand solve). Costs are in minutes of ordinary pay at the lowest level.",
    )


def _notes(found: Season) -> Iterable[str]:
    if found.nobody:
        yield f"{len(found.nobody):,} tasks may be done by nobody, whatever the hours: {', '.join(found.nobody[:10])}."
    if found.slow:
        yield f"{len(found.slow):,} tasks are overdue, or no one person can do them in time; they are planned late."


def _levels(found: Season) -> Part:
    charts = []
    for level in dict.fromkeys(week.level for week in found.levels):
        weeks = [week for week in found.levels if week.level == level]
        short = {week.week_start: 0 for week in weeks}
        for one in found.skills:
            if one.level == level and one.week_start in short:
                short[one.week_start] += one.short_min
        charts.append(
            columns(
                f"{level}: hours used, hours missing by week due, hours there are (line)",
                [
                    f"week of {week.week_start:%d %b %Y}: {hours_text(week.used_min)} of {hours_text(week.open_min)}"
                    + (f", {hours_text(short[week.week_start])} missing" if short[week.week_start] else "")
                    for week in weeks
                ],
                [week.used_min for week in weeks],
                [short[week.week_start] for week in weeks],
                [week.open_min for week in weeks],
                (f"{weeks[0].week_start:%d %b %Y}", f"{weeks[-1].week_start:%d %b %Y}"),
            )
        )
    return Part(
        "Week by week",
        "As much work as possible is done as early as possible. Missing hours stand at the lowest level that may do them.",
        charts=tuple(charts),
        empty="Nobody works in this time.",
    )


def _shortages(found: Season) -> Part:
    rows = tuple(
        Row(
            (one.skill, one.level, hours_text(one.minutes), f"{one.first_week:%d %b %Y}", str(one.weeks), one.sentence),
            one.tasks,
        )
        for one in found.shortages
    )
    return Part(
        "What runs out",
        "With the people and hours there are, least important work last.",
        ("skill", "level", "missing", "first due in week of", "weeks", ""),
        rows,
        (2, 4),
        empty="Nothing: everything finds its time.",
    )


def range_rows(found: Season) -> list[tuple[str, str, str]]:
    """Return the single figure and the range of each skill that may be missing, in the order of `RANGE_COLUMNS`."""
    return [(one.skill, hours_text(one.minutes), one.sentence) for one in found.ranges]


def _ranges(found: Season) -> Part:
    return Part(
        "By skill, as far as is known",
        "Which of several skills of the same people is left undone is nearly a tie. The range holds every answer within a hundredth of "
        "the least cost.",
        RANGE_COLUMNS,
        tuple(Row(cells) for cells in range_rows(found)),
        (1,),
        empty="Nothing is missing of any skill.",
    )


def _measures(found: Season) -> Part:
    rows = tuple(
        Row((one.kind, one.sentence, hours_text(one.minutes), hours_text(one.cost_min)), one.tasks)
        for one in found.measures
    )
    return Part(
        "What closes it",
        "The cheapest mix of hires, overtime, extensions and refusals.",
        ("measure", "", "hours", "cost in hours of pay"),
        rows,
        (2, 3),
        empty="Nothing needs to be done.",
    )


def _skills(found: Season) -> Part:
    keys = sorted({(week.skill, week.level) for week in found.skills if week.short_min})
    charts: list[Chart] = []
    for skill, level in keys:
        weeks = [week for week in found.skills if (week.skill, week.level) == (skill, level)]
        charts.append(
            columns(
                f"{skill} ({level} or above): hours done, hours missing by week due",
                [
                    f"week of {week.week_start:%d %b %Y}: {hours_text(week.done_min)} done, {hours_text(week.short_min)} missing"
                    for week in weeks
                ],
                [week.done_min for week in weeks],
                [week.short_min for week in weeks],
                [],
                (f"{weeks[0].week_start:%d %b %Y}", f"{weeks[-1].week_start:%d %b %Y}"),
            )
        )
    return Part(
        "Skill by skill",
        "Weeks with work of the skill, of those skills that run out.",
        charts=tuple(charts),
        empty="No skill runs out.",
    )
