"""The tables of docs/benchmarks.md, made from the newest measurement of each kind: ``python -m benchmarks.tables``."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


Cell = str | Callable[[Row], object]
"""What stands in a column: the field of that name, or what is made of the row."""


def where_kept(name: str) -> Cell:
    """Return a column of a field that older rows have not."""
    return lambda row: row.get(name, "")


def percent_of(name: str) -> Cell:
    """Return a column of a field in percent."""
    return lambda row: f"{row[name]} %"


SIZE = ("people x tasks", lambda row: f"{row['people']:,} x {row['tasks']:,}")


@dataclass(frozen=True)
class Listing:
    """The newest measurements of one kind, a line each.

    Attributes
    ----------
    benchmark, key
        Which measurements, and what tells them apart.
    columns
        Titles with what stands below them.
    picture
        What stands above the table.
    """

    benchmark: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, Cell], ...]
    picture: str = ""

    def text(self) -> str:
        """Return the table, with what it was measured on."""
        rows = newest(self.benchmark, *self.key)
        body = [[cell(row) if callable(cell) else row[cell] for _, cell in self.columns] for row in rows]
        made = f"{table([title for title, _ in self.columns], body)}\n\n{measured(rows)}"
        return f"{self.picture}\n\n{made}" if self.picture else made


ASSIGNMENT = Listing(
    "assignment",
    ("instance",),
    (
        ("instance", "instance"),
        ("best known", "best_known"),
        ("ours", "ours"),
        ("above best known", percent_of("gap_pct")),
        ("our own bound", "bound"),
        ("seconds", "seconds"),
    ),
)
FIRMS = Listing(
    "firms",
    ("people", "tasks", "season", "load", "limit_s", "seed"),
    (
        SIZE,
        ("seed", "seed"),
        ("routing rule", "rule"),
        ("ours", "ours"),
        ("below the rule", percent_of("below_rule_pct")),
        ("bound", "bound"),
        ("gap", lambda row: f"{row['gap_pct']:.1f} %" if row["bound"] else "not known"),
        ("seconds", "seconds"),
        ("memory, MiB", "peak_mib"),
    ),
)
STARTING_AGAIN = Listing(
    "starting_again",
    ("people", "tasks", "seed", "change", "limit_s"),
    (
        SIZE,
        ("seed", "seed"),
        ("change", "change"),
        ("cold", "cold"),
        ("cold, seconds", "limit_s"),
        ("cold, a tenth of the time", "cold_tenth"),
        ("from the last plan, a tenth of the time", "warm_tenth"),
        ("above cold", percent_of("warm_above_cold_pct")),
    ),
)
PLACING = Listing(
    "placing",
    ("people", "tasks", "policy"),
    (
        SIZE,
        ("policy", "policy"),
        ("arrivals", "arrivals"),
        ("placed", "placed"),
        ("compile the board, s", "compile_s"),
        ("median, us", "median_us"),
        ("99th percentile, us", "p99_us"),
        ("the same of processor time, us", where_kept("p99_busy_us")),
    ),
)
# What a search for the least common deadline reached; rows older than "found by" do not say who found the plan.
REACHED: tuple[tuple[str, Cell], ...] = (
    ("best known", "best_known"),
    ("ours", "ours"),
    ("above best known", percent_of("gap_pct")),
    ("bound", "bound"),
    ("found by", lambda row: row.get("found_by", "not kept")),
    ("seconds", "seconds"),
)
MACHINES = Listing(
    "machines",
    ("family", "jobs", "machines", "instance"),
    (
        ("family", "family"),
        ("instance", "instance"),
        ("jobs x machines", lambda row: f"{row['jobs']:,} x {row['machines']}"),
        *REACHED,
    ),
)
SKILLS = Listing(
    "skills",
    ("tasks", "people", "instance"),
    (
        ("instance", "instance"),
        ("tasks x people", lambda row: f"{row['tasks']:,} x {row['people']}"),
        *REACHED,
    ),
)
TASK_ASSIGNING = Listing(
    "task_assigning",
    ("instance",),
    (
        ("instance", "instance"),
        ("critical ends", "critical_ends"),
        ("no plan below", "critical_ends_bound"),
        ("squared loads", "squared_loads"),
        ("no plan below", "squared_loads_bound"),
        ("major ends", "major_ends"),
        ("minor ends", "minor_ends"),
        ("seconds", "seconds"),
    ),
)
REASSIGNMENT = Listing(
    "reassignment",
    ("instance",),
    (
        ("instance", "instance"),
        (
            "processes x machines x resources",
            lambda row: f"{row['processes']:,} x {row['machines']} x {row['resources']}",
        ),
        ("initial", "initial"),
        ("ours", "ours"),
        ("reference", "reference"),
        ("above reference", percent_of("above_reference_pct")),
        ("seconds", "seconds"),
    ),
)
SCALING = Listing(
    "scaling",
    ("people", "tasks", "seed"),
    (
        SIZE,
        ("generate, s", "generate_s"),
        ("board, s", "board_s"),
        ("problem, s", "problem_s"),
        ("first plan, s", "plan_s"),
        ("memory, MiB", "plan_mib"),
        ("first bound, s", "bound_s"),
        ("by", "bound_by"),
        ("memory, MiB", "peak_mib"),
    ),
    picture=SCALING_PICTURE,
)
STORING = Listing(
    "storing",
    ("people", "tasks", "database", "callers"),
    (
        SIZE,
        ("database", "database"),
        ("callers at once", "callers"),
        ("placements a second", "per_s"),
        ("median, ms", "median_ms"),
        ("99th percentile, ms", "p99_ms"),
        ("bare transactions of the same rows a second, one caller", "bare_per_s"),
        ("log, bytes a decision", "log_bytes"),
    ),
)
SERVING = Listing(
    "serving",
    ("people", "tasks", "placements", "database", "clients"),
    (
        SIZE,
        ("database", "database"),
        ("clients at once", "clients"),
        ("placements", "placements"),
        ("placements a second, one firm", "per_s"),
        ("median, ms", "median_ms"),
        ("99th percentile, ms", "p99_ms"),
        ("bare transactions of the same rows a second, one caller", where_kept("bare_per_s")),
        ("a second, eight firms", where_kept("eight_per_s")),
        ("99th percentile, ms", where_kept("eight_p99_ms")),
        ("ratio of the percentiles", where_kept("p99_ratio")),
        ("server's processor time of a placement, ms", where_kept("server_cpu_ms")),
    ),
)
KILLING = Listing(
    "killing",
    ("database",),
    (
        ("database", "database"),
        ("kills", "kills"),
        ("placed", "placed"),
        ("lost", "lost"),
        ("twice", "twice"),
        ("solves", "solves"),
        ("finished", "done"),
        ("messages lost", "messages_lost"),
        ("ready again, median, s", "ready_median_s"),
        ("most, s", "ready_max_s"),
    ),
)
SCENARIO_POINTS = Listing(
    "scenario_points",
    ("people", "tasks", "database", "points"),
    (
        SIZE,
        ("database", "database"),
        ("workers", "workers"),
        ("points", "points"),
        ("done", "points_done"),
        ("kills", "kills"),
        ("cut off", "cut_off"),
        ("repeated", "repeated"),
        ("gap, median", "gap_median_pct"),
        ("seconds", "took_s"),
    ),
)
APPROVING = Listing(
    "approving",
    ("people", "tasks"),
    (
        SIZE,
        ("keep 40 proposals, ms", "keep_all_ms"),
        ("approve, median, ms", "approve_median_ms"),
        ("most, ms", "approve_most_ms"),
        ("decline, median, ms", "decline_median_ms"),
        ("20 declined ones again, ms", "declined_again_ms"),
        ("try 200 that wait, ms", "retry_200_ms"),
        ("messages a second", "delivered_per_s"),
    ),
)


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


def rendered(page: str) -> str:
    """Return the page with the tables between its two marks made anew."""
    before, rest = page.split(START)
    after = rest.split(END)[1]
    parts = [
        ("Published generalised assignment", ASSIGNMENT.text()),
        ("Published parallel machines", MACHINES.text()),
        ("Published multi-skill projects", SKILLS.text()),
        ("Published task assigning", TASK_ASSIGNING.text()),
        ("Published machine reassignment", REASSIGNMENT.text()),
        ("Generated firms", FIRMS.text()),
        ("Starting again", STARTING_AGAIN.text()),
        ("What else one could pick", peers()),
        ("The fast path", PLACING.text()),
        ("Stored placements", STORING.text()),
        ("Placements over HTTP", SERVING.text()),
        ("Approving and delivering", APPROVING.text()),
        ("Killed again and again", KILLING.text()),
        ("Scenario points", SCENARIO_POINTS.text()),
        ("Replayed seasons", replaying()),
        ("Size", SCALING.text()),
    ]
    made = "\n\n".join(f"## {title}\n\n{text}" for title, text in parts)
    return f"{before}{START}\n\n{made}\n\n{END}{after}"


def main() -> None:
    """Write the tables into the page."""
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
