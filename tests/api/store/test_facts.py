from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from api.store.facts import changes, facts_of, stand
from api.store.log import canonical
from solver.board import compile_board
from solver.firm import Booking, Client, Firm, Overtime, Priority, Status, TaskType, TimeOff
from solver.plan import Move
from solver.policy import Policy, Weights
from tests.firms_for_tests import NOW, day, firm, person, task

MOVES = (Move(task="t0", from_person="ann", to_person="bob"),)
Change = Callable[[Firm], Firm]


def begun() -> Firm:
    """Ann has five tasks of eight hours by Friday next week, Bob one."""
    work = [task(f"t{i}", hours=8, due=11, assignee="ann") for i in range(5)]
    return firm((person("ann"), person("bob"), person("cat")), (*work, task("b", hours=8, due=11, assignee="bob")))


def with_task(id: str, **fields: object) -> Change:
    def change(made: Firm) -> Firm:
        tasks = tuple(one.model_copy(update=fields) if one.id == id else one for one in made.tasks)
        return made.model_copy(update={"tasks": tasks})

    return change


def with_more(name: str, *more: object) -> Change:
    """Add parts to a list of the firm, in place of those with the same id."""

    def change(made: Firm) -> Firm:
        ids = {getattr(one, "id", None) for one in more} - {None}
        kept = tuple(one for one in getattr(made, name) if getattr(one, "id", None) not in ids)
        there = {getattr(one, "id", ""): place for place, one in enumerate(getattr(made, name))}
        both = sorted((*kept, *more), key=lambda one: there.get(getattr(one, "id", ""), len(there)))
        return made.model_copy(update={name: tuple(both)})

    return change


def compared(change: Change, *, later: timedelta = timedelta()) -> tuple[bool, tuple[str, ...]]:
    before = json.loads(canonical(facts_of(compile_board(begun(), now=NOW), MOVES)))
    board = compile_board(change(begun()), now=NOW + later)
    now = facts_of(board, MOVES, since=date.fromisoformat(before["since"]))
    return stand(before, now), changes(before, now)


def off(who: str, first: int, last: int) -> TimeOff:
    return TimeOff(person=who, first_day=day(first), last_day=day(last))


@pytest.mark.parametrize(
    "change, said",
    [
        (with_task("t0", estimate_min=300), "task t0: estimate_min is 300, was 480"),
        (with_task("t0", deadline=day(10)), "task t0: deadline is 2027-03-11, was 2027-03-12"),
        (with_task("t0", requested_person="bob"), "task t0: requested_person is bob, was none"),
        (
            with_more("task_types", TaskType(id="return", skill="tax", complexity=2)),
            "type return: complexity is 2, was 1",
        ),
        (with_more("clients", Client(id="acme", usual_person="bob")), "client acme: usual_person is bob, was none"),
        (with_more("people", person("bob", skills=("tax", "audit"))), "⟦bob⟧: skills has changed"),
        (with_more("people", person("ann", leave_date=day(20))), "⟦ann⟧: leave_date is 2027-03-21, was none"),
        (with_more("time_off", off("bob", 1, 1)), "⟦bob⟧: time off, bookings or overtime have changed"),
        (with_more("time_off", off("ann", 1, 1)), "⟦ann⟧: time off, bookings or overtime have changed"),
        (
            with_more("bookings", Booking(person="bob", first_day=day(11), last_day=day(30), minutes_per_day=9)),
            "⟦bob⟧: time off, bookings or overtime have changed",
        ),
        (
            with_more("overtime", Overtime(first_day=day(1), last_day=day(2), extra_min=(60,) * 7)),
            "⟦ann⟧: time off, bookings or overtime have changed",
        ),
        (with_more("tasks", task("x", hours=4, due=11, assignee="ann")), "⟦ann⟧: 4 h less room by 2027-03-12"),
        (with_task("b", estimate_min=240), "⟦bob⟧: 4 h more room by 2027-03-12"),
        (
            lambda made: made.model_copy(update={"policy": Policy(weights=Weights(move=0))}),
            "the firm's weights or guardrail have changed",
        ),
    ],
)
def test_a_fact_that_changes_is_named_and_lets_a_declined_move_be_proposed_again(change: Change, said: str) -> None:
    stands, found = compared(change)
    assert not stands
    assert said in found


@pytest.mark.parametrize(
    "change, said",
    [
        (with_more("tasks", task("x", hours=3.99, due=11, assignee="ann")), None),
        (with_more("tasks", task("x", hours=20, due=18, assignee="bob")), None),
        (with_more("time_off", off("cat", 1, 1)), None),
        (with_more("time_off", off("bob", 12, 15)), None),
        (with_more("time_off", off("bob", -5, -1)), None),
        (
            with_more("overtime", Overtime(first_day=day(1), last_day=day(2), extra_min=(60,) * 7, people=("cat",))),
            None,
        ),
        (with_task("t1", priority=Priority.HIGH), None),
        (with_task("t0", logged_min=10), None),
        (with_more("people", person("bob", name="Bob Ray", team="blue")), None),
        # Against the move: whoever declined it at better odds is not asked again.
        (with_more("tasks", task("x", hours=8, due=11, assignee="bob")), "⟦bob⟧: 8 h less room by 2027-03-12"),
        (with_task("t4", status=Status.CANCELLED), "⟦ann⟧: 8 h more room by 2027-03-12"),
    ],
)
def test_what_is_no_fact_or_speaks_against_the_move_does_not_bring_it_back(change: Change, said: str | None) -> None:
    stands, found = compared(change)
    assert stands
    assert list(found) == ([] if said is None else [said])


def test_days_that_pass_as_planned_are_no_change_and_a_day_on_which_nothing_was_done_is() -> None:
    day_later = timedelta(days=1)
    assert compared(with_task("t1", logged_min=450), later=day_later)[0]
    stands, found = compared(lambda made: made, later=day_later)
    assert not stands
    assert "⟦ann⟧: 8 h less room by 2027-03-12" in found


def test_facts_are_plain_json_without_names() -> None:
    named = with_more("people", person("ann", name="Ann Lee"))(begun())
    facts = facts_of(compile_board(named, now=NOW), MOVES)
    assert json.loads(canonical(facts)) == facts
    assert "Lee" not in canonical(facts)
