from __future__ import annotations

import bisect
import random
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.board import Board, compile_board
from solver.firm import Client, Firm, Overtime, Person, Priority, ReviewRule, Skill, Status, Task, TaskType, TimeOff
from solver.plan import Candidate, Decision, Filter, Outcome, RepairKind
from solver.policy import Guardrail, MissingEstimate, Policy, ValueTier
from solver.refusal import Refused
from solver.routing import candidates_of, dry_run, place
from tests.board_state import state
from tests.firms_for_tests import NOW, day, firm, random_firm, task
from tests.firms_for_tests import person as person_of

FAR = 100
"""Days behind `NOW` that no promise of these tests passes."""


RETURN = TaskType(id="return", skill="tax")
OTHER = TaskType(id="other", skill="any")


def person(id: str, *, skills: tuple[str, ...] = ("tax",), **more: object) -> Person:
    """Return a person who may also do work of type ``other``."""
    return person_of(id, skills=(*skills, "any"), **more)  # type: ignore[arg-type]


def compiled(
    people: Iterable[Person] = (),
    tasks: Iterable[Task] = (),
    *,
    client: Client | None = None,
    kind: TaskType = RETURN,
    **more: object,
) -> Board:
    """Return the board of a firm with one client and one type of work beside ``house`` and ``other``."""
    clients = (client or Client(id="acme"), Client(id="house"))
    one = firm(tuple(people), tuple(tasks), clients=clients, task_types=(kind, OTHER), **more)
    return compile_board(one, now=NOW)


def ranking(decision: Decision) -> list[tuple[str, int]]:
    return [(one.person, one.remaining_min) for one in decision.candidates]


def stops(decision: Decision) -> dict[str, Filter | None]:
    return {one.person: one.stopped_by for one in decision.candidates}


def busy(id: str, hours: float, *, due: int = 4) -> Task:
    """Return work of type ``other`` that the person ``id`` has already."""
    return task(f"work of {id}", type="other", client="house", hours=hours, due=due, assignee=id)


# Step 1: a new valid task


@pytest.mark.parametrize(
    "more, field, value, nearest, where",
    [
        ({"type": "retrun"}, "type", "retrun", "return", "task types"),
        ({"client": "acmee"}, "client", "acmee", "acme", "clients"),
        ({"requested_person": "anne"}, "requested_person", "anne", "ann", "people"),
        ({"reviews": "prepp"}, "reviews", "prepp", "prep", "tasks"),
    ],
)
def test_arrival_that_names_what_the_firm_does_not_have_is_refused(
    more: dict[str, Any], field: str, value: str, nearest: str, where: str
) -> None:
    board = compiled((person("ann"),), (task("prep"),))
    before = state(board)
    with pytest.raises(Refused) as caught:
        place(board, task("t", **more))
    refusal = caught.value.refusal
    assert (refusal.code, refusal.field, refusal.value) == ("unknown_reference", field, value)
    assert (refusal.nearest, refusal.hint) == (nearest, f"Maybe add it under {where}.")
    assert state(board) == before


def test_refused_arrival_in_an_empty_firm_has_no_nearest() -> None:
    with pytest.raises(Refused) as caught:
        dry_run(compile_board(firm(clients=()), now=NOW), task("t"))
    assert caught.value.refusal.field == "client"
    assert caught.value.refusal.nearest is None


def test_task_that_has_a_person_is_not_placed_again() -> None:
    board = compiled((person("ann"), person("bob")), (task("mine", assignee="ann"),))
    place(board, task("new"))
    before = state(board)
    for taken in ("mine", "new"):
        with pytest.raises(Refused) as caught:
            place(board, task(taken))
        refusal = caught.value.refusal
        assert (refusal.code, refusal.field, refusal.value) == ("placed_already", "id", taken)
    assert state(board) == before


@pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED])
def test_task_that_needs_no_more_work_is_not_placed(status: Status) -> None:
    board = compiled((person("ann"),))
    with pytest.raises(Refused):
        place(board, task("t", status=status))
    assert board.load_min.tolist() == [0]


def test_task_whose_person_may_not_do_it_any_more_can_be_placed_with_another() -> None:
    board = compiled((person("ann", skills=()), person("bob")), (task("t", assignee="ann"),))
    assert place(board, board.known["t"]).person == "bob"


# Step 2: filter by skill


def test_only_people_with_the_skill_are_asked() -> None:
    board = compiled((person("ann", skills=("audit",)), person("bob"), person("eve", skills=())), (busy("bob", 30),))
    decision = place(board, task("t"))
    assert (decision.outcome, decision.person) == (Outcome.PLACED, "bob")
    assert stops(decision) == {"ann": Filter.SKILL, "bob": None, "eve": Filter.SKILL}
    assert [one.work_min for one in decision.candidates if one.stopped_by] == [0, 0]


def test_barred_people_and_leavers_are_stopped_beside_the_skill() -> None:
    board = compiled(
        (person("ann"), person("bob", leave_date=day(-1)), person("eve"), person("zoe")),
        (busy("zoe", 39),),
        client=Client(id="acme", barred=("ann", "eve")),
    )
    decision = place(board, task("t", hours=1))
    assert decision.person == "zoe"
    assert stops(decision) == {
        "ann": Filter.INDEPENDENCE,
        "bob": Filter.EMPLOYMENT,
        "eve": Filter.INDEPENDENCE,
        "zoe": None,
    }


# Step 3: rank by remaining available hours this week, highest first


def test_most_remaining_hours_this_week_come_first() -> None:
    board = compiled(
        (person("ann"), person("bob"), person("eve"), person("zoe", weekly_min=(60,) * 5 + (0, 0))),
        (busy("ann", 10), busy("bob", 30), busy("eve", 20)),
    )
    decision = place(board, task("t", due=11))
    assert ranking(decision) == [("ann", 1_800), ("eve", 1_200), ("bob", 600), ("zoe", 300)]
    assert decision.person == "ann"


