"""A saved scenario on today's firm: which of its changes still apply, which do in another form, and which do not, with the reason.

The firm goes on while a scenario lies in a drawer: people leave, work is done, what was only thought of has been decided. Each change is
tried on today's firm as the changes that still apply left it. What cannot be made as it was said is mended where only one thing can
be meant (work that is done falls out of a list), else left out. Nothing is ever applied to more than was meant: a list of people
none of whom is there any more is no list of everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationError

from scenarios.change import FirmChange, day_words, listed
from scenarios.changes import Change
from scenarios.date_changes import DeadlineMoved, DocumentsLate
from scenarios.firm_changes import Freeze, Holiday
from scenarios.people_changes import Away, ExtraHours, Joins, Leaves, MovesTeam, PartTime, SkillLost, SkillSet
from scenarios.task_choice import OnTasks
from scenarios.work_changes import ClientLost, ClientWon, TaskAdded, TaskDropped, TaskSplit
from solver.firm import Firm, Person, Task
from solver.policy import Frozen
from solver.refusal import Refusal, Refused, refusals


class Fate(StrEnum):
    """What becomes of a change on a later firm."""

    KEPT = "kept"
    ALTERED = "altered"
    DROPPED = "dropped"


class Rebased(Frozen):
    """One change of a saved scenario on today's firm."""

    number: int = Field(description="of the change in the scenario, from 0")
    fate: Fate
    was: str = Field(description="the change in words, on the firm it was saved for")
    sentence: str = Field(description="the change in words, on today's firm; empty: it does not apply")
    reason: str = Field(description="why it applies otherwise, or not; empty: it applies as it is")
    change: Change | None = Field(description="as it applies today; none: it does not")


@dataclass(frozen=True)
class _Today:
    """What a change is tried on.

    Attributes
    ----------
    firm
        Today's, with the changes before this one.
    then
        The firm it was saved for, with the changes before this one.
    """

    firm: Firm
    then: Firm
    day: date


@dataclass(frozen=True)
class _Fit:
    """A change as it may apply, with what was mended; ``None``: it does not, for that reason."""

    change: FirmChange | None
    reasons: tuple[str, ...] = ()


def rebased(changes: Sequence[FirmChange], *, then: Firm, now: Firm, day: date) -> tuple[Rebased, ...]:
    """Return what becomes of each change of a scenario saved for one firm on a later one.

    Parameters
    ----------
    changes
        With ids (`scenarios.pinning.pinned`); they can be made to ``then``.
    now
        The firm of ``day``, finished work included, so that it can be said what has become of a task.
    """
    found: list[Rebased] = []
    kept: list[FirmChange] = []
    for number, change in enumerate(changes):
        was, after_then = change.sentence(then), change.apply(then)
        fit, after_now = _fitted(change, kept, _Today(now, then, day), effective=after_then != then)
        reason = "; ".join(fit.reasons)
        if fit.change is None:
            gone = Rebased(number=number, fate=Fate.DROPPED, was=was, sentence="", reason=reason, change=None)
            found.append(gone)
        else:
            fate = Fate.ALTERED if fit.reasons else Fate.KEPT
            here: dict[str, Any] = {"sentence": fit.change.sentence(now), "change": fit.change}
            found.append(Rebased(number=number, fate=fate, was=was, reason=reason, **here))
            kept.append(fit.change)
        then, now = after_then, after_now
    return tuple(found)


def applying(found: Sequence[Rebased]) -> tuple[Change, ...]:
    """Return the changes that apply today, in their order."""
    return tuple(one.change for one in found if one.change is not None)


def _fitted(change: FirmChange, kept: Sequence[FirmChange], today: _Today, *, effective: bool) -> tuple[_Fit, Firm]:
    """Return a change as it fits today's firm, and that firm after it; ``effective``: whether it altered anything then."""
    fit = _mended(change, today)
    after = _made(fit.change, kept, today.firm)
    if isinstance(after, Refusal):
        fit = _after_refusal(fit, after, today)
        after = _made(fit.change, kept, today.firm)
    if isinstance(after, Refusal):
        return _Fit(None, (*fit.reasons, _words(after))), today.firm
    if fit.change is not None and effective and after == today.firm:
        return _Fit(None, (*fit.reasons, _why_nothing(fit.change, today))), today.firm
    return fit, after


