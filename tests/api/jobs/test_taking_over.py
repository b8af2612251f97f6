"""Workers killed at the worst moments: what they worked on is finished by somebody else, and nothing is done twice."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from api.jobs.clockwork import look
from api.jobs.queue import prepare
from api.store.copying import back_up, restore
from api.store.database import Database
from api.store.job_tables import WorkerRecord
from api.store.proposal_listing import WantedProposals, proposals_after
from api.store.records import load_plan
from api.store.solve_states import SolveState
from api.store.solves import incumbent_of
from tests.api.jobs.solving import FRAIL, LONG, LONG_S, NOW, Solving, process, until


def test_what_killed_workers_leave_is_finished_by_others_and_nothing_is_done_twice(solving: Solving) -> None:
    solving.start("s")
    costs, versions = [], set()
    for attempts, (point, state) in enumerate(
        (
            ("incumbent", SolveState.SEARCHING),
            ("found", SolveState.APPLYING),
            ("placing", SolveState.APPLYING),
            ("applied", SolveState.DONE),
        ),
        start=1,
    ):
        with process(solving.database, point) as killed:
            killed.wait(timeout=LONG_S)
            assert killed.returncode == -signal.SIGKILL
        left = solving.solve("s")
        assert (left.state, left.attempts) == (state, attempts), point
        versions.add(left.version)
        with solving.database.reading("one") as session:
            plan = load_plan(session, "s") if state is SolveState.DONE else incumbent_of(session, "s")
            assert (incumbent_of(session, "s") is None) == (state is SolveState.DONE)
        assert plan is not None
        costs.append(plan.certificate.objective_min)
    done = solving.solve("s")
    with solving.worker():
        until(lambda: solving.running() == [])  # a firm with a job left over would wait for ever
    assert solving.solve("s") == done
    assert costs == sorted(costs, reverse=True)
    assert len(versions) == 1
    assert done.result is not None
    assert (done.result.placed, done.result.changed) == (3, 0)
    solving.whole()
    with solving.database.reading("one") as session:
        waiting = proposals_after(session, WantedProposals(waiting=True), None, 1_000)
    moves = [move.task for one in waiting for move in one.proposal.moves]
    assert len(set(moves)) == len(moves) > 0


def test_an_upgrade_in_the_middle_of_a_solve_strands_nothing(solving: Solving) -> None:
    solving.start("s")
    solving.start("waits")
    with process(solving.database, "placing", "older") as older:
        older.wait(timeout=LONG_S)
        assert older.returncode == -signal.SIGKILL
    assert [solving.solve(id).state for id in ("s", "waits")] == [SolveState.APPLYING, SolveState.QUEUED]
    with solving.worker():
        assert [solving.ended(id).state for id in ("s", "waits")] == [SolveState.DONE, SolveState.DONE]
        until(lambda: solving.running() == [])
    assert [solving.solve(id).attempts for id in ("s", "waits")] == [2, 1]
    solving.whole()


def test_work_of_a_version_that_nobody_runs_any_more_is_begun_again(solving: Solving) -> None:
    solving.start("s")
    solving.start("waits")
    with process(solving.database, "placing", "foreign") as foreign:
        foreign.wait(timeout=LONG_S)
    assert solving.solve("s").state is SolveState.APPLYING
    with solving.worker():
        assert [solving.ended(id).state for id in ("s", "waits")] == [SolveState.DONE, SolveState.DONE]
        until(lambda: solving.running() == [])
    assert solving.solve("s").attempts == 2
    solving.whole()


def test_a_worker_that_died_under_a_clock_that_was_fast_is_missed_all_the_same(solving: Solving) -> None:
    solving.start("s")
    with process(solving.database, "found") as killed:
        killed.wait(timeout=LONG_S)
    with solving.database.writer.begin() as connection:
        # Its pid says nothing on PostgreSQL; there the beat is all that is known of it.
        connection.execute(update(WorkerRecord).values(beat_at=datetime.now(UTC) + timedelta(days=300)))
    with solving.worker():
        assert solving.ended("s").state is SolveState.DONE
    solving.whole()


def test_a_restored_service_finishes_what_waited_and_what_was_begun(solving: Solving, tmp_path: Path) -> None:
    solving.start("begun")
    with process(solving.database, "placing") as killed:
        killed.wait(timeout=LONG_S)
    solving.start("waits")
    solving.start("waits", firm="two")  # only now: a free worker takes a firm drawn by lot
    back_up(solving.database, tmp_path / "evenhand.backup", now=NOW)
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    restore(other, tmp_path / "evenhand.backup")
    prepare(other)
    restored = Solving(other, begun=True)
    states = {
        ("one", "begun"): SolveState.APPLYING,
        ("one", "waits"): SolveState.QUEUED,
        ("two", "waits"): SolveState.QUEUED,
    }
    for (firm, id), state in states.items():
        assert restored.solve(id, firm).state is state
    assert restored.running() == []
    look(other, restored.turns, restored.jobs, now=NOW)
    with restored.worker():
        assert {restored.ended(id, firm).state for firm, id in states} == {SolveState.DONE}
    assert restored.jobs.put_back(restored.turns, "one") == []
    restored.whole()
    restored.close()
    other.close()


def test_a_worker_that_was_only_asleep_writes_nothing_any_more(solving: Solving) -> None:
    solving.start("s", LONG, firm="hard")
    with process(solving.database) as asleep:
        until(lambda: solving.solve("s", "hard").objective_min is not None)
        with solving.turns.turn("hard", now=NOW, actor="test"):  # so that it has no lock with it when it falls asleep
            asleep.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, asleep.pid, os.WSTOPPED)
        with solving.worker():
            until(lambda: solving.solve("s", "hard").attempts == 2)
            asleep.send_signal(signal.SIGCONT)
            asleep.communicate(timeout=LONG_S)  # its input ends: it ends as well
            assert asleep.returncode == 0
            assert solving.solve("s", "hard").state is SolveState.SEARCHING
            solving.cancel("s", "hard")
            assert solving.ended("s", "hard").state is SolveState.CANCELLED


def test_a_worker_that_is_told_to_end_leaves_its_search_to_others_at_once(solving: Solving) -> None:
    solving.start("s", LONG, firm="hard")
    with solving.worker():
        until(lambda: solving.solve("s", "hard").objective_min is not None)
        begun = solving.solve("s", "hard").spent_s
    assert solving.solve("s", "hard").state is SolveState.SEARCHING
    assert workers(solving.database) == []
    with solving.worker():
        until(lambda: solving.solve("s", "hard").attempts == 2)
        until(lambda: solving.solve("s", "hard").spent_s > begun)
        solving.cancel("s", "hard")
        solving.ended("s", "hard")


def test_a_solve_that_kills_its_workers_fails_and_says_so(solving: Solving) -> None:
    solving.start("s")
    for _ in range(FRAIL.take_overs + 1):
        with process(solving.database, "claimed", "frail") as killed:
            killed.wait(timeout=LONG_S)
            assert killed.returncode == -signal.SIGKILL
    with solving.worker(FRAIL):
        failed = solving.ended("s")
    assert failed.state is SolveState.FAILED
    assert failed.error == "its workers died 2 times over it"


def workers(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return list(connection.scalars(select(WorkerRecord.id)))
