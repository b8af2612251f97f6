from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.store.database import Database
from api.store.log import read
from api.store.names import mark, named, named_json
from api.store.pricing import prices_of
from api.store.records import (
    keep_plan,
    load_marked_firm,
    load_plan,
)
from api.store.refusals import NotFound, Taken
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.turns import Turns
from solver.batch import solve
from solver.plan import Plan, RoutingPolicy
from solver.stop import WorkBudget
from tests.firms_for_tests import firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


@pytest.fixture
def turns(database: Database) -> Turns:
    ann, bob = person("ann", name='Ann "Secret"'), person("bob", name="Bob Secret")
    work = tuple(task(f"t{i}", hours=8, due=4, assignee="ann") for i in range(8))
    work += (task("wrong", assignee="cat"),)
    create_firm(
        database, "one", firm((ann, bob, person("cat", name="Cat Secret", skills=())), work), now=NOW, actor="test"
    )
    return Turns(database)


def planned(turns: Turns) -> tuple[Plan, int]:
    with turns.database.reading("one") as session:
        made, version = load_marked_firm(session)
    return solve(made, now=NOW, stop=WorkBudget(0.2)), version


def test_a_plan_is_kept_without_names_and_read_with_those_of_today(turns: Turns) -> None:
    plan, version = planned(turns)
    with turns.turn("one", now=NOW, actor="test") as turn:
        keep_plan(turn, "night-1", plan, version=version)
        turn.put(person("cat", name='Cat "Kit" Ray', skills=()))
    with turns.database.reading("one") as session:
        again = load_plan(session, "night-1")
        raw = session.connection().exec_driver_sql("select document from plans").scalar_one()
    assert "Secret" not in raw
    assert Plan.model_validate_json(raw) == plan
    assert again.certificate == plan.certificate
    assert "⟦" not in again.model_dump_json()
    assert [one.reason for one in plan.flags] == ["⟦cat⟧ does not have the skill"]
    assert [one.reason for one in again.flags] == ['Cat "Kit" Ray does not have the skill']
    with turns.turn("one", now=NOW, actor="test") as turn, pytest.raises(Taken):
        keep_plan(turn, "night-1", plan, version=version)


def test_work_is_placed_by_the_prices_of_a_plan_and_that_is_made_again(turns: Turns) -> None:
    plan, version = planned(turns)
    assert plan.prices is not None
    with turns.turn("one", now=NOW, actor="test") as turn:
        keep_plan(turn, "night-1", plan, version=version)
        keep_plan(turn, "bare", plan.model_copy(update={"prices": None}), version=version)
    with turns.database.reading("one") as session:
        prices = prices_of(session, "night-1")
        with pytest.raises(NotFound, match="came without prices"):
            prices_of(session, "bare")
        with pytest.raises(NotFound, match='Nearest: "night-1"'):
            prices_of(session, "night-2")
    numbers = []
    for i in range(6):
        with turns.turn("one", now=NOW, actor="test") as turn:
            decided = turn.place(task(f"n{i}", hours=2, due=7 + i), prices=prices)
        assert decided.decision.policy is RoutingPolicy.PRICED
        assert "Secret costs least at last night's prices" in decided.decision.reason
        numbers.append(decided.number)
    with turns.database.reading("one") as session:
        assert read(session, numbers[0]).document["prices"] == "night-1"
        assert all(replay(session, number).same for number in numbers)
    assert turns.self_check("one") == ()


@pytest.mark.parametrize("id", ["ann", "o'hara", 'a"b', "a\\b", "é⟦x⟧"])
def test_a_mark_stands_for_whoever_has_the_id(id: str) -> None:
    labels = {id.replace("⟦", "").replace("⟧", ""): "Ann Lee"}
    assert named(f"{mark(id)} has room", labels) == "Ann Lee has room"
    assert named(mark("gone"), labels) == "gone"


def test_marks_in_json_become_names_that_are_still_json() -> None:
    assert named_json('{"a":"⟦x\\"y⟧ and ⟦z⟧"}', {'x"y': 'N "n" \\'}) == '{"a":"N \\"n\\" \\\\ and z"}'
