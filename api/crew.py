"""A crew of processes: the jobs of a search side by side, one process a core.

A process that dies is started again and gets its job anew; after a few deaths the job is done here. A search that is told to stop waits a
moment for what its processes have and then ends them; what a job kept until then counts.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from multiprocessing.synchronize import Event
from queue import SimpleQueue
from threading import Thread
from typing import Any

from solver.crew import GoOn, Job, Near, Ticket
from solver.problem import Problem

POLL_S = 0.1
"""Seconds between two looks at the stop rule while processes work."""
GRACE_S, KEPT_GRACE_S = 1.0, 0.3
"""Seconds a process is given to hand over what it has once the search must stop: fewer where most of it was kept already."""
MOST_DEATHS = 3
"""Deaths of a process over one job, after which the job is done in this process: it may be what kills them."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    number: int | None = None
    outbox: SimpleQueue[bytes | None] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self.sender = Thread(target=_send, args=(self.pipe, self.outbox), daemon=True)
        self.sender.start()

    def send(self, message: bytes) -> None:
        """Send without waiting: a process reads nothing before it has imported everything, which takes a second."""
        self.outbox.put(message)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.outbox.put(None)
        self.sender.join()
        self.pipe.close()


def _packed(what: Any) -> bytes:
    return bytes(ForkingPickler.dumps(what))


def _send(pipe: Connection, outbox: SimpleQueue[bytes | None]) -> None:
    while (message := outbox.get()) is not None:
        with suppress(OSError):  # it died: whoever waits for what it does finds that out
            pipe.send_bytes(message)


@dataclass
class Processes:
    """Does jobs in ``count`` child processes; close it when the search is over.

    Patient, the same deterministic budget gives the same plan; otherwise a search that ends by the clock loses no time waiting.
    """

    count: int = field(default_factory=lambda: max(len(os.sched_getaffinity(0)), 1))
    patient: bool = True
    problem: Problem | None = None
    message: bytes = b""
    workers: list[_Worker] = field(default_factory=list)
    waiting: deque[Ticket[Any]] = field(default_factory=deque)
    running: dict[int, Ticket[Any]] = field(default_factory=dict)
    done: dict[int, Any] = field(default_factory=dict)
    kept: dict[int, Any] = field(default_factory=dict)
    deaths: dict[int, int] = field(default_factory=dict)
    started: int = 0

    def __post_init__(self) -> None:
        # A fresh interpreter each: a fork of a process with threads or a busy linear solver may hang.
        self.context = multiprocessing.get_context("spawn")
        self.stopped: Event = self.context.Event()

    def meet(self, problem: Problem) -> None:
        """Get ready for a problem; processes start when the first job does.

        Those of an earlier problem that have nothing to do stay: importing everything takes a process a second or more.
        """
        for worker in [one for one in self.workers if one.number is not None or not one.process.is_alive()]:
            self._end(worker)
        self._forget()
        if problem is not self.problem:
            self.problem, self.message = problem, _packed(problem)
            for worker in self.workers:
                worker.send(self.message)

    def start(self, job: Job[Any]) -> Ticket[Any]:
        """Take a job on; it begins as soon as a process is free."""
        self.started += 1
        ticket = Ticket(self.started, job)
        self.waiting.append(ticket)
        self._hand_out()
        return ticket

    def ready(self, ticket: Ticket[Any]) -> bool:
        """Return whether a job has ended."""
        self._collect(0.0)
        return ticket.number in self.done

    def finish(self, ticket: Ticket[Any], go_on: GoOn) -> Any:
        """Wait for a job; told to stop, and not ended within a second, it comes to what it kept, or ``None``."""
        until: float | None = None
        while ticket.number not in self.done:
            if until is None and not go_on():
                self.stopped.set()
                self.waiting.clear()
                until = time.monotonic() + (KEPT_GRACE_S if ticket.number in self.kept else GRACE_S)
            if until is not None and (time.monotonic() >= until or ticket.number not in self.running):
                self._end(self._worker_of(ticket.number))
                return self.kept.pop(ticket.number, None)
            self._collect()
        self.kept.pop(ticket.number, None)
        return self.done.pop(ticket.number)

    def close(self) -> None:
        """End all processes and forget their jobs."""
        for worker in list(self.workers):
            self._end(worker)
        self._forget()

    def _forget(self) -> None:
        for jobs in (self.waiting, self.running, self.done, self.kept, self.deaths):
            jobs.clear()
        self.stopped.clear()

    def _hand_out(self) -> None:
        while self.waiting:
            worker = next((one for one in self.workers if one.number is None), None)
            if worker is None and len(self.workers) >= self.count:
                return
            worker = worker or self._hired()
            ticket = self.waiting.popleft()
            worker.number, self.running[ticket.number] = ticket.number, ticket
            worker.send(_packed(ticket.job))

    def _hired(self) -> _Worker:
        here, there = self.context.Pipe()
        process = self.context.Process(target=_serve, args=(there, self.stopped), daemon=True)
        process.start()
        there.close()
        worker = _Worker(process, here)
        self.workers.append(worker)
        worker.send(self.message)
        return worker

    def _collect(self, seconds: float = POLL_S) -> None:
        """Take in what is done within a moment, and give the next jobs out."""
        busy = {one.pipe: one for one in self.workers if one.number is not None}
        for pipe in wait(list(busy), seconds):
            worker = busy[pipe]  # type: ignore[index]
            try:
                ended, result = worker.pipe.recv()
            except (EOFError, OSError):
                self._died(worker)
                continue
            assert worker.number is not None
            if not ended:
                self.kept[worker.number] = result
                continue
            self.done[worker.number] = result
            self.running.pop(worker.number)
            worker.number = None
        self._hand_out()

    def _died(self, worker: _Worker) -> None:
        number = worker.number
        ticket = None if number is None else self.running.pop(number)
        self._end(worker)
        if number is None or ticket is None or self.stopped.is_set():
            return  # nobody waits for it any more, beyond what it kept
        self.deaths[number] = self.deaths.get(number, 0) + 1
        if self.deaths[number] < MOST_DEATHS:
            self.waiting.appendleft(ticket)
            return
        assert self.problem is not None
        self.done[number] = ticket.job(self.problem, Near(lambda: not self.stopped.is_set()))

    def _worker_of(self, number: int) -> _Worker | None:
        return next((one for one in self.workers if one.number == number), None)

    def _end(self, worker: _Worker | None) -> None:
        if worker is None:
            return
        self.workers.remove(worker)
        worker.end()
        if self.stopped.is_set() and worker.number is not None:
            self.running.pop(worker.number, None)


@dataclass(frozen=True)
class _Line:
    pipe: Connection
    stopped: Event

    def __call__(self) -> bool:
        return not self.stopped.is_set()

    def keep(self, result: Any) -> None:
        self.pipe.send((False, result))


@contextmanager
def processes(count: int | None = None, *, patient: bool = True) -> Iterator[Processes]:
    """Give a crew for the time of a search, one process a core unless told; its processes are gone afterwards."""
    crew = Processes(patient=patient) if count is None else Processes(count, patient=patient)
    try:
        yield crew
    finally:
        crew.close()


def _serve(pipe: Connection, stopped: Event) -> None:
    """Do jobs until the other end is closed. What libraries print goes nowhere: standard output belongs to the command."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the search, which then tells its processes
    try:
        problem: Problem | None = None
        while True:
            job = pipe.recv()
            if isinstance(job, Problem):
                problem = job
            else:
                pipe.send((True, job(problem, _Line(pipe, stopped))))
    except (EOFError, OSError):
        return  # the search is over
