"""Parts of a firm: each person and task in one, solved one by one, put together to a plan that breaks no rule."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest

from scenarios.firms import generate_firm
from scenarios.planted import plant
from solver import neighbourhoods, search
from solver.batch import solve_board
from solver.board import Board, compile_board
from solver.cutting import Group, dealt_tasks, grouped_people, work_profile
from solver.firm import Client, Firm, TaskType
from solver.parts import Part, PartPlan, fingerprint, merge, plan_parts, solve_part
from solver.plan import Plan, SolveStatus, StopReason
from solver.price_list import PriceList
from solver.problem import compile_problem
from solver.refusal import Refused
from solver.stop import Progress, WorkBudget
from solver.wide import compile_wide
from tests.firms_for_tests import NOW, firm, person, random_firm, task
from tests.plan_checker import problems

SHORT = WorkBudget(0.05)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anneal for a moment and try few neighbourhoods, so that the whole recipe runs in a test."""
    monkeypatch.setattr(search, "ANNEAL_BASE_MOVES", 200_000)
    monkeypatch.setattr(search, "ANNEAL_MOVES_PER_TASK", 0)
    monkeypatch.setattr(neighbourhoods, "PATIENCE", 8)


def board_of(one: Firm) -> Board:
    return compile_board(one, now=NOW)


def in_parts(board: Board, most_people: int, stop: WorkBudget = SHORT) -> list[PartPlan]:
    return [solve_part(board, part, stop=stop) for part in plan_parts(board, most_people=most_people)]


def teams(count: int, size: int, *, skill: str = "tax") -> tuple:  # type: ignore[type-arg]
    return tuple(person(f"p{t}{i}", team=f"team {t}", skills=(skill,)) for t in range(count) for i in range(size))


def two_teams(**more: object) -> Firm:
    """Return two teams of two who may all do the same, two tasks held in each, and a new one."""
    tasks = tuple(task(f"held{i}", assignee=f"p{i % 2}{i // 2}") for i in range(4))
    return firm(people=teams(2, 2), tasks=(*tasks, task("new")), **more)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("most_people", [1, 2, 4])
def test_merged_plan_of_a_random_firm_has_no_fault(seed: int, most_people: int) -> None:
    one = random_firm(seed, people=2 + seed % 6, tasks=8 + 2 * seed)
    board = board_of(one)
    plan = merge(board, in_parts(board, most_people))
    assert problems(one, plan, NOW) == []


def test_merged_plan_of_a_generated_firm_has_no_fault() -> None:
    made = generate_firm(people=40, tasks=300, seed=3)
    board = compile_board(made.firm, now=made.now)
    parts = plan_parts(board, most_people=12)
    assert len(parts) > 3
    plan = merge(board, [solve_part(board, part, stop=SHORT) for part in parts])
    assert problems(made.firm, plan, made.now) == []
    assert plan.certificate.objective_min <= plan.certificate.rule_objective_min


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("most_people", [1, 3])
def test_everybody_and_everything_is_in_exactly_one_part(seed: int, most_people: int) -> None:
    board = board_of(random_firm(seed, people=7, tasks=30))
    whole, parts = compile_problem(board), plan_parts(board, most_people=most_people)
    people = [name for part in parts for name in part.people]
    assert sorted(people) == sorted(board.staff.ids)
    tasks = [name for part in parts for name in part.tasks]
    assert sorted(tasks) == sorted(one.id for t, one in enumerate(board.tasks) if not whole.unavoidable(t))
    for part in parts:
        mine = {t.id for t in board.tasks if t.id in board.promises and t.assignee in part.people}
        assert mine <= set(part.tasks)
        assert part.alone or len(part.people) <= most_people


