"""Replayed seasons: the rule against prices, on the same arrivals, with a batch each night."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.records import record
from scenarios.firms import Season
from scenarios.replay import Prices, prices_of, replay
from scenarios.stream import arrival_stream
from solver.firm import Firm
from solver.plan import Plan
from solver.price_list import PriceList


def no_prices(firm: Firm, plan: Plan) -> PriceList | None:
    """Return none: balance and comfort decide."""
    return None


POLICIES: dict[str, tuple[bool, Prices]] = {
    "rule": (False, no_prices),
    "balance only": (True, no_prices),
    "priced": (True, prices_of),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Replay one season per seed and policy, and print what each came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--load", type=float, default=0.85)
    parser.add_argument("--season", type=Season, default=Season.BUSY)
    parser.add_argument("--approved-share", type=float, default=0.0, help="share of the proposals that are approved")
    parser.add_argument("--night-units", type=float, default=0.02, help="deterministic work of each night's batch")
    asked = parser.parse_args(arguments)
    for seed in range(asked.seeds):
        stream = arrival_stream(people=asked.people, tasks=asked.tasks, season=asked.season, seed=seed, load=asked.load)
        for name, (priced, prices) in POLICIES.items():
            found = replay(
                stream,
                priced=priced,
                prices=prices,
                approved_share=asked.approved_share,
                night_units=asked.night_units,
                seed=seed,
            )
            print(f"seed {seed}, {name}: {found}", flush=True)
            record(
                "replaying",
                **vars(asked) | {"season": asked.season.value, "seed": seed, "policy": name} | asdict(found),
            )


if __name__ == "__main__":
    main()
