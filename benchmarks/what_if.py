"""A one-person change at a large firm: how long until it is compared with today, once today's plan is there?"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from api.crew import processes
from api.stops import WallClock
from benchmarks.records import record
from scenarios.changes import Away, Change, ExtraHours, Leaves, PartTime, Scenario
from scenarios.firms import generate_firm
from scenarios.run import Solving, baseline, compare
from solver.firm import Firm

FIRST_PLAN_S = 60.0

Made = Callable[[Firm, datetime], Change]


def busiest(firm: Firm) -> str:
    """Return who holds most tasks."""
    held = [task.assignee for task in firm.tasks if task.open and task.assignee]
    return max(sorted(set(held)), key=held.count)


CHANGES: dict[str, Made] = {
    "away two weeks": lambda firm, now: Away(
        person=busiest(firm), first_day=now.date(), last_day=now.date() + timedelta(days=11)
    ),
    "leaves": lambda firm, now: Leaves(person=busiest(firm), last_day=now.date() + timedelta(days=4)),
    "part time": lambda firm, now: PartTime(person=busiest(firm), share_pct=60),
    "overtime": lambda firm, now: ExtraHours(
        first_day=now.date(), last_day=now.date() + timedelta(days=27), per_week_min=300, people=(busiest(firm),)
    ),
}


def cpu_s() -> float:
    """Return the seconds of cores used by this process and by its processes that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def before(end_s: float) -> Callable[[], bool]:
    """Return a rule that says yes until a moment of the clock."""
    return lambda: time.perf_counter() < end_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Make today's plan, then compare each change with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=float, default=FIRST_PLAN_S, help="seconds of today's first plan")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of each solve of the comparison")
    asked = parser.parse_args(arguments)
    made = generate_firm(people=asked.people, tasks=asked.tasks, seed=asked.seed)
    with processes(patient=False) as crew:
        first = Solving(stop=lambda: WallClock(asked.first), crew=crew)
        solving = Solving(stop=lambda: WallClock(asked.seconds), crew=crew)
        base = baseline(made.firm, now=made.now, solving=first)
        for name, change in CHANGES.items():
            scenario = Scenario(name=name, changes=(change(made.firm, made.now),))
            start_s, start_cpu_s = time.perf_counter(), cpu_s()
            end_s = start_s + 1.2 * asked.seconds
            found = compare(base, scenario, solving=solving, go_on=before(end_s))
            took_s = time.perf_counter() - start_s
            crew.close()  # the time of ended processes is counted
            used_s = cpu_s() - start_cpu_s
            figures = {one.field: one.difference for one in found.comparison.difference.figures}
            known = found.comparison.significance
            print(
                f"{asked.people} x {asked.tasks} seed {asked.seed}, {name}: {took_s:.1f} s ({used_s:.1f} s of cores), "
                f"cost {known.difference_min:+,} minutes "
                f"({known.verdict.value}), escalations {figures['escalations']:+.0f}, late {figures['late_open']:+.0f}, "
                f"{len(found.comparison.difference.moves)} moves",
                flush=True,
            )
            record(
                "what_if",
                people=asked.people,
                tasks=asked.tasks,
                seed=asked.seed,
                change=name,
                solve_limit_s=asked.seconds,
                compare_s=round(took_s, 2),
                cpu_s=round(used_s, 2),
                load_average=round(os.getloadavg()[0], 1),
                cost_before_min=known.cost_before_min,
                difference_min=known.difference_min,
                verdict=known.verdict.value,
                escalations=figures["escalations"],
                late=figures["late_open"],
                moves=len(found.comparison.difference.moves),
            )


if __name__ == "__main__":
    main()
