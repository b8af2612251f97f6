from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, Event

import pytest
from sqlalchemy import text

from api.store.database import Database, Limits
from api.store.deciding import Decided
from api.store.loading import load_firm
from api.store.log import entries_of, verify
from api.store.refusals import Busy, Taken
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.sharing import Sharing
from api.store.turn import Turn
from api.store.turns import Turns
from solver.refusal import Refused
from tests.firms_for_tests import firm, person, task
from tests.postgres_for_tests import Server

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
LONG_S = 300
"""No test waits so long for anything that works."""


def begun(database: Database, *ids: str) -> Sharing:
    for id in ids or ("one",):
        create_firm(database, id, firm(tuple(person(f"p{i}") for i in range(4))), now=NOW, actor="test")
    return Sharing(Turns(database))


def placing(id: str, client: str = "acme") -> Callable[[Turn], Decided]:
    return lambda turn: turn.place(task(id, client=client, hours=1, due=20))


def test_sixteen_threads_place_a_hundred_tasks_and_each_gets_its_own_answer(database: Database) -> None:
    sharing, gate = begun(database), Barrier(16)

    def places(thread: int) -> list[Decided]:
        gate.wait(timeout=LONG_S)
        return [sharing.act("one", placing(f"{thread}-{i}"), now=NOW, actor=f"a{thread}") for i in range(6)]

    with ThreadPoolExecutor(16) as threads:
        done = list(threads.map(places, range(16)))
    assert [[one.task.id for one in some] for some in done] == [[f"{t}-{i}" for i in range(6)] for t in range(16)]
    with database.reading("one") as session:
        assert {one.id: one.assignee for one in load_firm(session).tasks} == {
            one.task.id: one.task.assignee for some in done for one in some
        }
        assert verify(session).broken is None
        assert [entries_of(session, f"{t}-0")[0].actor for t in range(16)] == [f"a{t}" for t in range(16)]
        assert all(replay(session, number).same for number in range(1, 97, 8))
    assert sharing.turns.self_check("one") == ()


def test_threads_of_several_firms_do_not_mix(database: Database) -> None:
    sharing = begun(database, "one", "two", "three")

    def places(i: int) -> str:
        id = ("one", "two", "three")[i % 3]
        return sharing.act(id, lambda turn: turn.place(task(f"{id}-{i}")), now=NOW, actor="test").task.id

    with ThreadPoolExecutor(9) as threads:
        list(threads.map(places, range(36)))
    for id in ("one", "two", "three"):
        with database.reading(id) as session:
            ids = [one.id for one in load_firm(session).tasks]
            assert len(ids) == 12
            assert all(one.startswith(f"{id}-") for one in ids)


def waiting_together(sharing: Sharing, *operations: object) -> list[object]:
    """Hold the firm until all operations wait, so that they share one transaction; return answers and errors."""
    held, go_on = Event(), Event()

    def holds(turn: Turn) -> None:
        held.set()
        go_on.wait(timeout=LONG_S)

    def acts(operation: object) -> object:
        try:
            return sharing.act("one", operation, now=NOW, actor="test")  # type: ignore[arg-type]
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(operations) + 1) as threads:
        first = threads.submit(acts, holds)
        assert held.wait(timeout=LONG_S)
        others = [threads.submit(acts, one) for one in operations]
        queue = sharing._queues["one"]
        while True:
            with queue.changing:
                if len(queue.waiting) == len(operations):
                    break
        go_on.set()
        assert first.result(timeout=LONG_S) is None
        return [one.result(timeout=LONG_S) for one in others]


def test_a_refusal_reaches_who_asked_and_nobody_else(database: Database) -> None:
    sharing = begun(database)
    transactions: list[int] = []

    def seen(turn: Turn) -> None:
        transactions.append(id(turn))

    answers = waiting_together(
        sharing, placing("a"), seen, placing("b", client="nobody"), placing("a"), seen, placing("c")
    )
    assert len(set(transactions)) == 1
    kinds = sorted(type(one).__name__ for one in answers)
    assert kinds == ["Decided", "Decided", "NoneType", "NoneType", "Refused", "Taken"]
    with database.reading("one") as session:
        assert sorted(one.id for one in load_firm(session).tasks) == ["a", "c"]


