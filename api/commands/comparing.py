"""``evenhand what-if``: a scenario beside today, or a sweep over its values."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from api.commands.explaining import read_plan
from api.commands.reading import tell_rejects
from api.console import ProgressLine, err, out, print_json, table
from api.crew import processes
from api.errors import CommandError, Exit
from api.opening import Opened
from api.report import ComparisonData, write_comparison_html, write_comparison_workbook
from api.scenario_words import Said, scenario_said
from api.solving import cancelled_by_interrupt
from api.stops import Cancel, WallClock
from api.summary import SHOWN, print_written
from scenarios.changes import Scenario
from scenarios.difference import Comparison, Figure
from scenarios.grids import PointResult, Sweep
from scenarios.run import Baseline, Compared, Solving, baseline, compare
from scenarios.sweeps import Swept, run_sweep
from solver.crew import Alone, Crew
from solver.firm import Firm
from solver.plan import Plan
from solver.refusal import Refused
from solver.stop import FirstOf, Stop, WorkBudget
from solver.wording import MINUS, hours_text

FIRST_PLAN_SHARE = 3.0
"""Times the comparison's own seconds that today's first plan gets where none was given: everything starts from it."""
SOLVE_SHARE = 1 / 3
"""Of the comparison's seconds, what one solve gets; the rest is for carrying over, and for solving on."""
SMALL = 2_000
"""People times tasks up to which jobs are done in this process: every solve of a comparison would start its processes anew."""
POINT_WORK_UNITS = 1.0
"""Work of each point of a sweep unless --work says otherwise: points count work, so that they may be kept."""


@dataclass(frozen=True)
class Effort:
    """How long is searched: seconds of the comparison, or work units of each solve."""

    seconds: float | None
    work_units: float | None
    seed: int
    rounds: int


@dataclass(frozen=True)
class Files:
    """What is read beside the firm, and written."""

    plan: Path | None
    save: Path | None
    points: Path | None
    reports: tuple[Path, ...]


def what_if(opened: Opened, said: Said, effort: Effort, files: Files, *, as_json: bool) -> Exit:
    """Compare, print, write; nothing of the firm is changed."""
    for target in files.reports:
        _require_form(target)
    tell_rejects(opened)
    scenario, sweep = scenario_said(opened.firm, said)
    sentences = _checked(opened.firm, scenario, sweep)
    if not as_json:
        for sentence in sentences:
            err().print(Text(sentence))
    last = read_plan(files.plan) if files.plan else None
    written = [files.save] if files.save else []
    if files.save:
        _write(files.save, scenario.model_dump_json(indent=1) + "\n")
    cancel = Cancel()
    patient = effort.work_units is not None or sweep is not None
    with cancelled_by_interrupt(cancel), ProgressLine(quiet=as_json) as line, _crew(opened.firm, patient) as crew:
        run = _Run(opened, effort, cancel, line, crew)
        compared = run.comparison(scenario, last) if sweep is None else None
        swept = run.swept(sweep, last, files.points) if sweep is not None else None
    data = ComparisonData(opened.firm, opened.now, sentences, compared, swept, opened.notes())
    written += [path for target in files.reports for path in _report(data, target)]
    if as_json:
        print_json({**_document(data), "written": [str(path) for path in written]})
    else:
        _print(out(), data)
        print_written(out(), written)
    return Exit.CANCELLED if cancel.asked else opened.exit_code()


def _crew(firm: Firm, patient: bool) -> AbstractContextManager[Crew]:
    """Return who does the jobs: here for a small firm, whose solve is over before a process has started."""
    small = len(firm.people) * len(firm.tasks) <= SMALL
    return nullcontext(Alone()) if small else processes(patient=patient)


def _checked(firm: Firm, scenario: Scenario, sweep: Sweep | None) -> tuple[str, ...]:
    """Apply changes once before the search, so that a scenario that cannot be, or no point of a sweep, is refused at once; say them."""
    if sweep is None:
        scenario.apply(firm)
        return scenario.sentences(firm)
    first: Refused | None = None
    for values in sweep.cells():
        try:
            sweep.point(values, now=datetime.min, seed=0, work_units=0).scenario.apply(firm)
            break
        except Refused as error:
            first = first or error
    else:
        assert first is not None, "axes have values"
        raise first
    return tuple(f"{axis.name}: {', '.join(axis.shown(value) for value in axis.values)}." for axis in sweep.axes)


