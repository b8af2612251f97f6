"""A robust plan: the plan changed until fewer tasks are late on average over draws of how things may turn out.

Sample average approximation (Kleywegt, Shapiro and Homem-de-Mello 2002): the plan's own price of comfort and balance, plus the mean
number of late tasks over a fixed set of draws times a price each, is brought down by handing single tasks to somebody else, and by two
people swapping tasks. Every rule of the plan holds throughout, by the same ledger; what is escalated stays so. Judge the result on
draws it has not seen: `scenarios.uncertainty.outcomes` with another seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from scenarios.chances import Chances
from scenarios.draws import Draws, Ints, Setting, drawn, setting
from scenarios.hedging import carried_out, late_count
from solver.board import compile_board
from solver.construct import ledger_of, others_on_piece
from solver.firm import Firm
from solver.ledger import Ledger
from solver.plan import Plan, SolveStatus, Term
from solver.problem import Assignment, Problem, compile_problem
from solver.reading import read_back
from solver.stop import gap_pct
from solver.writing import written

TRAINING_DRAWS = 100
TRAINING_SEED = 271_828
"""Another seed than people use, so that a plan is not judged on the draws it was made for."""
LOOKS = 400_000
"""People tried with other tasks: the budget of the search, some 50 microseconds each at 100 draws."""


Moves = tuple[tuple[int, int], ...]
"""Tasks, each with the person it goes to."""
Ways = Callable[[int, int], Iterator[tuple[float, Moves]]]
"""Ways of taking a task from its person, each with its cost; below zero it is worth it."""


@dataclass(frozen=True)
class Robust:
    """A robust plan and how it came about.

    Attributes
    ----------
    moved
        Tasks that have another person than in the plan before.
    taken
        Tasks that it takes from who holds them today, more than the plan before did.
    late_before, late_after
        Mean late tasks on the draws it was made for: to be judged on others.
    looks
        People tried with other tasks.
    """

    plan: Plan
    moved: int
    taken: int
    late_before: float
    late_after: float
    looks: int


def robust(
    firm: Firm,
    plan: Plan,
    chances: Chances,
    *,
    now: datetime,
    draws: int = TRAINING_DRAWS,
    seed: int = TRAINING_SEED,
    looks: int = LOOKS,
    late_task_min: int | None = None,
) -> Robust:
    """Return a plan with fewer late tasks on average over draws, starting from a plan of the same firm and moment.

    Parameters
    ----------
    looks
        Budget, counted and not timed: the same arguments give the same plan.
    late_task_min
        Price of a task that is late, in minutes of the objective; by default what the policy asks for the mean task of the firm.
    """
    problem = compile_problem(compile_board(firm, now=now))
    place = setting(firm, now=now)
    start = read_back(problem, plan)
    made = drawn(place, chances, seed=seed, first_draw=0, draws=draws)
    hedge = _Hedge(problem, place, made, start.copy(), looks, late_task_min or _late_task_min(problem))
    before = hedge.late
    hedge.search()
    moved = int((hedge.plan.who != start.who).sum())
    after = _as_plan(problem, hedge.plan, plan)
    taken = sum(item.moved_from is not None for item in after.tasks) - sum(
        item.moved_from is not None for item in plan.tasks
    )
    return Robust(after, moved, taken, before / draws, hedge.late / draws, looks - hedge.looks)


def _late_task_min(problem: Problem) -> int:
    board = problem.board
    prices = [board.firm.policy.weights.late_start * row.task.priority.factor * row.remaining_min for row in board.rows]
    return round(sum(prices) / len(prices)) if prices else 0


def _as_plan(problem: Problem, found: Assignment, before: Plan) -> Plan:
    """Write a plan down; its certificate keeps the bound, which holds for every plan of the firm."""
    certificate = before.certificate
    objective = problem.objective_min(found) - certificate.unavoidable_min
    terms = tuple(Term(name=name, minutes=minutes) for name, minutes in problem.terms_min(found).items())
    proven = objective <= certificate.bound_min
    changed = {
        "objective_min": objective,
        "gap_pct": gap_pct(objective, certificate.bound_min),
        "terms": terms,
        "status": SolveStatus.OPTIMAL if proven else SolveStatus.FEASIBLE,
        "scarcity": (),
    }
    return written(problem, found, certificate.model_copy(update=changed), prices=before.prices)


@dataclass
class _Hedge:
    """The plan, its ledger, and when everything is finished on each draw."""

    problem: Problem
    place: Setting
    draws: Draws
    plan: Assignment
    looks: int
    price: int
    ledger: Ledger = field(init=False)
    queue: list[Ints] = field(init=False)
    person_late: Ints = field(init=False)

    def __post_init__(self) -> None:
        problem, place, draws = self.problem, self.place, self.draws
        self.ledger = ledger_of(problem, self.plan)
        self.open_min = [np.ascontiguousarray(draws.open_min[:, p]) for p in range(problem.person_count)]
        self.work = [draws.left_min * draws.pace[:, p : p + 1] for p in range(problem.person_count)]
        self.factor = [np.ascontiguousarray(place.efficiency_pct[:, p]) / 100.0 for p in range(problem.person_count)]
        self.ready = draws.release.copy()
        self.finish = np.full(draws.release.shape, len(place.day), dtype=np.int64)
        self.scratch = np.zeros_like(self.finish)
        placed = np.flatnonzero(self.plan.who >= 0)
        due = np.full(problem.task_count, len(place.day), dtype=np.int64)
        due[placed] = problem.due[problem.chosen(self.plan, placed)]
        names = np.argsort(np.argsort(np.array(place.tasks, dtype=object)))
        self.rank = np.argsort(np.lexsort((names, due)))
        """Place of each task in the order of promises; a window goes with its task, so this stays."""
        self.queue = [self._sorted(np.flatnonzero(self.plan.who == p)) for p in range(problem.person_count)]
        self.loads = problem.loads_min(self.plan)
        self.person_late = np.zeros(problem.person_count, dtype=np.int64)
        self._carry_out(list(range(problem.person_count)))

    @property
    def late(self) -> int:
        """Late tasks summed over the draws."""
        return int(self.person_late.sum())

    def search(self) -> None:
        """Hand tasks over, and swap them, while that costs less and the budget lasts."""
        improved = True
        while improved and self.looks > 0:
            improved = self._pass(self._hand_overs) or self._pass(self._swaps)

    def _sorted(self, tasks: Ints) -> Ints:
        return np.ascontiguousarray(tasks[np.argsort(self.rank[tasks])])

    def _pass(self, ways: Ways) -> bool:
        improved = False
        for p in np.argsort(-self.person_late, kind="stable").tolist():
            for t in self.queue[p].tolist():
                if self.looks <= 0 or self.person_late[p] == 0:
                    break
                if int(self.plan.who[t]) == p:
                    best = min(ways(t, p), default=None)
                    if best is not None and best[0] < 0:
                        improved |= self._done(best[1])
        return improved

    def _hand_overs(self, t: int, p: int) -> Iterator[tuple[float, Moves]]:
        """Give each way of handing ``t`` from ``p`` to somebody else."""
        without = self._late(p, self._less(p, t))
        if without == self.person_late[p]:
            return
        for q in self._takers(t, p):
            if self.ledger.fits(q, *self._window(t), int(self.problem.work_min[t, q])):
                late = without + self._late(q, self._more(self.queue[q], t)) - self.person_late[p] - self.person_late[q]
                yield self._cost(late, ((t, q),)), ((t, q),)

    def _swaps(self, t: int, p: int) -> Iterator[tuple[float, Moves]]:
        """Give each way of swapping ``t`` of ``p`` for a shorter task of somebody else that makes fewer tasks of ``p`` late."""
        rest = self._less(p, t)
        without = self._late(p, rest)
        if without == self.person_late[p]:
            return
        work = self.problem.work_min
        for q in self._takers(t, p):
            for u in self.queue[q].tolist():
                shorter = work[u, p] < work[t, p] and self.problem.allowed[u, p]
                if not shorter or p in others_on_piece(self.problem, self.plan, u) or not self._swap_fits(t, p, u, q):
                    continue
                ours = self._late(p, self._more(rest, u))
                if ours >= self.person_late[p]:
                    continue
                theirs = self._late(q, self._more(self._less(q, u), t))
                late = ours + theirs - self.person_late[p] - self.person_late[q]
                yield self._cost(late, ((t, q), (u, p))), ((t, q), (u, p))

    def _takers(self, t: int, p: int) -> list[int]:
        may = self.problem.allowed[t].copy()
        may[p] = False
        may[others_on_piece(self.problem, self.plan, t)] = False
        takers: list[int] = np.flatnonzero(may).tolist()
        return takers

    def _window(self, t: int) -> tuple[int, int]:
        w = int(self.problem.first_window[t] + self.plan.window[t])
        return int(self.problem.release[w]), int(self.problem.due[w])

    def _swap_fits(self, t: int, p: int, u: int, q: int) -> bool:
        """Ask the ledger with both tasks taken back; leave it as it was."""
        work, ledger = self.problem.work_min, self.ledger
        ledger.withdraw(p, *self._window(t), int(work[t, p]))
        ledger.withdraw(q, *self._window(u), int(work[u, q]))
        fits = ledger.fits(p, *self._window(u), int(work[u, p])) and ledger.fits(q, *self._window(t), int(work[t, q]))
        ledger.promise(p, *self._window(t), int(work[t, p]))
        ledger.promise(q, *self._window(u), int(work[u, q]))
        return fits

    def _less(self, p: int, t: int) -> Ints:
        less: Ints = self.queue[p][self.queue[p] != t]
        return less

    def _more(self, tasks: Ints, t: int) -> Ints:
        more: Ints = np.insert(tasks, int(np.searchsorted(self.rank[tasks], self.rank[t])), t)
        return more

    def _late(self, p: int, tasks: Ints) -> int:
        self.looks -= 1
        deadline = self.place.deadline
        return int(
            late_count(self.open_min[p], self.work[p], self.ready, tasks, self.factor[p], deadline, self.scratch)
        )

    def _cost(self, late: int, moves: Moves) -> float:
        """Return what moves cost: late tasks over the draws, comfort and balance, in minutes of the objective."""
        problem, loads = self.problem, self.loads.copy()
        comfort = 0
        for t, q in moves:
            p = int(self.plan.who[t])
            comfort += int(problem.comfort_min[t, q]) - int(problem.comfort_min[t, p])
            counts = problem.balance.columns(self._window(t)[1])
            loads[p, counts] -= problem.work_min[t, p]
            loads[q, counts] += problem.work_min[t, q]
        balance = int(problem.balance.cost_min(loads).sum() - problem.balance.cost_min(self.loads).sum())
        return self.price * late / len(self.draws.left_min) + comfort + balance

    def _done(self, moves: Moves) -> bool:
        """Make moves; take them back where what waits for these tasks makes them dearer than they looked."""
        late, back = self.late, tuple((t, int(self.plan.who[t])) for t, _ in moves)
        price = self._cost(0, moves)
        self._move(moves)
        if self.price * (self.late - late) / len(self.draws.left_min) + price < 0:
            return True
        self._move(back)
        return False

    def _move(self, moves: Moves) -> None:
        work, touched = self.problem.work_min, []
        before = [int(self.plan.who[t]) for t, _ in moves]
        for (t, _), p in zip(moves, before, strict=True):
            self.ledger.withdraw(p, *self._window(t), int(work[t, p]))
            self.queue[p] = self._less(p, t)
        for (t, q), p in zip(moves, before, strict=True):
            self.ledger.promise(q, *self._window(t), int(work[t, q]))
            self.plan.who[t] = q
            self.queue[q] = self._more(self.queue[q], t)
            touched += [p, q]
        self.loads = self.problem.loads_min(self.plan)
        self._carry_out(list(dict.fromkeys(touched)))

    def _carry_out(self, people: list[int]) -> None:
        """Work out anew when these people finish, and whoever waits for them."""
        waiting = people
        while waiting:
            p, *waiting = waiting
            carried_out(self.open_min[p], self.work[p], self.ready, self.queue[p], self.factor[p], self.finish)
            mine = self.queue[p]
            self.person_late[p] = int((self.finish[:, mine] > self.place.deadline[mine]).sum())
            for t in mine.tolist():
                for review in self.problem.reviews.get(t, ()):
                    ready = np.maximum(self.draws.release[:, review], self.finish[:, t] + 1)
                    if not np.array_equal(ready, self.ready[:, review]):
                        self.ready[:, review] = ready
                        who = int(self.plan.who[review])
                        if who >= 0 and who not in waiting:
                            waiting.append(who)
