from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from api.store.boards import board_then
from api.store.database import Database
from api.store.log import verify
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.turn import Turn
from api.store.turns import Turns
from scenarios.firms import generate_firm
from solver.board import Board
from solver.firm import Booking, Client, Status, Task, TimeOff
from tests.board_state import state
from tests.firms_for_tests import MONDAY, day, person, random_firm

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


class Office:
    """Does what people do in an office, drawn at random: mostly tasks, sometimes everything else."""

    def __init__(self, seed: int) -> None:
        self.draw, self.count = random.Random(seed), 0
        self.doings: tuple[tuple[int, Callable[[Turn], object]], ...] = (
            (8, self.place),
            (3, self.log_time),
            (3, self.finish),
            (3, self.assign),
            (2, self.change),
            (1, self.place_again),
            (1, self.open_again),
            (1, self.calendar),
            (1, self.hire),
        )

    def act(self, turn: Turn) -> None:
        weights = [weight for weight, _ in self.doings]
        self.count += 1
        self.draw.choices(self.doings, weights)[0][1](turn)

    def some(self, turn: Turn, wanted: Callable[[Task], bool]) -> Task | None:
        found = sorted(id for id, task in turn.board.known.items() if wanted(task))
        return turn.board.known[self.draw.choice(found)] if found else None

    def place(self, turn: Turn) -> None:
        draw, board = self.draw, turn.board
        prepared = self.some(turn, lambda task: not board.reviewed_by.get(task.id)) if draw.random() < 0.3 else None
        due = draw.choice((*range(25), 80))
        turn.place(
            Task(
                id=f"n{self.count}",
                type=draw.choice(sorted(board.types)),
                client=prepared.client if prepared else draw.choice(sorted(board.clients)),
                deadline=max(day(due), MONDAY),
                deadline_time=datetime.min.time().replace(hour=draw.randint(8, 18)) if draw.random() < 0.3 else None,
                estimate_min=None if draw.random() < 0.1 else draw.randint(15, 900),
                requested_person=draw.choice(board.staff.ids) if draw.random() < 0.1 else None,
                reviews=prepared.id if prepared else None,
            )
        )

    def log_time(self, turn: Turn) -> None:
        task = self.some(turn, lambda task: task.open and task.assignee is not None)
        if task is not None:
            who, minutes = str(task.assignee), self.draw.randint(5, 200)
            turn.log_time(f"e{self.count}", task=task.id, person=who, day=MONDAY, minutes=minutes)

    def finish(self, turn: Turn) -> None:
        task = self.some(turn, lambda task: task.open)
        if task is not None:
            status = self.draw.choice((Status.DONE, Status.DONE, Status.CANCELLED))
            turn.change_task(task.id, status=status, completed_on=MONDAY)

    def open_again(self, turn: Turn) -> None:
        task = self.some(turn, lambda task: not task.open)
        if task is not None:
            turn.change_task(task.id, status=Status.PLANNED, completed_on=None)

    def assign(self, turn: Turn) -> None:
        task = self.some(turn, lambda task: task.open)
        if task is not None:
            who = self.draw.choice((*turn.board.staff.ids, None))
            turn.assign(task.id, who, reason="drawn", pinned=self.draw.random() < 0.1)

    def change(self, turn: Turn) -> None:
        task = self.some(turn, lambda task: task.open)
        if task is not None:
            due = max(day(self.draw.randint(0, 40)), task.release or MONDAY)
            turn.change_task(task.id, deadline=due, estimate_min=self.draw.randint(15, 900))

    def place_again(self, turn: Turn) -> None:
        task = self.some(turn, lambda task: task.open and task.assignee is None)
        if task is not None:
            turn.place_again(task.id, estimate_min=self.draw.randint(15, 600))

    def calendar(self, turn: Turn) -> None:
        who, first = self.draw.choice(turn.board.staff.ids), day(self.draw.randint(0, 20))
        if self.draw.random() < 0.5:
            turn.put(TimeOff(person=who, first_day=first, last_day=first + timedelta(days=3)))
        else:
            turn.put(Booking(person=who, first_day=first, last_day=first, minutes_per_day=60))

    def hire(self, turn: Turn) -> None:
        turn.put(person(f"h{self.count}", skills=("tax", "audit", "books"), level="senior"))
        turn.put(Client(id=f"hc{self.count}"))


def like(board: Board, again: Board) -> bool:
    ours, theirs = state(board), state(again)
    for one in (ours, theirs):  # finished work is known where it is needed, and may be elsewhere
        one["known"] = {id: task for id, task in one["known"].items() if task.open}
        del one["reviewed_by"]
    return ours == theirs and board.axis == again.axis


