"""A board as plain values, to see that something left it as it was."""

from __future__ import annotations

from typing import Any

from solver.board import Board


def state(board: Board) -> dict[str, Any]:
    """Return everything about a board that a promise may touch, as plain values."""
    return {
        "slack": board.ledger.slack.tolist(),
        "room": board.ledger.room.tolist(),
        "load": board.load_min.tolist(),
        "promises": dict(board.promises),
        "flagged": dict(board.flagged),
        "known": dict(board.known),
        "reviewed_by": {name: sorted(reviews) for name, reviews in board.reviewed_by.items() if reviews},
    }
