"""Proposals for readers, with the names of today: one, or those wanted in pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.draft import require_storable
from api.store.names import named, named_json
from api.store.proposal_states import WAITING_WORDS, ProposalStatus, State
from api.store.refusals import not_found
from api.store.tables import ProposalMoveRecord, ProposalRecord, ProposalStateRecord
from solver.plan import Proposal


class Proposed(NamedTuple):
    """A proposal as it is kept.

    Attributes
    ----------
    version
        Of the firm when it was made or last brought up to date; what a decision about it asks for.
    decision
        Number of the log entry that ended it, ``None`` while it waits.
    states
        What it came to, in that order.
    """

    id: str
    plan: str | None
    status: ProposalStatus
    version: int
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    decision: int | None
    proposal: Proposal
    states: tuple[State, ...]


@dataclass(frozen=True)
class WantedProposals:
    """Which proposals are listed; what is ``None`` is not asked.

    Attributes
    ----------
    person
        Who gives or gets a task.
    """

    waiting: bool | None = None
    status: ProposalStatus | None = None
    plan: str | None = None
    task: str | None = None
    person: str | None = None


def one_proposal(session: Session, id: str) -> Proposed:
    """Return one proposal of the session's firm."""
    require_storable("proposal", {"id": id})
    record = session.scalars(
        select(ProposalRecord).where(ProposalRecord.id == id), execution_options=_FRESH
    ).one_or_none()
    if record is None:
        raise not_found("proposal", id)
    return _proposed(session, [record])[0]


def proposals_after(
    session: Session, wanted: WantedProposals, after: tuple[datetime, str] | None, limit: int
) -> list[Proposed]:
    """Return up to ``limit`` proposals, oldest first, those behind ``after`` (created at, id)."""
    asked = select(ProposalRecord)
    if wanted.waiting is not None:
        waits = ProposalRecord.status.in_(WAITING_WORDS)
        asked = asked.where(waits if wanted.waiting else ~waits)
    if wanted.status is not None:
        asked = asked.where(ProposalRecord.status == wanted.status.value)
    if wanted.plan is not None:
        require_storable("proposals", {"plan": wanted.plan})
        asked = asked.where(ProposalRecord.plan == wanted.plan)
    moves = ProposalMoveRecord
    if wanted.task is not None:
        require_storable("proposals", {"task": wanted.task})
        asked = asked.where(ProposalRecord.id.in_(select(moves.proposal).where(moves.task == wanted.task)))
    if wanted.person is not None:
        require_storable("proposals", {"person": wanted.person})
        touches = or_(moves.from_person == wanted.person, moves.to_person == wanted.person)
        asked = asked.where(ProposalRecord.id.in_(select(moves.proposal).where(touches)))
    if after is not None:
        asked = asked.where(tuple_(ProposalRecord.created_at, ProposalRecord.id) > after)
    ordered = asked.order_by(ProposalRecord.created_at, ProposalRecord.id).limit(limit)
    return _proposed(session, session.scalars(ordered, execution_options=_FRESH).all())


_FRESH = {"populate_existing": True}
_ORDER = {state: place for place, state in enumerate(ProposalStatus)}


def _proposed(session: Session, records: Sequence[ProposalRecord]) -> list[Proposed]:
    labels = labels_of(session)
    states = _states(session, [record.id for record in records], labels)
    return [
        Proposed(
            record.id,
            record.plan,
            ProposalStatus(record.status),
            record.version,
            record.created_at,
            record.expires_at,
            record.ended_at,
            record.decision,
            Proposal.model_validate_json(named_json(record.document, labels)),
            tuple(states[record.id]),
        )
        for record in records
    ]


def _states(session: Session, ids: Sequence[str], labels: Mapping[str, str]) -> Mapping[str, list[State]]:
    found: dict[str, list[State]] = defaultdict(list)
    asked = select(ProposalStateRecord).where(ProposalStateRecord.proposal.in_(ids))
    for row in session.scalars(asked):
        state = State(ProposalStatus(row.state), row.at, row.actor, named(row.reason, labels), row.decision)
        found[row.proposal].append(state)
    for some in found.values():
        some.sort(key=lambda one: _ORDER[one.state])
    return found