@pytest.mark.parametrize("seed", range(8))
def test_objectives_of_parts_add_up_to_no_less_than_the_plan(seed: int) -> None:
    board = board_of(random_firm(seed, people=6, tasks=24))
    whole, plans = compile_problem(board), in_parts(board, 2)
    nobody = sum(int(whole.escalation_min[t]) for t in range(whole.task_count) if whole.unavoidable(t))
    certificate = merge(board, plans).certificate
    assert certificate.objective_min + certificate.unavoidable_min <= sum(one.objective_min for one in plans) + nobody


def test_planted_firm_of_two_departments_is_solved_exactly() -> None:
    planted = plant(people=4, group_size=2, seed=1)
    board = compile_board(planted.firm, now=planted.now)
    parts = plan_parts(board)
    assert [(part.alone, len(part.people)) for part in parts] == [(True, 2), (True, 2)]
    plan = merge(board, [solve_part(board, part, stop=WorkBudget(50.0)) for part in parts])
    assert plan.certificate.objective_min == planted.objective_min == 0
    assert plan.certificate.status is SolveStatus.OPTIMAL


def test_bounds_of_components_add_up() -> None:
    people = (person("ada"), person("bob"), person("cyd", skills=("audit",)), person("dan", skills=("audit",)))
    types = (TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit"), TaskType(id="odd", skill="law"))
    tasks = tuple(task(f"t{i}", type=("return", "check")[i % 2], hours=3 + i) for i in range(6))
    one = firm(people=people, tasks=(*tasks, task("lost", type="odd")), task_types=types)
    board = board_of(one)
    plans = in_parts(board, 10, WorkBudget(50.0))
    assert [part_plan.objective_min - part_plan.bound_min for part_plan in plans] == [0, 0]
    merged, jointly = merge(board, plans).certificate, solve_board(board, stop=WorkBudget(50.0)).certificate
    assert merged.status is SolveStatus.OPTIMAL
    assert merged.stop_reason is StopReason.OPTIMAL
    assert merged.objective_min == merged.bound_min == jointly.objective_min


def test_parts_and_their_plans_survive_json() -> None:
    board = board_of(random_firm(3))
    parts = plan_parts(board, most_people=2, seed=7)
    back = [Part.model_validate_json(part.model_dump_json()) for part in parts]
    assert tuple(back) == parts
    again = board_of(Firm.model_validate_json(board.firm.model_dump_json()))
    plans = [solve_part(again, part, stop=SHORT) for part in back]
    plan = merge(board, [PartPlan.model_validate_json(one.model_dump_json()) for one in plans])
    assert plan.certificate.seed == 7
    assert problems(board.firm, plan, NOW) == []


def test_same_part_gives_the_same_plan_and_the_order_of_merging_does_not_matter() -> None:
    board = board_of(random_firm(5, people=6, tasks=30))
    assert plan_parts(board, most_people=2) == plan_parts(board_of(board.firm), most_people=2)
    plans = in_parts(board, 2)
    assert plans == in_parts(board, 2)
    mixed = list(plans)
    random.Random(1).shuffle(mixed)
    assert mixed != plans
    assert merge(board, mixed) == merge(board, plans)


def test_problem_at_hand_changes_nothing() -> None:
    board = board_of(random_firm(8, people=6, tasks=30))
    for whole in (compile_problem(board), compile_wide(board)):
        parts = plan_parts(board, most_people=2, problem=whole)
        assert parts == plan_parts(board, most_people=2)
        plans = [solve_part(board, part, stop=SHORT, problem=whole) for part in parts]
        assert plans == in_parts(board, 2)
        assert merge(board, plans, problem=whole).tasks == merge(board, plans).tasks


def test_bound_of_a_wide_problem_is_what_no_plan_escapes() -> None:
    board = board_of(two_teams())
    plans = in_parts(board, 2)
    assert merge(board, plans, problem=compile_wide(board)).certificate.bound_min == 0


def test_team_that_is_small_enough_is_one_part() -> None:
    parts = plan_parts(board_of(two_teams()), most_people=2)
    assert [part.people for part in parts] == [("p00", "p01"), ("p10", "p11")]
    assert not any(part.alone for part in parts)
    assert [part.name for part in parts] == ["part 1 of 2", "part 2 of 2"]


def test_small_teams_are_put_together_with_those_who_do_the_same() -> None:
    people = (
        *teams(3, 1),
        person("q0", team="audit", skills=("audit",)),
        person("both", team="w", skills=("tax", "audit")),
    )
    types = (TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit"))
    tasks = (task("a", hours=4), task("b", type="check", hours=1))
    board = board_of(firm(people=people, tasks=tasks, task_types=types))
    assert [part.people for part in plan_parts(board, most_people=4)] == [("p00", "p10", "p20", "both"), ("q0",)]


def test_people_without_a_team_are_cut_by_the_work_they_share() -> None:
    people = tuple(person(f"p{i}", skills=(("tax",), ("audit",))[i % 2]) for i in range(8))
    bridge = person("p9", skills=("tax", "audit"))
    types = (TaskType(id="return", skill="tax"), TaskType(id="check", skill="audit"))
    tasks = tuple(task(f"w{i}", type=("return", "check")[i % 2]) for i in range(6))
    board = board_of(firm(people=(*people, bridge), tasks=tasks, task_types=types))
    parts = [set(part.people) for part in plan_parts(board, most_people=5)]
    assert {"p0", "p2", "p4", "p6"} <= parts[0]
    assert {"p1", "p3", "p5", "p7"} <= parts[1]


def test_people_who_are_all_alike_are_cut_in_halves() -> None:
    board = board_of(firm(people=tuple(person(f"p{i:02d}") for i in range(16)), tasks=(task("a"),)))
    assert [len(part.people) for part in plan_parts(board, most_people=4)] == [4, 4, 4, 4]


def test_those_who_may_do_nothing_are_one_part() -> None:
    people = (person("ada"), person("bob", skills=("law",)), person("cyd", skills=()))
    parts = plan_parts(board_of(firm(people=people, tasks=(task("a"),))))
    assert [(part.people, part.tasks) for part in parts] == [(("ada",), ("a",)), (("bob", "cyd"), ())]


def test_new_review_goes_where_the_work_is_held() -> None:
    one = two_teams()
    reviews = tuple(task(f"look{i}", hours=1, due=10, reviews=f"held{i}") for i in range(4))
    board = board_of(one.model_copy(update={"tasks": (*one.tasks, *reviews)}))
    for part in plan_parts(board, most_people=2):
        mine = {name[4:] for name in part.tasks if name.startswith("held")}
        assert mine == {name[4:] for name in part.tasks if name.startswith("look")}


@pytest.mark.parametrize("holders", [(None, None), ("p0", None), (None, "p1"), ("p0", "p1"), ("p1", "p0")])
def test_order_holds_between_parts(holders: tuple[str | None, str | None]) -> None:
    people = (person("p0"), person("p1"))
    pair = (
        task("first", hours=12, due=8, assignee=holders[0]),
        task("then", hours=4, due=9, assignee=holders[1], reviews="first"),
    )
    fill = tuple(task(f"fill{i}", hours=8, due=2 + i) for i in range(6))
    one = firm(people=people, tasks=(*pair, *fill))
    board = board_of(one)
    parts = plan_parts(board, most_people=1)
    assert [("first" in part.tasks, "then" in part.tasks) for part in parts].count((True, True)) == 0
    plan = merge(board, [solve_part(board, part, stop=SHORT) for part in parts])
    assert problems(one, plan, NOW) == []
    assert plan.escalations == ()


def test_new_work_goes_where_there_is_room() -> None:
    tasks = [task(f"held{i}", hours=7, assignee="p00") for i in range(5)]
    parts = plan_parts(board_of(firm(people=teams(2, 1), tasks=(*tasks, task("new", hours=6)))), most_people=1)
    assert "new" in parts[1].tasks


def test_new_work_goes_to_the_cheapest_hours() -> None:
    board = board_of(firm(people=teams(2, 1), tasks=(task("new"),)))
    for dear, cheap in ((0, 1), (1, 0)):
        minute = np.zeros((2, 1))
        minute[dear] = 5.0
        prices = PriceList(people=("p00", "p10"), days=(date(2028, 1, 1),), minute=minute)
        parts = plan_parts(board, most_people=1, price_list=prices)
        assert parts[cheap].tasks == ("new",)


def test_new_work_is_spread_as_it_is_dealt() -> None:
    tasks = tuple(task(f"t{i}", hours=4) for i in range(10))
    parts = plan_parts(board_of(firm(people=teams(2, 1), tasks=tasks)), most_people=1)
    assert [len(part.tasks) for part in parts] == [5, 5]


def test_what_finds_no_room_in_its_part_is_placed_elsewhere() -> None:
    board = board_of(firm(people=teams(2, 1), tasks=(task("new", hours=8),)))
    plans = in_parts(board, 1)
    without = [one.model_copy(update={"promises": ()}) for one in plans]
    plan = merge(board, without)
    assert [item.task for item in plan.tasks] == ["new"]


def test_cancelled_part_gives_a_right_plan_and_says_so() -> None:
    one = random_firm(4)
    board = board_of(one)
    seen: list[Progress] = []
    plans = [
        solve_part(board, part, stop=lambda progress: StopReason.CANCELLED, on_progress=seen.append)
        for part in plan_parts(board, most_people=2)
    ]
    plan = merge(board, plans)
    assert problems(one, plan, NOW) == []
    assert plan.certificate.stop_reason is StopReason.CANCELLED
    assert seen[0].phase == "first plan"


def test_firm_without_people_or_tasks_is_cut_and_merged() -> None:
    for one in (firm(), firm(tasks=(task("a"),)), firm(people=teams(1, 2))):
        board = board_of(one)
        plan = merge(board, [solve_part(board, part, stop=SHORT) for part in plan_parts(board)])
        assert isinstance(plan, Plan)
        assert problems(one, plan, NOW) == []


def refused(board: Board, plans: list[PartPlan]) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        merge(board, plans)
    return caught.value.refusal.code, caught.value.refusal.field


def changed(one: PartPlan, **update: object) -> PartPlan:
    """Return a part's plan with other facts of its part."""
    return one.model_copy(update={"part": one.part.model_copy(update=update)})


def test_incomplete_or_foreign_parts_are_refused() -> None:
    board = board_of(two_teams())
    first, second = in_parts(board, 2)
    other = board_of(two_teams(name="Another"))
    assert refused(board, [first]) == ("part_missing", "part_plans")
    assert refused(board, []) == ("part_missing", "part_plans")
    assert refused(board, [first, second, second]) == ("part_twice", "part_plans.2.part")
    assert refused(other, [first, second]) == ("other_board", "part_plans.0.part.board")
    assert refused(board, [first, changed(second, seed=3)]) == ("other_cut", "part_plans.1.part")
    assert refused(board, [first, changed(second, place=3)]) == ("part_missing", "part_plans")
    assert refused(board, [first, changed(second, tasks=second.part.tasks[:-1])])[0] == "not_of_the_part"
    twice = changed(second, tasks=(*second.part.tasks, first.part.tasks[0]))
    assert refused(board, [first, twice]) == ("task_twice", "part_plans.1.part.tasks")
    none = changed(second, tasks=()).model_copy(update={"promises": ()})
    assert refused(board, [first, none]) == ("task_missing", "part_plans")
    with pytest.raises(Refused, match="Maybe the firm has changed since"):
        solve_part(other, first.part, stop=SHORT)
    with pytest.raises(Refused, match="most_people"):
        plan_parts(board, most_people=0)


def test_plan_of_a_part_that_breaks_a_rule_is_refused() -> None:
    pair = (task("first", assignee="p00"), task("then", assignee="p01", reviews="first", hours=1, due=8))
    full = task("full", hours=40, assignee="p10")
    one = firm(people=teams(2, 2), tasks=(*pair, full))
    board = board_of(one)
    left, right = in_parts(board, 2)

    def meddled(task: str, plan: PartPlan, **update: object) -> PartPlan:
        promises = [p.model_copy(update=update) if p.task == task else p for p in plan.promises]
        return plan.model_copy(update={"promises": tuple(promises)})

    assert merge(board, [left, right])
    assert refused(board, [meddled("then", left, person="p00"), right])[0] == "rule_broken"
    assert refused(board, [meddled("first", left, person="p10"), right]) == ("not_of_the_part", "part_plans.0.promises")
    assert refused(board, [meddled("first", left, due=0, release=3), right])[0] == "rule_broken"
    gone = left.model_copy(update={"promises": left.promises[1:]})
    with pytest.raises(Refused, match="would be taken back"):
        merge(board, [gone, right])
    twice = left.model_copy(update={"promises": (*left.promises, left.promises[0])})
    assert refused(board, [twice, right]) == ("rule_broken", "part_plans.0.promises")


def test_more_work_than_hours_is_refused() -> None:
    one = firm(people=teams(2, 1), tasks=tuple(task(f"t{i}", hours=30, assignee=f"p{i}0") for i in range(2)))
    board = board_of(one)
    left, right = in_parts(board, 1)
    crowded = changed(left, people=("p00", "p10"), tasks=("t0", "t1"))
    moved = right.promises[0].model_copy(update={"person": "p00"})
    crowded = crowded.model_copy(update={"promises": (*left.promises, moved)})
    empty = changed(right, people=(), tasks=()).model_copy(update={"promises": ()})
    with pytest.raises(Refused, match="more work than hours"):
        merge(board, [crowded, empty])


def test_fingerprint_knows_the_firm_the_moment_and_the_promises() -> None:
    board = board_of(two_teams())
    assert fingerprint(board) == fingerprint(board_of(two_teams()))
    later = compile_board(two_teams(), now=NOW.replace(hour=12))
    placed = board_of(two_teams())
    placed.withdraw("held0")
    assert len({fingerprint(one) for one in (board, later, placed, board_of(firm()))}) == 4


def test_large_firm_is_cut_without_a_table_of_everybody_against_everybody() -> None:
    """The firm has 2,000 people in 40 teams and 20,000 tasks of 20 types; pairs are read some hundred tasks at a time."""
    rng = random.Random(0)
    staff = tuple(
        person(f"p{i:04d}", team=f"team {i % 40}", skills=(f"s{i % 20}", f"s{(i + 1) % 20}")) for i in range(2_000)
    )
    types = tuple(TaskType(id=f"k{i}", skill=f"s{i}") for i in range(20))
    work = tuple(
        task(f"w{i:05d}", type=f"k{i % 20}", hours=1 + i % 5, due=rng.randint(5, 15), client=f"c{i % 50}")
        for i in range(20_000)
    )
    clients = tuple(Client(id=f"c{i}") for i in range(50))
    board = board_of(firm(people=staff, tasks=work, task_types=types, clients=clients))
    parts = plan_parts(board, most_people=300, problem=compile_wide(board))
    assert all(len(part.people) <= 300 for part in parts)
    assert len(parts) <= 20
    assert sum(len(part.tasks) for part in parts) == 20_000
    assert max(len(part.tasks) for part in parts) < 3 * min(len(part.tasks) for part in parts)


def test_profile_and_groups_of_a_problem_without_tasks_are_empty() -> None:
    whole = compile_problem(board_of(firm(people=teams(1, 3))))
    assert work_profile(whole).tolist() == [[0.0]] * 3
    groups = grouped_people(whole, 1)
    assert [(group.people.tolist(), group.alone) for group in groups] == [([0, 1, 2], True)]
    assert dealt_tasks(whole, (Group(np.arange(3), True),), None).tolist() == []
