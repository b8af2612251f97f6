"""Results as data: one JSON line per measurement, with what is needed to compare it later."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


COMMIT = _commit()
"""The commit measured: read at the start, as the checkout may move on during a long run."""


def instance_folder(name: str) -> Path:
    """Return the folder of a published set; leave with a message when the setting does not lead there."""
    root = os.environ.get("EVENHAND_BENCHMARK_DIR")
    if root is None or not (Path(root) / name).is_dir():
        sys.exit(
            f'EVENHAND_BENCHMARK_DIR is "{root}": no folder "{name}" in it. Maybe set it to where the instances lie.'
        )
    return Path(root) / name


def record(benchmark: str, **figures: object) -> None:
    """Append one measurement to ``results/<benchmark>.jsonl``."""
    RESULTS.mkdir(exist_ok=True)
    line = {
        "benchmark": benchmark,
        **figures,
        "date": date.today().isoformat(),
        "commit": COMMIT,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numba", "numpy", "ortools", "scipy")},
    }
    with (RESULTS / f"{benchmark}.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
