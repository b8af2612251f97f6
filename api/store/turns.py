"""The turns of all firms: one writer per firm, whatever process it is in; readers have boards of their own and never wait.

A turn locks the firm (in this process, then in the database), reads its version, takes the board cached for it, brings it along or builds
it, and lets the caller act. The board is kept again only after the commit: whatever fails leaves no board that somebody could see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from time import perf_counter
from typing import NamedTuple

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from api import tracing
from api.store.ahead import Ahead
from api.store.boards import Boards, Compiled, base_of, board_at, know_prepared
from api.store.checking import differences
from api.store.database import Database
from api.store.draft import read_head
from api.store.gates import Gate
from api.store.names import with_names
from api.store.refusals import busy
from api.store.turn import Turn
from solver.board import Board
from solver.firm import Task
from solver.following import moment_of
from solver.plan import Decision
from solver.routing import dry_run

BOARDS_MB = 256
"""Boards that a process keeps for writing, and as many for reading: 2 MB each at 30 people, 8 at 100, 80 at 1,000."""


class View(NamedTuple):
    """A board to read, or to try things on: a copy of its own, at one version; ``session`` reads the rows of that version."""

    session: Session
    version: int
    base_version: int
    base_at: datetime
    board: Board
    labels: dict[str, str]

    def dry_run(self, task: Task) -> Decision:
        """Return what placing ``task`` now would answer, with names."""
        know_prepared(self.session, self.board, task, self.version)
        return with_names(dry_run(self.board, task), self.labels)


class Turns:
    """The firms of one database, as one process writes and reads them.

    Parameters
    ----------
    boards_mb
        How much memory the boards kept for writing may take, and those for reading again; the last one used stays in any case.
    committed
        Told kind and outcome of each decision of a turn, and how many seconds the turn took, once it is stored.
    """

    def __init__(
        self,
        database: Database,
        *,
        boards_mb: float = BOARDS_MB,
        committed: Callable[[Sequence[tuple[str, str]], float], None] | None = None,
    ) -> None:
        self.database, self._committed = database, committed
        self._written, self._read, self._ahead = Boards(boards_mb), Boards(boards_mb), Ahead(database)
        self._gates: dict[str, Gate] = defaultdict(Gate)
        self._reading: dict[str, Gate] = defaultdict(Gate)
        self._making = Lock()
        self._file = Gate()

    @contextmanager
    def turn(self, firm: str, *, now: datetime, actor: str) -> Iterator[Turn]:
        """Have the firm's turn; what was done is committed at the end, and nothing of it when an error leaves the block.

        Parameters
        ----------
        now
            The moment, with its zone.
        actor
            Id of who asks: a person, a token, a job. No name.

        Raises
        ------
        NotFound
            There is no such firm.
        Busy
            Somebody else has the firm's turn for longer than the limit.
        """
        with self._gate(self._gates, firm):
            had, turn, began_s = self._prepared(firm, now), None, perf_counter()
            try:
                with (
                    tracing.span("turn", firm=firm),
                    self._only_writer(firm),
                    self._limited(firm),
                    self.database.writing(firm) as session,
                ):
                    turn = Turn(session, firm, read_head(session, firm, lock=True), now=now, actor=actor, had=had)
                    yield turn
                    had = turn.finish()
                if had is not None:
                    self._ahead.want(firm, had, now=now)
                if self._committed is not None:
                    self._committed(turn.decided, perf_counter() - began_s)
            except BaseException:
                # What nobody has touched is still what is stored.
                had = had if turn is None else turn.untouched()
                raise
            finally:
                if had is not None:
                    self._written.keep(firm, had)

    @contextmanager
    def beside(self, firm: str) -> Iterator[Session]:
        """Write what stands beside a firm, without its turn: rows that no board, no version and no entry of the log depends on.

        On PostgreSQL nobody waits for it but for the same rows; on SQLite it queues with the writers of the file.
        """
        with self._only_writer(firm), self._limited(firm), self.database.writing(firm) as session:
            yield session

    @contextmanager
    def view(self, firm: str, *, now: datetime) -> Iterator[View]:
        """Read a firm and its board at one version, without waiting for whoever writes."""
        with self.database.reading(firm) as session:
            head = read_head(session, firm)
            with self._gate(self._reading, firm):
                compiled = board_at(session, head, base_of(head, now), self._read.take(firm))
                self._read.keep(firm, compiled)
                mine = compiled.copy()
            yield View(session, mine.version, mine.base_version, mine.base_at, mine.board, mine.labels)

    def self_check(self, firm: str) -> tuple[str, ...]:
        """Return how the board this process keeps for a firm differs from what is stored; nothing where it keeps none.

        A board that differs is forgotten: the next turn builds it anew.
        """
        with self._gate(self._gates, firm):
            kept = self._written.take(firm)
            if kept is None:
                return ()
            self._written.keep(firm, kept)
            mine = kept.copy()
        with self.database.reading(firm) as session:
            found = differences(session, mine)
        if found:
            self._written.drop(firm)
        return found

    def _prepared(self, firm: str, now: datetime) -> Compiled | None:
        """Return the cached board; where it cannot be used, one built before anybody is kept waiting."""
        had = self._written.take(firm)
        if had is not None and had.base_at >= moment_of(now):
            return self._ahead.take(firm, had, now=now) or had
        with self.database.reading(firm) as session:
            head = read_head(session, firm)
            return board_at(session, head, base_of(head, now), had)

    @contextmanager
    def _gate(self, gates: dict[str, Gate], firm: str) -> Iterator[None]:
        with self._making:
            gate = gates[firm]
        with self._through(gate, firm):
            yield

    @contextmanager
    def _only_writer(self, firm: str) -> Iterator[None]:
        """On SQLite, writers of one process queue here: the file's own lock is polled, and lets the late ones pass."""
        if not self.database.embedded:
            yield
            return
        with self._through(self._file, firm):
            yield

    @contextmanager
    def _through(self, gate: Gate, firm: str) -> Iterator[None]:
        limit_s = self.database.limits.lock_s
        with gate.within(limit_s) as came:
            if not came:
                raise busy(firm, limit_s)
            yield

    @contextmanager
    def _limited(self, firm: str) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            said = str(error.orig)
            if "database is locked" in said or getattr(error.orig, "sqlstate", None) == "55P03":
                raise busy(firm, self.database.limits.lock_s) from error
            raise
