"""The batch solve: every plan is right by the independent checker, never dearer than the rule's, and the same each time."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, time

import pytest

from scenarios.firms import Season, generate_firm
from solver import anneal, neighbourhoods, search
from solver.batch import solve, solve_board, today
from solver.board import compile_board
from solver.firm import Client, Firm, Overtime, ReviewRule, Status, TaskType
from solver.plan import Plan, SolveStatus, StopReason
from solver.policy import Guardrail, MissingEstimate, Policy, Weights
from solver.routing import place
from solver.stop import FirstOf, Progress, Stop, TargetGap, WorkBudget
from solver.warm import compile_all
from tests.child import printed
from tests.firms_for_tests import NOW, day, firm, person, random_firm, task
from tests.plan_checker import problems

SHORT = WorkBudget(0.05)


def cancelled(progress: Progress) -> StopReason:
    return StopReason.CANCELLED


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anneal for a moment and try few neighbourhoods, so that the whole recipe runs in a test."""
    monkeypatch.setattr(search, "ANNEAL_BASE_MOVES", 200_000)
    monkeypatch.setattr(search, "ANNEAL_MOVES_PER_TASK", 0)
    monkeypatch.setattr(neighbourhoods, "PATIENCE", 8)


def varied_firm(seed: int) -> tuple[Firm, datetime]:
    """Return a random firm with timed deadlines, finished work, a guardrail, overtime, other weights, and a moment of the day."""
    rng = random.Random(seed)
    base = random_firm(seed, people=rng.randint(1, 6), tasks=rng.randint(1, 20), load=rng.choice((0.5, 0.9, 1.4)))
    tasks = []
    for one in base.tasks:
        update: dict[str, object] = {"requested_person": None}
        if rng.random() < 0.4:
            update["deadline_time"] = time(rng.randint(7, 18), rng.choice((0, 30)))
        if rng.random() < 0.1 and one.assignee is None and one.reviews is None:
            update |= {"status": Status.DONE, "assignee": base.people[0].id, "completed_on": day(-1)}
        tasks.append({**dict(one), **update})
    policy = Policy(
        guardrail=Guardrail(
            complex_from=rng.randint(2, 5),
            complex_level=rng.choice((None, "senior", "manager")),
            high_value_level=rng.choice((None, "senior")),
        ),
        missing_estimate=rng.choice(list(MissingEstimate)),
        weights=Weights(
            week_ends=rng.randint(0, 5),
            balance_pct=rng.choice((33, 100)),
            far_from_share_pct=rng.choice((0, 20)),
            level_above_pct=rng.choice((10, 37)),
            move=rng.choice((0, 60)),
            late_start=rng.choice((7, 30)),
        ),
        horizon_days=rng.choice((1, 28)),
        late_tail_days=rng.choice((1, 7, 42)),
    )
    overtime = Overtime(first_day=day(0), last_day=day(9), extra_min=(60, 60, 60, 60, 60, 240, 0), levels=("senior",))
    made = Firm.model_validate({**dict(base), "tasks": tasks, "policy": policy, "overtime": (overtime,)})
    return made, NOW.replace(hour=rng.randint(6, 19), minute=rng.choice((0, 25)))


def asked_for(seed: int) -> bool:
    """Whether advice is asked for: it takes several times what the plan takes, and may only change the plan for a better one."""
    return seed % 4 == 0


def named(plan: Plan) -> dict[str, str]:
    return {item.task: item.person for item in plan.tasks}


@pytest.mark.parametrize("seed", range(40))
def test_plan_of_a_random_firm_has_no_fault(seed: int) -> None:
    untidy = random_firm(seed)
    plan = solve(untidy, now=NOW, stop=SHORT, seed=seed, advice=asked_for(seed))
    assert problems(untidy, plan, NOW) == []


