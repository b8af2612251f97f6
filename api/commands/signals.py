"""How a process of the service ends: politely at the first signal, within a bound; at once at the second."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import FrameType

_log = logging.getLogger(__name__)

ENDS_AT = (signal.SIGINT, signal.SIGTERM)
AFTERWARDS_S = 5.0
"""What a process may take to end beside the requests that it still answers."""


class Ending:
    """A block in which signals ask the process to end.

    The first one sets `asked`, and all that was given to `close` is closed beside whatever goes on in the block; whatever is still not
    closed at its end is closed there. The second signal ends the process at once, as does a polite end that takes too long: what is
    stored is whole at any moment, and what was begun is done by others.

    Parameters
    ----------
    bound_s
        Seconds from the first signal to the end.
    """

    def __init__(self, bound_s: float) -> None:
        self.asked, self._bound_s, self._over = Event(), bound_s, Event()
        self._told = Event()
        self._closing: list[_Once] = []
        # Handlers run in the midst of anything that the main thread does: they start no thread, and set nothing that it waits for.
        self._thread = Thread(target=self._watch, name="ending", daemon=True)

    def close(self, act: Callable[[], object]) -> None:
        """Have something closed once, when the process is asked to end or at the end of the block."""
        self._closing.append(_Once(act))

    def wait(self) -> None:
        """Wait until the process is asked to end."""
        self._told.wait()

    def ask(self, signum: int, _: FrameType | None = None) -> None:
        """Take one signal."""
        if self.asked.is_set():
            os._exit(128 + signum)
        self.asked.set()

    def __enter__(self) -> Ending:
        self._before = {one: signal.signal(one, self.ask) for one in ENDS_AT}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for one in reversed(self._closing):
                one()
        finally:
            self._over.set()
            self.asked.set()
            self._thread.join()
            for signum, handler in self._before.items():
                signal.signal(signum, handler)

    def _watch(self) -> None:
        self.asked.wait()
        self._told.set()
        for one in self._closing:
            Thread(target=one, name="closing", daemon=True).start()
        if not self._over.wait(self._bound_s):
            _log.error("not ended within %.0f s, so ended at once; what was begun is done by others", self._bound_s)
            os._exit(1)


class _Once:
    """Something that is done once; whoever asks again waits until it is done, and hears of its failure as well."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act, self._lock, self._done = act, Lock(), False
        self._failed: Exception | None = None

    def __call__(self) -> None:
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if not self._done:
                self._done = True
                try:
                    self._act()
                except Exception as error:
                    self._failed = error
                    raise
