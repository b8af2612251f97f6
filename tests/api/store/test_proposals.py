from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import By, EntryKind, entries_of, read, verify
from api.store.proposal_listing import Proposed, WantedProposals, one_proposal, proposals_after
from api.store.proposal_states import ProposalStatus
from api.store.proposals import approve, consider, decline, expire, next_end, propose, undo
from api.store.records import keep_plan, load_marked_firm
from api.store.refusals import Changed, Ended, NotFound, Stale
from api.store.replaying import replay
from api.store.saving import create_firm
from api.store.tables import ExceptionRecord, OutboxRecord
from api.store.turn import Turn
from api.store.turns import Turns
from solver.batch import solve
from solver.board import compile_board
from solver.firm import Person, Skill, Status, Task, TaskType, TimeOff
from solver.plan import LoadChange, Move, Outcome, Proposal
from solver.rebalance import proposals
from solver.refusal import Refused
from solver.stop import WorkBudget
from tests.firms_for_tests import day, firm, person, task

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
"""Nine in the morning, local."""


def begun(database: Database, *tasks: Task) -> Turns:
    """Ann is overloaded, Bob has nothing, Cat is new to the work; eight hours each for two weeks."""
    people = (person("ann", name="Ann Lee"), person("bob", name="Bob Ray"), person("cat", name="Cat Kim", skills=()))
    work = tasks or tuple(task(f"t{i}", hours=8, due=11, assignee="ann") for i in range(8))
    create_firm(database, "one", firm(people, work), now=NOW, actor="test")
    return Turns(database)


@pytest.fixture
def turns(database: Database) -> Turns:
    return begun(database)


def move(*moves: tuple[str, str | None, str]) -> Proposal:
    """Return a proposal of these moves, as somebody makes one by hand; what it gains is found when it is kept."""
    made = tuple(Move(task=one, from_person=here, to_person=there) for one, here, there in moves)
    id = "+".join(f"{one.task}>{one.to_person}" for one in made)
    load = LoadChange(person="ann", before_min=0, after_min=0, capacity_min=0)
    return Proposal(id=id, moves=made, gain_min=1, gain_per_move_min=1, loads=(load,), reason="⟦bob⟧ has room")


def kept(turns: Turns, *some: Proposal, plan: str | None = None, at: datetime = NOW) -> list[str]:
    with turns.turn("one", now=at, actor="job") as turn:
        return propose(turn, some, plan=plan)


def shown(turns: Turns, id: str) -> Proposed:
    with turns.database.reading("one") as session:
        return one_proposal(session, id)


def listed(turns: Turns, **wanted: Any) -> list[str]:
    with turns.database.reading("one") as session:
        return [one.id for one in proposals_after(session, WantedProposals(**wanted), None, 100)]


def holders(turns: Turns) -> dict[str, str | None]:
    with turns.database.reading("one") as session:
        return {one.id: one.assignee for one in load_firm(session).tasks}


def told(turns: Turns, topic: str) -> list[dict[str, Any]]:
    with turns.database.reading("one") as session:
        asked = select(OutboxRecord.document).where(OutboxRecord.topic == topic).order_by(OutboxRecord.number)
        return [json.loads(one) for one in session.scalars(asked)]


def approved(turns: Turns, *ids: str, actor: str = "m-1", at: datetime = NOW) -> Any:
    with turns.turn("one", now=at, actor=actor) as turn:
        return approve(turn, ids, reason="Ann Lee is drowning")


def declined(turns: Turns, id: str, *, at: datetime = NOW) -> None:
    with turns.turn("one", now=at, actor="m-1") as turn:
        decline(turn, id, reason="Bob Ray is new to the client")


