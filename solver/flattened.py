"""A problem and a plan as flat arrays, for the compiled loops of `solver.anneal`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.anneal import Facts, Overbooked, State
from solver.problem import Assignment, Problem


def facts(problem: Problem) -> Facts:
    """Flatten a problem for the compiled loop."""
    board, balance = problem.board, problem.balance
    reviews = [np.array(problem.reviews.get(t, ()), dtype=np.int64) for t in range(problem.task_count)]
    return Facts(
        work=problem.work_min,
        comfort=problem.comfort_min,
        first_window=problem.first_window,
        release=problem.release,
        due=problem.due,
        late=problem.late_min,
        row=problem.release_row,
        column=problem.due_column,
        escalation=problem.escalation_min,
        may_escalate=problem.may_escalate,
        piece=problem.piece,
        piece_start=problem.piece_start,
        preparation=problem.preparation,
        review=np.concatenate([np.zeros(0, dtype=np.int64), *reviews]).astype(np.int32),
        review_start=_starts([len(found) for found in reviews]),
        candidate=np.nonzero(problem.allowed)[1].astype(np.int32),
        candidate_start=_starts(problem.allowed.sum(axis=1).tolist()),
        home=_homes(problem),
        allowed=problem.allowed,
        share=balance.share_min,
        far=balance.far_min,
        end_slots=balance.end_slots,
        near_pct=balance.near_pct,
        far_pct=balance.far_pct,
        week_pct=balance.week_pct,
        beyond=board.axis.count,
    )


def _starts(counts: list[int]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(np.array(counts, dtype=np.int64))]).astype(np.int32)


def _homes(problem: Problem) -> NDArray[np.int32]:
    """Return the person each task belongs with: the one with the least comfort price, -1 where nobody may do it."""
    price = np.where(problem.allowed, problem.comfort_min, np.iinfo(np.int32).max)
    best = price.argmin(axis=1) if problem.person_count else np.zeros(problem.task_count, dtype=np.int64)
    return np.where(problem.allowed.any(axis=1), best, -1).astype(np.int32)


def first_random(seed: int) -> int:
    """Return the state of the generator that a seed begins with; never zero, where it would stay."""
    return (seed * 2 + 1) * 0x9E3779B97F4A7C15 % 2**64


def start_state(problem: Problem, plan: Assignment, seed: int) -> State:
    """Return the state of ``plan``; the same seed gives the same run."""
    people, tasks = problem.person_count, problem.task_count
    held = np.full((people + 1, max(tasks, 1)), -1, dtype=np.int32)
    count = np.zeros(people + 1, dtype=np.int32)
    place = np.zeros(tasks, dtype=np.int32)
    for t, p in enumerate(plan.who.tolist()):
        held[p, count[p]], place[t] = t, count[p]
        count[p] += 1
    loads = problem.loads_min(plan)
    return State(
        who=plan.who.copy(),
        window=plan.window.copy(),
        slack=problem.slack_min(plan),
        load=loads,
        cost=problem.balance.cost_min(loads),
        held=held,
        held_count=count,
        place=place,
        random=np.array([first_random(seed)], dtype=np.uint64),
    )


def result(state: State) -> Assignment:
    """Return the plan a state stands for, as a copy."""
    return Assignment(state.who.copy(), state.window.copy())


def overbooked(problem: Problem, plan: Assignment) -> Overbooked:
    """Return what overbooking keeps in step, of a plan that breaks no rule."""
    kept = plan.copy()
    kept.who[problem.may_escalate], kept.window[problem.may_escalate] = -1, -1
    return Overbooked(np.zeros(problem.person_count, dtype=np.int64), problem.slack_min(kept), problem.room_min)
