from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from api.delivery.handing_out import hand_out
from api.delivery.webhooks import register
from api.roles import Role
from api.sealing import Seal, new_key
from api.store.database import FIRM_SETTING, Database, Limits
from api.store.job_tables import WorkerRecord
from api.store.loading import firm_at, load_firm, task_at
from api.store.log import read, verify
from api.store.points import add_points, claim_point, finish_point
from api.store.proposal_states import begin
from api.store.refusals import NotFound
from api.store.run_states import NewPoint
from api.store.runs import NewRun, start_run
from api.store.saving import create_firm
from api.store.scenarios import add_scenario
from api.store.secrets import keep_secret
from api.store.solve_states import SolveAsk
from api.store.solves import start_solve
from api.store.suggestions import dismiss
from api.store.tables import FirmRecord, OfFirm, OutboxRecord, Record, TaskRecord
from api.store.tokens import create_token
from api.store.turns import Turns
from scenarios.changes import Scenario
from solver.learnt import Change, Kind, Ratio, Suggestion
from solver.plan import Move, Proposal
from solver.refusal import Refused
from tests.firms_for_tests import day, firm, person, task
from tests.postgres_for_tests import APPLICATION, Server

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
PROPOSAL = Proposal(
    id="m",
    moves=(Move(task="t", from_person="ann", to_person="ann"),),
    gain_min=1,
    gain_per_move_min=1,
    loads=(),
    reason="",
)
SUGGESTION = Suggestion(
    kind=Kind.DEFAULT_ESTIMATE,
    key="default_estimate:return",
    type="return",
    changes=(Change(id="return", before=60, after=90),),
    ratio=Ratio(ratio=1.5, low=1.4, high=1.6),
    tasks=9,
    sentence="It takes longer.",
)
OF_FIRM = [table for table in Record.metadata.sorted_tables if "firm_id" in table.c]


@pytest.fixture
def turns(database: Database) -> Turns:
    """Two firms; of ``two`` every id is known to ``one``."""
    turns = Turns(database)
    for id in ("one", "two"):
        create_firm(
            database, id, firm((person(f"{id}-ann"),), (task(f"{id}-t", assignee=f"{id}-ann"),)), now=NOW, actor="test"
        )
    with turns.turn("two", now=NOW, actor="test") as turn:
        turn.place(task("two-new"))
        turn.place(task("two-hold", hours=None))
        turn.log_time("two-e", task="two-t", person="two-ann", day=day(0), minutes=5)
        turn.answer("two-key", "print", "secret")
    return turns


def test_every_table_with_anything_of_a_firm_is_fenced_off_by_firm() -> None:
    others = {table.name for table in Record.metadata.sorted_tables} - {table.name for table in OF_FIRM}
    assert others == {"firms", "workers"}
    for mapper in Record.registry.mappers:
        assert mapper.class_ in (FirmRecord, WorkerRecord) or issubclass(mapper.class_, OfFirm)
    assert {column.name for column in WorkerRecord.__table__.columns} == {"id", "started_at", "beat_at"}


def test_another_firms_ids_give_nothing(turns: Turns) -> None:
    with turns.database.reading("one") as session:
        assert [one.id for one in load_firm(session).tasks] == ["one-t"]
        assert task_at(session, "two-t", 1_000) is None
        assert verify(session).entries == 0
        with pytest.raises(NotFound):
            read(session, 1)
        assert len(firm_at(session, 3).tasks) <= 1
    with turns.turn("one", now=NOW, actor="test") as turn:
        for act in (
            lambda: turn.change_task("two-t", estimate_min=5),
            lambda: turn.assign("two-t", "one-ann", reason="theirs"),
            lambda: turn.assign("one-t", "two-ann", reason="theirs"),
            lambda: turn.place_again("two-hold", estimate_min=5),
            lambda: turn.log_time("e", task="two-t", person="one-ann", day=day(0), minutes=5),
            lambda: turn.log_time("e", task="one-t", person="two-ann", day=day(0), minutes=5),
            lambda: turn.end_exception(2, how="dropped", reason="theirs"),
            lambda: turn.add(task("n", assignee="two-ann")),
        ):
            with pytest.raises(NotFound):
                act()
        with pytest.raises(Refused, match="reviews"):
            turn.place(task("n", reviews="two-t"))
        assert turn.answered("two-key", "print") is None


def test_the_same_ids_in_two_firms_are_two_things(turns: Turns) -> None:
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.place(task("two-new")).task.assignee == "one-ann"
        assert turn.place(task("two-hold")).task.assignee == "one-ann"
        turn.answer("two-key", "other", "mine")
    with turns.database.reading("two") as session:
        tasks = {one.id: one.assignee for one in load_firm(session).tasks}
    assert tasks == {"two-t": "two-ann", "two-new": "two-ann", "two-hold": None}


def test_a_session_adds_its_firm_to_whatever_is_asked(turns: Turns) -> None:
    other = aliased(TaskRecord)
    with turns.database.reading("one") as session:
        assert session.scalars(select(TaskRecord.id)).all() == ["one-t"]
        assert session.scalars(select(other.id).where(other.id == "two-t")).all() == []
        assert session.scalars(select(func.count()).select_from(TaskRecord)).one() == 1
        inside = select(TaskRecord.firm_id).where(TaskRecord.id == "two-t").scalar_subquery()
        assert session.scalars(select(FirmRecord.id).where(FirmRecord.id == inside)).all() == []
        assert session.scalars(select(FirmRecord.id)).all() == ["one"]
    with turns.database.writing("one") as session:
        session.execute(update(OutboxRecord).values(attempts=99))
        session.execute(delete(OutboxRecord))
    with turns.database.reading("two") as session:
        assert session.scalars(select(OutboxRecord.attempts)).all() == [0, 0]


