"""What a run says, read from its lines: every plan scored anew, and the best at each mark of the clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.peers.export import whole
from benchmarks.peers.instance import ESCALATED, Instance
from benchmarks.peers.scoring import Answer, objective_min
from benchmarks.peers.trace import Line

KEPT_POINTS = 60


@dataclass
class Outcome:
    """The best plan over time and what the run said at its end.

    Attributes
    ----------
    trace
        ``(seconds, objective)`` of each better plan, less the part no plan escapes.
    """

    trace: list[tuple[float, int]] = field(default_factory=list)
    escalated: int | None = None
    bound_min: int | None = None
    took_s: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def best_min(self) -> int | None:
        """The objective of the best plan; none when there is no plan."""
        return self.trace[-1][1] if self.trace else None

    def at(self, mark_s: float) -> int | None:
        """Return the objective of the best plan there was by a mark."""
        return next((objective for seconds, objective in reversed(self.trace) if seconds <= mark_s), None)

    def thinned(self) -> list[tuple[float, int]]:
        """Return some of the trace, evenly spread over the logarithm of time, first and last included."""
        if len(self.trace) <= KEPT_POINTS:
            return self.trace
        seconds = np.array([point[0] for point in self.trace])
        marks = np.geomspace(seconds[0], seconds[-1], KEPT_POINTS)
        places = {0, len(seconds) - 1, *(np.searchsorted(seconds, marks, side="right") - 1).tolist()}
        return [self.trace[place] for place in sorted(places)]


def outcome_of(instance: Instance, lines: Iterable[str]) -> Outcome:
    """Return what a run's lines say.

    Raises
    ------
    ValueError
        A plan breaks a rule, or the peer's own figure is not what its plan costs (a minute per person may be rounding).
    """
    found, base = Outcome(), int(instance.unavoidable_min[0])
    for line in lines:
        if not line.startswith("{"):  # HiGHS greets on standard output
            continue
        said: Line = json.loads(line)
        found.took_s = said.pop("seconds")
        objective = _objective(instance, said)
        if objective is None:
            bound = said.pop("bound_min", None)
            found.bound_min = None if bound is None else bound - base
            found.facts = said
        elif found.best_min is None or objective - base < found.best_min:
            found.trace.append((found.took_s, objective - base))
        if "who" in said:
            found.escalated = said["who"].count(ESCALATED)
    return found


def _objective(instance: Instance, said: Line) -> int | None:
    claimed: int | None = said.get("objective_min")
    if "who" not in said:
        return claimed
    scored = objective_min(instance, Answer(whole(said["who"]), whole(said["window"])))
    if claimed is not None and abs(claimed - scored) > instance.person_count:
        raise ValueError(f"the peer says its plan costs {claimed}, it costs {scored}: it solves another problem")
    return scored
