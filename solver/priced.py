"""The second routing policy: among those who pass every filter of the rule, whom the task costs least at the last batch's prices.

The cost of giving a task to a person is its own price for them (`solver.prices`), what the minutes it takes are worth to
everybody else (`solver.price_list`), and what it changes in the balance of promised work. Why this helps, and where it does not,
is measured in docs/decisions/0007-the-priced-policy.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solver import prices
from solver.axis import Axis
from solver.board import Board
from solver.pairs import own_prices
from solver.plan import RoutingPolicy
from solver.price_list import PriceList
from solver.seen import Choice, Seen
from solver.task_row import TaskRow
from solver.windows import Span


class Cost(NamedTuple):
    """What a task costs with each of some people, in minutes of the objective."""

    own: NDArray[np.float64]
    hours: NDArray[np.float64]
    balance: NDArray[np.float64]

    def total(self) -> NDArray[np.float64]:
        """Return the sum; rounded, so that the order of adding up decides nothing."""
        total: NDArray[np.float64] = np.round(self.own + self.hours + self.balance, 6)
        return total


class Tariff(NamedTuple):
    """A price list on the slots of one board.

    Attributes
    ----------
    minute
        ``(people, slots)`` price of a minute promised by each slot.
    share
        ``(people, 1 + weeks)`` fair share, as a part of all work, and of the work due by each levelled week end.
    """

    board: Board
    axis: Axis
    minute: NDArray[np.float64]
    share: NDArray[np.float64]


class Priced:
    """Routing by price; give one object to every `place` of a board, as it keeps the list on the board's slots."""

    name = RoutingPolicy.PRICED

    def __init__(self, price_list: PriceList) -> None:
        self.price_list = price_list
        self._tariff: Tariff | None = None

    def choose(self, board: Board, row: TaskRow, span: Span, seen: Seen, passing: NDArray[np.int64]) -> Choice:
        """Return who of ``passing`` costs least; equals are told apart by the rule's ranking."""
        cost = self.cost(board, row, span, seen, passing)
        total = cost.total()
        person = seen.first(passing[total == total.min()])
        return Choice(person, _reason(board, person, cost, int(np.flatnonzero(passing == person)[0])))

    def cost(self, board: Board, row: TaskRow, span: Span, seen: Seen, people: NDArray[np.int64]) -> Cost:
        """Return what the task costs with each of ``people``."""
        tariff = self._on(board)
        work = seen.work_min[people]
        own = sum(price[people] for price in own_prices(board, row).values())
        return Cost(
            own=np.asarray(own, dtype=np.float64),
            hours=tariff.minute[people, span.due] * work,
            balance=_balance(board, tariff, people, work, span.due),
        )

    def _on(self, board: Board) -> Tariff:
        if self._tariff is None or self._tariff.board is not board or self._tariff.axis is not board.axis:
            minute = self.price_list.on(board.axis, board.staff.ids)
            self._tariff = Tariff(board, board.axis, minute, _fair(board))
        return self._tariff


def _fair(board: Board) -> NDArray[np.float64]:
    """Return everybody's part of all work and of the work due by each week end: open minutes times target utilisation."""
    last = board.axis.last_deadline_slot(board.firm.policy.late_tail_days)
    columns = [last, *board.axis.week_end_slots()[: board.firm.policy.weights.week_ends]]
    meant = board.until_min[:, np.array(columns) + 1] * prices.targets_pct(board.firm)[:, None]
    fair: NDArray[np.float64] = meant / np.maximum(meant.sum(axis=0), 1)
    return fair


def _balance(
    board: Board, tariff: Tariff, people: NDArray[np.int64], work: NDArray[np.int64], due: int
) -> NDArray[np.float64]:
    """Return what the balance term rises by when each of ``people`` gets the task; below their fair share it falls.

    Shares are of the work promised by now and the task itself: arrivals lift everybody's share, whoever gets them.
    """
    weights = board.firm.policy.weights
    weeks = tariff.share.shape[1] - 1
    counted = np.array([True, *(end >= due for end in board.axis.week_end_slots()[:weeks])])
    promised = np.array([board.load_min.sum(), *board.due_load_min[:, :weeks].sum(axis=0)])
    fair = tariff.share[people] * (promised + counted * work.mean())
    before = np.concatenate([board.load_min[people, None], board.due_load_min[people, :weeks]], axis=1) - fair
    after = before + np.outer(work, counted)
    far = fair[:, 0] * weights.far_from_share_pct / 100
    per_minute = np.array([weights.balance_pct] + [weights.week_balance_pct] * weeks) / 100
    rise = (np.abs(after) - np.abs(before)) @ per_minute
    beyond = np.maximum(np.abs(after[:, 0]) - far, 0) - np.maximum(np.abs(before[:, 0]) - far, 0)
    found: NDArray[np.float64] = rise + beyond * weights.balance_far_pct / 100
    return found


def _reason(board: Board, person: int, cost: Cost, place: int) -> str:
    own, hours, balance = (round(float(part[place])) for part in cost)
    return (
        f"{board.firm.people[person].label} costs least at last night's prices: {own} for client and level, {hours} for the "
        f"hours, {balance} for the balance, together {own + hours + balance} minutes"
    )
