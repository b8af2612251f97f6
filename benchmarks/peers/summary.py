"""Runs of several methods on several firms, put beside each other: how far each is above the best bound proven for its firm.

Ratios and not minutes, for firms differ by a factor of ten and more; medians and not means, for one firm where a method is lost
would hide all others.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.methods import METHODS

Row = dict[str, Any]
Firm = tuple[int, int, float, int]
"""People, tasks, load, seed."""


@dataclass
class Group:
    """All runs of one size of firm with one time limit."""

    people: int
    tasks: int
    load: float
    limit_s: float
    bounds: dict[int, int]
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    @property
    def marks(self) -> list[str]:
        """Return the names of the marks of the clock, earliest first."""
        names = {name for rows in self.rows.values() for row in rows for name in row if name.startswith("at_")}
        return sorted(names, key=lambda name: float(name.split("_")[1]))

    @property
    def seeds(self) -> list[int]:
        """Return the seeds of the firms."""
        return sorted({row["seed"] for rows in self.rows.values() for row in rows})

    def above_pct(self, row: Row, objective: int) -> float | None:
        """Return how far an objective is above the best bound of its firm; none where no bound above zero is proven."""
        bound = self.bounds.get(row["seed"], 0)
        return 100.0 * (objective - bound) / bound if bound > 0 else None

    def median_pct(self, method: str, mark: str) -> float | None:
        """Return the median over the firms at a mark; none unless most of them had a plan by then."""
        found = [row.get(mark) for row in self.rows[method]]
        above = [
            _or_infinite(self.above_pct(row, at))
            for row, at in zip(self.rows[method], found, strict=True)
            if at is not None
        ]
        above += [float("inf")] * (len(found) - len(above))
        median = statistics.median_low(above)
        return median if median < float("inf") else None

    def curve(self, method: str, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the median over the firms at each moment; NaN while most have no plan."""
        runs = np.array([self._steps(row, seconds) for row in self.rows[method]])
        middle: NDArray[np.float64] = np.sort(runs, axis=0)[(len(runs) - 1) // 2]
        return np.where(np.isfinite(middle), middle, np.nan)

    def _steps(self, row: Row, seconds: NDArray[np.float64]) -> list[float]:
        at = [point[0] for point in row["trace"]]
        above = [float("inf"), *(_or_infinite(self.above_pct(row, point[1])) for point in row["trace"])]
        return [above[place] for place in np.searchsorted(at, seconds, side="right").tolist()]


def _or_infinite(pct: float | None) -> float:
    return float("inf") if pct is None else pct


def groups(rows: Sequence[Row]) -> list[Group]:
    """Return the runs by size and limit, smallest first; methods in the order of `METHODS`."""
    bounds = best_bounds(rows)
    found: dict[tuple[int, int, float, float], Group] = {}
    for row in sorted(rows, key=lambda row: _place(row["method"])):
        size = (row["people"], row["tasks"], row["load"])
        if (*size, row["limit_s"]) not in found:
            own = {seed: bound for (*firm, seed), bound in bounds.items() if tuple(firm) == size}
            found[*size, row["limit_s"]] = Group(*size, row["limit_s"], own)
        found[*size, row["limit_s"]].rows[row["method"]].append(row)
    return [found[key] for key in sorted(found)]


def best_bounds(rows: Iterable[Row]) -> dict[Firm, int]:
    """Return the best bound proven for each firm by anybody in any of its runs."""
    best: dict[Firm, int] = {}
    for row in rows:
        firm = (row["people"], row["tasks"], row["load"], row["seed"])
        best[firm] = max(best.get(firm, 0), row["bound"] or 0)
    return best


def _place(method: str) -> int:
    return [one.name for one in METHODS].index(method)
