from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from api.jobs.periods import packed_past, unpacked_past
from api.store.database import Database
from api.store.loading import load_firm
from api.store.log import verify
from api.store.past import days_of, read_past
from api.store.proposals import approve, decline, propose
from api.store.records import keep_plan, load_marked_firm
from api.store.refusals import NotFound
from api.store.saving import create_firm
from api.store.turns import Turns
from scenarios.approvals import Approvals
from scenarios.firm_changes import PolicySet
from scenarios.past import Past, Terms
from scenarios.past_replay import PastReplay, compared, control, play
from solver.batch import solve
from solver.board import compile_board
from solver.firm import Firm, Status, TimeOff
from solver.plan import RoutingPolicy
from solver.rebalance import proposals
from solver.stop import WorkBudget
from tests.api.store.test_boards import Office
from tests.api.week_for_tests import NOW, at, guarded_week
from tests.firms_for_tests import MONDAY, day, firm, person, random_firm, task

UNITS = 0.01
NO_GUARDRAIL = Terms(name="none", settings=(PolicySet(name="guardrail.complex_level", value=None),))


@pytest.fixture
def turns(database: Database) -> Turns:
    return Turns(database)


def week(turns: Turns, last: int = 6) -> Past:
    """Return the week from Monday on; as text, for the processes that play it, it says the same."""
    with turns.database.reading("one") as session:
        first, end = days_of(load_firm(session), MONDAY, day(last))
        past = read_past(session, first=first, last=end)
    assert unpacked_past(packed_past(past)) == past
    return past


def stored(turns: Turns) -> Firm:
    with turns.database.reading("one") as session:
        return load_firm(session)


def assert_as_recorded(past: Past, turns: Turns) -> PastReplay:
    """The control: every recorded decision comes out again, and the firm ends as it is stored."""
    replay = play(past, Terms(), units=UNITS)
    found = control(past, replay)
    assert (found.same, found.differing) == (found.recorded, ())
    assert replay.tasks == {one.id: one for one in stored(turns).tasks}
    assert replay.not_repeated == ()
    assert replay.planned_anew == 0
    return replay


@pytest.fixture
def guarded(turns: Turns) -> Turns:
    return guarded_week(turns)


def test_a_guardrail_that_would_have_avoided_one_escalation_is_seen_to(guarded: Turns) -> None:
    past = week(guarded)
    before, after = assert_as_recorded(past, guarded), play(past, NO_GUARDRAIL, units=UNITS)
    found = compared(before, after)
    assert found.escalations_lost == ("second",)
    assert found.escalations_gained == ()
    assert [(one.task, one.before, one.after) for one in found.differing] == [("second", "escalated", "bob")]
    (decision,) = found.differing
    assert "short" in decision.before_why
    assert "most remaining hours" in decision.after_why
    was, now = found.whole
    assert (was.escalations, now.escalations) == (1, 0)
    assert (was.on_time_pct, now.on_time_pct) == (round(200 / 3, 2), 100.0)
    assert (was.utilisation_pct, now.utilisation_pct) == (50.0, 75.0)
    # The twenty hours are done in what bob's days leave beside what he did: six on Tuesday, eight on Wednesday, six on Thursday.
    assert after.tasks["second"].completed_on == day(3)
    (hit,) = found.people
    assert (hit.person, hit.worked_before_min, hit.worked_after_min, hit.gained) == ("bob", 600, 1800, ("second",))
    assert found.late_lost == ("second",)


def test_nothing_of_the_firm_is_changed_by_reading_and_playing(guarded: Turns) -> None:
    def everything() -> tuple[object, ...]:
        with guarded.database.reading("one") as session:
            tables = ("changes", "decisions", "tasks", "time_entries", "exceptions", "outbox", "firms", "assignments")
            rows = [
                session.connection().execute(text(f"SELECT * FROM {name} ORDER BY 1, 2, 3")).all() for name in tables
            ]
            return (verify(session), *map(str, rows))

    before = everything()
    past = week(guarded)
    kept = (past.firm.model_dump_json(), past.events, past.routings)
    play(past, NO_GUARDRAIL, units=UNITS)
    play(past, Terms(night_weekdays=(0, 2), approvals=Approvals.ALWAYS), units=UNITS)
    assert everything() == before
    assert (past.firm.model_dump_json(), past.events, past.routings) == kept
    assert week(guarded) == past


