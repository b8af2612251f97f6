from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.board import compile_board
from solver.eligibility import FILTERS, code, needed_rank, stopped_by, work_min, workforce
from solver.firm import Client, Firm, Level, Person, ReviewRule, Skill, Task, TaskType
from solver.plan import Filter
from solver.policy import Guardrail, Policy, ValueTier
from tests.firms_for_tests import NOW, day, firm, person, task


def stops(one: Firm, arrival: Task) -> dict[str, Filter | None]:
    """Return the first filter, time aside, that stops each person from an arrival."""
    row = compile_board(one, now=NOW, also=(arrival,)).row_of(arrival)
    return {who.id: row.stop(p) for p, who in enumerate(one.people)}


def qualified(one: Firm, arrival: Task) -> list[str]:
    board = compile_board(one, now=NOW, also=(arrival,))
    return [one.people[p].id for p in board.qualified(board.row_of(arrival))]


def test_filters_stand_in_the_order_of_the_rule() -> None:
    names = ["skill", "employment", "independence", "reviewer", "deadline", "guardrail", "request"]
    assert [one.value for one in FILTERS] == names
    assert [code(one) for one in Filter] == [1, 2, 3, 4, 5, 6, 7]


def test_workforce_holds_each_cell_level_leave_date_and_place_by_id() -> None:
    staff = workforce(
        firm(
            (
                Person(id="zoe", level="manager", skills=(Skill(skill="tax", efficiency_pct=80, mismatch_min=7),)),
                person("bob", skills=("audit",), leave_date=day(3)),
                person("ann", skills=()),
            )
        )
    )
    assert staff.count == 3
    assert staff.row == {"zoe": 0, "bob": 1, "ann": 2}
    tax, audit = staff.skill_row["tax"], staff.skill_row["audit"]
    assert staff.efficiency_pct[tax].tolist() == [80, 0, 0]
    assert staff.efficiency_pct[audit].tolist() == [0, 100, 0]
    assert staff.mismatch_min[tax].tolist() == [7, 0, 0]
    assert staff.rank.tolist() == [2, 0, 0]
    assert staff.last_day.tolist() == [date.max.toordinal(), day(3).toordinal(), date.max.toordinal()]
    assert staff.id_order.tolist() == [2, 1, 0]
    assert staff.rows(("ann", "zoe")) == [2, 0]


def test_workforce_of_nobody_is_empty() -> None:
    staff = workforce(firm())
    assert (staff.count, staff.row) == (0, {})
    assert staff.efficiency_pct.shape == (1, 0)


def test_skill_that_only_a_type_asks_for_is_known_and_nobody_has_it() -> None:
    assert stops(firm((person("ann", skills=("audit",)),)), task("t")) == {"ann": Filter.SKILL}


@pytest.mark.parametrize(
    "efficiency, remaining, minutes",
    [(100, 60, 60), (80, 60, 48), (125, 60, 75), (80, 61, 49), (101, 1, 2), (10, 1, 1), (0, 60, 0), (1_000, 15, 150)],
)
def test_work_is_the_share_of_what_remains_rounded_up(efficiency: int, remaining: int, minutes: int) -> None:
    assert work_min(np.array([efficiency]), remaining).tolist() == [minutes]


@settings(deadline=None, max_examples=100)
@given(st.integers(10, 1_000), st.integers(1, 1_000_000))
def test_work_is_the_least_whole_number_that_is_enough(efficiency: int, remaining: int) -> None:
    found = int(work_min(np.array([efficiency]), remaining)[0])
    assert 100 * (found - 1) < efficiency * remaining <= 100 * found


GUARDED = Policy(guardrail=Guardrail(complex_from=4, complex_level="senior", high_value_level="manager"))
RICH, USUAL, POOR = (Client(id="c", tier=tier) for tier in (ValueTier.HIGH, ValueTier.STANDARD, ValueTier.LOW))
REVIEWED = TaskType(id="prep", skill="tax", review=ReviewRule(min_level="partner"))


