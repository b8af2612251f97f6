"""The self-check: a board that was brought along change by change, against what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from sqlalchemy.orm import Session

from api.store.boards import Compiled, board_then
from api.store.loading import firm_at
from solver.board import Board, compile_board
from solver.ledger import Ledger

SHOWN = 3
"""Tasks named per difference."""


def differences(session: Session, kept: Compiled) -> tuple[str, ...]:
    """Return what is wrong with a board, in words; nothing where it is what it should be.

    It is compared with the same board built from the history alone, and with what follows from its own parts: who has what by the
    firm's tasks as compiled afresh, loads and ledger by its promises.
    """
    again = board_then(session, kept.version, (kept.base_version, kept.base_at))
    return (*_unlike(kept.board, again), *_unlike_tasks(session, kept), *_inconsistent(kept.board))


def _unlike(board: Board, again: Board) -> Iterator[str]:
    if board.axis != again.axis:
        here, there = (f"{one.count} slots until {one.last_day}" for one in (board.axis, again.axis))
        yield f"the axis has {here}, and should have {there}"
        return
    if dict(board.promises) != dict(again.promises):
        yield f"promises of {_names(board.promises, again.promises)}"
    if board.flagged != again.flagged:
        yield f"flags of {_names(board.flagged, again.flagged)}"
    open_now, open_again = ({id: task for id, task in one.known.items() if task.open} for one in (board, again))
    if open_now != open_again:
        yield f"tasks {_names(open_now, open_again)}"
    for name, ours, theirs in (
        ("open minutes", board.open_min, again.open_min),
        ("loads", board.load_min, again.load_min),
        ("loads by week", board.due_load_min, again.due_load_min),
        ("slack", board.ledger.slack, again.ledger.slack),
        ("room", board.ledger.room, again.ledger.room),
    ):
        if not np.array_equal(ours, theirs):
            people = sorted({int(row) for row in np.argwhere(ours != theirs)[:, 0]})
            yield f"{name} of {', '.join(board.staff.ids[p] for p in people[:SHOWN])}"


def _unlike_tasks(session: Session, kept: Compiled) -> Iterator[str]:
    """Whoever has work by the firm's own tasks must have promised the same minutes on the board."""
    fresh = compile_board(firm_at(session, kept.version, marked=True), now=kept.base_at)
    ours, theirs = (
        {id: (promise.person, promise.work_min) for id, promise in board.promises.items()}
        for board in (kept.board, fresh)
    )
    if ours != theirs:
        yield f"people or minutes of {_names(ours, theirs)}, against the tasks compiled afresh"
    if not np.array_equal(kept.board.load_min, fresh.load_min):
        yield "loads, against the tasks compiled afresh"


def _inconsistent(board: Board) -> Iterator[str]:
    ledger = Ledger(board.open_min)
    ledger.promise_all((p, window.release, window.due, minutes) for p, window, minutes in board.promises.values())
    if not (np.array_equal(ledger.slack, board.ledger.slack) and np.array_equal(ledger.room, board.ledger.room)):
        yield "the ledger is not what the promises come to"
    load = np.zeros_like(board.load_min)
    for promise in board.promises.values():
        load[promise.person] += promise.work_min
    if not np.array_equal(load, board.load_min):
        yield "the loads are not what the promises come to"


def _names(ours: Mapping[str, object], theirs: Mapping[str, object]) -> str:
    unlike = sorted(id for id in {*ours, *theirs} if ours.get(id) != theirs.get(id))
    more = f" and {len(unlike) - SHOWN} more" if len(unlike) > SHOWN else ""
    return ", ".join(unlike[:SHOWN]) + more
