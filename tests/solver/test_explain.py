"""Why and why not: exact reasons and prices, the latter verified by trying every plan of small firms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from solver import model
from solver.batch import solve
from solver.board import compile_board
from solver.explain import why, why_not
from solver.explanations import BindingWindow, WhyNot
from solver.firm import Client, Firm, Overtime, ReviewRule, Skill, Status, TaskType
from solver.plan import Plan
from solver.policy import Policy
from solver.problem import Problem, compile_problem
from solver.refusal import Refused
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import Facts, assignments, cheapest, tiny_firm

SHORT = WorkBudget(0.05)
NO_BALANCE = Policy(
    weights=Policy().weights.model_copy(update={"balance_pct": 0, "balance_far_pct": 0, "week_balance_pct": 0})
)


def planned(one: Firm) -> Plan:
    return solve(one, now=NOW, stop=SHORT)


def reason_not(one: Firm, name: str, who: str) -> WhyNot:
    return why_not(one, planned(one), name, who)


def plain(seed: int, people: int, tasks: int, load: float) -> Firm:
    """Return a random firm in which no client asks for anybody."""
    made = random_firm(seed, people=people, tasks=tasks, load=load)
    return made.model_copy(
        update={"tasks": tuple(item.model_copy(update={"requested_person": None}) for item in made.tasks)}
    )


def test_why_gives_every_price_and_the_next_best() -> None:
    one = firm(
        people=(
            person("ada", name="Ada Reyes", level="partner"),
            person("bob", name="Bob Marsh", weekly_min=(0,) * 7),
            person("cyd", level="partner"),
            person("dee", skills=("audit",)),
        ),
        tasks=(task("a", hours=10, due=4, assignee="cyd"), task("b", hours=31, due=4, assignee="cyd", pinned=True)),
        clients=(Client(id="acme", usual_person="bob"),),
    )
    # Level: two beyond the first, 10 % of 600 each.
    answer = why(one, planned(one), "a")
    assert (answer.code, answer.person, answer.label, answer.others) == ("planned", "ada", "Ada Reyes", 1)
    assert {price.term: price.minutes for price in answer.prices} == {
        "late": 0,
        "moves": 180,
        "continuity": 30,
        "level": 120,
        "mismatch": 0,
    }
    assert (answer.next_best, answer.next_best_min) == ("cyd", -180)
    assert (answer.cause, answer.flag) == (None, None)


def test_why_sentence_lists_what_is_paid() -> None:
    one = firm(
        people=(
            person("ada", name="Ada Reyes", skills=()).model_copy(
                update={"skills": (Skill(skill="tax", mismatch_min=7),)}
            ),
            person("bob"),
            person("cyd", level="manager"),
        ),
        tasks=(
            task("a", hours=10, due=4, assignee="ada", client="zeta"),
            task("b", hours=10, due=4, client="zeta", requested_person="ada"),
        ),
        clients=(Client(id="acme"), Client(id="zeta", usual_person="cyd")),
    )
    plan = planned(one)
    assert why(one, plan, "b").sentence() == (
        "b goes to Ada Reyes at continuity 30, mismatch 7 minutes; nobody else may do it."
    )
    lone = firm(people=(person("bob"),), tasks=(task("a"),))
    assert why(lone, planned(lone), "a").sentence() == "a goes to bob at no extra price; nobody else may do it."


@pytest.mark.parametrize(
    ("others", "words"),
    [(1, "1 other may do it; the next, p1, costs"), (2, "2 others may do it; the next, p1, costs")],
)
def test_why_sentence_counts_the_others(others: int, words: str) -> None:
    people = tuple(person(f"p{i}") for i in range(others + 1))
    one = firm(people=people, tasks=(task("a", assignee="p0", pinned=False),), policy=NO_BALANCE)
    assert words in why(one, planned(one), "a").sentence()


@pytest.mark.parametrize("seed", range(8))
def test_prices_of_all_tasks_add_up_to_the_terms(seed: int) -> None:
    one = plain(seed, 4, 12, 0.8)
    plan = planned(one)
    total: Counter[str] = Counter()
    for item in plan.tasks:
        answer = why(one, plan, item.task)
        assert (answer.code == "late") == item.late
        assert (answer.person, answer.cause) == (item.person, item.cause)
        total.update({price.term: price.minutes for price in answer.prices})
    said = {term.name: term.minutes for term in plan.certificate.terms}
    for name in ("late", "moves", "continuity", "level", "mismatch"):
        assert total[name] == said[name]


def test_why_late_gives_cause_and_price() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a", hours=4, due=-3, assignee="ada"),))
    answer = why(one, planned(one), "a")
    assert answer.code == "late"
    assert answer.prices[0].minutes == (30 + 2 * 3) * 2 * 240
    assert answer.sentence() == (
        "a goes to ada at late 17280 minutes; nobody else may do it; late: the deadline 2027-02-26 has passed."
    )


def test_why_gives_the_flag_of_work_that_had_to_leave_its_person() -> None:
    one = firm(people=(person("ada", leave_date=day(-1)), person("bob")), tasks=(task("a", assignee="ada"),))
    answer = why(one, planned(one), "a")
    assert answer.flag == "ada does not work here in that time"
    assert answer.sentence() == (
        "a goes to bob at no extra price; nobody else may do it; ada does not work here in that time."
    )


def test_why_escalated_gives_reason_and_ways_out() -> None:
    one = firm(
        people=(person("ada"),),
        tasks=(task("full", hours=39, assignee="ada"), task("new", hours=4)),
    )
    answer = why(one, planned(one), "new")
    assert (answer.code, answer.person) == ("escalated", None)
    assert answer.sentence() == (
        "new has nobody: 1 qualified person, none with enough open hours before the deadline: ada is nearest, 3 h short. "
        "Ways out: add 3 h for ada by 2027-03-05; move the deadline to 2027-03-08, when ada can have it done; "
        "take full (39 h) from ada."
    )
    nobody = firm(tasks=(task("new"),), people=(person("ada", skills=()),))
    assert why(nobody, planned(nobody), "new").sentence() == (
        "new has nobody: nobody may do it: 1 person stopped by skill."
    )


def test_why_of_work_that_is_not_planned() -> None:
    one = firm(
        people=(person("ada"),),
        tasks=(
            task("held", hours=None, assignee="ada"),
            task("done", status=Status.DONE),
            task("gone", status=Status.CANCELLED),
        ),
    )
    plan = planned(one)
    assert [why(one, plan, name).sentence() for name in ("held", "done", "gone")] == [
        "held is held: the estimate is missing.",
        "done is done: it needs no further work.",
        "gone is cancelled: it needs no further work.",
    ]
    assert why_not(one, plan, "held", "ada").code == "held"
    assert (
        why_not(one, plan, "done", "ada").sentence() == "ada does not get done: done is done: it needs no further work."
    )


def test_unknown_names_are_refused_with_the_nearest() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a-1"),))
    plan = planned(one)
    with pytest.raises(Refused, match=r'task "a-2" is not known\. Nearest: "a-1"'):
        why(one, plan, "a-2")
    with pytest.raises(Refused, match='task "a-2" is not known'):
        why_not(one, plan, "a-2", "ada")
    with pytest.raises(Refused, match=r'person "adda" is not known\. Nearest: "ada"'):
        why_not(one, plan, "a-1", "adda")


def test_plan_of_another_firm_is_refused() -> None:
    one = firm(people=(person("ada"),), tasks=(task("a"),))
    other = firm(people=(person("bob"),), tasks=(task("a"), task("b")))
    with pytest.raises(Refused, match="solve again"):
        why_not(one, planned(other), "a", "ada")


def gallery() -> Firm:
    return firm(
        people=(
            person("ada", level="senior"),
            person("bob"),
            person("cut", skills=("audit",), level="senior"),
            person("dot", level="senior", leave_date=day(-1)),
            person("eve", level="senior"),
        ),
        tasks=(
            task("plain", client="sealed", assignee="ada"),
            task("review", assignee="ada", reviews="prepared"),
            task("prepared", status=Status.DONE, assignee="eve", completed_on=day(-1)),
            task("pinned", assignee="ada", pinned=True),
            task("started", assignee="ada", logged_min=30),
            task("asked", requested_person="ada"),
            task("long", hours=30, due=4, assignee="eve", client="acme"),
        ),
        clients=(Client(id="acme"), Client(id="sealed", barred=("eve",))),
        task_types=(TaskType(id="return", skill="tax", review=ReviewRule(min_level="senior")),),
    )


@pytest.mark.parametrize(
    ("name", "who", "code", "reason"),
    [
        ("pinned", "ada", "has_it", "ada has pinned in this plan"),
        ("plain", "cut", "skill", "cut does not have the skill"),
        ("plain", "dot", "employment", "dot does not work here in that time"),
        ("plain", "eve", "independence", "eve is barred from the client"),
        ("review", "eve", "reviewer", "eve worked on the piece that is reviewed"),
        ("review", "bob", "guardrail", "bob is below the level the work demands"),
        ("pinned", "eve", "fixed", "it is pinned and stays with ada"),
        ("started", "eve", "fixed", "it was started and stays with ada"),
        ("asked", "eve", "requested", "the client asked for ada"),
    ],
)
def test_filter_that_stops_is_named(name: str, who: str, code: str, reason: str) -> None:
    answer = reason_not(gallery(), name, who)
    assert (answer.code, answer.reason, answer.extra_min, answer.window) == (code, reason, None, None)
    assert reason in answer.sentence()


def test_too_few_hours_even_with_nothing_else_to_do() -> None:
    one = firm(people=(person("ada"), person("bob", weekly_min=(60,) * 7)), tasks=(task("long", hours=30),))
    answer = reason_not(one, "long", "bob")
    assert (answer.code, answer.reason) == (
        "deadline",
        "even with nothing else to do the hours before the deadline are too few",
    )


def test_reviewer_filter_comes_before_the_guardrail() -> None:
    one = firm(
        people=(person("ada", level="senior"), person("bob")),
        tasks=(
            task("prepared", status=Status.DONE, assignee="bob", completed_on=day(-1)),
            task("review", reviews="prepared"),
        ),
        task_types=(TaskType(id="return", skill="tax", review=ReviewRule(min_level="senior")),),
    )
    assert reason_not(one, "review", "bob").code == "reviewer"


def test_preparer_whose_work_stays_is_stopped_as_reviewer() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("prepare", assignee="bob", pinned=True),
            task("review", assignee="ada", reviews="prepare"),
        ),
    )
    assert reason_not(one, "review", "bob").code == "reviewer"


def crowded() -> Firm:
    return firm(
        people=(person("ada", name="Ada"), person("bob", name="Bob")),
        tasks=(
            task("kept", hours=10, due=1, assignee="bob", pinned=True),
            task("more", hours=30, due=4, assignee="bob", pinned=True),
            task("late", hours=8, due=1, release=day(0), assignee="ada"),
        ),
    )


def test_binding_window_is_the_very_stretch_that_is_too_short() -> None:
    one = crowded()
    answer = reason_not(one, "late", "bob")
    assert answer.code == "window"
    # Until Tuesday 960 open and 600 promised leave 360; until Friday 2,400 open and 2,400 promised leave nothing.
    assert answer.window == BindingWindow(
        first_day=day(0),
        last_day=day(4),
        open_min=2_400,
        promised_min=2_400,
        work_min=480,
        missing_min=480,
        tasks=("kept", "more"),
    )
    assert answer.extra_min is None
    assert answer.sentence() == (
        "Bob does not get late: from 2027-03-01 to 2027-03-05 there are 40 h open, 40 h promised, 8 h missing; "
        "what would have to change: add 8 h for Bob by 2027-03-02."
    )


def test_missing_hours_are_what_the_person_lacks() -> None:
    answer = reason_not(crowded(), "late", "bob")
    assert answer.window is not None
    for minutes, code in ((answer.window.missing_min - 1, "window"), (answer.window.missing_min, "price")):
        extra = Overtime(first_day=day(0), last_day=day(0), extra_min=(minutes, 0, 0, 0, 0, 0, 0), people=("bob",))
        relaxed = crowded().model_copy(update={"overtime": (extra,)})
        plan = planned(relaxed)
        holder = {item.task: item.person for item in plan.tasks}["late"]
        assert holder == "ada"
        assert why_not(relaxed, plan, "late", "bob").code == code


def test_stretch_that_begins_later_is_found() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("kept", hours=8, due=4, release=day(4), assignee="bob", pinned=True),
            task("wanted", hours=1, due=4, release=day(4), assignee="ada"),
        ),
    )
    answer = reason_not(one, "wanted", "bob")
    assert answer.window is not None
    assert (answer.window.first_day, answer.window.last_day) == (day(4), day(4))
    assert (answer.window.open_min, answer.window.promised_min, answer.window.missing_min) == (480, 480, 60)
    assert answer.window.tasks == ("kept",)


def test_price_of_insisting_is_exact() -> None:
    one = firm(
        people=(person("ada"), person("bob"), person("cyd", skills=("audit",))),
        tasks=(task("a", hours=4, assignee="ada"),),
        policy=NO_BALANCE,
    )
    answer = reason_not(one, "a", "bob")
    assert (answer.code, answer.extra_min, answer.proven) == ("price", 180, True)
    assert (answer.moved, answer.escalated, answer.ways_out) == ((), (), ())
    assert answer.sentence() == (
        "bob does not get a: the hours are there, but the plan as a whole costs more; "
        "forcing it would cost 180 minutes more."
    )


def test_work_that_would_change_hands_is_named() -> None:
    one = firm(
        people=(person("ada"), person("bob", skills=("tax", "audit"))),
        tasks=(
            task("first", hours=30, assignee="ada"),
            task("second", hours=30, assignee="bob"),
            task("third", hours=9, type="check"),
        ),
        task_types=(TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit")),
        policy=NO_BALANCE,
    )
    answer = reason_not(one, "first", "bob")
    assert answer.code == "window"
    assert answer.moved == ("second",)
    assert answer.extra_min == 2 * 180
    assert "1 other task would change hands" in answer.sentence()


def test_forcing_work_may_leave_other_work_with_nobody() -> None:
    one = firm(
        people=(person("ada"), person("bob", skills=())),
        tasks=(task("dear", hours=30, priority="critical"), task("cheap", hours=20)),
    )
    plan = planned(one)
    assert [lost.task for lost in plan.escalations] == ["cheap"]
    answer = why_not(one, plan, "cheap", "ada")
    assert answer.code == "window"
    assert answer.escalated == ("dear",)
    assert "nobody would take dear" in answer.sentence()
    assert answer.extra_min is not None
    assert answer.extra_min > 0


def test_insisting_may_even_cost_less_than_a_plan_that_was_not_finished() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(task("a", hours=8, assignee="ada", client="bobs"),),
        clients=(Client(id="bobs", usual_person="bob"),),
        policy=NO_BALANCE.model_copy(
            update={"weights": NO_BALANCE.weights.model_copy(update={"continuity": 500, "move": 0, "move_soon": 0})}
        ),
    )
    plan = planned(one)
    assert plan.tasks[0].person == "bob"
    bad = plan.model_copy(update={"tasks": (plan.tasks[0].model_copy(update={"person": "ada", "moved_from": None}),)})
    answer = why_not(one, bad, "a", "bob")
    assert answer.extra_min == -500
    assert "cost 500 minutes less" in answer.sentence()


def test_search_that_is_cut_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one = firm(people=(person("ada"), person("bob")), tasks=(task("a", assignee="ada"),), policy=NO_BALANCE)
    plan = planned(one)
    monkeypatch.setattr(model, "solve", lambda choice, *, work_units, seed: (None, False, 0.0))
    answer = why_not(one, plan, "a", "bob")
    assert (answer.extra_min, answer.proven) == (None, False)
    unproven = answer.model_copy(update={"extra_min": 5})
    assert "forcing it would, as far as was searched, cost 5 minutes more" in unproven.sentence()


def forced(problem: Problem, name: str, who: str) -> Problem:
    t, p = problem.board.task_index[name], problem.board.staff.row[who]
    allowed, may_escalate = problem.allowed.copy(), problem.may_escalate.copy()
    allowed[t] = np.arange(problem.person_count) == p
    may_escalate[t] = False
    return replace(problem, allowed=allowed, may_escalate=may_escalate)


@pytest.mark.parametrize("seed", range(24))
def test_price_of_insisting_is_what_trying_every_plan_finds(seed: int) -> None:
    one = tiny_firm(seed)
    plan = planned(one)
    problem = compile_problem(compile_board(one, now=NOW))
    here = plan.certificate.objective_min + plan.certificate.unavoidable_min
    for each in problem.board.tasks if assignments(problem) < 4_000 else ():
        for somebody in one.people:
            answer = why_not(one, plan, each.id, somebody.id, work_units=20.0)
            if answer.extra_min is not None:
                assert here + answer.extra_min == cheapest(forced(problem, each.id, somebody.id)).objective_min


@pytest.mark.parametrize("seed", range(8))
def test_window_adds_up_and_is_open_as_the_calendar_says(seed: int) -> None:
    one = plain(seed, 4, 12, 1.1)
    plan = planned(one)
    facts = Facts(one, plan, NOW)
    for item in plan.tasks[:4]:
        for somebody in one.people:
            window = why_not(one, plan, item.task, somebody.id, work_units=0.05).window
            if window is not None:
                assert window.open_min - window.promised_min + window.missing_min == window.work_min
                assert window.open_min == facts.room(somebody.id, window.first_day, window.last_day)
                assert window.missing_min > 0
                mine = {x.task: x for x in plan.tasks if x.person == somebody.id}
                assert window.promised_min == sum(mine[name].work_min for name in window.tasks)
                for name in window.tasks:
                    assert mine[name].earliest_day >= window.first_day
                    assert (mine[name].promised_day or day(999)) <= window.last_day


def test_why_not_is_proven_where_the_whole_firm_was_solved() -> None:
    one = firm(
        people=(person("ada"), person("bob")),
        tasks=(task("a", hours=7, assignee="ada"), task("b", hours=5, assignee="bob"), task("c", hours=11)),
    )
    answer = reason_not(one, "a", "bob")
    assert answer.extra_min is not None
    assert answer.proven
    assert "as far as was searched" not in answer.sentence()