def test_a_reading_session_cannot_write(turns: Turns) -> None:
    with turns.database.reading("one") as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(update(TaskRecord).values(place=0))


# The second fence, without the first: plain statements on PostgreSQL, as a role that is no superuser.


@pytest.fixture
def fenced(server: Server) -> Iterator[Database]:
    url = server.migrated(user=APPLICATION)
    database = Database(url)
    yield database
    database.close()
    server.drop(url)


@pytest.fixture
def two(fenced: Database) -> Database:
    turns = Turns(fenced)
    for id in ("one", "two"):
        made = firm((person("ann"),), (task("t", assignee="ann"),))
        create_firm(fenced, id, made, now=NOW, actor="test")
        with turns.turn(id, now=NOW, actor="test") as turn:
            turn.place(task("new"))
            turn.place(task("hold", hours=None))
            turn.log_time("e", task="t", person="ann", day=day(0), minutes=5)
            turn.answer("key", "print", "secret")
            register(turn, "https://example.com", topics=[], label="", seal=Seal([new_key()]))
            start_solve(turn, "s", SolveAsk())
            dismiss(turn, SUGGESTION, reason="theirs")
            add_scenario(turn, "w", Scenario(name="what if"))
            start_run(turn, "r", NewRun("sweep", "{}", 1, "engine"), scenario="w")
            with turn.whole():
                begin(turn.draft, "p", PROPOSAL, plan=None, expires_at=NOW, facts="{}")
        add_points(fenced, id, "r", 0, [NewPoint(0, "sweep", "{}", True, "key")], now=NOW)
        claim_point(fenced, id, "r", 0, "worker", now=NOW)
        finish_point(fenced, id, "r", 0, "worker", "{}", now=NOW)
        hand_out(turns, id, now=NOW)
        create_token(fenced, id, Role.OWNER, now=NOW, days=1)
        with fenced.writing(id) as session:
            keep_secret(session, Seal([new_key()]), "hook", "secret", now=NOW)
    return fenced


EMPTY = {"plans", "calendar_entries", "incumbents", "schedules", "users", "sessions", "sign_ins"}
"""Fenced off by the same lines of the migrations as the others."""


def test_nearly_every_table_has_rows_of_both_firms_to_be_kept_apart(two: Database) -> None:
    for table in OF_FIRM:
        if table.name not in EMPTY:
            for id in ("one", "two"):
                with two.reading(id) as session:
                    assert session.connection().execute(text(f"select count(*) from {table.name}")).scalar_one(), table


@pytest.mark.parametrize("table", OF_FIRM, ids=[table.name for table in OF_FIRM])
def test_postgresql_shows_one_firm_only_whatever_is_asked(two: Database, table: Table) -> None:
    name = table.name
    with two.engine.connect() as connection:
        assert connection.execute(text(f"select count(*) from {name}")).scalar_one() == 0  # no firm: nothing
        connection.execute(text("select set_config(:name, 'one', true)"), {"name": FIRM_SETTING})
        assert set(connection.execute(text(f"select firm_id from {name}")).scalars()) <= {"one"}
        assert connection.execute(text(f"select count(*) from {name} where firm_id = 'two'")).scalar_one() == 0
        if name not in ("decisions", "changes"):
            assert connection.execute(text(f"delete from {name} where firm_id = 'two'")).rowcount == 0


def test_postgresql_lets_nobody_write_into_another_firm(two: Database) -> None:
    row = {"firm_id": "two", "number": 99, "topic": "x", "document": "{}", "at": NOW, "attempts": 0}
    with pytest.raises(DBAPIError, match="row-level security"), two.writing("one") as session:
        session.connection().execute(insert(OutboxRecord.__table__), row)  # type: ignore[arg-type]
    with pytest.raises(DBAPIError, match="row-level security"), two.writing("one") as session:
        session.connection().execute(text("update outbox set firm_id = 'two'"))
    with two.writing("one") as session:
        assert session.connection().execute(text("update firms set version = 0 where id = 'two'")).rowcount == 0


def test_the_firm_of_a_transaction_is_forgotten_with_it(two: Database) -> None:
    with two.reading("one") as session:
        assert session.connection().execute(text("select count(*) from tasks")).scalar_one() == 3
    one_connection = Database(
        two.url.render_as_string(hide_password=False), limits=Limits(pool_size=1, pool_overflow=0)
    )
    with one_connection.reading("one"):
        pass
    with one_connection.engine.connect() as connection:
        assert connection.execute(text("select count(*) from tasks")).scalar_one() == 0
    one_connection.close()


def test_the_list_of_firms_shows_ids_and_nothing_in_them(two: Database) -> None:
    assert two.firm_ids() == ["one", "two"]
    with two.engine.connect() as connection:
        connection.execute(text("select set_config(:name, '*', true)"), {"name": FIRM_SETTING})
        for table in OF_FIRM:
            assert connection.execute(text(f"select count(*) from {table.name}")).scalar_one() == 0
        assert connection.execute(text("update firms set version = 0")).rowcount == 0