def test_the_proposals_of_a_plan_wait_with_what_they_gain_and_can_all_be_approved(turns: Turns) -> None:
    with turns.database.reading("one") as session:
        made, version = load_marked_firm(session)
    plan = solve(made, now=NOW, stop=WorkBudget(0.2))
    found = proposals(compile_board(made, now=NOW), plan)
    with turns.turn("one", now=NOW, actor="job") as turn:
        keep_plan(turn, "night-1", plan, version=version)
        ids = propose(turn, found, plan="night-1", expires_at=NOW + timedelta(days=2))
    assert len(ids) == len(found) > 1
    assert set(listed(turns, waiting=True, plan="night-1")) == set(ids)
    for id, proposal in zip(ids, found, strict=True):
        one = shown(turns, id)
        assert (one.status, one.plan, one.expires_at) == (ProposalStatus.CREATED, "night-1", NOW + timedelta(days=2))
        assert one.proposal.moves == proposal.moves
        assert one.proposal.gain_min == proposal.gain_min
        assert "⟦" not in one.proposal.model_dump_json()
    assert told(turns, "proposal.created") == [{"proposal": id} for id in ids]
    for proposal in found[:1]:
        approved(turns, ids[0])
        assert all(holders(turns)[one.task] == one.to_person for one in proposal.moves)
    assert turns.self_check("one") == ()


def test_an_approved_move_is_the_managers_decision_and_can_be_made_again(turns: Turns) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    done = approved(turns, id)
    assert holders(turns)["t0"] == "bob"
    one = shown(turns, id)
    assert (one.status, one.decision, one.ended_at) == (ProposalStatus.APPROVED, done.number, NOW)
    assert [(state.state.value, state.actor) for state in one.states] == [("created", "job"), ("approved", "m-1")]
    assert one.states[-1].reason == "Ann Lee is drowning"
    with turns.database.reading("one") as session:
        entry, (assigned,) = read(session, done.number), entries_of(session, "t0")
        assert (entry.kind, entry.outcome, entry.decided_by) == (EntryKind.PROPOSAL, "approved", By.MANAGER)
        assert entry.reason == "⟦ann⟧ is drowning"
        assert (assigned.kind, assigned.person, assigned.decided_by) == (EntryKind.ASSIGN, "bob", By.MANAGER)
        assert assigned.document["proposal"] == done.number
        assert replay(session, assigned.number).same
        assert verify(session).broken is None
    assert done.gain_min == entry.document["gain_min"] > 0
    (assign,) = told(turns, "task.assigned")
    assert (assign["task"], assign["from_person"], assign["person"]) == ("t0", "ann", "bob")
    assert turns.self_check("one") == ()


def test_of_two_managers_one_wins_and_the_other_is_told_who_and_when(turns: Turns) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    approved(turns, id, actor="m-1")
    later = NOW + timedelta(minutes=1)
    with turns.turn("one", now=later, actor="m-2") as turn:
        for act in (lambda: approve(turn, [id], reason="me too"), lambda: decline(turn, id, reason="no")):
            with pytest.raises(
                Ended, match=r"approved already, by m-1 at 2027-03-01T14:00:00\+00:00: Ann Lee is drown"
            ):
                act()
    assert len(told(turns, "task.assigned")) == 1
    with turns.turn("one", now=NOW, actor="m-2") as turn, pytest.raises(NotFound, match="proposal"):
        approve(turn, ["p-none"], reason="")


CHANGES: list[tuple[Any, str]] = [
    (lambda turn: turn.put(TimeOff(person="bob", first_day=day(0), last_day=day(11))), "Bob Ray: time off"),
    (lambda turn: turn.change_task("t0", pinned=True), "t0 is pinned now"),
]


@pytest.mark.parametrize("change, said", CHANGES, ids=["time off", "pinned"])
def test_approving_what_is_not_right_any_more_says_what_has_changed(turns: Turns, change: Any, said: str) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    with turns.turn("one", now=NOW, actor="test") as turn:
        change(turn)
    with pytest.raises(Stale, match=said):
        approved(turns, id)
    assert holders(turns)["t0"] == "ann"
    assert shown(turns, id).status is ProposalStatus.CREATED
    assert turns.self_check("one") == ()


def test_a_move_that_gains_nothing_any_more_is_refused(turns: Turns) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    with turns.turn("one", now=NOW, actor="test") as turn:
        for i in range(1, 8):
            turn.change_task(f"t{i}", status=Status.CANCELLED)
        turn.add(task("x", hours=8, due=11, assignee="bob"))
    with pytest.raises(Stale, match=r"the move of t0 costs .* more than it saves now.*Bob Ray: 8 h less room"):
        approved(turns, id)


