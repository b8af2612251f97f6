"""How time and memory grow: each stage up to the first plan and the first bound, by size of the firm, each in a fresh process."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from benchmarks.records import record
from scenarios.firms import generate_firm
from solver.board import compile_board
from solver.bound import climbed, lower_bound, relaxable
from solver.construct import completed, rule_plan
from solver.problem import compile_problem

SIZES = ("30x600", "100x3000", "200x6000", "500x15000", "1000x30000")
KIB_PER_UNIT = 1 if sys.platform.startswith("linux") else 1 / 1024
"""Linux tells peak memory in KiB, macOS in bytes."""
T = TypeVar("T")


def measure(people: int, tasks: int, seed: int) -> dict[str, object]:
    """Go through the stages once; return the seconds of each and the peak memory, before and after the bound."""
    took_s: dict[str, object] = {}

    def timed(stage: str, step: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = step()
        took_s[stage] = round(time.perf_counter() - start, 3)
        return result

    made = timed("generate_s", lambda: generate_firm(people=people, tasks=tasks, load=0.9, seed=seed))
    board = timed("board_s", lambda: compile_board(made.firm, now=made.now))
    problem = timed("problem_s", lambda: compile_problem(board))
    timed("plan_s", lambda: completed(problem, rule_plan(problem)))
    plan_mib = peak_mib()
    small = relaxable(problem)
    timed("bound_s", lambda: lower_bound(problem, go_on=lambda: False) if small else climbed(problem))
    return {**took_s, "plan_mib": plan_mib, "peak_mib": peak_mib(), "bound_by": "relaxation" if small else "prices"}


def peak_mib() -> int:
    """Return the most memory this process has held so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB_PER_UNIT / 1024)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size in a child process, print and record it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=list(SIZES), metavar="PEOPLExTASKS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--here", action="store_true", help="measure one size in this process and print it as JSON")
    asked = parser.parse_args(arguments)
    for size in asked.sizes:
        people, tasks = map(int, size.split("x"))
        if asked.here:
            print(json.dumps(measure(people, tasks, asked.seed)))
            continue
        command = [sys.executable, "-m", "benchmarks.scaling", size, "--seed", str(asked.seed), "--here"]
        figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        print(f"{size}: " + ", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
        record("scaling", people=people, tasks=tasks, seed=asked.seed, **figures)


if __name__ == "__main__":
    main()
