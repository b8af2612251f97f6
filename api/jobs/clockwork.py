"""What is done by itself: the nightly solve, the look at mid-week, the self-check.

Every worker looks at the clock of every firm now and then; the first one that sees something due does it in the firm's turn, together
with the note that it was done, so that nobody does it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from threading import Event, Thread
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from api.jobs.queue import Jobs
from api.jobs.schedule import Due, due_day, schedule_of
from api.store.database import Database
from api.store.schedules import clock_of, keep_schedule, kept_schedule
from api.store.solve_states import SolveAsk, SolveKind
from api.store.solves import forget_steps
from api.store.turn import Turn
from api.store.turns import Turns
from api.tracing import span
from solver.board import Board
from solver.refusal import Refused

_log = logging.getLogger(__name__)

LOOK_S, CHECK_S = 60.0, 3_600.0
"""Seconds between two looks at the clocks, and two self-checks of the boards that a process keeps."""
STEPS_STAND = timedelta(days=30)
"""How long the steps of a solve that has ended are kept."""
ASKS = {
    # The night is long; a plan proven that near to the best is not worth more of it.
    Due.NIGHT: (SolveKind.NIGHT, SolveAsk(seconds=600, gap_pct=0.5)),
    Due.MIDWEEK: (SolveKind.MIDWEEK, SolveAsk(seconds=120, gap_pct=1.0)),
}


class Regular(NamedTuple):
    """Something done again and again."""

    every_s: float
    act: Callable[[], object]


class Clockwork:
    """Does things regularly in a thread of its own; one that fails is logged, and tried again in its time."""

    def __init__(self, regular: Sequence[Regular]) -> None:
        self._ending = Event()
        self._threads = [Thread(target=self._go_on, args=(one,), name="clockwork", daemon=True) for one in regular]

    def start(self) -> None:
        """Begin."""
        for one in self._threads:
            one.start()

    def close(self) -> None:
        """End, once what is being done is done."""
        self._ending.set()
        for one in self._threads:
            one.join()

    def __enter__(self) -> Clockwork:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _go_on(self, regular: Regular) -> None:
        while not self._ending.wait(regular.every_s):
            try:
                regular.act()
            except DBAPIError as error:
                _log.warning("not done this time, as the database does not answer: %s", error.orig)
            except Exception:
                _log.exception("not done this time")


def look(database: Database, turns: Turns, jobs: Jobs, *, now: datetime) -> list[tuple[str, Due]]:
    """Do what is due for any firm; return what was done."""
    return [
        (firm, due) for firm in database.firm_ids() for due in Due if _done(database, turns, jobs, firm, due, now=now)
    ]


def overloaded(board: Board) -> bool:
    """Whether somebody has promised more than they can do in time, or holds what they may not do."""
    return bool(board.flagged) or any(promise.window.price_min > 0 for promise in board.promises.values())


def self_check(database: Database, turns: Turns, *, now: datetime) -> dict[str, tuple[str, ...]]:
    """Compare the boards this process keeps with what is stored; log and tell what differs, and return it by firm."""
    found = {firm: differences for firm in database.firm_ids() if (differences := turns.self_check(firm))}
    for firm, differences in found.items():
        _log.error("the board kept of %s is not what is stored, and is built anew: %s", firm, "; ".join(differences))
        with turns.turn(firm, now=now, actor="self-check") as turn:
            turn.tell("self_check.differs", {"differences": list(differences)})
    return found


def _done(database: Database, turns: Turns, jobs: Jobs, firm: str, due: Due, *, now: datetime) -> bool:
    with database.reading(firm) as session:
        clock, kept = clock_of(session), kept_schedule(session, due.value)
    schedule = schedule_of(due, kept.document)
    day = due_day(schedule, clock.zone, now=now, last=kept.last_day, since=clock.since)
    if day is None:
        return False
    try:
        with span("job", job=due.value, firm=firm), turns.turn(firm, now=now, actor=f"job:{due.value}") as turn:
            last = kept_schedule(turn.session, due.value).last_day
            if last is not None and last >= day:
                return False  # another worker was faster
            _do(turn, jobs, due, day)
            keep_schedule(turn, due.value, last_day=day)
    except Refused as refusal:
        # A full queue, or somebody who writes for long: looked at again in a minute.
        _log.warning("%s of %s is not done yet: %s", due.value, firm, refusal)
        return False
    return True


def _do(turn: Turn, jobs: Jobs, due: Due, day: date) -> None:
    if due is Due.MIDWEEK and not overloaded(turn.board):
        return
    if due is Due.NIGHT:
        forget_steps(turn, turn.draft.at - STEPS_STAND)
    kind, ask = ASKS[due]
    jobs.start(turn, f"{due.value}-{day.isoformat()}", ask, kind=kind)
