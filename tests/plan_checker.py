"""An independent check of a plan against its firm, written from docs/data.md; it shares no code with the solver.

Where docs/data.md leaves a price open (whether a promise of today is on time, whether a review could be), the checker accepts every
reading and nothing else. `cheapest` tries every assignment of a small firm; it takes from the solver who may do a task and its
windows, and nothing else.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import holidays

from solver.firm import Client, Firm, Person, Task, TaskType
from solver.plan import Certificate, Filter, Flag, Plan, PlannedTask, SolveStatus, StopReason
from solver.policy import MissingEstimate, Policy
from tests.firms_for_tests import MONDAY, random_firm

if TYPE_CHECKING:
    from solver.problem import Problem

LONGEST_HORIZON_DAYS = 730
BEYOND_HORIZON_DAYS = 30
"""Work without a promised day is priced as if promised this long after the horizon's end."""

TERM_NAMES = ("escalation", "late", "balance", "moves", "continuity", "level", "mismatch")
Range = tuple[int, int]


def problems(firm: Firm, plan: Plan, now: datetime, leeway: Collection[str] = ()) -> list[str]:
    """Return everything that is wrong with a plan, one sentence each; empty when it is right.

    ``leeway`` names tasks that may be late although somebody could do them in time.
    """
    facts = Facts(firm, plan, now, leeway)
    found = list(_named_once(facts))
    if found:
        return found
    checks: tuple[Callable[[Facts], Iterable[str]], ...] = (
        _heading,
        _who_may,
        _stays,
        _pieces,
        _days,
        _timetable,
        _times,
        _parts_of_days,
        _precedence,
        _flags,
        _escalations,
        _certificate,
        _terms,
        _unavoidable,
    )
    return [sentence for check in checks for sentence in check(facts)]


