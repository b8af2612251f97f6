"""Python in a process of its own, started from the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def printed(code: str, **environment: str) -> str:
    """Return what ``code`` prints, with nothing but ``environment`` and the checkout known to it."""
    child = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **environment},
    )
    return child.stdout
