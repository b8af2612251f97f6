"""A search, or points, in a process of its own, as seen by whoever started it: what it is asked, what it tells, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Generic, TypeVar

from pydantic import ValidationError

from solver.policy import Frozen

SEARCH = "api.jobs.search_process"
POINTS = "api.jobs.point_process"
T = TypeVar("T", bound=Frozen)


class Child(Generic[T]):
    """One process and the processes that it starts; ended with all of them by `end`.

    Parameters
    ----------
    module
        What it runs.
    told
        The model of what it tells.

    Attributes
    ----------
    exit_code
        Once it is known; negative: the signal that ended the process.
    """

    def __init__(self, module: str, told: type[T]) -> None:
        # A session of its own, so that a Ctrl-C meant for us does not reach it, and so that all of it can be ended at once.
        self._process = subprocess.Popen(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.exit_code: int | None = None
        self._model = told
        self._told: SimpleQueue[T | None] = SimpleQueue()
        self._asked: SimpleQueue[Frozen | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._send, args=(self._process.stdin,), daemon=True),
            Thread(target=self._receive, args=(self._process.stdout,), daemon=True),
        ]
        for one in self._threads:
            one.start()

    @property
    def pid(self) -> int:
        """Id of the process, and of its group."""
        return self._process.pid

    def ask(self, asked: Frozen) -> None:
        """Ask for something, without waiting: a process reads nothing before it has imported everything."""
        self._asked.put(asked)

    def told(self, wait_s: float) -> T | None:
        """Return the next thing told; ``None`` when none came in time, or when none will: `exit_code` is set then."""
        try:
            told = self._told.get(timeout=wait_s)
        except Empty:
            return None
        if told is None:
            self.exit_code = self._process.wait()
        return told

    def end(self) -> None:
        """End the process and all that it started, at once."""
        with suppress(ProcessLookupError):  # it has ended, and its processes with it
            os.killpg(self._process.pid, signal.SIGKILL)
        self.exit_code = self._process.wait()
        self._asked.put(None)
        for one in self._threads:
            one.join()
        with suppress(OSError):  # what it did not read any more
            if self._process.stdin is not None:
                self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _receive(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                self._told.put(self._model.model_validate_json(line))
            except ValidationError:
                break  # cut off in the middle of a line: the process is gone
        self._told.put(None)

    def _send(self, pipe: IO[bytes]) -> None:
        with suppress(OSError):  # it died: whoever waits for what it tells finds that out
            while (asked := self._asked.get()) is not None:
                pipe.write(asked.model_dump_json().encode() + b"\n")
                pipe.flush()
