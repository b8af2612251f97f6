"""Processor time of other processes: what a server takes, whatever else the machine does."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that a process has taken so far, in itself and for itself in the kernel (Linux)."""
    # proc(5): fields are counted behind the name, which ends in the last bracket; 14 and 15 are utime and stime.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
