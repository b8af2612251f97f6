from __future__ import annotations

from datetime import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.board import Board, compile_board
from solver.firm import Client, Firm, Person, Skill, Task
from solver.plan import Decision, Filter, Outcome, RoutingPolicy
from solver.policy import Policy, Weights
from solver.price_list import PriceList
from solver.priced import Priced
from solver.routing import dry_run, place
from tests.board_state import state
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task

UNLEVELLED = Policy(weights=Weights(balance_pct=0, balance_far_pct=0, week_balance_pct=0))


def prices(**minute: float) -> Priced:
    """Return the policy at a price per minute of each person, the same for every day."""
    days = tuple(day(i) for i in range(40))
    return Priced(PriceList(people=tuple(minute), days=days, minute=np.outer(list(minute.values()), np.ones(40))))


def decided(one: Firm, arrival: Task, policy: Priced) -> Decision:
    return place(compile_board(one, now=NOW), arrival, policy=policy)


def test_whose_hours_are_worth_least_gets_the_task() -> None:
    one = firm((person("ann"), person("bob"), person("eve")), policy=UNLEVELLED)
    assert decided(one, task("t"), prices(ann=3.0, bob=1.0, eve=2.0)).person == "bob"


def test_a_fast_person_may_cost_less_at_a_higher_price() -> None:
    fast = Person(id="fast", level="associate", skills=(Skill(skill="tax", efficiency_pct=50),))
    one = firm((fast, person("slow")), policy=UNLEVELLED)
    assert decided(one, task("t"), prices(fast=1.9, slow=1.0)).person == "fast"
    assert decided(one, task("t"), prices(fast=2.1, slow=1.0)).person == "slow"


def test_the_day_of_the_promise_decides_the_price_of_a_minute() -> None:
    minute = np.array([[2.0, 0.0], [1.0, 1.0]])
    policy = Priced(PriceList(people=("ann", "bob"), days=(day(4), day(11)), minute=minute))
    board = compile_board(firm((person("ann"), person("bob")), policy=UNLEVELLED), now=NOW)
    assert place(board, task("soon", due=4), policy=policy).person == "bob"
    assert place(board, task("later", due=11), policy=policy).person == "ann"


@pytest.mark.parametrize("hour, chosen", [(0.1, "bob"), (0.2, "ann")])
def test_the_usual_person_is_worth_what_the_weights_say(hour: float, chosen: str) -> None:
    """Half an hour of continuity against four hours at a price: 30 minutes at 0.125."""
    one = firm((person("ann"), person("bob")), clients=(Client(id="acme", usual_person="bob"),), policy=UNLEVELLED)
    assert decided(one, task("t"), prices(ann=0.0, bob=hour)).person == chosen


def test_level_far_above_need_and_mismatch_cost() -> None:
    reluctant = Person(id="rex", level="associate", skills=(Skill(skill="tax", mismatch_min=10),))
    one = firm((person("max", level="manager"), reluctant), policy=UNLEVELLED)
    assert decided(one, task("t", hours=1), prices()).person == "max"
    assert decided(one, task("t", hours=2), prices()).person == "rex"


def test_whom_the_list_does_not_know_is_judged_by_balance() -> None:
    one = firm((person("ann"), person("bob")), (task("x", hours=10, assignee="ann"),))
    assert decided(one, task("t"), prices()).person == "bob"


def test_balance_looks_at_hours_and_target_not_at_hours_alone() -> None:
    """The part-timer is far above her share with the load that the others are far below theirs with."""
    part = person("part", weekly_min=(240,) * 5 + (0, 0))
    work = (task("x", hours=12, due=40, assignee="part"), task("y", hours=12, due=40, assignee="full"))
    one = firm((part, person("full")), work)
    assert decided(one, task("t", due=40), prices()).person == "full"


def test_equal_costs_are_told_apart_by_the_rule() -> None:
    one = firm((person("ann"), person("bob"), person("eve")), (task("x", hours=1, assignee="ann"),), policy=UNLEVELLED)
    assert decided(one, task("t"), prices(ann=1.0, bob=1.0, eve=1.0)).person == "bob"


def test_filters_come_before_prices() -> None:
    one = firm(
        (person("ann"), person("bob", skills=()), person("eve"), person("zoe")),
        (task("x", hours=40, assignee="ann"),),
        clients=(Client(id="acme", barred=("eve",)),),
    )
    decision = decided(one, task("t"), prices(ann=0.0, bob=0.0, eve=0.0, zoe=9.0))
    assert decision.person == "zoe"
    assert {c.person: c.stopped_by for c in decision.candidates} == {
        "ann": Filter.DEADLINE,
        "bob": Filter.SKILL,
        "eve": Filter.INDEPENDENCE,
        "zoe": None,
    }


def test_decision_names_the_policy_and_says_what_it_costs() -> None:
    one = firm((person("ann", name="Ann Lee"),), clients=(Client(id="acme"),), policy=UNLEVELLED)
    decision = decided(one, task("t", hours=2), prices(ann=0.5))
    assert decision.policy is RoutingPolicy.PRICED
    assert decision.reason == (
        "Ann Lee costs least at last night's prices: 0 for client and level, 60 for the hours, 0 for the balance, together "
        "60 minutes"
    )
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    assert decided(one, task("t"), prices()).model_dump()["policy"] == "priced"
    assert place(compile_board(one, now=NOW), task("t")).policy is RoutingPolicy.RULE


