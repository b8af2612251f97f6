"""The fast path: how long one placement takes in process, board update included."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

from benchmarks.records import record
from scenarios.firms import generate_firm
from solver import Task, compile_board, place


def main(arguments: Sequence[str] | None = None) -> None:
    """Place arrivals like the firm's own tasks, one after another, and print median and 99th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=3_000)
    parser.add_argument("--arrivals", type=int, default=500)
    parser.add_argument("--load", type=float, default=0.8)
    asked = parser.parse_args(arguments)
    made = generate_firm(people=asked.people, tasks=asked.tasks, load=asked.load)
    start = time.perf_counter()
    board = compile_board(made.firm, now=made.now)
    compile_s = time.perf_counter() - start
    like = [task for task in made.firm.tasks if task.estimate_min and task.deadline > made.now.date()]
    took_us, placed = [], 0
    for i in range(asked.arrivals):
        task = like[i % len(like)]
        arrival = Task(
            id=f"arrival {i}",
            type=task.type,
            client=task.client,
            deadline=task.deadline,
            estimate_min=task.estimate_min,
        )
        start = time.perf_counter()
        decision = place(board, arrival)
        took_us.append(1e6 * (time.perf_counter() - start))
        placed += decision.person is not None
    median, high = statistics.median(took_us), statistics.quantiles(took_us, n=100)[98]
    print(
        f"{asked.people} people, {asked.tasks} tasks: board in {compile_s:.2f} s, {placed} of {asked.arrivals} placed, "
        f"median {median:.0f} us, p99 {high:.0f} us"
    )
    record(
        "placing",
        people=asked.people,
        tasks=asked.tasks,
        arrivals=asked.arrivals,
        placed=placed,
        compile_s=round(compile_s, 3),
        median_us=round(median),
        p99_us=round(high),
    )


if __name__ == "__main__":
    main()
