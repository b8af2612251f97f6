"""Robust plans against the plain plans they start from: late tasks on draws that neither has seen, and what that costs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.records import record
from scenarios.chances import chances_of
from scenarios.draws import setting
from scenarios.firms import generate_firm
from scenarios.robust import LOOKS, robust
from scenarios.uncertainty import compared, outcomes, promised
from solver.batch import solve
from solver.stop import WorkBudget


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan one busy-season firm per seed twice, and carry both plans out on the same draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--firms", type=int, default=10)
    parser.add_argument("--units", type=float, default=3.0, help="deterministic work of each plain plan")
    parser.add_argument("--draws", type=int, default=400, help="draws that neither plan has seen")
    parser.add_argument("--looks", type=int, default=LOOKS, help="budget of the robust search")
    asked = parser.parse_args(arguments)
    for seed in range(asked.firms):
        made = generate_firm(people=asked.people, tasks=asked.tasks, seed=seed)
        plain = solve(made.firm, now=made.now, stop=WorkBudget(asked.units))
        odds = chances_of(made.firm)
        found = robust(made.firm, plain, odds, now=made.now, looks=asked.looks)
        place = setting(made.firm, now=made.now)
        both = tuple(promised(made.firm, plan, place) for plan in (plain, found.plan))
        before, after = outcomes(place, both, odds, draws=asked.draws, seed=1)
        late = next(one for one in compared(before, after) if one.name == "late")
        figures = {
            "late_plain": round(float(before.late.mean()), 2),
            "late_robust": round(float(after.late.mean()), 2),
            "late_difference": round(late.mean, 2),
            "late_difference_low": round(late.low, 2),
            "late_difference_high": round(late.high, 2),
            "fewer_late_draws_pct": round(100 * float((after.late < before.late).mean()), 1),
            "escalations_plain": float(before.escalations.mean()),
            "escalations_robust": float(after.escalations.mean()),
            "utilisation_plain_pct": round(float(before.utilisation_pct.mean()), 2),
            "utilisation_robust_pct": round(float(after.utilisation_pct.mean()), 2),
            "spread_plain_pct": round(float(before.spread_pct.mean()), 1),
            "spread_robust_pct": round(float(after.spread_pct.mean()), 1),
            "objective_plain_min": plain.certificate.objective_min,
            "objective_robust_min": found.plan.certificate.objective_min,
            "moved": found.moved,
            "taken": found.taken,
            "looks": found.looks,
        }
        print(f"seed {seed}: {figures}", flush=True)
        record("robust", **vars(asked) | {"seed": seed} | figures)


if __name__ == "__main__":
    main()