def test_work_of_next_week_does_not_count_in_the_ranking_while_next_week_holds_it() -> None:
    board = compiled((person("ann"), person("bob")), (busy("ann", 40, due=11), busy("bob", 1)))
    decision = place(board, task("t", due=11))
    assert ranking(decision) == [("ann", 2_400), ("bob", 2_340)]


def test_total_load_does_not_rank() -> None:
    board = compiled((person("ann"), person("bob")), (busy("ann", 400, due=200), busy("bob", 1)))
    decision = place(board, task("t", due=11))
    assert decision.person == "ann"
    assert [(one.person, one.load_min) for one in decision.candidates] == [("ann", 24_000), ("bob", 60)]


def test_speed_does_not_rank() -> None:
    fast = Person(id="fast", level="associate", skills=(Skill(skill="tax", efficiency_pct=50), Skill(skill="any")))
    board = compiled((fast, person("slow")), (busy("fast", 2),))
    decision = place(board, task("t"))
    assert ranking(decision) == [("slow", 2_400), ("fast", 2_280)]
    assert decision.person == "slow"


def test_priority_usual_person_and_mismatch_do_not_rank() -> None:
    reluctant = Person(id="ann", level="associate", skills=(Skill(skill="tax", mismatch_min=500), Skill(skill="any")))
    board = compiled(
        (reluctant, person("bob")),
        (busy("bob", 0.25),),
        client=Client(id="acme", usual_person="bob"),
    )
    assert place(board, task("t", priority=Priority.CRITICAL)).person == "ann"


@pytest.mark.parametrize("order", [("bob", "ann", "eve"), ("eve", "bob", "ann"), ("ann", "eve", "bob")])
def test_ties_end_in_the_id(order: tuple[str, ...]) -> None:
    decision = place(compiled([person(id) for id in order]), task("t"))
    assert [one.person for one in decision.candidates] == ["ann", "bob", "eve"]
    assert decision.person == "ann"


def test_ids_are_compared_letter_by_letter() -> None:
    decision = place(compiled([person(id) for id in ("p2", "p10", "P3")]), task("t"))
    assert [one.person for one in decision.candidates] == ["P3", "p10", "p2"]


def test_everybody_is_a_candidate_in_the_ranking_whatever_stops_them() -> None:
    board = compiled((person("ann"), person("bob", skills=()), person("eve")), (busy("ann", 1),))
    assert ranking(place(board, task("t"))) == [("bob", 2_400), ("eve", 2_400), ("ann", 2_340)]


# Step 4: deadline fit, else the next candidate


def test_first_of_the_ranking_without_enough_hours_before_the_deadline_is_passed_over() -> None:
    board = compiled((person("ann"), person("bob")), (busy("ann", 8, due=0), busy("bob", 20)))
    decision = place(board, task("t", hours=8, due=0, release=day(0)))
    assert ranking(decision) == [("ann", 1_920), ("bob", 1_200)]
    assert stops(decision) == {"ann": Filter.DEADLINE, "bob": None}
    assert (decision.person, decision.promised_day) == ("bob", day(0))
    assert [one.gap_min for one in decision.candidates] == [480, 0]


@pytest.mark.parametrize("minutes, outcome", [(240, Outcome.PLACED), (241, Outcome.ESCALATED)])
def test_task_fits_to_the_last_minute_and_not_one_more(minutes: int, outcome: Outcome) -> None:
    board = compiled((person("ann"),), (busy("ann", 36),))
    assert place(board, task("t", hours=minutes / 60)).outcome is outcome


def test_task_that_would_push_later_work_over_its_deadline_does_not_fit() -> None:
    board = compiled((person("ann"),), (task("later", hours=36, due=4, assignee="ann"),))
    decision = place(board, task("t", hours=5, due=0))
    assert decision.outcome is Outcome.ESCALATED
    assert decision.candidates[0].gap_min == 60


def test_task_fits_around_work_that_can_wait() -> None:
    board = compiled((person("ann"),), (task("later", hours=40, due=7, assignee="ann"),))
    assert place(board, task("t", hours=8, due=0)).person == "ann"


def test_hours_before_the_release_are_of_no_use() -> None:
    board = compiled((person("ann"),), (task("x", hours=8, due=4, release=day(4), assignee="ann"),))
    decision = place(board, task("t", hours=1, due=4, release=day(4)))
    assert decision.outcome is Outcome.ESCALATED
    assert decision.candidates[0].gap_min == 60
    assert place(board, task("u", hours=1, due=4, release=day(3))).person == "ann"


def test_slow_person_needs_more_hours_before_the_deadline() -> None:
    slow = Person(id="ann", level="associate", skills=(Skill(skill="tax", efficiency_pct=150),))
    board = compiled((slow, person("bob")), (busy("bob", 2),))
    decision = place(board, task("t", hours=6, due=0))
    assert (decision.person, stops(decision)["ann"]) == ("bob", Filter.DEADLINE)
    assert [(one.person, one.work_min, one.gap_min) for one in decision.candidates] == [
        ("ann", 540, 60),
        ("bob", 360, 0),
    ]


@pytest.mark.parametrize("due", [-1, -30])
def test_task_overdue_on_arrival_escalates_with_all_of_it_missing(due: int) -> None:
    decision = place(compiled((person("ann"),)), task("t", due=due))
    assert decision.outcome is Outcome.ESCALATED
    assert (decision.candidates[0].stopped_by, decision.candidates[0].gap_min) == (Filter.DEADLINE, 240)


def test_deadline_on_a_weekend_falls_to_the_friday_before() -> None:
    assert place(compiled((person("ann"),)), task("t", due=6)).promised_day == day(4)


# Step 5: seniority guardrail


GUARDED = Policy(guardrail=Guardrail(complex_from=4, complex_level="senior", high_value_level="manager"))


