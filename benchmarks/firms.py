"""Generated firms on all cores: how far below the routing rule, and how close to the proven bound, plans are after a given time."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

from api.crew import processes
from api.stops import WallClock
from benchmarks.records import record
from scenarios.firms import Season, generate_firm
from solver import solve


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve one firm per seed and print objective, rule, bound and gap of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--season", type=Season, default=Season.BUSY)
    asked = parser.parse_args(arguments)
    gaps = []
    for seed in range(asked.seeds):
        made = generate_firm(people=asked.people, tasks=asked.tasks, season=asked.season, load=asked.load, seed=seed)
        clock = WallClock(asked.seconds)
        with processes(patient=False) as crew:
            certificate = solve(made.firm, now=made.now, stop=clock, seed=seed, crew=crew).certificate
        rule, ours = certificate.rule_objective_min, certificate.objective_min
        below = round(100 * (rule - ours) / rule, 1) if rule else 0.0
        gaps.append(certificate.gap_pct)
        print(
            f"{asked.people} x {asked.tasks} seed {seed}: rule {rule:,}, ours {ours:,} ({below} % below), "
            f"bound {certificate.bound_min:,}, gap {certificate.gap_pct} %, unavoidable {certificate.unavoidable_min:,}, "
            f"{clock.elapsed_s():.1f} s, {_peak_mib():,} MiB",
            flush=True,
        )
        record(
            "firms",
            people=asked.people,
            tasks=asked.tasks,
            season=asked.season.value,
            load=asked.load,
            seed=seed,
            rule=rule,
            ours=ours,
            below_rule_pct=below,
            bound=certificate.bound_min,
            gap_pct=certificate.gap_pct,
            limit_s=asked.seconds,
            seconds=round(clock.elapsed_s(), 1),
            peak_mib=_peak_mib(),
        )
    print(f"mean gap {statistics.mean(gaps):.2f} %")


def _peak_mib() -> int:
    """Return the most memory that this process and the largest of its children held."""
    return sum(getrusage(who).ru_maxrss for who in (RUSAGE_SELF, RUSAGE_CHILDREN)) // 1024


if __name__ == "__main__":
    main()
