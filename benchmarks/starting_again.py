"""Starting again from the last plan after a small change: is a tenth of the time enough for what a cold start would come to?"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from api.crew import processes
from api.stops import WallClock
from benchmarks.records import record
from scenarios.firms import generate_firm
from solver import solve
from solver.firm import Firm, TimeOff
from solver.plan import Plan

ARRIVALS = 20
SICK_DAYS = 4
"""Days after the first that somebody is away: a working week."""

Change = Callable[[Firm, datetime, np.random.Generator], tuple[Firm, Firm]]


def arrivals(firm: Firm, now: datetime, random: np.random.Generator) -> tuple[Firm, Firm]:
    """Return the firm before and after twenty tasks that nobody has came in."""
    free = [i for i, task in enumerate(firm.tasks) if task.assignee is None]
    new = {free[int(i)] for i in random.choice(len(free), ARRIVALS, replace=False)}
    reviewed = {task.reviews for i, task in enumerate(firm.tasks) if i not in new}
    before = tuple(task for i, task in enumerate(firm.tasks) if i not in new or task.id in reviewed)
    return firm.model_copy(update={"tasks": before}), firm


def sick(firm: Firm, now: datetime, random: np.random.Generator) -> tuple[Firm, Firm]:
    """Return the firm before and after somebody fell ill for a week."""
    who = firm.people[int(random.integers(len(firm.people)))].id
    away = TimeOff(person=who, first_day=now.date(), last_day=now.date() + timedelta(days=SICK_DAYS))
    return firm, firm.model_copy(update={"time_off": (*firm.time_off, away)})


CHANGES: dict[str, Change] = {"twenty arrivals": arrivals, "one person sick": sick}


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan each firm, change it, and plan it again cold and warm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args(arguments)
    for seed in range(asked.seeds):
        made = generate_firm(people=asked.people, tasks=asked.tasks, load=0.9, seed=seed)
        for name, change in CHANGES.items():
            before, after = change(made.firm, made.now, np.random.default_rng(seed))
            last = planned(before, made.now, asked.seconds, seed)
            cold = planned(after, made.now, asked.seconds, seed).certificate
            warm = planned(after, made.now, asked.seconds / 10, seed, last).certificate
            short = planned(after, made.now, asked.seconds / 10, seed).certificate
            above = round(100 * (warm.objective_min - cold.objective_min) / max(cold.objective_min, 1), 2)
            print(
                f"{asked.people} x {asked.tasks} seed {seed}, {name}: cold {cold.objective_min:,} after {asked.seconds:g} s, "
                f"{short.objective_min:,} after a tenth; from the last plan {warm.objective_min:,} after a tenth ({above} % above)",
                flush=True,
            )
            record(
                "starting_again",
                people=asked.people,
                tasks=asked.tasks,
                seed=seed,
                change=name,
                limit_s=asked.seconds,
                cold=cold.objective_min,
                cold_tenth=short.objective_min,
                warm_tenth=warm.objective_min,
                warm_above_cold_pct=above,
            )


def planned(firm: Firm, now: datetime, seconds: float, seed: int, last: Plan | None = None) -> Plan:
    """Return the plan made in some seconds, from the last one if there is one."""
    with processes(patient=False) as crew:
        return solve(firm, now=now, stop=WallClock(seconds), seed=seed, crew=crew, last=last)


if __name__ == "__main__":
    main()
