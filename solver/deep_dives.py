"""Deep dives: the restricted master of the whole firm, one person's plan fixed after another.

What a few people do with the days that are short decides a busy firm's objective. The master (`solver.master`) knows their whole
plans, and by the rest of its relaxation what it costs others to take what they leave; its solution, with one plan fixed and the
others' generated anew until all are fixed (a pure dive: Sadykov, Vanderbeck, Pessoa, Tahiri, Uchoa 2019), loses a few per cent at
most. What is left is placed by the cheapest hand and annealed. Its root is a lower bound as well. What it gave is in
docs/decisions/0033-deep-dives.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from solver import anneal, flattened
from solver.bound import Relaxed
from solver.construct import completed
from solver.contention import excess_min
from solver.crew import GoOn
from solver.from_choices import everybody_held, promised
from solver.master import Master, Node, WholePlan
from solver.multipliers import TOLERANCE
from solver.problem import ESCALATED, Assignment, Problem

Ints = NDArray[np.int64]
WORTH_MIN = 0.02
"""Minutes that a minute of somebody's must save for the days up to then to be planned whole."""
MOST_STATES, MOST_STEP_MIN = 2e8, 8
"""States of the recursion in a round, and the most minutes that are taken for one to keep to them; beyond, fewer have whole plans."""
MOST_WIDER_STATES, WIDER = 5e7, 1.1
"""States up to which costs of the plan may add to those that prices ask for, or so many times the latter if they are more."""
CLOSE = 1e-3
"""Share of the objective within which value and bound are taken to agree."""
COARSE_MIN, COARSE_CLOSE = 8, 10.0
ROOT_ROUNDS, DIVE_ROUNDS = 400, 60
"""Rounds of generation: at the root, there to the minute, which only the bound needs, and after each plan that is fixed."""
TRIES, JUMP = 4, 3.0
"""Plans tried at one depth until one costs no more than so many times `CLOSE`; else the best of them."""
WHOLE, NEARLY, ORDERED = 1.0 - 1e-6, 0.99, 0.3
"""Share of a whole plan that needs no decision, of a pick that is fixed with all others like it, and of one that others must be in order
with."""
AT_ONCE = 8
"""One in so many people's plans is fixed at once, as long as that costs no more than one may."""
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
class Cut:
    """Where a dive was when its work was over; the next one may go on from there.

    Attributes
    ----------
    at
        The last that was decided, nothing at the root.
    best, tries
        The best of what may be decided next, and how much of that was tried.
    plans
        All whole plans that are allowed there.
    coarse
        Whether the root is not yet measured to the minute.
    """

    at: Node | None
    best: Node | None
    tries: int
    plans: tuple[WholePlan, ...]
    coarse: bool = False


@dataclass(frozen=True)
class Dived:
    """The plan found, which breaks no rule, the deterministic work it took, the root as far as it came, and where it was cut."""

    plan: Assignment
    work_units: float
    root: Root | None
    cut: Cut | None = None


