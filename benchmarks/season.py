"""The season plan against the detailed solve: total shortage, and shortage by skill, on generated firms with too much work.

A shortage of the detailed plan is an escalated task, less those that nobody may do whatever the hours. Work that no one person can do in
time is late in both and no shortage.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.records import record
from scenarios import figures
from scenarios.demand import Demand, demand
from scenarios.firms import generate_firm
from scenarios.season import ranges_by_skill, short_by_skill, shortage_only
from scenarios.season_program import closed
from solver.batch import solve
from solver.plan import Plan
from solver.stop import WorkBudget


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan one overloaded firm per seed both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--tasks", type=int, default=240)
    parser.add_argument("--firms", type=int, default=5)
    parser.add_argument("--load", type=float, default=1.3)
    parser.add_argument("--units", type=float, default=6.0, help="deterministic work of the detailed solve")
    parser.add_argument(
        "--slack", type=float, default=0.01, help="share of the cost within which an answer counts as good"
    )
    parser.add_argument("--whole", action="store_true", help="also with long tasks in one hand")
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
        plan = solve(made.firm, now=made.now, stop=WorkBudget(asked.units))
        fine = detailed_short_min(year, plan)
        detailed = sum(fine.values())
        ranges = ranges_by_skill(year, slack=asked.slack)
        nothing = (0.0, 0.0)
        outside = {
            skill: max(
                ranges.get(skill, nothing)[0] - fine.get(skill, 0.0),
                fine.get(skill, 0.0) - ranges.get(skill, nothing)[1],
                0.0,
            )
            for skill in sorted({*ranges, *fine})
        }
        farthest = max(outside, key=lambda skill: outside[skill])
        for whole in (False, True) if asked.whole else (False,):
            begin_s = time.perf_counter()
            coarse = short_by_skill(year, closed(year, shortage_only(year, whole=whole)))
            seconds, total = time.perf_counter() - begin_s, sum(coarse.values())
            apart = {skill: coarse.get(skill, 0.0) - fine.get(skill, 0.0) for skill in sorted({*coarse, *fine})}
            by_department = _by_department(apart)
            department = max(by_department, key=lambda name: abs(by_department[name]))
            worst = max(apart, key=lambda skill: abs(apart[skill]))
            measured = {
                "one_hand": whole,
                "season_short_h": round(total / 60, 1),
                "detailed_short_h": round(detailed / 60, 1),
                "total_apart_pct": round(100 * (total - detailed) / detailed, 2),
                "skills": len(apart),
                "skills_within_5_pct_of_total": sum(abs(minutes) <= 0.05 * detailed for minutes in apart.values()),
                "worst_skill": worst,
                "worst_skill_pct_of_total": round(100 * apart[worst] / detailed, 2),
                "outside_range_skill": farthest,
                "outside_range_pct_of_total": round(100 * outside[farthest] / detailed, 2),
                "skills_in_range": sum(minutes <= 0.0 for minutes in outside.values()),
                "skills_within_5_pct_of_range": sum(minutes <= 0.05 * detailed for minutes in outside.values()),
                "range_pct_of_total": round(100 * max(most - least for least, most in ranges.values()) / detailed, 2),
                "worst_department": department,
                "worst_department_pct_of_total": round(100 * by_department[department] / detailed, 2),
                "moved_between_skills_pct": round(50 * sum(map(abs, apart.values())) / detailed, 2),
                "detailed_gap_pct": plan.certificate.gap_pct,
                "season_s": round(seconds, 1),
            }
            print(f"seed {seed}: {measured}", flush=True)
            record("season", **vars(asked) | {"seed": seed} | measured)


if __name__ == "__main__":
    main()
