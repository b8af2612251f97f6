"""A scenario's moves on the firm as it is: proposed where they fit and gain, else told with the reason; nothing is ever just done.

What is worked out here is kept with marks for names (`api.store.names`), so that the answer to a repeated request holds none.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from api.jobs.asks import WhatIfAsk, WhatIfResult
from api.store.boards import labels_of
from api.store.draft import read_head
from api.store.loading import firm_at
from api.store.names import named_json
from api.store.proposals import consider
from api.store.refusals import OutOfReach, not_found
from api.store.run_states import Run
from api.store.turn import Turn
from scenarios.changes import Change
from scenarios.rebasing import Rebased, applying, rebased
from scenarios.refused_moves import NotProposed
from solver.calendar import local_now
from solver.plan import Move, Proposal


class Moves(NamedTuple):
    """What a scenario moves, on the firm as it is; marks stand for names.

    Attributes
    ----------
    changes
        Of the scenario, on the firm as it is: what is real by now does not apply any more.
    """

    proposals: tuple[Proposal, ...]
    refused: tuple[NotProposed, ...]
    changes: tuple[Rebased, ...]


def moves_of(session: Session, firm: str, run: Run, document: str, tasks: Collection[str], *, now: datetime) -> Moves:
    """Return the moves of a comparison that is done, as proposals for today's firm and as those that are none.

    Parameters
    ----------
    tasks
        Only the moves of these; none: all.

    Raises
    ------
    NotFound
        The scenario moves no such task.
    """
    from scenarios.realising import realised  # loads the libraries of the batch, which placing needs none of

    found = WhatIfResult.model_validate_json(document)
    moves = found.comparison.difference.moves
    known = {move.task for move in moves}
    for task in tasks:
        if task not in known:
            raise not_found("tasks", task, known)
    here = firm_at(session, read_head(session, firm).version, marked=True)
    changes = _today(session, run, here, now)
    wanted = [move for move in moves if not tasks or move.task in tasks]
    made = realised(here, found.plan_after, wanted, applying(changes), now=now)
    numbers = [one.number for one in changes if one.change is not None]
    refused = tuple(
        one.model_copy(update={"depends_on": tuple(numbers[n] for n in one.depends_on)}) for one in made.refused
    )
    return Moves(made.proposals, refused, changes)


def propose_moves(turn: Turn, moves: Moves, *, expires_at: datetime | None) -> dict[str, Any]:
    """Keep the proposals for managers to decide, and return the answer as JSON, with marks for names.

    They are tried again on the board of the turn; what was declined on the same facts, or is beyond the caller's reach, is refused.
    """
    within, refused = [], list(moves.refused)
    for proposal in moves.proposals:
        try:
            for move in proposal.moves:
                for person in (move.from_person, move.to_person):
                    turn.require_reach("proposal", person)
            within.append(proposal)
        except OutOfReach as error:
            refused += [_refused(move, "forbidden_team", error.refusal.message) for move in proposal.moves]
    made = consider(turn, within, plan=None, expires_at=expires_at)
    why = {one.proposal: one.reason for one in made.left_out}
    refused += [_refused(move, "left_out", why[one.id]) for one in within if one.id in why for move in one.moves]
    return {
        "proposals": list(made.ids),
        "refused": [one.model_dump(mode="json") for one in refused],
        "changes": [one.model_dump(mode="json") for one in moves.changes],
    }


def named_moves(session: Session, made: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with the names of today."""
    return dict(json.loads(named_json(json.dumps(made, ensure_ascii=False), labels_of(session))))


def _today(session: Session, run: Run, here: Any, now: datetime) -> tuple[Rebased, ...]:
    changes: tuple[Change, ...] = WhatIfAsk.model_validate_json(run.asked).scenario.changes
    then = firm_at(session, run.version, marked=True)
    return rebased(changes, then=then, now=here, day=local_now(here, now).date())


def _refused(move: Move, code: str, reason: str) -> NotProposed:
    return NotProposed.model_validate({**move.model_dump(), "code": code, "reason": reason, "depends_on": ()})
