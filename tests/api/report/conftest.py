"""A firm of thirty people and two hundred tasks with two hand-made plans: a report with something of everything.

Long because it writes both plans and their metrics itself: the report is tested against data, not against the engine.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest

from api.report import ReportData
from solver.calendar import capacity_min, day_list
from solver.firm import Client, Firm, Level, Person, Priority, Procedure, Skill, Task, TaskType, TimeOff
from solver.plan import (
    Candidate,
    Certificate,
    EscalatedTask,
    Filter,
    Flag,
    Hold,
    LoadChange,
    Metrics,
    MetricsReport,
    Move,
    Plan,
    PlannedTask,
    Proposal,
    RepairKind,
    SolveStatus,
    StopReason,
    Term,
    WayOut,
    WeekLoad,
    WorkDay,
)
from solver.policy import ValueTier

NOW = datetime.fromisoformat("2026-11-24T13:15:00+00:00")
MONDAY = date(2026, 11, 23)
DAYS = day_list(MONDAY, MONDAY + timedelta(days=8 * 7 - 1))
CERTIFICATE = Certificate(
    status=SolveStatus.FEASIBLE,
    objective_min=48_210,
    bound_min=47_390,
    gap_pct=1.7,
    unavoidable_min=10_800,
    terms=(
        Term(name="escalation", minutes=28_800),
        Term(name="late", minutes=9_450),
        Term(name="balance", minutes=14_330),
        Term(name="week_balance", minutes=3_150),
        Term(name="moves", minutes=1_980),
        Term(name="continuity", minutes=780),
        Term(name="level", minutes=520),
    ),
    rule_objective_min=71_440,
    stop_reason=StopReason.GAP,
    seed=7,
    work_units=1_204.5,
    versions={"evenhand": "0.1.0", "ortools": "9.14"},
)
PROVEN = CERTIFICATE.model_copy(
    update={
        "status": SolveStatus.OPTIMAL,
        "objective_min": 0,
        "bound_min": 0,
        "gap_pct": 0.0,
        "unavoidable_min": 0,
        "terms": (),
        "rule_objective_min": 0,
        "stop_reason": StopReason.OPTIMAL,
    }
)
NOBODY = Metrics(
    subject="firm",
    capacity_min=0,
    load_min=0,
    utilisation_pct=None,
    spread_pct=None,
    variance=None,
    on_time_done_pct=None,
    on_time_forecast_pct=None,
    late_open=0,
    escalations=0,
)
NAMES = (
    "Anna Bauer",
    "Beatriz Costa",
    "Carlos Diaz",
    "Deepa Evans",
    "Emil Fischer",
    "Fatima Garcia",
    "Grace Haas",
    "Hiro Ito",
    "Ingrid Jensen",
    "Jamal King",
    "Katya Lopez",
    "Liam Murphy",
    "Maya Nowak",
    "Noah O'Neil",
    "Olga Patel",
    "Priya Quist",
    "Quentin Rossi",
    "Rosa Silva",
    "Sam Tran",
    "Tomás Unger",
    "Uma Vogel",
    "Víctor Weber",
    "Wanda Xu",
    "Xin Young",
    "Yusuf Zhang",
    "Zoe Abbott",
    "Åsa Brandt",
    "Bruno Cole",
    "Chidi Dorsey",
    "ליאור כהן",
)
TYPES = (
    ("1120-S", "S corporation return", 600, 3),
    ("1065", "Partnership return", 720, 4),
    ("1040", "Individual return", 210, 1),
    ("BK-M", "Monthly bookkeeping", 300, 1),
    ("PAY", "Payroll run", 90, 1),
    ("AUD", "Review engagement", 1_500, 5),
    ("ADV", "Advisory call", 120, 2),
)
BUSINESS = ("Bakery", "Dental", "Logistics", "Vineyard", "Robotics", "Holdings", "Roofing", "Studio")


def firm_of_thirty() -> Firm:
    """Return thirty people in four teams, forty clients and two hundred open tasks, ten without an estimate."""
    dice = random.Random(11)
    teams = ("Tax", "Tax", "Client accounting", "Assurance")
    levels = ("associate", "associate", "senior", "associate", "senior", "manager", "associate", "partner")
    people = tuple(
        Person(
            id=f"p{i:02d}",
            name=name,
            level=levels[i % len(levels)],
            team=teams[i % len(teams)],
            skills=tuple(Skill(skill=kind[0]) for kind in TYPES if dice.random() < 0.7),
            weekly_min=(480, 480, 480, 480, 0, 0, 0) if i % 9 == 4 else (480, 480, 480, 480, 480, 0, 0),
        )
        for i, name in enumerate(NAMES)
    )
    clients = tuple(
        Client(
            id=f"c{i:02d}",
            name=f"{NAMES[(7 * i) % 29].split()[-1]} {BUSINESS[i % len(BUSINESS)]}",
            tier=ValueTier.HIGH if i % 7 == 0 else ValueTier.STANDARD,
        )
        for i in range(40)
    )
    kinds = tuple(
        TaskType(
            id=code,
            name=name,
            skill=code,
            default_estimate_min=usual,
            complexity=hard,
            procedure=Procedure(link=f"https://handbook.example/{code.lower()}" if hard > 2 else None),
        )
        for code, name, usual, hard in TYPES
    )
    tasks = []
    for i in range(200):
        kind = dice.choice(kinds)
        usual = kind.default_estimate_min or 60
        tasks.append(
            Task(
                id=f"T-{1000 + i}",
                type=kind.id,
                client=dice.choice(clients).id,
                deadline=dice.choice([day for day in DAYS[3:] if day.weekday() < 5]),
                estimate_min=None if i % 20 == 3 else max(30, round(usual * dice.uniform(1.2, 3.4) / 15) * 15),
                priority=Priority.CRITICAL if i % 40 == 9 else Priority.HIGH if i % 11 == 5 else Priority.NORMAL,
                assignee=None if i % 12 == 7 else f"p{min(dice.randrange(30), dice.randrange(40)):02d}",
            )
        )
    return Firm(
        name="Harbor & Pine CPA",
        people=people,
        clients=clients,
        task_types=kinds,
        tasks=tuple(tasks),
        time_off=(
            TimeOff(person="p02", first_day=date(2026, 11, 30), last_day=date(2026, 12, 11)),
            TimeOff(person="p14", first_day=date(2026, 12, 21), last_day=date(2027, 1, 1)),
            TimeOff(person="p28", first_day=MONDAY, last_day=date(2026, 11, 29)),
        ),
    )


def plan_of(firm: Firm, holders: dict[str, str], escalated: tuple[EscalatedTask, ...]) -> Plan:
    """Give each task to its holder, earliest deadline first; a small rest is done on the last day, a large one late."""
    grid = capacity_min(firm, DAYS)
    row = {person.id: p for p, person in enumerate(firm.people)}
    planned, cells = [], []
    for task in sorted((one for one in firm.tasks if one.id in holders), key=lambda one: (one.deadline, one.id)):
        person, left = holders[task.id], task.estimate_min or 0
        for d, day in enumerate(DAYS):
            minutes = min(left, 420, int(grid[row[person], d])) if day >= task.deadline - timedelta(days=16) else 0
            minutes = left if day == task.deadline and left < 480 else minutes
            if minutes:
                grid[row[person], d] = max(0, grid[row[person], d] - minutes)
                cells.append(WorkDay(day=day, person=person, task=task.id, minutes=minutes))
                left -= minutes
        finish = cells[-1].day
        promised = None if left else max(finish, min(task.deadline, finish + timedelta(days=2)))
        late = (promised - task.deadline).days if promised else (DAYS[-1] - task.deadline).days + 1
        planned.append(
            PlannedTask(
                task=task.id,
                person=person,
                work_min=task.estimate_min or 0,
                earliest_day=MONDAY,
                promised_day=promised,
                finish_day=None if left else finish,
                late=late > 0,
                days_late=max(0, late),
                cause="the week before the deadline is full of earlier deadlines" if late > 0 else None,
                moved_from=task.assignee if task.assignee not in (None, person) else None,
                new=task.assignee is None,
            )
        )
    return Plan(
        firm=firm.name,
        now=NOW,
        tasks=tuple(planned),
        escalations=escalated,
        holds=tuple(
            Hold(task=one.id, assignee=one.assignee, reason="the estimate is missing")
            for one in firm.tasks
            if one.estimate_min is None
        ),
        flags=(
            Flag(task="T-1010", person="p05", stopped_by=Filter.GUARDRAIL, reason="Complex work asks for a manager."),
            Flag(task="T-1011", person="p06", stopped_by=Filter.INDEPENDENCE, reason="Barred from the client in May."),
        ),
        timetable=tuple(sorted(cells, key=lambda one: (one.day, one.person, one.task))),
        certificate=CERTIFICATE,
    )


def metrics_of(firm: Firm, plan: Plan) -> MetricsReport:
    """Measure a hand-made plan for the firm, teams, levels and people, plainly."""
    grid = capacity_min(firm, DAYS)
    hours = {person.id: int(grid[p].sum()) for p, person in enumerate(firm.people)}
    work: dict[str, int] = defaultdict(int)
    weeks: dict[tuple[str, date], int] = defaultdict(int)
    for one in plan.timetable:
        work[one.person] += one.minutes
        weeks[one.person, one.day - timedelta(days=one.day.weekday())] += one.minutes

    def measure(subject: str, people: Iterable[str]) -> Metrics:
        people = list(people)
        shares = [100 * work[one] / hours[one] for one in people]
        own = [task for task in plan.tasks if task.person in people]
        late = sum(1 for task in own if task.days_late)
        return Metrics(
            subject=subject,
            capacity_min=sum(hours[one] for one in people),
            load_min=sum(work[one] for one in people),
            utilisation_pct=100 * sum(work[one] for one in people) / sum(hours[one] for one in people),
            spread_pct=max(shares) - min(shares) if len(people) > 1 else None,
            variance=None,
            on_time_done_pct=94.2,
            on_time_forecast_pct=100 * (1 - late / len(own)) if own else None,
            late_open=late,
            escalations=len(plan.escalations) if subject == "firm" else 0,
        )

    everybody = [person.id for person in firm.people]
    teams = sorted({person.team for person in firm.people})
    return MetricsReport(
        firm=measure("firm", everybody),
        teams=tuple(measure(team, (one.id for one in firm.people if one.team == team)) for team in teams),
        levels=tuple(
            measure(level.name, (one.id for one in firm.people if one.level == level.name)) for level in firm.levels
        ),
        people=tuple(measure(one, [one]) for one in everybody),
        weeks=tuple(
            WeekLoad(
                person=person.id,
                week_start=DAYS[first],
                load_min=weeks[person.id, DAYS[first]],
                capacity_min=int(grid[p, first : first + 7].sum()),
            )
            for p, person in enumerate(firm.people)
            for first in range(0, len(DAYS), 7)
        ),
    )


def escalation(firm: Firm, task: str, people: tuple[str, ...]) -> EscalatedTask:
    """Return an escalation with a way out of each kind per person, or none when nobody may do it."""
    label = {person.id: person.label for person in firm.people}
    ways: list[WayOut] = []
    for i, person in enumerate(people[:1]):
        day = date(2026, 12, 1) + timedelta(days=i)
        ways += [
            WayOut(
                kind=RepairKind.ADD_HOURS,
                person=person,
                minutes=150,
                sentence=f"{label[person]} works 2 h 30 more before the deadline.",
            ),
            WayOut(
                kind=RepairKind.MOVE_DEADLINE,
                person=person,
                minutes=0,
                day=day,
                sentence=f"{label[person]} finishes it by 1 December.",
            ),
            WayOut(
                kind=RepairKind.RELEASE_TASK,
                person=person,
                minutes=210,
                task="T-1020",
                sentence=f"{label[person]} gives away T-1020 first.",
            ),
        ]
    return EscalatedTask(
        task=task,
        reason="Three people may do this; the best of them has 5 h open before the deadline and it needs 7 h 30."
        if people
        else "It asks for a skill that nobody in the firm has.",
        qualified=tuple(
            Candidate(
                person=person,
                remaining_min=300 - 60 * i,
                stopped_by=Filter.DEADLINE,
                work_min=450,
                gap_min=150 + 60 * i,
                load_min=2_700 + 120 * i,
            )
            for i, person in enumerate(people)
        ),
        ways_out=tuple(ways),
        unavoidable=not people,
    )


def proposals_of(firm: Firm, today: Plan, plan: Plan) -> tuple[Proposal, ...]:
    """Return one proposal per moved task, but the first two moves as a bundle."""
    label = {person.id: person.label for person in firm.people}
    load: dict[str, int] = defaultdict(int)
    for one in today.tasks:
        load[one.person] += one.work_min
    moved = [one for one in plan.tasks if one.moved_from is not None]
    found = []
    for i, bundle in enumerate([moved[:2], *([one] for one in moved[2:])]):
        moves = tuple(Move(task=one.task, from_person=one.moved_from or "", to_person=one.person) for one in bundle)
        change: dict[str, int] = defaultdict(int)
        for one in bundle:
            change[one.moved_from or ""] -= one.work_min
            change[one.person] += one.work_min
        found.append(
            Proposal(
                id=f"P-{i + 1}",
                moves=moves,
                gain_min=90 + 137 * i,
                gain_per_move_min=(90 + 137 * i) / len(moves),
                loads=tuple(
                    LoadChange(person=who, before_min=load[who], after_min=load[who] + by, capacity_min=13_440)
                    for who, by in change.items()
                ),
                reason=f"{label[moves[0].from_person or '']} has more work than hours in the week of the deadline; "
                f"{label[moves[0].to_person]} does this work too and has room.",
            )
        )
    return tuple(found)


def report_of_thirty() -> ReportData:
    """Return a report with something of everything.

    Long because it writes both plans and their metrics itself: the report is tested against data, not against the engine.
    """
    firm = firm_of_thirty()
    stuck = tuple(one.id for one in firm.tasks if one.id in {"T-1041", "T-1077", "T-1130", "T-1155"})
    escalated = tuple(escalation(firm, task, ("p01", "p08", "p17") if i else ()) for i, task in enumerate(stuck))
    ready = [one for one in firm.tasks if one.estimate_min is not None and one.id not in stuck]
    held = {one.id: one.assignee for one in ready if one.assignee}
    today = plan_of(firm, held, escalated + tuple(escalation(firm, f"T-{n}", ("p03",)) for n in (1007, 1019)))
    room = {person.id: 0 for person in firm.people}
    for one in ready:
        if one.assignee:
            room[one.assignee] += one.estimate_min or 0
    better = dict(held)
    moves_left = 14
    for one in sorted(ready, key=lambda task: -(task.estimate_min or 0)):
        idlest = min(room, key=lambda person: (room[person], person))
        if one.assignee is None:
            better[one.id] = idlest
            room[idlest] += one.estimate_min or 0
        elif moves_left and room[one.assignee] - room[idlest] > 4_000:
            better[one.id] = idlest
            room[idlest] += one.estimate_min or 0
            room[one.assignee] -= one.estimate_min or 0
            moves_left -= 1
    plan = plan_of(firm, better, escalated)
    return ReportData(
        firm=firm,
        plan=plan,
        today=today.model_copy(
            update={
                "certificate": CERTIFICATE.model_copy(
                    update={"terms": tuple(Term(name=t.name, minutes=2 * t.minutes) for t in CERTIFICATE.terms)}
                )
            }
        ),
        before=metrics_of(firm, today),
        after=metrics_of(firm, plan),
        proposals=proposals_of(firm, today, plan),
        notes=("3 of 203 rows were rejected; see the file of rejects.",),
    )


def empty_plan(firm: Firm) -> Plan:
    """Return the plan of a firm with nothing to plan."""
    return Plan(firm=firm.name, now=NOW, tasks=(), escalations=(), holds=(), flags=(), timetable=(), certificate=PROVEN)


@pytest.fixture(scope="session")
def report() -> ReportData:
    """A report with something of everything."""
    return report_of_thirty()


@pytest.fixture(scope="session")
def empty_report() -> ReportData:
    """The report of a firm without people, clients or tasks."""
    firm = Firm(name="Nobody yet", levels=(Level(name="associate"),))
    nothing = MetricsReport(firm=NOBODY, teams=(), levels=(), people=(), weeks=())
    plan = empty_plan(firm)
    return ReportData(firm=firm, plan=plan, today=plan, before=nothing, after=nothing, proposals=())
