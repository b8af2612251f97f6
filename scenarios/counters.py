"""Chance by counting: the numbers of a draw depend on seed, draw and whom they are about, and on nothing else.

Philox (Salmon et al. 2011) turns a key and a counter into random numbers without a state. The key is seed, what is drawn and the name
of the person, task or client; the counter is the draw. So the same draw strikes the same person on the same day whatever the plan, the
order of the work, or the number of workers, which is what makes two plans comparable on few draws (common random numbers).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_LANES = 4
"""Numbers that Philox makes of one count."""


def uniforms(
    seed: int, what: str, names: Iterable[str], *, first_draw: int, draws: int, each: int = 1
) -> NDArray[np.float64]:
    """Return ``(names, draws, each)`` numbers between 0 and 1, neither of them included.

    Parameters
    ----------
    what
        What is drawn, so that illness and estimates of one name have nothing to do with each other.
    first_draw, draws
        Which draws: those from ``first_draw`` on. Cut into stretches in any way, they are the same.
    """
    counts = -(-each // _LANES)
    rows = [
        np.random.Philox(key=_key(seed, what, name), counter=[first_draw * counts, 0, 0, 0]).random_raw(
            draws * counts * _LANES
        )
        for name in names
    ]
    raw = np.array(rows, dtype=np.uint64).reshape(len(rows), draws, counts * _LANES)[:, :, :each]
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def _key(seed: int, what: str, name: str) -> NDArray[np.uint64]:
    digest = blake2b(f"{seed}\x1f{what}\x1f{name}".encode(), digest_size=16).digest()
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64)
