"""What is scarce: the hours worth most, each verified by planning again with that hour added.

Prices of a relaxation say where to look; what is stated is found by two exact solves of the same few people from the same
plan, with the hour and without it, so that nothing counts as worth of the hour that better planning would have found
anyway. Fair shares, windows, and who may do what stay as they are: the hour is room, nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver import integer_program
from solver.model import Scope
from solver.neighbourhoods import Neighbourhoods
from solver.plan import Scarcity
from solver.price_list import PriceList
from solver.problem import ESCALATED, Assignment, Problem
from solver.wording import hours_text

HOUR_MIN = 60
NAMED = 4
"""Hours named: what a manager reads and can act on."""
TRIED_PER_NAMED = 3
"""Candidates looked at for each hour to name; the relaxation prices many hours that whole tasks have no use for."""
ALIKE_TRIED = 2
"""People of the same level, skills and day looked at until one of them is named."""
NEARLY_FULL = 0.95
"""Part of a person's highest price that counts as all of it: an hour on any day up to the last such one is worth as much."""
SIZES = (5, 4, 3, 2, 1)
"""People planned again: the most whose solve is small enough and closes."""
MOST_PICKS = 200
"""Choices of person and window in one solve: 200 close in three tenths of a second at most, twice as many often not in two seconds."""
NODES = 50
LOST_TASKS = 12
"""Escalated tasks in one solve: a firm may have hundreds, and an hour takes one or two of them."""
SHOWN_TASKS = 5


class Hours(NamedTuple):
    """The hours found, dearest first, and the deterministic work it took."""

    found: tuple[Scarcity, ...]
    work_units: float


NO_HOURS = Hours((), 0.0)


class _Hour(NamedTuple):
    """One more hour of a person in a slot, with its price in minutes."""

    person: int
    slot: int
    price_min: float


class _Tried(NamedTuple):
    """The best plans found for the same people without the hour and with it; ``None`` where no solve closed, or no time was left."""

    without: Assignment | None
    with_hour: Assignment | None
    work_units: float


def scarce_hours(
    problem: Problem,
    plan: Assignment,
    price_list: PriceList,
    *,
    go_on: Callable[[], bool],
    most: int = NAMED,
    seed: int = 0,
) -> Hours:
    """Return up to ``most`` hours that would be worth most.

    Parameters
    ----------
    plan
        A plan that breaks no rule; it stays as it is.
    go_on
        Asked before every solve; once it says no, what is verified so far is returned.
    """
    found: list[Scarcity] = []
    tried: Counter[tuple[str, tuple[str, ...], date]] = Counter()
    work, places = 0.0, Neighbourhoods(problem, seed) if problem.task_count else None
    solved = 0
    for hour in _dearest(problem, price_list):
        alike = _alike(problem, hour)
        if tried[alike] >= ALIKE_TRIED:
            continue
        if places is None or len(found) == most or solved == most * TRIED_PER_NAMED or not go_on():
            break
        tried[alike] += 1
        solved += 1
        answer = _tried(problem, plan, places, hour, go_on)
        work += answer.work_units
        one = _written(problem, hour, answer)
        if one is not None:
            tried[alike] = ALIKE_TRIED
            if not any((one.level, one.skills, one.day) == (other.level, other.skills, other.day) for other in found):
                found.append(one)
    return Hours(tuple(sorted(found, key=lambda one: (-one.worth_min, one.person))), work)


def with_more(problem: Problem, person: int, slot: int, minutes: int) -> Problem:
    """Return the problem with minutes added to a person's slot: every window around it holds as many more."""
    room = problem.room_min.copy()
    room[person, : np.searchsorted(problem.releases, slot, side="right"), np.searchsorted(problem.dues, slot) :] += (
        minutes
    )
    return replace(problem, room_min=room)


def _dearest(problem: Problem, price_list: PriceList) -> list[_Hour]:
    """Return one hour per person, dearest first: on the last day, with an hour left to add, that has almost the full price."""
    board = problem.board
    axis, days = board.axis, board.axis.days
    ends = np.array([s for s in range(axis.count) if s + 1 == axis.count or days[s + 1] != days[s]], dtype=np.int64)
    price = price_list.on(axis, board.staff.ids)[:, ends] * HOUR_MIN
    found: list[_Hour] = []
    for p in np.flatnonzero(price.max(axis=1, initial=0.0) >= 1.0).tolist():
        for i in np.flatnonzero(price[p] >= NEARLY_FULL * price[p].max())[::-1].tolist():
            day = days[int(ends[i])]
            if board.days.most_added_min(np.array([p]), day, day)[0] >= HOUR_MIN:
                found.append(_Hour(p, int(ends[i]), round(float(price[p, i]), 6)))
                break
    return sorted(found, key=lambda hour: (-hour.price_min, int(board.staff.id_order[hour.person])))


def _alike(problem: Problem, hour: _Hour) -> tuple[str, tuple[str, ...], date]:
    person = problem.board.firm.people[hour.person]
    return person.level, tuple(sorted(cell.skill for cell in person.skills)), problem.board.axis.days[hour.slot]


def _tried(
    problem: Problem, plan: Assignment, places: Neighbourhoods, hour: _Hour, go_on: Callable[[], bool]
) -> _Tried:
    """Plan the people around the hour again, without it and with it; what it is compared with is proven best."""
    work = 0.0
    for size in SIZES:
        scope = _scope(problem, plan, places, hour.person, size)
        program = integer_program.build(problem, scope)
        if len(program.task) > MOST_PICKS and size > SIZES[-1]:
            continue
        without, proven, units = _solved(program, plan)
        work += units
        if not go_on():
            break
        if proven:
            more = with_more(problem, hour.person, hour.slot, HOUR_MIN)
            with_hour, _, units = _solved(integer_program.build(more, scope), without)
            return _Tried(without, with_hour, work + units)
    return _Tried(None, None, work)


