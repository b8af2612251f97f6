from __future__ import annotations

from datetime import time

import pytest

from solver.board import compile_board
from solver.firm import Status, Task, TaskType
from solver.following import follow
from solver.plan import Filter
from solver.routing import dry_run, place
from tests.board_state import state
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task


def arrivals(seed: int, count: int) -> list[Task]:
    made = random_firm(seed, people=6, tasks=count)
    return [
        one.model_copy(
            update={"id": f"n{one.id}", "assignee": None, "pinned": False, "logged_min": 0, "status": Status.PLANNED}
            | {"reviews": one.reviews and f"n{one.reviews}"}
        )
        for one in made.tasks
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_placed_arrival_is_followed_to_the_very_board_that_placing_makes(seed: int) -> None:
    made = random_firm(seed, people=6, tasks=25, load=1.1)
    placed, followed = compile_board(made, now=NOW), compile_board(made, now=NOW)
    for one in arrivals(seed, 25):
        if one.reviews is not None and one.reviews not in placed.known:
            continue
        before = dry_run(followed, one)
        decision = place(placed, one)
        assert before == decision
        follow(followed, one.id, one.model_copy(update={"assignee": decision.person}))
        if decision.person is None:
            placed.know(one.id, one)  # placing tells a board only what was promised
        ours, theirs = state(placed), state(followed)
        for each in (ours, theirs):
            each["known"] = {id: known.model_copy(update={"assignee": None}) for id, known in each["known"].items()}
        assert ours == theirs


def test_minutes_logged_free_as_many() -> None:
    board = compile_board(firm((person("ann"),), (task("a", assignee="ann", hours=4),)), now=NOW)
    assert follow(board, "a", task("a", assignee="ann", hours=4, logged_min=90))
    assert board.promises["a"].work_min == 150
    assert board.load_min.tolist() == [150]


@pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED])
def test_finished_work_is_promised_no_more_and_still_known(status: Status) -> None:
    board = compile_board(firm((person("ann"),), (task("a", assignee="ann"),)), now=NOW)
    assert follow(board, "a", task("a", assignee="ann", status=status))
    assert "a" not in board.promises
    assert board.known["a"].status is status
    assert board.load_min.tolist() == [0]


def test_a_task_that_is_gone_is_known_no_more() -> None:
    board = compile_board(firm((person("ann"),), (task("a", assignee="ann"),)), now=NOW)
    before = state(board)
    assert follow(board, "r", task("r", assignee="ann", hours=2))
    assert board.load_min.tolist() == [360]
    assert follow(board, "r", None)
    assert state(board) == before


def test_work_given_to_another_is_promised_by_them() -> None:
    board = compile_board(firm((person("ann"), person("bob")), (task("a", assignee="ann"),)), now=NOW)
    assert follow(board, "a", task("a", assignee="bob"))
    assert board.promises["a"].person == 1
    assert board.load_min.tolist() == [0, 240]


def test_work_given_to_somebody_without_the_skill_is_flagged() -> None:
    board = compile_board(firm((person("ann"), person("bob", skills=())), (task("a", assignee="ann"),)), now=NOW)
    assert follow(board, "a", task("a", assignee="bob"))
    assert board.flagged == {"a": Filter.SKILL}
    assert "a" not in board.promises
    assert follow(board, "a", task("a", assignee="ann"))
    assert board.flagged == {}


def test_work_that_does_not_fit_in_time_is_promised_late() -> None:
    board = compile_board(firm((person("ann"),), (task("a", assignee="ann", hours=8, due=0),)), now=NOW)
    assert follow(board, "b", task("b", assignee="ann", hours=8, due=0))
    assert board.axis.day_of(board.promises["b"].window.due) == day(1)


def test_a_deadline_beyond_the_axis_asks_for_a_new_board() -> None:
    board = compile_board(firm((person("ann"),), (task("a", assignee="ann"),)), now=NOW)
    assert not follow(board, "a", task("a", assignee="ann", due=300))


def test_a_preparation_that_grows_into_its_review_asks_for_a_new_board() -> None:
    work = (task("a", assignee="ann", hours=4, due=1), task("r", assignee="bob", hours=4, due=1, reviews="a"))
    board = compile_board(firm((person("ann"), person("bob")), work), now=NOW)
    assert not follow(board, "a", task("a", assignee="ann", hours=30, due=1))


@pytest.mark.parametrize("both", ["ann", "bob"])
def test_somebody_who_prepares_and_reviews_asks_for_a_new_board_until_it_is_mended(both: str) -> None:
    work = {"p": task("p", assignee="ann", due=1), "r": task("r", assignee="bob", due=4, reviews="p")}
    people = (person("ann"), person("bob"), person("cat"))
    changed = "r" if both == "ann" else "p"
    board = compile_board(firm(people, tuple(work.values())), now=NOW)
    work[changed] = work[changed].model_copy(update={"assignee": both})
    assert not follow(board, changed, work[changed])
    board = compile_board(firm(people, tuple(work.values())), now=NOW)
    assert board.flagged == {"r": Filter.REVIEWER}
    assert not follow(board, "p", work["p"].model_copy(update={"assignee": "cat"}))


def test_work_finished_by_who_was_not_to_do_it_asks_for_a_new_board_when_they_review_it() -> None:
    work = (task("p", assignee="ann", type="audit"), task("r", assignee="ann", reviews="p"))
    types = (TaskType(id="audit", skill="audit"), TaskType(id="return", skill="tax"))
    board = compile_board(firm((person("ann"), person("bob")), work, task_types=types), now=NOW)
    assert board.flagged == {"p": Filter.SKILL}
    assert "r" in board.promises
    assert not follow(board, "p", work[0].model_copy(update={"status": Status.DONE}))


@pytest.mark.parametrize("seed", range(8))
def test_a_board_and_its_copy_go_their_own_ways(seed: int) -> None:
    board = compile_board(random_firm(seed), now=NOW)
    before = state(board)
    twin = board.copy()
    for one in arrivals(seed, 10):
        if one.reviews is None:
            place(twin, one.model_copy(update={"deadline_time": time(13, 0)}))
    for id in list(twin.promises)[:3]:
        follow(twin, id, twin.known[id] if any(t.reviews == id for t in twin.known.values()) else None)
    assert state(board) == before
