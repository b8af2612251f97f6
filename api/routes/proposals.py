"""Proposals: listed, read, approved alone or together, declined, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response

from api.routes.access import Deciding, Here, ReadingDecisions, actor
from api.routes.conditions import Expected, Key, Once, cursor, etag, moment_cursor
from api.routes.examples import APPROVAL, APPROVALS, REASONS
from api.routes.problems import answers
from api.routes.waiting_models import (
    Approval,
    ApprovalTogether,
    Because,
    ProposalAnswer,
    ProposalPage,
    ProposalsDecided,
)
from api.serving import Serving
from api.store.proposal_listing import Proposed, WantedProposals, one_proposal, proposals_after
from api.store.proposal_states import ProposalStatus
from api.store.proposals import Approved, approve, decline, undo
from api.store.tokens import Token
from api.store.turn import Turn
from solver.firm import Name

router = APIRouter(prefix="/proposals", tags=["proposals"])

Id = Annotated[str, Path(description="id of the proposal")]


@router.get("", operation_id="listProposals", summary="List proposals", responses=answers())
def proposals(
    caller: ReadingDecisions,
    here: Here,
    waiting: Annotated[bool | None, Query(description="whether a manager can still decide")] = None,
    status: ProposalStatus | None = None,
    plan: Name | None = None,
    task: Name | None = None,
    person: Annotated[Name | None, Query(description="who would give or get a task")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> ProposalPage:
    """List proposals, oldest first."""
    wanted = WantedProposals(waiting, status, plan, task, person)
    with here.database.reading(caller.firm) as session:
        found = proposals_after(session, wanted, moment_cursor(after), limit + 1)
    shown = found[:limit]
    more = cursor(shown[-1].created_at.isoformat(), shown[-1].id) if len(found) > limit else None
    return ProposalPage(proposals=tuple(_answer(one) for one in shown), next=more)


@router.post(
    "/approve", operation_id="approveProposals", summary="Approve several proposals", responses=answers(400, 409)
)
def approve_together(
    approval: Annotated[ApprovalTogether, Body(openapi_examples=APPROVALS)],
    caller: Deciding,
    here: Here,
    key: Key = None,
) -> ProposalsDecided:
    """Approve several proposals as one: all their moves are made together, or none is."""
    ids = tuple(dict.fromkeys(approval.proposals))

    def act(turn: Turn) -> ProposalsDecided:
        return _moved(ids, ProposalStatus.APPROVED, approve(turn, ids, reason=approval.reason))

    return _decided(caller, here, key, "approve together", approval.model_dump(mode="json"), act)


@router.get("/{id}", operation_id="getProposal", summary="Read a proposal", responses=answers(404))
def proposal(id: Id, caller: ReadingDecisions, here: Here, response: Response) -> ProposalAnswer:
    """Read one proposal: moves, gain, both people's load before and after, and what became of it."""
    with here.database.reading(caller.firm) as session:
        found = one_proposal(session, id)
    response.headers["ETag"] = etag(found.version)
    return _answer(found)


@router.post(
    "/{id}/approve",
    operation_id="approveProposal",
    summary="Approve a proposal",
    responses=answers(400, 404, 409, 412, 428),
)
def approve_one(
    id: Id,
    approval: Annotated[Approval, Body(openapi_examples=APPROVAL)],
    caller: Deciding,
    here: Here,
    expected: Expected,
    key: Key = None,
) -> ProposalsDecided:
    """Make a proposal's moves, if they still fit and gain on today's board; else say what has changed."""

    def act(turn: Turn) -> ProposalsDecided:
        return _moved((id,), ProposalStatus.APPROVED, approve(turn, [id], reason=approval.reason, expected=expected))

    return _decided(caller, here, key, "approve", {"id": id, **approval.model_dump(mode="json")}, act)


@router.post(
    "/{id}/decline",
    operation_id="declineProposal",
    summary="Decline a proposal",
    responses=answers(400, 404, 409, 412, 428),
)
def decline_one(
    id: Id,
    because: Annotated[Because, Body(openapi_examples=REASONS)],
    caller: Deciding,
    here: Here,
    expected: Expected,
    key: Key = None,
) -> ProposalsDecided:
    """Decline a proposal. It is not made again until its facts change: the task, the two people, their calendar, their room."""

    def act(turn: Turn) -> ProposalsDecided:
        number = decline(turn, id, reason=because.reason, expected=expected)
        declined = ProposalStatus.DECLINED
        return ProposalsDecided(proposals=(id,), status=declined, decision_number=number, gain_min=None, assignments=())

    return _decided(caller, here, key, "decline", {"id": id, **because.model_dump(mode="json")}, act)


@router.post("/{id}/undo", operation_id="undoProposal", summary="Undo a proposal", responses=answers(400, 404, 409))
def undo_one(
    id: Id,
    because: Annotated[Because, Body(openapi_examples=REASONS)],
    caller: Deciding,
    here: Here,
    key: Key = None,
) -> ProposalsDecided:
    """Give the work of an approved proposal back, if nobody has begun it."""

    def act(turn: Turn) -> ProposalsDecided:
        return _moved((id,), ProposalStatus.UNDONE, undo(turn, id, reason=because.reason))

    return _decided(caller, here, key, "undo", {"id": id, **because.model_dump(mode="json")}, act)


def _decided(
    caller: Token,
    here: Serving,
    key: str | None,
    what: str,
    asked: dict[str, Any],
    act: Callable[[Turn], ProposalsDecided],
) -> ProposalsDecided:
    once = Once(caller, key, {"route": f"proposals {what}", **asked})

    def decide(turn: Turn) -> ProposalsDecided:
        kept = once.answered(turn)
        if kept is not None:
            return ProposalsDecided.model_validate(kept)
        decided = act(turn)
        once.keep(turn, decided.model_dump(mode="json"))
        return decided

    return here.sharing.act(caller.firm, decide, now=here.now(), actor=actor(caller))


def _moved(ids: tuple[str, ...], status: ProposalStatus, done: Approved) -> ProposalsDecided:
    given = tuple(
        {"task": one.task.id, "person": one.task.assignee, "decision_number": one.number} for one in done.decided
    )
    gain = done.gain_min if status is ProposalStatus.APPROVED else None
    return ProposalsDecided.model_validate(
        {"proposals": ids, "status": status, "decision_number": done.number, "gain_min": gain, "assignments": given}
    )


def _answer(one: Proposed) -> ProposalAnswer:
    states = [{**state._asdict(), "decision_number": state.decision} for state in one.states]
    return ProposalAnswer.model_validate({**one._asdict(), "decision_number": one.decision, "states": states})
