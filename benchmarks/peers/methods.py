"""The methods compared: how each is started, and what must be there for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers.environment import lacking_java, lacking_python


@dataclass(frozen=True)
class Method:
    """One way to solve an instance, as a command of its own."""

    name: str
    title: str
    module: str
    flags: tuple[str, ...] = ()
    lacking: Callable[[], str | None] = lambda: None

    def command(self, instance: str, seconds: float, seed: int) -> list[str]:
        """Return the command line."""
        start = [sys.executable, "-m", f"benchmarks.peers.{self.module}", instance]
        return [*start, "--seconds", str(seconds), "--seed", str(seed), *self.flags]


METHODS = (
    Method("rule", "routing rule", "rule"),
    Method("cpsat", "CP-SAT, one model", "cpsat"),
    Method("cpsat-hint", "CP-SAT, one model, start as hint", "cpsat", ("--hint",)),
    Method("highs", "HiGHS, one MIP", "highs", (), lacking_python),
    Method("highs-start", "HiGHS, one MIP, from the start", "highs", ("--start",), lacking_python),
    Method("timefold", "Timefold, out of the box", "timefold", (), lacking_java),
    Method("timefold-expert", "Timefold, by an expert", "timefold", ("--expert",), lacking_java),
    Method("evenhand", "Evenhand", "evenhand"),
)
TITLES = {method.name: method.title for method in METHODS}
