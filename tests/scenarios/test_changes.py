"""Each change against the firm edited by hand."""

from __future__ import annotations

import json
from datetime import date

import pytest

from scenarios.changes import (
    CHANGE,
    Away,
    Change,
    ClientLost,
    ClientWon,
    DeadlineMoved,
    DocumentsLate,
    EstimatesOff,
    ExtensionFiled,
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
    Scenario,
    SkillLost,
    SkillSet,
    SuggestionsAccepted,
    TaskAdded,
    TaskDropped,
    TaskSplit,
    known_changes,
    scenario_of,
)
from scenarios.due_dates import Form
from solver.firm import (
    Client,
    Firm,
    HolidayCalendar,
    Overtime,
    Person,
    Priority,
    Skill,
    Status,
    Task,
    TaskType,
    TimeOff,
)
from solver.learnt import Change as LearntChange
from solver.learnt import Kind as LearntKind
from solver.learnt import Ratio, Suggestion
from solver.policy import Guardrail, MissingEstimate, Policy, Weights
from solver.refusal import Refused
from tests.firms_for_tests import day, firm, task

ADA = Person(
    id="ada", name="Ada Reyes", level="associate", team="tax", skills=(Skill(skill="tax"), Skill(skill="books"))
)
BOB = Person(
    id="bob",
    name="Bob Moss",
    level="associate",
    team="tax",
    skills=(Skill(skill="tax", efficiency_pct=120, mismatch_min=5),),
    weekly_min=(480, 480, 0, 480, 425, 0, 0),
)
CLEO = Person(
    id="cleo", name="Cleo Park", level="senior", team="audit", skills=(Skill(skill="audit"),), leave_date=day(30)
)
TASKS = (
    task("a", hours=3, due=4, assignee="ada"),
    task("b", hours=5, due=9, assignee="bob", logged_min=30, release=day(1)),
    task("c", hours=2, due=11, client="beta", release=day(2), type="1040"),
    task("d", hours=None, due=11, client="beta", type="1040"),
    task("e", hours=1, due=12, client="beta", reviews="c", type="review"),
    task("f", hours=4, due=1, status=Status.DONE, completed_on=day(-3), assignee="ada"),
)
FIRM = firm(
    (ADA, BOB, CLEO),
    TASKS,
    clients=(Client(id="acme", name="Acme Ltd", usual_person="ada"), Client(id="beta", name="Beta Inc")),
    task_types=(
        TaskType(id="return", name="Return", skill="tax"),
        TaskType(id="1040", skill="tax", default_estimate_min=90),
        TaskType(id="review", skill="tax"),
        TaskType(id="close", skill="books"),
        TaskType(id="audit", skill="audit"),
    ),
    time_off=(TimeOff(person="bob", first_day=day(0), last_day=day(1)),),
    overtime=(Overtime(first_day=day(0), last_day=day(4), extra_min=(60, 0, 0, 0, 0, 0, 0)),),
)


def with_people(*people: Person) -> Firm:
    return FIRM.model_copy(update={"people": people})


def with_tasks(**changed: dict[str, object]) -> Firm:
    tasks = tuple(one.model_copy(update=changed.get(one.id, {})) for one in FIRM.tasks)
    return FIRM.model_copy(update={"tasks": tasks})


def also(person: Person, **fields: object) -> Person:
    return person.model_copy(update=fields)


def suggested(kind: LearntKind, *changes: LearntChange) -> Suggestion:
    ratio = Ratio(ratio=1.2, low=1.1, high=1.3)
    return Suggestion(kind=kind, key="a", changes=changes, ratio=ratio, tasks=9, sentence="It takes longer.")


