"""What holds and escalations have in common: routed once more, or ended by a person."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from sqlalchemy.orm import Session

from api.routes.access import actor
from api.routes.conditions import Once, cursor, cursor_parts, etag
from api.routes.models import Placed
from api.routes.placed import placed_before
from api.routes.waiting_models import Ended
from api.serving import Serving
from api.store.tokens import Token
from api.store.turn import Turn
from api.store.waiting import KeptException, exceptions_after, require_open


def listed(
    session: Session, kind: str, *, open: bool | None, task: str | None, limit: int, after: str | None
) -> tuple[list[KeptException], str | None]:
    """Return one page of holds or escalations, and the cursor of the next one."""
    parts = cursor_parts(after, int)
    start = parts[0] if parts else None
    found = exceptions_after(session, kind, open=open, task=task, after=start, limit=limit + 1)
    shown = found[:limit]
    return shown, cursor(shown[-1].number) if len(found) > limit else None


def routed_again(
    caller: Token, here: Serving, response: Response, key: str | None, kind: str, number: int, **fields: Any
) -> Placed:
    """Route the task of an open hold or escalation with some fields changed, once per key."""
    once = Once(caller, key, {"route": f"{kind} again", "number": number, **fields})

    def act(turn: Turn) -> Placed:
        kept = once.answered(turn)
        if kept is not None:
            return placed_before(turn, **kept)
        there = require_open(turn.session, kind, number)
        made, version, after, decision = turn.place_again(there.task, **fields)
        once.keep(turn, {"number": made, "version": version})
        return Placed(task=after, version=version, decision_number=made, decision=decision)

    placed = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(placed.version)
    return placed


def ended_by_hand(caller: Token, here: Serving, key: str | None, kind: str, number: int, reason: str) -> Ended:
    """End an open hold or escalation, once per key."""
    once = Once(caller, key, {"route": f"{kind} end", "number": number, "reason": reason})

    def act(turn: Turn) -> Ended:
        kept = once.answered(turn)
        if kept is not None:
            return Ended.model_validate(kept)
        require_open(turn.session, kind, number)
        ended = Ended(number=number, decision_number=turn.end_exception(number, how="dropped", reason=reason))
        once.keep(turn, ended.model_dump(mode="json"))
        return ended

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