@pytest.mark.parametrize("seed", range(40, 60))
@pytest.mark.usefixtures("quick")
def test_plan_after_exact_neighbourhoods_has_no_fault(seed: int) -> None:
    untidy = random_firm(seed, people=2 + seed % 5, tasks=4 + seed % 9, load=0.6 + 0.2 * (seed % 4))
    plan = solve(untidy, now=NOW, stop=WorkBudget(1.0), seed=seed, advice=asked_for(seed))
    assert problems(untidy, plan, NOW) == []


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.usefixtures("quick")
def test_plan_of_a_firm_with_other_wishes_has_no_fault(seed: int) -> None:
    varied, now = varied_firm(seed)
    plan = solve(varied, now=now, stop=WorkBudget(0.2), seed=seed, advice=asked_for(seed))
    assert problems(varied, plan, now) == []


@pytest.mark.parametrize("people", [8, 13, 19, 24, 30])
def test_plan_of_a_generated_firm_has_no_fault(people: int) -> None:
    made = generate_firm(
        people=people,
        tasks=people * 9,
        seed=people,
        season=Season.BUSY if people % 2 else Season.QUIET,
        load=0.8 + people % 3 / 5,
    )
    plan = solve(made.firm, now=made.now, stop=SHORT)
    assert problems(made.firm, plan, made.now) == []


@pytest.mark.parametrize("seed", range(8))
def test_plan_of_today_has_no_fault_and_moves_nothing(seed: int) -> None:
    varied, now = varied_firm(seed)
    plan = today(varied, now=now)
    assert problems(varied, plan, now) == []
    flagged = {flag.task for flag in plan.flags}
    assert [item.task for item in plan.tasks if item.moved_from and item.task not in flagged] == []
    assert plan.certificate.objective_min == plan.certificate.rule_objective_min


@pytest.mark.parametrize("seed", range(8))
def test_promise_that_holds_today_is_never_broken(seed: int) -> None:
    varied, now = varied_firm(seed)
    promised = {item.task: item for item in today(varied, now=now).tasks if not item.new}
    for flag in today(varied, now=now).flags:
        promised.pop(flag.task, None)
    planned = {item.task: item for item in solve(varied, now=now, stop=SHORT).tasks}
    for name, before in promised.items():
        assert planned[name].days_late <= before.days_late
        assert planned[name].late <= before.late


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("quick")
def test_search_never_ends_above_its_start(seed: int) -> None:
    told: list[Progress] = []
    plan = solve(random_firm(seed, tasks=12), now=NOW, stop=WorkBudget(0.5), on_progress=told.append)
    objectives = [progress.objective_min for progress in told]
    assert objectives == sorted(objectives, reverse=True)
    assert plan.certificate.objective_min == objectives[-1]
    bounds = [progress.bound_min for progress in told]
    assert bounds == sorted(bounds)
    work = [progress.work_units for progress in told]
    assert work == sorted(work)


@pytest.mark.parametrize("seed", [*range(5), 7])
def test_cancelled_solve_returns_a_right_plan(seed: int) -> None:
    untidy = random_firm(seed)
    plan = solve(untidy, now=NOW, stop=cancelled)
    assert problems(untidy, plan, NOW) == []
    assert plan.certificate.stop_reason is StopReason.CANCELLED
    assert plan.certificate.bound_min == 0


@pytest.mark.usefixtures("quick")
def test_cancelled_in_the_neighbourhoods_says_so() -> None:
    def later(progress: Progress) -> StopReason | None:
        return StopReason.CANCELLED if progress.phase.startswith("exact") else None

    plan = solve(random_firm(3), now=NOW, stop=later)
    assert plan.certificate.stop_reason is StopReason.CANCELLED
    assert 0 < plan.certificate.bound_min < plan.certificate.objective_min
    assert problems(random_firm(3), plan, NOW) == []


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (SHORT, StopReason.WORK),
        (TargetGap(100.0), StopReason.GAP),
        (lambda progress: StopReason.WALL_CLOCK, StopReason.WALL_CLOCK),
        (FirstOf((TargetGap(0.0), SHORT)), StopReason.WORK),
    ],
)
def test_certificate_gives_the_reason_and_a_bound(stop: Stop, reason: StopReason) -> None:
    paper = solve(random_firm(3), now=NOW, stop=stop).certificate
    assert paper.stop_reason is reason
    assert paper.status is SolveStatus.FEASIBLE
    assert paper.bound_min > 0