NEW_TASK = Task(id="g", type="close", client="acme", deadline=day(20), estimate_min=60)
HAND: list[tuple[Change, Firm]] = [
    (
        Away(person="ada", first_day=day(1), last_day=day(3)),
        FIRM.model_copy(
            update={"time_off": (*FIRM.time_off, TimeOff(person="ada", first_day=day(1), last_day=day(3)))}
        ),
    ),
    (
        Away(person="Bob Moss", first_day=day(1), last_day=day(1), minutes_per_day=120),
        FIRM.model_copy(
            update={
                "time_off": (
                    *FIRM.time_off,
                    TimeOff(person="bob", first_day=day(1), last_day=day(1), minutes_per_day=120),
                )
            }
        ),
    ),
    (Leaves(person="ada", last_day=day(4)), with_people(also(ADA, leave_date=day(4)), BOB, CLEO)),
    (Leaves(person="cleo", last_day=day(4)), with_people(ADA, BOB, also(CLEO, leave_date=day(4)))),
    (
        Joins(id="dan", name="Dan Fox", like="bob", start_date=day(7)),
        with_people(ADA, BOB, CLEO, also(BOB, id="dan", name="Dan Fox", start_date=day(7))),
    ),
    (
        # Both skills are held by at least half of the two associates; 110 is the median of 100 and 120, 2.5 rounds up to 3.
        Joins(id="dan", level="associate", team="tax", count=2),
        with_people(
            ADA,
            BOB,
            CLEO,
            *(
                Person(
                    id=id,
                    level="associate",
                    team="tax",
                    skills=(Skill(skill="tax", efficiency_pct=110, mismatch_min=3), Skill(skill="books")),
                )
                for id in ("dan", "dan-2")
            ),
        ),
    ),
    (
        Joins(id="dan", level="senior", skills=(Skill(skill="books"),), weekly_min=(240, 240, 240, 240, 240, 0, 0)),
        with_people(
            ADA,
            BOB,
            CLEO,
            Person(
                id="dan",
                level="senior",
                skills=(Skill(skill="books"),),
                weekly_min=(240, 240, 240, 240, 240, 0, 0),
            ),
        ),
    ),
    (
        PartTime(person="ada", weekly_min=(480, 480, 0, 0, 0, 0, 0)),
        with_people(also(ADA, weekly_min=(480, 480, 0, 0, 0, 0, 0)), BOB, CLEO),
    ),
    (PartTime(person="bob", share_pct=50), with_people(ADA, also(BOB, weekly_min=(240, 240, 0, 240, 212, 0, 0)), CLEO)),
    (
        ExtraHours(first_day=day(0), last_day=day(13), extra_min=(0, 0, 0, 0, 0, 300, 0), people=("Ada Reyes",)),
        FIRM.model_copy(
            update={
                "overtime": (
                    *FIRM.overtime,
                    Overtime(first_day=day(0), last_day=day(13), extra_min=(0, 0, 0, 0, 0, 300, 0), people=("ada",)),
                )
            }
        ),
    ),
    (
        ExtraHours(first_day=day(0), last_day=day(13), per_week_min=303, teams=("tax",), levels=("associate",)),
        FIRM.model_copy(
            update={
                "overtime": (
                    *FIRM.overtime,
                    Overtime(
                        first_day=day(0),
                        last_day=day(13),
                        extra_min=(61, 61, 61, 60, 60, 0, 0),
                        people=("ada", "bob"),
                        levels=("associate",),
                    ),
                )
            }
        ),
    ),
    (
        SkillSet(person="ada", skill="audit", efficiency_pct=130),
        with_people(also(ADA, skills=(*ADA.skills, Skill(skill="audit", efficiency_pct=130))), BOB, CLEO),
    ),
    (
        SkillSet(person="bob", skill="tax", efficiency_pct=80),
        with_people(ADA, also(BOB, skills=(Skill(skill="tax", efficiency_pct=80, mismatch_min=5),)), CLEO),
    ),
    (SkillLost(person="ada", skill="tax"), with_people(also(ADA, skills=(Skill(skill="books"),)), BOB, CLEO)),
    (MovesTeam(person="bob", team="audit"), with_people(ADA, also(BOB, team="audit"), CLEO)),
    (
        ClientWon(
            client=Client(id="gamma"),
            work=(
                NewWork(type="1040", deadline=day(20)),
                NewWork(type="review", deadline=day(22), estimate_min=30, reviews="gamma-1"),
            ),
        ),
        FIRM.model_copy(
            update={
                "clients": (*FIRM.clients, Client(id="gamma")),
                "tasks": (
                    *FIRM.tasks,
                    Task(id="gamma-1", type="1040", client="gamma", deadline=day(20), estimate_min=90),
                    Task(
                        id="gamma-2",
                        type="review",
                        client="gamma",
                        deadline=day(22),
                        estimate_min=30,
                        reviews="gamma-1",
                    ),
                ),
            }
        ),
    ),
    (
        ClientWon(client=Client(id="gamma"), like="Beta Inc"),
        FIRM.model_copy(
            update={
                "clients": (*FIRM.clients, Client(id="gamma")),
                "tasks": (
                    *FIRM.tasks,
                    TASKS[2].model_copy(update={"id": "gamma-1", "client": "gamma"}),
                    TASKS[3].model_copy(update={"id": "gamma-2", "client": "gamma"}),
                    TASKS[4].model_copy(update={"id": "gamma-3", "client": "gamma", "reviews": "gamma-1"}),
                ),
            }
        ),
    ),
    (
        ClientLost(client="beta"),
        with_tasks(c={"status": Status.CANCELLED}, d={"status": Status.CANCELLED}, e={"status": Status.CANCELLED}),
    ),
    (ClientLost(client="acme", after=day(4)), with_tasks(b={"status": Status.CANCELLED})),
    (DocumentsLate(client="beta", days=3), with_tasks(c={"release": day(5)})),
    (
        DocumentsLate(client="beta", days=3, expected=day(0)),
        with_tasks(c={"release": day(5)}, d={"release": day(3)}, e={"release": day(3)}),
    ),
    (
        DocumentsLate(type="1040", days=30, expected=day(0), past_deadline="cap"),
        with_tasks(c={"release": day(11)}, d={"release": day(11)}),
    ),
    (DocumentsLate(tasks=("b",), days=3), FIRM),  # begun: its documents are here
    (DeadlineMoved(tasks=("a", "c"), days=5), with_tasks(a={"deadline": day(9)}, c={"deadline": day(16)})),
    (DeadlineMoved(type="Return", to=day(15)), with_tasks(a={"deadline": day(15)}, b={"deadline": day(15)})),
    (DeadlineMoved(tasks=("a",), days=1, next_business_day=True), with_tasks(a={"deadline": day(7)})),
    (
        ExtensionFiled(client="beta"),
        with_tasks(
            c={"deadline": date(2027, 10, 15)}, d={"deadline": date(2027, 10, 15)}, e={"deadline": date(2027, 10, 15)}
        ),
    ),
    (
        ExtensionFiled(tasks=("a",), form=Form.F1065),
        with_tasks(a={"deadline": date(2027, 9, 15)}),
    ),
    (
        EstimatesOff(factor_pct=125),
        with_tasks(a={"estimate_min": 225}, b={"estimate_min": 375}, c={"estimate_min": 150}, e={"estimate_min": 75}),
    ),
    (EstimatesOff(factor_pct=67, person="ada"), with_tasks(a={"estimate_min": 121})),
    (TaskAdded(task=NEW_TASK), FIRM.model_copy(update={"tasks": (*FIRM.tasks, NEW_TASK)})),
    (TaskDropped(task="c"), with_tasks(c={"status": Status.CANCELLED}, e={"status": Status.CANCELLED})),
    (TaskDropped(task="c", with_reviews=False), with_tasks(c={"status": Status.CANCELLED})),
    (
        TaskSplit(task="b", parts_min=(100, 200)),
        FIRM.model_copy(
            update={
                "tasks": (
                    *with_tasks(b={"estimate_min": 100}).tasks,
                    TASKS[1].model_copy(update={"id": "b-2", "estimate_min": 200, "logged_min": 0, "assignee": None}),
                )
            }
        ),
    ),
    (
        TaskSplit(task="a", into=7),
        FIRM.model_copy(
            update={
                "tasks": (
                    *with_tasks(a={"estimate_min": 26}).tasks,
                    *(
                        TASKS[0].model_copy(
                            update={"id": f"a-{n}", "estimate_min": 26 if n <= 5 else 25, "assignee": None}
                        )
                        for n in range(2, 8)
                    ),
                )
            }
        ),
    ),
    (
        Reprioritised(client="acme", priority=Priority.HIGH),
        with_tasks(a={"priority": Priority.HIGH}, b={"priority": Priority.HIGH}),
    ),
    (Holiday(day=day(2)), FIRM.model_copy(update={"holiday_calendar": HolidayCalendar(country=None, extra=(day(2),))})),
    (Freeze(until=day(9)), with_tasks(a={"pinned": True}, b={"pinned": True})),
    (
        PolicySet(name="weights.move", value=240),
        FIRM.model_copy(update={"policy": Policy(weights=Weights(move=240))}),
    ),
    (
        PolicySet(name="guardrail.complex_level", value="senior"),
        FIRM.model_copy(update={"policy": Policy(guardrail=Guardrail(complex_level="senior"))}),
    ),
    (
        PolicySet(name="missing_estimate", value="type_default"),
        FIRM.model_copy(update={"policy": Policy(missing_estimate=MissingEstimate.TYPE_DEFAULT)}),
    ),
    (PolicySet(name="horizon_days", value=56), FIRM.model_copy(update={"policy": Policy(horizon_days=56)})),
    (
        SuggestionsAccepted(
            suggestions=(suggested(LearntKind.OPEN_ESTIMATES, LearntChange(id="a", before=180, after=240)),)
        ),
        with_tasks(a={"estimate_min": 240}),
    ),
    (
        SuggestionsAccepted(
            suggestions=(suggested(LearntKind.EFFICIENCY, LearntChange(id="bob", skill="tax", before=120, after=140)),)
        ),
        with_people(ADA, also(BOB, skills=(Skill(skill="tax", efficiency_pct=140, mismatch_min=5),)), CLEO),
    ),
]