@pytest.mark.parametrize(
    "policy, kind, client, reviewed, rank",
    [
        (GUARDED, {}, USUAL, None, 0),
        (GUARDED, {"min_level": "associate"}, USUAL, None, 0),
        (GUARDED, {"min_level": "partner"}, USUAL, None, 3),
        (GUARDED, {"complexity": 3}, USUAL, None, 0),
        (GUARDED, {"complexity": 4}, USUAL, None, 1),
        (GUARDED, {"complexity": 5}, USUAL, None, 1),
        (GUARDED, {}, RICH, None, 2),
        (GUARDED, {}, POOR, None, 0),
        (GUARDED, {"complexity": 5}, RICH, None, 2),
        (GUARDED, {"complexity": 5, "min_level": "partner"}, RICH, None, 3),
        (GUARDED, {}, USUAL, REVIEWED, 3),
        (GUARDED, {}, USUAL, TaskType(id="prep", skill="tax"), 0),
        (GUARDED, {}, USUAL, TaskType(id="prep", skill="tax", review=ReviewRule()), 0),
        (GUARDED, {"review": {"min_level": "partner"}}, USUAL, None, 0),
        (Policy(), {"complexity": 5}, RICH, None, 0),
    ],
)
def test_needed_level_is_the_highest_that_anything_demands(
    policy: Policy, kind: dict[str, Any], client: Client, reviewed: TaskType | None, rank: int
) -> None:
    asked = TaskType.model_validate({"id": "k", "skill": "tax"} | kind)
    assert needed_rank(firm(policy=policy), asked, client, reviewed) == rank


def test_needed_level_counts_on_the_scale_of_the_firm() -> None:
    one = firm(levels=(Level(name="high"), Level(name="associate"), Level(name="low")))
    assert needed_rank(one, TaskType(id="k", skill="tax", min_level="low"), USUAL, None) == 2


def test_guardrail_admits_the_level_itself_and_those_above() -> None:
    one = firm(
        (person("a"), person("s", level="senior"), person("p", level="partner")),
        task_types=(TaskType(id="return", skill="tax", min_level="senior"),),
    )
    assert stops(one, task("t")) == {"a": Filter.GUARDRAIL, "s": None, "p": None}
    assert qualified(one, task("t")) == ["s", "p"]


def test_review_demands_the_level_the_reviewed_type_names() -> None:
    one = firm(
        (person("a"), person("m", level="manager")),
        (task("prep", type="prep"),),
        task_types=(
            TaskType(id="return", skill="tax"),
            TaskType(id="prep", skill="tax", review=ReviewRule(min_level="manager")),
        ),
    )
    assert stops(one, task("r", reviews="prep")) == {"a": Filter.GUARDRAIL, "m": None}
    assert stops(one, task("r")) == {"a": None, "m": None}


def test_barred_person_is_stopped_by_independence_for_that_client_only() -> None:
    one = firm((person("ann"), person("bob")), clients=(Client(id="acme", barred=("ann",)), Client(id="zeta")))
    assert stops(one, task("t")) == {"ann": Filter.INDEPENDENCE, "bob": None}
    assert stops(one, task("t", client="zeta")) == {"ann": None, "bob": None}


@pytest.mark.parametrize("leave, stop", [(-1, Filter.EMPLOYMENT), (0, None), (None, None)])
def test_who_left_before_today_is_stopped_by_employment(leave: int | None, stop: Filter | None) -> None:
    one = firm((person("ann", leave_date=None if leave is None else day(leave)),))
    assert stops(one, task("t")) == {"ann": stop}


@pytest.mark.parametrize("release, stop", [(None, None), (2, None), (3, Filter.EMPLOYMENT), (-7, None)])
def test_who_leaves_before_the_release_is_stopped_by_employment(release: int | None, stop: Filter | None) -> None:
    one = firm((person("ann", leave_date=day(2)),))
    assert stops(one, task("t", release=None if release is None else day(release))) == {"ann": stop}


@pytest.mark.parametrize("hours, stop", [(24, None), (24 + 1 / 60, Filter.EMPLOYMENT)])
def test_leaver_must_be_able_to_finish_before_leaving_with_nothing_else_to_do(
    hours: float, stop: Filter | None
) -> None:
    leaver = person("ann", leave_date=day(2))
    assert stops(firm((leaver,)), task("t", hours=hours, due=20)) == {"ann": stop}
    busy = firm((leaver,), (task("other", hours=20, assignee="ann"),))
    assert stops(busy, task("t", hours=hours, due=20)) == {"ann": stop}


