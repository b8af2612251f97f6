"""A decision made again: the board it was made on, rebuilt from the history, asked the same question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from api.store.boards import Compiled, board_then, bring_along, compiled_then
from api.store.draft import read_head
from api.store.log import Entry, canonical, compact, read
from api.store.pricing import prices_of
from solver.board import Board
from solver.plan import Decision
from solver.routing import RULE
from solver.waiting import advice


class Replayed(NamedTuple):
    """One decision and what the same board answers today.

    Attributes
    ----------
    answer
        What was computed now; ``None`` for entries that no board decided.
    different
        The parts of the answer that are not what the log says.
    """

    entry: Entry
    answer: Decision | None
    different: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the log says what the board answers."""
        return not self.different


def replay(session: Session, number: int) -> Replayed:
    """Make one decision of the session's firm again."""
    entry = read(session, number)
    if entry.asked is None:
        return Replayed(entry, None, ())
    return _again(
        session, entry, board_then(session, entry.seen.version, (entry.seen.base_version, entry.seen.base_at))
    )


def replay_all(session: Session) -> Iterator[Replayed]:
    """Make every decision of the session's firm again, oldest first; the board of one goes on to that of the next."""
    then: Compiled | None = None
    for number in range(1, read_head(session, str(session.info["firm"])).log_number + 1):
        entry = read(session, number)
        if entry.asked is None:
            yield Replayed(entry, None, ())
            continue
        version, *base = entry.seen
        if then is None or [then.base_version, then.base_at] != base:
            then = compiled_then(session, entry.seen.base_version, entry.seen.base_at)
        bring_along(session, then, version)
        yield _again(session, entry, then.board)


def _again(session: Session, entry: Entry, board: Board) -> Replayed:
    assert entry.asked is not None
    plan = entry.document.get("prices")
    answer = advice(board, entry.asked, RULE if plan is None else prices_of(session, plan).policy)
    logged: dict[str, Any] = entry.document["answer"]
    now: dict[str, Any] = json.loads(canonical(compact(answer)))
    return Replayed(entry, answer, tuple(name for name in sorted(logged | now) if logged.get(name) != now.get(name)))
