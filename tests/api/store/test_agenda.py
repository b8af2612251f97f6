"""What is due is found by one question, however many firms there are; nothing that is written can be forgotten by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text

from api.delivery.delivering import BACK_OFF, SPREAD, Post
from api.delivery.rounds import Rounds, next_moment
from api.delivery.webhooks import change, register, replay_one, replay_since
from api.jobs.clockwork import look
from api.jobs.queue import Jobs
from api.jobs.schedule import Due, Schedule
from api.sealing import Seal, new_key
from api.store.agenda import WHENEVER, Kind, due_firms, forget_takers, put_back, take
from api.store.database import Database
from api.store.job_tables import AgendaRecord
from api.store.log import By
from api.store.saving import create_firm
from api.store.schedules import keep_schedule
from api.store.tables import DeliveryRecord
from api.store.turns import Turns
from tests.firms_for_tests import firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
SEAL = Seal([new_key()])


@pytest.fixture
def turns(database: Database) -> Turns:
    for i in range(12):
        create_firm(database, f"f{i:02}", firm((person("ann"),)), now=NOW, actor="test")
    return Turns(database)


@contextmanager
def asked(database: Database) -> Iterator[list[str]]:
    """Collect the statements that read or write a table."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if re.search(r"\b(FROM|UPDATE|INSERT)\b", statement):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def settled(turns: Turns, kind: Kind, *, then: datetime | None = None) -> None:
    """Look at every firm once, and find nothing before ``then``."""
    for id in due_firms(turns.database, kind, now=NOW):
        taken = take(turns, id, kind, now=NOW)
        assert taken is not None
        put_back(turns, id, kind, taken, then=then, now=NOW)


def test_a_round_over_firms_that_have_nothing_due_is_one_question(turns: Turns) -> None:
    database = turns.database
    for kind in Kind:
        assert len(due_firms(database, kind, now=NOW)) == 12  # nobody has looked at them yet
        settled(turns, kind)
    rounds, jobs = Rounds(Post(turns, SEAL), now=lambda: NOW), Jobs(database)
    for act in (rounds.round, lambda: look(database, turns, jobs, now=NOW)):
        with asked(database) as statements:
            assert not act()
        assert len(statements) == 1, statements
    jobs.close()


def test_a_look_asks_about_the_firms_that_have_something_due_only(turns: Turns) -> None:
    database, jobs = turns.database, Jobs(turns.database)
    look(database, turns, jobs, now=NOW)
    with turns.turn("f03", now=NOW, actor="test") as turn:
        keep_schedule(turn, Due.NIGHT.value, document=Schedule(at=NOW.time(), enabled=False).model_dump_json())
    with asked(database) as statements:
        assert look(database, turns, jobs, now=NOW) == []
    one = len(statements)
    with turns.turn("f07", now=NOW, actor="test") as turn:
        turn.save_settings(firm((person("ann"),)).model_copy(update={"time_zone": "Europe/Berlin"}), reason="moved")
    assert due_firms(database, Kind.JOBS, now=NOW) == ["f07"]
    with asked(database) as statements:
        look(database, turns, jobs, now=NOW)
    assert 1 < len(statements) <= one + 1
    jobs.close()


def test_the_question_is_answered_from_an_index(turns: Turns) -> None:
    if not turns.database.embedded:
        with turns.database.engine.connect() as connection:
            connection.execute(text("set local enable_seqscan = off"))
            asked = "explain select firm_id from agenda where kind = 'post' and (at <= now() or at > now())"
            assert "ix_agenda_kind_at" in "".join(connection.scalars(text(asked)))
        return
    with turns.database.engine.connect() as connection:
        asked = "explain query plan select firm_id from agenda where kind = 'post' and (at <= '2027' or at > '2028')"
        assert "ix_agenda_kind_at" in " ".join(row[-1] for row in connection.execute(text(asked)))


