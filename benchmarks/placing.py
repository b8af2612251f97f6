"""The fast path: how long one placement takes in process, board update included, escalations and new times of day too."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import time as clock
from datetime import timedelta

import numpy as np

from benchmarks.records import record
from scenarios.firms import Generated, generate_firm
from solver import Task, compile_board, place
from solver.calendar import day_list
from solver.plan import RoutingPolicy
from solver.price_list import PriceList
from solver.priced import Priced
from solver.routing import RULE

NEW_HOURS = (clock(10), clock(11), clock(13), clock(14), clock(15), clock(16))
"""Times of day no generated task is due at: each cuts a day of the live board."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Place arrivals like the firm's own tasks, one after another, and print median and 99th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=3_000)
    parser.add_argument("--arrivals", type=int, default=1_000)
    parser.add_argument("--load", type=float, default=0.8)
    parser.add_argument("--policy", type=RoutingPolicy, default=RoutingPolicy.RULE)
    parser.add_argument("--timed", type=int, default=50, help="every how many arrivals one is due at a new time of day")
    asked = parser.parse_args(arguments)
    made = generate_firm(people=asked.people, tasks=asked.tasks, load=asked.load)
    start = time.perf_counter()
    board = compile_board(made.firm, now=made.now)
    compile_s = time.perf_counter() - start
    slots, policy = board.axis.count, Priced(_prices(made)) if asked.policy is RoutingPolicy.PRICED else RULE
    took_us, busy_us, placed = [], [], 0
    for arrival in _arrivals(made, asked.arrivals, asked.timed):
        start, busy = time.perf_counter(), time.thread_time()
        decision = place(board, arrival, policy=policy)
        busy_us.append(1e6 * (time.thread_time() - busy))
        took_us.append(1e6 * (time.perf_counter() - start))
        placed += decision.person is not None
    median, high, busy_high = statistics.median(took_us), _p99(took_us), _p99(busy_us)
    print(
        f"{asked.people} people, {asked.tasks} tasks, {asked.policy.value}: board in {compile_s:.2f} s, "
        f"{placed} of {asked.arrivals} placed, {board.axis.count - slots} days cut, median {median:.0f} us, p99 {high:.0f} us, "
        f"of the process alone {busy_high:.0f} us, {busy_high / median:.1f} times the median"
    )
    record(
        "placing",
        people=asked.people,
        tasks=asked.tasks,
        policy=asked.policy.value,
        arrivals=asked.arrivals,
        placed=placed,
        cut=board.axis.count - slots,
        compile_s=round(compile_s, 3),
        median_us=round(median),
        p99_us=round(high),
        p99_busy_us=round(busy_high),  # without the time in which the machine did something else
        p99_to_median=round(busy_high / median, 1),
    )


def _p99(took_us: Sequence[float]) -> float:
    return statistics.quantiles(took_us, n=100)[98]


def _prices(made: Generated) -> PriceList:
    """Return a list with some price for everybody and every day: its height changes nothing in the time taken."""
    days = day_list(made.now.date(), made.now.date() + timedelta(days=60))
    minute = np.random.default_rng(0).random((len(made.firm.people), 1)) * np.linspace(1, 0, len(days))
    return PriceList(people=tuple(person.id for person in made.firm.people), days=tuple(days), minute=minute)


def _arrivals(made: Generated, count: int, timed: int) -> Iterator[Task]:
    """Yield arrivals like the firm's own tasks; every ``timed``-th is due at a time of day the board does not know."""
    like = [task for task in made.firm.tasks if task.estimate_min and task.deadline > made.now.date()]
    for i in range(count):
        task = like[i % len(like)]
        hour = NEW_HOURS[i // timed % len(NEW_HOURS)] if i % timed == timed - 1 else task.deadline_time
        yield Task(
            id=f"arrival {i}",
            type=task.type,
            client=task.client,
            deadline=task.deadline,
            deadline_time=hour,
            estimate_min=task.estimate_min,
        )


if __name__ == "__main__":
    main()