def test_slower_hands_take_longer(turns: Turns) -> None:
    """Bob needs a fifth more: 24 hours, six of them on Tuesday, eight on Wednesday and Thursday, two on Friday."""
    guarded_week(turns, bob_pct=120)
    after = play(replace(week(turns), learned=None), NO_GUARDRAIL, units=UNITS)
    second = after.tasks["second"]
    assert (second.assignee, second.completed_on, second.logged_min) == ("bob", day(4), 24 * 60)
    assert after.whole.on_time_pct == 100.0


def test_an_estimate_corrected_later_was_not_known_before(turns: Turns) -> None:
    create_firm(turns.database, "one", firm((person("ann"), person("bob"))), now=NOW, actor="test")
    with turns.turn("one", now=at(0, 9, 5), actor="test") as turn:
        turn.place(task("a", hours=10))
        turn.place(task("b", hours=12))
    with turns.turn("one", now=at(1), actor="test") as turn:
        turn.change_task("a", estimate_min=2400)
        turn.put(TimeOff(person="bob", first_day=day(2), last_day=day(2)))
        turn.place(task("c", hours=8))
    past = week(turns)
    replay = assert_as_recorded(past, turns)
    assert [one.person for one in replay.routings] == ["ann", "bob", "bob"]


def test_what_managers_did_by_hand_is_done_where_the_work_stands_as_it_stood(guarded: Turns) -> None:
    with guarded.turn("one", now=at(4, 10), actor="test") as turn:
        turn.assign("second", "bob", reason="somebody must")
        turn.place(task("third", hours=4, due=11))
        turn.assign("third", "ann", reason="she knows them")
    past = week(guarded)
    assert_as_recorded(past, guarded)
    after = play(past, NO_GUARDRAIL, units=UNITS)
    (left,) = after.not_repeated
    assert (left.task, left.why) == ("second", "a manager gives it to ⟦bob⟧, and it is done")
    assert after.tasks["third"].assignee == "ann"


def test_a_hold_waits_for_its_estimate_in_both_worlds_and_a_cancelled_task_is_nobodys(guarded: Turns) -> None:
    with guarded.turn("one", now=at(4, 9), actor="test") as turn:
        turn.place(task("held", hours=None, due=11))
        turn.place(task("gone", hours=2, due=11))
    with guarded.turn("one", now=at(4, 11), actor="test") as turn:
        turn.change_task("held", estimate_min=60)
        turn.change_task("gone", status=Status.CANCELLED)
    past = week(guarded)
    assert [(one.task, one.outcome.value) for one in past.routings if one.task == "held"] == [
        ("held", "held"),
        ("held", "placed"),
    ]
    assert_as_recorded(past, guarded)
    after = play(past, NO_GUARDRAIL, units=UNITS)
    assert after.tasks["gone"].status is Status.CANCELLED
    assert [one.outcome.value for one in after.routings if one.task == "held"] == ["held", "placed"]


@pytest.fixture
def proposed(turns: Turns) -> tuple[Turns, list[str]]:
    """A week that begins with a batch: ann has seven days of work, bob none; its first move was approved, its second declined."""
    held = tuple(task(f"t{i}", hours=8, due=4, assignee="ann") for i in range(7))
    create_firm(turns.database, "one", firm((person("ann"), person("bob")), held), now=at(-3), actor="test")
    with turns.database.reading("one") as session:
        marked, version = load_marked_firm(session)
    plan = solve(marked, now=at(0, 2), stop=WorkBudget(0.05))
    found = proposals(compile_board(marked, now=at(0, 2)), plan)
    with turns.turn("one", now=at(0, 2), actor="test") as turn:
        keep_plan(turn, "night", plan, version=version)
        ids = propose(turn, found, plan="night")
    assert len(ids) >= 2
    with turns.turn("one", now=at(0, 10), actor="test") as turn:
        turn.place(task("n", hours=8, due=4))
    with turns.turn("one", now=at(0, 11), actor="test") as turn:
        approve(turn, [ids[0]], reason="yes")
    with turns.turn("one", now=at(0, 12), actor="test") as turn:
        decline(turn, ids[1], reason="no")
        turn.place(task("m", hours=8, due=4))
    return turns, [move.task for one in found[:2] for move in one.moves]


