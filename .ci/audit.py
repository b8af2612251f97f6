"""Looks up known vulnerabilities of everything that constraints.txt pins, and says what could not be looked up.

Exit codes: 0 none known, 1 some are known, 2 nothing could be looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONG_S = 600


def main() -> int:
    """Run pip-audit on the pins, which needs an index that knows vulnerabilities."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "constraints.txt")]
    command += ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_S, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        print(f"AUDIT: nothing was looked up: {done.stderr.strip().splitlines()[-1:] or 'no answer'}")
        return 2
    known = [one for one in packages if "skip_reason" not in one]
    print(f"AUDIT: {len(known)} of {len(packages)} packages were looked up")
    found = [(one, flaw) for one in known for flaw in one["vulns"]]
    for one, flaw in found:
        fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"AUDIT: KNOWN VULNERABILITY {flaw['id']} in {one['name']} {one['version']}; fixed by {fixed}")
    return 1 if found else 0 if known else 2


if __name__ == "__main__":
    sys.exit(main())
