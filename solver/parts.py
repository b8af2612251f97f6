"""A firm in parts that are solved one by one, each as a task for a durable worker, and put together again.

    parts = plan_parts(board)
    part_plans = [solve_part(board, part, stop=stop) for part in parts]     # anywhere, in any order, more than once
    plan = merge(board, part_plans)

Parts and their plans are plain names and numbers that survive JSON; everybody compiles the board anew from the same firm and
moment. Each person and each task that somebody may do is in exactly one part, so the objectives of the parts add up, and people
of different parts differ. What is left between parts is order: where a review and its preparation are in two, both keep to
their side of a slot that follows from today alone (`_sides`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from solver.batch import certificate
from solver.board import Board
from solver.bound import Relax, lower_bound
from solver.components import Restricted, restricted
from solver.construct import completed, in_order, others_on_piece, rule_plan
from solver.cutting import dealt_tasks, grouped_people
from solver.plan import Certificate, Plan, StopReason
from solver.policy import Frozen
from solver.price_list import PriceList
from solver.problem import ESCALATED, Assignment, Problem
from solver.refusal import Refusal, Refused
from solver.running import ProgressCallback, Search
from solver.search import anneal_from, solve_neighbourhoods
from solver.stop import Progress, Stop
from solver.wide import problem_of
from solver.writing import written

MOST_PEOPLE = 500
"""People of one part: what annealing of half a minute and neighbourhoods still reach everywhere."""
_HURRY = (StopReason.WALL_CLOCK, StopReason.CANCELLED)
_WORST_FIRST = (*_HURRY[::-1], StopReason.WORK, StopReason.GAP, StopReason.STALLED, StopReason.OPTIMAL)


class Part(Frozen):
    """Some people of a firm, the tasks offered to them, and nothing that another part has."""

    name: str
    place: int = Field(description="place among all parts, from 1")
    of: int = Field(description="how many parts the firm has")
    board: str = Field(description="fingerprint of the board it was cut from")
    people: tuple[str, ...]
    tasks: tuple[str, ...]
    seed: int
    alone: bool = Field(description="no task, piece or person is shared with other parts, so bounds add up")


class PartPromise(Frozen):
    """One task that somebody of the part does, between two slots of the board."""

    task: str
    person: str
    release: int
    due: int


class PartPlan(Frozen):
    """What a worker found for one part; tasks of the part that are not promised are escalated."""

    part: Part
    promises: tuple[PartPromise, ...]
    objective_min: int = Field(description="of the part's tasks and people, unavoidable part included")
    bound_min: int = Field(
        description="no plan of the part is below this, unavoidable part included; worked out where alone"
    )
    stop_reason: StopReason
    work_units: float


def plan_parts(
    board: Board,
    *,
    most_people: int = MOST_PEOPLE,
    seed: int = 0,
    price_list: PriceList | None = None,
    problem: Problem | None = None,
) -> tuple[Part, ...]:
    """Cut a firm into parts; see `solver.cutting` for how.

    Parameters
    ----------
    most_people
        People of a part at most; 1 or more.
    price_list
        Last batch's prices, shared between parts: new work goes where its hours are cheapest.
    problem
        The board's problem (`solver.wide.problem_of`) where it is at hand, here and below; compiled when not given.

    Raises
    ------
    Refused
        ``most_people`` is less than 1.
    """
    if most_people < 1:
        raise _refused("too_few", "most_people", most_people, "is no size of a part", "Maybe use 500.")
    whole = problem_of(board) if problem is None else problem
    groups = grouped_people(whole, most_people)
    dealt = dealt_tasks(whole, groups, price_list)
    mark = fingerprint(board)
    return tuple(
        Part(
            name=f"part {g + 1} of {len(groups)}",
            place=g + 1,
            of=len(groups),
            board=mark,
            people=tuple(board.firm.people[p].id for p in group.people.tolist()),
            tasks=tuple(board.tasks[t].id for t in np.flatnonzero(dealt == g).tolist()),
            seed=seed,
            alone=group.alone,
        )
        for g, group in enumerate(groups)
    )


def solve_part(
    board: Board,
    part: Part,
    *,
    stop: Stop,
    on_progress: ProgressCallback = lambda progress: None,
    problem: Problem | None = None,
) -> PartPlan:
    """Solve one part; the same board, part and work budget give the same plan.

    Raises
    ------
    Refused
        The part was cut from another board.
    """
    _require_board(board, part, "part.board")
    whole = problem_of(board) if problem is None else problem
    cut = _cut(whole, part)
    small = cut.problem
    start = min(completed(small, small.today), small.today, key=small.objective_min)
    base = small.unavoidable_min()
    progress = Progress(0.0, small.objective_min(start) - base, 0, "first plan")
    on_progress(progress)
    search = Search(small, start, progress, stop, on_progress, base, part.seed)
    anneal_from(search, start)
    if part.alone and search.stop_reason in (None, StopReason.WORK, StopReason.GAP):
        bound = Relax()(small, lambda: search.stop(search.progress) not in _HURRY)
        search.bounded(max(bound.minutes - base, 0), bound.work_units)
    if search.stop_reason is None:
        solve_neighbourhoods(search)
    return PartPlan(
        part=part,
        promises=_promises(board, cut, search.plan),
        objective_min=search.progress.objective_min + base,
        bound_min=search.progress.bound_min + base,
        stop_reason=search.stop_reason or StopReason.STALLED,
        work_units=round(search.progress.work_units, 6),
    )


def merge(board: Board, part_plans: Iterable[PartPlan], *, problem: Problem | None = None) -> Plan:
    """Put the plans of all parts together, in any order, and place what is left with whoever in the firm still has room.

    Returns
    -------
    Plan
        Never costs more than the parts together, nor than the routing rule's plan. Its bound is the sum of the parts' where they
        share nothing, else the whole's where that is cheap.

    Raises
    ------
    Refused
        A part is missing, there twice, of another board or another cut; a task is in two parts or in none; or a rule is broken.
    """
    plans = sorted(part_plans, key=lambda one: one.part.place)
    _require_whole(board, plans)
    whole = problem_of(board) if problem is None else problem
    plan = _put_together(whole, plans)
    _require_rules(whole, plan)
    rule = rule_plan(whole)
    best = min(completed(whole, plan), plan, rule, key=whole.objective_min)
    return written(whole, best, _certificate(whole, best, rule, plans))


def fingerprint(board: Board) -> str:
    """Return what tells a board from any other: 32 characters from the firm, the moment and the promises."""
    mark = hashlib.sha256(board.firm.model_dump_json().encode())
    mark.update(f"{board.now} {board.axis.count}".encode())
    for name, one in sorted(board.promises.items()):
        mark.update(f"{name} {int(one.person)} {int(one.window.release)} {int(one.window.due)}\n".encode())
    return mark.hexdigest()[:32]


def _cut(whole: Problem, part: Part) -> Restricted:
    board = whole.board
    tasks = np.array([board.task_index[name] for name in part.tasks], dtype=np.int64)
    people = np.array([board.staff.row[name] for name in part.people], dtype=np.int64)
    usable = None if part.alone else _sides(whole, tasks)
    return restricted(whole, tasks, people, usable=usable)


def _sides(whole: Problem, tasks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return ``(W,)`` the windows that ``tasks`` may use whatever other parts do with their preparations and reviews."""
    usable = np.ones(len(whole.due), dtype=np.bool_)
    mine = set(tasks.tolist())
    beyond = whole.board.axis.count
    for review in np.flatnonzero(whole.preparation >= 0).tolist():
        preparation = int(whole.preparation[review])
        if (review in mine) == (preparation in mine):
            continue
        slot = _between(whole, preparation, review)
        if review in mine:
            for w in whole.windows_of(review):
                usable[w] &= bool(whole.release[w] > slot or whole.release[w] >= beyond)
        elif slot < beyond - 1:
            for w in whole.windows_of(preparation):
                usable[w] &= bool(whole.due[w] <= slot)
    return usable


