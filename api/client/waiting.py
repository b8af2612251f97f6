"""The client's methods about what waits for people: holds, escalations, proposals, suggestions, the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from api.client.requests import Requests, in_path
from api.routes.delivery_models import InboxItem, InboxPage, MarkedRead, ReadNumbers
from api.routes.models import Placed
from api.routes.suggestion_models import (
    LearnedAnswer,
    SuggestionAnswer,
    SuggestionDecided,
    SuggestionGain,
    SuggestionPage,
)
from api.routes.waiting_models import (
    Approval,
    ApprovalTogether,
    Because,
    Ended,
    EscalationAnswer,
    EscalationPage,
    Estimate,
    HoldAnswer,
    HoldPage,
    ProposalAnswer,
    ProposalPage,
    ProposalsDecided,
    Retried,
    WholeEscalation,
)


class Waiting(Requests):
    """Holds, escalations, proposals, suggestions, the inbox."""

    def holds(self, **wanted: Any) -> Iterator[HoldAnswer]:
        """Yield holds, oldest first; ``wanted`` as the filters of the list."""
        return self._pages(HoldPage, "/holds", lambda page: page.holds, wanted)

    def hold(self, number: int) -> HoldAnswer:
        """Read one hold."""
        return self._get(HoldAnswer, f"/holds/{number}")

    def estimate(self, hold: int, estimate_min: int, *, key: str | None = None) -> Placed:
        """Give a held task its estimate, and learn who gets it."""
        return self._create(Placed, f"/holds/{hold}/estimate", Estimate(estimate_min=estimate_min), key)

    def end_hold(self, number: int, reason: str, *, key: str | None = None) -> Ended:
        """End a hold without an estimate."""
        return self._create(Ended, f"/holds/{number}/end", Because(reason=reason), key)

    def escalations(self, **wanted: Any) -> Iterator[EscalationAnswer]:
        """Yield escalations, oldest first; ``wanted`` as the filters of the list."""
        return self._pages(EscalationPage, "/escalations", lambda page: page.escalations, wanted)

    def escalation(self, number: int) -> WholeEscalation:
        """Read one escalation with the ways out."""
        return self._get(WholeEscalation, f"/escalations/{number}")

    def retry(self, escalation: int, *, key: str | None = None) -> Placed:
        """Route an escalated task again."""
        return self._create(Placed, f"/escalations/{escalation}/retry", None, key)

    def retry_all(self, *, key: str | None = None) -> Retried:
        """Route everything that waits again."""
        return self._create(Retried, "/escalations/retry", None, key)

    def end_escalation(self, number: int, reason: str, *, key: str | None = None) -> Ended:
        """End an escalation without placing its task."""
        return self._create(Ended, f"/escalations/{number}/end", Because(reason=reason), key)

    def proposals(self, **wanted: Any) -> Iterator[ProposalAnswer]:
        """Yield proposals, oldest first; ``wanted`` as the filters of the list: ``waiting``, ``person`` and so on."""
        return self._pages(ProposalPage, "/proposals", lambda page: page.proposals, wanted)

    def proposal(self, id: str) -> ProposalAnswer:
        """Read one proposal."""
        return self._get(ProposalAnswer, f"/proposals/{in_path(id)}")

    def approve(self, id: str, *, version: int | None, reason: str = "", key: str | None = None) -> ProposalsDecided:
        """Make a proposal's moves, if they are still right."""
        body = Approval(reason=reason)
        return self._decide(ProposalsDecided, f"/proposals/{in_path(id)}/approve", body, key, version)

    def approve_together(self, ids: Sequence[str], *, reason: str = "", key: str | None = None) -> ProposalsDecided:
        """Make the moves of several proposals, all of them or none."""
        return self._create(
            ProposalsDecided, "/proposals/approve", ApprovalTogether(proposals=tuple(ids), reason=reason), key
        )

    def decline(self, id: str, reason: str, *, version: int | None, key: str | None = None) -> ProposalsDecided:
        """Decline a proposal."""
        return self._decide(ProposalsDecided, f"/proposals/{in_path(id)}/decline", Because(reason=reason), key, version)

    def undo(self, proposal: str, reason: str, *, key: str | None = None) -> ProposalsDecided:
        """Give the work of an approved proposal back."""
        return self._create(ProposalsDecided, f"/proposals/{in_path(proposal)}/undo", Because(reason=reason), key)

    def learned(self, **wanted: Any) -> LearnedAnswer:
        """Read what the time sheets say; ``wanted``: ``type``, ``client``, ``person``."""
        return self._get(LearnedAnswer, "/learned", wanted)

    def suggestions(self, **wanted: Any) -> Iterator[SuggestionAnswer]:
        """Yield suggestions; ``wanted`` as the filters of the list: ``state``, ``kind``."""
        return self._pages(SuggestionPage, "/suggestions", lambda page: page.suggestions, wanted)

    def suggestion(self, id: str) -> SuggestionAnswer:
        """Read one suggestion."""
        return self._get(SuggestionAnswer, f"/suggestions/{in_path(id)}")

    def suggestion_gain(self, id: str, **how: Any) -> SuggestionGain:
        """Plan without and with a suggestion; ``how``: ``work_units``."""
        return self._get(SuggestionGain, f"/suggestions/{in_path(id)}/gain", how)

    def accept_suggestion(self, id: str, *, reason: str = "", key: str | None = None) -> SuggestionDecided:
        """Change what a suggestion names."""
        return self._create(SuggestionDecided, f"/suggestions/{in_path(id)}/accept", Approval(reason=reason), key)

    def dismiss_suggestion(self, id: str, reason: str, *, key: str | None = None) -> SuggestionDecided:
        """Dismiss a suggestion until the data change."""
        return self._create(SuggestionDecided, f"/suggestions/{in_path(id)}/dismiss", Because(reason=reason), key)

    def undo_suggestion(self, id: str, reason: str, *, key: str | None = None) -> SuggestionDecided:
        """Take back what was decided last about a suggestion."""
        return self._create(SuggestionDecided, f"/suggestions/{in_path(id)}/undo", Because(reason=reason), key)

    def inbox(self, **wanted: Any) -> Iterator[InboxItem]:
        """Yield messages, newest first; ``wanted``: ``person``, ``unread``."""
        return self._pages(InboxPage, "/inbox", lambda page: page.items, wanted)

    def mark_read(self, numbers: Sequence[int], *, person: str | None = None) -> MarkedRead:
        """Mark messages as read."""
        body = ReadNumbers(numbers=tuple(numbers), person=person)
        return self._ask(MarkedRead, "POST", "/inbox/read", body, repeatable=True)
