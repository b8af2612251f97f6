"""The process in which a solve is searched for: ``python -m api.jobs.search_process``, a firm in, incumbents and a plan out.

It knows no database. It reads one line of JSON (`Asked`) and writes lines of JSON (`Told`): progress, incumbents, at last the plan.
Its input stays open as long as whoever started it lives and wants an answer; once that ends, so do this process and all that it
started, whatever they are doing. Where it finds out by telling something that nobody reads, it ends with `NOBODY_LEFT`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Thread

from api.crew import processes
from api.jobs.messages import Asked, Told
from api.stops import WallClock
from solver.batch import solve
from solver.crew import Alone, Crew
from solver.plan import Plan
from solver.policy import Frozen
from solver.stop import FirstOf, Progress, Stop, TargetGap, WorkBudget

NICENESS = 10
"""Whoever waits for a placement goes first."""
NOBODY_LEFT = 74
"""Exit code where nobody is left to answer: whoever started this process was killed. No error, and nothing to print about."""


class NobodyLeft(Exception):
    """Nobody reads what is told."""


class Answers:
    """Where lines are told to whoever started this process.

    Parameters
    ----------
    pipe
        File descriptor. What is written goes there at once: what is kept for later would be found undelivered a second time, at the end.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def tell(self, told: Frozen) -> None:
        """Write a line.

        Raises
        ------
        NobodyLeft
            Nobody reads it.
        """
        left = memoryview(told.model_dump_json().encode() + b"\n")
        try:
            while left:
                left = left[os.write(self._pipe, left) :]
        except BrokenPipeError as error:
            raise NobodyLeft from error


class Telling:
    """Writes what is told, not more often than asked for."""

    def __init__(self, asked: Asked, out: Answers) -> None:
        self._asked, self._out = asked, out
        self._told_s = self._planned_s = float("-inf")
        self._best: int | None = None

    def progress(self, progress: Progress) -> None:
        """Tell figures, where some time has passed."""
        if time.monotonic() - self._told_s >= self._asked.progress_every_s:
            self._tell(progress)

    def incumbent(self, progress: Progress, plan: Callable[[], Plan]) -> None:
        """Write a better plan down and tell it, where some time has passed."""
        if time.monotonic() - self._planned_s >= self._asked.plan_every_s:
            self._tell(progress, plan())
            self._planned_s = time.monotonic()

    def final(self, plan: Plan) -> None:
        """Tell the plan that was found."""
        proof = plan.certificate
        self._tell(
            Progress(proof.work_units, proof.objective_min, proof.bound_min, proof.stop_reason.value), plan, True
        )

    def _tell(self, progress: Progress, plan: Plan | None = None, final: bool = False) -> None:
        told = Told(
            objective_min=progress.objective_min,
            bound_min=progress.bound_min,
            work_units=progress.work_units,
            phase=progress.phase,
            plan=plan,
            final=final,
        )
        self._out.tell(told)
        self._told_s = time.monotonic()


def main() -> None:
    """Search once."""
    with answering(NICENESS) as out:
        line = sys.stdin.buffer.readline()
        if not line.endswith(b"\n"):
            return  # whoever asked is gone before the end of the question
        asked = Asked.model_validate_json(line)
        Thread(target=end_with_input, daemon=True).start()
        telling = Telling(asked, out)
        with _crew(asked) as crew:
            plan = solve(
                asked.firm,
                now=asked.now,
                stop=_stop(asked),
                seed=asked.seed,
                on_progress=telling.progress,
                on_incumbent=telling.incumbent,
                crew=crew,
                last=asked.last,
            )
        telling.final(plan)


def _stop(asked: Asked) -> Stop:
    rules: list[Stop] = []
    if asked.work_units is not None:
        rules.append(WorkBudget(asked.work_units))
    if asked.gap_pct is not None:
        rules.append(TargetGap(asked.gap_pct))
    return FirstOf((*rules, WallClock(asked.seconds)))


def _crew(asked: Asked) -> AbstractContextManager[Crew]:
    if asked.cores == 1:
        return nullcontext(Alone())
    return processes(asked.cores, patient=asked.work_units is not None)


@contextmanager
def answering(niceness: int) -> Iterator[Answers]:
    """Give way to others, and give where lines are told to whoever started this process; without anybody left, end it."""
    os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this process, who then ends it
    pipe = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what libraries print goes nowhere
    try:
        yield Answers(pipe)
    except NobodyLeft:
        sys.exit(NOBODY_LEFT)
    finally:
        os.close(pipe)


def end_with_input() -> None:
    """End this process, and its own, once nobody holds the other end of its input."""
    # Past the buffer of `stdin`, which nobody may hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 65_536):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
