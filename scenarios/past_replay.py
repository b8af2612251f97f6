"""What a replayed period came to: the four metrics week by week; against the record, decision by decision; and against another replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from scenarios.past import Past, Routing, Terms
from scenarios.past_office import PastOffice
from scenarios.past_outcome import (
    Control,
    Differing,
    NotRepeated,
    PastComparison,
    PastFigures,
    PastOutcome,
    PastSide,
    PersonFigures,
    PersonHit,
)
from solver.calendar import local_now
from solver.firm import Status, Task
from solver.plan import Outcome

Say = Callable[[str], None]


@dataclass(frozen=True)
class PastReplay:
    """One replay of a period.

    Attributes
    ----------
    tasks
        As they stand at the end.
    not_repeated
        What people did in the record and do not do here.
    plans_taken, planned_anew
        Batches with the recorded plan, and batches planned anew.
    """

    terms: Terms
    sentences: tuple[str, ...]
    weeks: tuple[PastFigures, ...]
    whole: PastFigures
    people: tuple[PersonFigures, ...]
    routings: tuple[Routing, ...]
    tasks: dict[str, Task]
    not_repeated: tuple[NotRepeated, ...]
    proposed: int
    approved: int
    plans_taken: int
    planned_anew: int


def play(past: Past, terms: Terms, *, units: float = 0.1, seed: int = 0, anew: bool = False) -> PastReplay:
    """Play a period again; the past is not changed.

    Parameters
    ----------
    units
        Deterministic work of each batch that is planned anew (`solver.stop.WorkBudget`).
    anew
        Plan every batch anew, for a fair comparison with terms under which that must be done.
    """
    office = PastOffice(past.firm, past, terms, units, seed, anew)
    office.play()
    weeks = tuple(_figures(past, office, monday, monday + timedelta(days=6)) for monday in _mondays(past))
    first, last = (local_now(past.firm, when).date() for when in (past.first, past.last))
    return PastReplay(
        terms=terms,
        sentences=terms.sentences(past.firm),
        weeks=weeks,
        whole=_figures(past, office, first, last),
        people=_people(past, office),
        routings=tuple(office.routings),
        tasks=dict(office.tasks),
        not_repeated=tuple(office.not_repeated),
        proposed=len(office.proposed),
        approved=office.approved,
        plans_taken=office.plans_taken,
        planned_anew=office.planned_anew,
    )


def control(past: Past, replay: PastReplay) -> Control:
    """Return how much of the record a replay under the policy in force makes again."""
    differing = _differing(past.routings, replay.routings)
    recorded = len(past.routings)
    same = recorded - sum(one.before != "no decision" for one in differing)
    share_pct = round(100 * same / recorded, 2) if recorded else 100.0
    return Control(recorded=recorded, same=same, share_pct=share_pct, differing=differing)


def compared(before: PastReplay, after: PastReplay) -> PastComparison:
    """Return what differs between two replays of one period."""
    was, now = _escalated(before), _escalated(after)
    late_was, late_now = _late(before), _late(after)
    return PastComparison(
        weeks=tuple(zip(before.weeks, after.weeks, strict=True)),
        whole=(before.whole, after.whole),
        people=_hit(before, after),
        differing=_differing(before.routings, after.routings),
        escalations_gained=_only(now, was),
        escalations_lost=_only(was, now),
        late_gained=_only(late_now, late_was),
        late_lost=_only(late_was, late_now),
    )


def outcome(past: Past, was: PastReplay, other: tuple[PastReplay, PastReplay] | None = None) -> PastOutcome:
    """Return what people are told.

    Parameters
    ----------
    was
        The period under the policy in force, with the recorded plans.
    other
        The policy in force and another one, with the same means for every batch.
    """
    return PastOutcome(
        control=control(past, was),
        as_it_was=_side(was),
        before=None if other is None else _side(other[0]),
        after=None if other is None else _side(other[1]),
        comparison=None if other is None else compared(*other),
    )


def _side(one: PastReplay) -> PastSide:
    return PastSide(
        name=one.terms.name,
        terms=one.sentences,
        whole=one.whole,
        weeks=one.weeks,
        people=one.people,
        proposed=one.proposed,
        approved=one.approved,
        plans_taken=one.plans_taken,
        planned_anew=one.planned_anew,
        not_repeated=one.not_repeated,
    )


def _mondays(past: Past) -> list[date]:
    first, last = (local_now(past.firm, when).date() for when in (past.first, past.last))
    monday = first - timedelta(days=first.weekday())
    return [monday + timedelta(weeks=w) for w in range((last - monday).days // 7 + 1)]


def _figures(past: Past, office: PastOffice, first: date, last: date) -> PastFigures:
    """Return the metrics of some days of the period."""
    begin, end = (local_now(past.firm, when).date() for when in (past.first, past.last))
    first_day, last_day = max(first, begin), min(last, end)
    worked = sum(minutes for (_, day), minutes in office.worked_min.items() if first_day <= day <= last_day)
    there = sum(minutes for (_, day), minutes in office.open_min.items() if first_day <= day <= last_day)
    spreads = [one.spread_pct for one in office.shares if first_day <= one.day <= last_day]
    due = [task for task in office.tasks.values() if first_day <= task.deadline <= last_day and _counts(task)]
    late = sum(not _on_time(task) for task in due)
    days = (local_now(past.firm, when).date() for when in office.escalated.values())
    return PastFigures(
        first_day=first,
        utilisation_pct=round(100 * worked / there, 2) if there else None,
        spread_pct=round(fmean(spreads), 2) if spreads else None,
        on_time_pct=round(100 * (len(due) - late) / len(due), 2) if due else None,
        escalations=sum(first_day <= day <= last_day for day in days),
        due=len(due),
        late=late,
    )


def _counts(task: Task) -> bool:
    return task.status is not Status.CANCELLED


def _on_time(task: Task) -> bool:
    return task.status is Status.DONE and task.completed_on is not None and task.completed_on <= task.deadline


def _people(past: Past, office: PastOffice) -> tuple[PersonFigures, ...]:
    begin = local_now(past.firm, past.first).date()
    mine: dict[str, list[str]] = defaultdict(list)
    for task in office.tasks.values():
        if task.assignee is not None and (task.open or (task.completed_on or date.min) >= begin):
            mine[task.assignee].append(task.id)
    worked: dict[str, int] = defaultdict(int)
    there: dict[str, int] = defaultdict(int)
    for (person, _), minutes in office.worked_min.items():
        worked[person] += minutes
    for (person, _), minutes in office.open_min.items():
        there[person] += minutes
    names = [person.id for person in office.base.people]
    return tuple(
        PersonFigures(person=name, worked_min=worked[name], open_min=there[name], tasks=tuple(mine[name]))
        for name in names
    )


def _differing(before: Iterable[Routing], after: Iterable[Routing]) -> tuple[Differing, ...]:
    """Return the decisions that differ, the first about a task beside the first, the second beside the second."""
    was, now = _by_task(before), _by_task(after)
    found = []
    for task in dict.fromkeys([*was, *now]):
        old, new = was.get(task, []), now.get(task, [])
        for i in range(max(len(old), len(new))):
            a, b = old[i] if i < len(old) else None, new[i] if i < len(new) else None
            if a is not None and b is not None and (a.outcome, a.person) == (b.outcome, b.person):
                continue
            when = min(one.when for one in (a, b) if one is not None)
            words = {"before": _came_to(a), "after": _came_to(b), "before_why": _why(a), "after_why": _why(b)}
            found.append(Differing(task=task, number=i + 1, when=when, **words))
    return tuple(sorted(found, key=lambda one: (one.when, one.task, one.number)))


def _by_task(routings: Iterable[Routing]) -> dict[str, list[Routing]]:
    found: dict[str, list[Routing]] = defaultdict(list)
    for one in routings:
        found[one.task].append(one)
    return found


def _came_to(routing: Routing | None) -> str:
    if routing is None:
        return "no decision"
    return routing.person or routing.outcome.value


def _why(routing: Routing | None) -> str:
    return "" if routing is None else routing.reason


def _escalated(replay: PastReplay) -> list[str]:
    return list(dict.fromkeys(one.task for one in replay.routings if one.outcome is Outcome.ESCALATED))


def _late(replay: PastReplay) -> list[str]:
    first, last = replay.whole.first_day, replay.weeks[-1].first_day + timedelta(days=6)
    return [t.id for t in replay.tasks.values() if _counts(t) and first <= t.deadline <= last and not _on_time(t)]


def _only(here: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    other = set(there)
    return tuple(name for name in here if name not in other)


def _hit(before: PastReplay, after: PastReplay) -> tuple[PersonHit, ...]:
    was, now = ({one.person: one for one in replay.people} for replay in (before, after))
    found = [
        PersonHit(
            person=name,
            worked_before_min=was[name].worked_min,
            worked_after_min=now[name].worked_min,
            gained=_only(now[name].tasks, was[name].tasks),
            lost=_only(was[name].tasks, now[name].tasks),
        )
        for name in now
        if name in was
    ]
    hit = [one for one in found if one.gained or one.lost or one.worked_before_min != one.worked_after_min]
    return tuple(sorted(hit, key=lambda one: (-abs(one.worked_after_min - one.worked_before_min), one.person)))