def test_a_proposal_whose_work_has_gone_elsewhere_or_is_done_is_superseded_at_once(turns: Turns) -> None:
    first, second, third = (kept(turns, move((f"t{i}", "ann", "bob")))[0] for i in range(3))
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        number = turn.assign("t0", "bob", reason="at once").number
        turn.change_task("t1", status=Status.DONE, completed_on=day(0))
    one, two = shown(turns, first), shown(turns, second)
    assert (one.status, one.decision, one.states[-1].reason) == (
        ProposalStatus.SUPERSEDED,
        number,
        "t0 has gone elsewhere",
    )
    assert (two.status, two.states[-1].reason) == (ProposalStatus.SUPERSEDED, "t1 is done")
    assert shown(turns, third).status.waits
    with turns.database.reading("one") as session:
        made = load_firm(session)
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.save(made.model_copy(update={"tasks": tuple(one for one in made.tasks if one.id != "t2")}))
    assert shown(turns, third).status is ProposalStatus.SUPERSEDED
    with pytest.raises(Ended, match="superseded already, by m-1"):
        approved(turns, first)


def test_a_new_plan_supersedes_what_it_does_not_make_again_and_refreshes_what_it_does(turns: Turns) -> None:
    by_hand = kept(turns, move(("t7", "ann", "bob")))[0]
    with turns.database.reading("one") as session:
        made, version = load_marked_firm(session)
    plan = solve(made, now=NOW, stop=WorkBudget(0.1))
    with turns.turn("one", now=NOW, actor="job") as turn:
        for id in ("night-1", "night-2"):
            keep_plan(turn, id, plan, version=version)
    first = kept(turns, move(("t0", "ann", "bob")), move(("t1", "ann", "bob")), plan="night-1")
    again = kept(turns, move(("t0", "ann", "bob")), move(("t1", "ann", "bob")), plan="night-1")
    assert again == first  # a job done twice
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.place(task("new", hours=1))
    later = NOW + timedelta(days=1)
    second = kept(turns, move(("t1", "ann", "bob")), move(("t2", "ann", "bob")), plan="night-2", at=later)
    assert second[0] == first[1]
    one = shown(turns, first[1])
    assert (one.plan, one.created_at, one.expires_at) == ("night-2", NOW, later + timedelta(days=7))
    assert one.version > shown(turns, first[0]).version
    gone = shown(turns, first[0])
    assert (gone.status, gone.states[-1].reason) == (
        ProposalStatus.SUPERSEDED,
        "the plan night-2 does not make it again",
    )
    assert set(listed(turns, waiting=True)) == {by_hand, *second}
    with turns.turn("one", now=later, actor="m-1") as turn, pytest.raises(Changed):
        approve(turn, [first[1]], reason="", expected=gone.version)
    kept(turns, move(("t7", "ann", "bob"), ("t2", "ann", "bob")))
    assert shown(turns, by_hand).states[-1].reason == "another proposal moves the same work"


def test_what_changed_since_the_plan_is_checked_again_before_it_waits(turns: Turns) -> None:
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.assign("t0", "bob", reason="meanwhile")
        turn.change_task("t1", status=Status.CANCELLED)
        made = consider(
            turn,
            [
                *(move((f"t{i}", "ann", "bob")) for i in range(3)),
                move(("t3", "ann", "cat")),
                move(("t4", "ann", "dan")),
                move(("t5", "ann", "ann")),
            ],
            plan=None,
        )
    assert len(made.ids) == 1
    assert shown(turns, made.ids[0]).proposal.moves[0].task == "t2"
    assert [one.reason for one in made.left_out] == [
        "t0 is not where it was: ⟦bob⟧ has it",
        "t1 needs no work any more",
        "t3 cannot go to ⟦cat⟧, who does not have the skill",
        "dan is not there any more",
        "the move of t5 saves nothing now",
    ]


def test_a_declined_proposal_is_not_repeated_until_the_facts_change(turns: Turns) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    declined(turns, id)
    assert kept(turns, move(("t0", "ann", "bob"))) == []
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.put(person("bob", name="Robert Ray"))
        turn.place(task("new", hours=1))
        made = consider(turn, [move(("t0", "ann", "bob"))], plan=None)
        assert (made.ids, made.left_out[0].reason) == ([], f"was declined as {id}, and the facts stand")
        turn.change_task("t0", deadline=day(10))
    (again,) = kept(turns, move(("t0", "ann", "bob")))
    assert again != id
    assert shown(turns, id).status is ProposalStatus.DECLINED


