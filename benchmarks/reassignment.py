"""Published machine reassignment (ROADEF/EURO challenge 2012): moving what already sits somewhere, under hard rules.

This family does not fit the front door: a `Firm` has one resource, minutes, and here a process takes up to twelve at once, none of
them nested in another; services must spread over places and stand near others. What is alike is the work: today's holders, prices for
moving, overload, balance, and processes of one service apart like preparer and reviewer. So this measures the engine's way of searching,
not the engine: annealing by relocating and exchanging on exact rules (`benchmarks.reassigning`), with this problem's own rules.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence

from api.stops import WallClock
from benchmarks.processes import checked_cost, read
from benchmarks.reassigning import compile_moves, reassigned
from benchmarks.records import instance_folder, record


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the named instances, or all, and print how each compares with the reference values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="instance names such as a1_1; none: every instance found")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    folder = instance_folder("machine-reassignment")
    with (folder / "best_known.csv").open(encoding="utf-8") as table:
        rows = {row["instance"]: row for row in csv.DictReader(table)}
    for name in asked.names or rows:
        instance, row = read(folder / f"model_{name}.txt", folder / f"assignment_{name}.txt"), rows[name]
        initial, reference = checked_cost(instance, instance.today), int(row["S41_cost_300s"])
        if initial != int(row["initial_cost"]):
            raise ValueError(f"{name}: the published initial cost is {row['initial_cost']}, ours {initial}")
        compile_moves(instance)
        clock = WallClock(asked.seconds)
        who = reassigned(instance, clock=clock, seed=asked.seed)
        seconds, ours = round(clock.elapsed_s(), 1), checked_cost(instance, who)
        above = round(100 * (ours - reference) / reference, 3)
        bound = int(row["lower_bound_J12"])
        print(
            f"{name:5} initial {initial:,} ours {ours:,} reference {reference:,} ({above} %) bound {bound:,} in {seconds} s",
            flush=True,
        )
        record(
            "reassignment",
            instance=name,
            processes=len(instance.service),
            machines=len(instance.capacity),
            resources=len(instance.transient),
            initial=initial,
            ours=ours,
            reference=reference,
            above_reference_pct=above,
            published_bound=bound,
            seconds=seconds,
        )


if __name__ == "__main__":
    main()