@pytest.mark.usefixtures("quick")
def test_search_without_a_gain_left_has_stalled() -> None:
    plan = solve(random_firm(4, people=8, tasks=28), now=NOW, stop=lambda progress: None)
    assert plan.certificate.stop_reason is StopReason.STALLED
    assert plan.certificate.status is SolveStatus.FEASIBLE


def test_firm_without_people_escalates_everything() -> None:
    empty = firm(tasks=(task("a"), task("b", due=-2), task("c", hours=None)))
    plan = solve(empty, now=NOW, stop=SHORT)
    assert problems(empty, plan, NOW) == []
    assert [(lost.task, lost.unavoidable, lost.reason) for lost in plan.escalations] == [
        ("a", True, "the firm has no people"),
        ("b", True, "the firm has no people"),
    ]
    paper = plan.certificate
    assert (paper.objective_min, paper.bound_min, paper.gap_pct) == (0, 0, 0.0)
    assert paper.status is SolveStatus.OPTIMAL
    assert paper.stop_reason is StopReason.OPTIMAL


def test_firm_without_tasks_has_an_empty_plan() -> None:
    idle = firm(people=(person("ada"),))
    plan = solve(idle, now=NOW, stop=SHORT)
    assert problems(idle, plan, NOW) == []
    assert (plan.tasks, plan.escalations, plan.holds, plan.timetable) == ((), (), (), ())
    assert plan.certificate.objective_min == plan.certificate.unavoidable_min == 0
    assert plan.certificate.status is SolveStatus.OPTIMAL


def test_firm_without_anything_has_an_empty_plan() -> None:
    plan = solve(firm(), now=NOW, stop=SHORT)
    assert problems(firm(), plan, NOW) == []
    assert plan.certificate.status is SolveStatus.OPTIMAL


def test_all_work_late_still_has_people_and_days() -> None:
    behind = firm(
        people=(person("ada"), person("bob")),
        tasks=tuple(
            task(f"w{i}", hours=8, due=-1 - i, assignee=("ada", None, "bob")[i % 3], release=day(-30)) for i in range(6)
        ),
    )
    plan = solve(behind, now=NOW, stop=SHORT)
    assert problems(behind, plan, NOW) == []
    assert plan.escalations == ()
    assert all(item.late and item.promised_day for item in plan.tasks)
    assert {item.finish_day for item in plan.tasks} == {day(0), day(1), day(2)}


def test_work_nobody_is_qualified_for_escalates_and_costs_the_plan_nothing() -> None:
    lost = firm(people=(person("ada", skills=("audit",)),), tasks=(task("a", hours=1), task("b", hours=2, due=-1)))
    plan = solve(lost, now=NOW, stop=SHORT)
    assert problems(lost, plan, NOW) == []
    assert all(one.unavoidable for one in plan.escalations)
    assert [one.reason for one in plan.escalations] == ["nobody may do it: 1 person stopped by skill"] * 2
    assert plan.certificate.objective_min == 0
    # Escalation 60 x factor 2 x minutes, and the dearest lateness: 30 days after the horizon's end, 96 and 101 days late.
    assert plan.certificate.unavoidable_min == (60 + 30 + 2 * 96) * 2 * 60 + (60 + 30 + 2 * 101) * 2 * 120


