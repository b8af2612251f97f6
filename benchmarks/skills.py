"""Published multi-skill projects (iMOPSE), who does what alone: the least total duration of the busiest person.

Skills have levels and a person may do a task when their level of its skill is at least the one it asks; orders between tasks, dates and
salaries are left out. How deadlines are probed is in `benchmarks.makespan`.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from api.crew import processes
from api.stops import WallClock
from benchmarks.makespan import shortest
from benchmarks.records import instance_folder, record

SKILL = re.compile(r"(Q\d+):\s*(\d+)")


@dataclass(frozen=True)
class Task:
    """One task: its duration, and the skill with the least level it asks."""

    duration: int
    skill: str
    level: int


@dataclass(frozen=True)
class Instance:
    """One instance: levels by skill for each person, and the tasks."""

    name: str
    people: tuple[dict[str, int], ...]
    tasks: tuple[Task, ...]

    def may(self, person: int, task: int) -> bool:
        """Whether the person has the skill at the level the task asks."""
        asked = self.tasks[task]
        return self.people[person].get(asked.skill, -1) >= asked.level


def read(path: Path) -> Instance:
    """Read the published text format: a row per person (id, salary, skills), then a row per task (id, duration, skill, orders)."""
    people: list[dict[str, int]] = []
    tasks: list[Task] = []
    part = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words and words[0] in ("ResourceID", "TaskID"):
            part = words[0]
        elif words and words[0].isdigit() and part == "ResourceID":
            people.append({skill: int(level) for skill, level in SKILL.findall(line)})
        elif words and words[0].isdigit() and part == "TaskID":
            (skill, level), *_ = SKILL.findall(line)
            tasks.append(Task(int(words[1]), skill, int(level)))
    return Instance(path.name, tuple(people), tuple(tasks))


def checked_load(instance: Instance, who: Sequence[int]) -> int:
    """Return the load of the busiest person from the instance alone; raises ``ValueError`` when the answer breaks it."""
    people = range(len(instance.people))
    wrong = [j for j, i in enumerate(who) if i not in people or not instance.may(i, j)]
    if len(who) != len(instance.tasks) or wrong:
        raise ValueError(f"{instance.name}: {len(who)} answers for {len(instance.tasks)} tasks, not allowed: {wrong}")
    used = [0] * len(instance.people)
    for task, i in zip(instance.tasks, who, strict=True):
        used[i] += task.duration
    return max(used)


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the named instances, or all, and print the gap of each to the exact optimum where it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="file names such as 100_10_26_15.def; none: every instance found")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    folder = instance_folder("ms-rcpsp")
    with (folder / "assignment_optima.csv").open(encoding="utf-8") as table:
        rows = {row["instance"]: row for row in csv.DictReader(table)}
    for path in sorted(path for path in folder.glob("*/*.def") if not asked.names or path.name in asked.names):
        instance, known = read(path), int(rows[path.name]["minmax_load"])
        work = [
            [t.duration * instance.may(i, j) for i in range(len(instance.people))] for j, t in enumerate(instance.tasks)
        ]
        clock = WallClock(asked.seconds)
        with processes(patient=False) as crew:
            found = shortest(np.array(work, dtype=np.int64), clock=clock, seed=asked.seed, crew=crew)
        seconds, ours = round(clock.elapsed_s(), 1), checked_load(instance, found.who.tolist())
        gap = round(100 * (ours - known) / known, 3)
        print(
            f"{path.name:22} best known {known:4} ours {ours:4} bound {found.bound_min:4} gap {gap} % in {seconds} s, "
            f"{found.probes} probes",
            flush=True,
        )
        record(
            "skills",
            instance=path.name,
            tasks=len(instance.tasks),
            people=len(instance.people),
            best_known=known,
            ours=ours,
            bound=found.bound_min,
            gap_pct=gap,
            found_by=found.found_by,
            probes=found.probes,
            seconds=seconds,
        )


if __name__ == "__main__":
    main()