@pytest.mark.parametrize(
    "complexity, tier, person_chosen",
    [
        (1, ValueTier.STANDARD, "ann"),
        (3, ValueTier.LOW, "ann"),
        (4, ValueTier.STANDARD, "sue"),
        (5, ValueTier.LOW, "sue"),
        (1, ValueTier.HIGH, "max"),
        (5, ValueTier.HIGH, "max"),
    ],
)
def test_guardrail_restricts_complex_work_and_high_value_clients(
    complexity: int, tier: ValueTier, person_chosen: str
) -> None:
    board = compiled(
        (person("ann"), person("sue", level="senior"), person("max", level="manager"), person("pia", level="partner")),
        (busy("sue", 1), busy("max", 2), busy("pia", 3)),
        client=Client(id="acme", tier=tier),
        kind=TaskType(id="return", skill="tax", complexity=complexity),
        policy=GUARDED,
    )
    decision = place(board, task("t"))
    assert ranking(decision) == [("ann", 2_400), ("sue", 2_340), ("max", 2_280), ("pia", 2_220)]
    assert decision.person == person_chosen
    below = ["ann", "sue", "max"][: ["ann", "sue", "max"].index(person_chosen)]
    assert stops(decision) == {id: Filter.GUARDRAIL if id in below else None for id in ("ann", "sue", "max", "pia")}


def test_deadline_is_asked_before_the_guardrail() -> None:
    board = compiled(
        (person("ann"), person("bob")),
        (busy("ann", 40),),
        kind=TaskType(id="return", skill="tax", min_level="senior"),
    )
    decision = place(board, task("t"))
    assert stops(decision) == {"ann": Filter.DEADLINE, "bob": Filter.GUARDRAIL}


def test_review_goes_to_the_level_its_rule_names_and_not_to_the_preparer() -> None:
    board = compiled(
        (person("ann", level="manager"), person("bob"), person("max", level="manager")),
        (task("prep", hours=1, due=0, assignee="ann"), busy("max", 20)),
        kind=TaskType(id="return", skill="tax", review=ReviewRule(min_level="manager")),
    )
    decision = place(board, task("r", reviews="prep", due=4))
    assert stops(decision) == {"ann": Filter.REVIEWER, "bob": Filter.GUARDRAIL, "max": None}
    assert decision.person == "max"


def test_reviewer_differs_from_who_finished_the_preparation() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", status=Status.DONE, assignee="ann"), busy("bob", 20)))
    decision = place(board, task("r", reviews="p"))
    assert (decision.person, stops(decision)["ann"]) == ("bob", Filter.REVIEWER)


def test_reviewer_differs_from_who_holds_a_preparation_without_estimate() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", hours=None, assignee="ann"), busy("bob", 20)))
    decision = place(board, task("r", reviews="p"))
    assert (decision.person, stops(decision)["ann"]) == ("bob", Filter.REVIEWER)


def test_review_begins_after_its_preparation_is_promised() -> None:
    board = compiled((person("ann"), person("bob")))
    assert place(board, task("p", due=2)).person == "ann"
    assert place(board, task("r", reviews="p", due=4)).person == "bob"
    release, due = board.promises["r"].window[:2]
    assert (board.axis.days[release], board.axis.days[due]) == (day(3), day(4))


def test_review_that_must_end_before_its_preparation_escalates() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", due=4, assignee="ann"),))
    decision = place(board, task("r", reviews="p", due=4))
    assert decision.outcome is Outcome.ESCALATED
    assert stops(decision) == {"ann": Filter.REVIEWER, "bob": Filter.DEADLINE}


def test_preparation_ends_before_its_review_is_promised() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", due=8), task("r", reviews="p", due=9, assignee="bob")))
    decision = place(board, board.known["p"])
    assert decision.person == "ann"
    assert stops(decision)["bob"] is Filter.REVIEWER
    assert board.promises["p"].window.due < board.promises["r"].window.release


def test_review_that_arrives_first_leaves_its_preparation_time() -> None:
    board = compiled((person("ann"), person("bob")), (task("p", hours=1, due=3),))
    review = place(board, task("r", hours=1, reviews="p", due=4))
    preparation = place(board, board.known["p"])
    assert (review.outcome, preparation.outcome) == (Outcome.PLACED, Outcome.PLACED)
    assert board.promises["p"].window.due < board.promises["r"].window.release


# Steps 6 to 9: assign, tell, update, log


def test_decision_holds_all_that_is_to_be_told_and_logged() -> None:
    ann = person("ann", name="Ann Lee")
    board = compiled((ann, person("bob", skills=()), person("eve")), (busy("ann", 2), busy("eve", 5)))
    assert place(board, task("t", hours=3, due=3)) == Decision(
        task="t",
        outcome=Outcome.PLACED,
        person="ann",
        promised_day=day(3),
        overridden=False,
        overload_min=0,
        candidates=(
            Candidate(person="bob", remaining_min=2_400, stopped_by=Filter.SKILL, work_min=0, gap_min=0, load_min=0),
            Candidate(person="ann", remaining_min=2_280, stopped_by=None, work_min=180, gap_min=0, load_min=120),
            Candidate(person="eve", remaining_min=2_100, stopped_by=None, work_min=180, gap_min=0, load_min=300),
        ),
        ways_out=(),
        reason=(
            "Ann Lee has the most remaining hours this week (38 h) among those with the skill, the level and "
            "enough open hours before the deadline"
        ),
    )


def test_next_task_sees_fresh_numbers() -> None:
    board = compiled((person("ann"), person("bob"), person("eve")))
    seen = [place(board, task(f"t{i}", hours=hours)) for i, hours in enumerate((10, 8, 2, 2, 5))]
    assert [one.person for one in seen] == ["ann", "bob", "eve", "eve", "eve"]
    assert ranking(seen[-1]) == [("eve", 2_160), ("bob", 1_920), ("ann", 1_800)]
    assert board.load_min.tolist() == [600, 480, 540]


