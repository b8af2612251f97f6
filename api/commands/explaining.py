"""``evenhand why``: why a task is with its person in a plan, or why not with another."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from rich.text import Text

from api.commands.reading import tell_rejects
from api.console import ProgressLine, err, out, print_json
from api.errors import CommandError, Exit
from api.opening import Opened
from api.solving import Budget, plan_of
from solver.explain import why, why_not
from solver.plan import Plan
from solver.refusal import refusals


def explain(
    opened: Opened, task: str, person: str | None, *, plan_path: Path | None, budget: Budget, seed: int, as_json: bool
) -> Exit:
    """Explain one task in the plan at ``plan_path``, or in a fresh plan."""
    tell_rejects(opened)
    if plan_path is not None:
        plan = read_plan(plan_path)
    else:
        if not as_json:
            err().print(Text("Planning first; `--plan plan.json` explains a plan made before."))
        with ProgressLine(quiet=as_json) as line:
            plan = plan_of(opened.firm, now=opened.now, budget=budget, seed=seed, on_progress=line)
    if person is None:
        explanation = why(opened.firm, plan, task)
        print_json(explanation) if as_json else out().print(Text(explanation.sentence()))
    else:
        answer = why_not(opened.firm, plan, task, _person_id(opened, person), seed=seed)
        print_json(answer) if as_json else out().print(Text(answer.sentence()))
    return Exit.DONE


def _person_id(opened: Opened, said: str) -> str:
    """Return the id of a person given by id or by full name; unknown ones are left to be refused by the engine."""
    named = [one.id for one in opened.firm.people if said in (one.id, one.name)]
    return named[0] if len(named) == 1 else said


def read_plan(path: Path) -> Plan:
    """Return a plan that `evenhand solve --out` wrote."""
    try:
        return Plan.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = refusals(error)[0]
        message = f"{path} is not a plan: {first.sentence()} Maybe write one with `evenhand solve --out`."
        raise CommandError("not_a_plan", message, field=first.field, value=first.value) from error
