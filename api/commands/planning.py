"""``evenhand solve`` and ``evenhand demo``: a firm to a plan, its proposals and its report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from api.commands.reading import tell_rejects
from api.console import err, out, print_json
from api.errors import CommandError, Exit
from api.intake import write_firm
from api.opening import Opened
from api.report import ReportData, write_csvs, write_html, write_workbook
from api.solving import Budget, solved, was_cancelled
from api.summary import document, print_summary, print_written
from scenarios.firms import demo_firm


def solve(
    opened: Opened, budget: Budget, *, seed: int, plan_to: Path | None, reports: Sequence[Path], as_json: bool
) -> Exit:
    """Plan a firm, print the answer, write the plan and the reports."""
    for target in reports:
        _require_form(target)  # said before the search, not after it
    tell_rejects(opened)
    report = solved(opened.firm, now=opened.now, budget=budget, seed=seed, quiet=as_json, notes=opened.notes())
    written = [plan_to] if plan_to else []
    if plan_to:
        _write_plan(report, plan_to)
    written += [path for target in reports for path in write_report(report, target)]
    if as_json:
        print_json({**document(report), "intake": opened.document(), "written": [str(path) for path in written]})
    else:
        print_summary(out(), report)
        print_written(out(), written)
    return Exit.CANCELLED if was_cancelled(report) else opened.exit_code()


def demo(folder: Path, budget: Budget, *, seed: int, as_json: bool) -> Exit:
    """Plan the demo firm; write it, its plan and its report into ``folder``."""
    made = demo_firm()
    firm_folder = folder / "firm"
    if not as_json:
        people, tasks = len(made.firm.people), len(made.firm.tasks)
        err().print(Text(f"{made.firm.name}: {people} people, {tasks} open tasks, Monday {made.now:%d %B %Y}"))
    write_firm(made.firm, firm_folder)
    report = solved(made.firm, now=made.now, budget=budget, seed=seed, quiet=as_json, notes=())
    plan_path = folder / "plan.json"
    _write_plan(report, plan_path)
    written = [firm_folder, plan_path]
    for target in (folder / "report.html", folder / "report.xlsx", folder / "tables"):
        write_report(report, target)
        written.append(target)
    if as_json:
        print_json({**document(report), "written": [str(path) for path in written]})
    else:
        print_summary(out(), report)
        print_written(out(), written)
        again = f"evenhand solve {firm_folder} --now {made.now:%Y-%m-%dT%H:%M}"
        out().print(Text(f"The same from its files: {again}"))
    return Exit.CANCELLED if was_cancelled(report) else Exit.DONE


def write_report(report: ReportData, target: Path) -> list[Path]:
    """Write a report whose form follows the name: ``.html``, ``.xlsx``, else a folder of CSV files; return its files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    ending = target.suffix.casefold()
    if ending == ".html":
        write_html(report, target)
    elif ending == ".xlsx":
        write_workbook(report, target)
    else:
        return list(write_csvs(report, target))
    return [target]


def _require_form(target: Path) -> None:
    """Refuse a report whose name has another ending."""
    if target.suffix.casefold() not in ("", ".html", ".xlsx"):
        raise CommandError(
            "report_form",
            f'--report "{target}" is neither .html, .xlsx nor a folder. Nearest: "{target.with_suffix(".html")}".',
            exit_code=Exit.USAGE,
            field="report",
            value=str(target),
            nearest=str(target.with_suffix(".html")),
        )


def _write_plan(report: ReportData, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.plan.model_dump_json(indent=1) + "\n", encoding="utf-8")
