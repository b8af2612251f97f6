"""A process that places tasks in one firm until it is told to stop, or is killed: ``python writer_for_tests.py URL NAME COUNT``.

It prints the id of each task once its turn is committed. With ``die`` as fourth word it ends itself the hard way in the middle of
a turn: after the rows were written, before the commit.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime

from api.store.database import Database, Limits
from api.store.turns import Turns
from tests.firms_for_tests import task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


def main(url: str, name: str, count: int, *, die: bool) -> None:
    turns = Turns(Database(url, limits=Limits(lock_s=300)))
    for i in range(count):
        with turns.turn("one", now=NOW, actor=name) as turn:
            turn.place(task(f"{name}-{i}", hours=1, due=i % 20, deadline_time="13:00" if i % 5 == 0 else None))
            turn.place(task(f"{name}-{i}-b", hours=1, due=20))
            if die and i == count - 1:
                turn.draft.write()
                os.kill(os.getpid(), signal.SIGKILL)
        print(f"{name}-{i}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), die=sys.argv[4:] == ["die"])
