"""Peers as child processes: what they tell, how it is read, and what is said of one that is not there."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from benchmarks import scaling
from benchmarks.peers import compare, cpsat, evenhand, rule, setup, trace
from benchmarks.peers.environment import ABSENT_EXIT, leave_if
from benchmarks.peers.export import generated
from benchmarks.peers.instance import Instance, write
from benchmarks.peers.methods import METHODS, Method
from benchmarks.peers.outcome import Outcome, outcome_of
from benchmarks.peers.scoring import Answer, objective_min
from benchmarks.peers.trace import Trace

ENOUGH = ["--seconds", "3600"]


@pytest.fixture(autouse=True)
def begun_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds count from the start of a process, which here has run other tests for long."""
    monkeypatch.setattr(trace, "STARTED_S", time.monotonic())


@pytest.fixture(scope="module")
def small() -> Instance:
    return generated(people=3, tasks=10, load=0.9, seed=1)


@pytest.fixture
def path(small: Instance, tmp_path: Path) -> str:
    write(small, tmp_path / "small.txt")
    return str(tmp_path / "small.txt")


def start(instance: Instance) -> Answer:
    return Answer(instance.start_who, instance.start_window)


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_our_engine_and_the_joint_model_agree_on_a_small_firm(
    small: Instance, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    evenhand.main([path, *ENOUGH])
    ours = outcome_of(small, lines_of(capsys))
    for flags in ([], ["--hint"]):
        cpsat.main([path, *ENOUGH, *flags])
        joint = outcome_of(small, lines_of(capsys))
        assert joint.best_min == joint.bound_min == ours.best_min == ours.bound_min


def test_the_rule_is_scored_like_everybody_else(small: Instance, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    rule.main([path])
    found = outcome_of(small, lines_of(capsys))
    assert found.best_min is not None
    assert found.best_min + int(small.unavoidable_min[0]) >= objective_min(small, start(small))
    assert found.bound_min is None


def test_a_trace_keeps_the_last_plan_of_each_quarter_of_a_second(small: Instance) -> None:
    seconds = iter([0.1, 0.2, 0.3, 0.9, 1.0])
    told: list[str] = []
    trace = Trace(clock=lambda: next(seconds), write=told.append)
    for objective in (9, 8, 7, 6):
        trace.stands_at(objective)
    trace.close(bound_min=5)
    assert [json.loads(line) for line in told] == [
        {"seconds": 0.2, "objective_min": 8},
        {"seconds": 0.3, "objective_min": 7},
        {"seconds": 0.9, "objective_min": 6},
        {"seconds": 1.0, "bound_min": 5},
    ]


def line(small: Instance, seconds: float, **more: int) -> str:
    who, window = small.start_who.tolist(), small.start_window.tolist()
    return json.dumps({"seconds": seconds, "who": who, "window": window, **more})


def test_a_peer_that_solves_another_problem_is_found_out(small: Instance) -> None:
    true_min = objective_min(small, start(small))
    assert outcome_of(small, ["greeting", line(small, 1.0, objective_min=true_min)]).took_s == 1.0
    with pytest.raises(ValueError, match="it solves another problem"):
        outcome_of(small, [line(small, 1.0, objective_min=true_min - 100)])


def test_marks_hold_the_best_plan_by_then_and_the_limit_what_the_run_ended_with() -> None:
    outcome = Outcome(trace=[(8.0, 50), (12.0, 40), (60.4, 30)])
    assert compare.marks(outcome, 60.0) == {"at_10_s": 50, "at_60_s": 30}
    assert compare.marks(outcome, 300.0) == {"at_10_s": 50, "at_60_s": 40, "at_300_s": 30}
    assert compare.marks(Outcome(), 10.0) == {"at_10_s": None}


def test_a_long_trace_is_thinned_evenly_in_log_time() -> None:
    outcome = Outcome(trace=[(0.25 * i, 10_000 - i) for i in range(1, 1_001)])
    thin = outcome.thinned()
    assert 30 <= len(thin) <= 62
    assert (thin[0], thin[-1]) == (outcome.trace[0], outcome.trace[-1])


def test_an_absent_peer_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Method("rule", "gone", "rule", (), lambda: f"not set up. Maybe run: python -m {setup.__name__}")
    monkeypatch.setattr(compare, "METHODS", (gone,))
    assert compare.main(["--people", "2", "--tasks", "3", "--seeds", "1", "--methods", "rule"]) == 1
    assert "absent: gone: not set up. Maybe run: python -m benchmarks.peers.setup" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        leave_if(gone.lacking(), "gone")
    assert left.value.code == ABSENT_EXIT


def test_a_run_in_a_child_process_is_scored_and_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: list[dict[str, object]] = []
    monkeypatch.setattr(compare, "record", lambda name, **row: kept.append({"benchmark": name, **row}))
    assert (
        compare.main(["--people", "3", "--tasks", "10", "--seeds", "1", "--seconds", "600", "--methods", "rule"]) == 0
    )
    assert "routing rule" in capsys.readouterr().out
    assert kept[0]["method"] == "rule"
    assert kept[0]["at_600_s"] is not None


def test_a_peer_that_fails_says_why(small: Instance, tmp_path: Path) -> None:
    broken = Method("rule", "broken", "rule")
    with pytest.raises(RuntimeError, match="FileNotFoundError"):
        compare.run(broken, small, tmp_path / "nowhere.txt", 600.0, 0)


def test_every_method_has_a_name_of_its_own() -> None:
    assert len({method.name for method in METHODS}) == len(METHODS)


def test_versions_of_the_peers_are_pinned() -> None:
    for pin in setup.CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", pin), pin
    named = {pin.partition("==")[0] for pin in setup.CONSTRAINTS.read_text(encoding="utf-8").splitlines()}
    assert set(setup.PACKAGES) <= named


def test_scaling_goes_through_every_stage() -> None:
    found = scaling.measure(3, 10, seed=0)
    assert set(found) == {
        "generate_s", "board_s", "problem_s", "plan_s", "bound_s", "plan_mib", "peak_mib", "bound_by"
    }  # fmt: skip
    assert found["bound_by"] == "relaxation"
