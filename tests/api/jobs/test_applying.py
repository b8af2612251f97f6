"""A plan applied to a firm that has gone on meanwhile: what is still right is done, what changed is left to those who changed it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from api.jobs.applying import Applying
from api.jobs.ending import Lost
from api.store.database import Database
from api.store.loading import firm_at, load_firm
from api.store.log import By, EntryKind, entries_of, verify
from api.store.parts import PartKind
from api.store.proposal_listing import WantedProposals, proposals_after
from api.store.saving import create_firm
from api.store.solve_states import Solve, SolveAsk, SolveResult, SolveState
from api.store.solves import claim, keep_incumbent, one_solve, start_solve
from api.store.tables import DecisionRecord, ExceptionRecord
from api.store.turns import Turns
from solver.batch import solve
from solver.firm import Firm, Priority, TimeOff
from solver.plan import Plan
from solver.stop import WorkBudget
from tests.api.jobs.solving import NOW, uneven
from tests.firms_for_tests import day, firm, person, task


class Planned:
    """A firm with plans that were found for it, and are not applied yet."""

    def __init__(self, database: Database) -> None:
        self.database, self.turns = database, Turns(database)
        self.applying = Applying(database, self.turns, "worker", now=lambda: NOW + timedelta(minutes=5))

    def plan(self, made: Firm | None = None, id: str = "s") -> Plan:
        """Have a plan for the firm as it is; begin the firm first where one is given."""
        if made is not None:
            create_firm(self.database, "one", made, now=NOW, actor="test")
        with self.turn() as turn:
            start_solve(turn, id, SolveAsk())
        claimed = claim(self.database, "one", id, "worker", now=NOW)
        assert claimed is not None
        with self.database.reading("one") as session:
            marked = firm_at(session, claimed.version, marked=True)
        found = solve(marked, now=NOW, stop=WorkBudget(0.05))
        assert keep_incumbent(self.database, "one", id, "worker", found.model_dump_json(), now=NOW, final=True)
        return found

    def turn(self) -> Any:
        return self.turns.turn("one", now=NOW, actor="manager")

    def apply(self, id: str = "s") -> SolveResult:
        assert self.applying.apply("one", id) == "done"
        result = self.solve(id).result
        assert result is not None
        assert self.turns.self_check("one") == ()
        return result

    def solve(self, id: str = "s") -> Solve:
        with self.database.reading("one") as session:
            return one_solve(session, id)

    def people(self) -> dict[str, str | None]:
        with self.database.reading("one") as session:
            assert verify(session).broken is None
            return {one.id: one.assignee for one in load_firm(session).tasks}

    def moves(self) -> set[str]:
        with self.database.reading("one") as session:
            return {
                move.task
                for one in proposals_after(session, WantedProposals(waiting=True), None, 1_000)
                for move in one.proposal.moves
            }


@pytest.fixture
def planned(database: Database) -> Planned:
    return Planned(database)


def test_what_changed_meanwhile_is_not_overwritten(planned: Planned) -> None:
    plan = planned.plan(uneven())
    wanted = {item.task: item.person for item in plan.tasks if item.new}
    moved = sorted(item.task for item in plan.tasks if item.moved_from)
    assert len(wanted) == 3
    assert len(moved) >= 2
    other = "ann" if wanted["n0"] == "bob" else "bob"
    with planned.turn() as turn:
        turn.assign("n0", other, reason="she knows them")
        turn.change_task("n1", estimate_min=60)
        turn.remove(PartKind.TASK, "n2")
        turn.change_task(moved[0], priority=Priority.HIGH)
    result = planned.apply()
    assert (result.placed, result.placed_otherwise, result.waiting, result.changed) == (0, 1, 0, 2)
    people = planned.people()
    assert people["n0"] == other
    assert people["n1"] is not None  # by the rule, for what it is now
    with planned.database.reading("one") as session:
        (entry,) = entries_of(session, "n1")
    assert (entry.kind, entry.decided_by, entry.actor) == (EntryKind.PLACE, By.BATCH, "solve:s")
    assert moved[0] not in planned.moves()
    assert planned.moves() <= set(moved[1:])
    assert all(people[id] == "ann" for id in moved)


def test_somebody_who_fell_ill_gets_nothing_by_an_old_plan(planned: Planned) -> None:
    plan = planned.plan(firm((person("ann"), person("bob")), (task("n", hours=30, due=4), task("m", hours=2, due=4))))
    whose = {item.task: item.person for item in plan.tasks}
    ill, well = whose["n"], "ann" if whose["n"] == "bob" else "bob"
    with planned.turn() as turn:
        turn.put(TimeOff(person=ill, first_day=day(0), last_day=day(30)))
    result = planned.apply()
    assert planned.people()["n"] == well
    assert result.placed + result.placed_otherwise == 2
    assert result.placed_otherwise >= 1


def test_what_nobody_can_do_is_said_once_and_not_every_night(planned: Planned) -> None:
    planned.plan(firm((person("ann"),), (task("long", hours=500, due=4), task("held", hours=None), task("n", hours=2))))
    assert planned.apply() == SolveResult(placed=1, placed_otherwise=0, waiting=2, changed=0, proposals=())
    for id in ("second", "third"):
        planned.plan(id=id)
        assert planned.apply(id) == SolveResult(placed=0, placed_otherwise=0, waiting=2, changed=0, proposals=())
    with planned.database.reading("one") as session:
        kinds = session.scalars(select(ExceptionRecord.kind).order_by(ExceptionRecord.kind)).all()
        assert session.scalars(select(func.count()).select_from(DecisionRecord)).one() == 3
    assert kinds == ["escalation", "hold"]
    with planned.turn() as turn:
        turn.put(person("bob", weekly_min=(1_440,) * 7))
        turn.change_task("long", deadline=day(40))
    planned.plan(id="fourth")
    assert planned.apply("fourth").placed == 1
    assert planned.people()["long"] is not None


def test_late_work_gets_the_person_who_ends_it_first(planned: Planned) -> None:
    plan = planned.plan(firm((person("ann"),), (task("late", hours=3, due=-2), task("n", hours=2, due=4))))
    assert {item.task: item.late for item in plan.tasks} == {"late": True, "n": False}
    assert planned.apply().placed == 2
    with planned.database.reading("one") as session:
        (entry,) = entries_of(session, "late")
    assert (entry.outcome, entry.person) == ("assigned", "ann")
    assert entry.reason.endswith(", late")


def test_an_old_owner_applies_nothing(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    planned.plan(uneven())
    with planned.database.reading("one") as session:
        before = verify(session).entries
    real = planned.turns.turn

    def turn(firm: str, **named: Any) -> Any:
        claim(planned.database, "one", "s", "another", now=NOW)
        return real(firm, **named)

    monkeypatch.setattr(planned.turns, "turn", turn)
    with pytest.raises(Lost):
        planned.applying.apply("one", "s")
    with planned.database.reading("one") as session:
        assert verify(session).entries == before
    assert planned.solve().state is SolveState.APPLYING


def test_a_plan_that_was_applied_is_not_applied_again(planned: Planned) -> None:
    planned.plan(uneven())
    planned.apply()
    moves, people = planned.moves(), planned.people()
    with planned.turn() as turn:
        turn.assign("n0", None, reason="not yet")
    assert planned.applying.apply("one", "s") == "done"
    assert planned.moves() == moves
    assert planned.people() == {**people, "n0": None}
