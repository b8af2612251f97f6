"""The pictures of docs/benchmarks.md, made from the kept rows: ``python -m benchmarks.plots`` (needs ``pip install -e ".[plots]"``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.methods import TITLES
from benchmarks.peers.summary import Group, groups
from benchmarks.tables import PAGE, Row, newest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST_S = 1.0
MOMENTS = 200
LEAST_PCT = 0.01
"""Where a proven best plan is drawn: zero has no place on a logarithmic axis."""
STAGES = {
    "generate": "generate",
    "board": "compile board",
    "problem": "compile problem",
    "plan": "first plan",
    "bound": "first bound",
}


def peers_picture(found: Sequence[Group]) -> Figure:
    """Return quality over time, one panel for each size and limit."""
    import matplotlib.pyplot as plt  # an extra of its own

    figure, panels = plt.subplots(1, len(found), figsize=(6.2 * len(found), 5.2), squeeze=False, layout="constrained")
    for panel, group in zip(panels[0], found, strict=True):
        _over_time(panel, group)
    named = {name: line for panel in panels[0] for line, name in zip(*panel.get_legend_handles_labels(), strict=True)}
    order = [title for title in TITLES.values() if title in named]
    figure.legend(
        [named[name] for name in order], order, loc="outside lower center", ncols=2 * len(found), frameon=False
    )
    return figure


def _over_time(panel: Axes, group: Group) -> None:
    seconds = np.geomspace(FIRST_S, group.limit_s, MOMENTS)
    without: list[str] = []
    for number, (method, title) in enumerate(TITLES.items()):
        if not group.rows.get(method):
            continue
        above = np.maximum(group.curve(method, seconds), LEAST_PCT)
        if np.isnan(above).all():
            without.append(title)
            continue
        colour, width = ("black", 2.4) if method == "evenhand" else (f"C{number}", 1.4)
        panel.step(seconds, above, where="post", label=title, color=colour, linewidth=width)
    title = f"{group.people:,} people, {group.tasks:,} tasks" + "".join(f"\nno plan: {name}" for name in without)
    panel.set_title(title, fontsize=10)
    _logarithmic(panel, "seconds", "above the best bound proven, %")


def _logarithmic(panel: Axes, x: str, y: str) -> None:
    from matplotlib.ticker import LogFormatter, StrMethodFormatter  # an extra of its own

    panel.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    panel.grid(alpha=0.3)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))


def scaling_picture(rows: Sequence[Row]) -> Figure:
    """Return time of each stage and memory by size."""
    import matplotlib.pyplot as plt  # an extra of its own

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    tasks = [row["tasks"] for row in rows]
    for stage, title in STAGES.items():
        left.plot(tasks, [max(row[f"{stage}_s"], 0.001) for row in rows], marker="o", label=title)
    left.set_title("Time of each stage", fontsize=10)
    right.plot(tasks, [row["plan_mib"] for row in rows], marker="o", label="up to the first plan")
    right.plot(tasks, [row["peak_mib"] for row in rows], marker="o", label="with the first bound")
    right.set_title("Peak memory", fontsize=10)
    for panel, unit in ((left, "seconds"), (right, "MiB")):
        _logarithmic(panel, "open tasks", unit)
        panel.legend(frameon=False)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a picture, the same bytes for the same data."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Draw what there are rows for."""
    runs = groups(newest("peers", "people", "tasks", "load", "seed", "limit_s", "method"))
    bounded = [group for group in runs if any(bound > 0 for bound in group.bounds.values())]
    if bounded:
        save(peers_picture(bounded), PAGE.parent / "peers.svg")
    sizes = newest("scaling", "people", "tasks", "seed")
    if sizes:
        save(scaling_picture(sizes), PAGE.parent / "scaling.svg")


if __name__ == "__main__":
    main()
