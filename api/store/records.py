"""Plans as they were found.

Whatever is kept here was computed from a firm with marks for names (`load_marked_firm`), so that its sentences hold none; whoever reads
gets the names of today.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.loading import firm_at
from api.store.names import named_json
from api.store.refusals import not_found, taken
from api.store.tables import FirmRecord, PlanRecord
from api.store.turn import Turn
from solver.firm import Firm
from solver.plan import Plan


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
