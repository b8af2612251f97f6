"""A past period of a firm as it happened: what became known when, what people did, what was decided, and what work really took.

Made from a decision log and the history beside it (`api.store.past`), played by `scenarios.past_office`. Positions are versions of the
firm; moments have their zone. People are as they are known to the boards, without names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from scenarios.approvals import Approvals
from scenarios.firm_changes import PolicySet
from solver.firm import Firm, Task
from solver.learnt import Learned
from solver.plan import Outcome, Plan, Proposal, RoutingPolicy
from solver.policy import Policy


class How(StrEnum):
    """What an event is."""

    CAME = "came"
    ENTERED = "entered"
    CHANGED = "changed"
    ASKED = "asked"
    GAVE = "gave"
    APPROVED = "approved"
    DECIDED = "decided"
    ENDED = "ended"
    GONE = "gone"
    BECAME = "became"
    PLANNED = "planned"
    APPLIED = "applied"

    @property
    def meaning(self) -> str:
        """Return what the value stands for, in words."""
        return {
            "came": "a task came and was routed",
            "entered": "a task came with its person, as another system says",
            "changed": "a task became otherwise, or was worked on",
            "asked": "somebody asked to route a waiting task",
            "gave": "a manager gave a task to somebody",
            "approved": "a manager approved a proposal of a batch",
            "decided": "the engine decided by itself: what a replay decides anew",
            "ended": "a manager ended an escalation or a hold",
            "gone": "a task was taken out",
            "became": "people, clients, task types, the calendar or the policy became otherwise",
            "planned": "a batch read the firm",
            "applied": "its plan was applied",
        }[self.value]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes
    ----------
    position
        Version of the firm with it; several events may share one.
    task, before, after
        The task it is about, as recorded before and from then on; none: not there.
    asked
        The task as its routing was asked for.
    firm
        The firm without tasks from then on.
    day, person
        Of time that was logged; none: when it was said, and whoever had the task.
    retries
        Whether what waits was looked at again afterwards.
    begins_at
        The board was compiled anew behind it, for this moment.
    """

    position: int
    when: datetime
    how: How
    task: str = ""
    before: Task | None = None
    after: Task | None = None
    asked: Task | None = None
    firm: Firm | None = None
    plan: str | None = None
    day: date | None = None
    person: str | None = None
    retries: bool = False
    begins_at: datetime | None = None


@dataclass(frozen=True)
class Routing:
    """What was decided about a task by the rule, by prices or by a plan."""

    when: datetime
    task: str
    outcome: Outcome
    person: str | None
    reason: str


@dataclass(frozen=True)
class Work:
    """Minutes that somebody worked on a task on a day, and who had it then."""

    task: str
    holder: str | None
    person: str
    day: date
    minutes: int


@dataclass(frozen=True)
class Took:
    """What a finished task took in the end, and who had it."""

    minutes: int
    person: str


@dataclass(frozen=True)
class Past:
    """A period.

    Attributes
    ----------
    firm
        With its tasks at ``position``, which is at or shortly before the beginning: where the board began that was in use then.
    begins_at
        The moment that board was compiled for.
    first, last
        The period; what happened before it, since ``position``, is taken as it was.
    waiting
        Open holds (true) and escalations (false) at the beginning of the period, oldest first.
    routings
        As recorded within the period, in order.
    plans, offered
        Plans of the period's batches, and what they proposed, by id.
    places
        Plans whose new work was placed by the service.
    works, took
        What work took; no policy sees them before they happened.
    learned
        What the time sheets say about types, clients and people, for work that others do.
    """

    firm: Firm
    position: int
    begins_at: datetime
    first: datetime
    last: datetime
    events: tuple[Event, ...]
    routings: tuple[Routing, ...] = ()
    waiting: Mapping[str, bool] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    offered: Mapping[str, tuple[Proposal, ...]] = field(default_factory=dict)
    places: frozenset[str] = frozenset()
    works: tuple[Work, ...] = ()
    took: Mapping[str, Took] = field(default_factory=dict)
    learned: Learned | None = None


@dataclass(frozen=True)
class Terms:
    """What is different in a replay; nothing: the policy in force, as the record has it.

    Attributes
    ----------
    policy
        In place of the firm's own, whatever it was.
    settings
        Single settings, on top of either.
    routing
        By the rule, or by the prices of the last batch; none: as recorded.
    night_weekdays
        Mornings before which the batch runs at the policy's nightly hour, Monday is 0, in place of the recorded batches.
    freeze_days
        Work that somebody holds and that is due within so many days of a batch is not moved by it.
    approvals
        As they did: a move is approved when the record approves the same move (task, from whom, to whom), if it is proposed by then.
    """

    name: str = "the policy in force"
    policy: Policy | None = None
    settings: tuple[PolicySet, ...] = ()
    routing: RoutingPolicy | None = None
    night_weekdays: tuple[int, ...] | None = None
    freeze_days: int | None = None
    approvals: Approvals = Approvals.AS_THEY_DID

    def applied_to(self, firm: Firm) -> Firm:
        """Return the firm with the policy of the replay."""
        if self.policy is not None:
            firm = firm.model_copy(update={"policy": self.policy})
        for one in self.settings:
            firm = one.apply(firm)
        return firm

    def called(self, name: str) -> Terms:
        """Return the same under a name; without anything that is different it stays the policy in force."""
        return self if self == Terms() else replace(self, name=name)

    @property
    def as_recorded(self) -> bool:
        """Whether a batch would have planned as it did, given the same firm."""
        return self.policy is None and not self.settings and self.night_weekdays is None and self.freeze_days is None

    def sentences(self, firm: Firm) -> tuple[str, ...]:
        """Say what is different."""
        words = [] if self.policy is None else ["Policy: that of the file."]
        words += [one.sentence(firm) for one in self.settings]
        words += [] if self.routing is None else [f"Routing: by the {ROUTED[self.routing]}."]
        if self.night_weekdays is not None:
            days = ", ".join(WEEKDAYS[day] for day in self.night_weekdays) or "never"
            words.append(f"Batch: {days}.")
        if self.freeze_days is not None:
            words.append(f"Freeze: work due within {self.freeze_days} days of a batch stays.")
        words.append(f"Approvals: {self.approvals.value.replace('-', ' ')}.")
        return tuple(words)


ROUTED = {RoutingPolicy.RULE: "rule", RoutingPolicy.PRICED: "prices of the last batch"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
