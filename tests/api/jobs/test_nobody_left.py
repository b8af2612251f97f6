"""What the processes of workers do when nobody is left to answer: they end, and print nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from api.jobs.asks import SeasonAsk
from api.jobs.child import POINTS, SEARCH
from api.jobs.messages import Asked, PointAsked, PointGround
from api.jobs.search_process import NOBODY_LEFT
from solver.policy import Frozen
from tests.api.jobs.solving import LONG_S, NOW, ROOT, uneven
from tests.firms_for_tests import random_firm

SEARCHED = Asked(firm=uneven(), now=NOW, seconds=LONG_S, work_units=0.05, cores=1)
WORKED_OUT = PointAsked(
    does="season",
    arguments="{}",
    ground=PointGround(
        kind="season", ask=SeasonAsk(days=7).model_dump_json(), firm=uneven(), now=NOW, last=None, earlier=(), cores=1
    ),
)
PARENT = """
import sys, time
from api.jobs.child import SEARCH, Child
from api.jobs.messages import Asked, Told
child = Child(SEARCH, Told)
child.ask(Asked.model_validate_json(sys.stdin.readline()))
while child.told(600.0) is not None:
    print("told", flush=True)
"""


def answered(module: str, line: bytes, *, read: bool) -> tuple[int, bytes]:
    """Return exit code and errors of a process that is asked something, while the asker stays; ``read``: and its answer is read."""
    pipe, command = subprocess.PIPE, [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        if not read:
            child.stdout.close()
        child.stdin.write(line + b"\n")
        child.stdin.flush()
        said = child.stderr.read()
        return child.wait(timeout=LONG_S), said


@pytest.mark.parametrize("module, asked", [(SEARCH, SEARCHED), (POINTS, WORKED_OUT)], ids=["search", "points"])
def test_an_answer_that_nobody_reads_ends_the_process_with_a_code_of_its_own(module: str, asked: Frozen) -> None:
    assert answered(module, asked.model_dump_json().encode(), read=False) == (NOBODY_LEFT, b"")


@pytest.mark.parametrize("module, line", [(SEARCH, b"{}"), (POINTS, b'{"does": "season"}')], ids=["search", "points"])
def test_any_other_error_is_loud(module: str, line: bytes) -> None:
    code, said = answered(module, line, read=True)
    assert code == 1
    assert said.count(b"Traceback") == 1
    assert b"ValidationError" in said


def test_a_search_whose_parent_is_killed_ends_without_a_word() -> None:
    """Whoever holds the other end of the errors is the search alone, once its parent is gone: they end when it does."""
    endless = Asked(
        firm=random_firm(3, people=6, tasks=40),
        now=NOW + timedelta(hours=1),
        seconds=3_600,
        seed=1,
        cores=2,
        plan_every_s=0,
        progress_every_s=0,
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stderr is not None
        parent.stdin.write(endless.model_dump_json().encode() + b"\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == b"told\n"
        os.kill(parent.pid, signal.SIGKILL)
        assert parent.stderr.read() == b""
