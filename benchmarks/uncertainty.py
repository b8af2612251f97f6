"""Uncertainty measured: do intervals hold what they say, what common random numbers save, how two processes share the draws."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np
from scipy.special import ndtr, ndtri

from benchmarks.records import record
from scenarios.chances import Chances, Takes, chances_of
from scenarios.draws import Setting, setting
from scenarios.execution import Promised
from scenarios.firms import Generated, generate_firm
from scenarios.risks import risks
from scenarios.uncertainty import Workers, difference, outcomes, promised, range_of
from solver.batch import solve, today
from solver.firm import Client, Firm, HolidayCalendar, Person, Skill, Task, TaskType
from solver.stop import WorkBudget

MONDAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 9)
WEEK_MIN = 5 * 480
SD = 0.3


def planted(count: int, seed: int) -> tuple[Firm, list[float]]:
    """Return people with one task each, due on Friday, and the true chance of each to be late: log-normal against a week's hours."""
    chance = np.random.default_rng(seed).uniform(0.05, 0.95, count)
    estimate = np.round(WEEK_MIN * np.exp(SD * ndtri(chance))).astype(int)
    names = [f"p{i:03}" for i in range(count)]
    tasks = tuple(
        Task(
            id=f"t {name}",
            type="return",
            client="acme",
            deadline=MONDAY + timedelta(days=4),
            estimate_min=int(minutes),
            assignee=name,
        )
        for name, minutes in zip(names, estimate, strict=True)
    )
    firm = Firm(
        holiday_calendar=HolidayCalendar(country=None),
        people=tuple(Person(id=name, level="senior", skills=(Skill(skill="tax"),)) for name in names),
        clients=(Client(id="acme"),),
        task_types=(TaskType(id="return", skill="tax"),),
        tasks=tasks,
    )
    return firm, (1 - ndtr(np.log(WEEK_MIN / estimate) / SD)).tolist()


def coverage(cases: int) -> dict[str, float]:
    """Return how often intervals that promise 90 % hold a truth known in closed form."""
    odds = Chances().certain().model_copy(update={"other": Takes(ratio=1.0, task_sd=SD)})
    held: dict[str, list[bool]] = {"deadline": [], "mean": [], "outcome": []}
    for seed in range(cases):
        firm, truth = planted(20, seed)
        place = setting(firm, now=NOW)
        plan = promised(firm, today(firm, now=NOW), place)
        (found,) = outcomes(place, (plan,), odds, draws=201, seed=seed)
        by_task = {risk.task: risk for risk in risks(place, plan, found)}
        held["deadline"] += [
            by_task[name].low <= chance <= by_task[name].high for name, chance in zip(place.tasks, truth, strict=True)
        ]
        said = range_of(found.utilisation_pct[:200])
        mean = 100 * float(place.estimate_min.sum()) * float(np.exp(SD**2 / 2)) / (20 * WEEK_MIN)
        held["mean"].append(said.mean_low <= mean <= said.mean_high)
        held["outcome"].append(bool(said.low <= found.utilisation_pct[200] <= said.high))
    return {f"{name}_held_pct": round(100 * float(np.mean(each)), 2) for name, each in held.items()}


def saved(firms: int, people: int, tasks: int, draws: int) -> dict[str, float | None]:
    """Return how many times less a mean difference varies, for plans more and more apart: the least of some firms.

    Of late tasks and of the spread, by common draws alone, and with what is known of the draws beforehand.
    """
    least: dict[str, float | None] = {}
    for seed in range(firms):
        made = generate_firm(people=people, tasks=tasks, seed=seed)
        plan, rule = solve(made.firm, now=made.now, stop=WorkBudget(0.5)), today(made.firm, now=made.now)
        place = setting(made.firm, now=made.now)
        first, by_rule = (promised(made.firm, each, place) for each in (plan, rule))
        plans = [first, *(_changed(first, place.allowed, share) for share in (0.01, 0.05)), by_rule]
        found = outcomes(place, plans, chances_of(made.firm), draws=draws)
        names = ("one_in_100_moved", "one_in_20_moved", "the_rule")
        for name, other in zip(names, found[1:], strict=True):
            for figure, of in (("late", ""), ("spread_pct", "_spread")):
                each = difference(figure, found[0], other)
                for key, times in (
                    (f"saved{of}_{name}", each.variance_saved),
                    (f"common{of}_{name}", each.by_common_draws),
                ):
                    known = least.get(key)
                    least[key] = times if known is None or times is None else min(known, times)
    return {key: None if times is None else round(times, 1) for key, times in least.items()}


def _changed(plan: Promised, allowed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], share: float) -> Promised:
    random, who = np.random.default_rng(0), plan.who.copy()
    free = [t for t in range(len(who)) if who[t] >= 0 and allowed[t].sum() > 1]
    for t in random.permutation(free)[: max(1, int(share * len(who)))].tolist():
        who[t] = int(random.choice([p for p in np.flatnonzero(allowed[t]) if p != who[t]]))
    return Promised(who, plan.due)


def sharing(made: Generated, draws: int, rounds: int) -> dict[str, object]:
    """Return the seconds of one and of two processes that are up and running, the best of some rounds, and whether they agree.

    Where other programs want the same cores the clock says little, so the work is counted too: the processor time of the draws done
    here, and that of this process while two others do them, which is all that cannot be shared out.
    """
    place = setting(made.firm, now=made.now)
    plan = promised(made.firm, today(made.firm, now=made.now), place)
    best: dict[int, float] = {}
    begin_cpu_s = time.process_time()
    alone = _late(place, plan, chances_of(made.firm), map, draws)
    draws_cpu_s, shared_cpu_s = time.process_time() - begin_cpu_s, np.inf
    sums: dict[int, list[float]] = {}
    for count in (1, 2):
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            run = partial(_late, place, plan, chances_of(made.firm))
            run(pool.map, 50 * 4 * count)  # imports and compiled code
            for _ in range(rounds):
                begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
                sums[count] = run(pool.map, draws)
                best[count] = min(best.get(count, np.inf), time.perf_counter() - begin_s)
                shared_cpu_s = min(shared_cpu_s, time.process_time() - begin_cpu_s)
    return {
        "one_process_s": round(best[1], 2),
        "two_processes_s": round(best[2], 2),
        "speed_up": round(best[1] / best[2], 2),
        "draws_per_s": round(draws / best[1]),
        "draws_cpu_s": round(draws_cpu_s, 2),
        "not_shared_cpu_s": round(shared_cpu_s, 2),
        "speed_up_by_work": round(draws_cpu_s / (draws_cpu_s / 2 + shared_cpu_s), 2),
        "same": alone == sums[1] == sums[2],
    }


def _late(place: Setting, plan: Promised, odds: Chances, workers: Workers, draws: int) -> list[float]:
    (found,) = outcomes(place, (plan,), odds, draws=draws, workers=workers)
    late: list[float] = found.late.tolist()
    return late


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--firms", type=int, default=3, help="firms whose plans are compared on common draws")
    asked = parser.parse_args(arguments)
    made = generate_firm(people=asked.people, tasks=asked.tasks, seed=0)
    measured = (
        coverage(asked.cases)
        | saved(asked.firms, asked.people, asked.tasks, 400)
        | sharing(made, asked.draws, asked.rounds)
    )
    print(measured)
    record("uncertainty", **vars(asked) | measured)


if __name__ == "__main__":
    main()
