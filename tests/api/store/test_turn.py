from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from api.store.database import Database
from api.store.draft import read_head
from api.store.loading import load_firm
from api.store.log import By, EntryKind, entries_of, read
from api.store.names import named
from api.store.parts import PartKind
from api.store.refusals import Changed, NotFound, Taken
from api.store.saving import create_firm
from api.store.tables import AssignmentRecord, ExceptionRecord, OutboxRecord, TimeRecord
from api.store.turn import Turn
from api.store.turns import Turns
from solver.firm import Booking, Firm, Status, Task, TimeOff
from solver.plan import Outcome
from solver.policy import Guardrail, MissingEstimate
from solver.refusal import Refused
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
"""Nine in the morning, local."""
ANN, BOB = person("ann", name="Ann Lee"), person("bob", name="Bob Ray")


def begun(database: Database, *tasks: Task, **more: object) -> Turns:
    create_firm(database, "one", firm((ANN, BOB), tasks, **more), now=NOW, actor="test")
    return Turns(database)


def stored(turns: Turns) -> Firm:
    with turns.database.reading("one") as session:
        return load_firm(session)


def rows(turns: Turns, record: Any) -> list[Any]:
    with turns.database.reading("one") as session:
        found = list(session.scalars(select(record)))
        session.expunge_all()
        return found


def test_a_new_task_is_decided_stored_logged_and_told_in_one_turn(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="token-1") as turn:
        decided = turn.place(task("t"))
    assert decided.decision.outcome is Outcome.PLACED
    assert decided.task.assignee == decided.decision.person == "ann"
    assert decided.decision.reason.startswith("Ann Lee has the most remaining hours")
    assert stored(turns).tasks == (decided.task,)
    with database.reading("one") as session:
        (entry,) = entries_of(session, "t")
    assert (entry.number, entry.kind, entry.decided_by, entry.actor) == (
        decided.number,
        EntryKind.PLACE,
        By.RULE,
        "token-1",
    )
    assert entry.asked == task("t")
    assert entry.reason.startswith("⟦ann⟧ has the most")
    assert entry.answer is not None
    assert tuple(entry.answer.candidates) == tuple(decided.decision.candidates)
    (told,) = rows(turns, OutboxRecord)
    assert (told.topic, json.loads(told.document)) == ("task.placed", {"task": "t", "person": "ann", "decision": 1})
    (assigned,) = rows(turns, AssignmentRecord)
    assert (assigned.task, assigned.person, assigned.version, assigned.until_version) == (
        "t",
        "ann",
        decided.version,
        None,
    )


def test_the_next_task_sees_what_the_last_one_took(database: Database) -> None:
    turns = begun(database)
    people = []
    for i in range(4):
        with turns.turn("one", now=NOW, actor="test") as turn:
            people.append(turn.place(task(f"t{i}", hours=8)).task.assignee)
    assert people == ["ann", "bob", "ann", "bob"]


