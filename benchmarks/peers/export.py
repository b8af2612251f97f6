"""From a generated firm to the neutral file of its batch problem: ``python -m benchmarks.peers.export FILE --seed 3``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.peers.instance import Instance, Whole, write
from benchmarks.peers.scoring import Answer
from scenarios.firms import generate_firm
from solver.board import Board, compile_board
from solver.construct import completed, rule_plan
from solver.problem import Assignment, Problem, compile_problem

NO_ORIGIN = np.zeros(4, dtype=np.int64)
"""For problems that no generated firm stands behind."""


def board_of(origin: Whole) -> Board:
    """Return the board of the generated firm an instance's ``origin`` names."""
    people, tasks, load_pct, seed = origin.tolist()
    made = generate_firm(people=people, tasks=tasks, load=load_pct / 100, seed=seed)
    return compile_board(made.firm, now=made.now)


def problem_of(origin: Whole) -> Problem:
    """Return the problem of the generated firm an instance's ``origin`` names."""
    return compile_problem(board_of(origin))


def generated(people: int, tasks: int, load: float, seed: int) -> Instance:
    """Return the instance of a generated firm."""
    origin = whole([people, tasks, round(100 * load), seed])
    return instance_of(problem_of(origin), origin)


def answer_of(plan: Assignment) -> Answer:
    """Return a plan of ours as an answer to be scored."""
    return Answer(whole(plan.who), whole(plan.window))


def start_of(problem: Problem) -> Assignment:
    """Return the plan our own search starts from."""
    rule = rule_plan(problem)
    return min(completed(problem, rule), rule, key=problem.objective_min)


def instance_of(problem: Problem, origin: Whole = NO_ORIGIN) -> Instance:
    """Return a problem as plain arrays."""
    pair_task, pair_person = np.nonzero(problem.allowed)
    start, shares = start_of(problem), problem.balance
    return Instance(
        origin=origin,
        open_min=whole(problem.board.open_min),
        first_window=whole(problem.first_window),
        release=whole(problem.release),
        due=whole(problem.due),
        late_min=whole(problem.late_min),
        pair_task=whole(pair_task),
        pair_person=whole(pair_person),
        pair_work_min=whole(problem.work_min[pair_task, pair_person]),
        pair_price_min=whole(problem.comfort_min[pair_task, pair_person]),
        escalation_min=whole(problem.escalation_min),
        may_escalate=whole(problem.may_escalate),
        separate=_separate(problem),
        preparation=whole(problem.preparation),
        end_slots=whole(shares.end_slots),
        share_min=whole(shares.share_min),
        far_min=whole(shares.far_min),
        balance_pct=whole((shares.near_pct, shares.far_pct, shares.week_pct)),
        start_who=whole(start.who),
        start_window=whole(start.window),
        unavoidable_min=whole([problem.unavoidable_min()]),
    )


def whole(numbers: object) -> Whole:
    """Return numbers as an array of whole numbers."""
    return np.array(numbers, dtype=np.int64)


def _separate(problem: Problem) -> Whole:
    """Return each pair of tasks of one piece of work once."""
    one = np.repeat(np.arange(problem.task_count), np.diff(problem.piece_start))
    pairs = np.column_stack([one, problem.piece])
    return whole(pairs[pairs[:, 0] < pairs[:, 1]])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the neutral file of a generated firm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    write(generated(asked.people, asked.tasks, asked.load, asked.seed), asked.out)


if __name__ == "__main__":
    main()