def _between(whole: Problem, preparation: int, review: int) -> int:
    """Return the last slot of a preparation, before a review in another part, so that today's promises of both stay possible."""
    today = whole.today
    if today.who[preparation] < 0 and today.who[review] >= 0:
        return int(whole.release[whole.first_window[review] + today.window[review]]) - 1
    place = int(today.window[preparation]) if today.who[preparation] >= 0 else 0
    return int(whole.due[whole.first_window[preparation] + place])


def _promises(board: Board, cut: Restricted, plan: Assignment) -> tuple[PartPromise, ...]:
    problem = cut.problem
    placed = np.flatnonzero(plan.who >= 0)
    return tuple(
        PartPromise(
            task=board.tasks[int(cut.tasks[t])].id,
            person=board.staff.ids[int(cut.people[plan.who[t]])],
            release=int(problem.release[w]),
            due=int(problem.due[w]),
        )
        for t, w in zip(placed.tolist(), problem.chosen(plan, placed).tolist(), strict=True)
    )


def _require_board(board: Board, part: Part, field: str) -> None:
    if part.board != (mark := fingerprint(board)):
        raise _refused(
            "other_board",
            field,
            part.board,
            "is the fingerprint of another board",
            "Maybe the firm has changed since: cut it again.",
            nearest=mark,
        )


def _require_whole(board: Board, plans: Sequence[PartPlan]) -> None:
    """Refuse what is not every part of one cut of this board, once."""
    for i, one in enumerate(plans[:1]):
        _require_board(board, one.part, f"part_plans.{i}.part.board")
    for i, one in enumerate(plans):
        field, part, first = f"part_plans.{i}.part", one.part, plans[0].part
        if (part.board, part.of, part.seed) != (first.board, first.of, first.seed):
            raise _refused(
                "other_cut", field, part.name, f"is not of the same cut as {first.name}", "Maybe solve it again."
            )
        if i and part.place == plans[i - 1].part.place:
            raise _refused("part_twice", field, part.name, "occurs twice", "Maybe one of the two should be removed.")
    of = plans[0].part.of if plans else 1 if board.firm.people else 0
    there = {one.part.place for one in plans}
    missing = next((place for place in range(1, of + 1) if place not in there), None)
    if missing is not None or len(plans) != of:
        raise _refused("part_missing", "part_plans", f"part {missing} of {of}", "is missing", "Maybe solve it first.")


