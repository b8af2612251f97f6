from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.time_sheets import AS_OF, Habits, time_sheets
from solver.adopting import apply, gain
from solver.firm import Client, Firm, HolidayCalendar, Person, Skill, Status, Task, TaskType
from solver.learnt import Change, Kind, Suggestion
from solver.observations import Observation, observed
from solver.refusal import Refused
from solver.stop import WorkBudget
from solver.suggestions import Evidence, suggest

DUE = date(2027, 3, 5)
FIRM = Firm(
    holiday_calendar=HolidayCalendar(country=None),
    people=(
        Person(id="ben", level="senior", skills=(Skill(skill="tax"),)),
        Person(id="dana", name="Dana Reyes", level="senior", skills=(Skill(skill="tax"), Skill(skill="audit"))),
    ),
    clients=(Client(id="acme", name="Acme"), Client(id="bolt")),
    task_types=(
        TaskType(id="1040", name="Return", skill="tax", default_estimate_min=60),
        TaskType(id="990", skill="tax"),
        TaskType(id="review", skill="audit", default_estimate_min=30),
    ),
)


def year(
    minutes: dict[tuple[str, str], int], type: str = "1040", count: int = 12, estimate_min: int = 60
) -> list[Observation]:
    """Return ``count`` finished tasks for each person and client, within 3 % of the minutes."""
    return [
        Observation(
            task=f"{type} {person} {client} {i}",
            type=type,
            client=client,
            person=person,
            estimate_min=estimate_min,
            logged_min=round(logged_min * (0.97, 1.0, 1.03)[i % 3]),
            finished_on=date(2027, 2, 1),
        )
        for (person, client), logged_min in minutes.items()
        for i in range(count)
    ]


def everybody(logged_min: int, **clients: int) -> dict[tuple[str, str], int]:
    """Return the same minutes for all people and clients, but for the clients named."""
    return {
        (person.id, client.id): clients.get(client.id, logged_min) for person in FIRM.people for client in FIRM.clients
    }


def to_do(id: str, **fields: object) -> Task:
    usual: dict[str, object] = {"id": id, "type": "1040", "client": "acme", "deadline": DUE, "estimate_min": 60}
    return Task.model_validate({**usual, **fields})


def offered(firm: Firm, seen: list[Observation], **options: object) -> tuple[Suggestion, ...]:
    return suggest(firm, seen, as_of=AS_OF, **options)  # type: ignore[arg-type]


def with_tasks(*tasks: Task) -> Firm:
    return FIRM.model_copy(update={"tasks": tasks})


def test_a_default_that_is_too_short_is_said_to_be() -> None:
    (one,) = offered(FIRM, year(everybody(90)))
    assert (one.kind, one.type, one.tasks) == (Kind.DEFAULT_ESTIMATE, "1040", 48)
    assert one.changes == (Change(id="1040", before=60, after=90),)
    assert 1 < one.ratio.low < 1.5 < one.ratio.high
    assert one.sentence.startswith(
        "Return usually takes 1 h 30, not 1 h: this rests on 48 finished tasks, and the true value is between "
    )


def test_a_default_is_judged_by_what_tasks_took_and_not_by_their_own_estimates() -> None:
    assert [one.changes[0].after for one in offered(FIRM, year(everybody(90), estimate_min=90))] == [90]
    assert offered(FIRM, year(everybody(60), estimate_min=90)) == ()


def test_open_tasks_are_corrected_by_their_type() -> None:
    firm = with_tasks(
        to_do("a"), to_do("b", client="bolt", estimate_min=120), to_do("c", status=Status.DONE), to_do("d", type="990")
    )
    (_, one) = offered(firm, year(everybody(90)))
    assert (one.kind, one.type, one.client) == (Kind.OPEN_ESTIMATES, "1040", None)
    assert one.changes == (Change(id="a", before=60, after=90), Change(id="b", before=120, after=180))
    assert one.sentence.startswith("Return takes 150 % of its estimate: this rests on 48 finished tasks")
    assert one.sentence.endswith("The estimates of 2 open tasks would go from 3 h to 4 h 30 in all.")


