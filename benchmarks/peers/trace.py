"""How a peer tells what it found: JSON lines on standard output, each with the seconds since its process began.

A line holds the whole plan, so that every figure published is worked out anew by `benchmarks.peers.scoring`; only our own engine,
whose progress says no plan, gives its figure, and its plan at the end. At most the last plan of each quarter of a second is
written, so that telling costs next to nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import STARTED_S
from benchmarks.peers.scoring import Answer

BIN_S = 0.25
Line = dict[str, Any]


def elapsed_s() -> float:
    """Return the seconds since this process began."""
    return time.monotonic() - STARTED_S


@dataclass
class Trace:
    """Writes what is found, the last of each quarter of a second."""

    clock: Callable[[], float] = elapsed_s
    write: Callable[[str], object] = lambda line: print(line, flush=True)
    _pending: Line | None = field(default=None, init=False)

    def found(self, answer: Answer) -> None:
        """Take in a better plan."""
        self._take({"who": answer.who.tolist(), "window": answer.window.tolist()})

    def stands_at(self, objective_min: int) -> None:
        """Take in a better objective whose plan is not at hand."""
        self._take({"objective_min": objective_min})

    def close(self, **facts: object) -> None:
        """Write what is pending, and a last line with what else is known: ``bound_min``, ``versions``."""
        self._flush()
        self.write(json.dumps({"seconds": round(self.clock(), 3), **facts}))

    def _take(self, line: Line) -> None:
        now = self.clock()
        if self._pending is not None and int(now / BIN_S) != int(self._pending["seconds"] / BIN_S):
            self._flush()
        self._pending = {"seconds": round(now, 3), **line}

    def _flush(self) -> None:
        if self._pending is not None:
            self.write(json.dumps(self._pending))
        self._pending = None


def arguments_of(
    description: str | None, arguments: Sequence[str] | None, *flags: str, **numbers: int
) -> argparse.Namespace:
    """Return ``instance``, ``seconds``, ``seed``, each flag, and each number with its default, as every peer takes them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("instance", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args(arguments)
