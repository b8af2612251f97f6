"""Callers of one firm share a transaction: whoever comes while a turn runs is done, with all others who wait, in the next one.

A commit that survives a power cut costs milliseconds, a placement a fraction of one. Each caller still gets its own answer, or its own
refusal, and gets it after the commit. Where an operation fails after it has written something, nobody's work is committed, and
each is done again in a turn of its own, so that nobody pays for another's mistake.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Generic, TypeVar

from api import tracing
from api.store.refusals import busy
from api.store.turn import Turn
from api.store.turns import Turns

T = TypeVar("T")

TOGETHER = 64
"""Operations in one transaction at most: readers of other processes should not wait long for a version."""
FIRMS_AT_ONCE = 16
"""Firms whose turns one process has at the same time; on SQLite they queue for the file in any case."""


@dataclass(eq=False)
class _Waiting(Generic[T]):
    """One operation, and what becomes of it."""

    operation: Callable[[Turn], T]
    now: datetime
    actor: str
    answer: T | None = None
    error: BaseException | None = None
    span: Any = field(default_factory=tracing.here)
    context: Context = field(default_factory=copy_context)
    done: Future[T] = field(default_factory=Future)

    def tell(self) -> None:
        """Answer whoever waits, once it is committed."""
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.answer)  # type: ignore[arg-type]


@dataclass(eq=False)
class _Queue:
    """Who waits for one firm."""

    changing: Lock = field(default_factory=Lock)
    waiting: deque[_Waiting[Any]] = field(default_factory=deque)
    running: bool = False


class _Spoilt(Exception):
    """Somebody failed after writing; the shared transaction is rolled back."""


class Sharing:
    """The turns of a process, shared by its threads and by the coroutines of its event loops; its own threads have them."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._queues: dict[str, _Queue] = defaultdict(_Queue)
        self._making = Lock()
        self._threads = ThreadPoolExecutor(FIRMS_AT_ONCE, thread_name_prefix="turn")

    def act(self, firm: str, operation: Callable[[Turn], T], *, now: datetime, actor: str) -> T:
        """Do an operation in the firm's turn, and return what it returned once that is committed.

        Parameters
        ----------
        operation
            May be called twice: in a transaction that was rolled back, and again. It changes nothing but the turn. It is called
            in another thread.
        now
            Of those who share a transaction, the first one's counts.

        Raises
        ------
        Busy
            The firm's turn did not come within the limit; nothing was written.
        """
        queue, mine = self._asked(firm, operation, now, actor)
        try:
            return mine.done.result(self.turns.database.limits.lock_s)
        except TookTooLong:
            self._give_up(firm, queue, mine)
            return mine.done.result()

    async def acting(self, firm: str, operation: Callable[[Turn], T], *, now: datetime, actor: str) -> T:
        """Do what `act` does, for a coroutine: no thread waits for the turn."""
        queue, mine = self._asked(firm, operation, now, actor)
        answer = asyncio.wrap_future(mine.done)
        await asyncio.wait((answer,), timeout=self.turns.database.limits.lock_s)
        if not answer.done():
            self._give_up(firm, queue, mine)
        return await answer

    def _asked(
        self, firm: str, operation: Callable[[Turn], T], now: datetime, actor: str
    ) -> tuple[_Queue, _Waiting[T]]:
        with self._making:
            queue = self._queues[firm]
        mine = _Waiting(operation, now, actor)
        mine.done.set_running_or_notify_cancel()  # what was asked for is done, whoever stops waiting
        with queue.changing:
            queue.waiting.append(mine)
            begins, queue.running = not queue.running, True
        if begins:
            self._threads.submit(self._run, firm, queue)
        return queue, mine

    def _give_up(self, firm: str, queue: _Queue, mine: _Waiting[Any]) -> None:
        """Refuse what has waited too long; what is being done is waited for."""
        with queue.changing:
            if mine not in queue.waiting:
                return
            queue.waiting.remove(mine)
        mine.done.set_exception(busy(firm, self.turns.database.limits.lock_s))

    def _run(self, firm: str, queue: _Queue) -> None:
        """Do what waits for a firm, all that waits at a time, until nothing does."""
        while True:
            with queue.changing:
                queue.running = bool(queue.waiting)
                if not queue.running:
                    return
                first = queue.waiting.popleft()
            for one in first.context.run(self._do, firm, queue, first):
                one.tell()

    def _do(self, firm: str, queue: _Queue, first: _Waiting[Any]) -> list[_Waiting[Any]]:
        """Have the firm's turn, and return whose operations were done or refused in it."""
        some = [first]
        try:
            with (
                tracing.span("operations", firm=firm) as span,
                self.turns.turn(firm, now=first.now, actor=first.actor) as turn,
            ):
                some += _taken(queue)  # only now: whoever came while the turn was waited for shares it
                tracing.done_for(span, [one.span for one in some])
                self._together(turn, some)
        except _Spoilt:
            for one in some:
                self._alone(firm, one)
        except BaseException as error:
            for one in some:
                one.answer, one.error = None, error
        return some

    def _together(self, turn: Turn, some: list[_Waiting[Any]]) -> None:
        for one in some:
            turn.draft.actor, touched = one.actor, turn.touched
            one.answer, one.error = None, None
            try:
                one.answer = one.operation(turn)
            except Exception as error:
                if turn.touched != touched:
                    raise _Spoilt from error
                one.error = error

    def _alone(self, firm: str, one: _Waiting[Any]) -> None:
        one.answer, one.error = None, None
        try:
            with self.turns.turn(firm, now=one.now, actor=one.actor) as turn:
                one.answer = one.operation(turn)
        except BaseException as error:
            one.answer, one.error = None, error  # told to who asked: this thread goes on for the others


def _taken(queue: _Queue) -> list[_Waiting[Any]]:
    """Return whoever waits, as many as may share a transaction with the first one; they wait no more."""
    with queue.changing:
        return [queue.waiting.popleft() for _ in range(min(TOGETHER - 1, len(queue.waiting)))]
