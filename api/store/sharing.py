"""Callers of one firm share a transaction: whoever comes while a turn runs is done, with all others who wait, in the next one.

A commit that survives a power cut costs milliseconds, a placement a fraction of one. Each caller still gets its own answer, or its own
refusal, and gets it after the commit. Where an operation fails after it has written something, nobody's work is committed, and
each is done again in a turn of its own, so that nobody pays for another's mistake.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition, Lock
from typing import Any, Generic, TypeVar

from api import tracing
from api.store.refusals import busy
from api.store.turn import Turn
from api.store.turns import Turns

T = TypeVar("T")

TOGETHER = 64
"""Operations in one transaction at most: readers of other processes should not wait long for a version."""


@dataclass(eq=False)
class _Waiting(Generic[T]):
    """One operation, and what became of it."""

    operation: Callable[[Turn], T]
    now: datetime
    actor: str
    done: bool = False
    answer: T | None = None
    error: BaseException | None = None
    span: Any = field(default_factory=tracing.here)


@dataclass(eq=False)
class _Queue:
    """Who waits for one firm."""

    changed: Condition = field(default_factory=Condition)
    waiting: deque[_Waiting[Any]] = field(default_factory=deque)
    running: bool = False


class _Spoilt(Exception):
    """Somebody failed after writing; the shared transaction is rolled back."""


class Sharing:
    """The turns of a process, shared by its threads."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._queues: dict[str, _Queue] = defaultdict(_Queue)
        self._making = Lock()

    def act(self, firm: str, operation: Callable[[Turn], T], *, now: datetime, actor: str) -> T:
        """Do an operation in the firm's turn, and return what it returned once that is committed.

        Parameters
        ----------
        operation
            May be called twice: in a transaction that was rolled back, and again. It changes nothing but the turn.
        now
            Of those who share a transaction, the first one's counts.

        Raises
        ------
        Busy
            The firm's turn did not come within the limit; nothing was written.
        """
        with self._making:
            queue = self._queues[firm]
        mine = _Waiting(operation, now, actor)
        with queue.changed:
            queue.waiting.append(mine)
        while not mine.done:
            some = self._wait(firm, queue, mine)
            if some:
                try:
                    self._do(firm, some)
                finally:
                    with queue.changed:
                        queue.running = False
                        queue.changed.notify_all()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    def _wait(self, firm: str, queue: _Queue, mine: _Waiting[Any]) -> list[_Waiting[Any]]:
        """Wait until mine is done, and return nothing; or until nobody acts for the firm, and return whom to act for."""
        limit_s = self.turns.database.limits.lock_s
        with queue.changed:
            came = queue.changed.wait_for(lambda: mine.done or not queue.running, timeout=limit_s)
            if not came and mine in queue.waiting:
                queue.waiting.remove(mine)
                raise busy(firm, limit_s)
            if not came or mine.done:
                return []
            queue.running = True
            return [queue.waiting.popleft() for _ in range(min(TOGETHER, len(queue.waiting)))]

    def _do(self, firm: str, some: list[_Waiting[Any]]) -> None:
        try:
            self._together(firm, some)
        except _Spoilt:
            for one in some:
                self._alone(firm, one)
        except BaseException as error:
            for one in some:
                one.answer, one.error = None, error
        for one in some:
            one.done = True

    def _together(self, firm: str, some: list[_Waiting[Any]]) -> None:
        first = some[0]
        asked_by = [one.span for one in some]
        with (
            tracing.span("operations", after=asked_by, firm=firm, count=len(some)),
            self.turns.turn(firm, now=first.now, actor=first.actor) as turn,
        ):
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
        except Exception as error:
            one.answer, one.error = None, error
