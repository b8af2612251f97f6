"""What the routes of suggestions take and answer; minutes end in ``_min``, percentages in ``_pct``."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.routes.models import Answer
from api.store.suggestions import SuggestionState
from scenarios.difference import Difference
from solver.learnt import ClientLevel, PersonInSkill, PersonInType, PersonLevel, Spreads, Suggestion, TypeLevel
from solver.plan import Certificate


class SilenceCount(Answer):
    """Tasks that say nothing of how long work takes."""

    reason: str
    tasks: int


class LearnedAnswer(Answer):
    """What the time sheets say, each with the interval that holds the true value in so many of 100 cases."""

    version: int = Field(description="of the firm, as it was looked at")
    as_of: date = Field(description="local day that it was looked at from")
    interval_pct: int
    types: tuple[TypeLevel, ...]
    clients: tuple[ClientLevel, ...]
    people: tuple[PersonLevel, ...]
    people_in_types: tuple[PersonInType, ...]
    people_in_skills: tuple[PersonInSkill, ...]
    spreads: Spreads | None = Field(description="how much effects differ in all; none where nothing could be learnt")
    left_out: tuple[SilenceCount, ...]


class SuggestionDecision(Answer):
    """What somebody decided about a suggestion."""

    at: datetime
    actor: str = Field(description="id of the token or user")
    reason: str
    decision_number: int = Field(description="of the entry in the decision log")
    undone_at: datetime | None
    undone_number: int | None = Field(description="of the entry in the decision log that undid it")


class SuggestionAnswer(Answer):
    """A change of estimates or of the skill matrix that the time sheets suggest."""

    id: str = Field(description="the same as long as the subject and what would change are")
    state: SuggestionState
    suggestion: Suggestion
    decided: SuggestionDecision | None = Field(description="none while it is offered")


class SuggestionPage(Answer):
    """Suggestions: those offered by subject, decided ones newest first."""

    suggestions: tuple[SuggestionAnswer, ...]
    next: str | None = Field(description="cursor of the next page; none: this was the last")


class SuggestionDecided(Answer):
    """What became of a suggestion."""

    id: str
    state: SuggestionState
    decision_number: int = Field(description="of the entry in the decision log")


class SuggestionGain(Answer):
    """The firm planned without and with a suggestion, both priced by what it says: what knowing it saves."""

    id: str
    version: int = Field(description="of the firm, as it was looked at")
    work_units: float = Field(description="deterministic work of each plan")
    gain_min: int = Field(
        description="never negative: cost of the plan made without it, less that of the plan made with it"
    )
    unaware_min: int = Field(description="what the plan made without it costs by what it says")
    changes: tuple[str, ...] = Field(description="what it changes, in words")
    difference: Difference = Field(description="everything that differs between the two plans")
    certificate_before: Certificate
    certificate_after: Certificate