def ceil_pct(pct: int, minutes: int) -> int:
    """Return a share of minutes rounded up to whole minutes."""
    return -(-pct * minutes // 100)


class Facts:
    """A firm and a plan, looked up by id, with everything docs/data.md derives from them."""

    def __init__(self, firm: Firm, plan: Plan, now: datetime, leeway: Collection[str] = ()) -> None:
        self.firm, self.plan, self.leeway = firm, plan, leeway
        self.now = now if now.tzinfo is None else now.astimezone(firm.zone).replace(tzinfo=None)
        self.today = self.now.date()
        self.people: dict[str, Person] = {person.id: person for person in firm.people}
        self.types: dict[str, TaskType] = {kind.id: kind for kind in firm.task_types}
        self.clients: dict[str, Client] = {client.id: client for client in firm.clients}
        self.tasks: dict[str, Task] = {task.id: task for task in firm.tasks}
        self.reviewed_by: dict[str, list[str]] = defaultdict(list)
        for task in firm.tasks:
            if task.reviews is not None:
                self.reviewed_by[task.reviews].append(task.id)
        self.planned: dict[str, PlannedTask] = {item.task: item for item in plan.tasks}
        self.open = [task for task in firm.tasks if task.open]
        self.held = {task.id for task in self.open if self.is_held(task)}
        self.to_plan = [task for task in self.open if task.id not in self.held]
        self.flagged: dict[str, Filter] = {flag.task: flag.stopped_by for flag in plan.flags}
        self.length = _minute(firm.workday_end) - _minute(firm.workday_start)
        farthest = max([self.today + timedelta(days=firm.policy.horizon_days), *(t.deadline for t in self.open)])
        self.horizon_end = min(farthest, self.today + timedelta(days=LONGEST_HORIZON_DAYS)) + timedelta(
            days=firm.policy.late_tail_days
        )
        self.days = [self.today + timedelta(days=i) for i in range((self.horizon_end - self.today).days + 1)]
        self._whole = self._whole_minutes()
        self.shares: dict[date | None, tuple[int, int, dict[str, int]]] = {}
        self._before = {person: self._running(person) for person in self.people}

    def is_held(self, task: Task) -> bool:
        default = self.types[task.type].default_estimate_min
        held = self.firm.policy.missing_estimate is MissingEstimate.HOLD or default is None
        return task.estimate_min is None and held

    def _whole_minutes(self) -> dict[tuple[str, date], int]:
        calendar = self.firm.holiday_calendar
        years = sorted({day.year for day in self.days})
        public = (
            holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=years)
            if calendar.country
            else {}
        )
        minutes: dict[tuple[str, date], int] = {}
        for person in self.firm.people:
            for day in self.days:
                closed = (day in public or day in calendar.extra) and day not in calendar.worked
                gone = (person.start_date or day) > day or (person.leave_date or day) < day
                minutes[person.id, day] = 0 if closed or gone else self._pattern(person, day)
        return minutes

    def _pattern(self, person: Person, day: date) -> int:
        total = person.weekly_min[day.weekday()]
        for period in self.firm.overtime:
            named = (not period.people or person.id in period.people) and (
                not period.levels or person.level in period.levels
            )
            if named and period.first_day <= day <= period.last_day:
                total += period.extra_min[day.weekday()]
        total = min(total, 1_440)
        for off in self.firm.time_off:
            if off.person == person.id and off.first_day <= day <= off.last_day:
                total -= total if off.minutes_per_day is None else off.minutes_per_day
        for booking in self.firm.bookings:
            if booking.person == person.id and booking.first_day <= day <= booking.last_day:
                total -= booking.minutes_per_day
        return max(total, 0)

    def open_min(self, person: str, day: date, until: int | None = None) -> int:
        """Minutes of a day after now, up to working minute ``until``."""
        whole, end = self._whole[person, day], self.length if until is None else until
        start = 0
        if day == self.today:
            start = min(max(_minute(self.now.time()) - _minute(self.firm.workday_start), 0), self.length)
        return whole * end // self.length - whole * start // self.length if end > start else 0

    def room(self, person: str, first: date, last: date, until: int | None = None) -> int:
        """Open minutes from one day to another, of the last day up to working minute ``until``."""
        start = max((first - self.today).days, 0)
        end = min((last - self.today).days + 1, len(self.days))
        if end <= start:
            return 0
        after_cut = 0
        if until is not None and last <= self.horizon_end:
            after_cut = self.open_min(person, last) - self.open_min(person, last, until)
        return self._before[person][end] - self._before[person][start] - after_cut

    def _running(self, person: str) -> list[int]:
        return list(accumulate((self.open_min(person, day) for day in self.days), initial=0))

    @cached_property
    def working_days(self) -> list[date]:
        return [day for day in self.days if any(self.open_min(person, day) for person in self.people)]

    def cut(self, task: Task) -> int:
        """The full working hour before the time a task is due; the whole day without a time."""
        if task.deadline_time is None:
            return self.length
        elapsed = min(max(_minute(task.deadline_time) - _minute(self.firm.workday_start), 0), self.length)
        return self.length if elapsed == self.length else elapsed - elapsed % 60

    def elapsed(self, clock: time | None, otherwise: int) -> int:
        """The working minute of a time of day."""
        return otherwise if clock is None else _minute(clock) - _minute(self.firm.workday_start)

    def cuts(self, day: date) -> list[int]:
        return sorted({c for t in self.open if t.deadline == day and 0 < (c := self.cut(t)) < self.length})

    def due_day(self, task: Task) -> date | None:
        """The last working day with a minute before the deadline; none when there is none."""
        place = bisect_right(self.working_days, task.deadline)
        on_it = place > 0 and self.working_days[place - 1] == task.deadline
        if on_it and not any(self.open_min(person, task.deadline, self.cut(task)) for person in self.people):
            place -= 1
        return self.working_days[place - 1] if place else None

    @cached_property
    def last_due(self) -> date | None:
        """The last working day before any deadline."""
        return max((due for task in self.to_plan if (due := self.due_day(task)) is not None), default=None)

    @cached_property
    def week_ends(self) -> list[date]:
        """The last working day of each of the next weeks that end before the last deadline."""
        weeks = [day.isocalendar()[:2] for day in self.working_days]
        ends = [
            day for day, (this, after) in zip(self.working_days, pairwise([*weeks, None]), strict=True) if this != after
        ]
        return [day for day in ends if self.last_due is not None and day < self.last_due][
            : self.firm.policy.weights.week_ends
        ]

    def remaining(self, task: Task) -> int:
        estimate = task.estimate_min or self.types[task.type].default_estimate_min or 0
        return max(estimate - task.logged_min, self.firm.policy.remaining_floor_min)

    def efficiency(self, person: str, task: Task) -> int | None:
        skill = self.types[task.type].skill
        return next((cell.efficiency_pct for cell in self.people[person].skills if cell.skill == skill), None)

    def work(self, person: str, task: Task) -> int:
        return ceil_pct(self.efficiency(person, task) or 0, self.remaining(task))

    def need(self, task: Task) -> int:
        kind, guardrail = self.types[task.type], self.firm.policy.guardrail
        needs = [kind.min_level]
        if kind.complexity >= guardrail.complex_from:
            needs.append(guardrail.complex_level)
        if self.clients[task.client].tier.value == "high":
            needs.append(guardrail.high_value_level)
        review = self.types[self.tasks[task.reviews].type].review if task.reviews else None
        if review is not None:
            needs.append(review.min_level)
        return max(self.rank(name) for name in needs)

    def rank(self, level: str | None) -> int:
        return 0 if level is None else [step.name for step in self.firm.levels].index(level)

    def stop(self, person: str, task: Task) -> Filter | None:
        """The first filter that stops a person whatever else they do, the reviewer by work that stays with its person."""
        someone = self.people[person]
        begin = max(self.today, task.release or self.today)
        if self.efficiency(person, task) is None:
            return Filter.SKILL
        if someone.leave_date is not None:
            left = someone.leave_date < begin
            if left or self.room(person, begin, self.horizon_end) < self.work(person, task):
                return Filter.EMPLOYMENT
        if person in self.clients[task.client].barred:
            return Filter.INDEPENDENCE
        if any(self.tasks[o].assignee == person for o in self.piece(task) if not self.tasks[o].open or o in self.held):
            return Filter.REVIEWER
        if self.rank(someone.level) < self.need(task) and task.requested_person != person:
            return Filter.GUARDRAIL
        return None

    def piece(self, task: Task) -> list[str]:
        """The other tasks on the chain of review links, upwards and downwards."""
        found: list[str] = []
        here = task.reviews
        while here is not None:
            found.append(here)
            here = self.tasks[here].reviews
        below = [task.id]
        while below:
            name = below.pop()
            found += self.reviewed_by.get(name, [])
            below += self.reviewed_by.get(name, [])
        return found

    def keeps(self, task: Task) -> bool:
        """Whether the task has a person today who may do it."""
        return task.assignee is not None and task.id not in self.flagged

    def may(self, task: Task) -> list[str]:
        """Everybody who may do a task, hours aside: filters, pins, started work, requests."""
        allowed = [person for person in self.people if self.stop(person, task) is None]
        if _fixed(task) and self.keeps(task):
            return [person for person in allowed if person == task.assignee]
        if task.requested_person is not None:
            return [person for person in allowed if person == task.requested_person]
        return allowed

    def in_time(self, person: str, task: Task) -> bool:
        """Whether the person could do the task on time with nothing else to do."""
        first = task.release or self.today
        return self.room(person, first, task.deadline, self.cut(task)) >= self.work(person, task)

    def strict(self, task: Task) -> bool:
        """Whether a task is new and somebody could do it in time: it is in time, or escalated."""
        new = task.assignee is None and task.requested_person is None and task.id not in self.leeway
        return new and any(self.in_time(person, task) for person in self.may(task))

    def prepared_first(self, task: Task) -> bool:
        """Whether an open preparation must be finished before the task."""
        return task.reviews is not None and self.tasks[task.reviews].open and task.reviews not in self.held

    def factor(self, task: Task) -> int:
        return {"low": 1, "normal": 2, "high": 4, "critical": 8}[task.priority.value]

    def late_price(self, task: Task, promised: date | None) -> int:
        if promised is None and task.deadline > self.horizon_end:
            return 0
        days = ((promised or self.horizon_end + timedelta(days=BEYOND_HORIZON_DAYS)) - task.deadline).days
        weights = self.firm.policy.weights
        per_minute = weights.late_start + weights.late_day * max(days, 0)
        return max(per_minute * self.factor(task) * self.remaining(task), 1)