def test_leaver_needs_the_minutes_the_task_takes_them_after_its_release() -> None:
    slow = Person(id="ann", level="senior", skills=(Skill(skill="tax", efficiency_pct=125),), leave_date=day(2))
    assert stops(firm((slow,)), task("t", hours=19.2, due=20)) == {"ann": None}
    assert stops(firm((slow,)), task("t", hours=19.25, due=20)) == {"ann": Filter.EMPLOYMENT}
    assert stops(firm((slow,)), task("t", hours=6.4, due=20, release=day(2))) == {"ann": None}
    assert stops(firm((slow,)), task("t", hours=6.5, due=20, release=day(2))) == {"ann": Filter.EMPLOYMENT}


def test_who_stays_is_never_stopped_by_employment_however_long_the_task() -> None:
    assert stops(firm((person("ann"),)), task("t", hours=10_000)) == {"ann": None}
    assert stops(firm((person("ann", leave_date=date(9000, 1, 1)),)), task("t", hours=10_000)) == {"ann": None}


@pytest.mark.parametrize(
    "skills, leave, barred, level, stop",
    [
        ((), -1, True, "associate", Filter.SKILL),
        (("tax",), -1, True, "associate", Filter.EMPLOYMENT),
        (("tax",), None, True, "associate", Filter.INDEPENDENCE),
        (("tax",), None, False, "associate", Filter.GUARDRAIL),
        (("tax",), None, False, "senior", None),
    ],
)
def test_first_filter_in_the_order_of_the_rule_is_the_one_named(
    skills: tuple[str, ...], leave: int | None, barred: bool, level: str, stop: Filter | None
) -> None:
    one = firm(
        (person("ann", level=level, skills=skills, leave_date=None if leave is None else day(leave)),),
        clients=(Client(id="acme", barred=("ann",) if barred else ()),),
        task_types=(TaskType(id="return", skill="tax", min_level="senior"),),
    )
    assert stops(one, task("t")) == {"ann": stop}


def test_who_never_can_finish_in_time_is_stopped_by_employment_unless_the_skill_is_missing() -> None:
    one = firm((person("ann"), person("bob"), person("eve", skills=())))
    never = np.array([True, False, True])
    found = stopped_by(workforce(one), one.task_types[0], one.clients[0], task("t"), day(0), never)
    assert found.tolist() == [code(Filter.EMPLOYMENT), 0, code(Filter.SKILL)]


def test_qualified_are_all_whom_only_time_can_stop() -> None:
    one = firm((person("ann"), person("bob", skills=()), person("eve")), (task("x", hours=200, assignee="ann"),))
    assert qualified(one, task("t")) == ["ann", "eve"]


def test_qualified_is_only_the_person_the_client_asked_for() -> None:
    one = firm((person("ann"), person("bob"), person("eve", skills=())))
    assert qualified(one, task("t", requested_person="bob")) == ["bob"]
    assert qualified(one, task("t", requested_person="eve")) == []


def test_request_sets_the_guardrail_aside_for_that_person_only() -> None:
    one = firm((person("ann"), person("bob")), task_types=(TaskType(id="return", skill="tax", min_level="partner"),))
    assert stops(one, task("t", requested_person="bob")) == {"ann": Filter.GUARDRAIL, "bob": None}
    assert qualified(one, task("t", requested_person="bob")) == ["bob"]


def test_who_worked_on_the_piece_is_not_qualified_to_review_it() -> None:
    one = firm((person("ann"), person("bob")), (task("p", assignee="ann"),))
    assert qualified(one, task("r", reviews="p")) == ["bob"]
    assert qualified(one, task("r")) == ["ann", "bob"]


def test_each_filter_has_its_own_meaning_in_words() -> None:
    assert len({one.meaning for one in Filter}) == len(Filter)
    assert Filter.SKILL.meaning == "does not have the skill"
