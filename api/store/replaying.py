"""A decision made again: the board it was made on, rebuilt from the history, asked the same question."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from api.store.boards import board_then
from api.store.log import Entry, canonical, compact, read
from api.store.pricing import prices_of
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
    asked = entry.asked
    if asked is None:
        return Replayed(entry, None, ())
    board = board_then(session, entry.seen.version, (entry.seen.base_version, entry.seen.base_at))
    plan = entry.document.get("prices")
    answer = advice(board, asked, RULE if plan is None else prices_of(session, plan).policy)
    logged: dict[str, Any] = entry.document["answer"]
    now: dict[str, Any] = json.loads(canonical(compact(answer)))
    return Replayed(entry, answer, tuple(name for name in sorted(logged | now) if logged.get(name) != now.get(name)))
