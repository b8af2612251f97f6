"""All methods on the same firms, one after another, each alone: ``python -m benchmarks.peers.compare --people 30 --tasks 600``."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.environment import ROOT
from benchmarks.peers.export import generated
from benchmarks.peers.instance import Instance, write
from benchmarks.peers.methods import METHODS, TITLES, Method
from benchmarks.peers.outcome import Outcome, outcome_of
from benchmarks.records import record
from solver import warm

MARKS_S = (10, 60, 300)
GRACE_S = 60.0
"""What a run may take beyond its time, and half its time again: presolve cannot be interrupted. Then it is ended."""


def run(method: Method, instance: Instance, path: Path, seconds: float, seed: int) -> Outcome:
    """Run one method in a process of its own; raise ``RuntimeError`` when it fails."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaints:
        command = method.command(str(path), seconds, seed)
        child = subprocess.Popen(command, stdout=said, stderr=complaints, cwd=ROOT, start_new_session=True)
        ended = False
        try:
            child.wait(timeout=1.5 * seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # its own children too: Java is one
            child.wait()
            ended = True
        said.seek(0)
        complaints.seek(0)
        if child.returncode and not ended:
            raise RuntimeError(f"{method.name} ended with {child.returncode}: {complaints.read()[-500:]}")
        outcome = outcome_of(instance, said)
    if ended:
        outcome.facts["ended"] = f"by force after {1.5 * seconds + GRACE_S:.0f} s"
    return outcome


def marks(outcome: Outcome, seconds: float) -> dict[str, int | None]:
    """Return the objective at each mark of the run; at its limit, what it ended with."""
    found = {f"at_{mark}_s": outcome.at(mark) for mark in MARKS_S if mark < seconds}
    return found | {f"at_{seconds:g}_s": outcome.best_min}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare on one firm per seed; return 1 when a method asked for was absent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--methods", nargs="+", choices=list(TITLES), default=list(TITLES), metavar="METHOD")
    asked = parser.parse_args(arguments)
    methods = [method for method in METHODS if method.name in asked.methods]
    present = [method for method in methods if method.lacking() is None]
    for method in methods:
        if method not in present:
            print(f"absent: {method.title}: {method.lacking()}", flush=True)
    warm.compile_all()  # compiling is part of installing
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.seeds):
            path = Path(folder) / f"{seed}.txt"
            instance = generated(asked.people, asked.tasks, asked.load, seed)
            write(instance, path)
            for method in present:
                told(asked, seed, instance, method, run(method, instance, path, asked.seconds, seed))
    return int(len(present) < len(methods))


def told(asked: argparse.Namespace, seed: int, instance: Instance, method: Method, outcome: Outcome) -> None:
    """Print and record one run."""
    shown = ", ".join(
        f"{name[3:].replace('_', ' ')} {_shown(value)}" for name, value in marks(outcome, asked.seconds).items()
    )
    print(
        f"{asked.people} x {asked.tasks} seed {seed} {method.title}: {shown}, {outcome.escalated} escalated, "
        f"bound {_shown(outcome.bound_min)}, {outcome.took_s:.1f} s",
        flush=True,
    )
    record(
        "peers",
        people=asked.people,
        tasks=asked.tasks,
        load=asked.load,
        seed=seed,
        limit_s=asked.seconds,
        method=method.name,
        **marks(outcome, asked.seconds),
        escalated=outcome.escalated,
        bound=outcome.bound_min,
        unavoidable=int(instance.unavoidable_min[0]),
        took_s=round(outcome.took_s, 1),
        peer=outcome.facts,
        trace=outcome.thinned(),
    )


def _shown(minutes: int | None) -> str:
    return "none" if minutes is None else f"{minutes:,}"


if __name__ == "__main__":
    sys.exit(main())
