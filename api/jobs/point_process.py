"""The process in which points of runs are worked out: ``python -m api.jobs.point_process``, points in, results out.

It knows no database. It reads lines of JSON (`PointAsked`) and answers each with one (`PointTold`), one after another, so that what
it has loaded and compiled serves the next point as well. Its input stays open as long as whoever started it lives; once that ends, so
do this process and all that it started, whatever they are doing (`api.jobs.search_process`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread

from api.jobs.messages import PointAsked, PointTold
from api.jobs.point_work import Ground, work_out
from api.jobs.search_process import answering
from solver.refusal import Refused

NICENESS = 12
"""Whoever waits for a placement goes first, and a solve goes before a what-if."""


def main() -> None:
    """Work points out until the input ends."""
    lines: SimpleQueue[bytes] = SimpleQueue()
    with answering(NICENESS) as out:
        Thread(target=_read, args=(lines,), daemon=True).start()
        ground: Ground | None = None
        while True:
            asked = PointAsked.model_validate_json(lines.get())
            if asked.ground is not None:
                ground = Ground(asked.ground)
            assert ground is not None, "the first point comes with its ground"
            out.tell(_told(ground, asked))


def _told(ground: Ground, asked: PointAsked) -> PointTold:
    try:
        return PointTold(document=work_out(ground, asked.does, json.loads(asked.arguments)))
    except Refused as error:
        return PointTold(error=error.refusal.sentence())


def _read(lines: SimpleQueue[bytes]) -> None:
    """Hand the lines on; end this process, and its own, once nobody holds the other end of its input."""
    # A reader of its own: that of `stdin` may be held by nobody when the interpreter ends.
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb") as told:
        for line in told:
            if line.endswith(b"\n"):
                lines.put(line)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
