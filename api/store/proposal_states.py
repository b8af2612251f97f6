"""The rows of a proposal: what it moves, and each state it came to, with when, who and why.

created -> delivered (in front of those who decide) -> approved, declined, expired or superseded; an approved one may be undone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import and_, select

from api.store.draft import Draft
from api.store.log import canonical
from api.store.tables import ProposalMoveRecord, ProposalRecord, ProposalStateRecord
from solver.plan import Proposal


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    CREATED = "created"
    DELIVERED = "delivered"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNDONE = "undone"

    @property
    def waits(self) -> bool:
        """Whether it waits for a manager."""
        return self in WAITING


WAITING = (ProposalStatus.CREATED, ProposalStatus.DELIVERED)
WAITING_WORDS = [one.value for one in WAITING]


class State(NamedTuple):
    """One state that a proposal came to.

    Attributes
    ----------
    actor
        Id of who brought it there: a token, a job. No name.
    decision
        Number of the log entry that did so, if one did.
    """

    state: ProposalStatus
    at: datetime
    actor: str
    reason: str
    decision: int | None


def begin(draft: Draft, id: str, proposal: Proposal, *, plan: str | None, expires_at: datetime, facts: str) -> None:
    """Keep a new proposal, and tell the world."""
    draft.add(
        ProposalRecord,
        id=id,
        version=draft.head.version,
        plan=plan,
        status=ProposalStatus.CREATED.value,
        created_at=draft.at,
        expires_at=expires_at,
        document=proposal.model_dump_json(),
        facts=facts,
    )
    for move in proposal.moves:
        draft.add(ProposalMoveRecord, proposal=id, **move.model_dump())
    _note(draft, id, ProposalStatus.CREATED, proposal.reason, None)


def end(draft: Draft, id: str, state: ProposalStatus, *, reason: str, decision: int | None, **columns: Any) -> None:
    """Bring a proposal to a state that ends it, and tell the world."""
    ended = {"status": state.value, "ended_at": draft.at, "decision": decision, **columns}
    draft.update(ProposalRecord, {"id": id}, **ended)
    _note(draft, id, state, reason, decision)


def supersede(draft: Draft, tasks: Collection[str], *, reason: str, decision: int | None = None) -> None:
    """End the proposals that wait and would move one of these tasks: the moves are not what they were."""
    draft.write()
    asked = _WAITING_MOVES.where(ProposalMoveRecord.task.in_(tasks))
    for id in sorted({move.proposal for move in draft.session.execute(asked)}):
        end(draft, id, ProposalStatus.SUPERSEDED, reason=reason, decision=decision)


def supersede_moved(draft: Draft, holders: Mapping[str, str | None]) -> None:
    """End the proposals that wait and take a task from somebody who does not have it, of those who have the open work."""
    draft.write()
    wrong = {
        move.proposal: move.task
        for move in draft.session.execute(_WAITING_MOVES)
        if move.task not in holders or holders[move.task] != move.from_person
    }
    for id, task in sorted(wrong.items()):
        end(draft, id, ProposalStatus.SUPERSEDED, reason=f"{task} has gone elsewhere", decision=None)


_WAITING_MOVES = (
    select(ProposalMoveRecord.proposal, ProposalMoveRecord.task, ProposalMoveRecord.from_person)
    .join(
        ProposalRecord,
        and_(ProposalRecord.id == ProposalMoveRecord.proposal, ProposalRecord.firm_id == ProposalMoveRecord.firm_id),
    )
    .where(ProposalRecord.status.in_(WAITING_WORDS))
)


def _note(draft: Draft, id: str, state: ProposalStatus, reason: str, decision: int | None) -> None:
    row = {"at": draft.at, "actor": draft.actor, "reason": reason, "decision": decision}
    draft.add(ProposalStateRecord, proposal=id, state=state.value, **row)
    told = {"proposal": id} if decision is None else {"proposal": id, "decision": decision}
    draft.tell(f"proposal.{state.value}", canonical(told))
