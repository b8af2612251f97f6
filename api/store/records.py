"""Plans, proposals and scenarios as they were found, and what became of them.

Whatever is kept here was computed from a firm with marks for names (`load_marked_firm`), so that its sentences hold none; whoever reads
gets the names of today.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.loading import firm_at
from api.store.log import By, EntryKind, canonical
from api.store.names import named_json
from api.store.refusals import not_found, taken
from api.store.tables import FirmRecord, PlanRecord, ProposalRecord, ScenarioRecord
from api.store.turn import Turn
from solver.firm import Firm
from solver.plan import Plan, Proposal


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Proposed(NamedTuple):
    """A proposal as it is kept.

    Attributes
    ----------
    decision
        Number of the log entry that ended it, ``None`` while it is open.
    """

    id: str
    plan: str | None
    status: ProposalStatus
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    decision: int | None
    proposal: Proposal


class Scenario(NamedTuple):
    """A what-if as it is kept: changes and result are documents of whoever computes them."""

    id: str
    name: str
    version: int
    at: datetime
    document: str
    result: str | None


def load_marked_firm(session: Session) -> tuple[Firm, int]:
    """Return the firm with marks for names, and its version: what plans and proposals are computed from."""
    version = session.scalars(select(FirmRecord.version)).one()
    return firm_at(session, version, marked=True), version


def keep_plan(turn: Turn, id: str, plan: Plan, *, version: int) -> None:
    """Keep a plan of the firm as it was at ``version``."""
    if turn.session.scalars(select(PlanRecord.id).where(PlanRecord.id == id)).one_or_none() is not None:
        raise taken("plan", id)
    proof = plan.certificate
    with turn.whole():
        turn.draft.add(
            PlanRecord,
            id=id,
            version=version,
            at=turn.draft.at,
            objective_min=proof.objective_min,
            bound_min=proof.bound_min,
            gap_pct=proof.gap_pct,
            document=plan.model_dump_json(),
        )


def load_plan(session: Session, id: str) -> Plan:
    """Return a plan with the names of today."""
    document = session.scalars(select(PlanRecord.document).where(PlanRecord.id == id)).one_or_none()
    if document is None:
        raise not_found("plan", id)
    return Plan.model_validate_json(named_json(document, labels_of(session)))


def propose(
    turn: Turn, proposals: Iterable[Proposal], *, plan: str | None, expires_at: datetime | None = None
) -> list[str]:
    """Keep proposals of a plan for managers to decide, and tell the world; return their ids."""
    ids: list[str] = []
    with turn.whole():
        turn.draft.write()
        for proposal in proposals:
            id = f"{plan}/{proposal.id}" if plan is not None else proposal.id
            turn.draft.add(
                ProposalRecord,
                id=id,
                version=turn.version,
                plan=plan,
                status=ProposalStatus.OPEN.value,
                created_at=turn.draft.at,
                expires_at=expires_at,
                document=proposal.model_dump_json(),
            )
            turn.draft.tell("proposal.open", canonical({"proposal": id}))
            ids.append(id)
    return ids


def proposals_of(session: Session, status: ProposalStatus = ProposalStatus.OPEN) -> list[Proposed]:
    """Return the proposals of one status, oldest first, with the names of today."""
    asked = select(ProposalRecord).where(ProposalRecord.status == status.value)
    labels = labels_of(session)
    records = session.scalars(asked.order_by(ProposalRecord.created_at, ProposalRecord.id))
    return [
        Proposed(
            record.id,
            record.plan,
            ProposalStatus(record.status),
            record.created_at,
            record.expires_at,
            record.ended_at,
            record.decision,
            Proposal.model_validate_json(named_json(record.document, labels)),
        )
        for record in records
    ]


def end_proposal(turn: Turn, id: str, status: ProposalStatus, *, by: By, reason: str) -> int:
    """End an open proposal; whoever approves one has made its moves in the same turn. Return the number of the log entry.

    Raises
    ------
    NotFound
        There is no open proposal with this id: of two managers, the second one is told.
    """
    turn.draft.write()
    asked = select(ProposalRecord.id).where(ProposalRecord.status == ProposalStatus.OPEN.value)
    if turn.session.scalars(asked.where(ProposalRecord.id == id)).one_or_none() is None:
        raise not_found("open proposal", id, list(turn.session.scalars(asked)))
    number = turn.note(EntryKind.PROPOSAL, by=by, outcome=status.value, reason=reason, document={"proposal": id})
    ended: dict[str, Any] = {"status": status.value, "ended_at": turn.draft.at, "decision": number}
    with turn.whole():
        turn.draft.update(ProposalRecord, {"id": id}, **ended)
        turn.draft.tell(f"proposal.{status.value}", canonical({"proposal": id, "decision": number}))
    return number


def keep_scenario(turn: Turn, id: str, *, name: str, document: str, result: str | None = None) -> None:
    """Keep a scenario, or its result once it is there; the scenario itself does not change."""
    turn.draft.write()
    there = turn.session.scalars(select(ScenarioRecord.document).where(ScenarioRecord.id == id)).one_or_none()
    if there is not None and (there != document or result is None):
        raise taken("scenario", id)
    with turn.whole():
        if there is None:
            row = {"name": name, "version": turn.version, "at": turn.draft.at, "document": document, "result": result}
            turn.draft.add(ScenarioRecord, id=id, **row)
        else:
            turn.draft.update(ScenarioRecord, {"id": id}, result=result)


def load_scenario(session: Session, id: str) -> Scenario:
    """Return a scenario with the names of today."""
    record = session.scalars(select(ScenarioRecord).where(ScenarioRecord.id == id)).one_or_none()
    if record is None:
        raise not_found("scenario", id)
    labels = labels_of(session)
    result = None if record.result is None else named_json(record.result, labels)
    return Scenario(record.id, record.name, record.version, record.at, named_json(record.document, labels), result)
