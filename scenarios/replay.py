"""A season replayed: arrivals placed one by one, work done as the timetable says, a batch each night, the same for any policy.

Each half day the board is compiled anew, what arrives in it is placed, and everybody works on what their timetable has for
it. Before each morning the batch plans the whole backlog; its prices serve the day's arrivals, its proposals wait for
approval. What escalates is asked again each morning, as a partner would, until it is placed or its deadline has passed.

What becomes known in its course (`Stream.facts`) is known from then on, and work may take longer than estimated (`Stream.took_min`):
everybody goes on with the earliest promise until it is really done. Past periods of a real firm: `scenarios.past_office`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

import numpy as np

from scenarios.counters import uniforms
from scenarios.office import Office
from scenarios.stream import Arrival, Fact, Stream
from solver.batch import solve
from solver.board import Board, compile_board
from solver.calendar import day_list
from solver.firm import Firm, Status, Task
from solver.plan import Outcome, Plan, Proposal
from solver.price_list import PriceList
from solver.priced import Priced
from solver.rebalance import proposals
from solver.routing import RULE, Policy, place
from solver.stop import WorkBudget
from solver.task_row import remaining_min
from solver.timetable import Job

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
    utilisation_pct
        Minutes worked on tasks, of all minutes there were.
    on_time_pct
        Share of all tasks, but those cancelled, that were finished by their deadline.
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
    utilisation_pct: float = 0.0


EVERY_NIGHT = (0, 1, 2, 3, 4, 5, 6)


def replay(
    stream: Stream,
    *,
    priced: bool = False,
    prices: Prices = prices_of,
    approved_share: float = 0.0,
    batch_weekdays: Sequence[int] = EVERY_NIGHT,
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
    batch_weekdays
        Mornings before which the batch runs, Monday is 0; between them arrivals are placed by the last prices.
    night_units
        Deterministic budget of each night's batch (`solver.stop.WorkBudget`).
    """
    office = _Season(stream.firm, stream, seed, approved_share)
    policy: Policy = Priced(_NO_PRICES) if priced else RULE
    for day in day_list(stream.now.date(), stream.last_day):
        board = office.morning(datetime.combine(day, stream.firm.workday_start))
        if board is not None:
            if day.weekday() in batch_weekdays:
                policy = _night(office, board, priced, prices, night_units, seed)
            office.half_day(datetime.combine(day, stream.firm.workday_start), MIDDAY, policy)
            office.half_day(datetime.combine(day, MIDDAY), stream.firm.workday_end, policy)
    return office.result()


_NO_PRICES = PriceList(people=(), days=(), minute=np.zeros((0, 0)))


def _night(office: _Season, board: Board, priced: bool, prices: Prices, units: float, seed: int) -> Policy:
    """Plan the backlog before a morning; return who routes the day's arrivals."""
    plan = solve(board.firm, now=board.now, stop=WorkBudget(units), seed=seed)
    office.offer(proposals(board, plan))
    if not priced:
        return RULE
    return Priced(prices(board.firm, plan) or _NO_PRICES)


