"""What could be changed in a firm after what its time sheets say; offered, never applied here.

Three things can change: the default estimate of a type, the estimates of open tasks, a cell of the skill matrix. Each suggestion
says from what to what, on how many finished tasks it rests, within which limits the true value lies, and all that in a sentence.
None is made on thin evidence, none smaller than its own uncertainty, none too small to matter.

Many are looked at, few are true: the effects are shrunk towards zero as much as effects of their kind deserve, which keeps chance finds
out without a further correction (Gelman, Hill and Yajima 2012, "Why we (usually) don't have to worry about multiple comparisons").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from solver.firm import Firm, Task
from solver.learning import learn
from solver.learnt import Change, Kind, Learned, PersonInSkill, Ratio, Suggestion
from solver.observations import Observation
from solver.policy import Frozen
from solver.wording import hours_text

STEP_MIN, STEP_PCT = 5, 5
"""Estimates are given in minutes of a clock, efficiency in steps a manager would choose."""
LONGEST_MIN, EFFICIENCY_PCT = 1_000_000, (10, 1_000)
"""The limits of the fields of the firm."""


class Evidence(Frozen):
    """What a suggestion must rest on."""

    min_tasks: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=8, description="finished tasks at least; below, one odd season decides"
    )
    useful_pct: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10,
        description="smallest change of an estimate or a cell, in percent of it, that is worth a manager's minute",
    )


USUAL = Evidence()


def suggest(
    firm: Firm,
    observations: Iterable[Observation],
    *,
    as_of: date,
    window_days: int = 730,
    settled: Collection[str] = (),
    evidence: Evidence = USUAL,
) -> tuple[Suggestion, ...]:
    """Return what the observations suggest to change, by kind and subject.

    Parameters
    ----------
    observations, as_of, window_days
        As in `solver.learning.learn`.
    settled
        Open tasks whose estimates already come from an accepted suggestion; they are not corrected again.

    Returns
    -------
    tuple of Suggestion
        No two change the same field; any of them can be accepted without the others.
    """
    seen = tuple(observations)
    learned = learn(firm, seen, as_of=as_of, window_days=window_days)
    defaults = {kind.id: kind.default_estimate_min for kind in firm.task_types}
    # A default is judged by what tasks of its type took, not by the estimates people gave instead of it.
    by_default = [one.model_copy(update={"estimate_min": defaults.get(one.type)}) for one in seen]
    beside_defaults = learn(firm, by_default, as_of=as_of, window_days=window_days)
    return (
        *_defaults(firm, beside_defaults, evidence),
        *_open_estimates(firm, learned, evidence, frozenset(settled)),
        *_cells(firm, learned, evidence),
    )


def _stands_out(ratio: Ratio, tasks: int, evidence: Evidence) -> bool:
    """Whether a ratio rests on enough tasks, is surely not 1, and is far enough from it."""
    sure = ratio.low > 1 or ratio.high < 1
    return tasks >= evidence.min_tasks and sure and abs(ratio.ratio - 1) >= evidence.useful_pct / 100


def _matters(before: int, after: int, evidence: Evidence) -> bool:
    """Whether a change is still worth making after rounding."""
    return 100 * abs(after - before) >= evidence.useful_pct * before


def _rounded(value: float, step: int, least: int, most: int) -> int:
    """Return the multiple of ``step`` nearest to a value within limits; small values to whole numbers."""
    unit = step if value >= 4 * step else 1
    return min(max(unit * round(value / unit), least), most)


def _defaults(firm: Firm, learned: Learned, evidence: Evidence) -> Iterator[Suggestion]:
    kinds = {kind.id: kind for kind in firm.task_types}
    for one in learned.types:
        kind = kinds[one.type]  # types without a default say nothing beside it
        before = kind.default_estimate_min
        if before is None or not _stands_out(one.level, one.tasks, evidence):
            continue
        after = _rounded(before * one.level.ratio, STEP_MIN, 1, LONGEST_MIN)
        if _matters(before, after, evidence):
            yield Suggestion(
                kind=Kind.DEFAULT_ESTIMATE,
                key=f"{Kind.DEFAULT_ESTIMATE}:{kind.id}",
                type=kind.id,
                changes=(Change(id=kind.id, before=before, after=after),),
                ratio=one.level,
                tasks=one.tasks,
                sentence=f"{kind.label} usually takes {hours_text(after)}, not {hours_text(before)}: {_rests_on(one.tasks)}, "
                f"and the true value is {_between(before, one.level)}.",
            )


def _open_estimates(firm: Firm, learned: Learned, evidence: Evidence, settled: frozenset[str]) -> Iterator[Suggestion]:
    """Correct a client's tasks by the client's own level where it stands out from the type's, the others by the type's."""
    types = {one.type: (one.level, one.tasks) for one in learned.types}
    own = {
        (one.type, one.client): (one.level, one.tasks)
        for one in learned.clients
        if _stands_out(one.beside_type, one.tasks, evidence)
    }
    groups: dict[tuple[str, str | None], list[Task]] = {}
    for task in firm.tasks:
        if task.open and task.estimate_min is not None and task.id not in settled and task.type in types:
            client = task.client if (task.type, task.client) in own else None
            groups.setdefault((task.type, client), []).append(task)
    for type, client in sorted(groups, key=lambda key: (key[0], key[1] or "")):
        ratio, tasks = types[type] if client is None else own[type, client]
        if not _stands_out(ratio, tasks, evidence):
            continue
        changes = tuple(change for task in groups[type, client] for change in _corrected(task, ratio, evidence))
        if changes:
            yield _of_open(firm, type, client, changes, ratio, tasks)


def _corrected(task: Task, ratio: Ratio, evidence: Evidence) -> Iterator[Change]:
    before = task.estimate_min or 0
    after = _rounded(before * ratio.ratio, STEP_MIN, 1, LONGEST_MIN)
    if _matters(before, after, evidence):
        yield Change(id=task.id, before=before, after=after)


def _of_open(
    firm: Firm, type: str, client: str | None, changes: tuple[Change, ...], ratio: Ratio, tasks: int
) -> Suggestion:
    kind = next(kind.label for kind in firm.task_types if kind.id == type)
    whom = "" if client is None else f" for {next(one.label for one in firm.clients if one.id == client)}"
    count = "1 open task" if len(changes) == 1 else f"{len(changes)} open tasks"
    before, after = sum(one.before for one in changes), sum(one.after for one in changes)
    return Suggestion(
        kind=Kind.OPEN_ESTIMATES,
        key=f"{Kind.OPEN_ESTIMATES}:{type}" + ("" if client is None else f":{client}"),
        type=type,
        client=client,
        changes=changes,
        ratio=ratio,
        tasks=tasks,
        sentence=f"{kind}{whom} takes {_percent(ratio.ratio)} % of its estimate: {_rests_on(tasks)}, and the true value is between "
        f"{_percent(ratio.low)} and {_percent(ratio.high)} %. The estimates of {count} would go from {hours_text(before)} to "
        f"{hours_text(after)} in all.",
    )


def _cells(firm: Firm, learned: Learned, evidence: Evidence) -> Iterator[Suggestion]:
    cells = {(person.id, cell.skill): cell.efficiency_pct for person in firm.people for cell in person.skills}
    names = {person.id: person.label for person in firm.people}
    for one in learned.people_in_skills:
        before = cells.get((one.person, one.skill))
        # Tasks of types nobody else does tell nothing about the person: they may take long for everybody.
        if before is None or not _stands_out(one.level, min(one.tasks, one.compared_tasks), evidence):
            continue
        after = _rounded(one.efficiency_pct.ratio, STEP_PCT, *EFFICIENCY_PCT)
        if _matters(before, after, evidence):
            yield _of_cell(one, names[one.person], before, after)


def _of_cell(one: PersonInSkill, name: str, before: int, after: int) -> Suggestion:
    limits = f"{round(one.efficiency_pct.low)} and {round(one.efficiency_pct.high)} %"
    return Suggestion(
        kind=Kind.EFFICIENCY,
        key=f"{Kind.EFFICIENCY}:{one.person}:{one.skill}",
        person=one.person,
        skill=one.skill,
        changes=(Change(id=one.person, skill=one.skill, before=before, after=after),),
        ratio=one.level,
        tasks=one.compared_tasks,
        sentence=f"{name} needs {after} % of the estimate where {one.skill} is asked, not {before} %: "
        f"{_rests_on(one.compared_tasks)} beside what others took for the same types, and the true value is between {limits}.",
    )


def _rests_on(tasks: int) -> str:
    return f"this rests on {tasks:,} finished {'task' if tasks == 1 else 'tasks'}"


def _between(minutes: int, ratio: Ratio) -> str:
    return f"between {hours_text(round(minutes * ratio.low))} and {hours_text(round(minutes * ratio.high))}"


def _percent(ratio: float) -> str:
    return f"{round(100 * ratio):,}"
