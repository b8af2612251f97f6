"""Timefold on an instance: constraint streams with the stock local search, or with ``--expert`` own moves and calculator.

The Java sources beside this file are compiled into a temporary folder first; the clock begins with Java, not with its compiler.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.environment import jars, lacking_java, leave_if
from benchmarks.peers.trace import arguments_of

SOURCES = Path(__file__).parent
START_TEMPERATURE = 300
"""Of the expert's annealing, in minutes: two to three times the price of a move."""


def compile_into(folder: Path) -> str:
    """Compile the sources; return the class path to run them with."""
    path = os.pathsep.join([str(folder), *map(str, jars())])
    sources = sorted(map(str, SOURCES.glob("*.java")))
    subprocess.run(["javac", "-proc:none", "-cp", path, "-d", str(folder), *sources], check=True)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile, run, and return Java's exit code."""
    asked = arguments_of(__doc__, arguments, "expert", temperature=START_TEMPERATURE)
    leave_if(lacking_java(), "timefold")
    variant = "expert" if asked.expert else "streams"
    with tempfile.TemporaryDirectory() as folder:
        path = compile_into(Path(folder))
        command = [
            "java",
            "-cp",
            path,
            "Main",
            str(asked.instance),
            variant,
            asked.seconds,
            asked.seed,
            asked.temperature,
        ]
        return subprocess.run([str(word) for word in command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