def _fixed(task: Task) -> bool:
    return task.pinned or task.started


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _named_once(facts: Facts) -> Iterable[str]:
    plan = facts.plan
    named = [item.task for item in plan.tasks] + [x.task for x in plan.escalations] + [x.task for x in plan.holds]
    for task in {task.id for task in facts.open} - set(named):
        yield f"{task} is open and not in the plan"
    for task in set(named):
        if task not in facts.tasks or not facts.tasks[task].open:
            yield f"{task} is in the plan and not open"
        if named.count(task) > 1:
            yield f"{task} is in the plan {named.count(task)} times"
    for person in {item.person for item in plan.tasks} - set(facts.people):
        yield f"{person} is in the plan and not in the firm"
    if {hold.task for hold in plan.holds} != facts.held:
        yield f"held are {sorted(hold.task for hold in plan.holds)} and should be {sorted(facts.held)}"


def _heading(facts: Facts) -> Iterable[str]:
    if facts.plan.firm != facts.firm.name:
        yield f"the plan is of {facts.plan.firm}"
    local = facts.plan.now
    if local.tzinfo is not None:
        local = local.astimezone(facts.firm.zone).replace(tzinfo=None)
    if local != facts.now:
        yield f"the plan is made at {facts.plan.now}"
    for hold in facts.plan.holds:
        if hold.assignee != facts.tasks[hold.task].assignee:
            yield f"{hold.task} is held by {hold.assignee}"


def _who_may(facts: Facts) -> Iterable[str]:
    for item in facts.plan.tasks:
        task = facts.tasks[item.task]
        stop = facts.stop(item.person, task)
        if stop is not None:
            yield f"{item.person} has {item.task} and is stopped by {stop.value}"
        if item.work_min != facts.work(item.person, task):
            yield f"{item.task} takes {item.person} {facts.work(item.person, task)} minutes, not {item.work_min}"
        if item.new != (task.assignee is None):
            yield f"{item.task} is said to be {'new' if item.new else 'old'}"
        if item.moved_from != (task.assignee if task.assignee != item.person else None):
            yield f"{item.task} is said to move from {item.moved_from}"


def _stays(facts: Facts) -> Iterable[str]:
    for item in facts.plan.tasks:
        task = facts.tasks[item.task]
        fixed = _fixed(task) and facts.keeps(task)
        if fixed and item.person != task.assignee:
            yield f"{item.task} is pinned or started and moves from {task.assignee} to {item.person}"
        if not fixed and task.requested_person not in (None, item.person):
            yield f"{item.task} goes to {item.person}, the client asked for {task.requested_person}"


