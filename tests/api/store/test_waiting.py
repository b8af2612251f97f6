from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import By, entries_of, verify
from api.store.parts import PartKind
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.tables import ExceptionRecord, OutboxRecord
from api.store.turns import Turns
from api.store.waiting import exceptions_after, one_exception
from solver.firm import Firm, Overtime, Status, Task, TimeOff
from solver.plan import Outcome
from solver.policy import MissingEstimate
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
"""Nine in the morning, local."""
AWAY = TimeOff(person="bob", first_day=day(0), last_day=day(4))


def begun(database: Database, *tasks: Task, id: str = "one", **more: object) -> Turns:
    """Ann and Bob, eight hours a day; Ann's week is full with three tasks."""
    full = tuple(task(f"full{i}", hours=13, due=4, assignee="ann") for i in range(3))
    people = (person("ann", name="Ann Lee"), person("bob", name="Bob Ray"))
    create_firm(database, id, firm(people, (*full, *tasks), **more), now=NOW, actor="test")
    return Turns(database)


def holders(turns: Turns, id: str = "one") -> dict[str, str | None]:
    with turns.database.reading(id) as session:
        return {one.id: one.assignee for one in load_firm(session).tasks}


def told(turns: Turns, id: str = "one") -> list[tuple[str, dict[str, Any]]]:
    with turns.database.reading(id) as session:
        asked = select(OutboxRecord.topic, OutboxRecord.document).order_by(OutboxRecord.number)
        return [(topic, json.loads(document)) for topic, document in session.execute(asked)]


def closed(turns: Turns, id: str = "one") -> list[tuple[str, str, str | None]]:
    with turns.database.reading(id) as session:
        asked = select(ExceptionRecord.kind, ExceptionRecord.task, ExceptionRecord.closed_how)
        rows = session.execute(asked.order_by(ExceptionRecord.number))
        return [(row.kind, row.task, row.closed_how) for row in rows]


