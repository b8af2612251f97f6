from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from api.jobs import pointing
from api.jobs.asks import RiskAsk, RiskResult, SweepAsk, SweepResult, WhatIfAsk, WhatIfResult
from api.jobs.child import Child
from api.jobs.messages import PointTold
from api.store.database import Database
from api.store.loading import firm_at
from api.store.points import claim_point, finish_point
from api.store.refusals import Ended, NotFound
from api.store.run_states import PointState, RunState
from api.store.runs import cancel_run, points_of, run_events_after
from api.store.solves import QueueFull
from api.store.time_sheets import learned_of
from scenarios.chances import chances_of
from scenarios.changes import Away, ExtraHours, Scenario
from scenarios.grids import Axis, Sweep
from scenarios.run import Baseline, Solving, compare
from scenarios.sweeps import run_sweep
from scenarios.uncertainty import range_of, simulated
from solver.firm import Status
from solver.stop import WorkBudget
from tests.api.jobs.running import Running, sweep_of
from tests.api.jobs.solving import LONG_S, NOW, PATIENT, process, until
from tests.firms_for_tests import day, task

ENDLESS = WhatIfAsk(
    scenario=Scenario(changes=(ExtraHours(first_day=day(0), last_day=day(4), per_week_min=60),)),
    work_units=600,
    today_work_units=600,
    seed=1,
)
"""Goes on until it is cancelled, for the firm ``hard``."""


@pytest.fixture
def running(database: Database) -> Iterator[Running]:
    running = Running(database)
    yield running
    running.close()


def test_a_sweep_comes_to_what_it_does_here_and_the_same_again_is_known(running: Running) -> None:
    ask = sweep_of(60, 120, 300)
    started = running.ask("s", ask)
    assert (started.state, started.position, started.points, started.points_done) == (RunState.QUEUED, 1, 3, 0)
    with running.worker():
        done = running.run_ended("s")
        assert (done.state, done.error, done.points_done, done.points_known) == (RunState.DONE, None, 3, 0)
        assert running.tries("s") == [1, 1, 1, 1, 1]
        running.ask("more", sweep_of(30, 60, 120, 300))
        more = running.run_ended("more")
    assert (more.points_done, more.points_known) == (4, 3)
    assert running.tries("more") == [0, 1, 0, 0, 0, 1]
    assert [point.known for point in running.points("more")] == [False, True, True, True]
    found = SweepResult.model_validate_json(running.result("s"))
    made = running.marked()
    start = Solving(stop=lambda: WorkBudget(ask.today_work_units)).plan(made, started.planned_at)
    here = run_sweep(made, ask.sweep, now=started.planned_at, work_units=ask.work_units, last=start)
    assert found.points == here.results
    assert found.knees == here.knees()
    assert SweepResult.model_validate_json(running.result("more")).points[1:] == here.results
    again = running.ask("again", ask)  # nobody works any more
    assert (again.state, again.points_done, again.points_known) == (RunState.DONE, 3, 3)
    assert running.result("again") == running.result("s")
    assert [json.loads(point.document or "")["values"] for point in running.points("again")] == [[60], [120], [300]]
    assert running.tries("again") == [0] * 5
    with running.database.reading("one") as session:
        steps = [json.loads(step.document) for step in run_events_after(session, "s", 0, 100)]
    assert [step["state"] for step in steps] == ["queued", *["running"] * 4, "done"]
    assert [step["points_done"] for step in steps] == [0, 0, 1, 2, 3, 3]


def test_points_that_cannot_be_are_told_and_the_rest_of_the_sweep_is_done(running: Running) -> None:
    """Nobody is zed, and no day ends before it begins: four of six points. What the firm refused is known the next time."""
    scenario = Scenario(changes=(Away(person="ann", first_day=day(1), last_day=day(1)),))
    people = Axis(field="0.person", values=("ann", "zed", "bob"))
    ask = SweepAsk(sweep=Sweep(scenario=scenario, axes=(people, days_of(0, 2))), work_units=0.02, today_work_units=0.02)
    running.ask("s", ask)
    running.ask("none", ask.model_copy(update={"sweep": ask.sweep.model_copy(update={"axes": (people, days_of(0))})}))
    with running.worker():
        done, none = running.run_ended("s"), running.run_ended("none")
        assert (done.state, done.error, done.points_done, done.points) == (RunState.DONE, None, 6, 6)
        assert (none.state, none.points_done) == (RunState.FAILED, 3)
        assert 'changes.0.last_day "' in str(none.error)
        fewer = ask.sweep.model_copy(
            update={"axes": (people.model_copy(update={"values": ("zed", "bob")}), days_of(0, 2))}
        )
        running.ask("fewer", ask.model_copy(update={"sweep": fewer}))
        assert running.run_ended("fewer").points_known == 2
    found = SweepResult.model_validate_json(running.result("s"))
    assert [one.values[0] for one in found.points] == ["ann", "bob"]
    assert [(one.values[0], one.refusal.code, one.refusal.field) for one in found.refused] == [
        *((who, "range_reversed", "changes.0.last_day") for who in ("ann", "zed", "bob")),
        ("zed", "unknown_reference", "changes.0.person"),
    ]
    assert (found.refused[-1].refusal.value, found.refused[-1].refusal.nearest) == ("zed", "Bob Secret")
    points = running.points("s")
    assert {point.state for point in points} == {PointState.DONE}
    assert ["refusal" in json.loads(point.document or "") for point in points] == [True, True, True, False, True, False]
    again = SweepResult.model_validate_json(running.result("fewer"))
    assert (again.points, again.refused) == (found.points[1:], found.refused[1:])


