"""The checker itself: a right plan passes, and every planted mistake is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest

from solver.batch import solve, today
from solver.firm import Client, Firm, Overtime, ReviewRule, Status, TaskType, TimeOff
from solver.plan import Filter, Plan, SolveStatus, StopReason
from solver.policy import Guardrail, Policy
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, task
from tests.plan_checker import done_in_time, problems


def office() -> Firm:
    """Two preparers, a reviewer, a manager who does not do tax, and somebody who has left."""
    return firm(
        people=(
            person("ada", level="senior"),
            person("bob"),
            person("cyd", level="senior"),
            person("dee", level="manager", skills=("audit",)),
            person("eve", leave_date=day(-1)),
        ),
        tasks=(
            task("pinned", hours=6, due=2, assignee="ada", pinned=True),
            task("started", hours=6, due=2, assignee="bob", logged_min=60, status=Status.IN_PROGRESS),
            task("asked", hours=3, due=3, requested_person="cyd"),
            task("prepare", hours=10, due=3, assignee="bob"),
            task("review", hours=2, due=4, reviews="prepare"),
            task("overdue", hours=4, due=-3, assignee="ada"),
            task("left", hours=5, due=4, assignee="eve"),
            task("huge", hours=300, due=4),
            task("nobody", hours=1, due=4, type="closing"),
            task("taken", hours=24, due=4, type="check"),
            task("full", hours=24, due=4, type="check", priority="low"),
            task("barred", hours=2, due=4, client="sealed"),
            task("noon", hours=2, due=1, deadline_time=time(12, 0)),
            task("silent", hours=None),
            task("done", status=Status.DONE, assignee="ada"),
        ),
        clients=(
            Client(id="acme", usual_person="ada"),
            Client(id="sealed", barred=("ada",)),
        ),
        task_types=(
            TaskType(id="return", skill="tax", review=ReviewRule(min_level="senior")),
            TaskType(id="closing", skill="books"),
            TaskType(id="check", skill="audit"),
        ),
        time_off=(TimeOff(person="cyd", first_day=day(0), last_day=day(0)),),
        overtime=(Overtime(first_day=day(0), last_day=day(1), extra_min=(30, 30, 0, 0, 0, 0, 0), people=("bob",)),),
    )


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(office(), now=NOW, stop=WorkBudget(0.05))


def found(plan: Plan) -> str:
    return "\n".join(problems(office(), plan, NOW))


def changed(plan: Plan, name: str, **update: Any) -> Plan:
    """Return the plan with one planned task said otherwise."""
    items = [item.model_copy(update=update) if item.task == name else item for item in plan.tasks]
    return plan.model_copy(update={"tasks": tuple(items)})


def handed(plan: Plan, name: str, to: str) -> Plan:
    """Return the plan with one task and its minutes with somebody else."""
    cells = [cell.model_copy(update={"person": to}) if cell.task == name else cell for cell in plan.timetable]
    return changed(plan, name, person=to).model_copy(update={"timetable": tuple(cells)})


def holder(plan: Plan, name: str) -> str:
    return next(item.person for item in plan.tasks if item.task == name)


def shifted(plan: Plan, name: str, days: int) -> Plan:
    """Return the plan with all minutes of one task on its first day moved by some days."""
    first = min(cell.day for cell in plan.timetable if cell.task == name)
    there = day((first - day(0)).days + days)
    cells = [
        cell.model_copy(update={"day": there}) if cell.task == name and cell.day == first else cell
        for cell in plan.timetable
    ]
    return plan.model_copy(update={"timetable": tuple(cells)})


def certified(plan: Plan, **update: Any) -> Plan:
    return plan.model_copy(update={"certificate": plan.certificate.model_copy(update=update)})


def repriced(plan: Plan, **by: int) -> Plan:
    """Return the plan with some terms changed by some minutes."""
    terms = [
        term.model_copy(update={"minutes": term.minutes + by.get(term.name, 0)}) for term in plan.certificate.terms
    ]
    return certified(plan, terms=tuple(terms))


def without(plan: Plan, part: str, name: str) -> Plan:
    return plan.model_copy(update={part: tuple(x for x in getattr(plan, part) if x.task != name)})


def fewer_minutes(plan: Plan) -> Plan:
    cells = [
        cell.model_copy(update={"minutes": cell.minutes - 1}) if i == 0 else cell
        for i, cell in enumerate(plan.timetable)
    ]
    return plan.model_copy(update={"timetable": tuple(cells)})


MISTAKES: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "a task is left out": (lambda p: without(p, "tasks", "asked"), "asked is open and not in the plan"),
    "a task is named twice": (
        lambda p: p.model_copy(update={"tasks": (*p.tasks, p.tasks[0])}),
        "pinned is in the plan 2 times",
    ),
    "a finished task is planned": (lambda p: changed(p, "asked", task="done"), "done is in the plan and not open"),
    "a hold is forgotten": (lambda p: without(p, "holds", "silent"), "silent is open and not in the plan"),
    "somebody unknown works": (lambda p: changed(p, "asked", person="zoe"), "zoe is in the plan and not in the firm"),
    "somebody lacks the skill": (lambda p: handed(p, "asked", "dee"), "dee has asked and is stopped by skill"),
    "somebody has left": (lambda p: handed(p, "asked", "eve"), "eve has asked and is stopped by employment"),
    "somebody is barred": (lambda p: handed(p, "barred", "ada"), "ada has barred and is stopped by independence"),
    "somebody is below the level": (lambda p: handed(p, "review", "bob"), "bob has review and is stopped by guardrail"),
    "pinned work moves": (lambda p: handed(p, "pinned", "cyd"), "pinned is pinned or started and moves from ada"),
    "started work moves": (lambda p: handed(p, "started", "ada"), "started is pinned or started and moves from bob"),
    "a client's wish is ignored": (lambda p: handed(p, "asked", "ada"), "asked goes to ada, the client asked for cyd"),
    "the preparer reviews": (
        lambda p: handed(p, "prepare", holder(p, "review")),
        "has prepare and review of one piece",
    ),
    "work takes less than it must": (lambda p: changed(p, "asked", work_min=179), "asked takes cyd 180 minutes"),
    "a minute is missing": (fewer_minutes, "minutes"),
    "a day is overfull": (lambda p: handed(p, "started", "ada"), "ada works"),
    "work before the first day": (lambda p: shifted(p, "review", -7), "review is worked on"),
    "work after the promise": (lambda p: shifted(p, "review", 7), "review is worked on"),
    "the review comes first": (
        lambda p: shifted(changed(p, "review", earliest_day=day(0)), "review", -2),
        "which it reviews, ends on",
    ),
    "a broken promise is hidden": (
        lambda p: changed(p, "asked", promised_day=day(7)),
        "asked is promised on 2027-03-08",
    ),
    "the days late are wrong": (lambda p: changed(p, "overdue", days_late=1), "days late, not 1"),
    "lateness has no cause": (lambda p: changed(p, "overdue", cause=None), "overdue is late True with cause None"),
    "the last day is wrong": (lambda p: changed(p, "asked", finish_day=day(30)), "asked is finished on"),
    "new work is said to move": (lambda p: changed(p, "asked", moved_from="bob"), "asked is said to move from bob"),
    "old work is said to be new": (lambda p: changed(p, "pinned", new=True), "pinned is said to be new"),
    "a flag is forgotten": (lambda p: without(p, "flags", "left"), "eve may not do left and there is no flag"),
    "a flag gives the wrong reason": (
        lambda p: p.model_copy(update={"flags": (p.flags[0].model_copy(update={"stopped_by": Filter.SKILL}),)}),
        "left is flagged by skill",
    ),
    "a flag is on work that is in order": (
        lambda p: p.model_copy(
            update={"flags": (*p.flags, p.flags[0].model_copy(update={"task": "pinned", "person": "bob"}))}
        ),
        "pinned is flagged with bob",
    ),
    "the wrong people are qualified": (
        lambda p: p.model_copy(
            update={"escalations": tuple(x.model_copy(update={"qualified": ()}) for x in p.escalations)}
        ),
        "full may be done by",
    ),
    "an escalation is called avoidable": (
        lambda p: p.model_copy(
            update={"escalations": tuple(x.model_copy(update={"unavoidable": False}) for x in p.escalations)}
        ),
        "nobody is said to be avoidable",
    ),
    "the plan is of another moment": (lambda p: p.model_copy(update={"now": NOW.replace(hour=10)}), "is made at"),
    "the plan is of another firm": (lambda p: p.model_copy(update={"firm": "Other"}), "the plan is of Other"),
    "a term is one minute off": (lambda p: repriced(p, balance=1), "balance is"),
    "a term is paid by another": (lambda p: repriced(p, balance=1, moves=-1), "moves is"),
    "continuity is forgotten": (lambda p: repriced(p, continuity=-30), "continuity is"),
    "lateness is cheap": (lambda p: repriced(p, late=-1), "late is"),
    "an escalation is cheap": (lambda p: repriced(p, escalation=-1), "escalation is"),
    "a level is free": (lambda p: repriced(p, level=5), "level is"),
    "a mismatch is invented": (lambda p: repriced(p, mismatch=5), "mismatch is"),
    "a term is renamed": (
        lambda p: certified(p, terms=tuple(reversed(p.certificate.terms))),
        "the terms are",
    ),
    "the objective is flattered": (
        lambda p: certified(p, objective_min=p.certificate.objective_min - 1),
        "the terms do not add up",
    ),
    "the bound is above the objective": (
        lambda p: certified(p, bound_min=p.certificate.objective_min + 1),
        "the bound is",
    ),
    "the gap is wrong": (lambda p: certified(p, gap_pct=p.certificate.gap_pct + 1), "the gap is"),
    "the status is wrong": (
        lambda p: certified(p, status=next(s for s in SolveStatus if s is not p.certificate.status)),
        "the status is",
    ),
    "the rule was better": (
        lambda p: certified(p, rule_objective_min=p.certificate.objective_min - 1),
        "is above the rule's",
    ),
    "the unavoidable part is understated": (
        lambda p: certified(
            p, unavoidable_min=1, objective_min=p.certificate.objective_min + p.certificate.unavoidable_min - 1
        ),
        "unavoidable is 1",
    ),
}


def test_right_plan_passes(plan: Plan) -> None:
    assert found(plan) == ""


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_planted_mistake_is_found(plan: Plan, mistake: str) -> None:
    plant, sentence = MISTAKES[mistake]
    assert sentence in found(plant(plan))


def test_the_office_has_something_of_everything(plan: Plan) -> None:
    assert {item.task for item in plan.escalations} == {"full", "nobody"}
    assert [flag.task for flag in plan.flags] == ["left"]
    assert any(item.late for item in plan.tasks)
    assert plan.certificate.stop_reason in (StopReason.WORK, StopReason.OPTIMAL)


def test_work_due_at_noon_has_no_afternoon_minutes() -> None:
    small = firm(people=(person("ada"),), tasks=(task("noon", hours=3, due=0, deadline_time=time(12, 0)),))
    plan = solve(small, now=NOW, stop=WorkBudget(0.0))
    assert problems(small, plan, NOW) == []
    sooner = small.model_copy(update={"tasks": (small.tasks[0].model_copy(update={"deadline_time": time(11, 0)}),)})
    assert any("noon is said to change at 12:00:00" in text for text in problems(sooner, plan, NOW))
    hurried = changed(plan, "noon", promised_time=time(11, 0))
    assert any(
        "ada has 180 minutes between working minute 0 and 120 of 2027-03-01, room for 120" in text
        for text in problems(sooner, hurried, NOW)
    )
    evening = changed(plan, "noon", promised_time=None)
    assert any("said to be late False" in text for text in problems(small, evening, NOW))


def test_review_on_the_day_of_its_preparation_begins_after_the_time_that_parts_them() -> None:
    pair = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("prepare", hours=3, due=0, deadline_time=time(12, 0), assignee="ada"),
            task("review", hours=5, due=0, reviews="prepare", assignee="bob"),
        ),
    )
    plan = today(pair, now=NOW)
    assert problems(pair, plan, NOW) == []
    assert [(item.earliest_time, item.promised_time) for item in plan.tasks] == [
        (None, time(12, 0)),
        (time(12, 0), None),
    ]
    early = changed(plan, "review", earliest_time=None)
    assert any("review begins on 2027-03-01, prepare, which it reviews" in text for text in problems(pair, early, NOW))
    longer = pair.model_copy(update={"tasks": (pair.tasks[0], pair.tasks[1].model_copy(update={"estimate_min": 301}))})
    cells = tuple(
        cell.model_copy(update={"minutes": 301}) if cell.task == "review" else cell for cell in plan.timetable
    )
    crowded = changed(plan, "review", work_min=301).model_copy(update={"timetable": cells})
    assert any("between working minute 180 and 480" in text for text in problems(longer, crowded, NOW))


def test_new_work_that_could_be_on_time_is_not_planned_late() -> None:
    small = firm(people=(person("ada"),), tasks=(task("late", hours=3, due=-1),))
    plan = solve(small, now=NOW, stop=WorkBudget(0.0))
    assert problems(small, plan, NOW) == []
    easy = small.model_copy(update={"tasks": (small.tasks[0].model_copy(update={"deadline": day(4)}),)})
    assert any("could be on time and is planned late" in text for text in problems(easy, plan, NOW))


def test_the_guardrail_counts_in_the_level_a_task_needs() -> None:
    policy = Policy(guardrail=Guardrail(complex_from=4, complex_level="senior"))
    small = firm(
        people=(person("bob"),),
        tasks=(task("hard"),),
        task_types=(TaskType(id="return", skill="tax", complexity=3),),
        policy=policy,
    )
    plan = solve(small, now=NOW, stop=WorkBudget(0.0))
    assert problems(small, plan, NOW) == []
    harder = small.model_copy(update={"task_types": (TaskType(id="return", skill="tax", complexity=4),)})
    assert any("bob has hard and is stopped by guardrail" in text for text in problems(harder, plan, NOW))


def test_simulation_prefers_the_most_urgent_released_work() -> None:
    assert done_in_time([60, 60], [(0, 1, 60), (0, 0, 60)])
    assert not done_in_time([60, 60], [(0, 0, 30), (0, 0, 31)])
    assert not done_in_time([60, 60], [(1, 1, 61)])
    assert done_in_time([60, 60, 60], [(0, 2, 120), (1, 1, 60)])