@dataclass
class _Season(Office):
    """The firm as it stands in a made-up season."""

    stream: Stream
    seed: int
    approved_share: float
    waiting: list[str] = field(default_factory=list)
    coming: list[Arrival] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    escalated: dict[str, int] = field(default_factory=dict)
    worked_min: int = 0
    open_min: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.past = {task.id for task in self.base.tasks if not task.open}
        self.waiting = [task.id for task in self.base.tasks if task.assignee is None and task.open]
        self.coming = list(reversed(self.stream.arrivals))
        self.facts = list(reversed(self.stream.facts))

    def morning(self, start: datetime) -> Board | None:
        """Return the board of a morning with all that is known by then, ``None`` where nobody works on the day."""
        self._hear(start)
        board = compile_board(self.firm(), now=start)
        if board.axis.count == 0 or board.axis.days[0] != start.date():
            return None
        self.measure(board)
        return board

    def _hear(self, when: datetime) -> bool:
        """Take in the facts known by a moment; return whether there were any."""
        heard = False
        while self.facts and self.facts[-1].when <= when:
            firm = self.facts.pop().change.apply(self.firm())
            self.base, self.tasks, heard = firm, {task.id: task for task in firm.tasks}, True
        return heard

    def half_day(self, start: datetime, end: time, policy: Policy) -> None:
        """Place what waits and what arrives before the end, then work until then."""
        until = datetime.combine(start.date(), end)
        self._hear(start)
        board = self._board(start, until)
        asked, self.waiting = [name for name in self.waiting if self.tasks[name].open], []
        for name in asked if start.time() < MIDDAY else ():
            self._place(board, self.tasks[name], policy)
        while self.coming and self.coming[-1].when < until:
            arrival = self.coming.pop()
            task = arrival.task
            new_review = task.reviews is not None and task.reviews not in board.known
            if self._hear(arrival.when) or new_review:
                # Somebody learnt something; or its preparation arrived in this half day, and nobody has it.
                board = self._board(start, until)
            self.tasks[task.id] = task
            self._place(board, task, policy)
        self.waiting += asked if start.time() >= MIDDAY else []
        self._work(board, until)

    def _board(self, start: datetime, until: datetime) -> Board:
        """Return the board at ``start``, cut at ``until`` as if something were due then."""
        kind, client = self.base.task_types[0], self.base.clients[0]
        mark = Task(id="mark", type=kind.id, client=client.id, deadline=until.date(), deadline_time=until.time())
        return compile_board(self.firm(), now=start, also=(mark,))

    def _place(self, board: Board, task: Task, policy: Policy) -> None:
        if task.deadline < board.axis.first_day:
            self.waiting.append(task.id)  # lost, and counted as such at the end
            return
        decision = place(board, task, policy=policy)
        if decision.person is None:
            self.waiting.append(task.id)
            if decision.outcome is Outcome.ESCALATED:
                self.escalated.setdefault(task.id, self._left(task))
        else:
            self.tasks[task.id] = task.model_copy(update={"assignee": decision.person})

    def _left(self, task: Task) -> int:
        kind = next(kind for kind in self.base.task_types if kind.id == task.type)
        return remaining_min(self.base, task, kind)

    def _work(self, board: Board, until: datetime) -> None:
        """Let everybody do what they have promised, earliest promise first, until ``until``."""
        jobs: list[list[Job]] = [[] for _ in board.firm.people]
        for name, (person, window, minutes) in sorted(board.promises.items()):
            if window.due < board.axis.count:
                jobs[person].append(Job(name, window.release, window.due, minutes))
        ends = [
            datetime.combine(day, board.axis.end_time(slot) or self.stream.firm.workday_end)
            for slot, day in enumerate(board.axis.days)
        ]
        now = [slot for slot, end in enumerate(ends) if end <= until]
        for person, mine in enumerate(jobs):
            mine.sort(key=lambda job: (job.due, job.task))
            for slot in now:
                free = int(board.open_min[person, slot])
                self.open_min += free
                for job in mine:
                    if free > 0 and job.release <= slot and self.tasks[job.task].open:
                        free -= self._log(board, job.task, person, free)

    def _log(self, board: Board, name: str, person: int, free_min: int) -> int:
        """Log up to so many minutes of a person on a task; return how many it took."""
        task, kind = self.tasks[name], board.types[self.tasks[name].type]
        efficiency = int(board.staff.efficiency_pct[board.staff.skill_row[kind.skill], person])
        took = self.stream.took_min.get(name)
        # Work is really done, or by the estimate where nobody knows what it took.
        remaining = remaining_min(board.firm, task, kind) if took is None else max(took - task.logged_min, 1)
        work = -(-efficiency * remaining // 100)
        minutes = min(work, free_min)
        left = 100 * (work - minutes) // efficiency  # rounded down: what is left never takes longer than the work left
        update: dict[str, object] = {"logged_min": task.logged_min + remaining - left, "status": Status.IN_PROGRESS}
        if left == 0:
            update |= {"status": Status.DONE, "completed_on": board.axis.first_day}
        self.tasks[name] = task.model_copy(update=update)
        self.worked_min += minutes
        return minutes

    def offer(self, found: Sequence[Proposal]) -> None:
        """Propose; what is approved waits no more."""
        moved = self.propose(found, lambda proposal: self._approves(proposal.id))
        self.waiting = [name for name in self.waiting if name not in moved]

    def _approves(self, proposal: str) -> bool:
        """Whether a proposal is approved: a matter of the proposal alone, so that policies are compared before the same judge."""
        chance = uniforms(self.seed, "approval", [proposal], first_draw=0, draws=1)
        return bool(chance[0, 0, 0] < self.approved_share)

    def result(self) -> Replayed:
        """Return what the season came to."""
        counted = [one for one in self.tasks.values() if one.id not in self.past and one.status is not Status.CANCELLED]
        done = [task for task in counted if task.completed_on and task.completed_on <= task.deadline]
        self.waiting = [name for name in self.waiting if self.tasks[name].open]
        spreads = [one.spread_pct for one in self.shares] or [0.0]
        deviations = [one.deviation_pct for one in self.shares] or [0.0]
        return Replayed(
            arrivals=len(self.stream.arrivals),
            escalations=len(self.escalated),
            escalated_min=sum(self.escalated.values()),
            lost=len(self.waiting),
            lost_min=sum(self._left(self.tasks[name]) for name in self.waiting),
            spread_pct=round(float(np.mean(spreads)), 2),
            deviation_pct=round(float(np.mean(deviations)), 2),
            on_time_pct=round(100 * len(done) / max(len(counted), 1), 2),
            proposed=len(self.proposed),
            approved=self.approved,
            utilisation_pct=round(100 * self.worked_min / max(self.open_min, 1), 2),
        )
