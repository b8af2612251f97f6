"""When a process looks for cycles of objects that nobody holds any more: not while it starts, and seldom while it serves.

What is imported stays for good, and is many times what a request makes: looking through it again and again takes a fifth of the time it
takes to start, and is what the slowest of a hundred requests would wait for.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 20_000
"""New objects before the young ones are looked through; a request makes some thousands, nearly all of which end without."""
SWITCH_S = 0.001
"""How long a thread that computes keeps another one waiting: answers go out while turns are had."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for nothing within the block, and at nothing that was made in it later: for imports."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle() -> None:
    """Leave aside what is there by now, as it stays, and share the interpreter in small pieces: this process serves from here on."""
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
    sys.setswitchinterval(SWITCH_S)
