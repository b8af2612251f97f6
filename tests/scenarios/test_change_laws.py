"""What holds of all changes: they compose in order, can be undone where they can, and never touch the firm given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.change import FirmChange
from scenarios.changes import (
    Away,
    ClientLost,
    DeadlineMoved,
    DocumentsLate,
    EstimatesOff,
    ExtraHours,
    Freeze,
    Holiday,
    Joins,
    Leaves,
    MovesTeam,
    PartTime,
    PolicySet,
    Reprioritised,
    Scenario,
    SkillLost,
    SkillSet,
    TaskDropped,
    TaskSplit,
    apply_all,
)
from solver.firm import Firm, Priority, Task
from solver.refusal import Refused
from tests.firms_for_tests import day, random_firm

FIRMS = tuple(random_firm(seed, people=4, tasks=14) for seed in range(6))
Draw = Callable[[st.SearchStrategy[object]], object]
EXAMPLES = settings(max_examples=60, deadline=None)


def open_tasks(firm: Firm) -> list[Task]:
    return [task for task in firm.tasks if task.open]


@st.composite
def changes(draw: st.DrawFn, firm: Firm) -> FirmChange:
    """Draw any change that names what the firm has; it may be refused for what it says."""
    person = draw(st.sampled_from([one.id for one in firm.people]))
    task = draw(st.sampled_from([one.id for one in open_tasks(firm)]))
    client = draw(st.sampled_from([one.id for one in firm.clients]))
    kind = draw(st.sampled_from([one.id for one in firm.task_types]))
    first = draw(st.integers(-3, 25))
    length = draw(st.integers(0, 12))
    number = draw(st.integers(0, 300))
    made: list[Callable[[], FirmChange]] = [
        lambda: Away(person=person, first_day=day(first), last_day=day(first + length)),
        lambda: Leaves(person=person, last_day=day(first)),
        lambda: Joins(id="new", like=person, count=number % 3),
        lambda: PartTime(person=person, share_pct=number % 101),
        lambda: ExtraHours(first_day=day(first), last_day=day(first + length), per_week_min=number),
        lambda: SkillSet(person=person, skill="tax", efficiency_pct=50 + number),
        lambda: MovesTeam(person=person, team="north", new_team=True),
        lambda: ClientLost(client=client),
        lambda: DocumentsLate(client=client, days=number % 20, past_deadline="cap"),
        lambda: DeadlineMoved(type=kind, days=number % 30),
        lambda: EstimatesOff(factor_pct=50 + number, client=client),
        lambda: TaskDropped(task=task),
        lambda: TaskSplit(task=task, into=2),
        lambda: Reprioritised(tasks=(task,), priority=Priority.HIGH),
        lambda: Holiday(day=day(first)),
        lambda: Freeze(until=day(first)),
        lambda: PolicySet(name="weights.move", value=number),
    ]
    return draw(st.sampled_from(made))()


@st.composite
def firms_with_changes(draw: st.DrawFn) -> tuple[Firm, list[FirmChange]]:
    firm = draw(st.sampled_from(FIRMS))
    return firm, draw(st.lists(changes(firm), min_size=1, max_size=4))


@EXAMPLES
@given(firms_with_changes())
def test_changes_compose_in_order_and_leave_the_firm_given_as_it_is(case: tuple[Firm, list[FirmChange]]) -> None:
    firm, several = case
    before = firm.model_dump_json()
    try:
        whole = apply_all(firm, several)
    except Refused:
        whole = None
    assert firm.model_dump_json() == before
    if whole is None:
        return
    one_by_one = firm
    for change in several:
        one_by_one = change.apply(one_by_one)
    assert one_by_one == whole
    cut = len(several) // 2
    assert apply_all(apply_all(firm, several[:cut]), several[cut:]) == whole
    assert Firm.model_validate_json(whole.model_dump_json()) == whole


@EXAMPLES
@given(st.sampled_from(FIRMS), st.data())
def test_changes_of_different_parts_commute(firm: Firm, data: st.DataObject) -> None:
    who, other = (one.id for one in firm.people[:2])
    task = data.draw(st.sampled_from(open_tasks(firm))).id
    parts: list[FirmChange] = [
        Away(person=who, first_day=day(12), last_day=day(13)),
        PartTime(person=other, share_pct=data.draw(st.integers(0, 100))),
        Holiday(day=day(data.draw(st.integers(0, 20)))),
        PolicySet(name="weights.move", value=data.draw(st.integers(0, 500))),
        Reprioritised(tasks=(task,), priority=Priority.CRITICAL),
        EstimatesOff(factor_pct=data.draw(st.integers(20, 300))),
    ]
    order = data.draw(st.permutations(parts))
    try:
        straight = apply_all(firm, parts)
    except Refused:  # whoever is away has left by then, whatever the order
        with pytest.raises(Refused):
            apply_all(firm, order)
        return
    assert apply_all(firm, order) == straight


@EXAMPLES
@given(st.sampled_from(FIRMS), st.data())
def test_what_has_an_inverse_is_undone_by_it(firm: Firm, data: st.DataObject) -> None:
    person = data.draw(st.sampled_from(firm.people))
    task = data.draw(st.sampled_from(open_tasks(firm)))
    days = data.draw(st.integers(1, 40))
    cell = person.skills[0]
    on = (task.id,)
    pairs: list[tuple[FirmChange, FirmChange]] = [
        (PartTime(person=person.id, share_pct=60), PartTime(person=person.id, weekly_min=person.weekly_min)),
        (MovesTeam(person=person.id, team="x", new_team=True), MovesTeam(person=person.id, team=person.team)),
        (DeadlineMoved(tasks=on, days=days), DeadlineMoved(tasks=on, days=-days)),
        (Reprioritised(tasks=on, priority=Priority.LOW), Reprioritised(tasks=on, priority=task.priority)),
        (PolicySet(name="horizon_days", value=days), PolicySet(name="horizon_days", value=firm.policy.horizon_days)),
        (Holiday(day=day(days)), Holiday(day=day(days), closed=False)),
        (
            SkillSet(person=person.id, skill=cell.skill, efficiency_pct=days + 10),
            SkillSet(person=person.id, skill=cell.skill, efficiency_pct=cell.efficiency_pct),
        ),
    ]
    if task.release is not None and (task.deadline - task.release).days >= days:
        pairs.append((DocumentsLate(tasks=on, days=days), DocumentsLate(tasks=on, days=-days)))
    new = next((one for one in ("tax", "audit", "books") if one not in {own.skill for own in person.skills}), None)
    known = {kind.skill for kind in firm.task_types}
    if new is not None and new in known:
        pairs.append((SkillSet(person=person.id, skill=new), SkillLost(person=person.id, skill=new)))
    change, undo = data.draw(st.sampled_from(pairs))
    assert undo.apply(change.apply(firm)) == firm


@EXAMPLES
@given(st.sampled_from(FIRMS), st.data())
def test_what_changes_nothing_returns_the_same_firm(firm: Firm, data: st.DataObject) -> None:
    person = data.draw(st.sampled_from(firm.people))
    task = data.draw(st.sampled_from(open_tasks(firm)))
    here = person.leave_date or day(9)
    nothing: list[FirmChange] = [
        ExtraHours(first_day=day(0), last_day=day(9), per_week_min=0),
        Joins(id="new", like=person.id, count=0),
        EstimatesOff(factor_pct=100),
        DeadlineMoved(tasks=(task.id,), days=0),
        DocumentsLate(tasks=(task.id,), days=0, expected=day(0)),
        PartTime(person=person.id, share_pct=100),
        MovesTeam(person=person.id, team=person.team),
        Reprioritised(tasks=(task.id,), priority=task.priority),
        PolicySet(name="weights.move", value=firm.policy.weights.move),
        Holiday(day=day(3), closed=False),
        Freeze(until=day(-30)),
        Away(person=person.id, first_day=here - timedelta(days=2), last_day=here, minutes_per_day=0),
    ]
    if person.leave_date is not None:
        nothing.append(Leaves(person=person.id, last_day=person.leave_date))
    change = data.draw(st.sampled_from(nothing))
    assert change.apply(firm) == firm
    assert Scenario().apply(firm) is firm