def _solved(program: integer_program.Program, known: Assignment) -> tuple[Assignment, bool, float]:
    """Return the better of a known plan and the one found, whether it is proven best, and the work used."""
    found, proven, work = integer_program.solve(program, nodes=NODES)
    objective_min = program.problem.objective_min
    return known if found is None or objective_min(found) >= objective_min(known) else found, proven, work


def _scope(problem: Problem, plan: Assignment, places: Neighbourhoods, p: int, size: int) -> Scope:
    """Return a person with those who hold the dearest late work they might do and those who share their work."""
    placed = np.flatnonzero((plan.who >= 0) & (plan.who != p) & problem.allowed[:, p])
    price = problem.late_min[problem.chosen(plan, placed)]
    late = placed[np.argsort(-price, kind="stable")][: (price > 0).sum()]
    holders = dict.fromkeys([p, *plan.who[late].tolist()])
    scope = places.around(plan, list(holders)[: min(size, 3)], min(size, problem.person_count))
    lost = [t for t in scope.tasks if plan.who[t] == ESCALATED]
    if len(lost) <= LOST_TASKS:
        return scope
    lost.sort(key=lambda t: (not problem.allowed[t, p], -problem.escalation_min[t] / _remaining_min(problem, [t]), t))
    kept = {t for t in scope.tasks if plan.who[t] != ESCALATED}.union(lost[:LOST_TASKS])
    return replace(scope, tasks=tuple(t for t in scope.tasks if t in kept))


def _written(problem: Problem, hour: _Hour, tried: _Tried) -> Scarcity | None:
    """Return what the two plans differ in, ``None`` where the hour is not worth an hour: it is not scarce then."""
    before, after = tried.without, tried.with_hour
    if before is None or after is None:
        return None
    worth = problem.objective_min(before) - problem.objective_min(after)
    if worth < HOUR_MIN:
        return None
    board, person = problem.board, problem.board.firm.people[hour.person]
    late = _late_min(problem, before), _late_min(problem, after)
    placed, lost = (np.flatnonzero((a.who < 0) & (b.who >= 0)) for a, b in ((before, after), (after, before)))
    mended, delayed = (
        np.flatnonzero((a > 0) & (b == 0) & (before.who >= 0) & (after.who >= 0)) for a, b in (late, late[::-1])
    )
    sooner = np.flatnonzero((before.who >= 0) & (after.who >= 0) & (late[1] < late[0]))
    saved = sorted({*placed.tolist(), *sooner.tolist()})
    found = Scarcity(
        person=person.id,
        level=person.level,
        skills=_skills(problem, hour.person, saved, before, after),
        day=board.axis.days[hour.slot],
        price_min=round(hour.price_min),
        worth_min=worth,
        escalated_min=int(problem.escalation_min[placed].sum() - problem.escalation_min[lost].sum()),
        late_min=int(late[0].sum() - late[1].sum()),
        escalated_work_min=_remaining_min(problem, placed) - _remaining_min(problem, lost),
        late_work_min=_remaining_min(problem, mended) - _remaining_min(problem, delayed),
        tasks=tuple(board.tasks[t].id for t in saved),
        sentence="",
    )
    return found.model_copy(update={"sentence": _sentence(found, person.label)})


def _late_min(problem: Problem, plan: Assignment) -> NDArray[np.int64]:
    """Return the ``(tasks,)`` price of lateness, 0 for escalated tasks."""
    price = np.zeros(problem.task_count, dtype=np.int64)
    placed = np.flatnonzero(plan.who >= 0)
    price[placed] = problem.late_min[problem.chosen(plan, placed)]
    return price


def _remaining_min(problem: Problem, tasks: Iterable[int]) -> int:
    return sum(problem.board.rows[t].remaining_min for t in tasks)


def _skills(problem: Problem, p: int, saved: list[int], before: Assignment, after: Assignment) -> tuple[str, ...]:
    """Return the skills the hour is wanted for: of what the person saves; else of what they take from others; else of all saved."""
    board = problem.board
    own = [t for t in saved if after.who[t] == p]
    taken = np.flatnonzero((after.who == p) & (before.who != p)).tolist()
    return tuple(sorted({board.types[board.tasks[t].type].skill for t in own or taken or saved}))


def _sentence(one: Scarcity, label: str) -> str:
    article = "an" if one.level[:1].lower() in tuple("aeiou") else "a"
    does = f" who does {' and '.join(one.skills)}" if one.skills else ""
    parts = [
        f"{hours_text(minutes)} of {kind} work"
        for kind, minutes in (("escalated", one.escalated_work_min), ("late", one.late_work_min))
        if minutes > 0
    ]
    cost = f"{one.worth_min:,} minutes of the plan's cost"
    worth = f"{' and '.join(parts)} ({cost})" if parts else cost
    more = len(one.tasks) - SHOWN_TASKS
    names = ", ".join(one.tasks[:SHOWN_TASKS]) + (f" and {more} more" if more > 0 else "")
    saves = f": {names}" if names else ""
    return f"One more hour of {article} {one.level}{does} ({label}) by {one.day} is worth {worth}{saves}."
