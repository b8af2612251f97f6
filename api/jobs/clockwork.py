"""What is done by itself: the nightly solve, the look at mid-week, what goes after a while, the self-check.

Every worker asks now and then which firms have something due (`api.store.agenda`); the first one that sees it does it in the firm's turn,
together with the note that it was done, so that nobody does it again. On the same occasion, once a day at least, solves that
the queue does not know are put back into it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from threading import Event, Thread
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from api.jobs.queue import Jobs
from api.jobs.schedule import RETENTION, Due, Schedule, due_day, next_moment, schedule_of
from api.store.agenda import Kind, due_firms, put_back, take
from api.store.database import Database
from api.store.retention import Keeping, prune
from api.store.schedules import DIFFERED, PRUNED, clock_of, keep_schedule, kept_schedule
from api.store.solve_states import SolveAsk, SolveKind
from api.store.solves import forget_steps, free_id
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


def look(
    database: Database, turns: Turns, jobs: Jobs, *, now: datetime, keeping: Keeping | None = None
) -> list[tuple[str, Due]]:
    """Do what is due for any firm; return which solves were begun, or found to be needless."""
    found: list[tuple[str, Due]] = []
    for firm in due_firms(database, Kind.JOBS, now=now):
        try:
            taken = take(turns, firm, Kind.JOBS, now=now)
            if taken is None:
                continue  # another worker was faster
            for id in jobs.put_back(turns, firm):
                _log.warning("solve %s of %s is in no queue, and was put back into it", id, firm)
            _prune(database, turns, firm, keeping or Keeping(), now=now)
            found += [(firm, due) for due in Due if _done(database, turns, jobs, firm, due, now=now)]
            put_back(turns, firm, Kind.JOBS, taken, then=_next(database, firm, now), now=now)
        except Refused as refusal:
            # A full queue, or somebody who writes for long: looked at again in a minute.
            _log.warning("what is due for %s is not done yet: %s", firm, refusal)
        except DBAPIError:
            raise
        except Exception:
            _log.exception("what is due for %s met a defect; the other firms go on", firm)
    return found


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
            keep_schedule(turn, DIFFERED, last_day=now.date())
    return found


def _done(database: Database, turns: Turns, jobs: Jobs, firm: str, due: Due, *, now: datetime) -> bool:
    with database.reading(firm) as session:
        clock, kept = clock_of(session), kept_schedule(session, due.value)
    schedule = schedule_of(due, kept.document)
    day = due_day(schedule, clock.zone, now=now, last=kept.last_day, since=clock.since)
    if day is None:
        return False
    with span("job", job=due.value, firm=firm), turns.turn(firm, now=now, actor=f"job:{due.value}") as turn:
        if kept_schedule(turn.session, due.value).last_day != kept.last_day:
            return False  # another worker was faster
        _do(turn, jobs, due, day)
        keep_schedule(turn, due.value, last_day=day)
    return True


def _prune(database: Database, turns: Turns, firm: str, keeping: Keeping, *, now: datetime) -> None:
    """Delete what was kept for long enough, once per local day."""
    with database.reading(firm) as session:
        clock, kept = clock_of(session), kept_schedule(session, PRUNED)
    day = due_day(RETENTION, clock.zone, now=now, last=kept.last_day, since=clock.since)
    if day is None:
        return
    pruned = prune(turns, firm, now=now, keeping=keeping)
    _log.info("kept for long enough, and deleted: %s", pruned)
    with turns.turn(firm, now=now, actor="job:retention") as turn:
        keep_schedule(turn, PRUNED, last_day=day)


def _next(database: Database, firm: str, now: datetime) -> datetime | None:
    """Return when a firm has something due again."""
    with database.reading(firm) as session:
        zone = clock_of(session).zone
        schedules: list[Schedule] = [schedule_of(due, kept_schedule(session, due.value).document) for due in Due]
    moments = (next_moment(schedule, zone, now=now) for schedule in (*schedules, RETENTION))
    return min(moment for moment in moments if moment is not None)


def _do(turn: Turn, jobs: Jobs, due: Due, day: date) -> None:
    if due is Due.MIDWEEK and not overloaded(turn.board):
        return
    if due is Due.NIGHT:
        forget_steps(turn, turn.draft.at - STEPS_STAND)
    kind, ask = ASKS[due]
    # A clock that was wrong may have had a solve of that day before.
    jobs.start(turn, free_id(turn.session, f"{due.value}-{day.isoformat()}"), ask, kind=kind)