def test_assignment_is_promised_on_the_board() -> None:
    board = compiled((person("ann"),))
    place(board, task("t", hours=3, due=3, release=day(1)))
    promise = board.promises["t"]
    assert (promise.person, promise.work_min) == (0, 180)
    assert (promise.window.release, promise.window.due, promise.window.on_time) == (1, 3, True)


def test_only_the_chosen_persons_row_changes() -> None:
    board = compiled((person("ann"), person("bob")))
    before = board.ledger.slack[1].tolist()
    place(board, task("t"))
    assert board.ledger.slack[1].tolist() == before


# Exceptions: nobody fits


def test_escalation_names_the_qualified_their_loads_and_the_gap_in_minutes() -> None:
    board = compiled(
        (person("ann"), person("bob"), person("eve", skills=())), (busy("ann", 38), busy("bob", 39), busy("eve", 40))
    )
    before = state(board)
    decision = place(board, task("t", hours=4))
    assert (decision.outcome, decision.person, decision.promised_day) == (Outcome.ESCALATED, None, None)
    assert (decision.overridden, decision.overload_min) == (False, 0)
    assert decision.reason == (
        "2 qualified people, none with enough open hours before the deadline: ann is nearest, 2 h short"
    )
    assert [(one.person, one.stopped_by, one.gap_min, one.load_min) for one in decision.candidates] == [
        ("ann", Filter.DEADLINE, 120, 2_280),
        ("bob", Filter.DEADLINE, 180, 2_340),
        ("eve", Filter.SKILL, 0, 2_400),
    ]
    assert [(way.kind, way.person, way.minutes) for way in decision.ways_out[:2]] == [
        (RepairKind.ADD_HOURS, "ann", 120),
        (RepairKind.ADD_HOURS, "bob", 180),
    ]
    assert state(board) == before


def test_nearest_of_equally_short_people_is_the_first_by_id() -> None:
    board = compiled((person("bob"), person("ann")))
    assert place(board, task("t", hours=41)).reason == (
        "2 qualified people, none with enough open hours before the deadline: ann is nearest, 1 h short"
    )


def test_reason_calls_the_qualified_person_by_name() -> None:
    assert place(compiled((person("ann", name="Ann Lee"),)), task("t", hours=41)).reason == (
        "1 qualified person, none with enough open hours before the deadline: Ann Lee is nearest, 1 h short"
    )


def test_escalation_that_nobody_may_do_counts_what_stops_everybody() -> None:
    board = compiled(
        (
            person("a", skills=()),
            person("b", skills=()),
            person("c", leave_date=day(-1)),
            person("d"),
            person("e"),
            person("f"),
        ),
        (task("p", type="other", assignee="e", due=0),),
        client=Client(id="acme", barred=("d",)),
        kind=TaskType(id="return", skill="tax", min_level="senior"),
    )
    decision = place(board, task("r", reviews="p"))
    assert decision.outcome is Outcome.ESCALATED
    assert decision.reason == (
        "nobody may do it: 2 people stopped by skill, 1 person stopped by employment, 1 person stopped by independence, "
        "1 person stopped by reviewer, 1 person stopped by guardrail"
    )
    assert decision.ways_out == ()


def test_reviewer_who_lacks_the_skill_too_is_counted_under_skill() -> None:
    board = compiled((person("ann", skills=()),), (task("p", status=Status.DONE, assignee="ann"),))
    assert place(board, task("r", reviews="p")).reason == "nobody may do it: 1 person stopped by skill"


def test_person_below_the_level_and_short_of_hours_is_not_called_qualified() -> None:
    board = compiled((person("ann"),), (busy("ann", 40),), kind=TaskType(id="return", skill="tax", min_level="senior"))
    decision = place(board, task("t"))
    assert stops(decision) == {"ann": Filter.DEADLINE}
    assert decision.reason == "nobody may do it: 1 person stopped by guardrail"


def test_firm_without_people_escalates_everything() -> None:
    decision = place(compiled(), task("t"))
    assert decision.outcome is Outcome.ESCALATED
    assert (decision.reason, decision.candidates, decision.ways_out) == ("the firm has no people", (), ())


def test_firm_where_nobody_works_escalates_everything() -> None:
    decision = place(compiled((person("ann", weekly_min=(0,) * 7),)), task("t"))
    assert (decision.outcome, decision.ways_out) == (Outcome.ESCALATED, ())
    assert ranking(decision) == [("ann", 0)]
    assert decision.candidates[0].gap_min == 240


# Exceptions: no estimate


HELD = ("t", Outcome.HELD, None, None, (), (), "the estimate is missing")


def parts(decision: Decision) -> tuple[object, ...]:
    return (
        decision.task,
        decision.outcome,
        decision.person,
        decision.promised_day,
        decision.candidates,
        decision.ways_out,
        decision.reason,
    )


@pytest.mark.parametrize(
    "choice, default", [(MissingEstimate.HOLD, None), (MissingEstimate.HOLD, 90), (MissingEstimate.TYPE_DEFAULT, None)]
)
@pytest.mark.parametrize("wanted", [None, "ann"])
def test_arrival_without_estimate_is_held_and_changes_nothing(
    choice: MissingEstimate, default: int | None, wanted: str | None
) -> None:
    board = compiled(
        (person("ann"),),
        kind=TaskType(id="return", skill="tax", default_estimate_min=default),
        policy=Policy(missing_estimate=choice),
    )
    before = state(board)
    assert parts(place(board, task("t", hours=None, requested_person=wanted))) == HELD
    assert state(board) == before


def test_arrival_without_estimate_takes_the_types_default_where_the_firm_chose_that() -> None:
    board = compiled(
        (person("ann"),),
        kind=TaskType(id="return", skill="tax", default_estimate_min=90),
        policy=Policy(missing_estimate=MissingEstimate.TYPE_DEFAULT),
    )
    decision = place(board, task("t", hours=None))
    assert (decision.outcome, decision.person, decision.candidates[0].work_min) == (Outcome.PLACED, "ann", 90)
    assert board.load_min.tolist() == [90]


