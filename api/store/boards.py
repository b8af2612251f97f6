"""Boards of versions: each a function of what is stored, kept in the process, and brought along change by change.

The board at a version is the firm at its base version compiled for its base moment, then every later change followed in order. All
processes that read the same database have the same board at the same version, however they came by it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.draft import Head
from api.store.loading import firm_at, task_at, task_changes, working_firm
from api.store.names import marked
from api.store.refusals import Unreadable
from api.store.tables import PersonRecord
from solver.board import Board, compile_board
from solver.firm import Task
from solver.following import CHANGES_PER_BASE, base_stands, follow, moment_of
from solver.ledger import SPARE_SLOTS
from solver.refusal import Refusal

AHEAD_AFTER = CHANGES_PER_BASE // 2
"""Changes followed before the next base is compiled beside the turns (`api.store.ahead`)."""


@dataclass
class Compiled:
    """A board at a version, where it began, and the names of its people, who are marks on it."""

    version: int
    base_version: int
    base_at: datetime
    board: Board
    labels: dict[str, str]

    @property
    def size_mb(self) -> float:
        """Memory of the ledger, which is nearly all of it: two numbers of four bytes per person and window."""
        people, slots = self.board.open_min.shape
        return float(8e-6 * people * (slots + SPARE_SLOTS) ** 2)

    def copy(self) -> Compiled:
        """Return an independent board at the same version."""
        return replace(self, board=self.board.copy())


def base_of(head: Head, now: datetime, had: Compiled | None = None) -> tuple[int, datetime]:
    """Return base version and moment of the board on which a turn at ``now`` decides.

    ``had`` is the board that a process has. Where it began after the stored base, at the same moment, and has followed every change, the
    firm goes on with it: it was compiled beside the turns, so that no turn has to. Else the stored base stays as long as
    `solver.following.base_stands` says.
    """
    moment = moment_of(now)
    newer = had is not None and had.version == head.version and had.base_version > head.base_version
    if had is not None and newer and had.base_at == head.base_at == moment:
        return had.base_version, moment
    if base_stands(head.base_at, head.version - head.base_version, now=now):
        return head.base_version, head.base_at
    return head.version, moment_of(now)


def board_at(session: Session, head: Head, base: tuple[int, datetime], had: Compiled | None = None) -> Compiled:
    """Return the board of the session's firm at ``head.version`` from ``base``; ``had`` is brought along where it can be."""
    version, at = base
    if had is None or (had.base_version, had.base_at) != base or had.version > head.version:
        board = compile_board(working_firm(session, version, head.version), now=at)
        had = Compiled(version, version, at, board, labels_of(session))
    if had.version < head.version:
        bring_along(session, had, head.version)
    return had


def board_then(session: Session, version: int, base: tuple[int, datetime]) -> Board:
    """Return the board of any version of the past, from the history alone."""
    then = compiled_then(session, *base)
    bring_along(session, then, version)
    return then.board


def compiled_then(session: Session, base_version: int, base_at: datetime) -> Compiled:
    """Return the board with which a base of the past began, without names."""
    board = compile_board(firm_at(session, base_version, marked=True), now=base_at)
    return Compiled(base_version, base_version, base_at, board, {})


def labels_of(session: Session) -> dict[str, str]:
    """Return the name of each person of the session's firm, by what stands within their mark; the id where no name is given."""
    return {marked(id): name or id for id, name in session.execute(select(PersonRecord.id, PersonRecord.name))}


def know_prepared(session: Session, board: Board, task: Task, version: int) -> None:
    """Let the board know the work that a task reviews, however long finished: boards hold finished work of open pieces only."""
    here = task.reviews
    while here is not None and here not in board.known:
        prepared = task_at(session, here, version)
        if prepared is None:
            return  # the board refuses the task, and says why
        board.know(here, prepared)
        here = prepared.reviews


def bring_along(session: Session, had: Compiled, version: int) -> None:
    """Let a board follow the changes up to a version."""
    for changed, id, task in task_changes(session, had.version, version):
        if task is not None:
            know_prepared(session, had.board, task, changed - 1)
        if not follow(had.board, id, task):
            message = "cannot be followed by a board, and no board begins there"
            raise Unreadable(Refusal(code="board_base", field="version", value=str(changed), message=message))
        had.version = changed


class Boards:
    """The boards of a process, by firm; the least used go first.

    A board that is taken is out of the cache until it is kept again: whoever fails with it just does not keep it.
    """

    def __init__(self, limit_mb: float) -> None:
        self._limit_mb, self._lock = limit_mb, Lock()
        self._boards: OrderedDict[str, Compiled] = OrderedDict()

    def take(self, firm: str) -> Compiled | None:
        """Return a firm's board, which nobody else has now; ``None`` where there is none."""
        with self._lock:
            return self._boards.pop(firm, None)

    def keep(self, firm: str, compiled: Compiled) -> None:
        """Keep a firm's board, unless a newer one has come meanwhile."""
        with self._lock:
            there = self._boards.get(firm)
            if there is None or there.version <= compiled.version:
                self._boards[firm] = compiled
            self._boards.move_to_end(firm)
            while len(self._boards) > 1 and sum(one.size_mb for one in self._boards.values()) > self._limit_mb:
                self._boards.popitem(last=False)

    def drop(self, firm: str) -> None:
        """Forget a firm's board."""
        with self._lock:
            self._boards.pop(firm, None)
