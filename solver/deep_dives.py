"""Deep dives: the restricted master of the whole firm, one person's plan fixed after another.

What a few people do with the days that are short decides a busy firm's objective. The master (`solver.master`) knows their whole plans,
and by the rest of its relaxation what it costs others to take what they leave; its solution, with one plan fixed and the others' generated
anew until all are fixed (a pure dive: Sadykov, Vanderbeck, Pessoa, Tahiri, Uchoa 2019), loses a few per cent at most. What is left is
placed by the cheapest hand and annealed. Its root is a lower bound as well. What it gave is in docs/decisions/0033-deep-dives.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solver import anneal
from solver.bound import Relaxed
from solver.construct import completed, in_order, others_on_piece
from solver.contention import excess_min
from solver.crew import GoOn
from solver.ledger import Ledger
from solver.master import Master, Node, WholePlan
from solver.multipliers import TOLERANCE
from solver.problem import ESCALATED, Assignment, Problem

Ints = NDArray[np.int64]
WORTH_MIN = 0.02
"""Minutes that a minute of somebody's must save for the days up to then to be planned whole."""
MOST_STATES, MOST_STEP_MIN = 2e7, 8
"""States of the recursion in a round, and the most minutes that are taken for one to keep to them; beyond, fewer have whole plans."""
CLOSE = 1e-3
"""Share of the objective within which value and bound are taken to agree."""
COARSE_MIN, COARSE_CLOSE = 8, 10.0
ROOT_ROUNDS, DIVE_ROUNDS = 400, 60
"""Rounds of generation: at the root, there to the minute, which only the bound needs, and after each plan that is fixed."""
TRIES, JUMP = 4, 3.0
"""Plans tried at one depth until one costs no more than so many times `CLOSE`; else the best of them."""
WHOLE, NEARLY = 1.0 - 1e-6, 0.99
AFTER_HOT_MIN, AFTER_COLD_MIN, AFTER_CALLS = 6.0, 1.5, 10
"""Annealing that follows: too cold to undo what was packed."""


@dataclass(frozen=True)
class Root:
    """What the next dive can begin with: who has whole plans until when, good multipliers, the whole plans met, and the bound."""

    last: Ints
    dual: NDArray[np.float64]
    plans: tuple[WholePlan, ...]
    bound_min: int


@dataclass(frozen=True)
class Dived:
    """The plan found, which breaks no rule, the deterministic work it took, and the root, if it was reached."""

    plan: Assignment
    work_units: float
    root: Root | None


@dataclass(frozen=True)
class DeepDive:
    """Dive from a plan that breaks no rule; differs by ``seed``, of which 0 always takes the largest share.

    Attributes
    ----------
    root
        Of an earlier dive.
    """

    plan: Assignment
    relaxed: Relaxed
    seed: int
    root: Root | None = None

    def __call__(self, problem: Problem, go_on: GoOn) -> Dived:
        """Dive; told to stop, return the plan it began with."""
        last = scarce_until(problem, self.relaxed, self.plan) if self.root is None else self.root.last
        if not (last >= 0).any():
            return Dived(self.plan, 0.0, None)
        return _Dive(problem, self, last, go_on).run()


def scarce_until(problem: Problem, relaxed: Relaxed, plan: Assignment) -> Ints:
    """Return ``(P,)`` the last due column up to which each person's minutes are scarce, -1 for none.

    By the relaxation, where more of them would save something, and by the plan, where they could do what costs more than it must.
    """
    people, multipliers = problem.person_count, relaxed.multipliers
    minute = np.zeros((people, len(problem.dues)))
    now = multipliers.release == problem.releases[0] if len(problem.releases) else np.zeros(0, dtype=np.bool_)
    minute[multipliers.person[now]] = multipliers.minute[now]
    column = np.arange(len(problem.dues))
    last: Ints = np.where(minute > WORTH_MIN, column, -1).max(axis=1, initial=-1)
    excess = excess_min(problem, plan)
    inside = problem.due_column[problem.first_window[:-1]] < len(problem.dues)
    for t in np.argsort(-excess, kind="stable").tolist():
        if excess[t] < CLOSE * (problem.objective_min(plan) - problem.unavoidable_min()) or excess[t] <= 0:
            break
        if inside[t]:
            more = np.where(problem.allowed[t], np.maximum(last, problem.due_column[problem.first_window[t]]), last)
            if _states(problem, relaxed, more) <= MOST_STATES * MOST_STEP_MIN:
                last = more
    return last


def _states(problem: Problem, relaxed: Relaxed, last: Ints) -> float:
    """Return how many states of the recursion a round takes."""
    marked = relaxed.marked
    whole = problem.due_column[marked.window] <= last[marked.person]
    room = np.where(last >= 0, problem.room_min[np.arange(len(last)), 0, last], 0)
    return float(np.bincount(marked.person[whole], minlength=len(last)) @ room)


