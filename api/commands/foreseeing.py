"""``evenhand risk`` and ``evenhand season``: a plan under uncertainty, and the year ahead."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.text import Text

from api.commands.explaining import read_plan
from api.commands.reading import tell_rejects
from api.console import ProgressLine, out, print_json, table
from api.errors import CommandError, Exit
from api.opening import Opened
from api.report.outlook import write_outlook
from api.report.risk_page import (
    BOTTLENECK_COLUMNS,
    DEADLINE_COLUMNS,
    ODDS_COLUMNS,
    RiskReport,
    bottleneck_rows,
    deadline_rows,
    headline,
    metric_columns,
    metric_rows,
    odds_rows,
    odds_sentence,
    risk_page,
)
from api.report.season_page import RANGE_COLUMNS, range_rows, season_headline, season_page
from api.solving import Budget, plan_of
from api.summary import SHOWN, print_written
from scenarios.chances import chances_of
from scenarios.draws import Setting, setting
from scenarios.execution import Promised
from scenarios.recurring import year_ahead
from scenarios.risks import bottlenecks, risks
from scenarios.robust import robust
from scenarios.season import season
from scenarios.season_figures import Season
from scenarios.uncertainty import compared, outcomes, promised
from solver.learning import learn
from solver.observations import observed
from solver.plan import Plan
from solver.wording import hours_text


def risk(
    opened: Opened,
    budget: Budget,
    *,
    plan_path: Path | None,
    draws: int,
    arrivals_per_week: float,
    with_robust: bool,
    robust_to: Path | None,
    report_to: Path | None,
    seed: int,
    as_json: bool,
) -> Exit:
    """Carry a plan out on draws; say what is late how often, who is the bottleneck, and what a robust plan would save."""
    _require_page(report_to)
    tell_rejects(opened)
    found = _risk_report(opened, budget, plan_path, draws, arrivals_per_week, with_robust, robust_to, seed, as_json)
    written = [path for path in (robust_to if with_robust else None, report_to) if path]
    if report_to:
        write_outlook(risk_page(found), report_to)
    if as_json:
        print_json({**_risk_document(found), "intake": opened.document(), "written": [str(path) for path in written]})
    else:
        _print_risk(found)
        print_written(out(), written)
    return opened.exit_code()


def year(opened: Opened, *, report_to: Path | None, days: int, as_json: bool) -> Exit:
    """Plan the year ahead; say what runs out and what closes it."""
    _require_page(report_to)
    tell_rejects(opened)
    with _library_noise_away():
        found = season(year_ahead(opened.firm, now=opened.now, days=days), now=opened.now)
    if report_to:
        write_outlook(season_page(found), report_to)
    written = [report_to] if report_to else []
    if as_json:
        document = found.model_dump(mode="json")
        print_json({**document, "intake": opened.document(), "written": [str(path) for path in written]})
    else:
        _print_season(found)
        print_written(out(), written)
    return opened.exit_code()


def _risk_report(
    opened: Opened,
    budget: Budget,
    plan_path: Path | None,
    draws: int,
    arrivals_per_week: float,
    with_robust: bool,
    robust_to: Path | None,
    seed: int,
    as_json: bool,
) -> RiskReport:
    firm = opened.firm
    with ProgressLine(quiet=as_json) as line:
        if plan_path is not None:
            plan = read_plan(plan_path)
        else:
            plan = plan_of(firm, now=opened.now, budget=budget, seed=seed, on_progress=line)
        line.say("carrying the plan out")
        now = plan.now
        learned = learn(firm, observed(firm, opened.intake.times), as_of=opened.now.date())
        odds = chances_of(firm, learned).model_copy(update={"arrivals_per_week": arrivals_per_week})
        place = setting(firm, now=now)
        plans, moved = [_arrays(opened, plan, place)], 0
        if with_robust:
            line.say("making the plan robust")
            better = robust(firm, plan, odds, now=now)
            moved = better.moved
            plans.append(_arrays(opened, better.plan, place))
            if robust_to:
                robust_to.parent.mkdir(parents=True, exist_ok=True)
                robust_to.write_text(better.plan.model_dump_json(indent=1) + "\n", encoding="utf-8")
        made = outcomes(place, plans, odds, draws=draws, seed=seed)
    people, skills = bottlenecks(place, plans[0], made[0])
    return RiskReport(
        firm=firm,
        now=now,
        chances=odds,
        draws=draws,
        outcomes=made[0],
        risks=risks(place, plans[0], made[0]),
        people=people,
        skills=skills,
        robust=(made[1], compared(made[0], made[1]), moved) if with_robust else None,
    )


def _arrays(opened: Opened, plan: Plan, place: Setting) -> Promised:
    """Return a plan as arrays; one of another firm is refused."""
    known = set(place.tasks)
    stranger = next((item.task for item in plan.tasks if item.task not in known), None)
    stranger = stranger or next((item.person for item in plan.tasks if item.person not in set(place.people)), None)
    if stranger is not None:
        message = f'the plan names "{stranger}", which the firm does not know as open. Maybe solve again.'
        raise CommandError("other_firm", message, field="plan", value=stranger)
    return promised(opened.firm, plan, place)


def _risk_document(found: RiskReport) -> dict[str, object]:
    document: dict[str, object] = {
        "now": found.now.isoformat(),
        "draws": found.draws,
        "headline": headline(found),
        "metrics": {name: asdict(one) for name, one in found.ranges.items()},
        "deadlines": [asdict(one) for one in found.risks],
        "people": [asdict(one) for one in found.people],
        "skills": [asdict(one) for one in found.skills],
        "chances": found.chances.model_dump(mode="json"),
        "robust": None,
    }
    if found.robust is not None:
        document["robust"] = {"moved": found.robust[2], "differences": [asdict(one) for one in found.robust[1]]}
    return document


def _print_risk(found: RiskReport) -> None:
    people = {person.id: person.label for person in found.firm.people}
    console, listed = out(), deadline_rows(found, people)
    console.print(Text(headline(found)))
    console.print(table("The four metrics", metric_columns(found), metric_rows(found)))
    if listed:
        console.print(table(f"Deadlines at risk ({len(listed)})", DEADLINE_COLUMNS, listed[:SHOWN]))
    for title, some, names in (("People", found.people, people), ("Skills", found.skills, {})):
        if some:
            console.print(
                table(f"{title} whose hours run out", BOTTLENECK_COLUMNS, bottleneck_rows(some, names)[:SHOWN])
            )
    if len(listed) > SHOWN:
        console.print(Text(f"... and {len(listed) - SHOWN:,} more deadlines: --report risk.html has them all"))
    console.print(Text(odds_sentence(found.chances)))
    learnt = found.chances.model_copy(
        update={"types": {kind: takes for kind, takes in found.chances.types.items() if takes.tasks}}
    )
    if learnt.types:
        console.print(table("Learnt from time sheets", ODDS_COLUMNS, odds_rows(learnt)[:SHOWN]))


def _print_season(found: Season) -> None:
    console = out()
    console.print(Text(season_headline(found)))
    if found.shortages:
        console.print(
            table(
                f"What runs out ({len(found.shortages)})",
                ("skill", "level", "missing", "first due in week of", "tasks"),
                [
                    (one.skill, one.level, hours_text(one.minutes), one.first_week, ", ".join(one.tasks[:4]))
                    for one in found.shortages[:SHOWN]
                ],
            )
        )
        console.print(table("By skill, as far as is known", RANGE_COLUMNS, range_rows(found)))
        console.print(
            table(
                f"What closes it ({len(found.measures)})",
                ("measure", "", "cost in hours of pay"),
                [(one.kind, one.sentence, hours_text(one.cost_min)) for one in found.measures],
            )
        )
    if found.nobody:
        console.print(Text(f"{len(found.nobody):,} tasks may be done by nobody, whatever the hours."))


def _require_page(path: Path | None) -> None:
    if path is not None and path.suffix.casefold() != ".html":
        near = str(path.with_suffix(".html"))
        raise CommandError(
            "report_form",
            f'--report "{path}" is no .html file. Nearest: "{near}".',
            exit_code=Exit.USAGE,
            field="report",
            value=str(path),
            nearest=near,
        )


@contextmanager
def _library_noise_away() -> Iterator[None]:
    """Send what compiled libraries print to nowhere: standard output belongs to the answer."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
