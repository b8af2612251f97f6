"""A lock that is had in the order in which it was asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Gate:
    """A lock that whoever has waited longest gets next, handed over and not let go.

    `threading.Lock` may be had again by who has just released it, before anybody who waits has woken up: one firm with much to do
    would make all others wait for as long as it has.
    """

    def __init__(self) -> None:
        self._held = False
        self._waiting: deque[Lock] = deque()
        self._changing = Lock()

    def enter(self, limit_s: float) -> bool:
        """Have the gate, and return ``True``; ``False`` where it did not come within ``limit_s`` seconds."""
        with self._changing:
            if not self._held:
                self._held = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=limit_s):
            return True
        with self._changing:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed over just now

    def leave(self) -> None:
        """Hand the gate to whoever has waited longest, if anybody does."""
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    @contextmanager
    def within(self, limit_s: float) -> Iterator[bool]:
        """Have the gate for a block, which is told whether it came within the limit."""
        came = self.enter(limit_s)
        try:
            yield came
        finally:
            if came:
                self.leave()
