"""What every operation of a turn stands on: its rows, its board, its entries in the log.

Nothing here is committed; `api.store.turns` does that, and only where `Ground.finish` had nothing against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from api.store.boards import Compiled, base_of, board_at
from api.store.draft import Draft, Head, require_storable
from api.store.log import By, EntryKind, Seen, append, compact
from api.store.parts import PARTS, PartKind
from api.store.tables import TaskRecord
from solver.board import Board
from solver.firm import Task
from solver.following import follow, moment_of
from solver.ledger import Ledger
from solver.plan import Decision


class Stored(NamedTuple):
    """One part as it is stored."""

    place: int
    version: int
    document: str


def _one_part(kind: PartKind) -> Select[*tuple[Any, ...]]:
    table: Any = PARTS[kind].record.__table__  # type: ignore[attr-defined]
    asked = select(table.c.place, table.c.version, table.c.document)
    return asked.where(table.c.firm_id == bindparam("firm"), table.c.id == bindparam("id"))


_STORED = {kind: _one_part(kind) for kind in PARTS}


class Ground:
    """A firm's turn without its operations.

    Parameters
    ----------
    head
        The firm's counters, read under its lock.
    had
        The board this process has of the firm, if any; brought along or thrown away.

    Attributes
    ----------
    touched
        How many operations have begun to write.
    """

    def __init__(
        self, session: Session, firm: str, head: Head, *, now: datetime, actor: str, had: Compiled | None
    ) -> None:
        self.session, self.firm, self.now = session, firm, now
        self.draft = Draft(session, firm, head, at=now, actor=actor)
        self._base = base_of(head, now, had)
        self._had = had
        self._current: Compiled | None = None
        self._unchecked = False
        self._spoilt: BaseException | None = None
        self.touched = 0
        self.decided: list[tuple[str, str]] = []

    @property
    def version(self) -> int:
        """The firm's version, with what this turn has changed so far."""
        return self.draft.head.version

    @property
    def board(self) -> Board:
        """The board as of now; only for reading, by those who know that it goes on."""
        return self.compiled().board

    def compiled(self) -> Compiled:
        """Return the board at this version, built or brought along when first asked for."""
        if self._current is None:
            self.draft.write()
            self._current = board_at(self.session, self.draft.head, self._base, self._had)
            self._had, self._unchecked = None, False
            self.draft.head.base_version, self.draft.head.base_at = self._base
        return self._current

    def fresh_board(self) -> Board:
        """Return the board just compiled: one that was kept up to date has the open tasks of when it began."""
        compiled = self.compiled()
        if compiled.version != compiled.base_version:
            self.recompile(check=False)
        return self.board

    def ready(self) -> None:
        """Have the board as it is before something is written, for `follow` to bring along."""
        if not self._unchecked:
            self.compiled()

    def seen(self) -> Seen:
        """Return what rebuilds the board as it is now."""
        return Seen(self.compiled().version, *self._base)

    def recompile(self, *, check: bool = True) -> None:
        """Let the board begin anew at this version; with ``check`` the turn ends by reading the whole firm back."""
        head = self.draft.head
        head.base_version, head.base_at = self._base = (head.version, moment_of(self.now))
        self._current = self._had = None
        self._unchecked = self._unchecked or check

    def follow(self, id: str, after: Task, ledger: Ledger | None = None) -> None:
        """Bring the board up to a task that was written; ``ledger`` is the board's from before anything was asked of it."""
        if self._unchecked:
            self.recompile()  # as it will be in any case
            return
        compiled = self.compiled()
        board = compiled.board
        ledger = ledger or board.ledger
        if compiled.version < self.version and not (follow(board, id, after) and board.ledger is ledger):
            self.recompile(check=False)
        compiled.version = self.version

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Do all of an operation, or spoil the turn."""
        self.touched += 1
        try:
            yield
        except BaseException as error:
            self._spoilt = error
            raise

    def stored(self, kind: PartKind, id: str) -> Stored | None:
        """Return one part as it is stored, ``None`` where the firm does not have it."""
        require_storable(kind.value, {"id": id})
        self.draft.write()
        row = self.session.connection().execute(_STORED[kind], {"firm": self.firm, "id": id}).one_or_none()
        return None if row is None else Stored(*row)

    def has_task(self, id: str) -> bool:
        """Whether the firm has a task with this id; what the turn has collected so far stays unwritten."""
        require_storable(PartKind.TASK.value, {"id": id})
        if self.draft.pending(TaskRecord, id=id) is not None:
            return True
        found = self.session.connection().execute(_STORED[PartKind.TASK], {"firm": self.firm, "id": id})
        return found.first() is not None

    def log(
        self,
        kind: EntryKind,
        by: By,
        outcome: str,
        reason: str,
        seen: Seen,
        task: Task,
        person: str | None,
        answer: Decision,
        more: Mapping[str, str] | None = None,
    ) -> int:
        """Log a decision about a task with what the board said of it; return the number of the entry."""
        document = {"task": task.model_dump(mode="json"), "answer": compact(answer), **(more or {})}
        self.decided.append((kind.value, outcome))
        return append(
            self.draft,
            kind,
            decided_by=by,
            outcome=outcome,
            reason=reason,
            seen=seen,
            task=task.id,
            person=person,
            document=document,
        )

    def enter(self, kind: EntryKind, by: By, outcome: str, reason: str, seen: Seen, document: dict[str, Any]) -> int:
        """Log any other decision; return the number of the entry."""
        self.decided.append((kind.value, outcome))
        return append(self.draft, kind, decided_by=by, outcome=outcome, reason=reason, seen=seen, document=document)

    def untouched(self) -> Compiled | None:
        """Return the board where no operation of this turn has begun, to be kept although the turn failed."""
        return None if self.touched else self._current or self._had

    def finish(self) -> Compiled | None:
        """Write everything; return the board to keep once the transaction is committed."""
        if self._spoilt is not None:
            raise RuntimeError("the turn failed in its middle and cannot be committed") from self._spoilt
        if self._unchecked:
            self.compiled()  # compiling reads the whole firm back, so that none is stored that contradicts itself
        self.draft.finish()
        return self._current or self._had