def test_who_fails_after_writing_takes_nobody_along(database: Database) -> None:
    sharing = begun(database)

    def fails(turn: Turn) -> None:
        turn.place(task("lost"))
        raise ZeroDivisionError

    answers = waiting_together(
        sharing,
        lambda turn: turn.place(task("a")),
        fails,
        lambda turn: turn.place(task("b\x00")),
        lambda turn: turn.place(task("c")),
    )
    assert [type(one) for one in answers] == [Decided, ZeroDivisionError, Refused, Decided]
    with database.reading("one") as session:
        assert sorted(one.id for one in load_firm(session).tasks) == ["a", "c"]
        assert verify(session).entries == 2
    assert sharing.turns.self_check("one") == ()


def test_who_waits_too_long_is_told_and_has_written_nothing(url: str) -> None:
    database = Database(url, limits=Limits(lock_s=0.05))
    sharing = begun(database)
    with sharing.turns.turn("one", now=NOW, actor="test"), ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(sharing.act, "one", lambda turn: turn.place(task("a")), now=NOW, actor="test")
        assert isinstance(waiting.exception(timeout=LONG_S), Busy)
    assert sharing.act("one", lambda turn: turn.place(task("a")), now=NOW, actor="test").number == 1
    with pytest.raises(Taken):
        sharing.act("one", lambda turn: turn.place(task("a")), now=NOW, actor="test")
    database.close()


def test_another_process_that_holds_the_firm_is_waited_for_until_the_limit(url: str) -> None:
    other, database = Database(url), Database(url, limits=Limits(lock_s=0.05))
    sharing = begun(database)
    with Turns(other).turn("one", now=NOW, actor="test") as turn:
        turn.place(task("a"))
        with pytest.raises(Busy, match='firm "one" is being written'):
            sharing.act("one", lambda turn: turn.place(task("b")), now=NOW, actor="test")
    assert sharing.act("one", lambda turn: turn.place(task("b")), now=NOW, actor="test").number == 2
    for one in (other, database):
        one.close()


def test_a_connection_cut_in_the_middle_of_a_turn_loses_that_turn_only(server: Server) -> None:
    url = server.migrated()
    database = Database(url)
    sharing = begun(database)
    sharing.act("one", lambda turn: turn.place(task("a")), now=NOW, actor="test")
    other = Database(url)

    def cut(turn: Turn) -> None:
        turn.place(task("b"))
        mine = turn.session.connection().execute(text("select pg_backend_pid()")).scalar_one()
        with other.engine.begin() as connection:
            connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": mine})
        turn.place(task("c"))

    with pytest.raises(Exception, match="terminating connection"):
        sharing.act("one", cut, now=NOW, actor="test")
    assert sharing.act("one", lambda turn: turn.place(task("d")), now=NOW, actor="test").number == 2
    assert sharing.turns.self_check("one") == ()
    for one in (other, database):
        one.close()
    server.drop(url)


def test_coroutines_share_a_turn_and_each_gets_its_own_answer_or_refusal(database: Database) -> None:
    sharing = begun(database)

    async def scenario() -> list[object]:
        asked = [placing(f"t{i}") for i in range(9)] + [placing("t0")]
        acting = (sharing.acting("one", one, now=NOW, actor="test") for one in asked)
        return await asyncio.gather(*acting, return_exceptions=True)

    *placed, again = asyncio.run(scenario())
    assert [one.task.id for one in placed if isinstance(one, Decided)] == [f"t{i}" for i in range(9)]
    assert isinstance(again, Taken)
    with database.reading("one") as session:
        assert verify(session).entries == 9


def test_a_coroutine_that_waits_too_long_is_told_and_has_written_nothing(url: str) -> None:
    database = Database(url, limits=Limits(lock_s=0.05))
    sharing = begun(database)

    async def scenario() -> None:
        await sharing.acting("one", placing("a"), now=NOW, actor="test")

    with sharing.turns.turn("one", now=NOW, actor="test"), pytest.raises(Busy):
        asyncio.run(scenario())
    with database.reading("one") as session:
        assert load_firm(session).tasks == ()
    database.close()


def test_a_key_that_is_used_twice_in_one_turn_is_answered_as_the_first_time(database: Database) -> None:
    sharing = begun(database)

    def once(fingerprint: str) -> Callable[[Turn], str]:
        def act(turn: Turn) -> str:
            kept = turn.answered("key", fingerprint)
            if kept is None:
                turn.answer("key", fingerprint, f"of {turn.place(task('a')).task.id}")
            return kept or "first"

        return act

    answers = waiting_together(sharing, once("same"), once("same"), once("other"))
    assert [type(one).__name__ for one in answers].count("Taken") in (1, 2)
    assert "first" in answers
    with database.reading("one") as session:
        assert [one.id for one in load_firm(session).tasks] == ["a"]
