"""A scenario's moves on the firm as it is: proposals where they fit and gain, else the reason and what they rest on."""

from __future__ import annotations

import pytest

from scenarios.changes import Away, Change, Joins, Scenario, SkillSet, TaskAdded
from scenarios.difference import TaskMove
from scenarios.realising import Realised, realised
from scenarios.run import Solving, baseline, compare
from solver.firm import Firm, Skill, Status
from solver.plan import Plan
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, day, firm, person, task

SOLVING = Solving(stop=lambda: WorkBudget(0.2))


def busy(*others: str, **more: object) -> Firm:
    """Return a firm where Ann has three days of work due on Friday, and each of the others two."""
    staff = (person("ann"), *(person(id) for id in others))
    own = tuple(task(f"{id}{i}", hours=8, due=4, assignee=id, pinned=True) for id in others for i in range(2))
    return firm(staff, (*(task(f"t{i}", hours=8, due=4, assignee="ann") for i in range(3)), *own), **more)


def of(here: Firm, *changes: Change, real: bool = False) -> Realised:
    """Return what a scenario comes to on the firm; ``real``: its changes have become real."""
    scenario = Scenario(changes=changes)
    base = baseline(here, now=NOW, solving=SOLVING)
    found = compare(base, scenario, solving=SOLVING)
    live = scenario.apply(here) if real else here
    return realised(live, found.plan_after, found.comparison.difference.moves, () if real else changes, now=NOW)


AWAY = Away(person="ann", first_day=day(1), last_day=day(4))


def test_moves_that_rest_on_what_is_not_real_are_refused_and_say_on_what() -> None:
    found = of(busy("bob"), AWAY)
    assert found.refused
    assert {one.code for one in found.refused} <= {"no_gain", "hours"}
    assert all(one.depends_on == (0,) for one in found.refused)
    assert all((one.from_person, one.to_person) == ("ann", "bob") for one in found.refused)


def test_once_it_is_real_the_same_moves_are_proposals() -> None:
    found = of(busy("bob"), AWAY, real=True)
    assert not found.refused
    moved = {move.task for one in found.proposals for move in one.moves}
    assert len(moved) == 2
    assert all(one.gain_min > 0 for one in found.proposals)


def test_somebody_who_is_only_thought_of_gets_nothing() -> None:
    hire = Joins(id="hire", level="associate", skills=(Skill(skill="tax"),))
    found = of(busy(), AWAY, hire)
    assert not found.proposals
    assert found.refused
    assert {(one.code, one.depends_on) for one in found.refused} == {("unknown_person", (1,))}
    assert "only thought of" in found.refused[0].reason


def test_a_skill_that_is_only_thought_of_is_named_among_several_changes() -> None:
    here = firm(
        (person("ann"), person("bob", skills=("books",))),
        tuple(task(f"t{i}", hours=8, due=4, assignee="ann") for i in range(6)),
    )
    learns = SkillSet(person="bob", skill="tax")
    found = of(here, TaskAdded(task=task("x", hours=1, due=11)), learns)
    assert found.refused
    assert {(one.code, one.depends_on) for one in found.refused} == {("skill", (1,))}


@pytest.mark.parametrize(
    "fields, code",
    [
        ({"assignee": None}, "nobody_has_it"),
        ({"assignee": "bob"}, "is_there"),
        ({"status": Status.DONE, "completed_on": day(0)}, "not_open"),
        ({"pinned": True}, "fixed"),
    ],
)
def test_what_has_become_of_a_task_is_said(fields: dict[str, object], code: str) -> None:
    here = busy("bob")
    plan = SOLVING.plan(here, NOW)
    tasks = (here.tasks[0].model_copy(update=fields), *here.tasks[1:])
    live = Firm.model_validate({**dict(here), "tasks": tasks})
    found = realised(
        live, _with(plan, "t0", "bob"), [TaskMove(task="t0", from_person="ann", to_person="bob")], (), now=NOW
    )
    assert [(one.task, one.code, one.depends_on) for one in found.refused] == [("t0", code, ())]
    assert not found.proposals


def test_a_task_that_is_only_thought_of_names_the_change_that_adds_it() -> None:
    here = busy("bob")
    changes = (AWAY, TaskAdded(task=task("x")))
    move = TaskMove(task="x", from_person="ann", to_person="bob")
    (found,) = realised(here, SOLVING.plan(here, NOW), [move], changes, now=NOW).refused
    assert (found.code, found.depends_on, found.from_person) == ("no_task", (1,), None)


def _with(plan: Plan, task: str, person: str) -> Plan:
    items = tuple(one.model_copy(update={"person": person}) if one.task == task else one for one in plan.tasks)
    return plan.model_copy(update={"tasks": items})
