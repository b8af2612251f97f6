"""The tables of docs/benchmarks.md, made from the newest measurement of each kind: ``python -m benchmarks.tables``."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.methods import TITLES
from benchmarks.peers.summary import Group, groups
from benchmarks.records import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
START, END = "<!-- tables: made by python -m benchmarks.tables -->", "<!-- end of tables -->"
PEERS_PICTURE = "![How far each method is above the best bound proven, over time](peers.svg)"
SCALING_PICTURE = "![Time of each stage and peak memory, by size](scaling.svg)"
Row = dict[str, Any]


def newest(benchmark: str, *key: str) -> list[Row]:
    """Return the last measurement of each distinct ``key``, in the order of the key."""
    path = RESULTS / f"{benchmark}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = ({"policy": "rule"} | json.loads(line) for line in lines)  # older rows of the fast path are all by the rule
    found = {tuple(row[name] for name in key): row for row in rows}
    return [found[one] for one in sorted(found)]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; numbers get separators of thousands."""
    shown = [[f"{cell:,}" if isinstance(cell, int | float) else str(cell) for cell in row] for row in rows]
    lines = [list(head), ["---"] * len(head), *shown]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured(rows: Sequence[Row]) -> str:
    """Say where, when and with what rows were measured."""
    commits: dict[str, list[str]] = {}
    for row in rows:
        machine = (
            f"{row['machine']}; Python {row['python']}, numba {row['numba']}, numpy {row['numpy']}, ortools {row['ortools']}, "
            f"scipy {row['scipy']}; {row['date']}"
        )
        commits.setdefault(machine, []).append(row["commit"])
    said = (f"{machine}, commit {', '.join(sorted(set(found)))}" for machine, found in sorted(commits.items()))
    return "Measured on: " + "; ".join(said) + "."