def test_held_task_routes_at_once_when_its_estimate_comes() -> None:
    board = compiled((person("ann"),), (task("t", hours=None),))
    assert place(board, board.known["t"]).outcome is Outcome.HELD
    assert place(board, task("t", hours=2)).person == "ann"
    assert board.known["t"].estimate_min == 120


# Exceptions: the client asked for a person


def test_request_sets_the_ranking_aside() -> None:
    board = compiled((person("ann"), person("bob")), (busy("bob", 30),))
    decision = place(board, task("t", requested_person="bob"))
    assert (decision.person, decision.overridden, decision.overload_min) == ("bob", True, 0)
    assert decision.promised_day == day(4)
    assert decision.reason == "the client asked for bob"
    assert [one.person for one in decision.candidates] == ["ann", "bob"]


def test_request_sets_the_hours_aside_and_shows_the_overload() -> None:
    board = compiled((person("ann"), person("bob", name="Bob Ray")), (busy("bob", 40),))
    decision = place(board, task("t", due=3, requested_person="bob"))
    assert (decision.outcome, decision.person) == (Outcome.PLACED, "bob")
    assert (decision.overridden, decision.overload_min, decision.promised_day) == (True, 240, day(7))
    assert decision.reason == "the client asked for Bob Ray"
    assert stops(decision) == {"ann": None, "bob": Filter.DEADLINE}
    assert board.load_min.tolist() == [0, 2_640]
    assert board.promises["t"].window.on_time is False


def test_request_over_capacity_breaks_no_other_promise() -> None:
    board = compiled((person("ann"),), (busy("ann", 38),))
    place(board, task("t", hours=4, requested_person="ann"))
    assert board.promises["t"].window.due == 5
    assert int(board.ledger.slack.min()) >= 0


def test_request_after_the_deadline_is_placed_as_early_as_there_is_room() -> None:
    decision = place(compiled((person("ann"),), (busy("ann", 8, due=0),)), task("t", due=-3, requested_person="ann"))
    assert (decision.person, decision.promised_day, decision.overload_min) == ("ann", day(1), 240)


def test_request_that_does_not_fit_at_all_is_placed_beyond_the_horizon() -> None:
    decision = place(compiled((person("ann"),)), task("t", hours=5_000, requested_person="ann"))
    assert (decision.outcome, decision.person, decision.promised_day) == (Outcome.PLACED, "ann", None)
    assert decision.overload_min == 5_000 * 60 - 2_400


def test_request_sets_the_guardrail_aside() -> None:
    board = compiled(
        (person("ann"), person("bob"), person("max", level="manager")),
        client=Client(id="acme", tier=ValueTier.HIGH),
        policy=GUARDED,
    )
    decision = place(board, task("t", requested_person="bob"))
    assert (decision.person, decision.overridden) == ("bob", True)
    assert stops(decision) == {"ann": Filter.GUARDRAIL, "bob": None, "max": None}


@pytest.mark.parametrize(
    "who, barred, prepared, stop, why",
    [
        (person("bob", skills=()), False, False, Filter.SKILL, "does not have the skill"),
        (person("bob", leave_date=day(-1)), False, False, Filter.EMPLOYMENT, "does not work here in that time"),
        (person("bob"), True, False, Filter.INDEPENDENCE, "is barred from the client"),
        (person("bob"), False, True, Filter.REVIEWER, "worked on the piece that is reviewed"),
    ],
)
def test_request_never_sets_aside_who_may_do_the_work(
    who: Person, barred: bool, prepared: bool, stop: Filter, why: str
) -> None:
    board = compiled(
        (person("ann"), who),
        (task("p", status=Status.DONE, assignee="bob" if prepared else None),),
        client=Client(id="acme", barred=("bob",) if barred else ()),
    )
    before = state(board)
    decision = place(board, task("t", requested_person="bob", reviews="p"))
    assert (decision.outcome, decision.person, decision.overridden) == (Outcome.ESCALATED, None, False)
    assert decision.reason == f"the client asked for bob, who {why}"
    assert stops(decision)["bob"] is stop
    assert decision.ways_out == ()
    assert state(board) == before


def test_request_for_a_preparation_that_no_longer_fits_before_its_promised_review_escalates() -> None:
    board = compiled(
        (person("ann"), person("bob")),
        (
            task("p", hours=30, due=3, requested_person="ann"),
            task("r", hours=1, due=4, reviews="p", assignee="bob"),
            task("x", hours=30, due=3, assignee="ann"),
        ),
    )
    before = state(board)
    decision = place(board, board.known["p"])
    assert (decision.outcome, decision.person) == (Outcome.ESCALATED, None)
    assert decision.reason == "the client asked for ann, who cannot finish before its review is promised to begin"
    assert state(board) == before


# Deadlines that the live board does not know yet


SPECIAL = [
    {"due": 2, "deadline_time": time(13, 0), "hours": 4},
    {"due": 2, "deadline_time": time(13, 30), "hours": 20},
    {"due": 0, "deadline_time": time(10, 0), "hours": 1},
    {"due": 0, "deadline_time": time(9, 30), "hours": 1},
    {"due": 200, "hours": 100},
]


def half_full() -> Board:
    return compiled((person("ann"), person("bob")), (busy("ann", 12, due=2), busy("bob", 10, due=2), task("p", due=8)))


@pytest.mark.parametrize("more", SPECIAL)
def test_arrival_with_a_deadline_unknown_to_the_board_is_answered_as_if_it_were_known(more: dict[str, Any]) -> None:
    arrival, live = task("t", **more), half_full()
    fresh = compile_board(live.firm, now=NOW, also=(arrival,))
    for board in (live, fresh):
        place(board, task("first", hours=3, due=2))
    assert place(live, arrival) == place(fresh, arrival)
    assert place(live, task("last", hours=3, due=2)) == place(fresh, task("last", hours=3, due=2))


