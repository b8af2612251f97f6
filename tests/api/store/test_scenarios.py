from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from api.store.database import Database
from api.store.points import add_points, begin_run, claim_point, finish_point, finish_run
from api.store.refusals import Changed, Ended, NotFound, Taken
from api.store.retention import prune
from api.store.run_states import NewPoint, RunState
from api.store.runs import NewRun, cancel_run, one_run, result_of, run_events_after, runs_before, start_run
from api.store.saving import create_firm
from api.store.scenarios import add_scenario, change_scenario, one_scenario, remove_scenario, scenarios_before
from api.store.tables import PointRecord, PointResultRecord, RunEventRecord, RunRecord
from api.store.turns import Turns
from scenarios.changes import Away, ClientLost, Scenario
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 20, tzinfo=UTC)
NEW = NewRun("sweep", "{}", 1, "engine 1")
AWAY = Scenario(
    name="Ann Lee is away",
    changes=(Away(person="Ann Lee", first_day=day(0), last_day=day(1)), ClientLost(client="acme", after=day(3))),
)


@pytest.fixture
def turns(database: Database) -> Turns:
    made = firm((person("ann", name="Ann Lee"), person("bob")), (task("t", assignee="ann"),))
    for id in ("one", "two"):
        create_firm(database, id, made, now=NOW, actor="test")
    return Turns(database)


def test_a_scenario_is_kept_without_names_and_changed_by_who_has_read_it(turns: Turns) -> None:
    with turns.turn("one", now=NOW, actor="mia") as turn:
        kept = add_scenario(turn, "s", AWAY, note="asked by Ann Lee")
        assert (kept.number, kept.version, kept.base_version, kept.created_by) == (1, 1, turn.version, "mia")
        with pytest.raises(Taken):
            add_scenario(turn, "s", AWAY)
    assert kept.scenario.changes[0] == Away(person="ann", first_day=day(0), last_day=day(1))
    assert (kept.scenario.name, kept.note) == (AWAY.name, "asked by Ann Lee")
    with turns.database.reading("one") as session:
        raw = session.connection().exec_driver_sql("select name, note, changes from scenarios").one()
    assert "Lee" not in "".join(raw)
    with turns.turn("one", now=NOW, actor="bob") as turn:
        turn.put(person("ann", name="Ann Ray"))
        changed = change_scenario(
            turn, "s", AWAY.model_copy(update={"changes": ()}), note="", base_version=9, expected=1
        )
        assert (changed.version, changed.base_version, changed.changed_by, changed.created_by) == (2, 9, "bob", "mia")
        with pytest.raises(Changed, match='Nearest: "2"'):
            change_scenario(turn, "s", AWAY, note="", expected=1)
        add_scenario(turn, "t", AWAY)
        start_run(turn, "r", NEW, scenario="t")
        with pytest.raises(NotFound):
            start_run(turn, "q", NEW, scenario="nobody's")
    with turns.database.reading("one") as session:
        assert [one.id for one in scenarios_before(session, None, 9)] == ["t", "s"]
        assert [one.id for one in scenarios_before(session, 2, 9)] == ["s"]
        assert [run.id for _, run in runs_before(session, None, 9, scenario="t")] == ["r"]
    with turns.turn("one", now=NOW, actor="bob") as turn:
        remove_scenario(turn, "t")
        assert one_run(turn.session, "r").scenario is None
        with pytest.raises(NotFound):
            one_scenario(turn.session, "t")
    with turns.turn("two", now=NOW, actor="eve") as turn:
        for act in (
            lambda: one_scenario(turn.session, "s"),
            lambda: change_scenario(turn, "s", AWAY, note=""),
            lambda: remove_scenario(turn, "s"),
        ):
            with pytest.raises(NotFound):
                act()


def done(turns: Turns, id: str, key: str) -> None:
    """Do a run of one point by hand."""
    with turns.turn("one", now=NOW, actor="test") as turn:
        start_run(turn, id, NEW._replace(asked=f'{{"id":"{id}"}}'))
    begin_run(turns.database, "one", id, now=NOW)
    add_points(turns.database, "one", id, 0, [NewPoint(0, "sweep", "{}", True, key)], now=NOW)
    if claim_point(turns.database, "one", id, 0, "me", now=NOW) is not None:
        assert finish_point(turns.database, "one", id, 0, "me", f'"{key} of ⟦ann⟧"', now=NOW) == (True, True)
    assert finish_run(turns.database, "one", id, now=NOW)
    assert not finish_run(turns.database, "one", id, now=NOW)


def test_a_run_is_asked_for_done_known_and_forgotten(turns: Turns) -> None:
    done(turns, "a", "k")
    with turns.turn("one", now=NOW, actor="test") as turn:
        same = start_run(turn, "same", NEW._replace(asked='{"id":"a"}'))
        assert (same.state, same.points_known, same.planned_at) == (RunState.DONE, 1, NOW.replace(minute=0))
        other = start_run(turn, "other", NEW._replace(asked='{"id":"a"}', engine="engine 2"))
        assert (other.state, other.position) == (RunState.QUEUED, 1)
        cancel_run(turn, "other")
        with pytest.raises(Taken):
            start_run(turn, "other", NEW)
        with pytest.raises(Ended, match="is done already"):
            cancel_run(turn, "a")
    done(turns, "b", "k")
    with turns.database.reading("one") as session:
        assert [run.points_known for _, run in runs_before(session, None, 9)] == [1, 0, 1, 0]
        assert {result_of(session, id) for id in ("a", "b", "same")} == {'"k of Ann Lee"'}
        assert [step.number for step in run_events_after(session, "a", 1, 9)] == [2, 3, 4]
    assert begin_run(turns.database, "one", "other", now=NOW) is None
    assert not add_points(turns.database, "one", "other", 0, [NewPoint(0, "sweep", "{}", True, "x")], now=NOW)
    with turns.turn("one", now=NOW, actor="test") as turn:
        start_run(turn, "waits", NEW)
    assert prune(turns, "one", now=NOW + timedelta(days=90)).runs == 0
    assert prune(turns, "one", now=NOW + timedelta(days=91)).runs == 4
    with turns.database.reading("one") as session:
        left = [
            session.scalars(select(func.count()).select_from(record)).one()
            for record in (RunRecord, PointRecord, PointResultRecord, RunEventRecord)
        ]
    assert left == [1, 0, 0, 1]