def title(value: object) -> str:
    return f"{type(value).__name__}" if not isinstance(value, Firm) else ""


@pytest.mark.parametrize("change, by_hand", HAND, ids=title)
def test_the_change_is_what_a_careful_person_would_have_edited(change: Change, by_hand: Firm) -> None:
    before = FIRM.model_dump_json()
    found = change.apply(FIRM)
    assert found == Firm.model_validate(by_hand.model_dump())
    assert found.model_dump_json() == Firm.model_validate(by_hand.model_dump()).model_dump_json()
    assert FIRM.model_dump_json() == before


@pytest.mark.parametrize("change", [change for change, _ in HAND], ids=title)
def test_changes_survive_json_and_say_themselves(change: Change) -> None:
    assert CHANGE.validate_python(json.loads(change.model_dump_json())) == change
    said = change.sentence(FIRM)
    assert said.endswith(".")
    assert said[0].isupper()


def test_every_kind_of_change_is_tried_by_hand() -> None:
    assert {change.change for change, _ in HAND} == set(known_changes())


def test_tasks_without_an_estimate_get_the_scaled_default_where_the_policy_plans_by_it() -> None:
    by_default = FIRM.model_copy(update={"policy": Policy(missing_estimate=MissingEstimate.TYPE_DEFAULT)})
    found = EstimatesOff(factor_pct=150, type="1040").apply(by_default)
    assert {one.id: one.estimate_min for one in found.tasks if one.type == "1040"} == {"c": 180, "d": 135}


