"""Published task assigning (lists of tasks per employee, OptaPlanner) through the front door, one priority after another.

The score is lexicographic: the sum of the end times of critical tasks; the sum of squared loads; the sums of the end times of major, then
of minor tasks. The engine plans who does what and has no order within a day, so each priority is a firm of its own:

* critical tasks: a person per employee and place from the end of the list, with room for one task. A task at the k-th place from
  the end delays k tasks, so its price is k times its minutes (the sum of end times as an assignment problem);
* the others: prices and fair shares that stand for squared loads (`benchmarks.even_loads`), with what is decided already held in
  place by being nobody else's skill. Once with major and minor tasks together, once major tasks by places first.

The engine chooses every assignee. The adapter makes the prices, keeps the better of the two ways, and puts each employee's tasks in
order: by priority, then shortest first, which is the best order for given assignees.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from api.stops import WallClock
from benchmarks.even_loads import even_loads, towards
from benchmarks.one_deadline import NOW, OneDeadline, assignees, firm_of, require_somebody
from benchmarks.records import instance_folder, record
from solver import solve
from solver.stop import FirstOf, Stop, TargetGap

PRIORITIES = ("CRITICAL", "MAJOR", "MINOR")
FACTORS = {"HIGH": 1, "MEDIUM": 2, "LOW": 3, "NONE": 4}
"""Times the base duration, by affinity of employee and customer."""
DEAREST_MIN = 5_000_000
"""Largest price asked for, half of what a mismatch may be."""
FIRST = 1_000
"""A minute of what comes first outweighs this many of what comes second."""

Lists = Sequence[Sequence[int]]
Score = tuple[int, int, int, int]


@dataclass(frozen=True)
class Instance:
    """One instance: ``minutes`` by task and employee, 0 where a skill is missing; the place of each task's priority."""

    name: str
    minutes: NDArray[np.int64]
    priority: NDArray[np.int64]

    def of(self, *priorities: str) -> NDArray[np.int64]:
        """Return the tasks of these priorities."""
        return np.flatnonzero(np.isin(self.priority, [PRIORITIES.index(name) for name in priorities]))


def read(path: Path) -> Instance:
    """Read the published JSON; things are referred to by their ``@id``."""
    found = json.loads(path.read_text(encoding="utf-8"))
    kinds = {kind["@id"]: kind for kind in found["taskTypeList"]}
    minutes = []
    for task in found["taskList"]:
        kind = kinds[task["taskType"]]
        asked = set(kind["requiredSkillList"])
        minutes.append(
            [
                kind["baseDuration"] * FACTORS[employee["affinityMap"].get(task["customer"], "NONE")]
                if asked <= set(employee["skillSet"])
                else 0
                for employee in found["employeeList"]
            ]
        )
    priority = [PRIORITIES.index(task["priority"]) for task in found["taskList"]]
    return Instance(path.stem, np.array(minutes, dtype=np.int64), np.array(priority, dtype=np.int64))


def checked_score(instance: Instance, lists: Lists) -> Score:
    """Return the four parts of the score from the instance alone; raises ``ValueError`` when the answer breaks the instance."""
    listed = sorted(j for mine in lists for j in mine)
    lacking = [(i, j) for i, mine in enumerate(lists) for j in mine if instance.minutes[j, i] == 0]
    if listed != list(range(len(instance.minutes))) or len(lists) != instance.minutes.shape[1] or lacking:
        raise ValueError(f"{instance.name}: {len(listed)} tasks in {len(lists)} lists, skills missing: {lacking}")
    ends, squares = [0, 0, 0], 0
    for i, mine in enumerate(lists):
        end = 0
        for j in mine:
            end += int(instance.minutes[j, i])
            ends[instance.priority[j]] += end
        squares += end * end
    return ends[0], squares, ends[1], ends[2]


def lists_of(instance: Instance, who: NDArray[np.int64]) -> Lists:
    """Return each employee's tasks, by priority and then shortest first."""
    order = sorted(range(len(who)), key=lambda j: (instance.priority[j], instance.minutes[j, who[j]], j))
    return [[j for j in order if who[j] == i] for i in range(instance.minutes.shape[1])]


