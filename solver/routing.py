"""The routing rule: one arrival, one answer, with everybody's reason. Steps are those of the product page, section 3.

1 trigger, 2 filter by skill, 3 rank by remaining hours this week, 4 deadline fit, 5 seniority guardrail, 6 assign,
8 update the capacity model. Telling the outside (6 write-back, 7 notify, 9 log) is the service's work; the `Decision`
holds all it needs. Ties in the ranking end in the person's id.
"""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from solver.board import Board
from solver.eligibility import FILTERS, code
from solver.firm import Task
from solver.plan import Candidate, Decision, Filter, Outcome, RoutingPolicy
from solver.promises import Promise
from solver.refusal import Refusal, Refused, nearest_name
from solver.repairs import ways_out
from solver.seen import Candidates, Choice, Seen
from solver.task_row import TaskRow, is_held
from solver.windows import Span, Window, graded_windows
from solver.wording import hours_text


class Policy(Protocol):
    """Chooses among those who pass every filter of the rule."""

    @property
    def name(self) -> RoutingPolicy:
        """What decisions call it."""

    def choose(self, board: Board, row: TaskRow, span: Span, seen: Seen, passing: NDArray[np.int64]) -> Choice:
        """Return one of ``passing``, who are never none, and why."""


class Rule:
    """The rule as written: most remaining hours this week first."""

    name = RoutingPolicy.RULE

    def choose(self, board: Board, row: TaskRow, span: Span, seen: Seen, passing: NDArray[np.int64]) -> Choice:
        """Return who ranks first."""
        person = seen.first(passing)
        return Choice(person, _why_first(board, person, seen))


RULE = Rule()


def place(board: Board, task: Task, *, policy: Policy = RULE) -> Decision:
    """Place one arrival and update the board; the board stays as it was when nobody gets the task.

    Parameters
    ----------
    policy
        Who gets it among those who pass every filter: the rule, or `solver.priced.Priced`.

    Raises
    ------
    Refused
        The task names a type, client or person that the firm does not have, or its id is taken by open work.
    """
    decision, promise = _decide(board, task, policy)
    if promise is not None:
        board.promise(task, *promise)
    return decision


def dry_run(board: Board, task: Task, *, policy: Policy = RULE) -> Decision:
    """Return what `place` would answer, and leave the board as it is."""
    return _decide(board, task, policy)[0]


def _decide(board: Board, task: Task, policy: Policy) -> tuple[Decision, Promise | None]:
    _check(board, task)
    if is_held(board.firm, task, board.types[task.type]):
        return _held(task), None
    board.cut_for(task)
    row = board.row_of(task)
    span = board.span_of(task)
    seen = look(board, row, span)
    if task.requested_person is not None:
        return _requested(board, row, span, seen)
    passing = seen.passing()
    if len(passing) == 0:
        return _escalated(board, row, span, seen), None
    person, reason = policy.choose(board, row, span, seen, passing)
    promise = Promise(person, Window(span.release, span.due, 0), int(seen.work_min[person]))
    return _placed(board, task, promise, seen, reason=reason, policy=policy.name), promise


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


def look(board: Board, row: TaskRow, span: Span) -> Seen:
    """Return everybody, with the first filter that stops each, in the rule's order, from having the task in ``span``."""
    stops = row.stopped.copy()
    same_piece = board.worked_on_piece(row.task)
    for person in same_piece:
        stops[person] = stops[person] or code(Filter.REVIEWER)
    work = row.work_min
    gaps: NDArray[np.int64] = np.maximum(work - board.ledger.rooms_min(span.release, span.due), 0)
    stops[(stops == 0) & (gaps > 0)] = code(Filter.DEADLINE)
    stops[(stops == 0) & row.below] = code(Filter.GUARDRAIL)
    return Seen(
        ids=board.staff.ids,
        id_order=board.staff.id_order,
        remaining_min=board.remaining_this_week(),
        stops=stops,
        work_min=work,
        gap_min=gaps,
        load_min=board.load_min.copy(),
    )


def candidates_of(board: Board, row: TaskRow, span: Span) -> Candidates:
    """Return everybody in rank order, with the first filter that stops each from having the task in ``span``."""
    return Candidates(look(board, row, span))


