"""What a placement was answered, put together again from the log."""

from __future__ import annotations

from api.routes.models import Placed
from api.store.boards import labels_of
from api.store.log import read
from api.store.names import with_names
from api.store.turn import Turn


def placed_before(turn: Turn, number: int, version: int) -> Placed:
    """Return what a request was answered whose decision has this number."""
    entry = read(turn.session, number)
    assert entry.asked is not None
    assert entry.answer is not None
    task = entry.asked.model_copy(update={"assignee": entry.person})
    decision = with_names(entry.answer, labels_of(turn.session))
    return Placed(task=task, version=version, decision_number=number, decision=decision)
