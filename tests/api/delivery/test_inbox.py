from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.delivery.handing_out import hand_out
from api.delivery.inbox import items_before, mark_read, unread_of
from api.delivery.topics import DESK, TOPICS, readers, require_topics, wanted
from api.store.database import Database
from api.store.refusals import NotFound
from api.store.saving import create_firm
from api.store.turns import Turns
from solver.firm import Client
from solver.refusal import Refused
from tests.firms_for_tests import firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


@pytest.fixture
def turns(database: Database) -> Turns:
    staff = (person("ann", name="Ann Lee"), person("bob", name="Bob Ray"))
    clients = (Client(id="acme", name="Acme Bakery"),)
    create_firm(database, "one", firm(staff, (), clients=clients), now=NOW, actor="test")
    return Turns(database)


def texts(turns: Turns, reader: str, **more: Any) -> list[str]:
    hand_out(turns, "one", now=NOW)
    with turns.database.reading("one") as session:
        found = items_before(session, reader, **{"unread": None, "before": None, "limit": 99, **more})
    return [one.text for one in found]


def test_everybody_is_told_of_their_own_work_and_the_desk_of_what_waits(turns: Turns) -> None:
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t", hours=4.5))
        turn.place(task("held", hours=None))
        turn.place(task("long", hours=900))
        turn.assign("t", "bob", reason="knows the client")
        turn.assign("t", None, reason="rather not")
        turn.change_task("held", estimate_min=60)
    assert texts(turns, "ann")[-2:] == [
        "t goes to Bob Ray from now on",
        "t is yours: return for Acme Bakery, 4 h 30, due 2027-03-05",
    ]
    assert texts(turns, "bob")[-2:] == [
        "t is not yours any more",
        "t is yours: return for Acme Bakery, 4 h 30, due 2027-03-05",
    ]
    assert texts(turns, DESK) == [
        "the hold of held has ended: now placed",
        "nobody can take long: return for Acme Bakery, 900 h, due 2027-03-05",
        "held waits for its estimate: return for Acme Bakery, 1 h, due 2027-03-05",
    ]


def test_messages_are_read_once_and_counted(turns: Turns) -> None:
    with turns.turn("one", now=NOW, actor="test") as turn:
        for i in range(3):
            turn.place(task(f"t{i}", hours=1, requested_person="ann"))
    assert len(texts(turns, "ann", limit=2)) == 2
    assert [text.split()[0] for text in texts(turns, "ann", before=2)] == ["t0"]
    for marked in (2, 1):
        with turns.turn("one", now=NOW, actor="token:x") as turn:
            assert mark_read(turn, "ann", [1, 2] if marked == 2 else [2, 3, 99]) == marked
            assert mark_read(turn, "bob", [1, 2, 3]) == 0
    with turns.database.reading("one") as session:
        assert unread_of(session, "ann") == 0
        items = items_before(session, "ann", unread=False, before=None, limit=9)
    assert [(one.read_at, one.read_by) for one in items] == [(NOW, "token:x")] * 3
    assert texts(turns, "ann", unread=True) == []
    for nobody in ("amn", "a\x00"):
        with pytest.raises(Refused):
            texts(turns, nobody)
    with turns.turn("one", now=NOW, actor="x") as turn, pytest.raises(NotFound, match='Nearest: "ann"'):
        mark_read(turn, "amn", [1])


def test_a_task_that_is_gone_is_still_told_of(turns: Turns) -> None:
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t", requested_person="ann"))
        turn.save(turn.board.firm.model_copy(update={"tasks": ()}))
    assert texts(turns, "ann") == ["t is yours"]


def test_every_topic_reaches_somebody_or_is_for_other_systems() -> None:
    silent = {topic for topic in TOPICS if not readers(topic, {"person": "ann"})}
    runs = {"run.done", "run.cancelled", "run.failed"}
    assert silent == {"proposal.superseded", "solve.done", "solve.cancelled", "webhook.test"} | runs
    assert readers("solve.finished", {}) == ()
    assert readers("task.assigned", {"person": "bob", "from_person": "ann"}) == ("bob", "ann")
    assert readers("task.placed", {"person": "ann"}) == ("ann",)


def test_topics_are_asked_for_one_by_one_by_kind_or_all() -> None:
    assert wanted([], "task.placed")
    assert wanted(["task.*"], "task.placed")
    assert wanted(["hold.ended", "task.placed"], "task.placed")
    assert not wanted(["task.held", "proposal.*"], "task.placed")
    require_topics(["task.*", "webhook.test"])
    with pytest.raises(Refused, match=r'Nearest: "task\.\*"'):
        require_topics(["tasks.*"])
