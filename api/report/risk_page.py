"""The risk of a plan as a page: the metrics over the draws, the deadlines at risk, the bottlenecks, and a robust plan beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.report.charts import histogram
from api.report.outlook import OutlookPage, Part, rows
from scenarios.chances import Chances
from scenarios.risks import Bottleneck, Risk
from scenarios.uncertainty import METRICS, Difference, Outcomes, Range, range_of
from solver.firm import Firm

NAMES: Mapping[str, str] = {
    "utilisation_pct": "Average utilisation, %",
    "spread_pct": "Busiest less idlest, points",
    "on_time_pct": "On time, %",
    "late": "Late tasks",
    "escalations": "Escalations",
}
AT_RISK = 0.1
"""Chance of being late from which a deadline is listed."""
SHOWN = 200


@dataclass(frozen=True)
class RiskReport:
    """Everything the page and the terminal say.

    Attributes
    ----------
    robust
        Outcomes of a robust plan on the same draws, its differences to the plan, and the tasks that change hands for it.
    """

    firm: Firm
    now: datetime
    chances: Chances
    draws: int
    outcomes: Outcomes
    risks: tuple[Risk, ...]
    people: tuple[Bottleneck, ...]
    skills: tuple[Bottleneck, ...]
    robust: tuple[Outcomes, tuple[Difference, ...], int] | None = None

    @property
    def listed(self) -> tuple[Risk, ...]:
        """The deadlines at risk, greatest first; tasks of nobody are escalations and told apart."""
        return tuple(risk for risk in self.risks if risk.late_share >= AT_RISK and risk.person is not None)

    @property
    def ranges(self) -> dict[str, Range]:
        """Each metric over the draws."""
        return {name: range_of(getattr(self.outcomes, name)) for name in METRICS}


def headline(report: RiskReport) -> str:
    """Say the most important in two sentences."""
    late, listed = report.ranges["late"], report.listed
    certain = sum(risk.late_share >= 0.5 for risk in listed)
    words = (
        f"{late.mean:.0f} tasks late on average, {late.low:.0f} to {late.high:.0f} in nine of ten cases. "
        f"{len(listed):,} deadlines are missed in at least one case of ten, {certain:,} of them more likely than not."
    )
    if report.robust is None:
        return words
    difference = next(one for one in report.robust[1] if one.name == "late")
    return f"{words} {robust_sentence(difference, report.robust[2])}"


def robust_sentence(late: Difference, moved: int) -> str:
    """Say what the robust plan saves."""
    way = "fewer" if late.mean < 0 else "more"
    return (
        f"The robust plan has {abs(late.mean):.1f} {way} late tasks on the same draws (90 % interval "
        f"{abs(late.high if late.mean < 0 else late.low):.1f} to {abs(late.low if late.mean < 0 else late.high):.1f}) "
        f"with {moved:,} tasks in other hands."
    )


def risk_page(report: RiskReport) -> OutlookPage:
    """Put the report into words and charts."""
    people = {person.id: person.label for person in report.firm.people}
    return OutlookPage(
        title="Risk of the plan",
        firm=report.firm.name,
        moment=f"{report.now:%A, %d %B %Y %H:%M} · {report.draws:,} draws",
        headline=headline(report),
        notes=(),
        parts=(
            _metrics(report),
            _late(report),
            _deadlines(report, people),
            _bottlenecks("People whose hours run out", report.people, people),
            _bottlenecks("Skills whose hours run out", report.skills, {}),
            _odds(report.chances),
        ),
        footer="Each draw carries the plan out: everybody works on their earliest promise, work that overruns delays what follows, "
        "nobody hands work over or works longer. What managers would do about it comes on top.",
    )


def metric_rows(report: RiskReport) -> list[tuple[str, ...]]:
    """Return each metric: mean, nine of ten cases, and the robust plan's difference."""
    apart = {one.name: one for one in report.robust[1]} if report.robust else {}
    found = []
    for name, one in report.ranges.items():
        row = [
            NAMES[name],
            f"{one.mean:.1f}",
            f"{one.mean_low:.1f} to {one.mean_high:.1f}",
            f"{one.low:.1f} to {one.high:.1f}",
        ]
        if apart:
            row += [f"{apart[name].mean:+.1f}", f"{apart[name].low:+.1f} to {apart[name].high:+.1f}"]
        found.append(tuple(row))
    return found


def metric_columns(report: RiskReport) -> tuple[str, ...]:
    """Return the heads of `metric_rows`."""
    head = ("", "mean", "90 % interval of the mean", "nine of ten cases")
    return head if report.robust is None else (*head, "robust plan", "90 % interval")


def _metrics(report: RiskReport) -> Part:
    columns = metric_columns(report)
    return Part(
        title="The four metrics",
        lead="Nine of ten single cases lie between the ends of the last range; the mean of very many cases lies in the first.",
        columns=columns,
        rows=rows(metric_rows(report)),
        numbers=tuple(range(1, len(columns))),
    )


