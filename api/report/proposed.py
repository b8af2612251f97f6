"""Proposals as a manager reads them: who hands what to whom, what it does to their loads, what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.report.labels import Names, PersonLabel, TaskLabel
from api.report.source import ReportData
from api.report.wording import day_text, percent_text, sentence_text, share_pct
from solver.plan import LoadChange, Move, Plan, PlannedTask, Proposal
from solver.wording import hours_text

WIDEST_PCT = 200.0
"""Longest bar drawn, in percent of capacity; what lies beyond shows in its number, or it would dwarf all the others."""


@dataclass(frozen=True)
class MoveView:
    """One task changing hands, from nobody where it is new; hours are those of each person, who may differ in speed."""

    task: TaskLabel
    giver: PersonLabel | None
    taker: PersonLabel
    giver_hours: str
    taker_hours: str


@dataclass(frozen=True)
class LoadBar:
    """A person's load before and after, with bar lengths in percent of the widest bar on the page."""

    person: PersonLabel
    before: str
    after: str
    before_width_pct: float
    after_width_pct: float
    full_at_pct: float
    over_before: bool
    over_after: bool
    hours: str


@dataclass(frozen=True)
class ProposalView:
    """One proposal, in words."""

    rank: int
    id: str
    moves: tuple[MoveView, ...]
    loads: tuple[LoadBar, ...]
    gain: str
    gain_per_move: str
    reason: str


@dataclass(frozen=True)
class Placement:
    """A task that nobody had and the plan gives to somebody."""

    task: TaskLabel
    person: PersonLabel
    hours: str
    promised: str
    late: bool


def proposal_views(report: ReportData, names: Names) -> tuple[ProposalView, ...]:
    """Return all proposals, the one that gives most per move first."""
    ranked = report.ranked_proposals()
    shares = [share_pct(max(one.before_min, one.after_min), one.capacity_min) for p in ranked for one in p.loads]
    widest_pct = min(WIDEST_PCT, max(110.0, *(share for share in shares if share is not None), 0.0))
    work = (work_by_task(report.today), work_by_task(report.plan))
    return tuple(proposal_view(i, one, names, work, widest_pct) for i, one in enumerate(ranked, start=1))


def proposal_view(
    rank: int,
    proposal: Proposal,
    names: Names,
    work: tuple[dict[str, PlannedTask], dict[str, PlannedTask]],
    widest_pct: float,
) -> ProposalView:
    """Put one proposal into words."""
    return ProposalView(
        rank=rank,
        id=proposal.id,
        moves=tuple(move_view(move, names, work) for move in proposal.moves),
        loads=tuple(load_bar(load, names, widest_pct) for load in proposal.loads),
        gain=f"{proposal.gain_min:,}",
        gain_per_move=f"{proposal.gain_per_move_min:,.0f}",
        reason=sentence_text(proposal.reason),
    )


def move_view(move: Move, names: Names, work: tuple[dict[str, PlannedTask], dict[str, PlannedTask]]) -> MoveView:
    """Put one move into words."""
    today, plan = work
    return MoveView(
        task=names.task(move.task),
        giver=None if move.from_person is None else names.person(move.from_person),
        taker=names.person(move.to_person),
        giver_hours=hours_for(today.get(move.task), move.from_person),
        taker_hours=hours_for(plan.get(move.task), move.to_person),
    )


def hours_for(task: PlannedTask | None, person: str | None) -> str:
    """Return the hours the person needs, or nothing where that plan gives the task to another."""
    return hours_text(task.work_min) if task is not None and task.person == person else ""


def load_bar(load: LoadChange, names: Names, widest_pct: float) -> LoadBar:
    """Return the two bars of one person; without hours they are empty and only the text speaks."""
    before, after = (share_pct(one, load.capacity_min) for one in (load.before_min, load.after_min))
    return LoadBar(
        person=names.person(load.person),
        before=percent_text(before) if before is not None else hours_text(load.before_min),
        after=percent_text(after) if after is not None else hours_text(load.after_min),
        before_width_pct=min(100.0, round(100 * (before or 0) / widest_pct, 1)),
        after_width_pct=min(100.0, round(100 * (after or 0) / widest_pct, 1)),
        full_at_pct=round(10_000 / widest_pct, 1),
        over_before=load.before_min > load.capacity_min,
        over_after=load.after_min > load.capacity_min,
        hours=f"{hours_text(load.before_min)} → {hours_text(load.after_min)} of {hours_text(load.capacity_min)}",
    )


def placements(report: ReportData, names: Names) -> tuple[Placement, ...]:
    """Return the tasks that had nobody, by deadline."""
    found = [
        Placement(
            task=names.task(one.task),
            person=names.person(one.person),
            hours=hours_text(one.work_min),
            promised=promise_text(one.promised_day),
            late=one.late,
        )
        for one in report.plan.tasks
        if one.new
    ]
    return tuple(sorted(found, key=lambda one: (one.task.deadline, one.task.id)))


def promise_text(day: date | None) -> str:
    """Return the promised day; in words where the plan looks too short to know it."""
    return "beyond the plan" if day is None else day_text(day)


def work_by_task(plan: Plan) -> dict[str, PlannedTask]:
    """Index a plan."""
    return {one.task: one for one in plan.tasks}