class _Dive:
    """One dive."""

    def __init__(self, problem: Problem, job: DeepDive, last: Ints, go_on: GoOn) -> None:
        self.problem, self.job, self.go_on = problem, job, go_on
        self.objective = problem.objective_min(job.plan)
        self.close = CLOSE * (self.objective - problem.unavoidable_min())
        self.step = min(max(math.ceil(_states(problem, job.relaxed, last) / MOST_STATES), 1), MOST_STEP_MIN)
        self.master = Master(problem, job.relaxed, last, job.plan, go_on)
        self.random = np.random.default_rng(job.seed) if job.seed else None

    def run(self) -> Dived:
        """Reach the root, dive, and put a plan together."""
        master, known = self.master, self.job.root
        if known is not None:
            master.dual = known.dual
            for whole in known.plans:
                master.add(whole)
        at = None
        if known is None and self.step > 1:
            at = master.generate(step=COARSE_MIN, rounds=ROOT_ROUNDS, close_min=COARSE_CLOSE * self.close)
        at = master.generate(step=1, rounds=ROOT_ROUNDS, close_min=self.close, start=at)
        bound = math.ceil(at.bound - TOLERANCE * (1.0 + abs(at.bound)))
        root = Root(master.last, at.dual, tuple(at.plans), bound)
        plan, found = self.job.plan, self._to_the_end(at)
        if found is not None:
            new = self._whole(self._rounded(found))
            if new is not None and self.problem.objective_min(new) < self.objective:
                plan = new
        return Dived(plan, master.used, root)

    def _to_the_end(self, at: Node) -> Node | None:
        """Fix one person's plan after another; nothing where that gets dearer than the plan it began with."""
        while self.go_on():
            open_plans = [(s, p) for s, p in zip(at.share.tolist(), at.plans, strict=True) if p.person not in at.fixed]
            if not open_plans:
                return at
            whole = [p for s, p in open_plans if s > WHOLE]
            if whole:
                at = self._fixed(at, whole)
                self.master.only(at.out, forget=True)
                continue
            share = np.array([s for s, _ in open_plans])
            if self.random is not None:
                share *= self.random.uniform(0.6, 1.0, len(share))
            after: Node | None = None
            for k in np.argsort(-share, kind="stable")[:TRIES].tolist():
                tried = self._fixed(at, [open_plans[k][1]])
                if after is None or tried.value < after.value:
                    after = tried
                if after.value - at.value <= JUMP * self.close or not self.go_on():
                    break
            assert after is not None
            if after.value >= self.objective:
                return None
            at = after
            self.master.only(at.out, forget=True)
        return None

    def _fixed(self, at: Node, plans: list[WholePlan]) -> Node:
        """Fix some plans and generate the others' anew."""
        fixed: Mapping[int, WholePlan] = {**at.fixed, **{plan.person: plan for plan in plans}}
        out = at.out
        for plan in plans:
            out = self.master.without(out, plan)
        self.master.only(out, forget=False)
        return self.master.generate(
            step=1,
            rounds=DIVE_ROUNDS,
            close_min=self.close,
            start=at,
            out=out,
            fixed=fixed,
            patient=False,
        )

    def _rounded(self, at: Node) -> Node:
        """Fix the rest, pick after pick, those of long tasks first: all that are nearly whole, else one."""
        work, decided = self.master.relaxation.work, np.zeros(len(at.out), dtype=np.bool_)
        while self.go_on():
            left = ~decided[at.pick] & ~at.out[at.pick]
            pick, part = at.pick[left], at.part[left]
            if len(pick) == 0:
                return at
            some = pick[part > NEARLY] if (part > NEARLY).any() else pick[[(part * work[pick]).argmax()]]
            out = at.out
            for k in some[np.argsort(-work[some], kind="stable")].tolist():
                if not out[k]:
                    out = self.master.without_others(out, k)
            decided[some] = True
            self.master.only(out, forget=False)
            at = self.master.read(out, at.fixed, at.bound, at.dual)
        return at

    def _whole(self, at: Node) -> Assignment | None:
        """Return the plan where a dive ended: what is fixed, then the larger part of what is not, then what fits; annealed."""
        problem, relaxation = self.problem, self.master.relaxation
        whole = [mine.picks for mine, share in zip(at.plans, at.share.tolist(), strict=True) if share > 0.5]
        chosen = np.concatenate([*whole, at.pick[at.part > 0.5]])
        plan = completed(problem, _promised(problem, *(of[chosen] for of in relaxation.choices)))
        flat, state = anneal.facts(problem), anneal.start_state(problem, plan, self.job.seed)
        for hot, cold in pairwise(np.geomspace(AFTER_HOT_MIN, AFTER_COLD_MIN, AFTER_CALLS + 1).tolist()):
            anneal.anneal(flat, state, anneal.MOVES_PER_CALL, hot, cold)
            self.master.used += anneal.MOVES_PER_CALL / anneal.MOVES_PER_UNIT
        plan = anneal.result(state)
        return None if (plan.who[~problem.may_escalate] == ESCALATED).any() else plan


def _promised(problem: Problem, task: Ints, person: Ints, window: Ints) -> Assignment:
    """Return a plan with what of these choices fits, in this order: in another window where one does not, escalated where none does.

    The master knows nothing of the order of a preparation and its review, nor that they are two people's.
    """
    plan = Assignment(*(np.full(problem.task_count, ESCALATED, dtype=np.int32) for _ in range(2)))
    ledger = Ledger(problem.board.open_min)
    for t, p, first in zip(task.tolist(), person.tolist(), window.tolist(), strict=True):
        if plan.who[t] != ESCALATED or p in others_on_piece(problem, plan, t):
            continue
        for w in [first, *problem.windows_of(t)]:
            release, due, work = int(problem.release[w]), int(problem.due[w]), int(problem.work_min[t, p])
            if in_order(problem, plan, t, w) and ledger.rooms_min(release, due)[p] >= work:
                plan.who[t], plan.window[t] = p, w - problem.first_window[t]
                ledger.promise(p, release, due, work)
                break
    return plan