def _made(change: FirmChange | None, kept: Sequence[FirmChange], firm: Firm) -> Firm | Refusal:
    """Return the firm after a change that follows others, or why it cannot be made; without a change, the firm."""
    if change is None:
        return firm
    try:
        for earlier in kept:
            change.clash(earlier, firm)
        return change.apply(firm)
    except Refused as error:
        return error.refusal
    except ValidationError as error:
        return refusals(error)[0]


def _mended(change: FirmChange, today: _Today) -> _Fit:
    """Return a change without what is not there any more, as far as one can tell without applying it."""
    passed = _passed(change, today.day)
    if passed is not None:
        return _Fit(None, (f"lies in the past: {day_words(passed)}",))
    if _in_calendar(change, today):
        return _Fit(None, ("is in the calendar by now",))
    for kinds, mend in _MENDS:
        if isinstance(change, kinds):
            return mend(change, today)
    return _Fit(change)


def _passed(change: FirmChange, day: date) -> date | None:
    """Return the last day a change is about, where that is over."""
    last: date | None = None
    if isinstance(change, Away | ExtraHours):
        last = change.last_day
    elif isinstance(change, Holiday):
        last = change.day
    elif isinstance(change, Freeze):
        last = change.until
    elif isinstance(change, DeadlineMoved):
        last = change.to
    return last if last is not None and last < day else None


def _in_calendar(change: FirmChange, today: _Today) -> bool:
    """Whether somebody has put the same time off or overtime into the calendar since; once more would count it twice."""
    if isinstance(change, Away):
        off_min = change.minutes_per_day
        return any(
            entry.person == change.person
            and entry.first_day <= change.first_day
            and entry.last_day >= change.last_day
            and (entry.minutes_per_day is None or (off_min is not None and entry.minutes_per_day >= off_min))
            for entry in today.firm.time_off
            if entry not in today.then.time_off
        )
    if isinstance(change, ExtraHours):
        mine = change.apply(today.then).overtime[-1:]
        return bool(mine) and mine[0] not in today.then.overtime and mine[0] in today.firm.overtime
    return False


def _of_a_person(change: Any, today: _Today) -> _Fit:
    gone = _gone(change.person, today)
    if gone is not None:
        return _Fit(None, (gone,))
    if isinstance(change, MovesTeam) and change.team and not change.new_team:
        if change.team not in {person.team for person in today.firm.people}:
            return _Fit(_with(change, new_team=True), (f"nobody is in the team {change.team} any more",))
    return _Fit(change)


def _gone(id: str, today: _Today) -> str | None:
    """Return why a person cannot be meant any more, ``None`` where they can."""
    person = _person(today.firm, id)
    if person is None:
        then = _person(today.then, id)
        return f"{then.label if then else id} is not in the firm any more"
    if person.leave_date is not None and person.leave_date < today.day:
        return f"{person.label} has left on {day_words(person.leave_date)}"
    return None


def _overtime(change: ExtraHours, today: _Today) -> _Fit:
    teams, levels = {person.team for person in today.firm.people}, {level.name for level in today.firm.levels}
    gone = {one: why for one in change.people if (why := _gone(one, today)) is not None}
    lost = [f"nobody is in the team {team} any more" for team in change.teams if team not in teams]
    unknown = [f"there is no level {level} any more" for level in change.levels if level not in levels]
    reasons = (*gone.values(), *lost, *unknown)
    left: dict[str, tuple[str, ...]] = {
        "people": tuple(one for one in change.people if one not in gone),
        "teams": tuple(one for one in change.teams if one in teams),
        "levels": tuple(one for one in change.levels if one in levels),
    }
    nobody = (change.people or change.teams) and not (left["people"] or left["teams"])
    if nobody or (change.levels and not left["levels"]):
        return _Fit(None, reasons)  # an empty list would mean everybody
    return _Fit(_with(change, **left), reasons) if reasons else _Fit(change)