def days_of(*numbers: int) -> Axis:
    return Axis(field="0.last_day", values=tuple(day(number).isoformat() for number in numbers))


def test_two_workers_come_to_the_same_as_one_and_share_the_points(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = sweep_of(0, 60, 120, 300)
    monkeypatch.setattr(pointing, "MOST_TOGETHER", 1)  # here; the other worker takes what is in the queue
    running.ask("s", ask, firm="one")
    with running.worker(PATIENT):
        assert running.run_ended("s", "one").state is RunState.DONE
        running.ask("s", ask, firm="two")
        with process(running.database, "", "patient"):
            assert running.run_ended("s", "two").state is RunState.DONE
    assert running.result("s", "one") == running.result("s", "two")
    assert set(running.tries("s", "two")) == {1}


def test_points_that_a_killed_worker_had_finished_are_never_begun_again(running: Running) -> None:
    ask = sweep_of(0, 60, 120, 300)
    running.ask("s", ask)
    finished: list[int] = []
    for _ in range(3):
        with process(running.database, "point") as killed:
            killed.wait(timeout=LONG_S)
            assert killed.returncode == -signal.SIGKILL
        finished.append(sum(tries > 0 for tries in running.tries("s")))
    assert finished == [1, 2, 3]
    with running.worker():
        done = running.run_ended("s")
    assert (done.state, done.points_done) == (RunState.DONE, 4)
    # Each was killed just after it had finished a point, and began none twice.
    assert running.tries("s") == [1] * 6


def test_a_child_that_is_killed_is_started_again_but_not_for_ever(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    deaths = 1

    class Mortal(Child[PointTold]):
        def __init__(self, module: str, told: type[PointTold]) -> None:
            super().__init__(module, told)
            begun.append(self.pid)
            if len(begun) <= deaths:
                os.killpg(self.pid, signal.SIGKILL)

    monkeypatch.setattr(pointing, "Child", Mortal)
    running.ask("s", sweep_of(60))
    with running.worker():
        assert running.run_ended("s").state is RunState.DONE
        assert (len(begun), running.tries("s")) == (2, [2, 1, 1])
        deaths = 99
        running.ask("cursed", sweep_of(61))
        os.killpg(begun[-1], signal.SIGKILL)  # the one that was kept dies, and so does whoever comes after it
        failed = running.run_ended("cursed")
    assert (failed.state, failed.points_done) == (RunState.FAILED, 0)
    assert failed.error == "the process of point 1 ended by itself 3 times, the last time with -9"


def test_a_run_is_cancelled_at_once_and_its_worker_goes_on_with_another(running: Running) -> None:
    running.ask("runs", ENDLESS, firm="hard")
    running.ask("waits", ENDLESS.model_copy(update={"seed": 2}), firm="hard")
    assert [running.run(id, "hard").position for id in ("runs", "waits")] == [1, 2]
    with running.worker():
        until(lambda: running.tries("runs", "hard") == [1])
        assert running.stop("waits", "hard").state is RunState.CANCELLED
        assert running.stop("runs", "hard").state is RunState.CANCELLED
        assert running.stop("runs", "hard").state is RunState.CANCELLED
        running.ask("next", sweep_of(60))
        assert running.run_ended("next").state is RunState.DONE
        until(lambda: running.running() == [])
    assert running.tries("waits", "hard") == []
    assert running.run("runs", "hard").points_done == 0
    with pytest.raises(Ended, match="is done already"):
        running.stop("next")


def test_a_comparison_and_a_risk_come_to_what_they_do_here(running: Running) -> None:
    scenario = Scenario(
        name="Ann Secret is away", changes=(Away(person="Ann Secret", first_day=day(0), last_day=day(1)),)
    )
    ask = WhatIfAsk(scenario=scenario, work_units=0.02, today_work_units=0.02, rounds=0)
    risky = RiskAsk(draws=60, today_work_units=0.02)
    started = running.ask("w", ask)
    running.ask("r", risky)
    running.ask("wrong", WhatIfAsk(scenario=Scenario(changes=(Away(person="zed", first_day=day(0), last_day=day(1)),))))
    with running.worker():
        assert running.run_ended("w").error is None
        assert running.run_ended("r").error is None
        wrong = running.run_ended("wrong")
    assert wrong.state is RunState.FAILED
    assert "zed" in str(wrong.error)
    assert "Secret" not in running.run("w").asked.replace("⟦", "")
    made, solving = running.marked(), Solving(stop=lambda: WorkBudget(0.02))
    today = solving.plan(made, started.planned_at)
    by_id = Scenario(name="x", changes=(Away(person="ann", first_day=day(0), last_day=day(1)),))
    here = compare(Baseline(made, started.planned_at, today), by_id, solving=solving, rounds=0)
    found = WhatIfResult.model_validate_json(running.result("w"))
    assert found.comparison.significance == here.comparison.significance
    assert [item.person for item in found.plan_after.tasks] == [item.person for item in here.plan_after.tasks]
    assert found.comparison.name == "Ann Secret is away"
    _, _, drawn = simulated(made, today, chances_of(made), now=started.planned_at, draws=60)
    risk = RiskResult.model_validate_json(running.result("r"))
    assert risk.samples["late"] == tuple(drawn.late.tolist())
    assert risk.metrics["utilisation_pct"].mean == range_of(drawn.utilisation_pct).mean
    assert [json.loads(one.document or "")["draws"] for one in running.points("r")] == [50, 10]
    assert running.run("r").points == 2
    with running.database.reading("one") as session:
        raw = session.connection().exec_driver_sql("select document from point_results").scalars().all()
        asked = session.connection().exec_driver_sql("select asked from runs").scalars().all()
    assert "Secret" not in "".join([*raw, *asked])


def test_a_risk_is_drawn_with_what_the_time_sheets_say(running: Running) -> None:
    with running.turns.turn("one", now=NOW, actor="test") as turn:
        for number in range(4):
            turn.place(task(f"done{number}", hours=2))
            turn.log_time(f"e{number}", task=f"done{number}", person="ann", day=day(0), minutes=300)
            turn.change_task(f"done{number}", status=Status.DONE, completed_on=day(0))
    started = running.ask("r", RiskAsk(draws=60, today_work_units=0.02))
    with running.turns.turn("one", now=NOW, actor="test") as turn:
        turn.log_time("later", task="done0", person="ann", day=day(0), minutes=3_000)
    with running.worker():
        assert running.run_ended("r").error is None
    with running.database.reading("one") as session:
        made = firm_at(session, started.version, marked=True)
        learned = learned_of(session, as_of=day(0), version=started.version)
    assert learned is not None
    assert [one.tasks for one in learned.types] == [4]
    today = Solving(stop=lambda: WorkBudget(0.02)).plan(made, started.planned_at)
    drawn, by_figures = (
        simulated(made, today, odds, now=started.planned_at, draws=60)[2]
        for odds in (chances_of(made, learned), chances_of(made))
    )
    risk = RiskResult.model_validate_json(running.result("r"))
    assert risk.metrics["utilisation_pct"].mean == range_of(drawn.utilisation_pct).mean
    assert risk.metrics["utilisation_pct"].mean != range_of(by_figures.utilisation_pct).mean


def test_a_point_is_finished_once_by_whoever_has_it(running: Running) -> None:
    running.ask("s", sweep_of(60))
    with process(running.database, "opened") as killed:
        killed.wait(timeout=LONG_S)
    database = running.database
    first = claim_point(database, "one", "s", 0, "left", now=NOW)
    second = claim_point(database, "one", "s", 0, "right", now=NOW)
    assert first is not None
    assert second is not None
    assert (first.tries, second.tries, first.key) == (1, 2, second.key)
    assert finish_point(database, "one", "s", 0, "left", "{}", now=NOW) == (False, False)
    assert finish_point(database, "one", "s", 0, "right", "{}", now=NOW) == (True, True)
    assert finish_point(database, "one", "s", 0, "right", "{}", now=NOW) == (False, False)
    assert claim_point(database, "one", "s", 0, "right", now=NOW) is None


def test_a_firm_has_so_many_waiting_runs_and_sees_its_own_only(running: Running) -> None:
    for i in range(3):
        running.ask(f"s{i}", sweep_of(i), most_waiting=3)
    with pytest.raises(QueueFull, match='"3" runs of this firm wait already'):
        running.ask("s3", sweep_of(3), most_waiting=3)
    assert running.ask("s3", sweep_of(3), firm="two", most_waiting=3).position == 1
    running.stop("s1")
    assert [running.run(id).position for id in ("s0", "s1", "s2")] == [1, 0, 2]
    for read in (
        lambda: running.run("s0", "two"),
        lambda: running.points("s0", "two"),
        lambda: running.result("s0", "two"),
    ):
        with pytest.raises(NotFound):
            read()
    with running.turns.turn("two", now=NOW, actor="test") as turn, pytest.raises(NotFound):
        cancel_run(turn, "s0")
    with running.database.reading("two") as session:
        assert run_events_after(session, "s0", 0, 9) == []
        with pytest.raises(NotFound):
            points_of(session, "s0")
    assert PointState.WAITING not in {point.state for point in running.points("s0")}