def _put_together(whole: Problem, plans: Sequence[PartPlan]) -> Assignment:
    """Return the assignment of all parts; tasks nobody may do are escalated."""
    board, count = whole.board, whole.task_count
    found = Assignment(np.full(count, ESCALATED, dtype=np.int32), np.full(count, -1, dtype=np.int32))
    offered: dict[str, int] = {}
    for i, one in enumerate(plans):
        field = f"part_plans.{i}.part.tasks"
        for name in one.part.tasks:
            if name in offered or name not in board.task_index:
                raise _refused("task_twice", field, name, "is in another part, or no task", "Maybe cut the firm again.")
            offered[name] = i
        _enter(whole, found, i, one, offered)
    for t, task in enumerate(board.tasks):
        if task.id not in offered and not whole.unavoidable(t):
            raise _refused("task_missing", "part_plans", task.id, "is in no part", "Maybe cut the firm again.")
    return found


def _enter(whole: Problem, found: Assignment, i: int, one: PartPlan, offered: dict[str, int]) -> None:
    """Enter the promises of one part."""
    people = set(one.part.people)
    for promise in one.promises:
        field = f"part_plans.{i}.promises"
        if (
            offered.get(promise.task) != i
            or promise.person not in people
            or promise.person not in whole.board.staff.row
        ):
            raise _refused("not_of_the_part", field, promise.task, "is no task of the part, or with nobody of it", "")
        t = whole.board.task_index[promise.task]
        span = promise.release, promise.due
        windows = (w for w in whole.windows_of(t) if (whole.release[w], whole.due[w]) == span)
        w = next(windows, None)
        if w is None or found.who[t] >= 0:
            raise _refused("rule_broken", field, promise.task, "has no such window, or is promised twice", "")
        found.who[t], found.window[t] = whole.board.staff.row[promise.person], w - whole.first_window[t]


def _require_rules(whole: Problem, plan: Assignment) -> None:
    """Refuse a plan that breaks a rule; plans of `solve_part` never do."""
    board = whole.board
    rules: tuple[tuple[str, Callable[[int], bool]], ...] = (
        ("is with somebody who may not do it", lambda t: bool(whole.allowed[t, plan.who[t]])),
        ("starts before the work it reviews is done", lambda t: in_order(whole, plan, t, _window(whole, plan, t))),
        ("is reviewed by who prepared it", lambda t: plan.who[t] not in others_on_piece(whole, plan, t)),
    )
    for t in range(whole.task_count):
        if plan.who[t] < 0:
            broken = None if whole.may_escalate[t] else "is promised today and would be taken back"
        else:
            broken = next((why for why, holds in rules if not holds(t)), None)
        if broken is not None:
            raise _refused("rule_broken", "part_plans", board.tasks[t].id, broken, "Maybe solve its part again.")
    over = np.flatnonzero((whole.slack_min(plan) < 0).any(axis=(1, 2)))
    if len(over):
        name = board.staff.ids[int(over[0])]
        raise _refused("rule_broken", "part_plans", name, "has more work than hours", "Maybe solve the part again.")


def _window(whole: Problem, plan: Assignment, t: int) -> int:
    return int(whole.first_window[t] + plan.window[t])


def _certificate(whole: Problem, plan: Assignment, rule: Assignment, plans: Sequence[PartPlan]) -> Certificate:
    base, worst = whole.unavoidable_min(), _worst(plans)
    objective, (bound, units) = whole.objective_min(plan) - base, _bound(whole, plans)
    bound = min(max(bound - base, 0), objective)
    progress = Progress(sum(one.work_units for one in plans) + units, objective, bound)
    return certificate(
        whole,
        plan,
        rule_min=whole.objective_min(rule),
        progress=progress,
        base_min=base,
        stop_reason=worst,
        seed=plans[0].part.seed if plans else 0,
    )


def _worst(plans: Sequence[PartPlan]) -> StopReason:
    """Return the stop reason of the part that was cut shortest."""
    reasons = {one.stop_reason for one in plans if one.stop_reason is not StopReason.OPTIMAL}
    return next((reason for reason in _WORST_FIRST if reason in reasons), StopReason.STALLED)


def _bound(whole: Problem, plans: Sequence[PartPlan]) -> tuple[int, float]:
    """Return a bound on the whole, unavoidable part included, and the work it took here."""
    if all(one.part.alone for one in plans):
        nobody = [t for t in range(whole.task_count) if whole.unavoidable(t)]
        return sum(one.bound_min for one in plans) + int(whole.escalation_min[nobody].sum()), 0.0
    if isinstance(whole.allowed, np.ndarray):
        bound = lower_bound(whole, go_on=lambda: False)
        return bound.minutes, bound.work_units
    return 0, 0.0


def _refused(code: str, field: str, value: object, message: str, hint: str, *, nearest: str | None = None) -> Refused:
    return Refused(Refusal(code=code, field=field, value=str(value), message=message, nearest=nearest, hint=hint))
