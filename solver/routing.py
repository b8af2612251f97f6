"""The routing rule: one arrival, one answer, with everybody's reason. Steps are those of the product page, section 3.

1 trigger, 2 filter by skill, 3 rank by remaining hours this week, 4 deadline fit, 5 seniority guardrail, 6 assign,
8 update the capacity model. Telling the outside (6 write-back, 7 notify, 9 log) is the service's work; the `Decision`
holds all it needs. Ties in the ranking end in the person's id.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.board import Board
from solver.eligibility import FILTERS, code
from solver.firm import Task
from solver.plan import Candidate, Decision, Filter, Outcome
from solver.refusal import Refusal, Refused, nearest_name
from solver.repairs import ways_out
from solver.task_row import TaskRow, is_held
from solver.windows import Span, Window, graded_windows
from solver.wording import hours_text


def place(board: Board, task: Task) -> Decision:
    """Place one arrival by the rule and update the board; the board stays as it was when nobody gets the task.

    Raises
    ------
    Refused
        The task names a type, client or person that the firm does not have, or its id is taken by open work.
    """
    decision, promise = _decide(board, task)
    if promise is not None:
        person, window, work = promise
        board.promise(task, person, window, work)
    return decision


def dry_run(board: Board, task: Task) -> Decision:
    """Return what `place` would answer, and leave the board as it is."""
    return _decide(board, task)[0]


def _decide(board: Board, task: Task) -> tuple[Decision, tuple[int, Window, int] | None]:
    _check(board, task)
    if is_held(board.firm, task, board.types[task.type]):
        return _held(task), None
    board.cut_for(task)
    row = board.row_of(task)
    span = board.span_of(task)
    stops, gaps = _stops(board, row, span)
    remaining = board.remaining_this_week()
    ranked = ranking(board, remaining)
    candidates = _candidates(board, row, ranked, remaining, stops, gaps)
    if task.requested_person is not None:
        return _requested(board, row, span, candidates, stops, gaps)
    passing = ranked[stops[ranked] == 0]
    if len(passing) == 0:
        return _escalated(board, row, span, candidates), None
    person = int(passing[0])
    window = Window(span.release, span.due, 0)
    decision = _placed(board, task, person, window, candidates, reason=_why_first(board, person, remaining))
    return decision, (person, window, int(row.work_min[person]))


def _check(board: Board, task: Task) -> None:
    """Step 1: a valid task."""
    for field, value, known, where in (
        ("type", task.type, board.types, "task types"),
        ("client", task.client, board.clients, "clients"),
        ("requested_person", task.requested_person, board.staff.row, "people"),
        ("reviews", task.reviews, board.known, "tasks"),
    ):
        if value is not None and value not in known:
            raise Refused(
                Refusal(
                    code="unknown_reference",
                    field=field,
                    value=value,
                    message="is not known",
                    nearest=nearest_name(value, known),
                    hint=f"Maybe add it under {where}.",
                )
            )
    if not task.open:
        raise Refused(
            Refusal(
                code="not_open", field="status", value=task.status.value, message="needs no work", nearest="planned"
            )
        )
    if task.id in board.promises:
        raise Refused(
            Refusal(
                code="placed_already",
                field="id",
                value=task.id,
                message="has a person already",
                hint="Maybe withdraw it first.",
            )
        )


def _stops(board: Board, row: TaskRow, span: Span) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Return per person the code of the first filter that stops them, in the rule's order, and the minutes missing."""
    stops = row.stopped.copy()
    same_piece = np.array(board.worked_on_piece(row.task), dtype=np.int64)
    stops[same_piece[stops[same_piece] == 0]] = code(Filter.REVIEWER)
    room = board.ledger.rooms_min(span.release, span.due)
    gaps: NDArray[np.int64] = np.maximum(row.work_min - room, 0)
    stops[(stops == 0) & (gaps > 0)] = code(Filter.DEADLINE)
    stops[(stops == 0) & row.below] = code(Filter.GUARDRAIL)
    return stops, gaps


def candidates_of(board: Board, row: TaskRow, span: Span) -> tuple[Candidate, ...]:
    """Return everybody in rank order, with the first filter that stops each from having the task in ``span``."""
    stops, gaps = _stops(board, row, span)
    remaining = board.remaining_this_week()
    return _candidates(board, row, ranking(board, remaining), remaining, stops, gaps)


def ranking(board: Board, remaining: NDArray[np.int32]) -> NDArray[np.int64]:
    """Step 3: most remaining minutes this week first; ties by id."""
    return np.lexsort((board.staff.id_order, -remaining)).astype(np.int64)