def planned(instance: Instance, *, clock: WallClock, seed: int) -> NDArray[np.int64]:
    """Return who does each task; half of the time goes to the critical tasks, whose ends outweigh everything."""
    require_somebody(instance.minutes)
    nobody = np.full(len(instance.minutes), -1, dtype=np.int64)
    critical, major = instance.of("CRITICAL"), instance.of("MAJOR")
    after_critical = _by_places(instance, nobody, critical, ends_first=True, stop=_part(clock, 2), seed=seed)
    together = _evenly(instance, after_critical, stop=_part(clock, 3), seed=seed)
    after_major = _by_places(instance, after_critical, major, ends_first=False, stop=_part(clock, 2), seed=seed)
    in_turn = _evenly(instance, after_major, stop=clock, seed=seed)
    return min(together, in_turn, key=lambda who: checked_score(instance, lists_of(instance, who)))


def least_critical_ends(instance: Instance) -> int:
    """Return the least sum of end times of the critical tasks, exactly: whatever else is planned, no score is below."""
    work = instance.minutes[instance.of("CRITICAL")]
    places = np.arange(1, len(work) + 1)
    ends = np.where(work > 0, work, work.sum())[:, :, None] * places
    return int(ends.reshape(len(work), -1)[linear_sum_assignment(ends.reshape(len(work), -1))].sum())


def _part(clock: WallClock, parts: int) -> WallClock:
    return WallClock((clock.limit_s - clock.elapsed_s()) / parts)


def _held(instance: Instance, who: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the minutes with each task that has somebody kept from everybody else."""
    held = instance.minutes.copy()
    done = np.flatnonzero(who >= 0)
    held[done] = 0
    held[done, who[done]] = instance.minutes[done, who[done]]
    return held


def _evenly(instance: Instance, who: NDArray[np.int64], *, stop: Stop, seed: int) -> NDArray[np.int64]:
    """Return ``who`` with everybody left given to somebody, for the least sum of squared loads."""
    work = _held(instance, who)
    found = _solved(towards(work, even_loads(work)), stop, seed)
    return np.where(who >= 0, who, found)


def _by_places(
    instance: Instance, who: NDArray[np.int64], tasks: NDArray[np.int64], *, ends_first: bool, stop: Stop, seed: int
) -> NDArray[np.int64]:
    """Return ``who`` with ``tasks`` given to employees for the least sum of end times and the least squared loads.

    ``ends_first`` says which of the two outweighs the other. Work that has somebody already comes before.
    """
    people = instance.minutes.shape[1]
    work, done = instance.minutes[tasks], np.flatnonzero(who >= 0)
    before = np.bincount(who[done], weights=instance.minutes[done, who[done]], minlength=people)
    places = 2 * -(-len(tasks) // people) + 2
    ends = before[None, :, None] + work[:, :, None] * np.arange(1, places + 1)
    loads = np.broadcast_to(even_loads(_held(instance, who)).reduced_min[tasks][:, :, None], ends.shape)
    first, second = (ends, loads) if ends_first else (loads, ends)
    price = np.round(min(FIRST, DEAREST_MIN / max(first.max(), 1.0)) * first + second)
    asked = OneDeadline(
        name="places",
        work_min=np.repeat(np.where(work > 0, 1, 0), places, axis=1),
        price_min=np.where(np.repeat(work, places, axis=1) > 0, price.reshape(len(tasks), -1), 0).astype(np.int64),
        room_min=np.ones(people * places, dtype=np.int64),
    )
    result = who.copy()
    result[tasks] = _solved(asked, stop, seed) // places
    return result


def _solved(asked: OneDeadline, stop: Stop, seed: int) -> NDArray[np.int64]:
    undone_min = 2 * DEAREST_MIN
    plan = solve(firm_of(asked, escalation_min=undone_min), now=NOW, stop=FirstOf((stop, TargetGap(0.0))), seed=seed)
    return assignees(plan, len(asked.work_min))


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the named instances, or all, and print the four parts of the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="file names without ending; none: every instance found")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    folder = instance_folder("task-assigning")
    for path in sorted(path for path in folder.glob("*.json") if not asked.names or path.stem in asked.names):
        instance = read(path)
        clock = WallClock(asked.seconds)
        who = planned(instance, clock=clock, seed=asked.seed)
        seconds, score = round(clock.elapsed_s(), 1), checked_score(instance, lists_of(instance, who))
        bounds = least_critical_ends(instance), int(even_loads(instance.minutes).bound)
        print(
            f"{path.stem:22} {score} in {seconds} s; no plan is below {bounds[0]:,}, nor squared loads below {bounds[1]:,}",
            flush=True,
        )
        record(
            "task_assigning",
            instance=path.stem,
            critical_ends=score[0],
            squared_loads=score[1],
            major_ends=score[2],
            minor_ends=score[3],
            critical_ends_bound=bounds[0],
            squared_loads_bound=bounds[1],
            seconds=seconds,
        )


if __name__ == "__main__":
    main()