def _late(report: RiskReport) -> Part:
    samples = [("Late tasks of the plan", report.outcomes.late)]
    if report.robust is not None:
        samples.append(("Late tasks of the robust plan", report.robust[0].late))
    low = min(float(values.min()) for _, values in samples)
    high = max(float(values.max()) for _, values in samples)
    charts = tuple(histogram(caption, values, low, high, "late tasks") for caption, values in samples)
    return Part("How many tasks are late", "How often each number occurred.", charts=charts)


def deadline_rows(report: RiskReport, people: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the deadlines at risk."""
    tasks = {task.id: task for task in report.firm.tasks}
    return [
        (
            risk.task,
            f"{tasks[risk.task].type} for {tasks[risk.task].client}",
            people.get(risk.person or "", ""),
            f"{tasks[risk.task].deadline:%d %b %Y}",
            f"{100 * risk.late_share:.0f} %",
            f"{100 * risk.low:.0f} to {100 * risk.high:.0f} %",
            f"{risk.mean_days_late:.1f}",
            risk.cause.meaning if risk.cause else "",
        )
        for risk in report.listed
    ]


DEADLINE_COLUMNS = (
    "task",
    "what",
    "person",
    "due",
    "late in",
    "90 % interval",
    "days late when late",
    "mostly because",
)


def _deadlines(report: RiskReport, people: Mapping[str, str]) -> Part:
    found = deadline_rows(report, people)
    more = f" The first {SHOWN} of {len(found):,}." if len(found) > SHOWN else ""
    return Part(
        title="Deadlines at risk",
        lead=f"Missed in at least one case of ten.{more}",
        columns=DEADLINE_COLUMNS,
        rows=rows(found[:SHOWN]),
        numbers=(4, 5, 6),
        empty="No deadline is missed in one case of ten or more.",
    )


def bottleneck_rows(found: Sequence[Bottleneck], names: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return bottlenecks, worst first."""
    return [
        (
            names.get(one.name, one.name),
            f"{one.mean_late:.1f}",
            f"{100 * one.any_late_share:.0f} %",
            "" if one.utilisation_pct is None else f"{one.utilisation_pct:.0f} %",
        )
        for one in found
    ]


BOTTLENECK_COLUMNS = ("", "late tasks for want of their hours", "any in", "utilisation")


def _bottlenecks(title: str, found: Sequence[Bottleneck], names: Mapping[str, str]) -> Part:
    return Part(
        title=title,
        lead="Late work, and work that waits for late preparation, counts for whoever lacked the hours.",
        columns=BOTTLENECK_COLUMNS,
        rows=rows(bottleneck_rows(found, names)),
        numbers=(1, 2, 3),
        empty="Nobody's hours make work late.",
    )


ODDS_COLUMNS = (
    "type",
    "median ratio",
    "spread of a task (log)",
    "uncertainty of the median (log)",
    "from",
)


def odds_rows(chances: Chances) -> list[tuple[str, ...]]:
    """Return what each type of work takes over its estimate, and whether the firm's own tasks or published figures say so."""
    return [
        (
            kind,
            f"{takes.ratio:.2f}",
            f"{takes.task_sd:.2f}",
            f"{takes.ratio_sd:.2f}",
            _finished(takes.tasks) if takes.tasks else "published figures",
        )
        for kind, takes in sorted(chances.types.items())
    ]


def odds_sentence(chances: Chances) -> str:
    """Say where the spreads of estimates come from."""
    learnt = [takes.tasks for takes in chances.types.values() if takes.tasks]
    if not learnt:
        return "Nothing is learnt from time sheets: all spreads are published figures."
    return (
        f"Spreads of {len(learnt):,} of {len(chances.types):,} types of work are learnt from {_finished(sum(learnt))} of "
        "this firm, the others are published figures."
    )


def _finished(tasks: int) -> str:
    return f"{tasks:,} finished {'task' if tasks == 1 else 'tasks'}"


def _odds(chances: Chances) -> Part:
    return Part(
        title="What was assumed",
        lead=f"Illness: {100 * chances.absent_week_share:.0f} % of people fall ill in a week, for {chances.absent_mean_days:.0f} days. "
        f"Documents not here yet come late for {100 * chances.late_document_share:.0f} % of clients, by "
        f"{chances.late_document_mean_days:.0f} days. New tasks a week: {chances.arrivals_per_week:.0f}. "
        f"{odds_sentence(chances)} Minutes taken over minutes estimated, by type of work:",
        columns=ODDS_COLUMNS,
        rows=rows(odds_rows(chances)),
        numbers=(1, 2, 3),
        empty="Every type takes the default.",
    )