def test_whatever_is_said_makes_its_firm_due_at_once_also_while_somebody_looks(turns: Turns) -> None:
    settled(turns, Kind.POST)
    with turns.turn("f03", now=NOW + timedelta(days=900), actor="test") as turn:  # whatever its clock says
        turn.place(task("t", due=10))
    assert due_firms(turns.database, Kind.POST, now=NOW) == ["f03"]
    taken = take(turns, "f03", Kind.POST, now=NOW)
    assert taken is not None
    assert take(turns, "f03", Kind.POST, now=NOW) is None
    assert due_firms(turns.database, Kind.POST, now=NOW) == []
    with turns.turn("f03", now=NOW, actor="test") as turn:
        turn.place(task("u", due=10))
    put_back(turns, "f03", Kind.POST, taken, then=None, now=NOW)
    assert due_firms(turns.database, Kind.POST, now=NOW) == ["f03"]


def test_whoever_took_a_firm_and_died_has_it_for_a_while_only(turns: Turns) -> None:
    settled(turns, Kind.POST)
    with turns.turn("f03", now=NOW, actor="test") as turn:
        turn.place(task("t", due=10))
    assert take(turns, "f03", Kind.POST, now=NOW) is not None
    assert due_firms(turns.database, Kind.POST, now=NOW + Kind.POST.taken) == ["f03"]
    if turns.database.embedded:
        assert due_firms(turns.database, Kind.POST, now=NOW) == []
        forget_takers(turns.database, now=NOW)
        assert due_firms(turns.database, Kind.POST, now=NOW) == ["f03"]


def test_a_clock_that_was_wrong_keeps_no_firm_from_being_looked_at(turns: Turns) -> None:
    for kind in Kind:
        settled(turns, kind, then=NOW + timedelta(days=4_000))
        at = select(AgendaRecord.at).where(AgendaRecord.kind == kind.word)
        with turns.database.reading("f01") as session:
            assert session.scalars(at).one() == NOW + kind.longest
        assert due_firms(turns.database, kind, now=NOW) == []
        assert len(due_firms(turns.database, kind, now=NOW + kind.longest)) == 12
        assert len(due_firms(turns.database, kind, now=NOW - timedelta(days=300))) == 12


def test_what_is_sent_again_or_later_has_its_moment(turns: Turns) -> None:
    with turns.turn("f03", now=NOW, actor="test") as turn:
        hook, _ = register(turn, "http://127.0.0.1:9/", topics=(), label="", seal=SEAL)
        turn.place(task("t", due=10), by=By.RULE)
    post, at = Post(turns, SEAL, private=True), [NOW]
    rounds = Rounds(post, now=lambda: at[0])

    def one_round() -> None:
        while due_firms(turns.database, Kind.POST, now=at[0]):  # what it hands out makes it look again
            rounds.round()
            rounds._firms.submit(lambda: None).result()
            for future in rounds._busy.values():
                future.result()

    one_round()
    moment = next_moment(post, "f03", now=NOW)
    assert moment is not None
    assert BACK_OFF[0] <= moment - NOW <= BACK_OFF[0] * (1 + SPREAD)
    assert due_firms(turns.database, Kind.POST, now=moment - timedelta(seconds=1)) == []
    assert due_firms(turns.database, Kind.POST, now=moment) == ["f03"]
    for again in (
        lambda turn: replay_one(turn, hook, 1),
        lambda turn: change(turn, hook, expected=None, enabled=True),
        lambda turn: (turn.draft.update(DeliveryRecord, {"number": 1}, status="failed"), replay_since(turn, hook, NOW)),
    ):
        settled(turns, Kind.POST)
        assert due_firms(turns.database, Kind.POST, now=NOW) == []
        with turns.turn("f03", now=NOW, actor="test") as turn:
            again(turn)
        assert due_firms(turns.database, Kind.POST, now=NOW) == ["f03"]
    rounds._firms.shutdown()


def test_a_firm_begins_due(turns: Turns) -> None:
    with turns.database.reading("f05") as session:
        assert set(session.scalars(select(AgendaRecord.at))) == {WHENEVER}