def test_many_tasks_in_one_turn_see_each_other(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        people = [turn.place(task(f"t{i}", hours=8)).task.assignee for i in range(4)]
    assert people == ["ann", "bob", "ann", "bob"]
    assert turns.self_check("one") == ()


def test_a_client_request_is_logged_as_such(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t", requested_person="bob"))
    with database.reading("one") as session:
        assert [entry.decided_by for entry in entries_of(session, "t")] == [By.CLIENT_REQUEST]


def test_an_error_in_a_turn_leaves_nothing_of_it_and_the_board_as_it_was(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t0"))
    before, heads = stored(turns), []
    with database.reading("one") as session:
        heads.append(read_head(session, "one"))

    def fails(turn: Turn) -> None:
        turn.place(task("t1", hours=30))
        turn.place(task("t2", hours=30, deadline_time="13:00"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), turns.turn("one", now=NOW, actor="test") as turn:
        fails(turn)
    assert stored(turns) == before
    with database.reading("one") as session:
        heads.append(read_head(session, "one"))
    assert heads[0] == heads[1]
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.board.load_min.tolist() == [240, 0]
        assert turn.place(task("t1")).task.assignee == "bob"
    assert turns.self_check("one") == ()


def test_a_refused_task_spoils_neither_the_turn_nor_the_others_in_it(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t0"))
        with pytest.raises(Refused, match="not known"):
            turn.place(task("t1", client="nobody"))
        with pytest.raises(Taken, match='task "t0" is there already'):
            turn.place(task("t0"))
        turn.place(task("t2"))
    assert [one.id for one in stored(turns).tasks] == ["t0", "t2"]
    assert turns.self_check("one") == ()


def test_a_refusal_that_ends_its_turn_costs_no_board(database: Database) -> None:
    turns, boards = begun(database), []
    for client in ("acme", "nobody", "acme"):
        with contextlib.suppress(Refused), turns.turn("one", now=NOW, actor="test") as turn:
            boards.append(turn.board)
            turn.place(task(f"t{len(boards)}", client=client))
    assert boards[0] is boards[1] is boards[2]
    assert [one.id for one in stored(turns).tasks] == ["t1", "t3"]
    assert turns.self_check("one") == ()


def test_a_turn_that_needs_no_board_leaves_the_one_there_is(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        board = turn.board
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.tell("hello", {}) == 1
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.board is board


def test_a_turn_that_failed_within_an_operation_cannot_be_committed(database: Database) -> None:
    turns = begun(database)

    def fails(turn: Turn) -> None:
        with pytest.raises(Refused, match="NUL"):
            turn.place(task("t0"))

    with pytest.raises(RuntimeError, match="failed in its middle"), turns.turn("one", now=NOW, actor="a\x00b") as turn:
        fails(turn)
    assert stored(turns).tasks == ()
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t0"))
    assert turns.self_check("one") == ()


def test_an_id_of_finished_work_is_taken(database: Database) -> None:
    turns = begun(database, task("old", assignee="ann", status=Status.DONE, completed_on=day(0)))
    with turns.turn("one", now=NOW, actor="test") as turn, pytest.raises(Taken):
        turn.place(task("old"))


def test_a_review_of_work_finished_long_ago_goes_to_somebody_else(database: Database) -> None:
    turns = begun(database, task("old", assignee="ann", status=Status.DONE, completed_on=day(0)))
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert "old" not in turn.board.known
        assert turn.place(task("review", reviews="old")).task.assignee == "bob"
    assert turns.self_check("one") == ()


def test_a_hold_is_open_until_its_estimate_comes_and_routes_at_once(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        held = turn.place(task("t", hours=None))
    assert held.decision.outcome is Outcome.HELD
    (hold,) = rows(turns, ExceptionRecord)
    assert (hold.kind, hold.task, hold.number, hold.closed_at) == ("hold", "t", held.number, None)
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.place_again("t", estimate_min=60).task.assignee == "ann"
    (hold,) = rows(turns, ExceptionRecord)
    assert (hold.closed_at, hold.closed_how) == (NOW, "now placed")
    assert turns.self_check("one") == ()


def test_an_escalation_is_open_until_a_manager_assigns_it(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        escalated = turn.place(task("t", hours=90, due=1))
    assert escalated.decision.outcome is Outcome.ESCALATED
    assert any("Ann Lee" in way.sentence for way in escalated.decision.ways_out)
    assert not any("⟦" in way.sentence for way in escalated.decision.ways_out)
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        decided = turn.assign("t", "bob", reason="he asked for it")
    assert decided.task.assignee == "bob"
    (escalation,) = rows(turns, ExceptionRecord)
    assert (escalation.kind, escalation.closed_how) == ("escalation", "assigned")
    with database.reading("one") as session:
        entry = entries_of(session, "t")[-1]
    assert (entry.kind, entry.decided_by, entry.person, entry.outcome) == (
        EntryKind.ASSIGN,
        By.MANAGER,
        "bob",
        "assigned",
    )
    assert entry.answer is not None
    assert entry.answer.outcome is Outcome.ESCALATED
    assert turns.self_check("one") == ()


def test_an_exception_ended_by_hand_is_ended_once(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        number = turn.place(task("t", hours=None)).number
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        turn.end_exception(number, how="dropped", reason="the client left")
        with pytest.raises(NotFound, match="exception"):
            turn.end_exception(number, how="dropped", reason="again")


def test_work_given_to_another_keeps_the_history_of_who_had_it(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        first = turn.place(task("t"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        second = turn.assign("t", "bob", reason="knows the client", pinned=True)
        third = turn.assign("t", None, reason="rather not")
    had = sorted(
        ((one.person, one.version, one.until_version) for one in rows(turns, AssignmentRecord)), key=lambda r: r[1]
    )
    assert had == [("ann", first.version, second.version), ("bob", second.version, third.version)]
    assert stored(turns).tasks[0].pinned
    assert turns.self_check("one") == ()


def test_logged_time_shrinks_what_remains_and_is_taken_once(database: Database) -> None:
    turns = begun(database, task("t", assignee="ann", hours=4))
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.board.load_min.tolist() == [240, 0]
        assert turn.log_time("e1", task="t", person="ann", day=day(0), minutes=90).logged_min == 90
        assert turn.board.load_min.tolist() == [150, 0]
        with pytest.raises(Taken, match="time_entry"):
            turn.log_time("e1", task="t", person="ann", day=day(0), minutes=90)
        with pytest.raises(Refused, match='minutes "0"'):
            turn.log_time("e2", task="t", person="ann", day=day(0), minutes=0)
    (entry,) = rows(turns, TimeRecord)
    assert (entry.minutes, entry.task, entry.person, entry.day) == (90, "t", "ann", day(0))
    assert turns.self_check("one") == ()


def test_a_change_is_refused_when_somebody_else_was_faster(database: Database) -> None:
    turns = begun(database, task("t", assignee="ann"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        _, version = turn.change_task("t", estimate_min=60)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.change_task("t", expected=version, estimate_min=90)
        with pytest.raises(Changed) as error:
            turn.change_task("t", expected=version, estimate_min=120)
    assert error.value.refusal.nearest == str(version + 1)


@pytest.mark.parametrize("fields", [{"assignee": "bob"}, {"id": "u"}])
def test_who_has_a_task_is_no_fact_to_be_changed(database: Database, fields: dict[str, Any]) -> None:
    turns = begun(database, task("t", assignee="ann"))
    with turns.turn("one", now=NOW, actor="test") as turn, pytest.raises(Refused, match="is no fact"):
        turn.change_task("t", **fields)


def test_a_changed_task_is_checked_like_a_new_one(database: Database) -> None:
    turns = begun(database, task("t", assignee="ann"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        with pytest.raises(ValidationError, match="release"):
            turn.change_task("t", release=day(30))
        with pytest.raises(NotFound, match="requested_person"):
            turn.change_task("t", requested_person="anna")


def test_a_firm_that_would_contradict_itself_is_not_committed(database: Database) -> None:
    turns = begun(database, task("a"), task("b", reviews="a"))
    with pytest.raises(ValidationError, match="circle"), turns.turn("one", now=NOW, actor="test") as turn:
        turn.change_task("a", reviews="b")
    with pytest.raises(ValidationError, match="director"), turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(person("cat", level="director"))
    assert [one.id for one in stored(turns).people] == ["ann", "bob"]
    assert stored(turns).tasks[0].reviews is None


def test_finished_work_frees_its_person_and_opened_again_takes_them(database: Database) -> None:
    turns = begun(database, task("t", assignee="ann"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.change_task("t", status=Status.DONE, completed_on=day(0))
        assert turn.board.load_min.tolist() == [0, 0]
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.change_task("t", status=Status.PLANNED, completed_on=None)
        assert turn.board.load_min.tolist() == [240, 0]
    assert turns.self_check("one") == ()


def test_people_and_their_time_off_count_from_the_next_placement_on(database: Database) -> None:
    turns = begun(database)
    off = TimeOff(person="ann", first_day=day(0), last_day=day(3))
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(off)
        assert turn.place(task("t0")).task.assignee == "bob"
        turn.put(person("cat", name="Cat"))
        assert turn.place(task("t1")).task.assignee == "cat"
    assert turns.self_check("one") == ()
    assert stored(turns).time_off == (off,)


def test_a_calendar_entry_is_changed_and_removed_by_its_id(database: Database) -> None:
    turns = begun(database)
    booking = Booking(person="ann", first_day=day(0), last_day=day(3), minutes_per_day=60)
    with turns.turn("one", now=NOW, actor="test") as turn:
        id = f"booking-{turn.put(booking)}"
    longer = booking.model_copy(update={"minutes_per_day": 120})
    with turns.turn("one", now=NOW, actor="test") as turn:
        version = turn.put(longer, id=id)
    assert stored(turns).bookings == (longer,)
    with turns.turn("one", now=NOW, actor="test") as turn:
        with pytest.raises(Changed):
            turn.remove(PartKind.BOOKING, id, expected=version - 1)
        turn.remove(PartKind.BOOKING, id, expected=version)
        with pytest.raises(NotFound):
            turn.put(longer, id=id)
    assert stored(turns).bookings == ()


def test_what_others_refer_to_cannot_be_removed(database: Database) -> None:
    turns = begun(database, task("t", assignee="ann"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        for kind, id in ((PartKind.PERSON, "ann"), (PartKind.TASK_TYPE, "return"), (PartKind.CLIENT, "acme")):
            with pytest.raises(Refused, match="is referred to by tasks"):
                turn.remove(kind, id)
        turn.remove(PartKind.PERSON, "bob")
    assert [one.id for one in stored(turns).people] == ["ann"]


def test_exceptions_of_work_that_no_longer_waits_are_ended(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        for id in ("gone", "assigned", "waits", "removed", "dropped"):
            turn.place(task(id, hours=None))
        turn.change_task("dropped", status=Status.CANCELLED)
        turn.remove(PartKind.TASK, "removed")
    made = stored(turns)
    tasks = [
        one.model_copy(update={"assignee": "bob"} if one.id == "assigned" else {})
        for one in made.tasks
        if one.id != "gone"
    ]
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.save(made.model_copy(update={"tasks": tuple(tasks)}))
    ended = {one.task: one.closed_how for one in rows(turns, ExceptionRecord)}
    assert ended == {"gone": "saved", "assigned": "saved", "waits": None, "removed": "removed", "dropped": "cancelled"}
    assert turns.self_check("one") == ()


def test_names_that_a_manager_writes_are_logged_as_marks(database: Database) -> None:
    turns = begun(database, task("t", assignee="ann"))
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        number = turn.assign("t", "bob", reason="Ann Lee is ill, Bob Ray knows the client").number
        turn.note(EntryKind.PROPOSAL, by=By.MANAGER, outcome="declined", reason="Ann Lee said no", document={})
    with database.reading("one") as session:
        said = [read(session, one).reason for one in (number, number + 1)]
    assert said == ["⟦ann⟧ is ill, ⟦bob⟧ knows the client", "⟦ann⟧ said no"]
    assert named(said[1], {"ann": "Ann Lee"}) == "Ann Lee said no"


def test_what_is_no_part_of_a_firm_cannot_be_put(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        with pytest.raises(TypeError, match="Guardrail is no part of a firm"):
            turn.put(Guardrail())
        with pytest.raises(Refused, match="Maybe use `place`"):
            turn.put(task("t"))


def test_a_firm_saved_without_work_that_somebody_logged_time_on_is_refused(database: Database) -> None:
    turns = begun(database, task("a", assignee="ann"), task("b", assignee="ann", reviews="a"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.log_time("e1", task="a", person="ann", day=day(0), minutes=5)
    bare = stored(turns).model_copy(update={"tasks": ()})
    with pytest.raises(Refused, match='task "a" is referred to by time_entries'):
        save(turns, bare)
    assert len(stored(turns).tasks) == 2


def test_a_firm_saved_without_a_review_and_its_preparation_has_neither(database: Database) -> None:
    turns = begun(database, task("a", assignee="ann"), task("b", assignee="bob", reviews="a"))
    save(turns, stored(turns).model_copy(update={"tasks": (), "people": (BOB,)}))
    assert (stored(turns).tasks, stored(turns).people) == ((), (BOB,))
    assert turns.self_check("one") == ()


def save(turns: Turns, made: Firm) -> None:
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.save(made)


def test_work_taken_in_with_its_person_is_not_routed(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.add(task("a", assignee="bob"), task("b", assignee="bob"))
        assert turn.board.load_min.tolist() == [0, 480]
        with pytest.raises(NotFound, match="assignee"):
            turn.add(task("c", assignee="nobody"))
    with database.reading("one") as session:
        assert entries_of(session, "a") == []
    assert turns.self_check("one") == ()


def test_a_changed_policy_is_logged_and_holds_at_once(database: Database) -> None:
    turns = begun(database)
    old = stored(turns)
    policy = old.policy.model_copy(update={"missing_estimate": MissingEstimate.TYPE_DEFAULT})
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        turn.save_settings(
            Firm.model_validate(old.model_dump() | {"policy": policy.model_dump()}), reason="no more holds"
        )
    assert stored(turns).policy == policy
    assert turns.self_check("one") == ()


def test_a_request_asked_twice_is_answered_once(database: Database) -> None:
    turns = begun(database)
    for _ in range(2):
        with turns.turn("one", now=NOW, actor="test") as turn:
            if turn.answered("key", "print") is None:
                turn.answer("key", "print", str(turn.place(task("t")).number))
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.answered("key", "print") == "1"
        with pytest.raises(Taken, match="idempotency_key"):
            turn.answered("key", "another")
    assert len(stored(turns).tasks) == 1


def test_a_view_is_tried_on_without_anybody_seeing_it(database: Database) -> None:
    turns = begun(database)
    with turns.view("one", now=NOW) as view:
        assert view.dry_run(task("t", deadline_time="13:00")).person == "ann"
        view.board.know("t", task("t"))
    with turns.view("one", now=NOW) as view:
        assert "t" not in view.board.known
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("t"))
        with turns.view("one", now=NOW) as view:  # in the middle of the turn: what was, and no waiting for it
            assert "t" not in view.board.known
    with turns.view("one", now=NOW) as view:
        assert view.board.promises["t"].work_min == 240
        assert view.dry_run(task("u")).reason.startswith("Bob Ray")


def test_a_view_knows_what_a_review_reviews_however_long_finished(database: Database) -> None:
    turns = begun(database, task("old", assignee="ann", status=Status.DONE, completed_on=day(0)))
    with turns.view("one", now=NOW) as view:
        assert view.dry_run(task("review", reviews="old")).person == "bob"
        with pytest.raises(Refused, match='reviews "older"'):
            view.dry_run(task("review", reviews="older"))


def test_hours_of_today_that_have_passed_are_open_no_more(database: Database) -> None:
    turns = begun(database)
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.board.open_min[0, 0] == 480
    for minutes, left in ((14, 480), (16, 465), (120, 360), (1, 480)):
        with turns.turn("one", now=NOW + timedelta(minutes=minutes), actor="test") as turn:
            assert turn.board.open_min[0, 0] == left


def test_nobody_has_the_turn_of_a_firm_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound, match='firm "none"'), Turns(database).turn("none", now=NOW, actor="test"):
        pass
