"""What the engine answers: decisions, plans with their certificate, proposals and metrics, as frozen models.

Everything here is data that any reader can check with code of its own: no method decides anything.
All ``_min`` fields are whole minutes; days are local days of the firm.
"""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, WrapSerializer

from solver.policy import Frozen
from solver.price_list import PriceList


class Filter(StrEnum):
    """Why a person does not get a task, in the order in which the rule asks."""

    SKILL = "skill"
    EMPLOYMENT = "employment"
    INDEPENDENCE = "independence"
    REVIEWER = "reviewer"
    DEADLINE = "deadline"
    GUARDRAIL = "guardrail"
    REQUEST = "request"

    @property
    def meaning(self) -> str:
        """The filter in words that complete "this person ..."."""
        return {
            "skill": "does not have the skill",
            "employment": "does not work here in that time",
            "independence": "is barred from the client",
            "reviewer": "worked on the piece that is reviewed",
            "deadline": "has not enough open hours before the deadline",
            "guardrail": "is below the level the work demands",
            "request": "is not whom the client asked for",
        }[self.value]


class Candidate(Frozen):
    """One person as the rule saw them for one arrival."""

    person: str
    remaining_min: int = Field(description="open minutes this week that no promise needs; the ranking")
    stopped_by: Filter | None = Field(description="the first filter that stopped this person; none: passed all")
    work_min: int = Field(description="minutes the task takes this person; 0 when they lack the skill")
    gap_min: int = Field(description="minutes missing before the deadline; 0 when the task fits")
    load_min: int = Field(description="minutes of open work assigned at that time")


def _as_tuple(candidates: Any, serialise: SerializerFunctionWrapHandler) -> Any:
    rows = getattr(candidates, "rows", None)  # of an arrival: data, of which nobody has made candidates yet
    return serialise(tuple(candidates)) if rows is None else rows()


class Outcome(StrEnum):
    """What happened to an arrival."""

    PLACED = "placed"
    HELD = "held"
    ESCALATED = "escalated"


class RoutingPolicy(StrEnum):
    """How one of those who pass every filter is chosen."""

    RULE = "rule"
    PRICED = "priced"


class RepairKind(StrEnum):
    """The ways out of an escalation."""

    ADD_HOURS = "add_hours"
    MOVE_DEADLINE = "move_deadline"
    RELEASE_TASK = "release_task"


class WayOut(Frozen):
    """One change after which the task fits, verified on the ledger."""

    kind: RepairKind
    person: str
    minutes: int = Field(description="minutes to add before the deadline, or minutes of the task to release")
    day: date | None = Field(default=None, description="for move_deadline: the first day by which it fits")
    task: str | None = Field(default=None, description="for release_task: the task to take from the person")
    sentence: str
    cost_min: int | None = Field(
        default=None,
        description="minutes of the objective the change costs; none: not priced (an arrival), or the released task finds no place",
    )


class Decision(Frozen):
    """The answer for one arrival, with everything that led to it."""

    task: str
    outcome: Outcome
    person: str | None
    promised_day: date | None = Field(description="the task will be done by the end of this day")
    overridden: bool = Field(description="the client asked for the person and the rule was set aside")
    overload_min: int = Field(description="for an override: minutes that do not fit before the deadline")
    candidates: Annotated[tuple[Candidate, ...], WrapSerializer(_as_tuple)] = Field(
        description="everybody, in rank order"
    )  # from `place` as `solver.seen.Candidates`, which makes them when they are read
    ways_out: tuple[WayOut, ...] = ()
    reason: str
    policy: RoutingPolicy = Field(default=RoutingPolicy.RULE, description="what chose among those who passed")


class PlannedTask(Frozen):
    """One open task in a plan, with the person who does it."""

    task: str
    person: str
    work_min: int = Field(description="minutes it takes this person")
    earliest_day: date = Field(description="first day the plan allows work on it (release, preparation done)")
    promised_day: date | None = Field(description="done by the end of this day; none: not within the horizon")
    finish_day: date | None = Field(description="day of its last minute in the timetable")
    late: bool = Field(description="promised after its deadline")
    days_late: int = Field(description="calendar days promised after the deadline; 0 on time or late the same day")
    cause: str | None = Field(description="why it is late, in words; none when on time")
    moved_from: str | None = Field(description="today's assignee where the plan proposes another")
    new: bool = Field(description="had no assignee before")
    earliest_time: time | None = Field(
        default=None, description="local time on earliest_day from which work is allowed; none: the whole day"
    )
    promised_time: time | None = Field(
        default=None, description="done by this local time on promised_day; none: by the end of the day"
    )


class EscalatedTask(Frozen):
    """A task the plan cannot place, with the conflict spelled out."""

    task: str
    reason: str
    qualified: tuple[Candidate, ...] = Field(description="people stopped by nothing but their hours")
    ways_out: tuple[WayOut, ...]
    unavoidable: bool = Field(description="nobody may do it, whatever the plan")
    cheapest: WayOut | None = Field(
        default=None, description="the way out that costs least, tried on the plan's own ledger; none: no way out"
    )


class Hold(Frozen):
    """A task that waits for its estimate."""

    task: str
    assignee: str | None
    reason: str


class Flag(Frozen):
    """Somebody holds a task that they may not do any more."""

    task: str
    person: str
    stopped_by: Filter
    reason: str


class WorkDay(Frozen):
    """One cell of the timetable: minutes of one task by one person on one day."""

    day: date
    person: str
    task: str
    minutes: int


class Term(Frozen):
    """One part of the objective."""

    name: str
    minutes: int


