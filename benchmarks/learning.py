"""How well is learnt from time sheets? Errors on unseen tasks and what the intervals hold, with and without gross errors; the time taken.

python -m benchmarks.learning --firms 40
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from time import perf_counter

from benchmarks.records import record
from scenarios.time_sheets import AS_OF, Habits, TimeSheets, time_sheets
from solver.learning import learn
from solver.learnt import Learned, Ratio
from solver.observations import Observation

LEARNT_SHARE = 0.75


def log_ratio(one: Observation) -> float:
    """Return the log of logged over estimated minutes."""
    return math.log(one.logged_min / (one.estimate_min or 1))


def foretold(sheets: TimeSheets, old: tuple[Observation, ...], learned: Learned) -> dict[str, dict[str, float]]:
    """Return by task and way of foretelling the log ratio expected."""
    groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for one in old:
        for group in [(one.type,), (one.type, one.client), (one.type, one.client, one.person or "")]:
            groups[group].append(log_ratio(one))
    means = {group: fmean(logs) for group, logs in groups.items()}
    found = {}
    for one in sheets.observations:
        kind = means[(one.type,)]
        client = means.get((one.type, one.client), kind)
        found[one.task] = {
            "the estimate as it is": 0.0,
            "mean of the type": kind,
            "mean of the client in the type": client,
            "mean of person, client and type": means.get((one.type, one.client, one.person or ""), client),
            "learnt": math.log(learned.expected_ratio(one.type, one.client, one.person)),
        }
    return found


def held(ratios: Iterable[tuple[Ratio, float]]) -> list[bool]:
    """Return which intervals hold the truth, given in logs."""
    return [ratio.low <= math.exp(truth) <= ratio.high for ratio, truth in ratios]


def inside(sheets: TimeSheets, learned: Learned) -> dict[str, list[bool]]:
    """Return by kind of effect which intervals hold the truth."""
    level, client = sheets.type_level, sheets.client_effect
    person, pair = sheets.person_effect, sheets.person_type_effect
    return {
        "types": held((one.level, level[one.type]) for one in learned.types),
        "clients": held((one.level, level[one.type] + client[one.type, one.client]) for one in learned.clients),
        "people": held((one.level, person[one.person]) for one in learned.people),
        "people in types": held(
            (one.level, person[one.person] + pair[one.person, one.type]) for one in learned.people_in_types
        ),
    }


def measure(firms: int, people: int, clients: int, tasks: int, gross_share: float) -> None:
    """Measure some firms, print, and record one row."""
    errors: dict[str, list[float]] = defaultdict(list)
    within: dict[str, list[bool]] = defaultdict(list)
    seconds = []
    for seed in range(firms):
        habits = Habits(gross_share=gross_share)
        sheets = time_sheets(people=people, clients=clients, tasks=tasks, seed=seed, habits=habits)
        split = int(LEARNT_SHARE * tasks)
        old = sheets.observations[:split]
        started = perf_counter()
        learned = learn(sheets.firm, old, as_of=AS_OF)
        seconds.append(perf_counter() - started)
        expected = foretold(sheets, old, learned)
        # The truth of an unseen task is what the median task of its kind takes, with the spread of one task: no gross errors in it
        for one in sheets.observations[split:]:
            truth = sheets.median_log_ratio[one.task]
            for way, value in expected[one.task].items():
                errors[way].append((truth - value) ** 2 + habits.task_sd**2)
        for kind, inner in inside(sheets, learned).items():
            within[kind] += inner
    squared = {way: round(fmean(values), 4) for way, values in errors.items()}
    coverage = {kind: round(100 * fmean(values), 1) for kind, values in within.items()}
    print(
        f"\n{firms} firms, {people} people, {clients} clients, {tasks} tasks, {100 * gross_share:g} % with ten times the time"
    )
    print(f"mean squared log error of unseen tasks ({habits.task_sd**2:.4f} is the spread of one task):")
    for way, error in squared.items():
        print(f"  {way:34} {error:.4f}")
    print("share of 90 % intervals that hold the truth, %:", coverage)
    print(f"seconds per firm: {fmean(seconds):.2f}")
    record(
        "learning",
        firms=firms,
        people=people,
        clients=clients,
        tasks=tasks,
        gross_share=gross_share,
        squared_log_error=squared,
        coverage_pct=coverage,
        seconds=round(fmean(seconds), 3),
    )


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firms", type=int, default=40)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--tasks", type=int, default=1600)
    asked = parser.parse_args()
    for gross_share in (0.0, 0.05):
        measure(asked.firms, asked.people, asked.clients, asked.tasks, gross_share)


if __name__ == "__main__":
    main()
