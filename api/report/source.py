"""What a report is made from: the firm, today, the plan, and the metrics of both."""

from __future__ import annotations

from dataclasses import dataclass

from solver.firm import Firm
from solver.plan import MetricsReport, Plan, Proposal


@dataclass(frozen=True)
class ReportData:
    """Everything a report shows, as the engine gave it.

    Attributes
    ----------
    today
        Today's assignments as a plan: who holds what now, and when it would be done.
    plan
        The proposed plan.
    before, after
        Metrics of ``today`` and of ``plan``.
    notes
        Sentences about the input that readers must know, such as rows that were rejected.
    """

    firm: Firm
    plan: Plan
    today: Plan
    before: MetricsReport
    after: MetricsReport
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...] = ()

    def ranked_proposals(self) -> tuple[Proposal, ...]:
        """Return the proposals, the one that gives most per move first; ties by id."""
        return tuple(sorted(self.proposals, key=lambda one: (-one.gain_per_move_min, one.id)))