def _pieces(facts: Facts) -> Iterable[str]:
    for item in facts.plan.tasks:
        for other in facts.piece(facts.tasks[item.task]):
            if other in facts.planned and facts.planned[other].person == item.person and item.task < other:
                yield f"{item.person} has {item.task} and {other} of one piece of work"


def _days(facts: Facts) -> Iterable[str]:
    for item in facts.plan.tasks:
        task = facts.tasks[item.task]
        yield from _promise(facts, task, item)
        if item.promised_day is not None and item.earliest_day < max(facts.today, task.release or facts.today):
            yield f"{item.task} may be worked on from {item.earliest_day}, before its release"
        if (item.cause is not None) != item.late:
            yield f"{item.task} is late {item.late} with cause {item.cause}"
        if item.late and facts.strict(task) and not facts.prepared_first(task):
            yield f"{item.task} is new, could be on time and is planned late"


def _promise(facts: Facts, task: Task, item: PlannedTask) -> Iterable[str]:
    promised = item.promised_day
    if promised is None:
        late, days = task.deadline <= facts.horizon_end, None
    else:
        late, days = promised > task.deadline, max((promised - task.deadline).days, 0)
        if promised == task.deadline:
            late = facts.elapsed(item.promised_time, facts.length) > facts.cut(task)
    if promised is not None and not facts.today <= promised <= facts.horizon_end:
        yield f"{item.task} is promised on {promised}, outside the horizon"
    if item.late != late:
        yield f"{item.task} is promised on {promised}, due {task.deadline}, and said to be late {item.late}"
    if days is None:
        days = (facts.horizon_end - task.deadline).days + BEYOND_HORIZON_DAYS if late else 0
    if item.days_late != days:
        yield f"{item.task} is {days} days late, not {item.days_late}"


def _times(facts: Facts) -> Iterable[str]:
    """Times of day are those at which a timed deadline cuts the day."""
    for item in facts.plan.tasks:
        for day, clock in ((item.earliest_day, item.earliest_time), (item.promised_day, item.promised_time)):
            if clock is not None and (day is None or facts.elapsed(clock, 0) not in facts.cuts(day)):
                yield f"{item.task} is said to change at {clock} of {day}, where no deadline cuts the day"


def _timetable(facts: Facts) -> Iterable[str]:
    used: dict[tuple[str, date], int] = defaultdict(int)
    done: dict[str, int] = defaultdict(int)
    seen: set[tuple[str, date, str]] = set()
    finish: dict[str, date] = {}
    for cell in facts.plan.timetable:
        key = (cell.person, cell.day, cell.task)
        item = facts.planned.get(cell.task)
        if item is None or item.person != cell.person or item.promised_day is None or key in seen or cell.minutes <= 0:
            yield f"the timetable has {cell.minutes} minutes of {cell.task} for {cell.person} on {cell.day}"
            continue
        seen.add(key)
        used[cell.person, cell.day] += cell.minutes
        done[cell.task] += cell.minutes
        finish[cell.task] = max(finish.get(cell.task, cell.day), cell.day)
        if not item.earliest_day <= cell.day <= item.promised_day:
            yield f"{cell.task} is worked on {cell.day}, outside {item.earliest_day} to {item.promised_day}"
    for (person, day), minutes in used.items():
        room = facts.open_min(person, day) if facts.today <= day <= facts.horizon_end else 0
        if minutes > room:
            yield f"{person} works {minutes} minutes on {day} and has {room}"
    for item in facts.plan.tasks:
        if item.promised_day is not None and done[item.task] != item.work_min:
            yield f"{item.task} gets {done[item.task]} of {item.work_min} minutes"
        if item.finish_day != finish.get(item.task):
            yield f"{item.task} is finished on {finish.get(item.task)}, not {item.finish_day}"


def _parts_of_days(facts: Facts) -> Iterable[str]:
    """Work that may begin, or must end, within a day has only the minutes of that part of it."""
    worked: dict[tuple[str, date], list[tuple[int, int, int]]] = defaultdict(list)
    for cell in facts.plan.timetable:
        item = facts.planned.get(cell.task)
        if item is not None:
            begin = facts.elapsed(item.earliest_time, 0) if cell.day == item.earliest_day else 0
            end = facts.elapsed(item.promised_time, facts.length) if cell.day == item.promised_day else facts.length
            worked[cell.person, cell.day].append((begin, end, cell.minutes))
    for (person, day), work in worked.items():
        for first in {begin for begin, _, _ in work}:
            for last in {end for _, end, _ in work if end < facts.length or first}:
                minutes = sum(x for begin, end, x in work if first <= begin and end <= last)
                room = max(facts.open_min(person, day, last) - facts.open_min(person, day, first), 0)
                if minutes > room:
                    yield f"{person} has {minutes} minutes between working minute {first} and {last} of {day}, room for {room}"


