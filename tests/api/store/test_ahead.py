from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.store import ahead
from api.store.boards import board_then
from api.store.database import Database
from api.store.log import verify
from api.store.replaying import replay, replay_all
from api.store.saving import create_firm
from api.store.turn import Turn
from api.store.turns import Turns
from tests.api.store.test_boards import Office, like
from tests.firms_for_tests import firm, person, random_firm, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


def made(turns: Turns) -> None:
    """Wait until the boards that were asked for are made: one thread makes them, one after another."""
    turns._ahead._threads.submit(lambda: None).result(timeout=300)


def begin_of(turns: Turns, now: datetime = NOW) -> tuple[int, int]:
    with turns.view("one", now=now) as view:
        return view.base_version, view.version


def test_a_firm_goes_on_with_the_board_that_was_compiled_beside_its_turns(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "AHEAD_AFTER", 5)
    create_firm(database, "one", firm(tuple(person(f"p{i}") for i in range(4))), now=NOW, actor="test")
    turns, other = Turns(database), Turns(database)
    bases = []
    for i in range(14):
        with turns.turn("one", now=NOW, actor="test") as turn:
            turn.place(task(f"t{i}", hours=1, due=20))
        made(turns)
        bases.append(begin_of(other)[0])
        assert turns.self_check("one") == ()
    first = bases[0]
    # After five changes the next board is compiled beside, and the turn after that goes on with it.
    assert bases == [first] * 5 + [first + 5] * 5 + [first + 10] * 4
    with database.reading("one") as session:
        assert all(one.same for one in replay_all(session))
        assert verify(session).broken is None


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_meanwhile_all_processes_have_one_board(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(ahead, "AHEAD_AFTER", 3)
    create_firm(database, "one", random_firm(seed, people=6, tasks=25), now=NOW, actor="test")
    processes, office = [Turns(database), Turns(database)], Office(seed)
    for i in range(30):
        turns = processes[i % 7 == 0]
        with turns.turn("one", now=NOW, actor="test") as turn:
            office.act(turn)
        if i % 3 == 0:
            made(turns)
        assert turns.self_check("one") == ()
        with processes[1].view("one", now=NOW) as view:
            assert like(view.board, board_then(view.session, view.version, (view.base_version, view.base_at)))
    with database.reading("one") as session:
        walked = list(replay_all(session))
        assert all(one.same for one in walked)
        assert [one.answer for one in walked] == [replay(session, one.entry.number).answer for one in walked]


def test_a_board_that_is_of_no_use_any_more_is_left_aside(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "AHEAD_AFTER", 2)
    create_firm(database, "one", firm(tuple(person(f"p{i}") for i in range(4))), now=NOW, actor="test")
    turns, other = Turns(database), Turns(database)

    def places(turn: Turn, id: str) -> None:
        turn.place(task(id, hours=1, due=20))

    for id in ("a", "b"):
        with turns.turn("one", now=NOW, actor="test") as turn:
            places(turn, id)
    made(turns)
    with other.turn("one", now=NOW, actor="test") as turn:
        turn.put(person("new"))  # the firm is compiled anew, and no board from before can follow
    with turns.turn("one", now=NOW, actor="test") as turn:
        places(turn, "c")
        assert "new" in turn.board.staff.row
    assert turns.self_check("one") == ()