@dataclass
class _Run:
    """One comparison or sweep under way."""

    opened: Opened
    effort: Effort
    cancel: Cancel
    line: ProgressLine
    crew: Crew

    def comparison(self, scenario: Scenario, last: Plan | None) -> Compared:
        base = self._today(last)
        self.line.say("solving the scenario")
        until = _clock_from_now(self.effort.seconds)
        return compare(base, scenario, solving=self._solving(), rounds=self.effort.rounds, go_on=self._go_on(until))

    def swept(self, sweep: Sweep, last: Plan | None, kept: Path | None) -> Swept:
        known = _read_points(kept) if kept else {}
        units = POINT_WORK_UNITS if self.effort.work_units is None else self.effort.work_units
        firm, now = self.opened.firm, self.opened.now
        if last is None:
            self.line.say("making today's plan")
            work = Solving(stop=lambda: WorkBudget(3 * units), seed=self.effort.seed, crew=self.crew)
            last = work.plan(firm, now)

        def told(result: PointResult, done: int, of: int) -> None:
            self.line.say(f"point {done} of {of}: {', '.join(map(str, result.values))}")
            if kept and result.key not in known:
                known[result.key] = result
                with kept.open("a", encoding="utf-8") as lines:
                    lines.write(result.model_dump_json() + "\n")

        return run_sweep(
            firm,
            sweep,
            now=now,
            seed=self.effort.seed,
            work_units=units,
            last=last,
            crew=self.crew,
            known=known.get,
            on_result=told,
            go_on=lambda: not self.cancel.asked,
        )

    def _today(self, last: Plan | None) -> Baseline:
        firm, now = self.opened.firm, self.opened.now
        self.line.say("solving today's firm")
        share = FIRST_PLAN_SHARE if last is None else SOLVE_SHARE
        return baseline(firm, now=now, solving=self._solving(share), last=last)

    def _solving(self, share: float = SOLVE_SHARE) -> Solving:
        return Solving(stop=lambda: self._stop(share), seed=self.effort.seed, crew=self.crew, on_progress=self.line)

    def _stop(self, share: float) -> Stop:
        rules: list[Stop] = [self.cancel]
        if self.effort.work_units is not None:
            rules.append(WorkBudget(self.effort.work_units))
        if self.effort.seconds is not None:
            rules.append(WallClock(share * self.effort.seconds))
        return FirstOf(tuple(rules))

    def _go_on(self, until: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: not self.cancel.asked and until()


def _clock_from_now(seconds: float | None) -> Callable[[], bool]:
    """Return a rule that says yes while another solve is likely to end in time."""
    if seconds is None:
        return lambda: True
    end = time.monotonic() + (1 - SOLVE_SHARE) * seconds
    return lambda: time.monotonic() < end


def _read_points(path: Path) -> dict[str, PointResult]:
    """Return the points kept by an earlier run; a last line cut short by a crash is no point."""
    if not path.exists():
        return {}
    found: dict[str, PointResult] = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, words in enumerate(lines, start=1):
        if not words:
            continue
        try:
            result = PointResult.model_validate_json(words)
        except ValidationError as error:
            if number == len(lines):
                path.write_text("".join(f"{line}\n" for line in lines[:-1]), encoding="utf-8")
                continue
            message = f"--points {path}, line {number} is no point of a sweep. Maybe name another file."
            raise CommandError("bad_points", message, field="points", value=str(path)) from error
        found[result.key] = result
    return found


def _document(data: ComparisonData) -> dict[str, object]:
    document: dict[str, object] = {"changes": list(data.sentences), "now": data.now.isoformat()}
    if data.compared is not None:
        document["scenario"] = json.loads(data.compared.scenario.model_dump_json())
        document["comparison"] = data.compared.comparison
    if data.swept is not None:
        document["sweep"] = json.loads(data.swept.sweep.model_dump_json())
        document["points"] = list(data.swept.results)
        document["refused"] = list(data.swept.refused)
        document["knees"] = list(data.swept.knees())
        document["solved"] = data.swept.solved
    return document


def _print(console: Console, data: ComparisonData) -> None:
    if data.compared is not None:
        _print_comparison(console, data, data.compared.comparison)
    if data.swept is not None:
        _print_sweep(console, data.swept)
    for note in data.notes:
        console.print(Text(note))


def _print_comparison(console: Console, data: ComparisonData, found: Comparison) -> None:
    console.print(Text(found.significance.sentence))
    rows = [_figure_row(one) for one in found.difference.figures]
    console.print(table("The four metrics", ("", "today", "what if", "difference"), rows))
    names, diff = data.names(), found.difference
    sections: Sequence[tuple[str, Sequence[str], list[tuple[object, ...]]]] = (
        (
            "Escalations gained",
            ("task", "client", "why", "cheapest way out"),
            [(one.task, names.client(one.client), one.reason, one.way_out) for one in diff.escalations_gained],
        ),
        (
            "Escalations no more",
            ("task", "client", "goes to"),
            [
                (one.task, names.client(one.client), names.person(one.elsewhere) if one.elsewhere else "no open work")
                for one in diff.escalations_lost
            ],
        ),
        (
            "Who is hit",
            ("person", "work", "hours", "tasks gained", "tasks lost"),
            [
                (
                    names.person(one.person),
                    f"{hours_text(one.load_before_min)} to {hours_text(one.load_after_min)}",
                    f"{hours_text(one.capacity_before_min)} to {hours_text(one.capacity_after_min)}",
                    len(one.gained),
                    len(one.lost),
                )
                for one in diff.people
            ],
        ),
        (
            "Late or escalated work by client",
            ("client", "late", "late work", "escalated"),
            [
                (
                    names.client(one.client),
                    f"{one.late_before} to {one.late_after}",
                    f"{hours_text(one.late_work_before_min)} to {hours_text(one.late_work_after_min)}",
                    f"{one.escalated_before} to {one.escalated_after}",
                )
                for one in diff.clients
            ],
        ),
    )
    for title, columns, body in sections:
        if body:
            console.print(table(f"{title} ({len(body)})", columns, body[:SHOWN]))
            if len(body) > SHOWN:
                console.print(Text(f"... and {len(body) - SHOWN} more"))
    console.print(Text(f"{len(diff.moves):,} tasks are with somebody else than in today's plan."))
    cost = diff.overtime
    if cost.offered_before_min or cost.offered_after_min:
        console.print(
            Text(
                f"Overtime needed: {hours_text(cost.needed_after_min)} of {hours_text(cost.offered_after_min)} offered "
                f"(today {hours_text(cost.needed_before_min)} of {hours_text(cost.offered_before_min)})."
            )
        )


def _figure_row(one: Figure) -> tuple[str, str, str, str]:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:,.0f}" if one.unit == "tasks" else f"{value:,.1f}"

    change = one.difference
    if change is None:
        words = "-"
    elif not change:
        words = "same"
    else:
        words = f"{'+' if change > 0 else MINUS}{shown(abs(change))}"
    unit = "" if one.unit == "tasks" else f" ({one.unit})"
    return one.name + unit, shown(one.before), shown(one.after), words


