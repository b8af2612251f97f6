"""Which few people to free next: where the money is.

A neighbourhood is a handful of people with everything they hold, and the escalated tasks they could take. Kinds: an escalated or late
task with people who could do it, an unbalanced person with people who share their skills, a task that moved with the person it came
from, and people at random; and, where a relaxation of the problem is at hand, more people with only those tasks free on which plan and
relaxation differ (Danna, Rothberg, Le Pape 2005, relaxation induced neighbourhoods). Kinds are drawn by what they gained for their
work so far, sizes follow what the exact solver closes in its budget.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solver.model import Scope
from solver.problem import ESCALATED, Assignment, Problem

FEWEST_PEOPLE = 2
PATIENCE = 400
"""Neighbourhoods without a gain, after which only chance would find another; each kind has then been tried dozens of times."""
FAIR_SHARE = 0.4
"""Share of draws that ignore what kinds gained: a kind that is useless now may be the only one that helps later."""
MEMORY = 0.98
"""What is left of an old gain after one more neighbourhood: kinds differ in use between the start of a search and its end."""
KINDS = ("costly_task", "unbalanced", "moved", "anybody", "undecided")
FIRST_SIZES = (4.0, 4.0, 4.0, 4.0, 6.0)
AGREED = 0.95
"""Share of a task that the relaxation gives to where the plan has it, from which on the two agree."""


@dataclass(frozen=True)
class Leaning:
    """Where a relaxation puts tasks: entries of task, person, flat window and share, those of weight only."""

    task: NDArray[np.int64]
    person: NDArray[np.int64]
    window: NDArray[np.int64]
    share: NDArray[np.float64]

    def undecided(self, problem: Problem, plan: Assignment) -> NDArray[np.bool_]:
        """Return which tasks the plan has elsewhere than where the relaxation would have them."""
        here = (plan.who[self.task] == self.person) & (
            problem.first_window[self.task] + plan.window[self.task] == self.window
        )
        agreed = np.bincount(self.task[here], weights=self.share[here], minlength=problem.task_count)
        undecided: NDArray[np.bool_] = agreed < AGREED
        return undecided


@dataclass(frozen=True)
class Taste:
    """What was learnt about neighbourhoods, handed from one chain of them to the next.

    Attributes
    ----------
    size
        People in a neighbourhood of each kind.
    gain_min, work_units
        Per kind, fading sums of what it saved and used.
    """

    size: tuple[float, ...] = FIRST_SIZES
    gain_min: tuple[float, ...] = (0.0,) * len(KINDS)
    work_units: tuple[float, ...] = (0.0,) * len(KINDS)

    def chances(self, kinds: int) -> NDArray[np.float64]:
        """Return how likely each of the first ``kinds`` kinds is drawn next."""
        rate = (np.array(self.gain_min) / np.maximum(np.array(self.work_units), 1e-3))[:kinds]
        if not rate.any():
            rate[0] = 1.0  # a first plan's escalations and late work are most of what it costs
        chances: NDArray[np.float64] = FAIR_SHARE / kinds + (1.0 - FAIR_SHARE) * rate / rate.sum()
        return chances

    def learnt(self, kind: int, gain_min: float, work_units: float) -> Taste:
        """Return the taste after one more neighbourhood of a kind."""
        gain, work = (MEMORY * np.array(sums) for sums in (self.gain_min, self.work_units))
        gain[kind] += gain_min
        work[kind] += work_units
        return replace(self, gain_min=tuple(gain.tolist()), work_units=tuple(work.tolist()))


class Neighbourhoods:
    """Draws scopes and adapts their size; the same seed draws the same ones."""

    def __init__(
        self,
        problem: Problem,
        seed: int | tuple[int, ...],
        people: NDArray[np.int64] | None = None,
        tasks: NDArray[np.bool_] | None = None,
        taste: Taste | None = None,
        leaning: Leaning | None = None,
    ) -> None:
        """Prepare to draw among ``people`` and ``tasks`` of one problem, everybody and everything by default."""
        self.leaning = leaning
        self.problem = problem
        self.random = np.random.default_rng(seed)
        self.people = np.arange(problem.person_count) if people is None else people
        self.mine = np.isin(np.arange(problem.person_count), self.people)
        self.tasks = np.ones(problem.task_count, dtype=np.bool_) if tasks is None else tasks
        self.taste = taste or Taste()
        self.kind = 0

    def next(self, plan: Assignment) -> Scope | None:
        """Return the next scope to solve, ``None`` when there is nothing to decide."""
        if len(self.people) == 0 or not self.tasks.any():
            return None
        kinds = len(KINDS) - (self.leaning is None)
        self.kind = int(self.random.choice(kinds, p=self.taste.chances(kinds)))
        draw = (self._costly_task, self._unbalanced, self._moved, self._anybody, self._undecided)[self.kind]
        seeds = [p for p in draw(plan) if self.mine[p]] or self._anybody(plan)
        scope = self.around(plan, seeds, min(int(self.taste.size[self.kind]), len(self.people)))
        if self.leaning is None or self.kind < len(KINDS) - 1:
            return scope
        open_ones = self.leaning.undecided(self.problem, plan)
        return Scope(plan, tuple(t for t in scope.tasks if open_ones[t]), scope.people)

    def around(self, plan: Assignment, seeds: list[int], size: int) -> Scope:
        """Return the scope of these people and those who share much work with them, up to ``size`` people."""
        chosen = self._grow(seeds, size)
        return Scope(plan, self._tasks(plan, chosen), tuple(sorted(chosen)))

    def learn(self, closed: bool, *, gain_min: float, work_units: float) -> None:
        """Grow the size while solves close, shrink it when they do not; remember what the kind was good for."""
        most = max(self.problem.person_count, FEWEST_PEOPLE)
        size = list(self.taste.size)
        size[self.kind] = float(np.clip(size[self.kind] * (1.03 if closed else 0.9), FEWEST_PEOPLE, most))
        self.taste = replace(self.taste.learnt(self.kind, max(gain_min, 0.0), work_units), size=tuple(size))

    def everything(self, scope: Scope) -> bool:
        """Whether a scope is the whole problem."""
        return len(scope.people) == self.problem.person_count and len(scope.tasks) == self.problem.task_count

    def _costly_task(self, plan: Assignment) -> list[int]:
        """An escalated or late task, and people who may do it."""
        problem = self.problem
        placed = plan.who >= 0
        price = problem.escalation_min.copy()
        price[placed] = problem.late_min[problem.chosen(plan, np.flatnonzero(placed))]
        price[~problem.allowed.any(axis=1) | ~self.tasks] = 0
        costly = np.flatnonzero(price)
        if len(costly) == 0:
            return self._unbalanced(plan)
        dear = price[costly] / price[costly].sum()
        may = np.flatnonzero(problem.allowed[self.random.choice(costly, p=dear)] & self.mine)
        return [int(p) for p in self.random.permutation(may)[:3]]

    def _unbalanced(self, plan: Assignment) -> list[int]:
        """A person far from the fair share; drawn by how much that costs."""
        cost = self.problem.balance.cost_min(self.problem.loads_min(plan)).astype(np.float64) + 1.0
        cost[~self.mine] = 0.0
        return [int(self.random.choice(len(cost), p=cost / cost.sum()))]

    def _moved(self, plan: Assignment) -> list[int]:
        """A task away from where it costs least, with its person and the cheapest one."""
        problem = self.problem
        placed = np.flatnonzero((plan.who >= 0) & self.tasks)
        away = placed[problem.comfort_min[placed, plan.who[placed]] > problem.least_comfort_min[placed]]
        if len(away) == 0:
            return self._anybody(plan)
        t = int(self.random.choice(away))
        home = int(np.where(problem.allowed[t], problem.comfort_min[t], np.iinfo(np.int32).max).argmin())
        return [int(plan.who[t]), home]

    def _undecided(self, plan: Assignment) -> list[int]:
        """Who has a task that the relaxation would have elsewhere, and those to whom it would give some of it."""
        if self.leaning is None:
            return []
        tasks = np.flatnonzero(
            self.leaning.undecided(self.problem, plan) & self.tasks & self.problem.allowed.any(axis=1)
        )
        if len(tasks) == 0:
            return []
        t = int(self.random.choice(tasks))
        here = [int(plan.who[t])] if plan.who[t] >= 0 else []
        return [*here, *self.leaning.person[self.leaning.task == t].tolist()]

    def _anybody(self, plan: Assignment) -> list[int]:
        return [int(self.random.choice(self.people))]

    def _grow(self, seeds: list[int], size: int) -> list[int]:
        """Add people who share much work with those chosen, with chance, up to ``size``."""
        chosen = list(dict.fromkeys(seeds))
        while len(chosen) < size:
            weight = self.problem.shared_tasks[chosen].sum(axis=0).astype(np.float64) + 1e-3
            weight[chosen] = 0.0
            weight[~self.mine] = 0.0
            if not weight.any():
                break
            chosen.append(int(self.random.choice(len(weight), p=weight / weight.sum())))
        return chosen

    def _tasks(self, plan: Assignment, people: list[int]) -> tuple[int, ...]:
        """Return what the people hold and the escalated tasks they may take."""
        held = np.isin(plan.who, people)
        lost: NDArray[np.bool_] = (plan.who == ESCALATED) & self.problem.allowed[:, people].any(axis=1)
        return tuple(np.flatnonzero((held | lost) & self.tasks).tolist())