def test_nobody_has_time_and_the_nearest_is_named() -> None:
    full = firm(
        people=(person("ada"),),
        tasks=(task("mine", hours=30, assignee="ada", pinned=True), task("new", hours=12), task("more", hours=12)),
    )
    plan = solve(full, now=NOW, stop=SHORT)
    assert problems(full, plan, NOW) == []
    assert named(plan) == {"mine": "ada"}
    assert plan.escalations[0].reason == (
        "1 qualified person, none with enough open hours before the deadline: ada is nearest, 2 h short"
    )
    assert [way.sentence for way in plan.escalations[0].ways_out] == [
        "add 2 h for ada by 2027-03-05",
        "move the deadline to 2027-03-08, when ada can have it done",
    ]


def test_late_work_nobody_can_finish_in_time_is_placed_and_says_why() -> None:
    huge = firm(people=(person("ada"),), tasks=(task("huge", hours=60, due=4),))
    plan = solve(huge, now=NOW, stop=SHORT)
    assert problems(huge, plan, NOW) == []
    assert plan.tasks[0].cause == (
        "nobody who may do it has enough open hours before the deadline, even with nothing else to do"
    )
    assert (plan.tasks[0].promised_day, plan.tasks[0].days_late) == (day(9), 5)


def test_two_people_share_the_work_evenly() -> None:
    even = firm(
        people=(person("ada"), person("bob")),
        tasks=tuple(task(f"w{i}", hours=6, due=4) for i in range(4)),
    )
    plan = solve(even, now=NOW, stop=SHORT)
    assert sorted(named(plan).values()) == ["ada", "ada", "bob", "bob"]
    assert plan.certificate.objective_min == 0
    assert plan.certificate.sentence() == "No better plan exists (objective 0 minutes, proven)."


def test_certificate_of_an_open_search_says_how_much_better_a_plan_could_be() -> None:
    paper = solve(random_firm(3), now=NOW, stop=SHORT).certificate
    paper = paper.model_copy(update={"objective_min": 12_345, "bound_min": 10_000, "gap_pct": 18.9955})
    assert paper.sentence() == (
        "No plan can be more than 19.0 % better: this one costs 12,345 minutes, and none costs less than 10,000. "
        "Search ended: work budget used."
    )


def test_everything_is_compiled_ahead_by_a_plan_of_one_task() -> None:
    compile_all()
    assert len(anneal.anneal.signatures) == 1
    solve(random_firm(3), now=NOW, stop=SHORT)
    assert len(anneal.anneal.signatures) == 1


def test_aware_moment_gives_the_plan_of_the_local_one() -> None:
    made, _ = varied_firm(1)
    local = solve(made, now=NOW, stop=SHORT)
    aware = solve(made, now=datetime(2027, 3, 1, 14, 0, tzinfo=UTC), stop=SHORT)
    assert aware.model_dump(exclude={"now"}) == local.model_dump(exclude={"now"})
    assert problems(made, aware, NOW) == []


def test_board_and_firm_are_planned_alike() -> None:
    made = random_firm(7)
    assert solve_board(compile_board(made, now=NOW), stop=SHORT) == solve(made, now=NOW, stop=SHORT)


def digest(plan: Plan) -> str:
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()


CHILD = """
import hashlib
from tests.firms_for_tests import NOW, random_firm
from solver import anneal, neighbourhoods, search
from solver.batch import solve
from solver.stop import WorkBudget
search.ANNEAL_BASE_MOVES, search.ANNEAL_MOVES_PER_TASK, neighbourhoods.PATIENCE = 200_000, 0, 8
plan = solve(random_firm(11, people=4, tasks=14), now=NOW, stop=WorkBudget(1.0), seed=5)
print(hashlib.sha256(plan.model_dump_json().encode()).hexdigest())
"""