def test_a_recorded_plan_is_taken_while_nothing_differs_and_moves_are_approved_as_they_were(
    proposed: tuple[Turns, list[str]],
) -> None:
    turns, (approved, declined) = proposed
    past = week(turns)
    replay = assert_as_recorded(past, turns)
    assert (replay.plans_taken, replay.approved) == (1, 1)
    never, always = (play(past, Terms(approvals=one), units=UNITS) for one in (Approvals.NEVER, Approvals.ALWAYS))
    assert (never.approved, never.tasks[approved].assignee) == (0, "ann")
    assert always.approved >= 1
    assert never.tasks[declined].assignee == "ann"
    anew = play(past, Terms(), units=0.05, anew=True)
    assert (anew.plans_taken, anew.planned_anew) == (0, 1)


def test_batches_run_when_the_terms_say_and_frozen_work_stays(proposed: tuple[Turns, list[str]]) -> None:
    past = week(proposed[0])
    none = play(past, Terms(night_weekdays=()), units=UNITS)
    assert (none.planned_anew, none.plans_taken, none.proposed) == (0, 0, 0)
    (left,) = none.not_repeated
    assert "is not proposed here" in left.why
    often = play(past, Terms(night_weekdays=(0, 2)), units=0.05)
    assert (often.planned_anew, often.plans_taken) == (2, 0)
    assert often.proposed > 0
    frozen = play(past, Terms(night_weekdays=(0, 2), freeze_days=30), units=0.05)
    assert frozen.proposed == 0


def test_arrivals_may_be_routed_by_the_prices_of_the_batches_instead(proposed: tuple[Turns, list[str]]) -> None:
    past = week(proposed[0])
    by_rule, by_price = (
        play(past, Terms(routing=one), units=0.05) for one in (RoutingPolicy.RULE, RoutingPolicy.PRICED)
    )
    assert [one.reason for one in by_rule.routings] == [one.reason for one in past.routings]
    assert all(a.reason != b.reason for a, b in zip(by_rule.routings, by_price.routings, strict=True))


@pytest.mark.parametrize("seed", [0, 3, 109])
def test_whatever_an_office_did_comes_out_again_from_its_first_day_or_from_its_middle(turns: Turns, seed: int) -> None:
    create_firm(turns.database, "one", random_firm(seed, people=6, tasks=25), now=NOW, actor="test")
    office, draw, now = Office(seed), random.Random(seed), NOW
    moments = []
    for _ in range(25):
        now += timedelta(minutes=draw.choice((0, 0, 0, 4, 20, 300)))
        moments.append(now)
        with turns.turn("one", now=now, actor="test") as turn:
            for _ in range(draw.choice((1, 1, 3))):
                office.act(turn)
    for first in (NOW, moments[10] + timedelta(seconds=1)):
        with turns.database.reading("one") as session:
            past = read_past(session, first=first, last=now)
        assert_as_recorded(past, turns)
        other = play(past, NO_GUARDRAIL, units=UNITS)
        assert set(other.tasks) == {one.id for one in stored(turns).tasks}


def test_a_period_before_the_firm_was_there_is_refused(guarded: Turns) -> None:
    with (
        guarded.database.reading("one") as session,
        pytest.raises(NotFound, match="before the firm was in the database"),
    ):
        read_past(session, first=NOW - timedelta(days=9), last=NOW - timedelta(days=2))