def _hire(change: Joins, today: _Today) -> _Fit:
    there = {person.id for person in today.firm.people}
    ids = [change.id, *(f"{change.id}-{n}" for n in range(2, change.count + 1))][: change.count]
    missing = [id for id in ids if id not in there]
    reasons: list[str] = []
    if len(missing) < len(ids):
        here = listed([_label(today.firm, id) for id in ids if id in there])
        if not missing:
            return _Fit(None, (f"{here} {'is' if len(ids) == 1 else 'are'} in the firm by now",))
        reasons.append(f"{here} {'is' if len(ids) - len(missing) == 1 else 'are'} in the firm by now")
        change = _with(change, id=missing[0], count=len(missing))
    if change.like is not None and _person(today.firm, change.like) is None:
        model = _person(today.then, change.like)
        if model is None:
            return _Fit(None, (f"{change.like}, who is copied, is not in the firm any more",))
        reasons.append(f"{model.label}, who is copied, is not in the firm any more: taken as it was then")
        as_then = {"level": model.level, "team": model.team, "skills": model.skills, "weekly_min": model.weekly_min}
        given = {name: value for name in as_then if (value := getattr(change, name)) is not None}
        change = _with(change, like=None, **{**as_then, **given})
    return _Fit(change, tuple(reasons))


def _won(change: ClientWon, today: _Today) -> _Fit:
    firm, reasons = today.firm, list[str]()
    if change.client.id in {client.id for client in firm.clients}:
        return _Fit(None, (f"{change.client.label} is a client by now",))
    kinds, tasks = {kind.id for kind in firm.task_types}, {task.id for task in firm.tasks}
    work = tuple(one for one in change.work if one.type in kinds and one.id not in tasks)
    reasons += [
        f"there is no task type {one.type} any more" if one.type not in kinds else f"task {one.id} is there by now"
        for one in change.work
        if one not in work
    ]
    like = change.like
    if like is not None and like not in {client.id for client in firm.clients}:
        reasons.append(f"{like}, whose work is copied, is no client any more")
        like = None
    if (change.work or change.like) and not (work or like):
        return _Fit(None, tuple(reasons))
    client, people = change.client, {person.id for person in firm.people}
    if client.usual_person is not None and client.usual_person not in people:
        reasons.append(f"{client.usual_person}, the client's usual person, is not in the firm any more")
        client = client.model_copy(update={"usual_person": None})
    barred = tuple(one for one in client.barred if one in people)
    if barred != client.barred:
        reasons.append("somebody barred from the client is not in the firm any more")
        client = client.model_copy(update={"barred": barred})
    return _Fit(_with(change, client=client, work=work, like=like) if reasons else change, tuple(reasons))


def _added(change: TaskAdded, today: _Today) -> _Fit:
    task, firm = change.task, today.firm
    if _task(firm, task.id) is not None:
        return _Fit(None, (f"task {task.id} is there by now",))
    reasons: list[str] = []
    mended: dict[str, None] = {}
    for field in ("assignee", "requested_person"):
        person = getattr(task, field)
        gone = None if person is None else _gone(person, today)
        if gone is not None:
            reasons.append(gone)
            mended[field] = None
    return _Fit(_with(change, task=task.model_copy(update=mended)) if mended else change, tuple(dict.fromkeys(reasons)))


def _of_a_client(change: ClientLost, today: _Today) -> _Fit:
    if change.client not in {client.id for client in today.firm.clients}:
        return _Fit(None, (f"{change.client} is no client any more",))
    return _Fit(change)


def _of_a_task(change: TaskDropped | TaskSplit, today: _Today) -> _Fit:
    closed = _closed(change.task, today.firm)
    return _Fit(change) if closed is None else _Fit(None, (closed,))


