"""A season replayed: arrivals placed one by one, work done as the timetable says, a batch each night, the same for any policy.

Each half day the board is compiled anew, what arrives in it is placed, and everybody works on what their timetable has for
it. Before each morning the batch plans the whole backlog; its prices serve the day's arrivals, its proposals wait for
approval. What escalates is asked again each morning, as a partner would, until it is placed or its deadline has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time

import numpy as np

from scenarios.stream import Arrival, Stream
from solver.batch import solve
from solver.board import Board, compile_board
from solver.calendar import day_list
from solver.firm import Firm, Status, Task
from solver.plan import Plan, Proposal
from solver.price_list import PriceList
from solver.priced import Priced
from solver.rebalance import proposals
from solver.routing import RULE, Policy, place
from solver.stop import WorkBudget
from solver.task_row import remaining_min
from solver.timetable import Job, timetable

MIDDAY = time(13, 0)
Prices = Callable[[Firm, Plan], PriceList | None]


def prices_of(firm: Firm, plan: Plan) -> PriceList | None:
    """Return the prices a plan brings along, ``None`` where the batch made none."""
    return plan.prices


@dataclass(frozen=True)
class Replayed:
    """What a season came to.

    Attributes
    ----------
    escalations, escalated_min
        Arrivals nobody could take when they came, and their remaining minutes.
    lost, lost_min
        Tasks that nobody had by their deadline.
    spread_pct, deviation_pct
        Busiest less idlest, and standard deviation, of promised work as a share of open minutes until the last deadline, in
        points; the mean over all mornings.
    on_time_pct
        Share of all tasks that were finished by their deadline.
    proposed, approved
        Moves that a night proposed for the first time, and moves made.
    """

    arrivals: int
    escalations: int
    escalated_min: int
    lost: int
    lost_min: int
    spread_pct: float
    deviation_pct: float
    on_time_pct: float
    proposed: int
    approved: int


def replay(
    stream: Stream,
    *,
    priced: bool = False,
    prices: Prices = prices_of,
    approved_share: float = 0.0,
    night_units: float = 0.1,
    seed: int = 0,
) -> Replayed:
    """Replay a season by the rule, or by the prices of each night's batch.

    Parameters
    ----------
    prices
        What the night's plan is worth; a plan without prices leaves balance and comfort to decide.
    approved_share
        Chance of each proposal to be approved. None by default: what is compared is the routing, and every approved move mends
        it; the moves still proposed say how much there was to mend.
    night_units
        Deterministic budget of each night's batch (`solver.stop.WorkBudget`).
    """
    office = _Office(stream, np.random.default_rng(seed), approved_share)
    for day in day_list(stream.now.date(), stream.last_day):
        policy = _night(office, day, priced, prices, night_units, seed)
        if policy is not None:
            office.half_day(datetime.combine(day, stream.firm.workday_start), MIDDAY, policy)
            office.half_day(datetime.combine(day, MIDDAY), stream.firm.workday_end, policy)
    return office.result()


def _night(office: _Office, day: date, priced: bool, prices: Prices, units: float, seed: int) -> Policy | None:
    """Plan the backlog before the morning of ``day``; ``None`` where nobody works on it."""
    morning = datetime.combine(day, office.stream.firm.workday_start)
    board = compile_board(office.firm(), now=morning)
    if board.axis.count == 0 or board.axis.days[0] != day:
        return None
    office.measure(board)
    plan = solve(board.firm, now=morning, stop=WorkBudget(units), seed=seed)
    office.propose(proposals(board, plan))
    if not priced:
        return RULE
    return Priced(prices(board.firm, plan) or PriceList(people=(), days=(), minute=np.zeros((0, 0))))


@dataclass
class _Office:
    """The firm as it stands, and what has been counted."""

    stream: Stream
    random: np.random.Generator
    approved_share: float
    tasks: dict[str, Task] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    coming: list[Arrival] = field(default_factory=list)
    escalated: dict[str, int] = field(default_factory=dict)
    shares: list[tuple[float, float]] = field(default_factory=list)
    proposed: set[tuple[str, str]] = field(default_factory=set)
    approved: int = 0

    def __post_init__(self) -> None:
        self.tasks = {task.id: task for task in self.stream.firm.tasks}
        self.waiting = [task.id for task in self.stream.firm.tasks if task.assignee is None]
        self.coming = list(reversed(self.stream.arrivals))

    def firm(self) -> Firm:
        """Return the firm with its tasks as they stand."""
        return self.stream.firm.model_copy(update={"tasks": tuple(self.tasks.values())})

    def half_day(self, start: datetime, end: time, policy: Policy) -> None:
        """Place what waits and what arrives before the end, then work until then."""
        until = datetime.combine(start.date(), end)
        board = self._board(start, until)
        asked, self.waiting = self.waiting, []
        for name in asked if start.time() < MIDDAY else ():
            self._place(board, self.tasks[name], policy)
        while self.coming and self.coming[-1].when < until:
            task = self.coming.pop().task
            if task.reviews is not None and task.reviews not in board.known:
                board = self._board(start, until)  # its preparation arrived in this half day, and nobody has it
            self.tasks[task.id] = task
            self._place(board, task, policy)
        self.waiting += asked if start.time() >= MIDDAY else []
        self._work(board, until)

    def _board(self, start: datetime, until: datetime) -> Board:
        """Return the board at ``start``, cut at ``until`` as if something were due then."""
        kind, client = self.stream.firm.task_types[0], self.stream.firm.clients[0]
        mark = Task(id="mark", type=kind.id, client=client.id, deadline=until.date(), deadline_time=until.time())
        return compile_board(self.firm(), now=start, also=(mark,))

    def _place(self, board: Board, task: Task, policy: Policy) -> None:
        if task.deadline < board.axis.first_day:
            self.waiting.append(task.id)  # lost, and counted as such at the end
            return
        decision = place(board, task, policy=policy)
        if decision.person is None:
            self.waiting.append(task.id)
            self.escalated.setdefault(task.id, self._left(task))
        else:
            self.tasks[task.id] = task.model_copy(update={"assignee": decision.person})

    def _left(self, task: Task) -> int:
        kind = next(kind for kind in self.stream.firm.task_types if kind.id == task.type)
        return remaining_min(self.stream.firm, task, kind)

    def _work(self, board: Board, until: datetime) -> None:
        """Do what everybody's timetable has before ``until``."""
        jobs: list[list[Job]] = [[] for _ in board.firm.people]
        for name, (person, window, minutes) in sorted(board.promises.items()):
            jobs[person].append(Job(name, window.release, window.due, minutes))
        for person, mine in enumerate(jobs):
            for cell in timetable(board.open_min[person], mine):
                ends = board.axis.end_time(cell.slot) or self.stream.firm.workday_end
                if datetime.combine(board.axis.days[cell.slot], ends) <= until:
                    self._log(board, cell.task, person, cell.minutes)

    def _log(self, board: Board, name: str, person: int, minutes: int) -> None:
        task, kind = self.tasks[name], board.types[self.tasks[name].type]
        efficiency = int(board.staff.efficiency_pct[board.staff.skill_row[kind.skill], person])
        remaining = remaining_min(board.firm, task, kind)
        work = -(-efficiency * remaining // 100)
        left = 100 * (work - minutes) // efficiency  # rounded down: what is left never takes longer than the work left
        update: dict[str, object] = {"logged_min": task.logged_min + remaining - left, "status": Status.IN_PROGRESS}
        if left == 0:
            update |= {"status": Status.DONE, "completed_on": board.axis.first_day}
        self.tasks[name] = task.model_copy(update=update)

    def measure(self, board: Board) -> None:
        """Note how unevenly work is promised."""
        last = board.axis.last_deadline_slot(board.firm.policy.late_tail_days)
        open_min = board.until_min[:, last + 1]
        here = open_min > 0
        share = 100 * board.load_min[here] / open_min[here]
        self.shares.append((float(share.max() - share.min()), float(share.std())))

    def propose(self, found: Iterable[Proposal]) -> None:
        """Count what is proposed for the first time, and make what is approved and touches nobody twice a night."""
        touched: set[str] = set()
        for proposal in found:
            self.proposed |= {(move.task, move.to_person) for move in proposal.moves if move.from_person is not None}
            people = {change.person for change in proposal.loads}
            if self.random.random() >= self.approved_share or people & touched:
                continue
            touched |= people
            for move in proposal.moves:
                self.tasks[move.task] = self.tasks[move.task].model_copy(update={"assignee": move.to_person})
                self.waiting = [name for name in self.waiting if name != move.task]
                self.approved += 1

    def result(self) -> Replayed:
        """Return what the season came to."""
        done = [task for task in self.tasks.values() if task.completed_on and task.completed_on <= task.deadline]
        spreads, deviations = zip(*self.shares, strict=True) if self.shares else ((0.0,), (0.0,))
        return Replayed(
            arrivals=len(self.stream.arrivals),
            escalations=len(self.escalated),
            escalated_min=sum(self.escalated.values()),
            lost=len(self.waiting),
            lost_min=sum(self._left(self.tasks[name]) for name in self.waiting),
            spread_pct=round(float(np.mean(spreads)), 2),
            deviation_pct=round(float(np.mean(deviations)), 2),
            on_time_pct=round(100 * len(done) / max(len(self.tasks), 1), 2),
            proposed=len(self.proposed),
            approved=self.approved,
        )
