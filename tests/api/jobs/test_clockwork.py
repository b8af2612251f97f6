from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from api.delivery.delivering import Post
from api.delivery.inbox import items_before
from api.delivery.rounds import keep_up
from api.delivery.topics import DESK
from api.jobs.clockwork import Clockwork, Regular, look, overloaded, self_check
from api.jobs.schedule import Due, Schedule
from api.measures import Measures
from api.sealing import Seal, new_key
from api.store.database import Database
from api.store.job_tables import SolveRecord
from api.store.retention import Keeping
from api.store.saving import create_firm
from api.store.schedules import keep_schedule
from api.store.solve_states import SolveKind, SolveState
from api.store.solves import MOST_WAITING, events_after, solves_before
from api.store.tables import AnswerRecord, OutboxRecord
from api.store.turns import Turns
from tests.api.jobs.solving import LONG_S, NOW, QUICK, Solving
from tests.firms_for_tests import firm, person, task

NIGHT = datetime(2027, 3, 2, 7, 0, tzinfo=UTC)
"""02:00 in New York, in the first night of the firms here."""
NOON = datetime(2027, 3, 3, 17, 0, tzinfo=UTC)
"""Noon of Wednesday there."""


def looked(solving: Solving, now: datetime) -> list[tuple[str, Due]]:
    return look(solving.database, solving.turns, solving.jobs, now=now)


def test_every_firm_is_solved_once_a_night(solving: Solving) -> None:
    assert looked(solving, NIGHT - timedelta(seconds=1)) == []
    assert looked(solving, NIGHT) == [("hard", Due.NIGHT), ("one", Due.NIGHT), ("two", Due.NIGHT)]
    assert looked(solving, NIGHT + timedelta(minutes=1)) == []
    other = look(solving.database, Turns(solving.database), solving.jobs, now=NIGHT + timedelta(minutes=1))
    assert other == []
    asked = solving.solve("night-2027-03-02")
    assert (asked.kind, asked.state, asked.actor) == (SolveKind.NIGHT, SolveState.QUEUED, "job:night")
    assert looked(solving, NIGHT + timedelta(days=1))[1] == ("one", Due.NIGHT)
    assert solving.solve("night-2027-03-03").position == 2


def test_a_clock_that_jumps_gives_no_firm_two_nights_and_takes_none_away(solving: Solving) -> None:
    night = ("one", Due.NIGHT)
    assert night in looked(solving, NIGHT)
    for by in (timedelta(hours=-3), timedelta(minutes=-1), timedelta(hours=2)):
        assert night not in looked(solving, NIGHT + by)
    future = NIGHT + timedelta(days=30)
    assert night in looked(solving, future)
    assert night not in looked(solving, future - timedelta(hours=20))
    # Set right again, nights go on; the day that was there before comes, and has its solve as well.
    for days in (1, 2, 3):
        assert night in looked(solving, NIGHT + timedelta(days=days))
        assert night not in looked(solving, NIGHT + timedelta(days=days, minutes=1))
    with solving.turns.turn("one", now=NOW, actor="test") as turn:
        keep_schedule(turn, Due.NIGHT.value, last_day=future.date() - timedelta(days=1))
    assert night in looked(solving, future)
    with solving.database.reading("one") as session:
        ids = {one.id for _, one in solves_before(session, None, 100) if one.kind is SolveKind.NIGHT}
    day = future.date().isoformat()
    assert {f"night-{day}", f"night-{day}-2"} <= ids


def test_what_was_kept_for_long_enough_goes_once_a_day_by_itself(solving: Solving) -> None:
    with solving.turns.turn("one", now=NOW, actor="test") as turn:
        turn.answer("old", "print", "answer")
    three = NIGHT + timedelta(hours=1)

    def answers() -> int:
        with solving.database.reading("one") as session:
            return len(session.scalars(select(AnswerRecord.key)).all())

    keep = Keeping(answers=timedelta(hours=1))
    for now, left in ((three - timedelta(seconds=1), 1), (three, 0)):
        look(solving.database, solving.turns, solving.jobs, now=now, keeping=keep)
        assert answers() == left
    with solving.turns.turn("one", now=NOW, actor="test") as turn:
        turn.answer("old", "print", "answer")
    for now, left in ((three + timedelta(hours=2), 1), (three + timedelta(days=1), 0)):
        look(solving.database, solving.turns, solving.jobs, now=now, keeping=keep)
        assert answers() == left


def test_steps_of_old_solves_are_dropped_at_night(solving: Solving) -> None:
    for id in ("old", "newer"):
        solving.start(id)
        solving.cancel(id)
    solving.start("waits")
    with solving.turns.turn("one", now=NOW + timedelta(days=2), actor="test") as turn:
        turn.draft.update(SolveRecord, {"id": "newer"}, ended_at=NOW + timedelta(days=2))

    def steps() -> list[int]:
        with solving.database.reading("one") as session:
            return [len(events_after(session, id, 0, 9)) for id in ("old", "newer", "waits")]

    assert steps() == [2, 2, 1]
    looked(solving, NIGHT + timedelta(days=30))
    assert steps() == [0, 2, 1]
    assert solving.solve("old").state is SolveState.CANCELLED


