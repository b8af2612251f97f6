"""Published unrelated parallel machines (R||Cmax) through the front door: machine = person, job = task, makespan = common deadline.

How deadlines are probed is in `benchmarks.makespan`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.crew import processes
from api.stops import WallClock
from benchmarks.makespan import shortest
from benchmarks.records import instance_folder, record


@dataclass(frozen=True)
class Instance:
    """One instance: ``minutes`` by job and machine."""

    name: str
    minutes: NDArray[np.int64]


def read(path: Path) -> Instance:
    """Read the published text format: jobs, machines, and a row of times per job."""
    jobs, machines, *times = (int(word) for word in path.read_text(encoding="ascii").split())
    return Instance(path.stem, np.array(times, dtype=np.int64).reshape(jobs, machines))


def checked_makespan(instance: Instance, who: Sequence[int]) -> int:
    """Return the makespan of an answer from the instance alone; raises ``ValueError`` when it breaks the instance."""
    jobs, machines = instance.minutes.shape
    if len(who) != jobs or any(not 0 <= i < machines for i in who):
        raise ValueError(f"{instance.name}: {len(who)} answers for {jobs} jobs on {machines} machines: {list(who)}")
    used = [0] * machines
    for j, i in enumerate(who):
        used[i] += int(instance.minutes[j, i])
    return max(used)


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the named instances, or all, and print the gap of each to the best known makespan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="instance names such as 1111; none: every instance found")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    folder = instance_folder("rcmax")
    with (folder / "best_known.csv").open(encoding="utf-8") as table:
        rows = {Path(row["file"]).stem: row for row in csv.DictReader(table)}
    for name in asked.names or rows:
        instance, known = read(folder / "instances" / f"{name}.txt"), int(rows[name]["best_known_makespan"])
        clock = WallClock(asked.seconds)
        with processes(patient=False) as crew:
            found = shortest(instance.minutes, clock=clock, seed=asked.seed, crew=crew)
        seconds, ours = round(clock.elapsed_s(), 1), checked_makespan(instance, found.who.tolist())
        gap = round(100 * (ours - known) / known, 3)
        print(
            f"{rows[name]['family']} {name:>4} {'x'.join(map(str, instance.minutes.shape)):8} best known {known:6} ours {ours:6} "
            f"bound {found.bound_min:6} gap {gap} % in {seconds} s, {found.probes} probes {found.reached}",
            flush=True,
        )
        record(
            "machines",
            instance=name,
            family=rows[name]["family"],
            jobs=instance.minutes.shape[0],
            machines=instance.minutes.shape[1],
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