def _precedence(facts: Facts) -> Iterable[str]:
    begins: dict[str, date] = {}
    for cell in facts.plan.timetable:
        begins[cell.task] = min(begins.get(cell.task, cell.day), cell.day)
    for item in facts.plan.tasks:
        before = facts.planned.get(facts.tasks[item.task].reviews or "")
        if before is None or item.task not in begins:
            continue
        if before.finish_day is None or before.promised_day is None:
            yield f"{item.task} is worked on and {before.task}, which it reviews, is not"
            continue
        begin = (item.earliest_day, facts.elapsed(item.earliest_time, 0))
        end = (before.promised_day, facts.elapsed(before.promised_time, facts.length))
        following = begin >= end or (end[1] == facts.length and begin[0] > end[0])
        if not following or begins[item.task] < before.finish_day:
            yield f"{item.task} begins on {begins[item.task]}, {before.task}, which it reviews, ends on {before.finish_day}"


def _flags(facts: Facts) -> Iterable[str]:
    for flag in facts.plan.flags:
        task = facts.tasks.get(flag.task)
        if task is None or task.assignee != flag.person or task.id in facts.held:
            yield f"{flag.task} is flagged with {flag.person}"
            continue
        stop = facts.stop(flag.person, task)
        others = [facts.tasks[other] for other in facts.piece(task)]
        wished = task.requested_person not in (None, task.assignee) and not _fixed(task)
        if flag.stopped_by is Filter.REQUEST:
            if stop is not None or not wished:
                yield f"{flag.task} is flagged by request, and {flag.person} is stopped by {stop}"
        elif stop in (None, Filter.GUARDRAIL) and flag.stopped_by is Filter.REVIEWER:
            if not any(other.open and other.assignee == flag.person for other in others):
                yield f"{flag.task} is flagged and {flag.person} does nothing else of the piece"
        elif stop is not flag.stopped_by:
            yield f"{flag.task} is flagged by {flag.stopped_by.value}, and {flag.person} is stopped by {stop}"
        elif flag.task in facts.planned and facts.planned[flag.task].person == flag.person:
            yield f"{flag.task} stays with {flag.person}, who may not do it"
    for task in facts.to_plan:
        if task.assignee is not None and facts.stop(task.assignee, task) and task.id not in facts.flagged:
            yield f"{task.assignee} may not do {task.id} and there is no flag"


def _escalations(facts: Facts) -> Iterable[str]:
    for lost in facts.plan.escalations:
        task = facts.tasks[lost.task]
        if facts.keeps(task) and (_fixed(task) or task.requested_person in (None, task.assignee)):
            yield f"{lost.task} is escalated and {task.assignee} may do it"
        may = facts.may(task)
        taken = {facts.planned[o].person for o in facts.piece(task) if o in facts.planned}
        if {candidate.person for candidate in lost.qualified} != set(may) - taken:
            yield f"{lost.task} may be done by {may}, not by {[c.person for c in lost.qualified]}"
        if lost.unavoidable and any(facts.in_time(person, task) for person in may) and not facts.prepared_first(task):
            yield f"{lost.task} is said to be unavoidable and may be done by {may}"
        if not lost.unavoidable and not may:
            yield f"{lost.task} is said to be avoidable and nobody may do it"


def _certificate(facts: Facts) -> Iterable[str]:
    paper = facts.plan.certificate
    if tuple(term.name for term in paper.terms) != TERM_NAMES:
        yield f"the terms are {[term.name for term in paper.terms]}"
    if sum(term.minutes for term in paper.terms) != paper.objective_min + paper.unavoidable_min:
        yield "the terms do not add up to the objective and the unavoidable part"
    if not 0 <= paper.bound_min <= paper.objective_min:
        yield f"the bound is {paper.bound_min}, the objective {paper.objective_min}"
    if paper.objective_min > paper.rule_objective_min:
        yield f"the objective {paper.objective_min} is above the rule's {paper.rule_objective_min}"
    missing = paper.objective_min - paper.bound_min
    gap = 100 * missing / paper.objective_min if missing else 0.0
    if abs(paper.gap_pct - gap) > 1e-4:
        yield f"the gap is {gap}, not {paper.gap_pct}"
    if (paper.status is SolveStatus.OPTIMAL) != (missing <= 0):
        yield f"the status is {paper.status.value} with {missing} minutes between objective and bound"


def _terms(facts: Facts) -> Iterable[str]:
    said = {term.name: term.minutes for term in facts.plan.certificate.terms}
    for name, right in terms(facts).items():
        if said.get(name) not in right:
            yield f"{name} is {sorted(right) if len(right) < 5 else right}, not {said.get(name)}"


def terms(facts: Facts) -> dict[str, set[int] | range]:
    """Return every value that each term of the objective may have."""
    placed = [(facts.tasks[item.task], item) for item in facts.plan.tasks]
    return {
        "escalation": _escalation_prices(facts),
        "late": {sum(facts.late_price(task, item.promised_day) for task, item in placed if item.late)},
        "balance": _balance(facts),
        "moves": {sum(_move(facts, task, item) for task, item in placed)},
        "continuity": {sum(_continuity(facts, task, item) for task, item in placed)},
        "level": {sum(_level(facts, task, item) for task, item in placed)},
        "mismatch": {sum(_mismatch(facts, task, item) for task, item in placed)},
    }