def assignment() -> str:
    """Return the table of published generalised assignment instances."""
    rows = newest("assignment", "instance")
    head = ("instance", "best known", "ours", "above best known", "our own bound", "seconds")
    body = [
        (row["instance"], row["best_known"], row["ours"], f"{row['gap_pct']} %", row["bound"], row["seconds"])
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def firms() -> str:
    """Return the table of generated firms."""
    rows = newest("firms", "people", "tasks", "season", "load", "limit_s", "seed")
    head = (
        "people x tasks",
        "seed",
        "routing rule",
        "ours",
        "below the rule",
        "bound",
        "gap",
        "seconds",
        "memory, MiB",
    )
    body = [
        (
            f"{row['people']:,} x {row['tasks']:,}",
            row["seed"],
            row["rule"],
            row["ours"],
            f"{row['below_rule_pct']} %",
            row["bound"],
            f"{row['gap_pct']:.1f} %" if row["bound"] else "not known",
            row["seconds"],
            row["peak_mib"],
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def starting_again() -> str:
    """Return the table of plans made anew after a small change."""
    rows = newest("starting_again", "people", "tasks", "seed", "change", "limit_s")
    head = (
        "people x tasks",
        "seed",
        "change",
        "cold",
        "cold, seconds",
        "cold, a tenth of the time",
        "from the last plan, a tenth of the time",
        "above cold",
    )
    body = [
        (
            f"{row['people']:,} x {row['tasks']:,}",
            row["seed"],
            row["change"],
            row["cold"],
            row["limit_s"],
            row["cold_tenth"],
            row["warm_tenth"],
            f"{row['warm_above_cold_pct']} %",
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def placing() -> str:
    """Return the table of the fast path."""
    rows = newest("placing", "people", "tasks", "policy")
    head = (
        "people x tasks",
        "policy",
        "arrivals",
        "placed",
        "compile the board, s",
        "median, us",
        "99th percentile, us",
        "the same of processor time, us",
    )
    body = [
        (
            f"{row['people']:,} x {row['tasks']:,}",
            row["policy"],
            row["arrivals"],
            row["placed"],
            row["compile_s"],
            row["median_us"],
            row["p99_us"],
            row.get("p99_busy_us", ""),
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


MEANS = {
    "escalations": "escalations",
    "escalated_min": "their minutes",
    "lost": "nobody had by the deadline",
    "on_time_pct": "done on time, %",
    "spread_pct": "spread, points",
    "deviation_pct": "standard deviation, points",
    "proposed": "moves proposed",
}


def replaying() -> str:
    """Return the table of replayed seasons: means over their seeds."""
    same = ("people", "tasks", "load", "season", "approved_share", "policy")
    rows = newest("replaying", *same, "seed")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in same), []).append(row)
    head = ("people x tasks", "season", "load", "approved", "policy", "seeds", *MEANS.values())
    body = [
        (
            f"{people:,} x {tasks:,}",
            season,
            load,
            f"{100 * approved:.0f} %",
            policy,
            len(found),
            *(round(statistics.mean(row[name] for row in found), 1) for name in MEANS),
        )
        for (people, tasks, load, season, approved, policy), found in groups.items()
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


REACHED = ("best known", "ours", "above best known", "bound", "found by", "seconds")


def _reached(row: Row) -> tuple[object, ...]:
    """Return what a search for the least common deadline reached; rows older than "found by" do not say who found the plan."""
    ours = (row["best_known"], row["ours"], f"{row['gap_pct']} %", row["bound"])
    return (*ours, row.get("found_by", "not kept"), row["seconds"])


def machines() -> str:
    """Return the table of published parallel machines."""
    rows = newest("machines", "family", "jobs", "machines", "instance")
    head = (
        "family",
        "instance",
        "jobs x machines",
        *REACHED,
    )
    body = [
        (
            row["family"],
            row["instance"],
            f"{row['jobs']:,} x {row['machines']}",
            *_reached(row),
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def skills() -> str:
    """Return the table of published multi-skill projects."""
    rows = newest("skills", "tasks", "people", "instance")
    head = ("instance", "tasks x people", *REACHED)
    body = [
        (
            row["instance"],
            f"{row['tasks']:,} x {row['people']}",
            *_reached(row),
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def task_assigning() -> str:
    """Return the table of published task assigning."""
    rows = newest("task_assigning", "instance")
    head = (
        "instance",
        "critical ends",
        "no plan below",
        "squared loads",
        "no plan below",
        "major ends",
        "minor ends",
        "seconds",
    )
    body = [
        (
            row["instance"],
            row["critical_ends"],
            row["critical_ends_bound"],
            row["squared_loads"],
            row["squared_loads_bound"],
            row["major_ends"],
            row["minor_ends"],
            row["seconds"],
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def reassignment() -> str:
    """Return the table of published machine reassignment."""
    rows = newest("reassignment", "instance")
    head = (
        "instance",
        "processes x machines x resources",
        "initial",
        "ours",
        "reference",
        "above reference",
        "seconds",
    )
    body = [
        (
            row["instance"],
            f"{row['processes']:,} x {row['machines']} x {row['resources']}",
            row["initial"],
            row["ours"],
            row["reference"],
            f"{row['above_reference_pct']} %",
            row["seconds"],
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def peers() -> str:
    """Return, for each size and time limit, a table of methods over time and one of methods by firm."""
    rows = newest("peers", "people", "tasks", "load", "seed", "limit_s", "method")
    found = groups(rows)
    parts = [part for group in found for part in (_over_time(group), _by_firm(group))]
    if not rows:
        return "Not measured yet."
    return "\n\n".join([PEERS_PICTURE, *parts, measured(rows), _peer_versions(rows)])


def _over_time(group: Group) -> str:
    head = [
        "method",
        "firms",
        *(f"after {mark.split('_')[1]} s" for mark in group.marks),
        "escalated",
        "moves a second",
    ]
    body = [
        (
            TITLES[method],
            len(rows),
            *(_percent(group.median_pct(method, mark)) for mark in group.marks),
            _median([row["escalated"] for row in rows]),
            _median([row["peer"].get("moves_per_s") for row in rows]),
        )
        for method, rows in group.rows.items()
    ]
    title = f"**{group.people:,} x {group.tasks:,}, {group.limit_s:g} s**: above the best bound proven, median over the firms"
    return f"{title}\n\n{table(head, body)}"


def _by_firm(group: Group) -> str:
    head = ["method", *(f"seed {seed}" for seed in group.seeds)]
    at_end = group.marks[-1]
    body = [
        (
            TITLES[method],
            *(_shown({row["seed"]: row for row in rows}.get(seed, {}).get(at_end)) for seed in group.seeds),
        )
        for method, rows in group.rows.items()
    ]
    bounds = ("best bound proven", *(_shown(group.bounds.get(seed) or None) for seed in group.seeds))
    return f"The same after {group.limit_s:g} s, in minutes, firm by firm:\n\n{table(head, [*body, bounds])}"


def _peer_versions(rows: Sequence[Row]) -> str:
    found = {f"{name} {version}" for row in rows for name, version in row["peer"].get("versions", {}).items()}
    return "Versions the peers told: " + ", ".join(sorted(found)) + "."


def _percent(pct: float | None) -> str:
    return "no plan" if pct is None else f"{pct:,.1f} %"


def _shown(figure: int | None) -> object:
    return "none" if figure is None else figure


def _median(figures: Sequence[int | None]) -> object:
    known = [figure for figure in figures if figure is not None]
    return statistics.median_low(known) if known else ""


def scaling() -> str:
    """Return the table of time and memory by size."""
    rows = newest("scaling", "people", "tasks", "seed")
    head = (
        "people x tasks",
        "generate, s",
        "board, s",
        "problem, s",
        "first plan, s",
        "memory, MiB",
        "first bound, s",
        "memory, MiB",
    )
    body = [
        (
            f"{row['people']:,} x {row['tasks']:,}",
            *(row[f"{stage}_s"] for stage in ("generate", "board", "problem", "plan")),
            row["plan_mib"],
            row["bound_s"] if row["relaxed"] else f"{row['bound_s']} (each task alone)",
            row["peak_mib"],
        )
        for row in rows
    ]
    return f"{SCALING_PICTURE}\n\n{table(head, body)}\n\n{measured(rows)}"


def storing() -> str:
    """Return the table of placements that are stored."""
    rows = newest("storing", "people", "tasks", "database", "callers")
    head = (
        "people x tasks",
        "database",
        "callers at once",
        "placements a second",
        "median, ms",
        "99th percentile, ms",
        "bare transactions of the same rows a second, one caller",
        "log, bytes a decision",
    )
    body = [
        (
            f"{row['people']:,} x {row['tasks']:,}",
            row["database"],
            row["callers"],
            row["per_s"],
            row["median_ms"],
            row["p99_ms"],
            row["bare_per_s"],
            row["log_bytes"],
        )
        for row in rows
    ]
    return f"{table(head, body)}\n\n{measured(rows)}"


def serving() -> str:
    """Return the table of placements over HTTP."""
    rows = newest("serving", "people", "tasks", "placements", "database", "clients")
    head = (
        "people x tasks",
        "database",
        "clients at once",
        "placements",
        "placements a second, one firm",
        "median, ms",
        "99th percentile, ms",
        "bare transactions of the same rows a second, one caller",
        "a second, eight firms",
        "99th percentile, ms",
        "ratio of the percentiles",
        "server's processor time of a placement, ms",
    )
    names = (
        "database",
        "clients",
        "placements",
        "per_s",
        "median_ms",
        "p99_ms",
        "bare_per_s",
        "eight_per_s",
        "eight_p99_ms",
        "p99_ratio",
        "server_cpu_ms",
    )
    body = [(f"{row['people']:,} x {row['tasks']:,}", *(row.get(name, "") for name in names)) for row in rows]
    return f"{table(head, body)}\n\n{measured(rows)}"


def killing() -> str:
    """Return the table of services that are killed again and again."""
    rows = newest("killing", "database")
    head = (
        "database", "kills", "placed", "lost", "twice", "solves", "finished", "messages lost", "ready again, median, s", "most, s"
    )  # fmt: skip
    names = (
        "database",
        "kills",
        "placed",
        "lost",
        "twice",
        "solves",
        "done",
        "messages_lost",
        "ready_median_s",
        "ready_max_s",
    )
    body = [tuple(row.get(name, "") for name in names) for row in rows]
    return f"{table(head, body)}\n\n{measured(rows)}"


def scenario_points() -> str:
    """Return the table of what-ifs shared by workers that are killed."""
    rows = newest("scenario_points", "people", "tasks", "database", "points")
    head = (
        "people x tasks",
        "database",
        "workers",
        "points",
        "done",
        "kills",
        "cut off",
        "repeated",
        "gap, median",
        "seconds",
    )
    names = ("database", "workers", "points", "points_done", "kills", "cut_off", "repeated", "gap_median_pct", "took_s")
    body = [(f"{row['people']:,} x {row['tasks']:,}", *(row[name] for name in names)) for row in rows]
    return f"{table(head, body)}\n\n{measured(rows)}"


def approving() -> str:
    """Return the table of what approving takes."""
    rows = newest("approving", "people", "tasks")
    head = (
        "people x tasks",
        "keep 40 proposals, ms",
        "approve, median, ms",
        "most, ms",
        "decline, median, ms",
        "20 declined ones again, ms",
        "try 200 that wait, ms",
        "messages a second",
    )
    names = (
        "keep_all_ms",
        "approve_median_ms",
        "approve_most_ms",
        "decline_median_ms",
        "declined_again_ms",
        "retry_200_ms",
        "delivered_per_s",
    )
    body = [(f"{row['people']:,} x {row['tasks']:,}", *(row[name] for name in names)) for row in rows]
    return f"{table(head, body)}\n\n{measured(rows)}"


def rendered(page: str) -> str:
    """Return the page with the tables between its two marks made anew."""
    before, rest = page.split(START)
    after = rest.split(END)[1]
    parts = [
        ("Published generalised assignment", assignment()),
        ("Published parallel machines", machines()),
        ("Published multi-skill projects", skills()),
        ("Published task assigning", task_assigning()),
        ("Published machine reassignment", reassignment()),
        ("Generated firms", firms()),
        ("Starting again", starting_again()),
        ("What else one could pick", peers()),
        ("The fast path", placing()),
        ("Stored placements", storing()),
        ("Placements over HTTP", serving()),
        ("Approving and delivering", approving()),
        ("Killed again and again", killing()),
        ("Scenario points", scenario_points()),
        ("Replayed seasons", replaying()),
        ("Size", scaling()),
    ]
    made = "\n\n".join(f"## {title}\n\n{text}" for title, text in parts)
    return f"{before}{START}\n\n{made}\n\n{END}{after}"


def main() -> None:
    """Write the tables into the page."""
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
