"""How a process ends: politely within a bound at the first signal, at once at the second."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
LONG_S = 60
CODE = """
import sys, threading
from api.commands.signals import Ending
with Ending(float(sys.argv[1])) as ending:
    ending.close(lambda: print("closed", flush=True))
    print("begun", flush=True)
    ending.wait()
    print("asked", flush=True)
    sys.stdin.readline()
print("over", flush=True)
"""


@contextmanager
def waiting(bound_s: float) -> Iterator[subprocess.Popen[str]]:
    """Start a process that goes on until its input has a line, whatever it is asked."""
    command = [sys.executable, "-c", CODE, str(bound_s)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
    try:
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_first_signal_closes_what_there_is_and_the_process_ends_by_itself() -> None:
    for one in (signal.SIGTERM, signal.SIGINT):
        with waiting(LONG_S) as process:
            process.send_signal(one)
            assert {process.stdout.readline() for _ in range(2)} == {"asked\n", "closed\n"}
            out, err = process.communicate("go on\n", timeout=LONG_S)
            assert (process.returncode, out, err) == (0, "over\n", "")  # closed once


def test_the_second_signal_ends_at_once() -> None:
    for first, second in (
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
    ):
        with waiting(LONG_S) as process:
            process.send_signal(first)
            assert {process.stdout.readline() for _ in range(2)} == {"asked\n", "closed\n"}
            process.send_signal(second)
            assert process.wait(timeout=LONG_S) == 128 + second


def test_a_polite_end_that_takes_too_long_is_ended() -> None:
    with waiting(0.2) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=LONG_S) == 1
        assert "not ended within" in process.stderr.read()