def _why_first(board: Board, person: int, seen: Seen) -> str:
    return (
        f"{board.firm.people[person].label} has the most remaining hours this week "
        f"({hours_text(int(seen.remaining_min[person]))}) among those with the skill, the level and enough open hours before "
        "the deadline"
    )


def _requested(board: Board, row: TaskRow, span: Span, seen: Seen) -> tuple[Decision, Promise | None]:
    """A client's request sets ranking, hours and guardrail aside, never skill, employment, independence or review."""
    task = row.task
    person = board.staff.row[str(task.requested_person)]
    stop = FILTERS[seen.stops[person] - 1] if seen.stops[person] else None
    label = board.firm.people[person].label
    if stop is not None and stop is not Filter.DEADLINE:
        reason = f"the client asked for {label}, who {stop.meaning}"
        return _escalated(board, row, span, seen, reason=reason), None
    window, work = Window(span.release, span.due, 0), int(seen.work_min[person])
    if stop is Filter.DEADLINE:
        late = graded_windows(board.axis, (task,), {task.id: row.remaining_min}, board.firm.policy.weights)[0]
        fitting = (w for w in late if board.in_order(task, w) and board.ledger.fits(person, w.release, w.due, work))
        found = next(fitting, None)
        if found is None:
            reason = f"the client asked for {label}, who cannot finish before its review is promised to begin"
            return _escalated(board, row, span, seen, reason=reason), None
        window = found
    promise = Promise(person, window, work)
    overload_min = int(seen.gap_min[person])
    reason = f"the client asked for {label}"
    return _placed(board, task, promise, seen, reason=reason, overload_min=overload_min), promise


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
    promise: Promise,
    seen: Seen,
    *,
    reason: str,
    overload_min: int = 0,
    policy: RoutingPolicy = RoutingPolicy.RULE,
) -> Decision:
    return Decision.model_construct(
        task=task.id,
        outcome=Outcome.PLACED,
        person=seen.ids[promise.person],
        promised_day=board.axis.day_of(promise.window.due),
        overridden=task.requested_person is not None,
        overload_min=overload_min,
        candidates=_read_later(seen),
        ways_out=(),
        reason=reason,
        policy=policy,
    )


def _escalated(board: Board, row: TaskRow, span: Span, seen: Seen, reason: str | None = None) -> Decision:
    return Decision.model_construct(
        task=row.task.id,
        outcome=Outcome.ESCALATED,
        person=None,
        promised_day=None,
        overridden=False,
        overload_min=0,
        candidates=_read_later(seen),
        ways_out=ways_out(board, row, span),
        reason=reason or why_nobody(board, row, seen.gap_min),
    )


def _read_later(seen: Seen) -> tuple[Candidate, ...]:
    # Everything a reader of the tuple does works on `Candidates` as well, and pydantic writes both alike.
    return cast(tuple[Candidate, ...], Candidates(seen))


def why_nobody(board: Board, row: TaskRow, gap_min: NDArray[np.int64]) -> str:
    """Say why no candidate passed: who is qualified and how short of time, or what stops everybody."""
    short = np.array(board.qualified(row), dtype=np.int64)
    if len(short):
        nearest = int(short[np.lexsort((board.staff.id_order[short], gap_min[short]))[0]])
        return (
            f"{len(short)} qualified {_people(len(short))}, none with enough open hours before the deadline: "
            f"{board.firm.people[nearest].label} is nearest, {hours_text(int(gap_min[nearest]))} short"
        )
    if not board.firm.people:
        return "the firm has no people"
    stops = np.where((row.stopped == 0) & row.below, code(Filter.GUARDRAIL), row.stopped)
    same_piece = [p for p in board.worked_on_piece(row.task) if not row.stopped[p]]
    stops[same_piece] = code(Filter.REVIEWER)
    counts = np.bincount(stops, minlength=len(FILTERS) + 1).tolist()[1:]
    stopped = ((which, n) for which, n in zip(FILTERS, counts, strict=True) if n)
    return "nobody may do it: " + ", ".join(f"{n} {_people(n)} stopped by {which.value}" for which, n in stopped)


def _people(count: int) -> str:
    return "person" if count == 1 else "people"