def test_a_request_and_an_escalation_are_as_by_the_rule() -> None:
    one = firm(
        (person("ann"), person("bob")), (task("x", hours=38, assignee="ann"), task("y", hours=38, assignee="bob"))
    )
    for arrival in (task("t", requested_person="ann"), task("u"), task("v", hours=None)):
        plain, priced = compile_board(one, now=NOW), compile_board(one, now=NOW)
        assert place(plain, arrival) == place(priced, arrival, policy=prices(ann=5.0))


def test_prices_follow_the_board_when_a_day_is_cut() -> None:
    minute = np.array([[2.0, 0.0], [1.0, 1.0]])
    policy = Priced(PriceList(people=("ann", "bob"), days=(day(3), day(11)), minute=minute))
    board = compile_board(firm((person("ann"), person("bob")), policy=UNLEVELLED), now=NOW)
    assert place(board, task("a", due=4), policy=policy).person == "ann"
    assert place(board, task("b", due=3, deadline_time=time(13, 0)), policy=policy).person == "bob"
    assert place(board, task("c", due=4), policy=policy).person == "ann"
    assert place(board, task("d", due=3), policy=policy).person == "bob"


def by_hand(board: Board, arrival: Task, who: Person, policy: Priced) -> float:
    """Return what a task costs with a person, worked out from the firm with plain numbers."""
    weights, one, row = board.firm.policy.weights, board.firm, board.row_of(arrival)
    kind = next(each for each in one.task_types if each.id == arrival.type)
    client = next(each for each in one.clients if each.id == arrival.client)
    cell = next(each for each in who.skills if each.skill == kind.skill)
    work = -(-cell.efficiency_pct * row.remaining_min // 100)
    above = max(board.staff.rank[board.staff.row[who.id]] - row.needed_rank - 1, 0)
    own = cell.mismatch_min - (-weights.level_above_pct * above * work // 100)
    own += weights.continuity if client.usual_person not in (None, who.id) else 0
    due = board.span_of(arrival).due
    listed = policy.price_list
    at = next((i for i, when in enumerate(listed.days) if when >= board.axis.days[due]), None)
    hours = work * listed.minute[listed.people.index(who.id), at] if at is not None and who.id in listed.people else 0.0
    passing = [c.work_min for c in dry_run(board, arrival).candidates if c.stopped_by is None]
    mean = sum(passing) / len(passing)
    ends = [board.axis.last_deadline_slot(one.policy.late_tail_days), *board.axis.week_end_slots()[: weights.week_ends]]
    balance = 0.0
    for column, end in enumerate(ends):
        counted = column == 0 or due <= end
        target = {level.name: level.target_utilisation_pct for level in one.levels}
        meant = [sum(board.open_min[p, : end + 1]) * target[each.level] for p, each in enumerate(one.people)]
        mine = board.staff.row[who.id]
        promised = [
            sum(
                each.work_min
                for each in board.promises.values()
                if each.person == p and (column == 0 or each.window.due <= end)
            )
            for p in range(len(one.people))
        ]
        share = (sum(promised) + counted * mean) * meant[mine] / max(sum(meant), 1)
        before, after = promised[mine] - share, promised[mine] + counted * work - share
        per_minute = weights.balance_pct if column == 0 else weights.week_balance_pct
        balance += per_minute / 100 * (abs(after) - abs(before))
        if column == 0:
            far = share * weights.far_from_share_pct / 100
            balance += weights.balance_far_pct / 100 * (max(abs(after) - far, 0) - max(abs(before) - far, 0))
    return float(own + hours + balance)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1_000_000), st.data())
def test_the_choice_is_the_cheapest_by_hand(seed: int, data: Any) -> None:
    one = random_firm(seed, people=6, load=0.6)
    days = tuple(day(i) for i in sorted(data.draw(st.sets(st.integers(0, 30), min_size=1, max_size=5))))
    minute = data.draw(
        st.lists(st.lists(st.floats(0, 3), min_size=len(days), max_size=len(days)), min_size=5, max_size=5)
    )
    policy = Priced(PriceList(people=tuple(who.id for who in one.people[:5]), days=days, minute=minute))
    board = compile_board(one, now=NOW)
    for arrival in [each for each in board.tasks if each.id not in board.promises]:
        plain = dry_run(board, arrival)
        passing = [who for who in one.people for c in plain.candidates if c.person == who.id and c.stopped_by is None]
        cost = {who.id: by_hand(board, arrival, who, policy) for who in passing} if passing else {}
        before = state(board)
        looked = dry_run(board, arrival, policy=policy)
        assert state(board) == before
        decision = place(board, arrival, policy=policy)
        assert looked == decision
        assert decision.candidates == plain.candidates
        if decision.policy is RoutingPolicy.PRICED:
            assert cost[str(decision.person)] == pytest.approx(min(cost.values()), abs=1e-5)
        else:
            assert arrival.requested_person is not None or decision.outcome is Outcome.ESCALATED
