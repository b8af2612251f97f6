"""``evenhand generate``, ``template`` and ``schema``: what people start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.text import Text

from api.console import out, print_json
from api.errors import CommandError, Exit
from api.intake import write_firm, write_template
from scenarios.changes import Scenario
from scenarios.difference import Comparison
from scenarios.firms import Season, generate_firm
from solver.firm import Firm
from solver.plan import Decision, MetricsReport, Plan, Proposal
from solver.policy import Policy
from solver.refusal import nearest_name

SCHEMAS: dict[str, type[BaseModel]] = {
    "firm": Firm,
    "policy": Policy,
    "plan": Plan,
    "decision": Decision,
    "proposal": Proposal,
    "metrics": MetricsReport,
    "scenario": Scenario,
    "comparison": Comparison,
}


def generate(path: Path, *, people: int, tasks: int, season: Season, seed: int, load: float, as_json: bool) -> Exit:
    """Write a synthetic firm and say from which moment it is planned."""
    made = generate_firm(people=people, tasks=tasks, season=season, seed=seed, load=load)
    write_firm(made.firm, path)
    now = made.now.isoformat(timespec="minutes")
    if as_json:
        print_json({"written": str(path), "now": now, "people": len(made.firm.people), "tasks": len(made.firm.tasks)})
    else:
        out().print(Text(f"wrote {path}: {len(made.firm.people):,} people, {len(made.firm.tasks):,} open tasks"))
        out().print(Text(f"plan it with: evenhand solve {path} --now {now}"))
    return Exit.DONE


def template(path: Path, *, force: bool, as_json: bool) -> Exit:
    """Write the empty, explained workbook; never over an existing file unless asked."""
    if path.suffix.casefold() != ".xlsx":
        near = str(path.with_suffix(".xlsx"))
        message = f'--out "{path}" is no workbook. Nearest: "{near}".'
        raise CommandError("not_xlsx", message, exit_code=Exit.USAGE, field="out", value=str(path), nearest=near)
    if path.exists() and not force:
        message = f"{path} exists. Maybe choose another name with --out, or say --force."
        raise CommandError("file_exists", message, field="out", value=str(path))
    write_template(path)
    print_json({"written": str(path)}) if as_json else out().print(Text(f"wrote {path}"))
    return Exit.DONE


def schema(name: str) -> Exit:
    """Print a JSON Schema."""
    if name not in SCHEMAS:
        near = nearest_name(name, sorted(SCHEMAS))
        message = f'schema "{name}" is not known. Nearest: "{near}". Known: {", ".join(sorted(SCHEMAS))}.'
        raise CommandError("unknown_schema", message, exit_code=Exit.USAGE, field="name", value=name, nearest=near)
    found: dict[str, Any] = SCHEMAS[name].model_json_schema()
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **found})
    return Exit.DONE
