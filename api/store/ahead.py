"""The board on which a firm goes on after many changes, compiled beside its turns: nobody waits while the firm is read as a whole."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from api.store.boards import AHEAD_AFTER, Compiled, board_at
from api.store.database import Database
from api.store.draft import read_head
from solver.following import moment_of
from solver.refusal import Refused

NEAR = 20
"""Changes that a turn may follow itself; further behind, a board is brought along beside the turns."""
ROUNDS = 10
"""Times it is brought along: a firm that changes faster than it is read goes on without."""

_log = logging.getLogger(__name__)


class Ahead:
    """The next boards of a process, by firm."""

    def __init__(self, database: Database) -> None:
        self._database, self._changing = database, Lock()
        self._made: dict[str, Compiled | None] = {}  # None: being made
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="board")

    def want(self, firm: str, had: Compiled, *, now: datetime) -> None:
        """Begin to make the next board of a firm, where it is time for one; ``had`` is the one it has now."""
        if had.version - had.base_version < AHEAD_AFTER:
            return
        with self._changing:
            there = self._made.get(firm, had)
            if there is None or (there is not had and there.base_version > had.base_version):
                return
            self._made[firm] = None
        self._threads.submit(self._make, firm, now)

    def take(self, firm: str, had: Compiled, *, now: datetime) -> Compiled | None:
        """Return the next board of a firm, near the version that is stored; ``None`` where there is none, or it is of use no more."""
        with self._changing:
            made = self._made.get(firm)
            if made is None:
                return None
            del self._made[firm]
        if made.base_version <= had.base_version or made.base_at != moment_of(now):
            return None
        return self._brought_along(firm, made)

    def _make(self, firm: str, now: datetime) -> None:
        made = None
        try:
            with self._database.reading(firm) as session:
                head = read_head(session, firm)
                made = board_at(session, head, (head.version, moment_of(now)))
            for _ in range(ROUNDS):
                before = made.version
                made = self._brought_along(firm, made)
                if made is None or made.version - before <= NEAR:
                    break
        except (SQLAlchemyError, Refused) as error:
            made = None
            _log.warning("the next board of firm %s is compiled in its turn: %s", firm, error)
        finally:
            with self._changing:
                del self._made[firm]
                if made is not None:
                    self._made[firm] = made

    def _brought_along(self, firm: str, made: Compiled) -> Compiled | None:
        """Return a board at the version that is stored, ``None`` where it cannot follow: something else made the firm begin anew."""
        with self._database.reading(firm) as session:
            head = read_head(session, firm)
            if head.base_version > made.base_version:
                return None
            try:
                return board_at(session, head, (made.base_version, made.base_at), made)
            except Refused as error:
                _log.info("the next board of firm %s is compiled in its turn: %s", firm, error)
                return None
