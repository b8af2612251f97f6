"""Long jobs beside the neighbourhoods: each kind once, then that which closed more of the gap; what they find is taken in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scenarios.firms import generate_firm
from solver.beside import DIVE_UNITS, LUMPY_SHARE, TURN_UNITS, VAIN_DIVES, Branching, Diving, LongJobs, long_jobs
from solver.board import compile_board
from solver.bound import Relaxed, lower_bound
from solver.construct import completed, rule_plan
from solver.deep_dives import DeepDive
from solver.problem import Problem, compile_problem
from solver.running import Search
from solver.stop import Progress
from tests.solver.test_anneal import faults


def running(people: int = 8, tasks: int = 80) -> tuple[Search, Relaxed]:
    made = generate_firm(people=people, tasks=tasks, load=1.2, seed=3)
    problem = compile_problem(compile_board(made.firm, now=made.now))
    plan, base = completed(problem, rule_plan(problem)), problem.unavoidable_min()
    found = lower_bound(problem)
    assert found.relaxed is not None
    progress = Progress(0.0, problem.objective_min(plan) - base, found.minutes - base)
    return Search(problem, plan, progress, lambda progress: None, lambda progress: None, base, 0), found.relaxed


@dataclass
class Scripted:
    """A kind of job that closes so much of the gap each time, in one unit of work."""

    search: Search
    name: str
    closes: list[int]
    done: list[str]
    units: float = 1.0
    useful: bool = True
    ready: bool = True
    amid: bool = False

    def start(self) -> None:
        self.done.append(self.name)

    def finish(self) -> None:
        progress = self.search.progress
        closed = self.closes.pop(0) if self.closes else 0
        self.search.progress = replace(
            progress, bound_min=progress.bound_min + closed, work_units=progress.work_units + 1.0
        )


def test_each_kind_is_tried_once_and_then_the_one_that_closed_more_of_the_gap() -> None:
    search, _ = running()
    done: list[str] = []
    jobs = LongJobs((Scripted(search, "a", [1], done), Scripted(search, "b", [100, 100], done)))
    for _ in range(5):
        jobs.start()
        jobs.finish()
    assert done[:3] == ["a", "b", "b"]
    jobs.kinds[1].useful = False  # type: ignore[misc]
    jobs.start()
    assert done[-1] == "a"
    jobs.kinds[0].useful = False  # type: ignore[misc]
    assert not jobs.useful


def test_a_kind_that_has_just_closed_much_of_the_gap_goes_on_before_others_are_tried() -> None:
    search, _ = running()
    gap = search.progress.objective_min - search.progress.bound_min
    done: list[str] = []
    one = Scripted(search, "a", [gap // 5, gap // 5, gap // 100], done)
    jobs = LongJobs((one, Scripted(search, "b", [], done)))
    for _ in range(4):
        jobs.start()
        jobs.finish()
    assert done == ["a", "a", "a", "b"]


def test_a_kind_that_is_no_longer_useful_does_not_go_on_whatever_it_closed() -> None:
    search, _ = running()
    done: list[str] = []
    one = Scripted(search, "a", [search.progress.objective_min - search.progress.bound_min], done)
    jobs = LongJobs((one, Scripted(search, "b", [], done)))
    jobs.start()
    jobs.finish()
    one.useful = False
    jobs.start()
    assert done == ["a", "b"]


def test_what_has_not_ended_goes_on_until_another_kind_has_waited_long_enough() -> None:
    search, _ = running()
    done: list[str] = []
    one, other = Scripted(search, "a", [0] * 50, done, amid=True), Scripted(search, "b", [20], done)
    jobs = LongJobs((one, other))
    for _ in range(int(TURN_UNITS) + 3):
        jobs.start()
        jobs.finish()
    # After the other's turn the one begun goes on: what it will close is not known yet.
    assert done == ["a"] * int(TURN_UNITS) + ["b", "a", "a"]


def test_what_a_kind_closed_is_told_by_all_its_work_on_what_it_ended() -> None:
    search, _ = running()
    one = Scripted(search, "a", [0, 0, 90], [], amid=True)
    jobs = LongJobs((one,))
    for closed in (0.0, 0.0, 30.0):
        jobs.start()
        jobs.finish()
        assert jobs.closed[0].rate == closed


def test_a_dive_that_was_cut_goes_on_and_the_next_begins_once_it_has_ended() -> None:
    search, relaxed = running()
    before, diving, cuts = search.progress.objective_min, Diving(search, relaxed), 0
    diving.start()
    while diving.number == 1:
        diving.ticket = search.crew.start(replace(diving.ticket.job, most_units=0.1))  # type: ignore[type-var]
        diving.finish()
        cuts += diving.amid
        diving.start()
    assert cuts > 1
    assert search.progress.objective_min < before
    assert diving.ticket.job.cut is None  # type: ignore[attr-defined]


def test_a_dive_that_was_cut_does_not_go_on_where_the_plan_has_become_better() -> None:
    search, relaxed = running()
    diving = Diving(search, relaxed)
    diving.start()
    while diving.cut is None or diving.cut.at is None:
        job = DeepDive(search.plan, relaxed, 0, diving.root, 0.1, diving.cut)
        diving.ticket = search.crew.start(job)
        diving.finish()
    assert diving.amid
    dearer = replace(diving.cut.at, value=search.problem.objective_min(search.plan) + 1.0)
    diving.cut = replace(diving.cut, at=dearer)
    assert not diving.amid
    diving.start()
    assert diving.number == 2
    assert diving.ticket.job.cut is None


def test_dives_come_first_where_the_relaxation_explains_little_of_the_plan() -> None:
    search, relaxed = running()
    for share, first in ((LUMPY_SHARE - 0.1, Diving), (LUMPY_SHARE + 0.1, Branching)):
        search.progress = replace(search.progress, bound_min=int(share * search.progress.objective_min))
        jobs = long_jobs(search, relaxed)
        assert jobs is not None
        assert isinstance(jobs.kinds[0], first)


def test_dives_close_the_gap_from_both_sides_and_end_when_they_gain_nothing() -> None:
    search, relaxed = running()
    before = search.progress
    diving, dives = Diving(search, relaxed), 0
    while diving.useful:
        diving.start()
        diving.finish()
        dives += 1
        assert dives < 60
    after: Progress = search.progress
    assert after.objective_min < before.objective_min
    assert after.bound_min > before.bound_min
    assert after.bound_min <= after.objective_min
    assert diving.vain >= VAIN_DIVES
    problem: Problem = search.problem
    assert faults(problem, search.plan) == []


def test_a_dive_may_take_no_more_than_a_short_search_took() -> None:
    search, relaxed = running()
    diving = Diving(search, relaxed)
    diving.start()
    assert diving.ticket.job.most_units == 1.0  # type: ignore[attr-defined]
    diving.finish()
    search.progress = replace(search.progress, work_units=1_000.0)
    diving.start()
    assert diving.ticket.job.most_units == DIVE_UNITS  # type: ignore[attr-defined]