@pytest.mark.parametrize("more", SPECIAL)
def test_dry_run_with_a_deadline_unknown_to_the_board_changes_no_promise_and_no_answer(more: dict[str, Any]) -> None:
    touched, untouched = half_full(), half_full()
    dry_run(touched, task("t", **more))
    assert touched.load_min.tolist() == untouched.load_min.tolist()
    assert known_today(touched) == known_today(untouched)
    for arrival in (task("u", hours=7, due=2), task("v", hours=30), task("r", reviews="p", due=9)):
        assert place(touched, arrival) == place(untouched, arrival)


def test_arrival_due_beyond_the_board_sees_the_work_that_did_not_fit_within_it() -> None:
    one = firm((person("ann"),), (task("x", hours=1_000, assignee="ann"),))
    arrival = task("t", hours=300, due=200)
    live, fresh = compile_board(one, now=NOW), compile_board(one, now=NOW, also=(arrival,))
    assert place(live, arrival) == place(fresh, arrival)


def test_task_due_at_noon_has_the_morning_only() -> None:
    board = compiled((person("ann"),))
    place(board, task("whole day", hours=8, due=1))
    decision = dry_run(board, task("t", hours=12, due=1, deadline_time=time(13, 0)))
    assert decision.candidates[0].gap_min == 240
    assert place(board, task("u", hours=8, due=1, deadline_time=time(13, 0))).promised_day == day(1)


# Looking without touching


def test_dry_run_answers_like_place_and_changes_nothing() -> None:
    board = compiled((person("ann"), person("bob")), (busy("ann", 38), busy("bob", 39)))
    before = state(board)
    for arrival in (task("t", hours=1), task("u", hours=4), task("v", hours=4, requested_person="bob")):
        looked = dry_run(board, arrival)
        assert state(board) == before
        assert looked == dry_run(board, arrival)
    assert looked == place(board, task("v", hours=4, requested_person="bob"))


def test_candidates_for_other_slots_are_seen_the_same_way() -> None:
    board = compiled((person("ann"), person("bob")), (busy("ann", 39),))
    arrival = task("t", due=4)
    row = board.row_of(arrival)
    assert candidates_of(board, row, board.span_of(arrival)) == dry_run(board, arrival).candidates


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_decision_survives_json(seed: int) -> None:
    board = compile_board(prepared_firm(seed), now=NOW)
    for arrival in arrivals_of(board):
        decision = place(board, arrival)
        assert Decision.model_validate_json(decision.model_dump_json()) == decision


# The rule once more, by other code: days walked through one after the other, nothing of the solver read but its promises


class Known(NamedTuple):
    """A promise in days: minutes of work from ``first`` to ``last``."""

    person: str
    first: date
    last: date
    minutes: int


def open_minutes(one: Firm, who: Person, when: date) -> int:
    employed = (who.start_date or when) <= when <= (who.leave_date or when)
    minutes = who.weekly_min[when.weekday()] if employed else 0
    for off in one.time_off:
        if off.person == who.id and off.first_day <= when <= off.last_day:
            minutes -= 1_440 if off.minutes_per_day is None else off.minutes_per_day
    for booking in one.bookings:
        if booking.person == who.id and booking.first_day <= when <= booking.last_day:
            minutes -= booking.minutes_per_day
    return max(minutes, 0)


def diary(one: Firm, who: Person) -> list[int]:
    return [open_minutes(one, who, day(i)) for i in range(FAR)]


def feasible(minutes: list[int], works: Iterable[tuple[int, int, int]]) -> bool:
    """Whether works ``(first, last, minutes)`` can all be done, always working on what is due first."""
    left = sorted([last, first, work] for first, last, work in works)
    for today, available in enumerate(minutes):
        for work in left:
            if work[1] <= today:
                done = min(available, work[2])
                work[2] -= done
                available -= done
        if any(work[2] > 0 for work in left if work[0] <= today):
            return False
        left = [work for work in left if work[2] > 0]
    return not left


def room(minutes: list[int], works: list[tuple[int, int, int]], first: int, last: int) -> int:
    """Return the longest further work from ``first`` to ``last`` that breaks nothing."""
    low, high = 0, sum(minutes[max(first, 0) : max(last + 1, 0)])
    while low < high:
        middle = (low + high + 1) // 2
        if feasible(minutes, [*works, (first, last, middle)]):
            low = middle
        else:
            high = middle - 1
    return low


def offset(when: date) -> int:
    return (when - day(0)).days


def works_of(known: Mapping[str, Known], who: str) -> list[tuple[int, int, int]]:
    return [(offset(one.first), offset(one.last), one.minutes) for one in known.values() if one.person == who]


def known_today(board: Board) -> dict[str, Known]:
    return {
        name: Known(
            board.firm.people[one.person].id,
            board.axis.days[one.window.release],
            board.axis.days[one.window.due],
            one.work_min,
        )
        for name, one in board.promises.items()
        if one.window.due < board.axis.count
    }


def piece_of(tasks: Mapping[str, Task], start: Task) -> set[str]:
    above: set[str] = set()
    here = start.reviews
    while here is not None:
        above.add(here)
        here = tasks[here].reviews
    below = {start.id}
    while more := {one.id for one in tasks.values() if one.reviews in below} - below:
        below |= more
    return above | below - {start.id}