# The last three: somebody prepares and reviews the same work, by a manager's word or by finishing what was flagged.
@pytest.mark.parametrize("seed", [0, 1, 2, 109, 111, 140])
def test_boards_of_three_processes_and_one_rebuilt_are_the_same_after_anything(database: Database, seed: int) -> None:
    create_firm(database, "one", random_firm(seed, people=6, tasks=25), now=NOW, actor="test")
    processes = [Turns(database), Turns(database), Turns(database)]  # each with boards of its own, as processes have
    office, draw, now = Office(seed), random.Random(seed), NOW
    for _ in range(25):
        now += timedelta(minutes=draw.choice((0, 0, 0, 4, 20, -3)))
        turns = draw.choice(processes[:2])
        with turns.turn("one", now=now, actor="test") as turn:
            for _ in range(draw.choice((1, 1, 3))):
                office.act(turn)
        assert turns.self_check("one") == ()
        with processes[2].view("one", now=now) as view:
            again = board_then(view.session, view.version, (view.base_version, view.base_at))
            assert like(view.board, again)
    with database.reading("one") as session:
        chain = verify(session)
        assert chain.broken is None
        assert all(replay(session, number).same for number in range(1, chain.entries + 1))


@pytest.mark.parametrize("seed", range(3))
def test_a_failed_turn_leaves_the_next_one_as_if_it_had_never_been(database: Database, seed: int) -> None:
    create_firm(database, "one", random_firm(seed, people=6, tasks=25), now=NOW, actor="test")
    turns, office = Turns(database), Office(seed)
    for i in range(12):
        with pytest.raises(ZeroDivisionError), turns.turn("one", now=NOW, actor="test") as turn:
            fail(office, turn)
        assert turns.self_check("one") == ()
        with turns.turn("one", now=NOW, actor="test") as turn:
            assert like(
                turn.board, board_then(turn.session, turn.version, (turn.seen().base_version, turn.seen().base_at))
            )
            if i % 2:
                office.act(turn)


def fail(office: Office, turn: Turn) -> None:
    for _ in range(3):
        office.act(turn)
    raise ZeroDivisionError


def test_a_season_of_placements_stays_on_one_board_and_replays(database: Database) -> None:
    made = generate_firm(people=10, tasks=80, seed=4)
    now = made.now.replace(tzinfo=made.firm.zone)
    create_firm(database, "one", made.firm, now=now, actor="test")
    turns = Turns(database)
    new = [
        task.model_copy(
            update={"id": f"n{task.id}", "assignee": None, "pinned": False, "logged_min": 0, "reviews": None}
        )
        for task in made.firm.tasks
    ]
    boards = set()
    for task in new:
        with turns.turn("one", now=now, actor="test") as turn:
            boards.add(id(turn.board))
            turn.place(task)
    assert len(boards) == 1
    assert turns.self_check("one") == ()
    with database.reading("one") as session:
        assert all(replay(session, number).same for number in range(1, len(new) + 1, 7))


def test_a_board_that_was_tampered_with_is_reported_and_forgotten(database: Database) -> None:
    create_firm(database, "one", random_firm(1), now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        board = turn.board
    task = next(iter(board.promises))
    board.ledger.promise(0, 0, 3, 60)
    found = turns.self_check("one")
    assert any("slack of p00" in one for one in found)
    assert any("not what the promises come to" in one for one in found)
    assert turns.self_check("one") == ()
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.board is not board
        turn.board.withdraw(task)
    found = turns.self_check("one")
    assert any(f"promises of {task}" in one for one in found)
    assert any("against the tasks compiled afresh" in one for one in found)


@pytest.mark.parametrize("wrong", [timedelta(hours=-5), timedelta(days=2)])
def test_a_clock_that_was_wrong_is_forgotten_with_the_next_turn(database: Database, wrong: timedelta) -> None:
    create_firm(database, "one", random_firm(1), now=NOW, actor="test")
    turns = Turns(database)
    for now in (NOW, NOW + wrong, NOW):
        with turns.turn("one", now=now, actor="test") as turn:
            assert turn.board.now == now
            Office(1).place(turn) if now != NOW else None
        assert turns.self_check("one") == ()


def test_a_clock_a_quarter_behind_does_not_make_two_processes_compile_in_turns(database: Database) -> None:
    create_firm(database, "one", random_firm(1), now=NOW, actor="test")
    ahead, behind = Turns(database), Turns(database)
    office = Office(3)
    for turns, now in ((ahead, NOW), (behind, NOW - timedelta(minutes=2)), (ahead, NOW)):
        with turns.turn("one", now=now, actor="test") as turn:
            assert turn.seen().base_at == NOW
            office.count += 1
            office.place(turn)


def test_boards_least_used_are_forgotten_when_memory_is_short(database: Database) -> None:
    turns = Turns(database, boards_mb=0.0)
    boards: dict[str, Board] = {}
    for id in ("one", "two", "two", "one"):
        if id not in boards:
            create_firm(database, id, random_firm(1), now=NOW, actor="test")
        with turns.turn(id, now=NOW, actor="test") as turn:
            assert (boards.get(id) is turn.board) == (id == "two" and "two" in boards)
            boards[id] = turn.board
