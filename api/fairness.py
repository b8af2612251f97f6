"""Firms share a process fairly: how many requests are worked on at once, whose turn it is, and how many a minute may have.

Everything here belongs to one process and one event loop, and is lost with it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

KNOWN_KEYS = 10_000
"""Keys that are remembered; the longest unused is forgotten first, and begins anew."""

ASKED_S = 1.0
"""For how long somebody who has asked is taken for one who asks."""


class Full(Exception):
    """Too many wait for the same key already."""


class Slots:
    """Slots that whoever has the fewest gets next; within a key, first come, first served.

    A firm with a thousand requests holds at most ``each`` slots, and one with a single request waits for the next slot that comes
    free, not for the thousand. While others ask as well, it holds ``beside`` at most: what is worked on comes in lots, and whoever asks
    once waits for the lot that has begun.

    Parameters
    ----------
    total
        Slots in all.
    each
        Slots of one key at most.
    waiting
        Who may wait of one key.
    beside
        Slots of one key at most while another one has asked within `ASKED_S`; none: as many as else.
    tick
        A clock in seconds that never goes back.
    """

    def __init__(
        self, total: int, each: int, waiting: int, *, beside: int | None = None, tick: Callable[[], float] = monotonic
    ) -> None:
        self._total, self._each, self._most = total, min(each, total), waiting
        self._beside = self._each if beside is None else min(beside, self._each)
        self._tick = tick
        # When each key asked last, the latest at the end.
        self._asked_s: OrderedDict[str, float] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def held(self) -> int:
        """How many slots are held."""
        return self._held.total()

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return sum(map(len, self._queues.values()))

    async def enter(self, key: str) -> None:
        """Take a slot, or wait for one.

        Raises
        ------
        Full
            As many of this key as may wait do so already.
        """
        self._asked_s[key] = self._tick()
        self._asked_s.move_to_end(key)
        if len(self._asked_s) > KNOWN_KEYS:
            self._asked_s.popitem(last=False)
        if self.held < self._total and self._held[key] < self._most_of(key):
            self._held[key] += 1
            return
        queue = self._queues.setdefault(key, deque())
        if len(queue) >= self._most:
            raise Full
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.leave(key)  # it was given, and nobody takes it
            elif mine in queue:
                queue.remove(mine)
            raise

    def leave(self, key: str) -> None:
        """Give a slot back, to whoever has the fewest."""
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        while self.held < self._total and (next_key := self._next()) is not None:
            first = self._queues[next_key].popleft()
            self._queues.move_to_end(next_key)
            if not first.done():
                self._held[next_key] += 1
                first.set_result(None)

    def _most_of(self, key: str) -> int:
        """Return how many slots a key may hold now."""
        other_s = next((at_s for one, at_s in reversed(self._asked_s.items()) if one != key), None)
        alone = other_s is None or self._tick() - other_s >= ASKED_S
        return self._each if alone else self._beside

    def _next(self) -> str | None:
        for key in [key for key, queue in self._queues.items() if not queue]:
            del self._queues[key]
        may = [key for key in self._queues if self._held[key] < self._most_of(key)]
        return min(may, key=lambda key: self._held[key], default=None)  # ties: who was served longest ago


class _Bucket(NamedTuple):
    left: float
    at_s: float


class Rates:
    """So many a minute per key; what was not used is saved up, for a minute at most.

    Parameters
    ----------
    tick
        A clock in seconds that never goes back.
    """

    def __init__(self, per_min: int, *, tick: Callable[[], float] = monotonic) -> None:
        self.per_min, self._tick = per_min, tick
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one and return 0; where none is left, return after how many seconds there is one."""
        now_s = self._tick()
        bucket = self._buckets.pop(key, _Bucket(self.per_min, now_s))
        left = min(self.per_min, bucket.left + (now_s - bucket.at_s) * self.per_min / 60)
        wait_s = max(0.0, (1 - left) * 60 / self.per_min)
        self._buckets[key] = _Bucket(left if wait_s else left - 1, now_s)
        if len(self._buckets) > KNOWN_KEYS:
            self._buckets.popitem(last=False)
        return wait_s


class GoodTokens:
    """Firms of tokens and sessions that opened something here lately.

    What a request says of itself decides whose slots it takes only once it was found to be true: nobody holds up a firm with
    tokens made up in its name. It opens nothing: every request is looked up again.
    """

    def __init__(self) -> None:
        self._firms: OrderedDict[str, str] = OrderedDict()

    def firm(self, text: str) -> str | None:
        """Return the firm of a token that was good, ``None`` of any other."""
        return self._firms.get(text)

    def good(self, text: str, firm: str) -> None:
        """Remember a token that was good."""
        self._firms[text] = firm
        self._firms.move_to_end(text)
        if len(self._firms) > KNOWN_KEYS:
            self._firms.popitem(last=False)

    def bad(self, text: str) -> None:
        """Forget a token that opens nothing any more."""
        self._firms.pop(text, None)