@pytest.mark.usefixtures("quick")
def test_same_firm_seed_and_budget_give_the_same_bytes_in_any_process() -> None:
    made = random_firm(11, people=4, tasks=14)
    first, second = (solve(made, now=NOW, stop=WorkBudget(1.0), seed=5) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    said_by_child = printed(CHILD, PYTHONHASHSEED="7")
    assert said_by_child.strip() == digest(first)


def test_client_wish_for_somebody_without_the_skill_escalates_work_that_has_a_person() -> None:
    wished = firm(
        people=(person("ada"), person("bob", skills=("audit",))),
        tasks=(task("held", assignee="ada", requested_person="bob"), task("other")),
    )
    plan = solve(wished, now=NOW, stop=SHORT)
    assert plan.certificate.objective_min >= plan.certificate.bound_min >= 0
    assert [lost.task for lost in plan.escalations] == ["held"]
    assert problems(wished, plan, NOW) == []


def test_client_wish_takes_work_from_its_person_even_when_it_will_be_late() -> None:
    wished = firm(
        people=(person("ada"), person("bob")),
        tasks=(
            task("full", hours=40, assignee="bob", pinned=True),
            task("held", hours=4, assignee="ada", requested_person="bob"),
        ),
    )
    plan = solve(wished, now=NOW, stop=SHORT)
    assert named(plan) == {"full": "bob", "held": "bob"}
    assert problems(wished, plan, NOW) == []


def test_plan_of_today_places_a_client_wish_as_the_rule_does() -> None:
    wished = firm(people=(person("ada"),), tasks=(task("full", hours=40, assignee="ada"),))
    asked = task("asked", hours=4, requested_person="ada")
    decision = place(compile_board(wished, now=NOW), asked)
    assert (decision.person, decision.promised_day) == ("ada", day(7))
    plan = today(wished.model_copy(update={"tasks": (*wished.tasks, asked)}), now=NOW)
    assert [(item.task, item.promised_day) for item in plan.tasks] == [("full", day(4)), ("asked", day(7))]


def test_cheap_escalation_never_makes_the_plan_dearer_than_the_rule() -> None:
    careless = firm(
        people=(person("ada"), person("bob", skills=("audit",))),
        tasks=(task("late", hours=4, due=-1),),
        clients=(Client(id="acme", usual_person="bob"),),
        policy=Policy(weights=Weights(escalation=0, late_start=0, late_day=0)),
    )
    paper = solve(careless, now=NOW, stop=cancelled).certificate
    assert paper.objective_min <= paper.rule_objective_min


def test_flag_names_the_first_filter_in_the_order_of_the_rule() -> None:
    twice = firm(
        people=(person("bob"),),
        tasks=(
            task("prepared", status=Status.DONE, assignee="bob", completed_on=day(-1)),
            task("review", assignee="bob", reviews="prepared"),
        ),
        task_types=(TaskType(id="return", skill="tax", review=ReviewRule(min_level="senior")),),
    )
    plan = solve(twice, now=NOW, stop=SHORT)
    assert [flag.stopped_by.value for flag in plan.flags] == ["reviewer"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(16))
def test_plan_has_no_fault_whenever_the_search_is_stopped(seed: int) -> None:
    rng = random.Random(seed)
    made, now = varied_firm(seed)
    left, reason = rng.randint(0, 60), rng.choice((StopReason.CANCELLED, StopReason.WALL_CLOCK, StopReason.WORK))
    told: list[Progress] = []

    def stop(progress: Progress) -> StopReason | None:
        nonlocal left
        left -= 1
        return reason if left < 0 else None

    plan = solve(made, now=now, stop=stop, seed=seed, on_progress=told.append)
    assert problems(made, plan, now) == []
    assert plan.certificate.objective_min <= told[0].objective_min
    assert plan.certificate.bound_min <= plan.certificate.objective_min


def test_plan_without_advice_is_the_same_plan_without_curve_and_scarce_hours() -> None:
    one = random_firm(3, people=5, tasks=24, load=1.2)
    whole = solve(one, now=NOW, stop=WorkBudget(0.3))
    plain = solve(one, now=NOW, stop=WorkBudget(0.3), advice=False)
    assert whole.trade_off
    assert not plain.trade_off
    assert not plain.certificate.scarcity
    assert plain.certificate.objective_min >= whole.certificate.objective_min
    assert plain.certificate.bound_min == whole.certificate.bound_min