def test_a_public_holiday_is_worked_and_closed_again() -> None:
    public = firm(holiday_calendar=HolidayCalendar(country="US"))
    monday = date(2027, 5, 31)  # Memorial Day
    worked = Holiday(day=monday, closed=False).apply(public)
    assert worked.holiday_calendar == HolidayCalendar(country="US", worked=(monday,))
    assert Holiday(day=monday).apply(worked) == public
    assert Holiday(day=monday).apply(public) == public


def test_what_is_extended_already_stays_so() -> None:
    extended = ExtensionFiled(client="beta").apply(FIRM)
    with pytest.raises(Refused, match="extended already"):
        ExtensionFiled(client="beta").apply(extended)


STALE = SuggestionsAccepted(
    suggestions=(suggested(LearntKind.OPEN_ESTIMATES, LearntChange(id="a", before=60, after=90)),)
)
REFUSED: list[tuple[tuple[Change, ...], str, str | None]] = [
    ((Away(person="adda", first_day=day(0), last_day=day(0)),), "changes.0.person", "ada"),
    ((Leaves(person="ada", last_day=day(3)), Away(person="ada", first_day=day(4), last_day=day(9))), "changes.1.person", None),
    ((Away(person="ada", first_day=day(4), last_day=day(9)), Leaves(person="ada", last_day=day(3))), "changes.1.last_day", "2027-03-05"),
    ((Leaves(person="cleo", last_day=day(31)),), "changes.0.last_day", "2027-03-31"),
    ((Joins(id="ada", level="senior"),), "changes.0.id", "ada-2"),
    ((Joins(id="dan", level="senor"),), "changes.0.level", "senior"),
    ((Joins(id="dan", level="partner"),), "changes.0.level", "senior"),
    ((PartTime(person="adda", share_pct=300),), "changes.0.person", "ada"),
    ((ExtraHours(first_day=day(0), last_day=day(1), per_week_min=60, teams=("taxes",)),), "changes.0.teams", "tax"),
    ((ExtraHours(first_day=day(31), last_day=day(40), per_week_min=60, people=("cleo",)),), "changes.0.person", None),
    ((SkillSet(person="ada", skill="taxx"),), "changes.0.skill", "tax"),
    ((SkillLost(person="bob", skill="books"),), "changes.0.skill", "tax"),
    ((MovesTeam(person="bob", team="audits"),), "changes.0.team", "audit"),
    ((ClientWon(client=Client(id="acme")),), "changes.0.client.id", "acme-2"),
    ((ClientWon(client=Client(id="x"), work=(NewWork(type="1041", deadline=day(1)),)),), "changes.0.work.0.type", "1040"),
    ((ClientLost(client="beta"), ClientWon(client=Client(id="x"), like="beta")), "changes.1.like", None),
    ((ClientLost(client="acme"), TaskAdded(task=NEW_TASK)), "changes.1.task.client", None),
    ((DocumentsLate(client="beta", days=10),), "changes.0.days", "9"),
    ((DocumentsLate(days=10),), "changes.0.tasks", None),
    ((DeadlineMoved(tasks=("c",), days=-12),), "changes.0.days", "-9"),
    ((DeadlineMoved(tasks=("c",), to=day(1)),), "changes.0.to", "2027-03-03"),
    ((ExtensionFiled(tasks=("a",)),), "changes.0.form", None),
    ((EstimatesOff(factor_pct=120, type="104"),), "changes.0.type", "1040"),
    ((TaskAdded(task=task("a")),), "changes.0.task.id", "a-2"),
    ((TaskDropped(task="c"), TaskDropped(task="c")), "changes.1.task", None),
    ((TaskDropped(task="f"),), "changes.0.task", "e"),
    ((TaskSplit(task="a", parts_min=(100, 100)),), "changes.0.parts_min", "[100, 80]"),
    ((TaskSplit(task="b", parts_min=(20, 280)),), "changes.0.parts_min", None),
    ((TaskSplit(task="d", into=2),), "changes.0.task", None),
    ((PolicySet(name="weights.moves", value=1),), "changes.0.name", "weights.move"),
    ((PolicySet(name="weights.move", value=-1),), "changes.0.value", "0"),
    ((PolicySet(name="guardrail.complex_level", value="senor"),), "changes.0.value", "senior"),
    ((STALE,), "changes.0.suggestions.0.before", "180"),
]  # fmt: skip