def _print_sweep(console: Console, swept: Swept) -> None:
    knees = {one.key for one in swept.knees() if one is not None}
    columns = (
        *(axis.name for axis in swept.sweep.axes),
        "cost",
        "escalations",
        "late",
        "on time",
        "moves",
        "overtime",
        "",
    )
    rows = [
        (
            *swept.shown(one),
            f"{one.cost_min:,}",
            one.escalations,
            one.late,
            "-" if one.on_time_pct is None else f"{one.on_time_pct:.1f} %",
            one.moves,
            hours_text(one.overtime_min),
            "knee" if one.key in knees else "",
        )
        for one in swept.results
    ]
    console.print(table(f"{len(rows)} points, {swept.solved} solved now", columns, rows))
    if swept.refused:
        axes, of = [axis.name for axis in swept.sweep.axes], len(swept.sweep.cells())
        cannot = [(*swept.shown(one), one.refusal.sentence()) for one in swept.refused]
        console.print(table(f"{len(cannot)} of {of} points cannot be", (*axes, "why"), cannot))


def _report(data: ComparisonData, target: Path) -> list[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    write = write_comparison_html if target.suffix.casefold() == ".html" else write_comparison_workbook
    write(data, target)
    return [target]


def _require_form(target: Path) -> None:
    if target.suffix.casefold() not in (".html", ".xlsx"):
        near = str(target.with_suffix(".html"))
        raise CommandError(
            "report_form",
            f'--report "{target}" is neither .html nor .xlsx. Nearest: "{near}".',
            exit_code=Exit.USAGE,
            field="report",
            value=str(target),
            nearest=near,
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