def test_a_client_who_stands_out_is_corrected_alone() -> None:
    firm = with_tasks(to_do("a"), to_do("b", client="bolt"))
    clients = {(p, c): 60 for p in ("ben", "dana") for c in [f"c{i}" for i in range(8)]}
    seen = year({**clients, **everybody(60, acme=120)}, estimate_min=60)
    (one,) = [one for one in offered(firm, seen) if one.kind is Kind.OPEN_ESTIMATES]
    assert (one.client, one.tasks, one.key) == ("acme", 24, "open_estimates:1040:acme")
    assert [change.id for change in one.changes] == ["a"]
    assert one.changes[0].after == pytest.approx(120, abs=5)
    assert "Return for Acme takes" in one.sentence


def test_a_client_whose_estimates_are_right_is_spared_what_the_type_needs() -> None:
    firm = with_tasks(to_do("a"), to_do("b", client="bolt"))
    clients = {(p, c): 120 for p in ("ben", "dana") for c in [f"c{i}" for i in range(8)]}
    (one,) = [
        one for one in offered(firm, year({**clients, **everybody(120, acme=60)})) if one.kind is Kind.OPEN_ESTIMATES
    ]
    assert (one.client, [change.id for change in one.changes]) == (None, ["b"])


def test_tasks_corrected_before_are_left_alone() -> None:
    firm = with_tasks(to_do("a", estimate_min=90), to_do("b"))
    (one,) = [one for one in offered(firm, year(everybody(90)), settled=["a"]) if one.kind is Kind.OPEN_ESTIMATES]
    assert [change.id for change in one.changes] == ["b"]


def test_a_fast_person_gets_a_better_cell() -> None:
    seen = year(
        {("ben", "acme"): 80, ("ben", "bolt"): 80, ("dana", "acme"): 40, ("dana", "bolt"): 40}, type="990", count=30
    )
    cells = {one.person: one for one in offered(FIRM, seen) if one.kind is Kind.EFFICIENCY}
    assert set(cells) == {"ben", "dana"}
    dana = cells["dana"]
    assert dana.changes[0].before == 100
    assert 65 <= dana.changes[0].after <= 80
    assert dana.changes[0].after % 5 == 0
    assert dana.tasks == 60
    assert dana.sentence.startswith(
        f"Dana Reyes needs {dana.changes[0].after} % of the estimate where tax is asked, not 100 %"
    )


