"""Compile the annealing ahead of the first solve: ``python -m solver.warm`` (half a minute, once per installation)."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np

from solver.board import compile_board
from solver.bound import climbed, lower_bound
from solver.construct import completed, rule_plan
from solver.crew import Job, Near
from solver.deep_dives import DeepDive
from solver.diving import Dive
from solver.firm import Client, Firm, Person, Skill, Task, TaskType
from solver.overbooking import Overbook
from solver.problem import compile_problem
from solver.settling import Settle


def compile_all() -> None:
    """Do each compiled job once for a tiny firm, which compiles it for firms of any size and leaves it in numba's cache.

    Two tasks for a day that has room for one: overbooking has nothing to do where nothing is contested.
    """
    day = date(2027, 3, 1)
    firm = Firm(
        people=(Person(id="Ada", level="senior", skills=(Skill(skill="tax"),)),),
        clients=(Client(id="client"),),
        task_types=(TaskType(id="1040", skill="tax"),),
        tasks=tuple(
            Task(id=id, type="1040", client="client", deadline=day, estimate_min=300) for id in ("one", "other")
        ),
    )
    problem = compile_problem(compile_board(firm, now=datetime(day.year, day.month, day.day, 9)))
    plan = completed(problem, rule_plan(problem))
    jobs: list[Job[object]] = [Overbook(plan, 0), Dive(plan, 0)]  # overbooking ends with annealing
    if (relaxed := lower_bound(problem).relaxed) is not None:
        everybody, everything = np.arange(problem.person_count), np.ones(problem.task_count, dtype=np.bool_)
        jobs += [DeepDive(plan, relaxed, 0), Settle(plan, relaxed, everybody, everything, 0, 0.01, fresh=True)]
    climbed(problem)
    for job in jobs:
        job(problem, Near(lambda: True))


if __name__ == "__main__":
    compile_all()
