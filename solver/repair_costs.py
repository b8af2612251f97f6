"""What each way out of an escalation costs, on one scale, and which is cheapest: tried on the plan's ledger before it is named.

The scale is minutes of the objective. Added hours cost `Weights.overtime`, a moved deadline what work late by as many days
costs, a released task what it costs more at the cheapest other place the plan has for it, or escalated. To each is added
what the escalated task itself costs with that person; balance is left aside. Every trial touches one person's ledger row and
is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

from solver.board import Board
from solver.construct import in_order, others_on_piece
from solver.plan import RepairKind, WayOut
from solver.problem import Assignment, Problem, personal_prices
from solver.task_row import TaskRow
from solver.windows import Span, late_price_min


@dataclass(frozen=True)
class Escalated:
    """An escalated task of a plan.

    Attributes
    ----------
    board
        The board that holds the plan's promises; its ledger is as before after every trial.
    span
        Where the task would have to be done to be on time.
    """

    problem: Problem
    plan: Assignment
    board: Board
    row: TaskRow
    span: Span

    def priced(self, ways: tuple[WayOut, ...]) -> tuple[WayOut, ...]:
        """Return the ways out with their cost, in the same order."""
        if not ways:
            return ()
        own = personal_prices(self.problem.board, self.board.task_index[self.row.task.id]).values()
        priced = []
        for way in ways:
            change = self._change_min(way)
            here = sum(int(price[self.board.staff.row[way.person]]) for price in own)
            priced.append(way.model_copy(update={"cost_min": None if change is None else change + here}))
        return tuple(priced)

    def cheapest(self, priced: tuple[WayOut, ...]) -> WayOut | None:
        """Return the cheapest of the priced ways after which the task fits, the first of equals."""
        ranked = sorted((way.cost_min, i) for i, way in enumerate(priced) if way.cost_min is not None)
        return next((priced[i] for _, i in ranked if self.takes(priced[i])), None)

    def takes(self, way: WayOut) -> bool:
        """Whether the plan's ledger takes the task once the way out is gone."""
        p, ledger, span = self.board.staff.row[way.person], self.board.ledger, self.span
        if way.kind is RepairKind.RELEASE_TASK:
            return self._elsewhere_min(way) is not None
        if way.day is not None:
            return ledger.fits(p, span.release, self.board.axis.due_slot(way.day), self.row.takes_min(p))
        # Minutes given back to every window around a slot are minutes added to the slot.
        ledger.withdraw(p, span.due, span.due, way.minutes)
        fits = self._fits(p)
        ledger.promise(p, span.due, span.due, way.minutes)
        return fits

    def _change_min(self, way: WayOut) -> int | None:
        task, weights = self.row.task, self.board.firm.policy.weights
        if way.kind is RepairKind.RELEASE_TASK:
            return self._elsewhere_min(way)
        if way.day is not None:
            return late_price_min(weights, task, self.row.remaining_min, (way.day - task.deadline).days)
        return weights.overtime * way.minutes

    def _elsewhere_min(self, way: WayOut) -> int | None:
        """Return what the released task costs more elsewhere, with the escalated one in its place; ``None``: it does not work."""
        p, ledger, span = self.board.staff.row[way.person], self.board.ledger, self.span
        held = self.board.promises[str(way.task)]
        ledger.withdraw(p, held.window.release, held.window.due, held.work_min)
        cost = None
        if self._fits(p):
            work = self.row.takes_min(p)
            ledger.promise(p, span.release, span.due, work)
            cost = self._least_min(self.board.task_index[str(way.task)])
            ledger.withdraw(p, span.release, span.due, work)
        ledger.promise(p, held.window.release, held.window.due, held.work_min)
        return cost

    def _fits(self, p: int) -> bool:
        return self.board.ledger.fits(p, self.span.release, self.span.due, self.row.takes_min(p))

    def _least_min(self, t: int) -> int | None:
        """Return what a task just taken out of the ledger costs more at its cheapest place, ``None`` where it has none."""
        problem, plan, ledger = self.problem, self.plan, self.board.ledger
        may = problem.allowed[t].copy()
        may[others_on_piece(problem, plan, t)] = False
        prices = [int(problem.escalation_min[t])] if problem.may_escalate[t] else []
        for w in problem.windows_of(t):
            if in_order(problem, plan, t, w):
                rooms = ledger.rooms_min(int(problem.release[w]), int(problem.due[w]))
                comfort = problem.comfort_min[t, may & (rooms >= problem.work_min[t])]
                if len(comfort):
                    prices.append(int(problem.late_min[w]) + int(comfort.min()))
        now = int(problem.first_window[t] + plan.window[t])
        before = int(problem.late_min[now]) + int(problem.comfort_min[t, plan.who[t]])
        return min(prices) - before if prices else None
