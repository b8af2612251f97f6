"""Accepted suggestions: the firm as it would be, and what planning by it is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from pydantic import Field

from solver.again import carried_over
from solver.batch import solve
from solver.board import compile_board
from solver.crew import Crew
from solver.firm import Firm, Person, Task, TaskType
from solver.learnt import Change, Kind, Suggestion
from solver.plan import Certificate, Plan
from solver.policy import Frozen
from solver.problem import compile_problem
from solver.refusal import Refusal, Refused
from solver.stop import Stop

Model = TypeVar("Model", Person, Task, TaskType)
Wanted = dict[str, list[tuple[int, Change]]]
"""Changes by id, each with the place of its suggestion."""


def apply(firm: Firm, suggestions: Iterable[Suggestion]) -> Firm:
    """Return the firm with some suggestions accepted; the one given stays as it is.

    Raises
    ------
    Refused
        A suggestion changes what the firm does not have, or what no longer has the value it had when the suggestion was made.
        Nothing is applied then.
    """
    wanted: dict[Kind, Wanted] = {kind: {} for kind in Kind}
    for place, one in enumerate(suggestions):
        for change in one.changes:
            wanted[one.kind].setdefault(change.id, []).append((place, change))
    return firm.model_copy(
        update={
            "task_types": _each(firm.task_types, wanted[Kind.DEFAULT_ESTIMATE], _with("default_estimate_min")),
            "tasks": _each(firm.tasks, wanted[Kind.OPEN_ESTIMATES], _with("estimate_min")),
            "people": _each(firm.people, wanted[Kind.EFFICIENCY], _with_cell),
        }
    )


def _each(
    models: tuple[Model, ...], wanted: Wanted, changed: Callable[[Model, int, Change], Model]
) -> tuple[Model, ...]:
    found = {model.id: model for model in models}
    for id, changes in wanted.items():
        for place, change in changes:
            if id not in found:
                raise _refused("unknown_reference", place, "id", id, "is not part of the firm any more", None)
            found[id] = changed(found[id], place, change)
    return tuple(found.values())


def _with(field: str) -> Callable[[Model, int, Change], Model]:
    def changed(model: Model, place: int, change: Change) -> Model:
        _require_same(place, change, getattr(model, field))
        return model.model_copy(update={field: change.after})

    return changed


def _with_cell(person: Person, place: int, change: Change) -> Person:
    known = {cell.skill: cell for cell in person.skills}
    if change.skill not in known:
        raise _refused(
            "unknown_reference", place, "skill", change.skill, f"is not a skill of {person.id} any more", None
        )
    _require_same(place, change, known[change.skill].efficiency_pct)
    cells = [
        cell.model_copy(update={"efficiency_pct": change.after}) if cell.skill == change.skill else cell
        for cell in person.skills
    ]
    return person.model_copy(update={"skills": tuple(cells)})


def _require_same(place: int, change: Change, now: object) -> None:
    if now != change.before:
        raise _refused(
            "stale_suggestion", place, "before", change.before, f"is not what {change.id} has any more", str(now)
        )


def _refused(code: str, place: int, field: str, value: object, message: str, nearest: str | None) -> Refused:
    return Refused(
        Refusal(
            code=code,
            field=f"suggestions.{place}.{field}",
            value=str(value),
            message=message,
            nearest=nearest,
            hint="Maybe ask for suggestions again.",
        )
    )


class Gain(Frozen):
    """What planning by accepted suggestions is worth, if they are true.

    Objectives by different numbers cannot be compared: longer estimates cost more whatever is planned. So both plans are priced by the
    accepted numbers: the one made without them, carried over as far as it still holds, and the one made with them. What of the first
    does not hold any more is mended in the carrying over, for nothing; so the gain is a cautious one.
    """

    before: Certificate = Field(description="of the plan by today's numbers, as the firm believes it now")
    after: Certificate = Field(description="of the plan by the accepted numbers")
    unaware_min: int = Field(
        description="what the plan by today's numbers costs by the accepted ones, in the terms of `after`"
    )
    gain_min: int = Field(description="what knowing saves, never negative: unaware less the objective of `after`")


def gain(
    firm: Firm,
    suggestions: Iterable[Suggestion],
    *,
    now: datetime,
    stop: Callable[[], Stop],
    seed: int = 0,
    crew: Crew | None = None,
) -> Gain:
    """Return what accepting suggestions gains, by planning the firm without and with them.

    Parameters
    ----------
    stop
        Makes the stop rule of each of the two plans, as a rule may count what it has seen.

    Raises
    ------
    Refused
        As in `apply`.
    """
    accepted = apply(firm, suggestions)
    before = solve(firm, now=now, stop=stop(), seed=seed, crew=crew)
    after = solve(accepted, now=now, stop=stop(), seed=seed, crew=crew, last=before)
    return gained(accepted, before, after, now=now)


def gained(accepted: Firm, before: Plan, after: Plan, *, now: datetime) -> Gain:
    """Return what the plan ``after`` of the firm with accepted suggestions gains on the plan ``before`` of the firm without."""
    problem = compile_problem(compile_board(accepted, now=now))
    unaware = problem.objective_min(carried_over(problem, before)) - problem.unavoidable_min()
    return Gain(
        before=before.certificate,
        after=after.certificate,
        unaware_min=unaware,
        gain_min=unaware - after.certificate.objective_min,
    )
