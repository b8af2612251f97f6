"""Charts of the outlook pages as numbers for their drawing: bars and columns, in the units of a fixed box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 720.0, 160.0
"""Size of the drawn area."""
BARS = 30


@dataclass(frozen=True)
class Bar:
    """One bar: left end, width, height from below, and what it says when pointed at."""

    x: float
    width: float
    height: float
    title: str
    short: float = 0.0
    """Height of a second part on top of it."""


@dataclass(frozen=True)
class Chart:
    """Bars with a caption, a mark per axis end, and the height of a line across, if any."""

    caption: str
    bars: tuple[Bar, ...]
    low: str
    high: str
    line: tuple[str, ...] = ()
    """Points of a line over the bars, ``x,y`` each."""
    width: float = WIDTH
    height: float = HEIGHT


def histogram(caption: str, values: NDArray[np.float64], low: float, high: float, unit: str) -> Chart:
    """Return how often a figure fell into each stretch between ``low`` and ``high``; several charts share their ends."""
    edges = np.linspace(low, max(high, low + 1), BARS + 1)
    counts, _ = np.histogram(values, bins=edges)
    most = max(int(counts.max(initial=0)), 1)
    wide = WIDTH / BARS
    bars = tuple(
        Bar(
            round(i * wide, 2),
            round(wide - 1, 2),
            round(HEIGHT * int(count) / most, 2),
            f"{edges[i]:.0f} to {edges[i + 1]:.0f} {unit}: {int(count)} of {len(values)} draws",
        )
        for i, count in enumerate(counts)
    )
    return Chart(caption, bars, f"{edges[0]:.0f}", f"{edges[-1]:.0f} {unit}")


def columns(
    caption: str,
    titles: Sequence[str],
    used: Sequence[float],
    short: Sequence[float],
    open_: Sequence[float],
    ends: tuple[str, str],
) -> Chart:
    """Return a column per week, the missing part on top, and the hours there are as a line."""
    count = max(len(used), 1)
    top = max([1.0, *(a + b for a, b in zip(used, short, strict=True)), *open_])
    wide = WIDTH / count
    bars = tuple(
        Bar(
            round(i * wide, 2),
            round(max(wide - 1.5, 0.5), 2),
            round(HEIGHT * used[i] / top, 2),
            titles[i],
            round(HEIGHT * short[i] / top, 2),
        )
        for i in range(len(used))
    )
    line = tuple(
        f"{x:.2f},{HEIGHT * (1 - open_[i] / top):.2f}" for i in range(len(open_)) for x in (i * wide, (i + 1) * wide)
    )
    return Chart(caption, bars, ends[0], ends[1], line)