@dataclass(frozen=True)
class DeepDive:
    """Dive from a plan that breaks no rule; differs by ``seed``, of which 0 always takes the largest share.

    Attributes
    ----------
    root
        Of an earlier dive.
    most_units
        Work after which it is cut.
    cut
        Where it goes on, with the ``seed`` and the ``root`` that it was cut with.
    """

    plan: Assignment
    relaxed: Relaxed
    seed: int
    root: Root | None = None
    most_units: float = math.inf
    cut: Cut | None = None

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
    excess, most = excess_min(problem, plan), max(MOST_WIDER_STATES, WIDER * _states(problem, relaxed, last))
    inside = problem.due_column[problem.first_window[:-1]] < len(problem.dues)
    for t in np.argsort(-excess, kind="stable").tolist():
        if excess[t] < CLOSE * (problem.objective_min(plan) - problem.unavoidable_min()) or excess[t] <= 0:
            break
        if inside[t]:
            more = np.where(problem.allowed[t], np.maximum(last, problem.due_column[problem.first_window[t]]), last)
            if _states(problem, relaxed, more) <= most:
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
        self.master = Master(problem, job.relaxed, last, job.plan, self._more)
        cut = Cut(None, None, 0, ()) if job.cut is None else job.cut
        self.at, self.best, self.tries = cut.at, cut.best, cut.tries

    def _more(self) -> bool:
        """Whether nobody said to stop, and there is work left to do."""
        return self.go_on() and self.master.used < self.job.most_units

    def run(self) -> Dived:
        """Reach the root, or where it was cut, dive, and put a plan together unless it is cut again."""
        master, root, cut = self.master, self.job.root, self.job.cut
        if root is not None:
            master.dual = root.dual
            master.add(root.plans)
        if cut is not None:
            master.add(cut.plans)
        coarse = False
        if root is None or self.at is None:
            root, coarse, at = self._root(coarse=root is None if cut is None else cut.coarse)
            self.at = at if self._more() else None
        else:
            master.only(self.at.out, forget=True)
        end = None if self.at is None else self._to_the_end(self.at)
        if not self._more():
            return Dived(self.job.plan, master.used, root, Cut(self.at, self.best, self.tries, master.allowed, coarse))
        found = [] if end is None else self._plans(end)
        return Dived(min([self.job.plan, *found], key=self.problem.objective_min), master.used, root)

    def _root(self, *, coarse: bool) -> tuple[Root, bool, Node]:
        """Generate at the root; return it, whether that ended in steps still, and where the master stands."""
        master, at, coarse = self.master, None, coarse and self.step > 1
        if coarse:
            at = master.generate(step=COARSE_MIN, rounds=ROOT_ROUNDS, close_min=COARSE_CLOSE * self.close)
            coarse = not self._more()
        at = master.generate(step=1, rounds=ROOT_ROUNDS, close_min=self.close, start=at)
        bound = math.ceil(at.bound - TOLERANCE * (1.0 + abs(at.bound)))
        return Root(master.last, at.dual, tuple(at.plans), bound), coarse, at

    def _to_the_end(self, at: Node) -> Node | None:
        """Fix one person's plan after another; nothing where that gets dearer than the plan it began with, or is cut."""
        while self._more():
            open_plans = [(s, p) for s, p in zip(at.share.tolist(), at.plans, strict=True) if p.person not in at.fixed]
            if not open_plans:
                return at
            after = self._next(at, open_plans)
            if after is None or after.value >= self.objective:
                return None
            self.at, self.best, self.tries = after, None, 0
            at = after
            self.master.only(at.out, forget=True)
        return None

    def _next(self, at: Node, plans: list[tuple[float, WholePlan]]) -> Node | None:
        """Fix what needs no decision, or else what is likely at once, or else the best of a few; nothing where that is cut."""
        whole = [plan for share, plan in plans if share > WHOLE]
        if whole:
            after = self._fixed(at, whole)
            return after if self._more() else None
        share = np.array([s for s, _ in plans])
        if self.job.seed:
            # Drawn anew after a cut, and the same.
            share *= np.random.default_rng((self.job.seed, len(at.fixed))).uniform(0.6, 1.0, len(share))
        likely = self._likely(plans)
        singles = [[plans[k][1]] for k in np.argsort(-share, kind="stable")[:TRIES].tolist()]
        tries = [likely, *singles] if len(likely) > 1 else singles
        while self.tries < len(tries):
            tried = self._fixed(at, tries[self.tries])
            if not self._more():
                return None
            near = tried.value - at.value <= JUMP * self.close
            # Of several at once the best is not good enough.
            if near or (len(tries[self.tries]) == 1 and (self.best is None or tried.value < self.best.value)):
                self.best = tried
            self.tries += 1
            if near:
                break
        return self.best

    def _likely(self, plans: list[tuple[float, WholePlan]]) -> list[WholePlan]:
        """Return some plans of different people with no task of two, the largest shares first: some of all that are undecided."""
        task = self.master.relaxation.task
        most = len({plan.person for _, plan in plans}) // AT_ONCE
        chosen: list[WholePlan] = []
        people, taken = set[int](), set[int]()
        for _, plan in sorted(plans, key=lambda one: -one[0]):
            tasks = set(task[plan.picks].tolist())
            if len(chosen) < most and plan.person not in people and not tasks & taken:
                chosen.append(plan)
                people.add(plan.person)
                taken |= tasks
        return chosen

    def _fixed(self, at: Node, plans: list[WholePlan]) -> Node:
        """Fix some plans and generate the others' anew."""
        fixed: Mapping[int, WholePlan] = {**at.fixed, **{plan.person: plan for plan in plans}}
        out = at.out
        for plan in plans:
            out = self.master.without(out, plan)
        self.master.only(out, forget=False)
        return self.master.generate(
            step=self.step,
            rounds=DIVE_ROUNDS,
            close_min=self.close,
            start=at,
            out=out,
            fixed=fixed,
            patient=False,
        )

    def _rounded(self, at: Node) -> Node:
        """Fix the rest, pick after pick, those of long tasks first: all that are nearly whole, else the best of one task's."""
        relaxation, decided = self.master.relaxation, np.zeros(len(at.out), dtype=np.bool_)
        at = self._in_order(at)
        while self.go_on():
            left = ~decided[at.pick] & ~at.out[at.pick]
            pick, part = at.pick[left], at.part[left]
            if len(pick) == 0:
                return at
            if (part > NEARLY).any():
                some = pick[part > NEARLY]
                at = self._picked(at, some[np.argsort(-relaxation.work[some], kind="stable")])
                decided[some] = True
                continue
            first = pick[(np.minimum(part, 0.5) * relaxation.work[pick]).argmax()]
            same = relaxation.task[pick] == relaxation.task[first]
            tries = pick[same][np.argsort(-part[same], kind="stable")][:TRIES]
            after: Node | None = None
            for k in tries.tolist():
                tried = self._picked(at, np.array([k]))
                if after is None or tried.value < after.value:
                    after, best = tried, k
                if after.value - at.value <= JUMP * self.close:
                    break
            assert after is not None
            at = after
            decided[best] = True
        return at

    def _in_order(self, at: Node) -> Node:
        """Rule out picks that break the order with others, or are the same person's, where both are nearly whole.

        Of a preparation and its review the review's stays: the preparation has earlier windows as well, and the review would have none
        left if it had to wait.
        """
        master = self.master
        while self.go_on():
            some = at.pick[at.part > ORDERED]
            used = np.zeros(len(at.out), dtype=np.bool_)
            used[some] = True
            out = at.out
            first = np.argsort(self.problem.preparation[master.relaxation.task[some]] < 0, kind="stable")
            for k in some[first].tolist():
                against = master.relaxation.against(k)
                if used[k] and (used & against).any():
                    out, used = out | against, used & ~against
            if out is at.out:
                return at
            at = master.again(at, out)
        return at

    def _picked(self, at: Node, picks: Ints) -> Node:
        """Fix some picks, those that do not fit the ones before them left out."""
        out = at.out
        for k in picks.tolist():
            if not out[k]:
                out = self.master.relaxation.without_others(out, k)
        return self.master.again(at, out)

    def _plans(self, end: Node) -> Iterator[Assignment]:
        """Yield plans with what people have whole where a dive ended: the rest as the master has it, and as it was before."""
        problem, relaxation = self.problem, self.master.relaxation
        task, person, window = relaxation.choices
        before = self.job.plan
        placed = np.flatnonzero(before.who >= 0)
        kept = (placed, before.who[placed].astype(np.int64), problem.chosen(before, placed))
        for at, others in ((self._rounded(end), ()), (end, (kept,))):
            whole = [mine.picks for mine, share in zip(at.plans, at.share.tolist(), strict=True) if share > 0.5]
            fixed, rest = np.concatenate([at.pick[:0], *whole]), at.pick[at.part > 0.5]
            chosen = [(task[fixed], person[fixed], window[fixed]), *others, (task[rest], person[rest], window[rest])]
            columns = (np.concatenate(column) for column in zip(*chosen, strict=True))
            plan = self._annealed(everybody_held(problem, completed(problem, promised(problem, *columns))))
            if not (plan.who[~problem.may_escalate] == ESCALATED).any():
                yield plan

    def _annealed(self, plan: Assignment) -> Assignment:
        """Return a plan after some annealing, which keeps to the rules."""
        flat, state = flattened.facts(self.problem), flattened.start_state(self.problem, plan, self.job.seed)
        for hot, cold in pairwise(np.geomspace(AFTER_HOT_MIN, AFTER_COLD_MIN, AFTER_CALLS + 1).tolist()):
            anneal.anneal(flat, state, anneal.MOVES_PER_CALL, hot, cold)
            self.master.used += anneal.MOVES_PER_CALL / anneal.MOVES_PER_UNIT
        return flattened.result(state)
