"""How a process ends: politely within a bound at the first signal, at once at the second."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
LONG_S = 300
CODE = """
import os, sys
from api.commands.signals import Ending
with Ending(float(sys.argv[1])) as ending:
    ending.close(lambda: os.write(1, b"closed\\n"))
    print("begun", flush=True)
    ending.wait()
    os.write(1, b"asked\\n")
    sys.stdin.readline()
print("over", flush=True)
"""


class Waiting:
    """A process that goes on until its input has a line, whatever it is asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextmanager
def waiting(bound_s: float) -> Iterator[Waiting]:
    command = [sys.executable, "-c", CODE, str(bound_s)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        made = Waiting(process)
        assert made.said() == "begun\n"
        yield made
    finally:
        process.kill()
        process.communicate()


def test_the_first_signal_closes_what_there_is_and_the_process_ends_by_itself() -> None:
    for signum in (signal.SIGTERM, signal.SIGINT):
        with waiting(LONG_S) as one:
            one.process.send_signal(signum)
            assert {one.said() for _ in range(2)} == {"asked\n", "closed\n"}
            out, err = one.process.communicate("go on\n", timeout=LONG_S)
            assert (one.process.returncode, out, err) == (0, "over\n", "")  # closed once


def test_the_second_signal_ends_at_once() -> None:
    for first, second in (
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
    ):
        with waiting(LONG_S) as one:
            one.process.send_signal(first)
            assert {one.said() for _ in range(2)} == {"asked\n", "closed\n"}
            one.process.send_signal(second)
            assert one.process.wait(timeout=LONG_S) == 128 + second


def test_a_polite_end_that_takes_too_long_is_ended() -> None:
    with waiting(0.2) as one:
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(timeout=LONG_S) == 1
        assert one.process.stderr is not None
        assert "not ended within" in one.process.stderr.read()
