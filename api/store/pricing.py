"""The prices of a stored plan, as a routing policy: decisions made by it name the plan, so that they can be made again."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.refusals import NotFound, not_found
from api.store.tables import PlanRecord
from solver.plan import Plan
from solver.priced import Priced
from solver.refusal import Refusal


class Prices(NamedTuple):
    """A plan's id and the policy made of its prices; one object serves many placements."""

    plan: str
    policy: Priced


def prices_of(session: Session, plan: str) -> Prices:
    """Return the prices of one plan of the session's firm.

    Raises
    ------
    NotFound
        There is no such plan, or it came without prices.
    """
    document = session.scalars(select(PlanRecord.document).where(PlanRecord.id == plan)).one_or_none()
    if document is None:
        raise not_found("plan", plan, list(session.scalars(select(PlanRecord.id))))
    prices = Plan.model_validate_json(document).prices
    if prices is None:
        message, hint = "came without prices", "Maybe place by the rule."
        raise NotFound(Refusal(code="no_prices", field="plan", value=plan, message=message, hint=hint))
    return Prices(plan, Priced(prices))
