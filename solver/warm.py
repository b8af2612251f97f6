"""Compile the annealing ahead of the first solve: ``python -m solver.warm`` (half a minute, once per installation)."""

from __future__ import annotations

from datetime import date, datetime

from solver.batch import solve
from solver.firm import Client, Firm, Person, Skill, Task, TaskType
from solver.stop import WorkBudget


def compile_all() -> None:
    """Solve a firm of one task, which compiles everything for firms of any size and leaves it in numba's cache."""
    day = date(2027, 3, 1)
    firm = Firm(
        people=(Person(id="Ada", level="senior", skills=(Skill(skill="tax"),)),),
        clients=(Client(id="client"),),
        task_types=(TaskType(id="1040", skill="tax"),),
        tasks=(Task(id="task", type="1040", client="client", deadline=day, estimate_min=60),),
    )
    solve(firm, now=datetime(day.year, day.month, day.day, 9), stop=WorkBudget(0.01))


if __name__ == "__main__":
    compile_all()