class SolveStatus(StrEnum):
    """How good the plan is known to be."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"


class StopReason(StrEnum):
    """Why the search ended."""

    OPTIMAL = "optimal"
    GAP = "gap reached"
    WORK = "work budget used"
    WALL_CLOCK = "wall-clock limit"
    CANCELLED = "cancelled"
    STALLED = "no neighbourhood improves"


class Scarcity(Frozen):
    """An hour the firm lacks most, verified by planning again with it; worths of two hours do not add up."""

    person: str
    level: str
    skills: tuple[str, ...] = Field(description="what the hour is wanted for")
    day: date = Field(description="the hour was added on this day; none later is worth almost as much")
    price_min: int = Field(description="estimate: minutes of the objective an hour is worth at the relaxation's prices")
    worth_min: int = Field(description="verified: minutes by which the objective falls with the hour, and not without")
    escalated_min: int = Field(description="part of worth_min: price of escalations")
    late_min: int = Field(description="part of worth_min: price of lateness")
    escalated_work_min: int = Field(description="minutes of work no longer escalated, less those escalated instead")
    late_work_min: int = Field(description="minutes of work no longer late, less those late instead")
    tasks: tuple[str, ...] = Field(description="tasks that find a person, or are promised less late")
    sentence: str


class Certificate(Frozen):
    """What is known about a plan. Objectives are minutes, without the part that no plan can avoid."""

    status: SolveStatus
    objective_min: int = Field(description="sum of the terms less unavoidable_min; lower is better")
    bound_min: int = Field(description="no plan can be below this")
    gap_pct: float = Field(description="(objective - bound) / objective in percent; 0 when both are 0")
    unavoidable_min: int = Field(
        description="price of what no plan can do: tasks nobody may do, lateness nobody can mend"
    )
    terms: tuple[Term, ...] = Field(description="add up to objective_min + unavoidable_min")
    rule_objective_min: int = Field(description="objective of the routing rule, task after task, on the same backlog")
    stop_reason: StopReason
    seed: int
    work_units: float = Field(description="deterministic work spent; see solver.search")
    versions: dict[str, str]
    scarcity: tuple[Scarcity, ...] = Field(default=(), description="hours the firm lacks most, dearest first")

    def sentence(self) -> str:
        """Say in plain words how good the plan is."""
        if self.status is SolveStatus.OPTIMAL:
            return f"No better plan exists (objective {self.objective_min:,} minutes, proven)."
        if self.bound_min == 0:
            return (
                f"This plan costs {self.objective_min:,} minutes; how far below the best plan is, is not known yet. "
                f"Search ended: {self.stop_reason.value}."
            )
        return (
            f"No plan can be more than {self.gap_pct:.1f} % better: this one costs {self.objective_min:,} minutes, "
            f"and none costs less than {self.bound_min:,}. Search ended: {self.stop_reason.value}."
        )


class TradeOff(Frozen):
    """The best plan found with at most so many moves. A move takes a task from somebody who may keep it; flagged work is none."""

    limit: int = Field(description="moves allowed; of the last point, the plan itself, the moves it makes")
    moves: int = Field(description="moves made, at most the limit")
    objective_min: int = Field(description="what it costs less unavoidable_min, to be compared with the certificate")
    gain_min: int = Field(description="objective saved against moving nothing")
    escalations: int = Field(description="tasks nobody takes")
    late: int = Field(description="tasks promised after their deadline")


class Plan(Frozen):
    """An assignee or an escalation for every open task, and the timetable that proves it."""

    firm: str
    now: datetime
    tasks: tuple[PlannedTask, ...]
    escalations: tuple[EscalatedTask, ...]
    holds: tuple[Hold, ...]
    flags: tuple[Flag, ...]
    timetable: tuple[WorkDay, ...]
    certificate: Certificate
    trade_off: tuple[TradeOff, ...] = Field(
        default=(),
        description="gain against moves, by limit; the last point is this plan; empty where none was computed",
    )
    prices: PriceList | None = Field(
        default=None,
        description="what a minute of each person, each task and each skill is worth, for the next day; none: no relaxation was solved",
    )


class Move(Frozen):
    """One task handed from one person to another."""

    task: str
    from_person: str | None = Field(description="none: new work that only finds room together with the other moves")
    to_person: str


class LoadChange(Frozen):
    """A person's load before and after a proposal."""

    person: str
    before_min: int
    after_min: int
    capacity_min: int = Field(description="open minutes from now to the last deadline")


class Proposal(Frozen):
    """A reassignment, or a bundle that only works together, waiting for a manager. Feasible applied alone."""

    id: str
    moves: tuple[Move, ...]
    gain_min: int = Field(description="objective saved when this proposal alone is applied to today")
    gain_per_move_min: float
    loads: tuple[LoadChange, ...]
    reason: str


class Metrics(Frozen):
    """The four metrics for one subject over one period."""

    subject: str = Field(description="firm, a team, a level, or a person id")
    capacity_min: int
    load_min: int
    utilisation_pct: float | None = Field(description="load / capacity; none without capacity")
    spread_pct: float | None = Field(description="busiest less idlest utilisation; none for one person")
    variance: float | None = Field(
        description="variance of utilisation (share squared) over people; none for one person"
    )
    on_time_done_pct: float | None = Field(description="share of finished tasks finished by their deadline")
    on_time_forecast_pct: float | None = Field(description="share of open tasks promised by their deadline")
    late_open: int
    escalations: int


class WeekLoad(Frozen):
    """One person's week: timetable minutes against capacity."""

    person: str
    week_start: date = Field(description="Monday")
    load_min: int
    capacity_min: int


class MetricsReport(Frozen):
    """The four metrics for the firm, its teams, levels and people, with the week by week series."""

    firm: Metrics
    teams: tuple[Metrics, ...]
    levels: tuple[Metrics, ...]
    people: tuple[Metrics, ...]
    weeks: tuple[WeekLoad, ...]