@pytest.mark.parametrize("changes, field, nearest", REFUSED)
def test_what_cannot_be_is_refused_by_field_with_the_nearest_valid_value(
    changes: tuple[Change, ...], field: str, nearest: str | None
) -> None:
    with pytest.raises(Refused) as error:
        Scenario(changes=changes).apply(FIRM)
    found = error.value.refusal
    assert found.field == field
    if nearest is not None:
        assert found.nearest == nearest


@pytest.mark.parametrize(
    "document, field, nearest",
    [
        ({"changes": [{"change": "awy"}]}, "changes.0.change", "away"),
        ({"changes": [{"change": "away", "persn": "ada"}]}, "changes.0.persn", "person"),
        ({"changes": [{"change": "leaves", "person": "ada"}]}, "changes.0.last_day", None),
        (
            {"changes": [{"change": "away", "person": "ada", "first_day": "2027-03-09", "last_day": "2027-03-01"}]},
            "changes.0.last_day",
            "2027-03-09",
        ),
        ({"changes": [{"change": "part_time", "person": "ada"}]}, "changes.0.weekly_min", None),
    ],
)
def test_a_scenario_document_is_refused_by_field(document: dict[str, object], field: str, nearest: str | None) -> None:
    with pytest.raises(Refused) as error:
        scenario_of(document)
    assert error.value.refusal.field == field
    assert error.value.refusal.nearest == nearest


def test_later_changes_find_what_earlier_ones_made() -> None:
    scenario = Scenario(
        changes=(
            Joins(id="dan", name="Dan Fox", like="ada"),
            Away(person="Dan Fox", first_day=day(0), last_day=day(1)),
            TaskSplit(task="a", into=2),
            DeadlineMoved(tasks=("a-2",), days=7),
        )
    )
    found = scenario.apply(FIRM)
    assert found.time_off[-1].person == "dan"
    assert found.tasks[-1].deadline == day(11)
    assert len(scenario.sentences(FIRM)) == 4


def test_a_change_that_alters_nothing_says_so() -> None:
    (said,) = Scenario(changes=(DocumentsLate(tasks=("a",), days=3),)).sentences(FIRM)
    assert said.endswith("This alters nothing.")
