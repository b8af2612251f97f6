"""Batches in a replayed period: with the recorded plan while nothing differs, else planned anew; what they place and propose."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from scenarios.approvals import Approvals
from scenarios.firm_changes import Freeze
from scenarios.other_hands import OtherHands
from scenarios.past import Event, Routing, Terms
from solver.batch import solve
from solver.board import compile_board
from solver.calendar import local_now
from solver.firm import Firm, Task
from solver.following import moment_of
from solver.plan import Outcome, Plan, PlannedTask, Proposal, RoutingPolicy
from solver.price_list import PriceList
from solver.priced import Priced
from solver.rebalance import proposals
from solver.routing import RULE, Policy
from solver.stop import WorkBudget
from solver.waiting import advice, may_have, new_work

NO_PRICES = Priced(PriceList(people=(), days=(), minute=np.zeros((0, 0))))


@dataclass(frozen=True)
class Batch:
    """A plan in the replay, and the position and moment it was made at."""

    plan: Plan
    position: int
    offered: tuple[Proposal, ...] | None


@dataclass
class Batches(OtherHands):
    """The firm as it stands, with its batches.

    Attributes
    ----------
    units
        Deterministic work of each batch that is planned anew.
    anew
        Plan every batch anew, also where the recorded plan would do.
    waiting
        Tasks that wait: whether it is a hold, and the order in which they began to.
    offered
        Moves proposed so far: task, from whom, to whom.
    """

    terms: Terms
    units: float
    seed: int = 0
    anew: bool = False
    waiting: dict[str, tuple[bool, int]] = field(init=False)
    routings: list[Routing] = field(init=False, default_factory=list)
    offered: set[tuple[str, str | None, str | None]] = field(init=False, default_factory=set)
    planned_anew: int = field(init=False, default=0)
    plans_taken: int = field(init=False, default=0)
    position: int = field(init=False)
    changed_at: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.base = self.terms.applied_to(self.base)
        self.waiting = {task: (held, i) for i, (task, held) in enumerate(self.past.waiting.items())}
        self.position = self.past.position
        self._batches: dict[str, Batch] = {}
        self._prices: dict[str | None, Priced] = {}

    @abstractmethod
    def route(self, task: Task, policy: Policy) -> None:
        """Decide who gets a task."""

    def policy_of(self, event: Event) -> Policy:
        """Return who routes: as the terms say, or as recorded."""
        if self.terms.routing is RoutingPolicy.PRICED:
            return self._prices.get(None, NO_PRICES)
        if self.terms.routing is None and event.plan is not None:
            return self._prices.get(event.plan, NO_PRICES)
        return RULE

    def own_policy(self) -> Policy:
        """Return who routes what the firm routes by itself."""
        return self._prices.get(None, NO_PRICES) if self.terms.routing is RoutingPolicy.PRICED else RULE

    def plan_batch(self, id: str, recorded: Plan | None, when: datetime) -> None:
        """Have a plan: the recorded one where the firm is the recorded one and nothing about planning differs, else a new one."""
        offered = None
        if recorded is not None and self.terms.as_recorded and not self.anew and self.tasks == self.recorded:
            plan, offered = recorded, self.past.offered.get(id, ())
            self.plans_taken += 1
        else:
            now = when if recorded is None else recorded.now
            plan = solve(self._planned_firm(now), now=now, stop=WorkBudget(self.units), seed=self.seed)
            self.planned_anew += 1
        self._batches[id] = Batch(plan, self.position, offered)
        priced = NO_PRICES if plan.prices is None else Priced(plan.prices)
        self._prices[id] = self._prices[None] = priced

    def _planned_firm(self, now: datetime) -> Firm:
        if self.terms.freeze_days is None:
            return self.firm()
        return Freeze(until=local_now(self.base, now).date() + timedelta(days=self.terms.freeze_days)).apply(
            self.firm()
        )

    def apply_batch(self, id: str, *, places: bool) -> None:
        """Place new work by the plan where that is right, and propose its moves."""
        batch = self._batches.get(id)
        if batch is None:
            return
        if places:
            for one in new_work(batch.plan):
                self._place_planned(batch, one.task, one.item)
        offered = batch.offered
        if offered is None:
            board = compile_board(self._planned_firm(self.when), now=self.when)
            same = tuple(
                item
                for item in batch.plan.tasks
                if item.task in board.task_index
                and item.person in board.staff.row
                and self.changed_at.get(item.task, 0) <= batch.position
            )
            offered = proposals(board, batch.plan.model_copy(update={"tasks": same}))
        self.offered |= {(move.task, move.from_person, move.to_person) for one in offered for move in one.moves}
        moved = self.propose(offered, lambda _: self.terms.approvals is Approvals.ALWAYS)
        for task in moved:
            self.waiting.pop(task, None)
        if moved:
            self.begin(moment_of(self.when))
            self.retry()

    def _place_planned(self, batch: Batch, id: str, item: PlannedTask | None) -> None:
        task = self.tasks.get(id)
        if task is None or not task.open or task.assignee is not None:
            return
        board = self.board if self.board.axis.holds(task) else self.board.copy()
        said = advice(board, task)
        if item is not None and self.changed_at.get(id, 0) <= batch.position and may_have(said, item):
            self.routings.append(
                Routing(self.when, id, Outcome.PLACED, item.person, "the plan of the whole backlog has it so")
            )
            self.keep(task, task.model_copy(update={"assignee": item.person}))
        elif said.outcome is Outcome.PLACED or id not in self.waiting:
            self.route(task, self.own_policy())