def test_a_day_that_passes_as_planned_is_no_change_of_facts(turns: Turns) -> None:
    declined(turns, kept(turns, move(("t0", "ann", "bob")))[0])
    later = NOW + timedelta(days=1)
    with turns.turn("one", now=later, actor="test") as turn:
        turn.log_time("e", task="t1", person="ann", day=day(0), minutes=450)
        assert consider(turn, [move(("t0", "ann", "bob"))], plan=None).ids == []
    with turns.turn("one", now=later + timedelta(days=1), actor="test") as turn:  # and a day on which nothing was done
        assert len(consider(turn, [move(("t0", "ann", "bob"))], plan=None).ids) == 1


def test_a_bundle_around_a_declined_move_is_a_repetition_and_a_part_of_a_declined_bundle_is_not(turns: Turns) -> None:
    declined(turns, kept(turns, move(("t0", "ann", "bob")))[0])
    assert kept(turns, move(("t0", "ann", "bob"), ("t1", "ann", "bob"))) == []
    declined(turns, kept(turns, move(("t2", "ann", "bob"), ("t3", "ann", "bob")))[0])
    assert len(kept(turns, move(("t2", "ann", "bob")))) == 1


def test_a_bundle_is_made_as_a_whole_where_its_moves_only_fit_together(database: Database) -> None:
    tax, audit = Skill(skill="tax"), Skill(skill="audit")
    rather_not = {"mismatch_min": 600}
    staff = (
        Person(id="ann", level="associate", skills=(tax.model_copy(update=rather_not), audit)),
        Person(id="bob", level="associate", skills=(tax, audit.model_copy(update=rather_not))),
    )
    work = (task("a", hours=30, assignee="ann"), task("b", hours=30, type="audit", assignee="bob"))
    types = (TaskType(id="return", skill="tax"), TaskType(id="audit", skill="audit"))
    create_firm(database, "one", firm(staff, work, task_types=types), now=NOW, actor="test")
    turns = Turns(database)
    with turns.turn("one", now=NOW, actor="job") as turn:
        made = consider(turn, [move(("a", "ann", "bob")), move(("a", "ann", "bob"), ("b", "bob", "ann"))], plan=None)
    assert [one.reason for one in made.left_out] == ["a finds no room with ⟦bob⟧: 20 h are missing"]
    approved(turns, *made.ids)
    assert holders(turns) == {"a": "bob", "b": "ann"}
    with turns.view("one", now=NOW) as view:
        assert all(promise.window.price_min == 0 for promise in view.board.promises.values())  # nobody is late for it
    with turns.database.reading("one") as session:
        assert all(replay(session, number).same for number in range(1, verify(session).entries + 1))
    assert turns.self_check("one") == ()


def test_several_proposals_are_approved_together_or_not_at_all(turns: Turns) -> None:
    ids = [kept(turns, move((f"t{i}", "ann", "bob")))[0] for i in range(3)]
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.change_task("t2", pinned=True)
    with pytest.raises(Stale, match="t2 is pinned"):
        approved(turns, *ids)
    assert set(holders(turns).values()) == {"ann"}
    done = approved(turns, *ids[:2])
    assert [one.task.id for one in done.decided] == ["t0", "t1"]
    assert shown(turns, ids[0]).decision == shown(turns, ids[1]).decision == done.number
    assert turns.self_check("one") == ()


