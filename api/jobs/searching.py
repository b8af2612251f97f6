"""The search of a solve: a child process does it, and what it finds is written down as it comes.

Whatever happens to the child, or to whoever started it, the last incumbent is stored, and the next worker begins there: for the same
version of the firm and the same moment, so that all of the incumbent still holds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from sqlalchemy.exc import OperationalError

from api.jobs.child import SEARCH, Child
from api.jobs.ending import Ending, Lost
from api.jobs.messages import Asked, Told
from api.store.database import Database
from api.store.loading import firm_at
from api.store.solve_states import Claimed, Hold, SolveState
from api.store.solves import cancelled, claim, give_up, incumbent_of, keep_incumbent, note_progress
from solver.plan import Plan
from solver.stop import Progress

_log = logging.getLogger(__name__)

MOST_DEATHS = 3
"""Deaths of child processes after which a solve has failed: it may be what kills them."""
LEAST_S = 1.0
"""Seconds that a search has whoever begins it: an incumbent is worth its certificate."""


@dataclass(frozen=True)
class Pace:
    """How often a search is looked at, and its plan written down, in seconds; how many cores it may use, all by default."""

    look_s: float = 0.5
    plan_s: float = 5.0
    cores: int | None = None


class Searching:
    """Does the searches of one worker.

    Parameters
    ----------
    owner
        Id of the worker.
    ending
        Set when the process is to end: searches are given up at once.
    """

    def __init__(
        self, database: Database, owner: str, *, now: Callable[[], datetime], ending: Event, pace: Pace | None = None
    ) -> None:
        self._database, self._owner, self._now, self._ending = database, owner, now, ending
        self._pace = pace or Pace()

    def search(self, firm: str, id: str) -> bool:
        """Search until there is a plan to apply; return whether there is one.

        Raises
        ------
        Ending
            This process ends.
        Lost
            Somebody else goes on with it.
        """
        claimed = claim(self._database, firm, id, self._owner, now=self._now())
        if claimed is None:
            return False
        if claimed.state is SolveState.APPLYING:
            return True  # whoever had it found the plan and was ended before saying so
        spent_s = claimed.spent_s
        for _ in range(MOST_DEATHS):
            begun = time.monotonic()
            found, exit_code = self._once(firm, id, claimed, spent_s)
            if found is not None:
                return found
            spent_s += time.monotonic() - begun
            _log.warning(
                "solve %s of %s: its process ended with %s; it goes on from its last plan", id, firm, exit_code
            )
        error = f"the search process ended by itself {MOST_DEATHS} times, the last time with {exit_code}"
        give_up(self._database, firm, id, error, now=self._now(), owner=self._owner)
        return False

    def _once(self, firm: str, id: str, claimed: Claimed, spent_s: float) -> tuple[bool | None, int | None]:
        """Search in one child process; return whether a plan was found, or ``None`` and how the process ended."""
        asked = self._asked(firm, id, claimed, spent_s)
        child = Child(SEARCH, Told)
        begun, last, looked_s = time.monotonic(), None, float("-inf")
        try:
            child.ask(asked)
            while child.exit_code is None:
                told = child.told(self._pace.look_s)
                if self._ending.is_set():
                    raise Ending
                last = told or last
                if told is not None and told.plan is not None:
                    self._keep(firm, id, told.plan, final=told.final)
                spent = spent_s + time.monotonic() - begun
                if told is not None and told.final:
                    self._note(firm, id, told, spent)
                    return True, None
                if time.monotonic() - looked_s >= self._pace.look_s:
                    looked_s = time.monotonic()
                    if self._note(firm, id, last, spent) is Hold.CANCEL:
                        child.end()
                        cancelled(self._database, firm, id, self._owner, now=self._now())
                        return False, None
            return None, child.exit_code
        finally:
            child.end()

    def _asked(self, firm: str, id: str, claimed: Claimed, spent_s: float) -> Asked:
        ask = claimed.ask
        with self._database.reading(firm) as session:
            made = firm_at(session, claimed.version, marked=True)
            last = incumbent_of(session, id)
        return Asked(
            firm=made,
            now=claimed.planned_at,
            seconds=max(ask.seconds - spent_s, LEAST_S),
            work_units=ask.work_units,
            gap_pct=ask.gap_pct,
            seed=ask.seed,
            last=last,
            cores=self._pace.cores,
            plan_every_s=self._pace.plan_s,
            progress_every_s=self._pace.look_s,
        )

    def _note(self, firm: str, id: str, told: Told | None, spent_s: float) -> Hold:
        progress: Progress | None = None if told is None else told.progress
        try:
            hold = note_progress(self._database, firm, id, self._owner, progress, spent_s=spent_s, now=self._now())
        except OperationalError as error:
            # The search goes on; the figures are written with the next ones, once the database answers again.
            _log.warning("solve %s of %s: its progress is not written: %s", id, firm, error.orig)
            return Hold.GO_ON
        if hold is Hold.LOST:
            raise Lost
        return hold

    def _keep(self, firm: str, id: str, plan: Plan, *, final: bool) -> None:
        document = plan.model_dump_json()
        while True:
            try:
                kept = keep_incumbent(self._database, firm, id, self._owner, document, now=self._now(), final=final)
                break
            except OperationalError as error:
                _log.warning("solve %s of %s: a plan is not written: %s", id, firm, error.orig)
                if not final:
                    return  # the next one is better
                if self._ending.wait(1.0):
                    raise Ending from error
        if not kept:
            raise Lost
