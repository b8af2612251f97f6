"""Another chain from the first plan: complete after each step, no worse than the best plan, ended by its budget or when told to."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from scenarios.firms import generate_firm
from solver.beside import (
    LUMPY_SHARE,
    RESTART_UNITS,
    SHORT_UNITS,
    VAIN_CHAINS,
    Branching,
    Diving,
    First,
    Restarting,
    long_jobs,
)
from solver.board import compile_board
from solver.bound import lower_bound
from solver.construct import completed, rule_plan
from solver.crew import Near
from solver.diving import Dive
from solver.overbooking import Found, Overbook
from solver.problem import Problem, compile_problem
from solver.restart import MOST_VAIN, Restart
from solver.running import Search
from solver.search import HOT_MIN, cooling
from solver.stop import Progress
from tests.solver.test_anneal import faults


@pytest.fixture(scope="module")
def problem() -> Problem:
    made = generate_firm(people=8, tasks=80, load=1.2, seed=3)
    return compile_problem(compile_board(made.firm, now=made.now))


def first(problem: Problem) -> First:
    return First(completed(problem, rule_plan(problem)), cooling(problem, HOT_MIN))


def chain(problem: Problem, seed: int, most_units: float = 100.0) -> Restart:
    start = first(problem)
    return Restart(start.plan, start.plan, seed, start.heats, most_units)


def running(problem: Problem) -> Search:
    plan, base = first(problem).plan, problem.unavoidable_min()
    progress = Progress(0.0, problem.objective_min(plan) - base, 0)
    return Search(problem, plan, progress, lambda progress: None, lambda progress: None, base, 0)


class Kept(Near):
    """A line that remembers what it was handed."""

    kept: ClassVar[list[Found]] = []

    def keep(self, result: Found) -> None:
        self.kept.append(result)


def test_chains_keep_every_rule_gain_and_differ_by_their_seed_alone(problem: Problem) -> None:
    ends = [chain(problem, seed)(problem, Near(lambda: True)) for seed in (1, 2, 1)]
    for found in ends:
        assert faults(problem, found.plan) == []
        assert problem.objective_min(found.plan) < problem.objective_min(first(problem).plan)
    assert ends[0].work_units == ends[2].work_units
    assert (ends[0].plan.who == ends[2].plan.who).all()
    assert (ends[0].plan.window == ends[2].plan.window).all()
    assert (ends[0].plan.who != ends[1].plan.who).any()


def test_what_a_chain_has_come_to_is_kept_and_never_worse_than_the_best_plan(problem: Problem) -> None:
    best = chain(problem, 1)(problem, Near(lambda: True)).plan
    start = first(problem)
    Kept.kept.clear()
    found = Restart(best, start.plan, 2, start.heats, 100.0)(problem, Kept(lambda: True))
    assert len(Kept.kept) > MOST_VAIN
    assert Kept.kept[-1] == found
    units = [one.work_units for one in Kept.kept]
    assert units == sorted(units)
    for one in Kept.kept:
        assert problem.objective_min(one.plan) <= problem.objective_min(best)
    # Its first step is far from as good as that: what is kept then is the best plan itself.
    assert Kept.kept[0].plan is best


def test_a_chain_overbooks_while_that_gains_then_dives_and_ends_after_so_many_in_vain(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def nothing(job: Dive | Overbook, problem: Problem, go_on: object) -> Found:
        begun.append(type(job).__name__)
        return Found(job.plan, 1.0)

    for kind in (Dive, Overbook):
        monkeypatch.setattr(kind, "__call__", nothing)
    chain(problem, 1)(problem, Near(lambda: True))
    assert begun == ["Overbook"] + ["Dive"] * MOST_VAIN


@pytest.mark.parametrize("asked", range(1, 40, 3))
def test_told_to_stop_at_any_time_a_chain_ends_with_a_plan(problem: Problem, asked: int) -> None:
    left = [asked]

    def go_on() -> bool:
        left[0] -= 1
        return left[0] > 0

    found = chain(problem, 1)(problem, Near(go_on))
    assert faults(problem, found.plan) == []
    assert problem.objective_min(found.plan) <= problem.objective_min(first(problem).plan)


def test_no_step_begins_once_the_budget_is_used(problem: Problem) -> None:
    whole = chain(problem, 1)(problem, Near(lambda: True))
    short = chain(problem, 1, 0.01)(problem, Near(lambda: True))
    assert 0.01 <= short.work_units < whole.work_units
    calls = len(cooling(problem, HOT_MIN)) - 1
    assert short.work_units == pytest.approx(calls * 0.05)


def test_chains_go_on_while_one_of_the_last_few_gained(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    search = running(problem)
    best = chain(problem, 1)(problem, Near(lambda: True))
    ends = [Found(search.plan, 1.0), best]
    monkeypatch.setattr(Restart, "__call__", lambda job, problem, line: ends.pop(0) if ends else Found(job.plan, 1.0))
    chains = Restarting(search, first(problem))
    while chains.useful:
        chains.start()
        chains.finish()
    assert chains.number == 2 + VAIN_CHAINS
    assert search.plan is best.plan


def test_chains_differ_and_take_no_more_work_than_there_was(problem: Problem) -> None:
    search = running(problem)
    chains = Restarting(search, first(problem))
    jobs, before = [], []
    for _ in range(3):
        before.append(search.progress.work_units)
        chains.start()
        jobs.append(chains.ticket.job)
        chains.finish()
    assert len({job.seed for job in jobs}) == 3  # type: ignore[attr-defined]
    assert [job.most_units for job in jobs] == [max(SHORT_UNITS, units) for units in before]  # type: ignore[attr-defined]
    search.progress = replace(search.progress, work_units=10.0 * RESTART_UNITS)
    chains.start()
    assert chains.units == RESTART_UNITS


def test_chains_come_first_where_lumps_decide_and_after_branch_and_cut_elsewhere(problem: Problem) -> None:
    search, relaxed = running(problem), lower_bound(problem).relaxed
    assert relaxed is not None
    orders = {0.9: [Restarting, Diving, Branching], 1.1: [Branching, Restarting, Diving]}
    for share, order in orders.items():
        bound = int(share * LUMPY_SHARE * search.progress.objective_min)
        search.progress = replace(search.progress, bound_min=bound)
        jobs, without = long_jobs(search, relaxed, first(problem)), long_jobs(search, relaxed)
        assert jobs is not None
        assert without is not None
        assert [type(kind) for kind in jobs.kinds] == order
        assert [type(kind) for kind in without.kinds] == [kind for kind in order if kind is not Restarting]
