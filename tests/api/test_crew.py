"""A crew of processes: the same plan on any number of cores, and a killed process costs time, never the plan."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from api import crew as crew_module
from api.crew import Processes, processes
from api.stops import WallClock
from scenarios.firms import generate_firm
from solver.batch import solve
from solver.board import compile_board
from solver.crew import GoOn, Line
from solver.plan import Plan, StopReason
from solver.problem import Problem, compile_problem
from solver.running import Search
from solver.stop import FirstOf, Progress, WorkBudget
from tests.firms_for_tests import NOW, random_firm
from tests.plan_checker import problems

SMALL = generate_firm(people=12, tasks=80, load=1.0, seed=3)


def small_problem() -> Problem:
    return compile_problem(compile_board(random_firm(1), now=NOW))


@dataclass(frozen=True)
class Count:
    """A job that says which process did it."""

    tasks_more: int

    def __call__(self, problem: Problem, go_on: GoOn) -> tuple[int, int]:
        return problem.task_count + self.tasks_more, os.getpid()


@dataclass(frozen=True)
class KillOnce:
    """A job that ends its process the hard way the first time it is done."""

    mark: str

    def __call__(self, problem: Problem, go_on: GoOn) -> int:
        if not os.path.exists(self.mark):
            open(self.mark, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()


@dataclass(frozen=True)
class Deadly:
    """A job that no child process survives."""

    parent: int

    def __call__(self, problem: Problem, go_on: GoOn) -> str:
        if os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done at home"


@dataclass(frozen=True)
class Endless:
    """A job that ends only when told to, or, if stubborn, not even then; it leaves a mark when it begins."""

    stubborn: bool
    mark: str

    def __call__(self, problem: Problem, go_on: GoOn) -> str:
        Path(self.mark).touch()
        until = time.monotonic() + 60.0
        while time.monotonic() < until and (self.stubborn or go_on()):
            time.sleep(0.01)
        return "told"


@dataclass(frozen=True)
class Keeping:
    """A job that keeps two results and then ends only when it is killed."""

    def __call__(self, problem: Problem, line: Line) -> str:
        line.keep("first")
        line.keep("second")
        return Endless(stubborn=True, mark=os.devnull)(problem, line)


def solved(count: int | None, units: float) -> Plan:
    if count is None:
        return solve(SMALL.firm, now=SMALL.now, stop=WorkBudget(units), seed=1)
    with processes(count) as crew:
        return solve(SMALL.firm, now=SMALL.now, stop=WorkBudget(units), seed=1, crew=crew)


@pytest.fixture(scope="module")
def quiet() -> Plan:
    """The plan of two processes that nobody disturbs."""
    return solved(2, 2.5)


def test_jobs_are_done_in_other_processes_and_answered_by_ticket() -> None:
    problem = small_problem()
    with processes(2) as crew:
        crew.meet(problem)
        tickets = [crew.start(Count(i)) for i in range(5)]
        found = [crew.finish(ticket, lambda: True) for ticket in reversed(tickets)]
        children = {worker.process.pid for worker in crew.workers}
    assert [count for count, _ in found] == [problem.task_count + i for i in reversed(range(5))]
    assert {pid for _, pid in found} <= children
    assert os.getpid() not in children
    assert crew.workers == []


def test_plan_is_the_same_alone_and_on_one_and_two_processes(quiet: Plan) -> None:
    alone, one = (solved(count, 2.5) for count in (None, 1))
    assert alone.model_dump_json() == one.model_dump_json() == quiet.model_dump_json()
    assert problems(SMALL.firm, alone, now=SMALL.now) == []


def test_killed_process_gets_its_job_again(tmp_path: object) -> None:
    with processes(1) as crew:
        crew.meet(small_problem())
        pid = crew.finish(crew.start(KillOnce(f"{tmp_path}/mark")), lambda: True)
        assert pid == crew.workers[0].process.pid
        assert crew.deaths == {1: 1}


def test_job_that_kills_every_process_is_done_here() -> None:
    with processes(2) as crew:
        crew.meet(small_problem())
        assert crew.finish(crew.start(Deadly(os.getpid())), lambda: True) == "done at home"


def test_processes_killed_during_a_search_cost_nothing_but_time(quiet: Plan) -> None:
    killed: list[int] = []
    with processes(2) as crew:

        def kill(progress: Progress) -> None:
            if progress.phase and len(killed) < 3 and crew.workers:
                pid = crew.workers[-1].process.pid
                assert pid is not None
                if pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        plan = solve(SMALL.firm, now=SMALL.now, stop=WorkBudget(2.5), seed=1, crew=crew, on_progress=kill)
    assert killed
    assert plan.model_dump_json() == quiet.model_dump_json()


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop_is_answered_whether_a_job_listens_or_not(
    stubborn: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stubborn:
        monkeypatch.setattr(crew_module, "GRACE_S", 60.0)  # who listens may take longer on a busy machine
    begun = tmp_path / "begun"
    with processes(1) as crew:
        crew.meet(small_problem())
        found = crew.finish(crew.start(Endless(stubborn, str(begun))), lambda: not begun.exists())
        assert found == (None if stubborn else "told")
        assert len(crew.workers) == (0 if stubborn else 1)


def test_a_process_that_dies_once_told_to_stop_has_done_nothing(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    with processes(1) as crew:
        crew.meet(small_problem())
        ticket = crew.start(Endless(stubborn=True, mark=str(begun)))
        pid = crew.workers[0].process.pid
        assert pid is not None
        dead: list[int] = []

        def told() -> bool:
            if begun.exists() and not dead:
                crew.stopped.set()
                os.kill(pid, signal.SIGKILL)
                dead.append(pid)
            return not dead

        assert crew.finish(ticket, told) is None
        assert (crew.workers, crew.deaths, len(crew.waiting)) == ([], {}, 0)


def test_what_a_job_kept_counts_where_it_does_not_end_in_time() -> None:
    with processes(1) as crew:
        crew.meet(small_problem())
        ticket = crew.start(Keeping())
        assert crew.finish(ticket, lambda: crew.kept.get(ticket.number) != "second") == "second"
        assert crew.kept == {}


def test_ready_does_not_wait(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    with processes(1) as crew:
        crew.meet(small_problem())
        ticket = crew.start(Endless(stubborn=False, mark=str(begun)))
        while not begun.exists():
            assert not crew.ready(ticket)
        crew.stopped.set()
        assert crew.finish(ticket, lambda: True) == "told"


def test_impatient_crew_ends_a_search_as_right_as_a_patient_one() -> None:
    with processes(2, patient=False) as crew:
        plan = solve(SMALL.firm, now=SMALL.now, stop=WallClock(8.0), seed=1, crew=crew)
    assert problems(SMALL.firm, plan, now=SMALL.now) == []
    assert plan.certificate.bound_min <= plan.certificate.objective_min <= plan.certificate.rule_objective_min


def test_cancel_keeps_the_best_plan() -> None:
    told: list[Progress] = []

    def cancel(progress: Progress) -> StopReason | None:
        return StopReason.CANCELLED if progress.work_units > 0.1 else None

    with processes(2) as crew:
        plan = solve(
            SMALL.firm, now=SMALL.now, stop=FirstOf((cancel, WorkBudget(60.0))), crew=crew, on_progress=told.append
        )
    assert plan.certificate.stop_reason is StopReason.CANCELLED
    assert plan.certificate.objective_min <= told[0].objective_min
    assert problems(SMALL.firm, plan, now=SMALL.now) == []


def test_crew_that_meets_another_problem_forgets_the_first(tmp_path: Path) -> None:
    first, second = small_problem(), compile_problem(compile_board(random_firm(2, tasks=9), now=NOW))
    with processes(1) as crew:
        crew.meet(first)
        crew.start(Endless(stubborn=True, mark=str(tmp_path / "begun")))
        crew.meet(second)
        assert crew.finish(crew.start(Count(0)), lambda: True)[0] == second.task_count


def test_an_idle_process_stays_for_the_next_problem() -> None:
    first, second = small_problem(), compile_problem(compile_board(random_firm(2, tasks=9), now=NOW))
    with processes(1) as crew:
        crew.meet(first)
        count, pid = crew.finish(crew.start(Count(0)), lambda: True)
        assert count == first.task_count
        crew.meet(second)
        assert crew.finish(crew.start(Count(0)), lambda: True) == (second.task_count, pid)


def test_search_without_a_crew_does_its_jobs_itself() -> None:
    problem = small_problem()
    search = Search(problem, problem.today, Progress(0.0, 10**9, 0), lambda progress: None, lambda progress: None, 0, 0)
    assert search.finish(search.crew.start(Count(0))) == (problem.task_count, os.getpid())
    assert not isinstance(search.crew, Processes)
