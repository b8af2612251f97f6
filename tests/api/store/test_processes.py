from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from api.store.database import Database
from api.store.draft import read_head
from api.store.loading import load_firm
from api.store.log import verify
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.tables import AssignmentRecord, DecisionRecord, OutboxRecord
from api.store.turns import Turns
from solver.board import compile_board
from solver.firm import Firm
from tests.firms_for_tests import firm, person, task

ROOT = Path(__file__).parents[3]
NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
LONG_S = 300
"""No test waits so long for anything that works."""


@contextmanager
def writer(database: Database, name: str, count: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that places tasks; it is gone at the end, whatever happened."""
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.api.store.writer_for_tests", url, name, str(count), *more]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def begun(database: Database, people: int = 4) -> None:
    create_firm(database, "one", firm(tuple(person(f"p{i}") for i in range(people))), now=NOW, actor="test")


def whole(database: Database) -> Firm:
    """Return the firm, after checking that everything about it is of one piece."""
    with database.reading("one") as session:
        made, head, chain = load_firm(session), read_head(session, "one"), verify(session)
        assert chain.broken is None
        assert chain.entries == head.log_number == len(made.tasks)
        logged = session.execute(select(DecisionRecord.task, DecisionRecord.person)).all()
        assert {one.task: one.person for one in logged} == {one.id: one.assignee for one in made.tasks}
        assigned = session.execute(select(AssignmentRecord.task, AssignmentRecord.person)).all()
        assert {one.task: one.person for one in assigned} == {
            one.id: one.assignee for one in made.tasks if one.assignee
        }
        assert sorted(session.scalars(select(OutboxRecord.number))) == list(range(1, len(made.tasks) + 1))
        assert all(replay(session, number).same for number in range(1, chain.entries + 1, 5))
    board = compile_board(made, now=NOW)
    assert not board.flagged
    assert all(promise.window.price_min == 0 for promise in board.promises.values())  # nobody is over-committed
    return made


def test_two_processes_on_one_firm_lose_nothing_and_promise_nothing_twice(database: Database) -> None:
    begun(database)
    with writer(database, "left", 25) as left, writer(database, "right", 25) as right:
        turns = Turns(database)  # and a third writer, in this process
        for i in range(10):
            with turns.turn("one", now=NOW, actor="test") as turn:
                turn.place(task(f"here-{i}", hours=1, due=20))
        done = [*left.communicate(timeout=LONG_S)[0].split(), *right.communicate(timeout=LONG_S)[0].split()]
        assert (left.returncode, right.returncode) == (0, 0)
    made = whole(database)
    assert len(done) == 50
    assert len(made.tasks) == 110
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("last"))
    assert turns.self_check("one") == ()


def test_a_writer_killed_in_the_middle_of_its_turn_leaves_nothing_of_it(database: Database) -> None:
    begun(database)
    with writer(database, "gone", 4, "die") as gone:
        said = gone.communicate(timeout=LONG_S)[0].split()
        assert gone.returncode == -signal.SIGKILL
    assert said == ["gone-0", "gone-1", "gone-2"]
    made = whole(database)
    assert [one.id for one in made.tasks] == ["gone-0", "gone-0-b", "gone-1", "gone-1-b", "gone-2", "gone-2-b"]
    with Turns(database).turn("one", now=NOW, actor="test") as turn:
        turn.place(task("gone-3"))
    whole(database)


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_writer_killed_at_any_moment_has_stored_all_it_said(database: Database, after: int) -> None:
    begun(database)
    with writer(database, "gone", 10_000) as gone:
        assert gone.stdout is not None
        said = [gone.stdout.readline().strip() for _ in range(after)]
        gone.send_signal(signal.SIGKILL)
        gone.wait(timeout=LONG_S)
        said += gone.stdout.read().split()
    ids = {one.id for one in whole(database).tasks}
    assert set(said) <= ids
    assert Counter(id.endswith("-b") for id in ids) == {True: len(ids) // 2, False: len(ids) // 2}
