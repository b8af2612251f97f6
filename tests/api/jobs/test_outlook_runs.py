"""The year ahead and the past as runs: what workers come to is what the command line comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.jobs.asks import ReplayAsk, SeasonAsk
from api.store.boards import labels_of
from api.store.database import Database
from api.store.loading import load_firm
from api.store.names import named_json
from api.store.past import days_of, read_past
from api.store.run_states import Run, RunState
from api.store.turns import Turns
from scenarios.changes import ExtraHours, Scenario
from scenarios.firm_changes import PolicySet
from scenarios.past import Past, Terms
from scenarios.past_outcome import PastOutcome
from scenarios.past_replay import outcome, play
from scenarios.recurring import year_ahead
from scenarios.season import season
from scenarios.season_figures import Season
from solver.calendar import local_now
from solver.firm import Firm
from tests.api.jobs.running import Running
from tests.api.week_for_tests import at, guarded_week
from tests.firms_for_tests import MONDAY, day

NO_GUARDRAIL = (PolicySet(name="guardrail.complex_level", value=None),)


@pytest.fixture
def running(database: Database) -> Iterator[Running]:
    running = Running(database)
    yield running
    running.close()


@pytest.fixture
def week(database: Database) -> Iterator[Running]:
    """A database with the planted week."""
    guarded_week(Turns(database))
    running = Running(database, begun=True)
    yield running
    running.close()


def read(database: Database) -> Past:
    with database.reading("one") as session:
        first, last = days_of(load_firm(session), MONDAY, day(6))
        return read_past(session, first=first, last=last)


def test_a_season_comes_to_what_it_does_here_with_names_and_with_the_changes_of_a_scenario(running: Running) -> None:
    longer = Scenario(changes=(ExtraHours(first_day=day(0), last_day=day(4), per_week_min=600, people=("ann", "bob")),))
    started = running.ask("plain", SeasonAsk(days=7))
    running.ask("longer", SeasonAsk(days=7, scenario=longer))
    assert (started.kind, started.points) == ("season", 1)
    with running.worker():
        for id in ("plain", "longer"):
            assert running.run_ended(id).error is None

    def here(made: Firm) -> Season:
        now = local_now(made, started.planned_at)
        return season(year_ahead(made, now=now, days=7), now=now)

    with running.database.reading("one") as session:
        whole = load_firm(session)
    plain, more = (Season.model_validate_json(running.result(id)) for id in ("plain", "longer"))
    assert plain == here(whole)
    assert more == here(longer.apply(whole))
    assert more.open_min == plain.open_min + 2 * 600
    assert [point.document is not None for point in running.points("plain")] == [True]
    assert running.ask("again", SeasonAsk(days=7)).state is RunState.DONE


def test_a_past_week_comes_to_what_it_does_here_and_rests_on_what_was_known_when_it_was_asked(week: Running) -> None:
    past, ask = read(week.database), ReplayAsk(first_day=MONDAY, last_day=day(6), changes=NO_GUARDRAIL)
    started = asked(week, "other", ask)
    asked(week, "control", ask.model_copy(update={"changes": ()}))
    with week.turns.turn("one", now=at(14, 10), actor="test") as turn:  # corrected behind them
        turn.log_time("late", task="first", person="ann", day=day(3), minutes=400)
    assert read(week.database) != past
    with week.worker():
        for id in ("other", "control"):
            assert week.run_ended(id).error is None
    assert (started.points, week.run("control").points, week.run("other").points_done) == (3, 1, 3)
    terms = Terms(name="the other policy", settings=NO_GUARDRAIL)
    was, before, after = play(past, Terms()), play(past, Terms(), anew=True), play(past, terms, anew=True)
    with week.database.reading("one") as session:
        labels = labels_of(session)
    for id, here in (("other", outcome(past, was, (before, after))), ("control", outcome(past, was))):
        assert json.loads(week.result(id)) == json.loads(named_json(here.model_dump_json(), labels))
    found = PastOutcome.model_validate_json(week.result("other"))
    assert found.comparison is not None
    assert [one.escalations for one in found.comparison.whole] == [1, 0]
    assert [one.utilisation_pct for one in found.comparison.whole] == [50.0, 75.0]
    assert (found.control.recorded, found.control.share_pct) == (3, 100.0)
    assert "Bob Cole" in week.result("other")
    with week.database.reading("one") as session:
        raw = session.connection().exec_driver_sql("select document from point_results").scalars().all()
    assert "Cole" not in "".join(raw)


def test_a_period_before_the_firm_is_the_failure_of_its_run(week: Running) -> None:
    asked(week, "r", ReplayAsk(first_day=MONDAY - timedelta(days=9), last_day=MONDAY - timedelta(days=3)))
    with week.worker():
        failed = week.run_ended("r")
    assert failed.state is RunState.FAILED
    assert "is before the firm was in the database" in str(failed.error)


def asked(week: Running, id: str, ask: ReplayAsk) -> Run:
    with week.turns.turn("one", now=at(14), actor="test") as turn:
        return week.jobs.start_run(turn, id, ask)
