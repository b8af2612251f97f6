"""Suggestions of `solver.suggestions` accepted, as a change of a scenario: the firm planned by other numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scenarios.change import FirmChange
from solver.firm import Firm
from solver.learnt import Suggestion


class SuggestionsAccepted(FirmChange):
    """Estimates and cells of the skill matrix become what the time sheets say."""

    change: Literal["suggestions_accepted"] = "suggestions_accepted"
    suggestions: Annotated[tuple[Suggestion, ...], Field(min_length=1, max_length=200)]

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the suggestions accepted."""
        from solver.adopting import (
            apply,  # the libraries of the batch load for seconds, and reading a change needs none
        )

        return apply(firm, self.suggestions)

    def sentence(self, firm: Firm) -> str:
        """Say each of them."""
        return " ".join(one.sentence for one in self.suggestions)
