"""Make the separate environment of the peers in ``.peers/``, at the pinned versions: ``python -m benchmarks.peers.setup``."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers.environment import FOLDER, PYTHON, lacking_java

CONSTRAINTS = Path(__file__).parent / "constraints.txt"
PACKAGES = ("highspy", "timefold")


def main() -> None:
    """Make the environment, or bring it to the pinned versions."""
    venv.create(FOLDER, with_pip=True, symlinks=os.name != "nt")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(CONSTRAINTS), *PACKAGES], check=True)
    lacking = lacking_java()
    if lacking is not None:
        print(f"HiGHS is set up; Timefold {lacking}", file=sys.stderr)


if __name__ == "__main__":
    main()