def test_a_hold_is_routed_in_the_turn_in_which_its_estimate_arrives(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        number = turn.place(task("t", hours=None)).number
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        turn.change_task("t", priority="high")
        assert turn.board.known["t"].assignee is None
        after, version = turn.change_task("t", estimate_min=60)
    assert (after.assignee, after.estimate_min, version) == ("bob", 60, turn.version)
    assert closed(turns) == [("hold", "t", "now placed")]
    assert [topic for topic, _ in told(turns)] == ["task.held", "hold.ended", "task.placed"]
    assert told(turns)[1][1] == {"hold": number, "task": "t", "how": "now placed"}
    with turns.database.reading("one") as session:
        entries = entries_of(session, "t")
        assert [(one.outcome, one.actor) for one in entries] == [("held", "test"), ("placed", "m-1")]
        assert all(replay(session, one.number).same for one in entries)
    assert turns.self_check("one") == ()


def test_a_hold_whose_estimate_is_too_long_becomes_an_escalation(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t", hours=None))
        after, _ = turn.change_task("t", estimate_min=6_000)
    assert after.assignee is None
    assert closed(turns) == [("hold", "t", "now escalated"), ("escalation", "t", None)]
    assert turns.self_check("one") == ()


def test_holds_end_when_the_firm_chooses_the_default_of_the_type(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        kind = turn.board.types["return"].model_copy(update={"default_estimate_min": 90})
        turn.place(task("t", hours=None))
        turn.put(kind)
        made = turn.board.firm
        policy = made.policy.model_copy(update={"missing_estimate": MissingEstimate.TYPE_DEFAULT})
        turn.save_settings(Firm.model_validate(made.model_dump() | {"policy": policy.model_dump()}), reason="no holds")
    assert holders(turns)["t"] == "bob"
    with turns.database.reading("one") as session:
        assert entries_of(session, "t")[-1].document["again"] == "the policy was changed"


CAPACITY: list[tuple[str, Any, str]] = [
    ("time off ends", lambda turn, off: turn.remove(PartKind.TIME_OFF, off), "time off .* was removed"),
    (
        "time off is shorter",
        lambda turn, off: turn.put(AWAY.model_copy(update={"last_day": day(1)}), id=off),
        "time off .* was changed",
    ),
    ("somebody comes", lambda turn, off: turn.put(person("cat")), "person cat was changed"),
    (
        "overtime",
        lambda turn, off: turn.put(
            Overtime(first_day=day(0), last_day=day(4), extra_min=(240, 240, 240, 240, 240, 0, 0))
        ),
        "overtime .* was changed",
    ),
    (
        "work is done",
        lambda turn, off: turn.change_task("full0", status=Status.DONE, completed_on=day(0)),
        "full0 is done",
    ),
    ("work is cancelled", lambda turn, off: turn.change_task("full0", status=Status.CANCELLED), "full0 is cancelled"),
    (
        "work is given to another",
        lambda turn, off: turn.assign("full0", "bob", reason="later"),
        "full0 was given to another",
    ),
    ("work is removed", lambda turn, off: turn.remove(PartKind.TASK, "full0"), "task full0 was removed"),
]


def test_an_escalation_is_placed_when_capacity_appears_and_says_so(database: Database) -> None:
    for place, (_, act, why) in enumerate(CAPACITY):
        placed_with(begun(database, id=f"firm-{place}"), f"firm-{place}", act, why)


def placed_with(turns: Turns, id: str, act: Any, why: str) -> None:
    with turns.turn(id, now=NOW, actor="test") as turn:
        off = f"time_off-{turn.put(AWAY)}"
        number = turn.place(task("t", hours=10, due=4)).number
    assert holders(turns, id)["t"] is None
    with turns.turn(id, now=NOW, actor="m-1") as turn:
        act(turn, off)
    assert holders(turns, id)["t"] is not None
    assert closed(turns, id) == [("escalation", "t", "now placed")]
    ended, placed = told(turns, id)[-2:]
    assert ended == ("escalation.ended", {"escalation": number, "task": "t", "how": "now placed"})
    assert placed[0] == "task.placed"
    with turns.database.reading(id) as session:
        entry = entries_of(session, "t")[-1]
        assert (entry.outcome, entry.decided_by, entry.actor) == ("placed", By.RULE, "m-1")
        assert entry.document["again"] == placed[1]["again"]
        assert re.search(why, entry.document["again"])
        assert replay(session, entry.number).same
        assert verify(session).broken is None
    assert turns.self_check(id) == ()


def test_a_change_of_the_task_itself_places_an_escalation(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(AWAY)
        turn.place(task("t", hours=10, due=4))
        assert turn.change_task("t", priority="high")[0].assignee is None
        assert turn.change_task("t", deadline=day(11))[0].assignee is not None
    assert closed(turns) == [("escalation", "t", "now placed")]


def test_what_still_has_no_place_waits_on_without_another_entry(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(AWAY)
        number = turn.place(task("t", hours=20, due=4)).number
        before = len(told(turns))
        turn.put(person("cat", skills=()))
    with turns.database.reading("one") as session:
        assert verify(session).entries == number
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.retry("somebody asked") == []
        again = turn.place_again("t")  # somebody insists: logged, but the same escalation
    assert again.decision.outcome is Outcome.ESCALATED
    assert closed(turns) == [("escalation", "t", None)]
    assert len(told(turns)) == before + 2
    with turns.database.reading("one") as session:
        assert one_exception(session, "escalation", number).closed_at is None


def test_the_most_urgent_gets_the_room_first(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        off = f"time_off-{turn.put(AWAY)}"
        for id, more in (("late", {"due": 5}), ("soon", {"due": 4}), ("critical", {"due": 5, "priority": "critical"})):
            turn.place(task(id, hours=19, **more))
        turn.place(task("hold", hours=None))
        turn.remove(PartKind.TIME_OFF, off)
    found = holders(turns)
    assert (found["critical"], found["soon"], found["late"], found["hold"]) == ("bob", "bob", None, None)
    with turns.database.reading("one") as session:
        waiting = exceptions_after(session, "escalation", open=True, task=None, after=None, limit=9)
        assert [one.task for one in waiting] == ["late"]
        assert [one.task for one in exceptions_after(session, "hold", open=None, task="hold", after=0, limit=9)] == [
            "hold"
        ]
        over = exceptions_after(session, "escalation", open=False, task=None, after=None, limit=9)
        assert [one.task for one in over] == ["soon", "critical"]


def test_a_request_that_could_not_be_met_is_tried_again_too(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(person("cat", name="Cat Kim", skills=()))
        assert turn.place(task("t", requested_person="cat")).decision.outcome is Outcome.ESCALATED
        turn.put(person("dan"))
        assert turn.board.known["t"].assignee is None
        turn.put(person("cat", name="Cat Kim"))
    assert holders(turns)["t"] == "cat"
    with turns.database.reading("one") as session:
        assert entries_of(session, "t")[-1].decided_by is By.CLIENT_REQUEST
    assert turns.self_check("one") == ()