def _of_tasks(change: OnTasks, today: _Today) -> _Fit:
    firm = today.firm
    for said, known, what in (
        (change.client, {one.id for one in firm.clients}, "client"),
        (change.type, {one.id for one in firm.task_types}, "task type"),
    ):
        if said is not None and said not in known:
            return _Fit(None, (f"there is no {what} {said} any more",))
    if change.person is not None and _person(firm, change.person) is None:
        return _Fit(None, (str(_gone(change.person, today)),))
    closed = {id: why for id in change.tasks if (why := _closed(id, firm)) is not None}
    if not closed:
        return _Fit(change)
    reasons = tuple(closed.values())
    left = tuple(id for id in change.tasks if id not in closed)
    return _Fit(_with(change, tasks=left) if left else None, reasons)


def _closed(id: str, firm: Firm) -> str | None:
    """Return why nothing about a task can change, ``None`` where something can."""
    task = _task(firm, id)
    if task is None:
        return f"task {id} is not there any more"
    return None if task.open else f"task {id} is {task.status.value} by now"


_MENDS: tuple[tuple[Any, Callable[[Any, _Today], _Fit]], ...] = (
    (Away | Leaves | PartTime | SkillSet | SkillLost | MovesTeam, _of_a_person),
    (ExtraHours, _overtime),
    (Joins, _hire),
    (ClientWon, _won),
    (ClientLost, _of_a_client),
    (TaskAdded, _added),
    (TaskDropped | TaskSplit, _of_a_task),
    (OnTasks, _of_tasks),
)


def _after_refusal(fit: _Fit, refusal: Refusal, today: _Today) -> _Fit:
    """Return a change that the firm refuses in the nearest form that says the same, if there is one; else none."""
    change, why = fit.change, _words(refusal)
    if refusal.code == "release_after_deadline" and isinstance(change, DocumentsLate):
        capped = _with(change, past_deadline="cap")
        return _Fit(capped, (*fit.reasons, f"{why}: such work may begin on its deadline"))
    if refusal.code == "release_after_deadline" and isinstance(change, DeadlineMoved):
        able = [task.id for task in change.chosen(today.firm) if _can_move(change, task, today.firm)]
        return _Fit(_with(change, tasks=tuple(able)) if able else None, (*fit.reasons, f"{why}: such work is left out"))
    if refusal.code == "parts_do_not_add_up" and isinstance(change, TaskSplit) and change.parts_min:
        task = _task(today.firm, change.task)
        last = (task.estimate_min or 0 if task else 0) - sum(change.parts_min[:-1])
        if last > 0:
            parts = (*change.parts_min[:-1], last)
            return _Fit(_with(change, parts_min=parts), (*fit.reasons, f"{why}: the last part takes the difference"))
    return _Fit(None, (*fit.reasons, why))


def _words(refusal: Refusal) -> str:
    return f'{refusal.field.replace("_", " ")} "{refusal.value}" {refusal.message}'


def _can_move(change: DeadlineMoved, task: Task, firm: Firm) -> bool:
    try:
        _with(change, tasks=(task.id,)).apply(firm)
    except Refused:
        return False
    return True


def _why_nothing(change: FirmChange, today: _Today) -> str:
    if isinstance(change, OnTasks) and not change.chosen(today.firm):
        return "no open work of that kind is left"
    if isinstance(change, ClientLost):
        return "the client has no such open work any more"
    return "it is so by now: the change alters nothing any more"


def _with(change: Any, **values: object) -> Any:
    return type(change).model_validate({**dict(change), **values})


def _person(firm: Firm, id: str) -> Person | None:
    return next((person for person in firm.people if person.id == id), None)


def _task(firm: Firm, id: str) -> Task | None:
    return next((task for task in firm.tasks if task.id == id), None)


def _label(firm: Firm, id: str) -> str:
    person = _person(firm, id)
    return id if person is None else person.label