def rule(
    one: Firm, known: dict[str, Known], beyond: dict[str, str], arrival: Task
) -> list[tuple[str, int, str | None]]:
    """Return ``(person, remaining, stop)`` in rank order, as the product page says it."""
    kind = next(each for each in one.task_types if each.id == arrival.type)
    client = next(each for each in one.clients if each.id == arrival.client)
    tasks = {each.id: each for each in one.tasks} | {arrival.id: arrival}
    levels = [level.name for level in one.levels]
    guard = one.policy.guardrail
    asked = [kind.min_level]
    asked += [guard.complex_level] if kind.complexity >= guard.complex_from else []
    asked += [guard.high_value_level] if client.tier is ValueTier.HIGH else []
    if arrival.reviews:
        reviewed = next(each for each in one.task_types if each.id == tasks[arrival.reviews].type)
        asked += [reviewed.review.min_level] if reviewed.review else []
    needed = max(levels.index(name) if name else 0 for name in asked)
    holders = {name: each.person for name, each in known.items()} | beyond
    same_piece = {holders[name] for name in piece_of(tasks, arrival) if name in holders}
    first, last = span_in_days(one, tasks, known, beyond, arrival)
    week_end = (first_working_day(one) // 7) * 7 + 6
    found = []
    for who in one.people:
        minutes, works = diary(one, who), works_of(known, who.id)
        cell = next((each for each in who.skills if each.skill == kind.skill), None)
        work = work_of(one, arrival, cell)
        left = room(minutes, works, 0, week_end)
        can_begin = max(offset(arrival.release or day(0)), 0)
        stop = None
        if cell is None:
            stop = "skill"
        elif who.leave_date and (offset(who.leave_date) < can_begin or sum(minutes[can_begin:]) < work):
            stop = "employment"
        elif who.id in client.barred:
            stop = "independence"
        elif who.id in same_piece:
            stop = "reviewer"
        elif first > last or room(minutes, works, first, last) < work:
            stop = "deadline"
        elif levels.index(who.level) < needed and arrival.requested_person != who.id:
            stop = "guardrail"
        found.append((who.id, left, stop))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def work_of(one: Firm, arrival: Task, cell: Skill | None) -> int:
    remaining = max((arrival.estimate_min or 0) - arrival.logged_min, one.policy.remaining_floor_min)
    return 0 if cell is None else (cell.efficiency_pct * remaining + 99) // 100


def span_in_days(
    one: Firm, tasks: Mapping[str, Task], known: Mapping[str, Known], beyond: Mapping[str, str], arrival: Task
) -> tuple[int, int]:
    first, last = max(offset(arrival.release or day(0)), 0), offset(arrival.deadline)
    if arrival.reviews in beyond:
        return 1, 0
    if arrival.reviews is not None and arrival.reviews in known:
        first = max(first, offset(known[arrival.reviews].last) + 1)
    elif arrival.reviews is not None and tasks[arrival.reviews].open:
        first = max(first, time_to_prepare(one, tasks[arrival.reviews], arrival) + 1)
    for each in tasks.values():
        if each.reviews == arrival.id and each.id in known:
            last = min(last, offset(known[each.id].first) - 1)
    return first, last


def time_to_prepare(one: Firm, preparation: Task, review: Task) -> int:
    """Return the day until which an unplaced preparation is left time: its deadline, or its share of the working days."""
    working = [i for i in range(FAR) if any(open_minutes(one, who, day(i)) for who in one.people)]
    due, end = (bisect.bisect_right(working, offset(each.deadline)) - 1 for each in (preparation, review))
    if due < end:
        return offset(preparation.deadline)
    begin = bisect.bisect_left(working, offset(preparation.release or day(0)))
    share = [work_of(one, each, Skill(skill="any")) for each in (preparation, review)]
    defaults = {kind.id: kind.default_estimate_min for kind in one.task_types}
    if preparation.estimate_min is None:
        share[0] = max((defaults[preparation.type] or 0) - preparation.logged_min, one.policy.remaining_floor_min)
    until = begin + max(end - begin, 0) * share[0] // sum(share)
    return -1 if until < 0 else working[until] if until < len(working) else FAR


def first_working_day(one: Firm) -> int:
    return next(i for i in range(FAR) if any(open_minutes(one, who, day(i)) for who in one.people))


def prepared_firm(seed: int) -> Firm:
    """Return a random firm with a guardrail; work without estimate has nobody, and reviewed work no request."""
    draw = random.Random(seed)
    one = random_firm(seed, people=draw.randint(1, 6), tasks=16, load=draw.choice((0.5, 0.9, 1.3)))
    reviewed = {each.reviews for each in one.tasks}
    tasks = [
        each.model_copy(
            update={
                "assignee": each.assignee if each.estimate_min else None,
                "requested_person": None if each.id in reviewed else each.requested_person,
            }
        )
        for each in one.tasks
    ]
    guardrail = Guardrail(complex_from=draw.randint(2, 5), complex_level="senior", high_value_level="senior")
    policy = Policy(guardrail=draw.choice((guardrail, Guardrail())))
    return Firm.model_validate(one.model_dump() | {"tasks": tuple(tasks), "policy": policy})


def arrivals_of(board: Board) -> list[Task]:
    return [one for one in board.tasks if one.id not in board.promises]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1_000_000))
def test_each_decision_is_the_one_the_rule_makes_by_other_code(seed: int) -> None:
    one = prepared_firm(seed)
    board = compile_board(one, now=NOW)
    for arrival in arrivals_of(board):
        known = known_today(board)
        beyond = {name: one.people[each.person].id for name, each in board.promises.items() if name not in known}
        expected = rule(one, known, beyond, arrival)
        decision = place(board, arrival)
        seen = [(each.person, each.remaining_min, each.stopped_by) for each in decision.candidates]
        assert seen == expected
        stop = {who: why for who, _, why in expected}
        if arrival.requested_person is not None:
            may = stop[arrival.requested_person] in (None, "deadline")
            assert decision.person == (arrival.requested_person if may else None)
        else:
            assert decision.person == next((who for who, _, why in expected if why is None), None)
        assert (decision.outcome is Outcome.PLACED) == (decision.person is not None)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1_000_000))