def _escalation_prices(facts: Facts) -> set[int]:
    sums = {0}
    for lost in facts.plan.escalations:
        sums = {total + price for total in sums for price in _escalation(facts, facts.tasks[lost.task])}
    return sums


def _escalation(facts: Facts, task: Task) -> set[int]:
    base = facts.firm.policy.weights.escalation * facts.factor(task) * facts.remaining(task)
    dearest = base + (0 if task.deadline > facts.horizon_end else facts.late_price(task, None))
    if not facts.strict(task):
        return {dearest}
    return {base, dearest} if facts.prepared_first(task) else {base}


def _move(facts: Facts, task: Task, item: PlannedTask) -> int:
    weights = facts.firm.policy.weights
    if item.person == task.assignee or not facts.keeps(task):
        return 0
    soon = (task.deadline - facts.today).days <= weights.soon_days
    return weights.move + (weights.move_soon if soon else 0)


def _continuity(facts: Facts, task: Task, item: PlannedTask) -> int:
    usual = facts.clients[task.client].usual_person
    return facts.firm.policy.weights.continuity if usual not in (None, item.person) else 0


def _level(facts: Facts, task: Task, item: PlannedTask) -> int:
    above = facts.rank(facts.people[item.person].level) - facts.need(task) - 1
    return ceil_pct(facts.firm.policy.weights.level_above_pct * max(above, 0), item.work_min)


def _mismatch(facts: Facts, task: Task, item: PlannedTask) -> int:
    skill = facts.types[task.type].skill
    return sum(cell.mismatch_min for cell in facts.people[item.person].skills if cell.skill == skill)


def _balance(facts: Facts) -> range:
    """From the least to the most the balance may cost; both are the same where nothing is left open."""
    lows, highs = (
        zip(*(_imbalance(facts, person) for person in facts.people), strict=True) if facts.people else ((), ())
    )
    return range(sum(lows), sum(highs) + 1)


