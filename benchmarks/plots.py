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

    figure, panels = plt.subplots(1, len(found), figsize=(6.2 * len(found), 4.6), squeeze=False, layout="constrained")
    for panel, group in zip(panels[0], found, strict=True):
        seconds = np.geomspace(FIRST_S, group.limit_s, MOMENTS)
        for number, method in enumerate(TITLES):
            if group.rows.get(method):
                above = np.maximum(group.curve(method, seconds), LEAST_PCT)
                ours = method == "evenhand"
                panel.step(
                    seconds, above, where="post", label=TITLES[method], color="black" if ours else f"C{number}",
                    linewidth=2.4 if ours else 1.4,
                )  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="seconds", title=f"{group.people:,} people, {group.tasks:,} tasks")
        panel.set_ylabel("above the best bound proven, %")
        panel.grid(alpha=0.3)
    handles, names = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    return figure


def scaling_picture(rows: Sequence[Row]) -> Figure:
    """Return time of each stage and memory by size."""
    import matplotlib.pyplot as plt  # an extra of its own

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    tasks = [row["tasks"] for row in rows]
    for stage, title in STAGES.items():
        shown = [max(row[f"{stage}_s"], 0.001) if stage != "bound" or row["relaxed"] else np.nan for row in rows]
        left.plot(tasks, shown, marker="o", label=title)
    left.set(xscale="log", yscale="log", xlabel="open tasks", ylabel="seconds", title="Time of each stage")
    left.legend(frameon=False)
    right.plot(tasks, [row["plan_mib"] for row in rows], marker="o", label="up to the first plan")
    right.plot(tasks, [row["peak_mib"] for row in rows], marker="o", label="with the first bound")
    right.set(xscale="log", yscale="log", xlabel="open tasks", ylabel="MiB", title="Peak memory")
    right.legend(frameon=False)
    for panel in (left, right):
        panel.grid(alpha=0.3)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a picture, the same bytes for the same data."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Draw what there are rows for."""
    runs = newest("peers", "people", "tasks", "load", "seed", "limit_s", "method")
    if runs:
        save(peers_picture(groups(runs)), PAGE.parent / "peers.svg")
    sizes = newest("scaling", "people", "tasks", "seed")
    if sizes:
        save(scaling_picture(sizes), PAGE.parent / "scaling.svg")


if __name__ == "__main__":
    main()
