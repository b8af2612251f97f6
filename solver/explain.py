"""Why this person, why not that one, why nobody: explanations as data, each checked by the engine that made the plan.

"Why not" is exact: either the filter that stops the person, or the very stretch of days that has too little room, and what forcing
the task there costs, found by solving the plan again with the task fixed to that person.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solver import model
from solver.board import Board, compile_board
from solver.bound import lower_bound
from solver.explanations import BindingWindow, Explanation, Price, WhyNot
from solver.firm import Firm
from solver.neighbourhoods import Neighbourhoods
from solver.plan import EscalatedTask, Filter, Plan, PlannedTask, WayOut
from solver.problem import ESCALATED, Assignment, Problem, compile_problem, personal_prices
from solver.reading import read_back
from solver.refusal import Refusal, Refused, nearest_name
from solver.repairs import ways_out
from solver.wording import hours_text
from solver.writing import board_of

FORCED_PEOPLE = 8
"""People re-planned around a forced task: the two it concerns and those who share most work with them."""


def why(firm: Firm, plan: Plan, task_id: str) -> Explanation:
    """Say why a task is where the plan has it.

    Raises
    ------
    Refused
        The firm has no such task, or the plan is not of this firm and moment.
    """
    _known(firm, task_id)
    board = compile_board(firm, now=plan.now)
    planned = next((item for item in plan.tasks if item.task == task_id), None)
    if planned is not None:
        return _why_planned(compile_problem(board), plan, planned)
    lost = next((item for item in plan.escalations if item.task == task_id), None)
    if lost is not None:
        return _why_nobody(lost)
    hold = next((item for item in plan.holds if item.task == task_id), None)
    task = board.known[task_id]
    code = "held" if hold else task.status.value
    cause = hold.reason if hold else "it needs no further work"
    return Explanation(code=code, task=task_id, person=task.assignee, label=task.assignee or "", cause=cause)


def _known(firm: Firm, task_id: str) -> None:
    names = {task.id for task in firm.tasks}
    if task_id not in names:
        raise Refused(
            Refusal(
                code="unknown_reference",
                field="task",
                value=task_id,
                message="is not known",
                nearest=nearest_name(task_id, names),
            )
        )


def _why_nobody(lost: EscalatedTask) -> Explanation:
    return Explanation(
        code="escalated", task=lost.task, person=None, label="", cause=lost.reason, ways_out=lost.ways_out
    )


def _why_planned(problem: Problem, plan: Plan, planned: PlannedTask) -> Explanation:
    board = problem.board
    t, person = board.task_index[planned.task], board.staff.row[planned.person]
    arrays = read_back(problem, plan)
    late = int(problem.late_min[problem.first_window[t] + arrays.window[t]])
    prices = [Price(term="late", minutes=late)]
    prices += [Price(term=name, minutes=int(price[person])) for name, price in personal_prices(board, t).items()]
    others = [int(p) for p in np.flatnonzero(problem.allowed[t]) if p != person]
    best = min(others, key=lambda p: (int(problem.comfort_min[t, p]), board.firm.people[p].id), default=None)
    flag = next((item.reason for item in plan.flags if item.task == planned.task), None)
    return Explanation(
        code="late" if planned.late else "planned",
        task=planned.task,
        person=planned.person,
        label=board.firm.people[person].label,
        prices=tuple(prices),
        others=len(others),
        next_best=None if best is None else board.firm.people[best].label,
        next_best_min=0 if best is None else int(problem.comfort_min[t, best] - problem.comfort_min[t, person]),
        cause=planned.cause,
        flag=flag,
    )


def why_not(firm: Firm, plan: Plan, task_id: str, person_id: str, *, work_units: float = 2.0, seed: int = 0) -> WhyNot:
    """Say why a person does not have a task, and what it would cost to insist.

    Parameters
    ----------
    work_units
        Deterministic budget of the solve with the task forced to the person.

    Raises
    ------
    Refused
        The firm has no such task or person, or the plan is not of this firm and moment.
    """
    _known(firm, task_id)
    names = {person.id for person in firm.people}
    if person_id not in names:
        raise Refused(
            Refusal(
                code="unknown_reference",
                field="person",
                value=person_id,
                message="is not known",
                nearest=nearest_name(person_id, names),
            )
        )
    problem = compile_problem(compile_board(firm, now=plan.now))
    if task_id not in problem.board.task_index:
        settled = why(firm, plan, task_id)
        return _answer(problem.board, task_id, person_id, settled.code, settled.sentence().rstrip("."))
    return _why_not(problem, plan, task_id, person_id, work_units, seed)


def _answer(board: Board, task: str, person: str, code: str, reason: str) -> WhyNot:
    label = board.firm.people[board.staff.row[person]].label
    return WhyNot(code=code, task=task, person=person, label=label, reason=reason)


def _why_not(problem: Problem, plan: Plan, task: str, person: str, work_units: float, seed: int) -> WhyNot:
    board, arrays = problem.board, read_back(problem, plan)
    t, p = board.task_index[task], board.staff.row[person]
    if arrays.who[t] == p:
        return _answer(board, task, person, "has_it", f"{board.firm.people[p].label} has {task} in this plan")
    stop = board.rows[t].stop(p)
    if stop in (None, Filter.GUARDRAIL) and person in _settled_on_piece(board, t):
        stop = Filter.REVIEWER
    if stop is not None:
        answer = _answer(board, task, person, stop.value, f"{person} {stop.meaning}")
        return answer.model_copy(update={"reason": f"{answer.label} {stop.meaning}"})
    if not problem.allowed[t, p]:
        return _answer(board, task, person, *_fixed(board, t))
    window = _binding(problem, arrays, t, p)
    forced, proven = _forced(problem, arrays, t, p, work_units, seed)
    reason = "the hours are there, but the plan as a whole costs more"
    if window is not None:
        reason = (
            f"from {window.first_day} to {window.last_day} there are {hours_text(window.open_min)} open, "
            f"{hours_text(window.promised_min)} promised, {hours_text(window.missing_min)} missing"
        )
    answer = _answer(board, task, person, "window" if window else "price", reason)
    if forced is None:
        return answer.model_copy(update={"window": window, "ways_out": _repairs(problem, arrays, t, p)})
    changed = np.flatnonzero(forced.who != arrays.who)
    return answer.model_copy(
        update={
            "window": window,
            "extra_min": problem.objective_min(forced) - problem.objective_min(arrays),
            "proven": proven,
            "moved": tuple(board.tasks[i].id for i in changed if i != t and forced.who[i] != ESCALATED),
            "escalated": tuple(board.tasks[i].id for i in changed if forced.who[i] == ESCALATED),
            "ways_out": _repairs(problem, arrays, t, p) if window else (),
        }
    )


def _settled_on_piece(board: Board, t: int) -> list[str]:
    """Return the people whose other work on the piece stays with them in every plan."""
    others = (board.known[name] for name in board.piece(board.tasks[t]))
    return [
        str(other.assignee)
        for other in others
        if board.keeps(other.id) or (other.id in board.promises and (other.pinned or other.started))
    ]


def _fixed(board: Board, t: int) -> tuple[str, str]:
    task = board.tasks[t]
    if task.pinned or task.started:
        return "fixed", f"it {'is pinned' if task.pinned else 'was started'} and stays with {task.assignee}"
    if task.requested_person is not None:
        return "requested", f"the client asked for {task.requested_person}"
    return Filter.DEADLINE.value, "even with nothing else to do the hours before the deadline are too few"


def _binding(problem: Problem, plan: Assignment, t: int, p: int) -> BindingWindow | None:
    """Return the stretch with the least room for the task in its first window, ``None`` where it fits."""
    alone = plan.copy()
    alone.who[t] = ESCALATED
    w = int(problem.first_window[t])
    row, column = int(problem.release_row[w]), int(problem.due_column[w])
    around = problem.slack_min(alone)[p, : row + 1, column:]
    work = int(problem.work_min[t, p])
    if around.size == 0 or int(around.min()) >= work:
        return None
    a, b = (int(i) for i in np.unravel_index(int(around.argmin()), around.shape))
    b += column
    inside = [
        i
        for i in np.flatnonzero(alone.who == p).tolist()
        if problem.release_row[v := int(problem.first_window[i] + alone.window[i])] >= a and problem.due_column[v] <= b
    ]
    days = problem.board.axis.days
    return BindingWindow(
        first_day=days[int(problem.releases[a])],
        last_day=days[int(problem.dues[b])],
        open_min=int(problem.room_min[p, a, b]),
        promised_min=int(problem.work_min[inside, p].sum()),
        work_min=work,
        missing_min=work - int(around.min()),
        tasks=tuple(problem.board.tasks[i].id for i in inside),
    )


def _forced(
    problem: Problem, plan: Assignment, t: int, p: int, work_units: float, seed: int
) -> tuple[Assignment | None, bool]:
    """Solve again with the task fixed to the person; return the plan, ``None`` when there is none, and whether it is proven best."""
    allowed = problem.allowed.copy()
    allowed[t] = False
    allowed[t, p] = True
    may_escalate = problem.may_escalate.copy()
    may_escalate[t] = False
    fixed = replace(problem, allowed=allowed, may_escalate=may_escalate)
    places = Neighbourhoods(problem, seed)
    seeds = [p] if plan.who[t] == ESCALATED else [p, int(plan.who[t])]
    scope = places.around(plan, seeds, FORCED_PEOPLE)
    scope = replace(scope, tasks=tuple(sorted({*scope.tasks, t})))
    found, closed, _ = model.solve(model.build(fixed, scope), work_units=work_units, seed=seed)
    if found is None:
        return None, False
    if closed and places.everything(scope):
        return found, True
    return found, fixed.objective_min(found) <= lower_bound(fixed).minutes


def _repairs(problem: Problem, plan: Assignment, t: int, p: int) -> tuple[WayOut, ...]:
    without = plan.copy()
    without.who[t] = ESCALATED
    board, row = board_of(problem, without), problem.board.rows[t]
    return ways_out(board, row, board.span_of(row.task), people=(p,))
