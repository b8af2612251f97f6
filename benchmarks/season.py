"""The season plan against the detailed solve: total shortage, and shortage by skill, on generated firms with too much work.

A shortage of the detailed plan is an escalated task, less those that nobody may do whatever the hours. Work that no one person can do in
time is late in both and no shortage. How well the two can agree is measured as well: by how much two detailed solves differ that have
nothing but the seed apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from itertools import combinations

from benchmarks.records import record
from scenarios import figures
from scenarios.demand import Demand, demand
from scenarios.firms import generate_firm
from scenarios.season import shortage_only, told_by_skill
from scenarios.season_program import closed
from solver.batch import solve
from solver.plan import Plan
from solver.stop import WorkBudget

_ROUNDING_PCT = 1e-3
"""Percent outside a range that are a matter of rounding."""


def detailed_short_min(year: Demand, plan: Plan) -> dict[str, float]:
    """Return the escalated minutes of each skill."""
    nobody, total = set(year.nobody), dict[str, float]()
    for lost in plan.escalations:
        if lost.task not in nobody:
            row = year.board.rows[year.board.task_index[lost.task]]
            skill = year.board.types[row.task.type].skill
            total[skill] = total.get(skill, 0.0) + row.remaining_min
    return total


def _by_department(apart: dict[str, float]) -> dict[str, float]:
    """Add up skills that mostly the same people have, and among which a plan may choose what to leave."""
    home = {work.name: work.department for work in figures.WORK}
    total = dict.fromkeys(figures.DEPARTMENT_SHARES, 0.0)
    for skill, minutes in apart.items():
        total[home.get(skill, skill.removesuffix(" review"))] += minutes
    return total


def _against(
    told: Mapping[str, tuple[float, float, float]], shortages: Sequence[dict[str, float]]
) -> tuple[dict[str, object], dict[str, dict[str, list[float]]]]:
    """Return how far the season's figures and ranges are from each detailed solve, in all and by skill.

    In percent of that solve's whole shortage, one number for each of them; ``told_h`` are the least, the figure and the most.
    """
    season, found = {skill: shown for skill, (_, shown, _) in told.items()}, dict[str, list[object]]()
    by_skill: dict[str, dict[str, list[float]]] = {
        skill: {"told_h": [round(minutes / 60, 1) for minutes in told[skill]], "detailed_h": [], "outside_pct": []}
        for skill in sorted(told)
    }
    for fine in shortages:
        total = sum(fine.values())
        apart = {skill: 100 * (season[skill] - fine.get(skill, 0.0)) / total for skill in told}
        outside = {
            skill: 100 * max(least - fine.get(skill, 0.0), fine.get(skill, 0.0) - most, 0.0) / total
            for skill, (least, _, most) in told.items()
        }
        by_department = _by_department(apart)
        department = max(by_department, key=lambda name: abs(by_department[name]))
        worst, farthest = (
            max(apart, key=lambda skill: abs(apart[skill])),
            max(outside, key=lambda skill: outside[skill]),
        )
        one = {
            "detailed_short_h": round(total / 60, 1),
            "total_apart_pct": round(100 * (sum(season.values()) - total) / total, 2),
            "skills_within_5_pct_of_total": sum(abs(pct) <= 5 for pct in apart.values()),
            "worst_skill": worst,
            "worst_skill_pct_of_total": round(apart[worst], 2),
            "skills_in_range": sum(pct <= _ROUNDING_PCT for pct in outside.values()),
            "skills_within_5_pct_of_range": sum(pct <= 5 for pct in outside.values()),
            "outside_range_skill": farthest,
            "outside_range_pct_of_total": round(outside[farthest], 2),
            "range_pct_of_total": round(100 * max(most - least for least, _, most in told.values()) / total, 2),
            "worst_department": department,
            "worst_department_pct_of_total": round(by_department[department], 2),
            "moved_between_skills_pct": round(sum(map(abs, apart.values())) / 2, 2),
        }
        for name, figure in one.items():
            found.setdefault(name, []).append(figure)
        for skill, row in by_skill.items():
            row["detailed_h"].append(round(fine.get(skill, 0.0) / 60, 1))
            row["outside_pct"].append(round(outside[skill], 2))
    return {"season_short_h": round(sum(season.values()) / 60, 1), "skills": len(told), **found}, by_skill


def _between_solves(plans: Sequence[Plan], shortages: Sequence[dict[str, float]]) -> dict[str, object]:
    """Return how far apart detailed solves of the same firm are, from one seed and another: nothing can agree better with all of them.

    Of the two that differ most on a single skill; everything in percent of the first one's figure.
    """
    total, apart = sum(shortages[0].values()), (0.0, "")
    for first, second in combinations(shortages, 2):
        apart = max(apart, *((abs(first.get(name, 0.0) - second.get(name, 0.0)), name) for name in {*first, *second}))
    costs = [plan.certificate.objective_min for plan in plans]
    totals = [sum(each.values()) for each in shortages]
    return {
        "solves": len(plans),
        "solves_worst_skill": apart[1],
        "solves_worst_skill_pct_of_total": round(100 * apart[0] / total, 2),
        "solves_total_apart_pct": round(100 * (max(totals) - min(totals)) / total, 2),
        "solves_cost_apart_pct": round(100 * (max(costs) - min(costs)) / costs[0], 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan one overloaded firm per seed both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--tasks", type=int, default=240)
    parser.add_argument("--firms", type=int, default=5)
    parser.add_argument("--load", type=float, default=1.3)
    parser.add_argument("--units", type=float, default=6.0, help="deterministic work of each detailed solve")
    parser.add_argument(
        "--solves",
        type=int,
        default=2,
        help="detailed solves, each from a seed of its own: by how much do they differ themselves?",
    )
    parser.add_argument(
        "--slack", type=float, default=0.01, help="share of the cost within which an answer counts as good"
    )
    parser.add_argument("--split", action="store_true", help="also with long tasks split")
    asked = parser.parse_args(arguments)
    for seed in range(asked.firms):
        made = generate_firm(
            people=asked.people,
            tasks=asked.tasks,
            seed=seed,
            load=asked.load,
            assigned_share=0.0,
            late_share=0.0,
            held_share=0.0,
        )
        year = demand(made.firm, now=made.now)
        plans = [
            solve(made.firm, now=made.now, stop=WorkBudget(asked.units), seed=again, advice=False)
            for again in range(max(asked.solves, 1))
        ]
        shortages = [detailed_short_min(year, each) for each in plans]
        for whole in (True, False) if asked.split else (True,):
            begin_s = time.perf_counter()
            found = closed(year, shortage_only(year, whole=whole))
            seconds, told = time.perf_counter() - begin_s, told_by_skill(year, found, slack=asked.slack)
            against, by_skill = _against(told, shortages)
            measured = {
                "one_hand": whole,
                "detailed_gap_pct": [plan.certificate.gap_pct for plan in plans],
                **against,
                **_between_solves(plans, shortages),
                "season_s": round(seconds, 1),
            }
            print(f"seed {seed}: {measured}", flush=True)
            for skill, row in by_skill.items():
                print(f"  {skill}: {row}", flush=True)
            record("season", **vars(asked) | {"seed": seed} | measured | {"by_skill": by_skill})


if __name__ == "__main__":
    main()
