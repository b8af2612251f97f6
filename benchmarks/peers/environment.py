"""The separate environment of peers that cannot live in ours, and what to say where it is missing.

HiGHS (``highspy``) and ``ortools`` in one process crash; Timefold brings its Java archives in a Python package.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".peers"
PYTHON = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
ABSENT_EXIT = 69
"""Exit code of a peer that is not set up (``EX_UNAVAILABLE``)."""
SETUP = "python -m benchmarks.peers.setup"


def jars() -> list[Path]:
    """Return Timefold's Java archives, its logger left out: it would write to standard output."""
    found = FOLDER.glob("**/timefold/solver/jars/*.jar")
    return sorted(path for path in found if not path.name.startswith("logback"))


def lacking_python() -> str | None:
    """Say what is missing for a peer that runs in the separate environment."""
    return None if PYTHON.is_file() else f"not set up. Maybe run: {SETUP}"


def lacking_java() -> str | None:
    """Say what is missing for a peer in Java."""
    if not all(shutil.which(name) for name in ("java", "javac")):
        return "needs java and javac 17 or newer. Maybe install a JDK (Debian: openjdk-17-jdk-headless)"
    return None if jars() else f"not set up. Maybe run: {SETUP}"


def leave_if(lacking: str | None, peer: str) -> None:
    """Leave with `ABSENT_EXIT` and a sentence when something is missing."""
    if lacking is not None:
        print(f"{peer}: {lacking}", file=sys.stderr)
        sys.exit(ABSENT_EXIT)


def enter(module: str, arguments: Sequence[str]) -> None:
    """Go on as ``module`` in the separate environment, unless this is it already."""
    if Path(sys.prefix).resolve() != FOLDER.resolve():
        leave_if(lacking_python(), module)
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", module, *arguments])