def test_no_placement_ever_breaks_a_rule(seed: int) -> None:
    one = prepared_firm(seed)
    board = compile_board(one, now=NOW)
    tasks = {each.id: each for each in one.tasks}
    kinds, clients = {each.id: each for each in one.task_types}, {each.id: each for each in one.clients}
    people = {each.id: each for each in one.people}
    for arrival in arrivals_of(board):
        decision = place(board, arrival)
        if decision.person is None:
            assert arrival.id not in board.promises
            continue
        who, kind = people[decision.person], kinds[arrival.type]
        known = known_today(board)
        cell = next(each for each in who.skills if each.skill == kind.skill)
        assert board.promises[arrival.id].work_min == work_of(one, arrival, cell)
        assert who.id not in clients[arrival.client].barred
        assert who.leave_date is None or who.leave_date >= max(arrival.release or day(0), day(0))
        same_piece = {
            one.people[board.promises[name].person].id for name in piece_of(tasks, arrival) & set(board.promises)
        }
        assert who.id not in same_piece
        assert feasible(diary(one, who), works_of(known, who.id))
        if arrival.id not in known:
            assert decision.overridden
            assert decision.promised_day is None
            continue
        mine = known[arrival.id]
        assert mine.first >= max(arrival.release or day(0), day(0))
        assert decision.promised_day == mine.last
        assert decision.overridden or mine.last <= arrival.deadline
        assert (mine.last > arrival.deadline) <= (decision.overload_min > 0)
        if arrival.reviews is not None and arrival.reviews in known:
            assert mine.first > known[arrival.reviews].last
        for review in tasks.values():
            if review.reviews == arrival.id and review.id in known:
                assert known[review.id].first > mine.last


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1_000_000), st.randoms(use_true_random=False))
def test_order_of_people_in_the_file_does_not_matter(seed: int, draw: Any) -> None:
    one = prepared_firm(seed)
    people = list(one.people)
    draw.shuffle(people)
    boards = [compile_board(each, now=NOW) for each in (one, one.model_copy(update={"people": tuple(people)}))]
    for arrival in arrivals_of(boards[0]):
        assert place(boards[0], arrival) == place(boards[1], arrival)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1_000_000))
def test_dry_run_never_changes_the_board_and_agrees_with_place(seed: int) -> None:
    board = compile_board(prepared_firm(seed), now=NOW)
    for arrival in arrivals_of(board):
        before = state(board)
        looked = dry_run(board, arrival)
        assert state(board) == before
        assert looked == place(board, arrival)


def punctual_firm(seed: int) -> Firm:
    """Return a random firm without reviews in which whoever has work can do all of it on time."""
    one = random_firm(seed, people=3, tasks=14, load=0.7)
    plain = tuple(each.model_copy(update={"reviews": None, "requested_person": None}) for each in one.tasks)
    one = one.model_copy(update={"tasks": plain})
    board = compile_board(one, now=NOW)
    kept = {name for name, each in board.promises.items() if each.window.on_time}
    tasks = tuple(each if each.id in kept else each.model_copy(update={"assignee": None}) for each in plain)
    return Firm.model_validate(one.model_dump() | {"tasks": tasks})


def longer_weeks(one: Firm, draw: random.Random) -> Firm:
    extra = [draw.choice((0, 30, 240)) for _ in range(7)]
    people = tuple(
        each.model_copy(update={"weekly_min": tuple(m + e for m, e in zip(each.weekly_min, extra, strict=True))})
        for each in one.people
    )
    return one.model_copy(update={"people": people})


def one_more_person(one: Firm, draw: random.Random) -> Firm:
    level = draw.choice(("associate", "partner"))
    newcomer = person("newcomer", level=level, skills=("tax", "audit", "books"), weekly_min=(240,) * 7)
    return one.model_copy(update={"people": (newcomer, *one.people)})


def nobody_away(one: Firm, draw: random.Random) -> Firm:
    return one.model_copy(update={"time_off": (), "bookings": one.bookings[: draw.randint(0, 1)]})


def overtime(one: Firm, draw: random.Random) -> Firm:
    weeks = Overtime(first_day=day(draw.randint(0, 9)), last_day=day(20), extra_min=(60,) * 7)
    return one.model_copy(update={"overtime": (weeks,)})


@pytest.mark.parametrize("more", [longer_weeks, one_more_person, nobody_away, overtime])
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1_000_000))
def test_more_capacity_never_turns_a_fit_into_a_non_fit(more: Any, seed: int) -> None:
    one = punctual_firm(seed)
    draw = random.Random(seed)
    boards = [compile_board(each, now=NOW) for each in (one, more(one, draw))]
    for arrival in arrivals_of(boards[0]):
        poor, rich = (dry_run(board, arrival) for board in boards)
        if poor.outcome is Outcome.PLACED:
            assert rich.outcome is Outcome.PLACED
        gaps = {each.person: each.gap_min for each in poor.candidates}
        assert all(each.gap_min <= gaps.get(each.person, each.gap_min) for each in rich.candidates)


def test_time_off_on_the_last_day_turns_a_fit_into_an_escalation() -> None:
    off = TimeOff(person="ann", first_day=day(4), last_day=day(4))
    assert place(compiled((person("ann"),)), task("t", hours=40)).person == "ann"
    assert place(compiled((person("ann"),), time_off=(off,)), task("t", hours=40)).candidates[0].gap_min == 480


def test_plain_feasibility_walks_through_days_as_expected() -> None:
    assert feasible([10, 10], [(0, 0, 10), (0, 1, 10)])
    assert not feasible([10, 10], [(0, 0, 10), (0, 1, 11)])
    assert not feasible([10, 10], [(1, 1, 11)])
    assert feasible([10, 10, 10], [(0, 2, 10), (1, 1, 10), (0, 0, 10)])
    assert room([10, 10, 10], [(0, 2, 15)], 0, 1) == 15
    assert offset(day(0) + timedelta(days=3)) == 3