def _candidates(
    board: Board,
    row: TaskRow,
    ranked: NDArray[np.int64],
    remaining: NDArray[np.int32],
    stops: NDArray[np.int8],
    gaps: NDArray[np.int64],
) -> tuple[Candidate, ...]:
    people = board.firm.people
    columns = (ranked, remaining[ranked], stops[ranked], row.work_min[ranked], gaps[ranked], board.load_min[ranked])
    # model_construct: these values come from our own arrays, and validation would cost more than the decision.
    return tuple(
        Candidate.model_construct(
            person=people[p].id,
            remaining_min=left,
            stopped_by=FILTERS[stop - 1] if stop else None,
            work_min=work,
            gap_min=gap,
            load_min=load,
        )
        for p, left, stop, work, gap, load in zip(*(column.tolist() for column in columns), strict=True)
    )


def _why_first(board: Board, person: int, remaining: NDArray[np.int32]) -> str:
    return (
        f"{board.firm.people[person].label} has the most remaining hours this week ({hours_text(int(remaining[person]))}) "
        "among those with the skill, the level and enough open hours before the deadline"
    )


def _requested(
    board: Board,
    row: TaskRow,
    span: Span,
    candidates: tuple[Candidate, ...],
    stops: NDArray[np.int8],
    gaps: NDArray[np.int64],
) -> tuple[Decision, tuple[int, Window, int] | None]:
    """A client's request sets ranking, hours and guardrail aside, never skill, employment, independence or review."""
    task = row.task
    person = board.staff.row[str(task.requested_person)]
    stop = FILTERS[stops[person] - 1] if stops[person] else None
    label = board.firm.people[person].label
    if stop is not None and stop is not Filter.DEADLINE:
        reason = f"the client asked for {label}, who {stop.meaning}"
        return _escalated(board, row, span, candidates, reason=reason), None
    window = Window(span.release, span.due, 0)
    if stop is Filter.DEADLINE:
        late = graded_windows(board.axis, (task,), {task.id: row.remaining_min}, board.firm.policy.weights)[0]
        work = int(row.work_min[person])
        fitting = (w for w in late if board.in_order(task, w) and board.ledger.fits(person, w.release, w.due, work))
        found = next(fitting, None)
        if found is None:
            reason = f"the client asked for {label}, who cannot finish before its review is promised to begin"
            return _escalated(board, row, span, candidates, reason=reason), None
        window = found
    reason = f"the client asked for {label}"
    decision = _placed(board, task, person, window, candidates, reason=reason, overload_min=int(gaps[person]))
    return decision, (person, window, int(row.work_min[person]))


def _held(task: Task) -> Decision:
    return Decision(
        task=task.id,
        outcome=Outcome.HELD,
        person=None,
        promised_day=None,
        overridden=False,
        overload_min=0,
        candidates=(),
        reason="the estimate is missing",
    )


def _placed(
    board: Board,
    task: Task,
    person: int,
    window: Window,
    candidates: tuple[Candidate, ...],
    *,
    reason: str,
    overload_min: int = 0,
) -> Decision:
    return Decision.model_construct(
        task=task.id,
        outcome=Outcome.PLACED,
        person=board.firm.people[person].id,
        promised_day=board.axis.day_of(window.due),
        overridden=task.requested_person is not None,
        overload_min=overload_min,
        candidates=candidates,
        ways_out=(),
        reason=reason,
    )


def _escalated(
    board: Board, row: TaskRow, span: Span, candidates: tuple[Candidate, ...], reason: str | None = None
) -> Decision:
    return Decision(
        task=row.task.id,
        outcome=Outcome.ESCALATED,
        person=None,
        promised_day=None,
        overridden=False,
        overload_min=0,
        candidates=candidates,
        ways_out=ways_out(board, row, span),
        reason=reason or why_nobody(board, row, candidates),
    )


def why_nobody(board: Board, row: TaskRow, candidates: tuple[Candidate, ...]) -> str:
    """Say why no candidate passed: who is qualified and how short of time, or what stops everybody."""
    people = board.firm.people
    names = {people[p].id: people[p].label for p in board.qualified(row)}
    short = [c for c in candidates if c.person in names]
    if short:
        best = min(short, key=lambda c: (c.gap_min, c.person))
        return (
            f"{len(short)} qualified {_people(len(short))}, none with enough open hours before the deadline: "
            f"{names[best.person]} is nearest, {hours_text(best.gap_min)} short"
        )
    if not people:
        return "the firm has no people"
    same_piece = set(board.worked_on_piece(row.task))
    stops = [Filter.REVIEWER if p in same_piece and not row.stopped[p] else row.stop(p) for p in range(len(people))]
    counts = [(which, stops.count(which)) for which in FILTERS if which in stops]
    return "nobody may do it: " + ", ".join(f"{n} {_people(n)} stopped by {which.value}" for which, n in counts)


def _people(count: int) -> str:
    return "person" if count == 1 else "people"
