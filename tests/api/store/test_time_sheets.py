from __future__ import annotations

from datetime import UTC, datetime, timedelta

from api.store.database import Database
from api.store.loading import load_firm
from api.store.saving import create_firm
from api.store.time_sheets import learned_of, observations_of, time_entries
from api.store.turns import Turns
from solver.firm import Status
from solver.observations import Observation
from tests.firms_for_tests import MONDAY, day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


def test_what_was_logged_is_observed_with_who_did_it_and_the_estimate_first_given(database: Database) -> None:
    create_firm(database, "one", firm((person("ann"), person("bob"))), now=NOW, actor="test")
    create_firm(database, "two", firm((person("cat"),), (task("c", assignee="cat"),)), now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        for name in ("a", "b", "c"):
            turn.place(task(name, hours=None if name == "b" else 4))
        turn.change_task("b", estimate_min=100)
        turn.change_task("b", estimate_min=300)
        for number, (name, who, minutes) in enumerate((("a", "bob", 200), ("a", "ann", 100), ("b", "bob", 360))):
            turn.log_time(f"e{number}", task=name, person=who, day=day(number), minutes=minutes)
        for name in ("a", "b"):
            turn.change_task(name, status=Status.DONE, completed_on=MONDAY + timedelta(days=3))
    with database.reading("one") as session:
        assert [(one.task, one.person, one.minutes) for one in time_entries(session)] == [
            ("a", "bob", 200), ("a", "ann", 100), ("b", "bob", 360),
        ]  # fmt: skip
        usual = {"type": "return", "client": "acme", "finished_on": day(3)}
        assert observations_of(session, load_firm(session)) == (
            Observation.model_validate({"task": "a", "person": None, "estimate_min": 240, "logged_min": 300} | usual),
            Observation.model_validate({"task": "b", "person": "bob", "estimate_min": 100, "logged_min": 360} | usual),
        )
        learned = learned_of(session, as_of=day(4))
        assert learned is not None
        (level,) = learned.types
        assert (level.type, level.tasks) == ("return", 2)
        early = learned_of(session, as_of=day(2))
        assert early is not None
        assert early.types == ()
    with database.reading("two") as session:
        assert observations_of(session, load_firm(session)) == ()


def test_who_logged_nine_tenths_of_the_time_did_it_and_a_correction_hides_no_first_estimate(database: Database) -> None:
    """Also where an id of one firm is another one's, and where the first version of a task there is a later one here."""
    staff = firm((person("ann"), person("bob")))
    for one in ("two", "one"):
        create_firm(database, one, staff, now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("two", now=NOW, actor="test") as turn:
        for name in ("z", "y", "a", "b"):
            turn.place(task(name, hours=9))
    with turns.turn("one", now=NOW, actor="test") as turn:
        for name in ("a", "b"):
            turn.place(task(name, hours=4))
        for name in ("a", "b"):
            turn.change_task(name, estimate_min=600)
        for number, (name, who, minutes) in enumerate(
            (("a", "bob", 10), ("a", "ann", 60), ("a", "ann", 30), ("b", "bob", 89), ("b", "ann", 11))
        ):
            turn.log_time(f"e{number}", task=name, person=who, day=day(number), minutes=minutes)
    with database.reading("one") as session:
        assert [(one.task, one.person, one.day, one.minutes) for one in time_entries(session)] == [
            ("a", "bob", day(0), 10), ("a", "ann", day(2), 90), ("b", "bob", day(3), 89), ("b", "ann", day(4), 11),
        ]  # fmt: skip
        seen = observations_of(session, load_firm(session))
    assert [(one.task, one.person, one.estimate_min) for one in seen] == [("a", "ann", 240), ("b", None, 240)]
