"""What the routes of proposals, holds and escalations take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from api.routes.models import Answer
from api.store.proposal_states import ProposalStatus
from solver.firm import Name
from solver.plan import Decision, Proposal
from solver.policy import Frozen

Said = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class Approval(Frozen):
    """Approves one proposal."""

    reason: Said = Field(default="", description="for the log; none: what the proposal says")


class ApprovalTogether(Approval):
    """Approves several proposals: all of them or none."""

    proposals: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50, description="their ids")]


class Because(Frozen):
    """Why somebody decides so."""

    reason: Reason


class Estimate(Frozen):
    """What a hold waits for."""

    estimate_min: Annotated[int, Field(ge=1, le=1_000_000)]


class ProposalState(Answer):
    """When a proposal came to a state, by whom and why."""

    state: ProposalStatus
    at: datetime
    actor: str = Field(description="id of the token or job")
    reason: str
    decision_number: int | None = Field(description="of the entry in the decision log; none: nobody decided it")


class ProposalAnswer(Answer):
    """A proposal as it is kept."""

    id: str
    plan: str | None = Field(description="id of the plan that makes it; none: somebody's own idea")
    status: ProposalStatus
    version: int = Field(description="of the firm when it was made or brought up to date; its ETag")
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    decision_number: int | None = Field(description="of the entry in the decision log that ended it")
    proposal: Proposal
    states: tuple[ProposalState, ...] = Field(description="what it came to, in that order")


class ProposalPage(Answer):
    """Proposals, oldest first."""

    proposals: tuple[ProposalAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class Given(Answer):
    """A task given to somebody by a decision."""

    task: str
    person: str | None
    decision_number: int = Field(description="of the entry in the decision log")


class ProposalsDecided(Answer):
    """What a manager decided about proposals, and who has which task now."""

    proposals: tuple[str, ...] = Field(description="their ids")
    status: ProposalStatus
    decision_number: int = Field(description="of the entry in the decision log")
    gain_min: int | None = Field(description="objective saved on the board they were made on; none: nothing was moved")
    assignments: tuple[Given, ...]


class HoldAnswer(Answer):
    """A task that waits, or waited, for its estimate."""

    number: int = Field(description="of the decision that opened it")
    task: str
    opened_at: datetime
    closed_at: datetime | None
    closed_how: str | None


class HoldPage(Answer):
    """Holds, oldest first."""

    holds: tuple[HoldAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class EscalationAnswer(HoldAnswer):
    """A task that could not be placed."""

    reason: str = Field(description="why nobody could take it when it was opened")


class WholeEscalation(EscalationAnswer):
    """An escalation with everybody as they were seen, and the ways out."""

    decision: Decision


class EscalationPage(Answer):
    """Escalations, oldest first."""

    escalations: tuple[EscalationAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class Ended(Answer):
    """A hold or an escalation that somebody ended."""

    number: int
    decision_number: int = Field(description="of the entry in the decision log")


class Retried(Answer):
    """What of all that waits has a place by now."""

    placed: tuple[Given, ...]
