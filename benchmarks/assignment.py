"""Published generalised assignment instances through the front door: a `Firm` in, `solver.batch` to work, an independent check.

Agent = person, hours = minutes, capacity = open minutes before the common deadline (`benchmarks.one_deadline`), cost = mismatch price.
Escalating is far dearer than any match, as every task must be done.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from api.crew import processes
from api.stops import WallClock
from benchmarks import one_deadline
from benchmarks.one_deadline import OneDeadline
from benchmarks.records import instance_folder, record
from solver import Firm, Plan, solve
from solver.stop import FirstOf, TargetGap

UNDONE_MIN = 16_000
"""Price of a task left undone: costs are of some tens to a thousand."""


@dataclass(frozen=True)
class Instance:
    """One instance: ``cost`` and ``hours`` by agent and task, ``room`` by agent."""

    name: str
    cost: tuple[tuple[int, ...], ...]
    hours: tuple[tuple[int, ...], ...]
    room: tuple[int, ...]


def read(path: Path) -> Instance:
    """Read the published text format: ``m n``, costs, hours, capacities."""
    numbers = iter(int(word) for word in path.read_text(encoding="ascii").split())
    agents, tasks = next(numbers), next(numbers)
    return Instance(
        name=path.name,
        cost=tuple(_row(numbers, tasks) for _ in range(agents)),
        hours=tuple(_row(numbers, tasks) for _ in range(agents)),
        room=_row(numbers, agents),
    )


def _row(numbers: Iterator[int], count: int) -> tuple[int, ...]:
    return tuple(next(numbers) for _ in range(count))


def firm_of(instance: Instance) -> Firm:
    """Return the instance as a firm."""
    asked = OneDeadline(
        name=instance.name,
        work_min=np.array(instance.hours, dtype=np.int64).T,
        price_min=np.array(instance.cost, dtype=np.int64).T,
        room_min=np.array(instance.room, dtype=np.int64),
    )
    return one_deadline.firm_of(asked, escalation_min=UNDONE_MIN)


def checked_cost(instance: Instance, plan: Plan) -> int:
    """Return the cost of a plan from the instance alone; raises ``ValueError`` when the answer breaks the instance."""
    used = [0] * len(instance.room)
    total = 0
    done: set[str] = set()
    for planned in plan.tasks:
        i, j = int(planned.person[1:]), int(planned.task[1:])
        used[i] += instance.hours[i][j]
        total += instance.cost[i][j]
        done.add(planned.task)
    if len(done) != len(instance.cost[0]) or any(u > room for u, room in zip(used, instance.room, strict=True)):
        raise ValueError(f"{instance.name}: {len(done)} tasks done, use {used} against {instance.room}")
    return total


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the named instances, or all, and print the gap of each to the best known cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="instance names such as d10100; none: every instance found")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    folder = instance_folder("gap")
    with (folder / "best_known.csv").open(encoding="utf-8") as table:
        best = {row["instance"].split("/")[-1]: row for row in csv.DictReader(table)}
    files = sorted(path for path in folder.glob("*/*") if not asked.names or path.name in asked.names)
    for path in files:
        instance = read(path)
        clock = WallClock(asked.seconds)
        stop = FirstOf((clock, TargetGap(0.0)))
        with processes(patient=False) as crew:
            plan = solve(firm_of(instance), now=one_deadline.NOW, stop=stop, seed=asked.seed, crew=crew, advice=False)
        seconds, known = clock.elapsed_s(), int(best[path.name]["best_known_cost"])
        try:
            cost: int | None = checked_cost(instance, plan)
        except ValueError as broken:
            print(f"{instance.name}: {len(plan.escalations)} tasks escalated ({broken})"[:160])
            cost = None
        gap = None if cost is None else round(100 * (cost - known) / known, 3)
        bound = plan.certificate.bound_min + plan.certificate.unavoidable_min
        print(
            f"{instance.name:10} best known {known:7} ours {cost} bound {bound} gap {gap} % in {seconds:.1f} s",
            flush=True,
        )
        record(
            "assignment",
            instance=instance.name,
            best_known=known,
            ours=cost,
            bound=bound,
            gap_pct=gap,
            seconds=round(seconds, 1),
        )


if __name__ == "__main__":
    main()