def test_who_is_alone_with_a_type_gets_no_cell() -> None:
    seen = year({("dana", "acme"): 90, ("dana", "bolt"): 90}, type="review", count=40, estimate_min=30)
    assert [one.kind for one in offered(FIRM, seen)] == [Kind.DEFAULT_ESTIMATE]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (year(everybody(61)), "the change is too small"),
        (year({("ben", "acme"): 90}, count=7), "too few tasks"),
        (
            year({("ben", "acme"): 40, ("ben", "bolt"): 95, ("dana", "acme"): 95, ("dana", "bolt"): 40}, count=2),
            "it is not sure",
        ),
        ([], "nothing is known"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_thin_or_weak_evidence_suggests_nothing(seen: list[Observation], why: str) -> None:
    assert offered(with_tasks(to_do("a")), seen) == (), why


def test_how_much_evidence_is_asked_is_the_firms_to_say() -> None:
    seen = year(everybody(66), count=30)
    assert offered(FIRM, seen, evidence=Evidence(useful_pct=20)) == ()
    assert offered(FIRM, seen, evidence=Evidence(useful_pct=5, min_tasks=121)) == ()


def test_chance_alone_suggests_next_to_nothing() -> None:
    """In 20 firms whose people are alike, with 12 people x 3 skills each: of 720 cells one in a hundred at most."""
    right = Habits(type_sd=0.0, client_sd=0.0, person_sd=0.0, person_type_sd=0.0, bias=0.0)
    made = 0
    for seed in range(20):
        sheets = time_sheets(people=12, clients=40, tasks=800, seed=seed, habits=right)
        made += len(offered(sheets.firm, list(sheets.observations)))
    assert made <= 7


def test_accepting_changes_a_new_firm_only_and_learning_again_suggests_it_no_more() -> None:
    took = {("ben", "acme"): 130, ("ben", "bolt"): 130, ("dana", "acme"): 65, ("dana", "bolt"): 65}
    seen = year(took, count=40)
    firm = with_tasks(to_do("a"))
    before = firm.model_dump_json()
    found = offered(firm, seen)
    assert {one.kind for one in found} == set(Kind)
    accepted = apply(firm, found)
    assert firm.model_dump_json() == before
    assert accepted.task_types[0].default_estimate_min == found[0].changes[0].after
    assert accepted.tasks[0].estimate_min == found[1].changes[0].after
    assert (
        accepted.people[0].skills[0].efficiency_pct
        == next(one for one in found if one.person == "ben").changes[0].after
    )
    assert Firm.model_validate(accepted.model_dump()) == accepted
    assert offered(accepted, seen, settled=["a"]) == ()


def test_accepting_nothing_changes_nothing() -> None:
    assert apply(FIRM, ()) == FIRM


def test_a_stale_suggestion_is_refused_with_the_value_of_today() -> None:
    (one,) = offered(FIRM, year(everybody(90)))
    with pytest.raises(Refused) as refused:
        apply(apply(FIRM, [one]), [one])
    assert refused.value.refusal.code == "stale_suggestion"
    assert str(refused.value) == (
        'suggestions.0.before "60" is not what 1040 has any more. Nearest: "90". Maybe ask for suggestions again.'
    )


@pytest.mark.parametrize(
    ("gone", "field"),
    [
        ({"people": ()}, "suggestions.0.id"),
        ({"people": (Person(id="dana", level="senior"), FIRM.people[0])}, "suggestions.0.skill"),
    ],
)
def test_a_suggestion_about_what_is_gone_is_refused(gone: dict[str, object], field: str) -> None:
    seen = year({("ben", "acme"): 80, ("dana", "acme"): 40}, type="990", count=40)
    dana = next(one for one in offered(FIRM, seen) if one.person == "dana")
    with pytest.raises(Refused) as refused:
        apply(FIRM.model_copy(update=gone), [dana])
    assert refused.value.refusal.code == "unknown_reference"
    assert refused.value.refusal.field == field


def test_knowing_who_is_fast_is_worth_minutes_and_never_costs_any() -> None:
    """Dana takes half as long as Ben; planned as equals both get the same, and Ben has twice the load."""
    work = tuple(to_do(f"t{i}", type="990", estimate_min=100) for i in range(24))
    seen = year({("ben", "acme"): 90, ("dana", "acme"): 40}, type="990", count=60)
    firm = with_tasks(*work)
    found = [one for one in offered(firm, seen) if one.kind is Kind.EFFICIENCY]
    monday = datetime(2027, 3, 1, 9)
    made = gain(firm, found, now=monday, stop=lambda: WorkBudget(2.0))
    assert made.gain_min > 0
    assert made.unaware_min == made.after.objective_min + made.gain_min
    assert gain(firm, (), now=monday, stop=lambda: WorkBudget(1.0)).gain_min == 0


@given(st.permutations(range(24)))
@settings(max_examples=15, deadline=None)
def test_suggestions_are_the_same_in_any_order(order: list[int]) -> None:
    seen = year(everybody(90), count=6)
    assert offered(FIRM, [seen[i] for i in order]) == offered(FIRM, seen)


@given(st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_defaults_and_estimates_times_as_long_make_the_same_suggestion_in_proportion(times: int) -> None:
    """60 minutes that take 90 say of 60 x c that they take 90: the correction is by c smaller, the result the same."""
    firm = with_tasks(to_do("a", estimate_min=60 * times))
    found = [
        one for one in offered(firm, year(everybody(90), estimate_min=60 * times)) if one.kind is Kind.OPEN_ESTIMATES
    ]
    assert [one.changes[0].after for one in found] == [90]


def test_a_firm_learns_from_its_own_finished_tasks() -> None:
    done = tuple(
        to_do(
            f"t{i}",
            client=("acme", "bolt")[i % 2],
            assignee=("ben", "dana")[i // 2 % 2],
            status=Status.DONE,
            logged_min=90 + i % 3,
            completed_on=date(2027, 2, 1),
        )
        for i in range(40)
    )
    (one,) = offered(with_tasks(*done), list(observed(with_tasks(*done))))
    assert one.changes == (Change(id="1040", before=60, after=90),)
