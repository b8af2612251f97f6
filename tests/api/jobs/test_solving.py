from __future__ import annotations

import json
import os
import signal

import pytest

from api.jobs import searching
from api.jobs.child import Child
from api.jobs.messages import Told
from api.store.log import By, entries_of, verify
from api.store.proposal_listing import WantedProposals, proposals_after
from api.store.records import load_plan
from api.store.refusals import Ended, NotFound
from api.store.solve_states import SolveAsk, SolveState
from api.store.solves import QueueFull, claim, events_after, incumbent_of
from tests.api.jobs.solving import LONG, NOW, Solving, until


def test_a_solve_places_new_work_by_its_plan_and_proposes_the_moves(solving: Solving) -> None:
    with solving.worker():
        solving.start("s")
        done = solving.ended("s")
    assert (done.state, done.plan, done.error, done.attempts) == (SolveState.DONE, "s", None, 1)
    assert done.result is not None
    assert (done.result.placed, done.result.placed_otherwise, done.result.waiting, done.result.changed) == (3, 0, 0, 0)
    made = solving.whole()
    with solving.database.reading("one") as session:
        plan, waiting = load_plan(session, "s"), proposals_after(session, WantedProposals(waiting=True), None, 1_000)
        (entry,) = entries_of(session, "n0")
        steps = [json.loads(step.document) for step in events_after(session, "s", 0, 100)]
    assert plan.certificate.objective_min == done.objective_min
    wanted = {item.task: item.person for item in plan.tasks if item.new}
    assert {one.id: one.assignee for one in made.tasks if one.id in wanted} == wanted
    assert (entry.decided_by, entry.actor) == (By.BATCH, "solve:s")
    assert {one.id for one in waiting} == set(done.result.proposals)
    assert {move.to_person for one in waiting for move in one.proposal.moves} == {"bob"}
    assert all(one.assignee == "ann" for one in made.tasks if one.id.startswith("t"))
    states = [step["state"] for step in steps]
    assert states == sorted(states, key=["queued", "searching", "applying", "done"].index)
    costs = [step["objective_min"] for step in steps if "objective_min" in step]
    assert costs == sorted(costs, reverse=True)
    solving.whole("two")
    assert "Secret" not in str(steps)


def test_the_same_again_decides_and_proposes_nothing_twice(solving: Solving) -> None:
    with solving.worker():
        solving.start("s")
        solving.start("again")
        first, second = solving.ended("s"), solving.ended("again")
    assert first.result is not None
    assert first.result.proposals
    assert second.result is not None
    assert second.result.placed == 0
    assert set(second.result.proposals) == set(first.result.proposals)  # they wait already, and are brought up to date
    assert second.state is SolveState.DONE
    solving.whole()


def test_a_running_solve_is_cancelled_and_a_waiting_one_never_begins(solving: Solving) -> None:
    solving.start("runs", LONG, firm="hard")
    solving.start("waits", LONG, firm="hard")
    assert [solving.solve(id, "hard").position for id in ("runs", "waits")] == [1, 2]
    with solving.worker():
        until(lambda: solving.solve("runs", "hard").objective_min is not None)
        assert [solving.solve(id, "hard").position for id in ("runs", "waits")] == [0, 1]
        solving.cancel("waits", "hard")
        assert solving.solve("waits", "hard").state is SolveState.CANCELLED
        solving.cancel("runs", "hard")
        solving.cancel("runs", "hard")
        assert solving.ended("runs", "hard").state is SolveState.CANCELLED
        solving.start("next")
        assert solving.ended("next").state is SolveState.DONE
    assert solving.solve("waits", "hard").attempts == 0
    with solving.database.reading("hard") as session:
        assert incumbent_of(session, "runs") is not None
        assert verify(session).entries == 0
    with pytest.raises(Ended, match="is done already"):
        solving.cancel("next")
    with pytest.raises(NotFound):
        solving.cancel("none")


def test_a_search_process_that_dies_is_started_again_but_not_for_ever(
    solving: Solving, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    deaths = 1

    class Mortal(Child[Told]):
        def __init__(self, module: str, told: type[Told]) -> None:
            super().__init__(module, told)
            begun.append(self.pid)
            if len(begun) <= deaths:
                os.killpg(self.pid, signal.SIGKILL)

    monkeypatch.setattr(searching, "Child", Mortal)
    with solving.worker():
        solving.start("s")
        assert solving.ended("s").state is SolveState.DONE
        assert len(begun) == 2
        begun.clear()
        deaths = 9
        solving.start("cursed")
        failed = solving.ended("cursed")
    assert (failed.state, len(begun)) == (SolveState.FAILED, 3)
    assert failed.error == "the search process ended by itself 3 times, the last time with -9"
    solving.whole()


def test_a_firm_has_so_many_waiting_solves_and_is_told(solving: Solving) -> None:
    for i in range(3):
        solving.start(f"s{i}", most_waiting=3)
    with pytest.raises(QueueFull, match='Nearest: "3"'):
        solving.start("s3", most_waiting=3)
    solving.start("s3", firm="two", most_waiting=3)
    solving.cancel("s1")
    assert [solving.solve(id).position for id in ("s0", "s1", "s2")] == [1, 0, 2]
    solving.start("s3", most_waiting=3)


def test_a_firm_with_many_solves_keeps_no_other_waiting(solving: Solving) -> None:
    nothing_to_do = SolveAsk(seconds=3_600, work_units=0.001)
    for i in range(30):
        solving.start(f"s{i}", nothing_to_do)
    solving.start("theirs", nothing_to_do, firm="two")
    with solving.worker():
        assert solving.ended("theirs", "two").state is SolveState.DONE
    # The draw is fair: one run in a billion would see all of them done first.
    assert any(solving.solve(f"s{i}").state is SolveState.QUEUED for i in range(30))


def test_a_solve_belongs_to_who_claimed_it_last(solving: Solving) -> None:
    solving.start("s")
    claimed = claim(solving.database, "one", "s", "left", now=NOW)
    assert claimed is not None
    again = claim(solving.database, "one", "s", "right", now=NOW)
    assert again is not None
    assert (again.version, again.planned_at) == (claimed.version, claimed.planned_at)
    assert solving.solve("s").attempts == 2
