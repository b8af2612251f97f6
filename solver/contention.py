"""Who contends for what: a task that costs more than it must, the people who may do it, and what they hold that is in its way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.problem import Assignment, Problem

WORTH_SHARE = 1e-3
"""A task is worth packing for from this share of the objective on."""
MOST_PEOPLE = 12
"""People who may do a task: what a dive takes grows with the square of their tasks."""
MOST_DRAWN = 20
"""Tasks that cost more than they must of which those with few more people come along."""
MOST_OUTLETS = 12
"""People beside those, who may take some of their work and have room for it: what is handed to them makes room for the rest. With
them eight dives brought a firm of 100 people from 827 thousand minutes, after a minute's search without them, to 657."""


def contended(problem: Problem, plan: Assignment, seed: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tasks, ``size`` at most, and people of a dive.

    A task is drawn by what it costs beyond its least price; with it come the people who may do it, those who may do others drawn after
    it as long as there are not too many, and what they hold that is due first. Of tasks that are linked to each other only the first
    is there.
    """
    random = np.random.default_rng(seed)
    excess = _worth_min(problem, plan)
    dear = np.flatnonzero(excess)
    if len(dear) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    drawn = random.choice(dear, size=min(len(dear), MOST_DRAWN), replace=False, p=excess[dear] / excess.sum()).tolist()
    people = np.flatnonzero(problem.allowed[drawn[0]])
    if len(people) > MOST_PEOPLE:
        here = people == plan.who[drawn[0]]
        people = np.sort(
            np.concatenate([people[here], random.permutation(people[~here])[: MOST_PEOPLE - int(here.sum())]])
        )
    for t in drawn[1:]:
        more = np.union1d(people, np.flatnonzero(problem.allowed[t]))
        people = more if len(more) <= MOST_PEOPLE else people
    placed = plan.who >= 0
    window = problem.first_window[:-1] + np.maximum(plan.window, 0)
    ours = np.where(placed, np.isin(plan.who, people), problem.allowed[:, people].any(axis=1))
    # What is late or escalated could be due first; of the rest, what is due later is in nobody's way.
    column = np.where(excess > 0, -1, problem.due_column[window])
    order = random.permutation(np.flatnonzero(ours))
    order = order[np.argsort(column[order], kind="stable")]
    chosen: list[int] = []
    linked: set[int] = set()
    for t in [drawn[0], *order[order != drawn[0]].tolist()]:
        if len(chosen) == size:
            break
        if t not in linked:
            chosen.append(t)
            linked.update(problem.piece[problem.piece_start[t] : problem.piece_start[t + 1]].tolist())
    tasks = np.sort(np.array(chosen, dtype=np.int64))
    return tasks, np.sort(np.concatenate([people, _outlets(problem, plan, tasks, people)]))


def contested(problem: Problem, plan: Assignment) -> NDArray[np.int64]:
    """Return the tasks that cost much more than they must, and those that are in their way.

    In the way of a task is what is promised no later than it is due, by people who may do it.
    """
    placed = plan.who >= 0
    among = _worth_min(problem, plan) > 0
    column = problem.due_column[problem.first_window[:-1] + np.maximum(plan.window, 0)]
    for t in np.flatnonzero(among).tolist():
        among |= placed & problem.allowed[t, plan.who] & (column <= column[t])
    return np.flatnonzero(among)


def dear_minute(problem: Problem, plan: Assignment) -> float:
    """Return what the tasks that cost much more than they must cost beyond that, by the minute of their work; nothing without any."""
    worth = _worth_min(problem, plan)
    hard = np.flatnonzero(worth)
    may = problem.allowed[hard]
    work_min = np.where(may, problem.work_min[hard], 0).sum(axis=1) / may.sum(axis=1)
    return float(worth.sum() / work_min.sum()) if len(hard) else 0.0


def dear_tasks(problem: Problem, plan: Assignment) -> int:
    """Return how many tasks there are that a dive may be drawn by."""
    return int((_worth_min(problem, plan) > 0).sum())


def _worth_min(problem: Problem, plan: Assignment) -> NDArray[np.float64]:
    """Return ``(T,)`` what each task costs beyond its least price, 0 where that is too little to pack for."""
    excess = excess_min(problem, plan)
    excess[excess < WORTH_SHARE * (problem.objective_min(plan) - problem.unavoidable_min())] = 0.0
    return excess


def _outlets(
    problem: Problem, plan: Assignment, tasks: NDArray[np.int64], people: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return who else could take some of the tasks, those with the most room for them: what is handed to them makes room."""
    room = np.maximum(problem.slack_min(plan, np.arange(problem.person_count))[:, :1, :].sum(axis=1), 0)
    room = np.minimum.accumulate(room[:, ::-1], axis=1)[:, ::-1]
    placed = tasks[plan.who[tasks] >= 0]
    column = problem.due_column[problem.first_window[placed] + plan.window[placed]]
    inside = np.append(room, np.full((len(room), 1), np.iinfo(np.int32).max), axis=1)[:, column].T
    work = problem.work_min[placed]
    fits = np.where(problem.allowed[placed] & (work <= inside), work, 0).sum(axis=0)
    fits[people] = 0
    order = np.argsort(-fits, kind="stable")[:MOST_OUTLETS]
    outlets: NDArray[np.int64] = order[fits[order] > 0]
    return outlets


def excess_min(problem: Problem, plan: Assignment) -> NDArray[np.float64]:
    """Return ``(T,)`` what each task costs beyond the least it could cost alone, balance aside."""
    placed = plan.who >= 0
    window = problem.first_window[:-1] + np.maximum(plan.window, 0)
    cost = problem.escalation_min.astype(np.float64)
    cost[placed] = (
        problem.late_min[window[placed]]
        + problem.comfort_min[placed, plan.who[placed]]
        - problem.least_comfort_min[placed].astype(np.float64)
    )
    excess: NDArray[np.float64] = np.maximum(cost - problem.least_price_min, 0.0)
    excess[~problem.allowed.any(axis=1)] = 0.0
    return excess