def _imbalance(facts: Facts, person: str) -> Range:
    weights = facts.firm.policy.weights
    low = high = 0
    for column, end in enumerate([None, *facts.week_ends]):
        load = sum(
            item.work_min
            for item in facts.plan.tasks
            if item.person == person and (end is None or (item.promised_day is not None and item.promised_day <= end))
        )
        least, most = fair_share(facts, person, end)
        near = max(least - load, load - most, 0)
        away = max(abs(load - least), abs(load - most))
        pct = weights.week_balance_pct if column else weights.balance_pct
        low, high = low + pct * near, high + pct * away
        if column == 0:
            far = weights.far_from_share_pct
            low += weights.balance_far_pct * max(near - most * far // 100, 0)
            high += weights.balance_far_pct * max(away - least * far // 100, 0)
    return -(-low // 100), -(-high // 100)


def fair_share(facts: Facts, person: str, end: date | None) -> Range:
    """Return the least and the most fair share of a person, of all work or of the work due by the end of a day."""
    least, most, meant = _shared(facts, end)
    whole = max(sum(meant.values()), 1)
    return least * meant[person] // whole, most * meant[person] // whole


def _shared(facts: Facts, end: date | None) -> tuple[int, int, dict[str, int]]:
    """The work to be shared, at least and at most, and everybody's key to it."""
    if end not in facts.shares:
        counted = [t for t in facts.to_plan if end is None or (d := facts.due_day(t)) is None or d <= end]
        work = [_usual_minutes(facts, task) for task in counted]
        meant = {name: _meant(facts, name, end) for name in facts.people}
        facts.shares[end] = sum(low for low, _ in work), sum(high for _, high in work), meant
    return facts.shares[end]


def _meant(facts: Facts, person: str, end: date | None) -> int:
    """Open minutes up to the last deadline, or to a week end, times target utilisation."""
    until = None
    if end is None:
        end = facts.last_due
        cuts = [facts.cut(task) for task in facts.to_plan if task.deadline == end]
        later = [task for task in facts.to_plan if end is not None and task.deadline > end]
        until = max(cuts) if cuts and not later else None
    if end is None:
        return 0
    someone = facts.people[person]
    target = someone.target_utilisation_pct
    if target is None:
        target = next(step.target_utilisation_pct for step in facts.firm.levels if step.name == someone.level)
    return facts.room(person, facts.today, end, until) * target


def _usual_minutes(facts: Facts, task: Task) -> Range:
    """Mean minutes of those who may do a task: of all of them, of those who can be on time, or either where that is open."""
    may = facts.may(task)
    timely = [person for person in may if facts.in_time(person, task)]
    everybody, punctual = _mean(facts, task, may), _mean(facts, task, timely)
    if task.id in facts.planned and facts.planned[task.id].late:
        return everybody, everybody
    if facts.keeps(task):
        either = [everybody, punctual]
    else:
        either = [punctual if facts.strict(task) else everybody]
    if facts.prepared_first(task):
        either += [everybody, *(facts.work(person, task) for person in may)]
    return min(either), max(either)


def _mean(facts: Facts, task: Task, people: list[str]) -> int:
    return sum(facts.work(person, task) for person in people) // max(len(people), 1)


def _unavoidable(facts: Facts) -> Iterable[str]:
    """The unavoidable part is at least what each task costs alone to the day, and at most what this plan pays for the same."""
    said = {term.name: term.minutes for term in facts.plan.certificate.terms}
    least = sum(_alone(facts, task) for task in facts.to_plan)
    most = said.get("escalation", 0) + said.get("late", 0)
    if not least <= facts.plan.certificate.unavoidable_min <= most:
        yield f"unavoidable is {facts.plan.certificate.unavoidable_min}, outside {least} to {most}"


def _alone(facts: Facts, task: Task) -> int:
    """The least price of a task if it were the firm's only one."""
    may = facts.may(task)
    if not may:
        return 0 if facts.keeps(task) else min(_escalation(facts, task))
    if task.deadline > facts.horizon_end or any(facts.in_time(person, task) for person in may):
        return 0
    first = max(task.release or facts.today, facts.today)
    days = [day for day in facts.working_days if day >= task.deadline and day >= first]
    soonest = (d for d in days if any(facts.room(p, first, d) >= facts.work(p, task) for p in may))
    return facts.late_price(task, next(soonest, None))


class Choice(NamedTuple):
    """One thing that may happen to a task: a person, slots and a promised day, or nobody."""

    person: str | None
    release: int
    due: int
    work_min: int
    promised: date | None
    price: int


class Best(NamedTuple):
    """The least objective of any assignment, unavoidable part included, of how many that keep every rule, and by moves made."""

    objective_min: int
    feasible: int
    by_moves: dict[int, int]


def tiny_firm(seed: int) -> Firm:
    """Return two or three people with up to five tasks due within two weeks; no client asks for anybody."""
    rng = random.Random(seed)
    base = random_firm(seed, people=rng.randint(2, 3), tasks=rng.randint(2, 5), load=rng.choice((0.15, 0.3, 0.6)))
    tasks = []
    for one in base.tasks:
        deadline = min(one.deadline, MONDAY + timedelta(days=9))
        update: dict[str, object] = {
            "requested_person": None,
            "deadline": deadline,
            "release": one.release and min(one.release, deadline),
            "deadline_time": time(12, 0) if rng.random() < 0.2 else None,
        }
        tasks.append({**dict(one), **update})
    policy = Policy(horizon_days=1, late_tail_days=rng.choice((2, 9)))
    return Firm.model_validate({**dict(base), "tasks": tasks, "policy": policy})


def assignments(problem: Problem) -> int:
    """Return how many assignments `cheapest` would look at, rules aside."""
    counts = (int(problem.allowed[t].sum()) * len(problem.windows_of(t)) + 1 for t in range(problem.task_count))
    return prod(counts)


def cheapest(problem: Problem) -> Best:
    """Try every assignment of a small problem, each judged by the checker's own prices and by an hour-by-hour simulation."""
    return _Enumeration(problem).best()


def done_in_time(open_min: list[int], jobs: Iterable[tuple[int, int, int]]) -> bool:
    """Whether jobs ``(release, due, minutes)`` are done in time when each slot goes to the most urgent released one."""
    left = [[release, due, minutes] for release, due, minutes in jobs]
    for slot, room in enumerate(open_min):
        for job in sorted((job for job in left if job[0] <= slot), key=lambda job: job[1]):
            used = min(room, job[2])
            job[2] -= used
            room -= used
        if any(job[1] <= slot and job[2] for job in left):
            return False
    return True


class _Enumeration:
    def __init__(self, problem: Problem) -> None:
        board = problem.board
        self.problem, self.count = problem, board.axis.count
        self.tasks = list(board.tasks)
        self.facts = Facts(board.firm, _bare_plan(problem), board.now)
        self.open_min = {p.id: board.open_min[i].tolist() for i, p in enumerate(board.firm.people)}
        self.choices = [self._choices(t) for t in range(len(self.tasks))]
        self.shares = {person.id: self._share(i) for i, person in enumerate(board.firm.people)}
        self.timely: dict[tuple[str, frozenset[tuple[int, Choice]]], bool] = {}
        self.least: int | None = None
        self.feasible = 0
        self.by_moves: dict[int, int] = {}

    def best(self) -> Best:
        self._extend({})
        if self.least is None:
            raise AssertionError("no assignment keeps every rule")
        return Best(self.least, self.feasible, self.by_moves)

    def _share(self, row: int) -> list[int]:
        person, said = self.facts.firm.people[row].id, self.problem.balance.share_min[row].tolist()
        for column, end in enumerate([None, *self.facts.week_ends]):
            least, most = fair_share(self.facts, person, end)
            assert least <= said[column] <= most, f"fair share of {person} is {said[column]}"
        return [int(minutes) for minutes in said]

    def _choices(self, t: int) -> list[Choice]:
        task, problem = self.tasks[t], self.problem
        found: list[Choice] = []
        if problem.may_escalate[t]:
            assert not self.facts.keeps(task), f"{task.id} may be escalated and has a person"
            price = int(problem.escalation_min[t])
            assert price in _escalation(self.facts, task)
            found.append(Choice(None, -1, -1, 0, None, price))
        for p, person in enumerate(self.facts.firm.people):
            for w in problem.windows_of(t) if problem.allowed[t, p] else ():
                found.append(self._placed(t, person.id, int(problem.release[w]), int(problem.due[w])))
        return found

    def _placed(self, t: int, person: str, release: int, due: int) -> Choice:
        task, axis = self.tasks[t], self.problem.board.axis
        day = axis.days[due] if due < self.count else None
        work = self.facts.work(person, task)
        late = day is None or day > task.deadline or (day == task.deadline and axis.ends[due] > self.facts.cut(task))
        item = PlannedTask(
            task=task.id,
            person=person,
            work_min=work,
            earliest_day=self.facts.today,
            promised_day=day,
            finish_day=None,
            late=late,
            days_late=0,
            cause=None,
            moved_from=None,
            new=task.assignee is None,
        )
        price = self.facts.late_price(task, day) if late else 0
        price += sum(term(self.facts, task, item) for term in (_move, _continuity, _level, _mismatch))
        return Choice(person, release, due, work, day, price)

    def _extend(self, chosen: dict[int, Choice]) -> None:
        t = len(chosen)
        if t == len(self.tasks):
            self.feasible += 1
            cost = sum(choice.price for choice in chosen.values()) + self._imbalance(chosen)
            self.least = cost if self.least is None else min(cost, self.least)
            moves = sum(self._moved(t, choice) for t, choice in chosen.items())
            self.by_moves[moves] = min(cost, self.by_moves.get(moves, cost))
            return
        for choice in self.choices[t]:
            if self._keeps_rules(chosen, t, choice):
                self._extend({**chosen, t: choice})

    def _moved(self, t: int, choice: Choice) -> bool:
        return self.facts.keeps(self.tasks[t]) and choice.person != self.tasks[t].assignee

    def _keeps_rules(self, chosen: dict[int, Choice], t: int, choice: Choice) -> bool:
        if choice.person is None:
            return True
        piece = set(self.facts.piece(self.tasks[t]))
        for other, theirs in chosen.items():
            if self.tasks[other].id in piece and theirs.person == choice.person:
                return False
            if theirs.person is None:
                continue
            if self.tasks[t].reviews == self.tasks[other].id and choice.release <= theirs.due < self.count:
                return False
            if self.tasks[t].reviews == self.tasks[other].id and theirs.due == self.count > choice.release:
                return False
            if (
                self.tasks[other].reviews == self.tasks[t].id
                and theirs.release < self.count
                and theirs.release <= choice.due
            ):
                return False
        mine = frozenset((i, c) for i, c in {**chosen, t: choice}.items() if c.person == choice.person)
        key = (choice.person, mine)
        if key not in self.timely:
            jobs = [(c.release, c.due, c.work_min) for _, c in mine if c.due < self.count]
            self.timely[key] = done_in_time(self.open_min[choice.person], jobs)
        return self.timely[key]

    def _imbalance(self, chosen: dict[int, Choice]) -> int:
        weights, total = self.facts.firm.policy.weights, 0
        for person, share in self.shares.items():
            mine = [choice for choice in chosen.values() if choice.person == person]
            loads = [sum(c.work_min for c in mine)]
            loads += [sum(c.work_min for c in mine if c.promised and c.promised <= end) for end in self.facts.week_ends]
            away = [abs(load - fair) for load, fair in zip(loads, share, strict=True)]
            far = max(away[0] - share[0] * weights.far_from_share_pct // 100, 0)
            parts = (
                weights.balance_pct * away[0] + weights.balance_far_pct * far + weights.week_balance_pct * sum(away[1:])
            )
            total += -(-parts // 100)
        return total


def _bare_plan(problem: Problem) -> Plan:
    """A plan that says nothing but who may not go on with what they hold."""
    board = problem.board
    holders = {task.id: str(task.assignee) for task in board.tasks}
    return Plan(
        firm=board.firm.name,
        now=board.now,
        tasks=(),
        escalations=(),
        holds=(),
        flags=tuple(
            Flag(task=name, person=holders[name], stopped_by=stop, reason="") for name, stop in board.flagged.items()
        ),
        timetable=(),
        certificate=Certificate(
            status=SolveStatus.FEASIBLE,
            objective_min=0,
            bound_min=0,
            gap_pct=0.0,
            unavoidable_min=0,
            terms=(),
            rule_objective_min=0,
            stop_reason=StopReason.WORK,
            seed=0,
            work_units=0.0,
            versions={},
        ),
    )