def test_new_work_that_only_finds_room_with_a_move_is_part_of_its_bundle_and_undone_with_it(database: Database) -> None:
    turns = begun(database, task("a", hours=20, due=4, assignee="ann"), task("b", hours=15, due=4, assignee="bob"))
    with turns.turn("one", now=NOW, actor="test") as turn:
        assert turn.place(task("new", hours=30)).task.assignee is None
    (id,) = kept(turns, move(("new", None, "bob"), ("b", "bob", "ann")))
    approved(turns, id)
    assert holders(turns) == {"a": "ann", "b": "ann", "new": "bob"}
    with turns.turn("one", now=NOW, actor="m-1") as turn:
        back = undo(turn, id, reason="as it was")
    assert holders(turns) == {"a": "ann", "b": "bob", "new": None}
    assert back.decided[-1].decision.outcome is Outcome.ESCALATED
    with turns.database.reading("one") as session:
        found = session.scalars(select(ExceptionRecord).order_by(ExceptionRecord.number)).all()
        assert [(one.task, one.closed_how) for one in found] == [("new", "assigned"), ("new", None)]
    assert turns.self_check("one") == ()


def test_an_approved_proposal_can_be_undone_while_nobody_has_begun(turns: Turns) -> None:
    first, second = (kept(turns, move((f"t{i}", "ann", "bob")))[0] for i in range(2))
    approved(turns, first, second)
    with turns.turn("one", now=NOW, actor="m-2") as turn:
        done = undo(turn, first, reason="the client wants Ann Lee")
        with pytest.raises(Ended, match="undone already, by m-2"):
            undo(turn, first, reason="again")
    assert holders(turns)["t0"] == "ann"
    one = shown(turns, first)
    assert [state.state.value for state in one.states] == ["created", "approved", "undone"]
    with turns.database.reading("one") as session:
        entry = entries_of(session, "t0")[-1]
        assert (entry.person, entry.decided_by, entry.document["proposal"]) == ("ann", By.MANAGER, done.number)
        assert replay(session, entry.number).same
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.log_time("e", task="t1", person="bob", day=day(0), minutes=30)
    with turns.turn("one", now=NOW, actor="m-2") as turn, pytest.raises(Stale, match="t1 was started"):
        undo(turn, second, reason="too late")
    (third,) = kept(turns, move(("t2", "ann", "bob")))
    with turns.turn("one", now=NOW, actor="m-2") as turn, pytest.raises(Ended, match="is created already"):
        undo(turn, third, reason="before it was approved")
    assert turns.self_check("one") == ()


def test_proposals_expire_at_their_time_and_not_before(turns: Turns) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    for at, due in ((NOW + timedelta(days=7) - timedelta(seconds=1), []), (NOW + timedelta(days=7), [id])):
        with turns.database.reading("one") as session:
            end = next_end(session)
            assert (end is not None and end <= at) == bool(due)
        if due:
            with pytest.raises(Ended, match="expired already at 2027-03-08"):
                approved(turns, id, at=at)
        with turns.turn("one", now=at, actor="clock") as turn:
            assert expire(turn) == due
    one = shown(turns, id)
    assert (one.status, one.states[-1].reason) == (ProposalStatus.EXPIRED, "nobody decided until 2027-03-08 14:00 UTC")
    with turns.database.reading("one") as session:
        assert one.decision is not None
        assert read(session, one.decision).outcome == "expired"
    assert told(turns, "proposal.expired") == [{"proposal": id, "decision": one.decision}]


def test_proposals_are_found_by_task_person_plan_and_status(turns: Turns) -> None:
    first, second = (kept(turns, move((f"t{i}", "ann", "bob")))[0] for i in range(2))
    declined(turns, second)
    assert listed(turns, task="t0") == listed(turns, waiting=True) == [first]
    assert listed(turns, status=ProposalStatus.DECLINED) == listed(turns, waiting=False) == [second]
    assert set(listed(turns, person="bob")) == set(listed(turns, person="ann")) == {first, second}
    assert listed(turns, person="cat") == listed(turns, plan="none") == []


def test_a_refused_approval_spoils_no_turn_that_others_share(turns: Turns) -> None:
    (id,) = kept(turns, move(("t0", "ann", "bob")))
    with turns.turn("one", now=NOW, actor="test") as turn:
        turn.change_task("t0", pinned=True)

    def act(turn: Turn) -> None:
        turn.place(task("new", hours=1))
        with pytest.raises(Refused):
            approve(turn, [id], reason="")
        turn.place(task("newer", hours=1))

    with turns.turn("one", now=NOW, actor="m-1") as turn:
        act(turn)
    assert {"new", "newer"} <= set(holders(turns))
    assert turns.self_check("one") == ()
