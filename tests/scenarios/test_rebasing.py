"""Saved scenarios on a later firm: what still applies, what applies otherwise, what does not, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.changes import (
    Away,
    Change,
    ClientLost,
    ClientWon,
    DeadlineMoved,
    DocumentsLate,
    EstimatesOff,
    ExtraHours,
    Freeze,
    Holiday,
    Joins,
    Leaves,
    MovesTeam,
    NewWork,
    PartTime,
    PolicySet,
    Reprioritised,
    SkillSet,
    TaskAdded,
    TaskDropped,
    TaskSplit,
    apply_all,
    scenario_of,
)
from scenarios.pinning import pinned
from scenarios.rebasing import Fate, Rebased, applying, rebased
from solver.firm import Client, Firm, Overtime, Person, Priority, Skill, Status, TimeOff
from solver.policy import Policy, Weights
from solver.refusal import Refused
from tests.firms_for_tests import MONDAY, day, task
from tests.scenarios.test_changes import FIRM

HIRE = Joins(id="hire", name="New Hire", level="associate", skills=(Skill(skill="tax"),))


def later(**more: Any) -> Firm:
    """Return the firm with some fields as they have become."""
    return Firm.model_validate({**dict(FIRM), **more})


def with_person(id: str, **fields: Any) -> Firm:
    return later(people=tuple(one.model_copy(update=fields) if one.id == id else one for one in FIRM.people))


def without_person(id: str) -> Firm:
    """Return the firm after somebody was taken out, with whatever referred to them."""
    tasks = tuple(one.model_copy(update={"assignee": None}) if one.assignee == id else one for one in FIRM.tasks)
    return later(
        people=tuple(one for one in FIRM.people if one.id != id),
        tasks=tasks,
        clients=tuple(one.model_copy(update={"usual_person": None}) for one in FIRM.clients),
        time_off=(),
    )


def with_task(id: str, **fields: Any) -> Firm:
    return later(tasks=tuple(one.model_copy(update=fields) if one.id == id else one for one in FIRM.tasks))


def without_task(*ids: str) -> Firm:
    return later(tasks=tuple(one for one in FIRM.tasks if one.id not in ids))


def one(change: Change, now: Firm, on: date = MONDAY) -> Rebased:
    (found,) = rebased((change,), then=FIRM, now=now, day=on)
    return found


DONE = {"status": Status.DONE, "completed_on": day(0)}
FINISHED = task("x", status=Status.DONE, completed_on=day(0))
DROPPED: list[tuple[Change, Firm, str]] = [
    (Away(person="ada", first_day=day(7), last_day=day(9)), without_person("ada"), "Ada Reyes is not in the firm any more"),
    (Away(person="ada", first_day=day(-9), last_day=day(-1)), FIRM, "lies in the past: 28 Feb 2027"),
    (
        Away(person="ada", first_day=day(7), last_day=day(9)),
        later(time_off=(*FIRM.time_off, TimeOff(person="ada", first_day=day(4), last_day=day(9)))),
        "is in the calendar by now",
    ),
    (
        Away(person="ada", first_day=day(7), last_day=day(9), minutes_per_day=60),
        later(time_off=(*FIRM.time_off, TimeOff(person="ada", first_day=day(7), last_day=day(9), minutes_per_day=90))),
        "is in the calendar by now",
    ),
    (
        ExtraHours(first_day=day(7), last_day=day(9), per_week_min=100, people=("ada",)),
        later(overtime=(*FIRM.overtime, Overtime(first_day=day(7), last_day=day(9), extra_min=(20,) * 5 + (0, 0), people=("ada",)))),
        "is in the calendar by now",
    ),
    (PartTime(person="bob", share_pct=50), with_person("bob", leave_date=day(-1)), "Bob Moss has left on 28 Feb 2027"),
    (Leaves(person="bob", last_day=day(20)), with_person("bob", leave_date=day(20)), "it is so by now"),
    (Leaves(person="bob", last_day=day(20)), with_person("bob", leave_date=day(10)), "is after Bob Moss has left"),
    (SkillSet(person="ada", skill="audit"), with_person("ada", skills=(Skill(skill="audit"),)), "it is so by now"),
    (MovesTeam(person="ada", team="audit"), with_person("ada", team="audit"), "it is so by now"),
    (HIRE, later(people=(*FIRM.people, Person(id="hire", name="Ned Hire", level="associate"))), "Ned Hire is in the firm by now"),
    (ClientLost(client="beta"), without_task("c", "d", "e"), "no such open work"),
    (ClientWon(client=Client(id="new", name="New Inc")), later(clients=(*FIRM.clients, Client(id="new"))), "New Inc is a client by now"),
    (TaskAdded(task=task("x")), later(tasks=(*FIRM.tasks, FINISHED)), "task x is there by now"),
    (TaskDropped(task="a"), with_task("a", **DONE), "task a is done by now"),
    (TaskDropped(task="a"), without_task("a"), "task a is not there any more"),
    (TaskSplit(task="b", into=2), with_task("b", status=Status.CANCELLED), "task b is cancelled by now"),
    (Reprioritised(tasks=("a",), priority=Priority.HIGH), with_task("a", **DONE), "task a is done by now"),
    (Reprioritised(person="bob", priority=Priority.HIGH), with_task("b", assignee="ada"), "no open work of that kind"),
    (EstimatesOff(type="audit", factor_pct=100), later(task_types=FIRM.task_types[:3]), "there is no task type audit"),
    (DeadlineMoved(tasks=("a",), to=day(-1)), FIRM, "lies in the past"),
    (Holiday(day=day(-3)), FIRM, "lies in the past"),
    (Freeze(until=day(-1)), FIRM, "lies in the past"),
    (PolicySet(name="weights.move", value=90), later(policy=Policy(weights=Weights(move=90))), "it is so by now"),
    (
        ExtraHours(first_day=day(0), last_day=day(9), per_week_min=60, people=("bob",)),
        without_person("bob"),
        "Bob Moss is not in the firm any more",
    ),
    (
        ExtraHours(first_day=day(0), last_day=day(9), per_week_min=60, teams=("audit",)),
        without_person("cleo"),
        "nobody is in the team audit any more",
    ),
]  # fmt: skip


@pytest.mark.parametrize("change, now, why", DROPPED, ids=lambda value: getattr(value, "change", ""))
def test_what_does_not_apply_any_more_is_left_out_with_the_reason(change: Change, now: Firm, why: str) -> None:
    found = one(change, now)
    assert (found.fate, found.sentence, found.change) == (Fate.DROPPED, "", None)
    assert why in found.reason
    assert found.was == change.sentence(FIRM)


ALTERED: list[tuple[Change, Firm, str, Callable[[Any], object], object]] = [
    (
        ExtraHours(first_day=day(0), last_day=day(9), per_week_min=60, people=("ada", "bob")),
        with_person("bob", leave_date=day(-1)),
        "Bob Moss has left",
        lambda change: change.people,
        ("ada",),
    ),
    (
        ExtraHours(first_day=day(0), last_day=day(9), per_week_min=60, people=("ada",), teams=("audit",)),
        without_person("cleo"),
        "nobody is in the team audit",
        lambda change: (change.people, change.teams),
        (("ada",), ()),
    ),
    (
        Reprioritised(tasks=("a", "b"), priority=Priority.HIGH),
        with_task("a", **DONE),
        "task a is done by now",
        lambda change: change.tasks,
        ("b",),
    ),
    (
        Joins(id="new", like="ada"),
        without_person("ada"),
        "taken as it was then",
        lambda change: (change.like, change.level, change.team, [cell.skill for cell in change.skills]),
        (None, "associate", "tax", ["tax", "books"]),
    ),
    (
        Joins(id="hire", level="associate", count=3),
        later(people=(*FIRM.people, Person(id="hire", name="Ned Hire", level="associate"))),
        "Ned Hire is in the firm by now",
        lambda change: (change.id, change.count),
        ("hire-2", 2),
    ),
    (
        ClientWon(client=Client(id="new", usual_person="ada"), work=(NewWork(type="return", deadline=day(9)),)),
        without_person("ada"),
        "usual person",
        lambda change: change.client.usual_person,
        None,
    ),
    (
        ClientWon(client=Client(id="new"), work=tuple(NewWork(type=kind, deadline=day(9)) for kind in ("audit", "1040"))),
        later(task_types=FIRM.task_types[:4]),
        "there is no task type audit any more",
        lambda change: [piece.type for piece in change.work],
        ["1040"],
    ),
    (
        TaskAdded(task=task("x", assignee="ada")),
        without_person("ada"),
        "Ada Reyes is not in the firm any more",
        lambda change: change.task.assignee,
        None,
    ),
    (
        TaskSplit(task="b", parts_min=(100, 200)),
        with_task("b", estimate_min=420),
        "the last part takes the difference",
        lambda change: change.parts_min,
        (100, 320),
    ),
    (
        DocumentsLate(client="beta", days=5),
        with_task("c", deadline=day(4)),
        "such work may begin on its deadline",
        lambda change: change.past_deadline,
        "cap",
    ),
    (
        DeadlineMoved(client="beta", days=-5),
        with_task("c", release=day(11)),
        "such work is left out",
        lambda change: change.tasks,
        ("d", "e"),
    ),
    (
        MovesTeam(person="ada", team="audit"),
        with_person("cleo", team="tax"),
        "nobody is in the team audit any more",
        lambda change: change.new_team,
        True,
    ),
]  # fmt: skip


@pytest.mark.parametrize("change, now, why, read, expected", ALTERED, ids=lambda value: getattr(value, "change", ""))
def test_what_applies_otherwise_says_how(
    change: Change, now: Firm, why: str, read: Callable[[Any], object], expected: object
) -> None:
    found = one(change, now)
    assert found.fate is Fate.ALTERED, found
    assert why in found.reason
    assert read(found.change) == expected
    assert found.change is not None
    assert found.sentence == found.change.sentence(now)
    assert found.change.apply(now) != now


def test_a_list_whose_people_have_all_gone_is_no_list_of_everybody() -> None:
    change = ExtraHours(first_day=day(0), last_day=day(9), per_week_min=60, people=("bob",), levels=("associate",))
    assert one(change, with_person("bob", leave_date=day(-1))).fate is Fate.DROPPED


def test_less_time_off_than_was_thought_of_does_not_stand_for_it() -> None:
    change = Away(person="ada", first_day=day(7), last_day=day(9))
    for entry in (
        TimeOff(person="ada", first_day=day(7), last_day=day(8)),
        TimeOff(person="bob", first_day=day(7), last_day=day(9)),
        TimeOff(person="ada", first_day=day(7), last_day=day(9), minutes_per_day=60),
    ):
        assert one(change, later(time_off=(*FIRM.time_off, entry))).fate is Fate.KEPT


def test_a_change_that_never_altered_anything_is_kept_for_what_is_swept_over_it() -> None:
    none = ExtraHours(first_day=day(0), last_day=day(9), per_week_min=0)
    assert one(none, FIRM).fate is Fate.KEPT
    assert one(PolicySet(name="weights.move", value=Weights().move), FIRM).fate is Fate.KEPT


def test_what_follows_a_change_that_came_true_is_tried_on_the_firm_as_it_is() -> None:
    changes = (HIRE, SkillSet(person="hire", skill="books"), Away(person="hire", first_day=day(7), last_day=day(8)))
    here = later(people=(*FIRM.people, Person(id="hire", level="associate", skills=(Skill(skill="tax"),))))
    found = rebased(changes, then=FIRM, now=here, day=MONDAY)
    assert [each.fate for each in found] == [Fate.DROPPED, Fate.KEPT, Fate.KEPT]
    assert applying(found) == changes[1:]
    # Where the hire applies no more and is not there, neither does what is about the hire.
    levels = tuple(level for level in FIRM.levels if level.name != "senior")
    senior = Joins(id="hire", level="senior", skills=())
    gone = later(levels=levels, people=FIRM.people[:2])
    found = rebased((senior, *changes[1:]), then=FIRM, now=gone, day=MONDAY)
    assert [each.fate for each in found] == [Fate.DROPPED] * 3
    assert "senior" in found[0].reason
    assert "not in the firm" in found[1].reason


def test_changes_that_contradict_on_todays_firm_are_told() -> None:
    changes = (ClientLost(client="beta"), ClientWon(client=Client(id="new"), like="acme"))
    found = rebased(changes, then=FIRM, now=FIRM, day=MONDAY)
    assert [each.fate for each in found] == [Fate.KEPT, Fate.KEPT]
    with pytest.raises(Refused, match="lost by an earlier change"):
        pinned(FIRM, (ClientLost(client="beta"), ClientWon(client=Client(id="new"), like="beta")))


def test_names_become_ids() -> None:
    said = scenario_of(
        {
            "changes": [
                {"change": "away", "person": "Ada Reyes", "first_day": "2027-03-08", "last_day": "2027-03-09"},
                {"change": "joins", "id": "hire", "name": "New Hire", "like": "Bob Moss"},
                {"change": "skill", "person": "New Hire", "skill": "books"},
                {
                    "change": "overtime",
                    "people": ["Cleo Park", "ada"],
                    "first_day": "2027-03-08",
                    "last_day": "2027-03-12",
                    "per_week_min": 60,
                },
                {"change": "priority", "client": "Beta Inc", "type": "1040", "priority": "high"},
                {
                    "change": "client_won",
                    "client": {"id": "new"},
                    "like": "Acme Ltd",
                    "work": [{"type": "Return", "deadline": "2027-03-19"}],
                },
                {"change": "task_added", "task": task("x").model_dump(mode="json")},
                {"change": "policy", "name": "weights.move", "value": 90},
            ]
        }
    ).changes  # fmt: skip
    found = pinned(FIRM, said)
    assert apply_all(FIRM, found) == apply_all(FIRM, said)
    text = str(found)
    assert not [name for name in ("Ada Reyes", "Bob Moss", "Cleo Park", "Beta Inc", "Acme Ltd") if name in text]
    assert pinned(FIRM, found) == found
    renamed = later(people=tuple(each.model_copy(update={"name": f"{each.id} x"}) for each in FIRM.people))
    fates = [each.fate for each in rebased(found, then=FIRM, now=renamed, day=MONDAY)]
    assert fates == [Fate.KEPT] * len(said)


CHANGES: list[Change] = [
    *(change for change, *_ in DROPPED if getattr(change, "last_day", day(9)) > MONDAY),
    *(change for change, *_ in ALTERED),
]
GONE: list[Callable[[Firm], Firm]] = [
    lambda firm: firm,
    lambda firm: firm.model_copy(update={"tasks": firm.tasks[1:]}),
    lambda firm: firm.model_copy(update={"tasks": tuple(t.model_copy(update=DONE) if t.open else t for t in firm.tasks)}),
    lambda firm: without_person("bob"),
    lambda firm: with_person("ada", leave_date=day(-1)),
    lambda firm: firm.model_copy(update={"policy": Policy(weights=Weights(move=90))}),
]  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(
    chosen=st.lists(st.sampled_from(CHANGES), unique_by=lambda change: change.change, max_size=6),
    become=st.sampled_from(GONE),
)
def test_what_is_said_to_apply_can_be_made_and_what_is_kept_is_what_was_saved(
    chosen: list[Change], become: Callable[[Firm], Firm]
) -> None:
    possible: list[Change] = []
    for change in chosen:
        try:
            apply_all(FIRM, (*possible, change))
        except Refused:
            continue
        possible.append(change)
    now = Firm.model_validate(dict(become(FIRM)))
    found = rebased(possible, then=FIRM, now=now, day=MONDAY)
    assert [each.number for each in found] == list(range(len(possible)))
    apply_all(now, applying(found))  # refuses nothing
    for each in found:
        assert (each.change is None) == (each.fate is Fate.DROPPED)
        assert (not each.reason) == (each.fate is Fate.KEPT)
        if each.fate is Fate.KEPT:
            assert each.change == possible[each.number]
    again = applying(rebased(applying(found), then=now, now=now, day=MONDAY))
    assert again == applying(found)


def test_on_the_firm_it_was_saved_for_nothing_has_changed() -> None:
    for change in CHANGES:
        try:
            apply_all(FIRM, (change,))
        except Refused:
            continue
        if isinstance(change, DeadlineMoved | Holiday | Freeze):
            continue  # some of them lie in the past
        found = one(change, FIRM)
        assert (found.fate, found.change, found.was) == (Fate.KEPT, change, found.sentence)
