"""A worker in a process of its own: ``python -m tests.api.jobs.worker_for_tests URL [POINT] [WORD...]``, until its input ends.

With a point it ends itself there, the hard way, as a power cut would: ``claimed``, before anything is done; ``incumbent``, once the
first plan of a search is written down;
``found``, once the search is over and the queue does not know; ``placing``, with some of the new work placed; ``applied``, once all is
done and the queue does not know; ``opened``, with a run begun and none of its points; ``point``, as a point of a run is finished and the
queue does not know. Words: ``older``: one of an earlier release, whose workflow goes on otherwise behind the search.
``frail``: solves are begun again once only. ``patient``: nobody is taken for dead. ``foreign``: one whose workflows have another version.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any
from unittest.mock import patch

from dbos import DBOS

from api.jobs import applying, pointing, searching
from api.jobs.applying import Applying
from api.jobs.pointing import Pointing
from api.jobs.queue import VERSION, workflow_id
from api.jobs.searching import Searching
from api.jobs.worker import Times, Worker
from api.store.database import Database, Limits
from api.store.turns import Turns
from tests.api.jobs.solving import FRAIL, LONG_S, NOW, PATIENT, TIMES


def dies_after(function: Any) -> Any:
    """Return the function with the end of this process behind it."""

    def last(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return last


POINTS: dict[str, tuple[Any, str]] = {
    "claimed": (searching, "claim"),
    "incumbent": (searching, "keep_incumbent"),
    "found": (Searching, "search"),
    "placing": (Applying, "_proposals"),
    "applied": (Applying, "apply"),
    "opened": (Pointing, "go_on"),
    "point": (pointing, "finish_point"),
}


class Older(Worker):
    """A worker of a release whose solves had another step at the end, and did not try again."""

    def _solve(self, firm: str, id: str) -> str:
        job = workflow_id(firm, id)
        if not DBOS.run_step({"name": "search"}, self._as_owner, job, self._searching.search, firm, id):
            return "nothing"
        DBOS.run_step({"name": "apply"}, self._as_owner, job, self._applying.apply, firm, id)
        return DBOS.run_step({"name": "count"}, lambda: "counted")


def main(url: str, die_at: str, release: type[Worker], times: Times, version: str) -> None:
    database = Database(url, limits=Limits(lock_s=LONG_S))
    if die_at:
        where, name = POINTS[die_at]
        patch.object(where, name, dies_after(getattr(where, name))).start()
    with (
        patch.object(applying, "TOGETHER", 2),
        release(database, Turns(database), now=lambda: NOW, times=times, version=version) as worker,
    ):
        print(worker.id, flush=True)
        sys.stdin.read()
    database.close()


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        Older if "older" in sys.argv[3:] else Worker,
        FRAIL if "frail" in sys.argv[3:] else PATIENT if "patient" in sys.argv[3:] else TIMES,
        "evenhand-0" if "foreign" in sys.argv[3:] else VERSION,
    )