def test_a_firm_has_its_own_time_and_zone_and_may_do_without(solving: Solving) -> None:
    berlin = firm((person("ann"),)).model_copy(update={"time_zone": "Europe/Berlin"})
    create_firm(solving.database, "berlin", berlin, now=NOW, actor="test")
    own = {"two": Schedule(at=NIGHT.time().replace(hour=23)), "hard": Schedule(at=NIGHT.time(), enabled=False)}
    for id, schedule in own.items():
        with solving.turns.turn(id, now=NOW, actor="test") as turn:
            keep_schedule(turn, Due.NIGHT.value, document=schedule.model_dump_json())
    assert looked(solving, datetime(2027, 3, 2, 1, 0, tzinfo=UTC)) == [("berlin", Due.NIGHT)]
    assert looked(solving, datetime(2027, 3, 2, 4, 0, tzinfo=UTC)) == [("two", Due.NIGHT)]
    assert looked(solving, NIGHT) == [("one", Due.NIGHT)]


def test_mid_week_is_looked_at_and_solved_where_somebody_is_overloaded(solving: Solving) -> None:
    calm = firm((person("ann"),), (task("t", hours=2, due=20, assignee="ann"),))
    create_firm(solving.database, "calm", calm, now=NOW, actor="test")
    looked(solving, NOON - timedelta(minutes=1))
    done = looked(solving, NOON)
    assert {("one", Due.MIDWEEK), ("calm", Due.MIDWEEK)} <= set(done)
    assert looked(solving, NOON + timedelta(minutes=1)) == []
    assert solving.solve("midweek-2027-03-03").kind is SolveKind.MIDWEEK
    with solving.database.reading("calm") as session:
        assert [one.kind for _, one in solves_before(session, None, 10)] == [SolveKind.NIGHT]
    with solving.turns.view("calm", now=NOON) as view:
        assert not overloaded(view.board)


def test_a_night_with_a_full_queue_is_tried_again(solving: Solving, caplog: pytest.LogCaptureFixture) -> None:
    for i in range(MOST_WAITING):
        solving.start(f"s{i}", QUICK)
    assert ("one", Due.NIGHT) not in looked(solving, NIGHT)
    assert "what is due for one is not done yet" in caplog.text
    solving.cancel("s7")
    assert looked(solving, NIGHT + timedelta(minutes=1)) == [("one", Due.NIGHT)]


def test_a_board_that_differs_is_reported_to_log_and_world(solving: Solving, caplog: pytest.LogCaptureFixture) -> None:
    with solving.turns.turn("one", now=NOW, actor="test") as turn:
        board = turn.board
    assert self_check(solving.database, solving.turns, now=NOW) == {}
    board.ledger.promise(0, 0, 3, 60)
    with caplog.at_level(logging.ERROR):
        assert list(self_check(solving.database, solving.turns, now=NOW)) == ["one"]
    assert "slack of ann" in caplog.text
    assert told(solving.database, "self_check.differs")[0]["differences"]
    figures, seal = Measures(), Seal([new_key()])
    assert b"\nevenhand_self_check_differs 1.0\n" in figures.text(solving.database, now=NOW + timedelta(days=6))
    assert b"\nevenhand_self_check_differs 0.0\n" in Measures().text(solving.database, now=NOW + timedelta(days=9))
    keep_up(Post(solving.turns, seal), "one", now=NOW)
    with solving.database.reading("one") as session:
        (item,) = items_before(session, DESK, unread=True, before=None, limit=9)
    assert item.text.startswith("a board was not what is stored, and was built anew: ")
    assert "slack of ann" in item.text
    assert self_check(solving.database, solving.turns, now=NOW) == {}


def told(database: Database, topic: str) -> list[dict[str, list[str]]]:
    with database.reading("one") as session:
        asked = select(OutboxRecord.document).where(OutboxRecord.topic == topic)
        return [json.loads(one) for one in session.scalars(asked)]


def test_clockwork_goes_on_after_a_failure_and_ends_when_told(caplog: pytest.LogCaptureFixture) -> None:
    again, times = Event(), [0]

    def act() -> None:
        times[0] += 1
        if times[0] == 1:
            raise ZeroDivisionError
        again.set()

    clockwork = Clockwork([Regular(0.01, act)])
    clockwork.start()
    assert again.wait(LONG_S)
    clockwork.close()
    assert "ZeroDivisionError" in caplog.text
    done = times[0]
    assert done >= 2
