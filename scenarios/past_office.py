"""A past period played again under other terms: the record's events in their order, every decision of the engine made anew.

Boards begin where those of the record began and follow the same changes (`solver.following`), so that under the policy in force every
decision comes out as recorded: that is the control. Under other terms the rest follows from rules that are stated here once:

* what the world does (arrivals, estimates, deadlines, the calendar) happens as it happened, when it happened;
* who kept their work did it when they did it: time, completion. Work that the record has with somebody else is done by whoever has it
  now, earliest promise first, in the hours that the day leaves beside what they did anyway, and takes what it took, times
  how fast the one is beside the other; work that nobody did takes its estimate times what the time sheets say of it;
* what managers did by hand they do again where the task stands as it stood: with the same person, or with nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from scenarios.approvals import Approvals
from scenarios.past import Event, How, Routing
from scenarios.past_batches import Batches
from scenarios.past_outcome import NotRepeated
from solver.board import compile_board
from solver.calendar import day_list, local_now
from solver.firm import Status, Task
from solver.following import base_stands, follow, moment_of, needs_compiling
from solver.ledger import Ledger
from solver.plan import Outcome
from solver.routing import RULE, Policy, dry_run
from solver.waiting import TRIED_AT_ONCE, may_be_routed, urgency

WORKED = ("logged_min", "status", "completed_on")
"""Fields of a task that say what its person did."""


@dataclass
class PastOffice(Batches):
    """The firm as it stands in a replayed period."""

    escalated: dict[str, datetime] = field(init=False, default_factory=dict)
    not_repeated: list[NotRepeated] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count = len(self.waiting)
        self.begin(self.past.begins_at)

    def play(self) -> None:
        """Let everything happen."""
        clock = self._clock()
        tick = next(clock, None)
        for event in self.past.events:
            while tick is not None and tick[0] <= event.when:
                self._tick(*tick)
                tick = next(clock, None)
            self._happen(event)
        while tick is not None:
            self._tick(*tick)
            tick = next(clock, None)

    # The clock

    def _clock(self) -> Iterator[tuple[datetime, str, date]]:
        """Yield nights, mornings and evenings of the period in their order."""
        firm, past = self.base, self.past
        night = time(firm.policy.cadence.nightly_hour)
        for day in day_list(local_now(firm, past.first).date(), local_now(firm, past.last).date()):
            ticks = [(firm.workday_start, "morning"), (firm.workday_end, "evening")]
            if self.terms.night_weekdays is not None and day.weekday() in self.terms.night_weekdays:
                ticks.append((night, "night"))
            for at, what in sorted(ticks):
                when = datetime.combine(day, at, tzinfo=firm.zone)
                if past.first <= when <= past.last:
                    yield when, what, day

    def _tick(self, when: datetime, what: str, day: date) -> None:
        self.when = when
        if what == "night":
            self.begin(moment_of(when))
            self.plan_batch(f"night of {day}", None, when)
            self.apply_batch(f"night of {day}", places=True)
        elif what == "morning":
            board = compile_board(self.firm(), now=when)
            if board.axis.count and board.axis.first_day == day:
                self.measure(board)
        else:
            self.evening(day)

    # What happens

    def _happen(self, event: Event) -> None:
        self.when, self.position = event.when, event.position
        if event.when < self.past.first:
            self._take(event)
            return
        if not base_stands(self._base_at, event.position - self._base_position, now=event.when):
            self.position -= 1 if event.before is not None or event.after is not None or event.firm is not None else 0
            self.begin(moment_of(event.when))
            self.position = event.position
        act = getattr(self, f"_{event.how.value}")
        act(event)
        self._remember(event)

    def _take(self, event: Event) -> None:
        """Take over what happened before the period, as it was."""
        if event.firm is not None:
            self.base = self.terms.applied_to(event.firm)
            self.begin(event.begins_at or moment_of(event.when))
        elif event.after is not None:
            self.tasks[event.task] = event.after
            self._follow(event.after)
        elif event.how is How.GONE:
            self.tasks.pop(event.task, None)
            self.begin(event.begins_at or moment_of(event.when))
        self._marked(event)
        self._remember(event)

    def _remember(self, event: Event) -> None:
        if event.how in (How.ENDED, How.PLANNED, How.APPLIED, How.BECAME):
            return
        if event.after is None:
            self.recorded.pop(event.task, None)
        else:
            self.recorded[event.task] = event.after

    def _marked(self, event: Event) -> None:
        """Begin the board anew where the record's did."""
        if event.begins_at is not None and (self._base_position, self._base_at) != (event.position, event.begins_at):
            self.begin(event.begins_at)

    def _came(self, event: Event) -> None:
        assert event.asked is not None
        self.route(event.asked, self.policy_of(event))
        self._marked(event)

    def _entered(self, event: Event) -> None:
        assert event.after is not None
        self.tasks[event.task] = event.after
        self.begin(moment_of(event.when))
        self._marked(event)

    def _gone(self, event: Event) -> None:
        self.tasks.pop(event.task, None)
        self.waiting.pop(event.task, None)
        self.begin(moment_of(event.when))
        self._marked(event)
        self.retry()

    def _became(self, event: Event) -> None:
        assert event.firm is not None
        self.base = self.terms.applied_to(event.firm)
        self.begin(moment_of(event.when))
        self._marked(event)
        self.retry()

    def _ended(self, event: Event) -> None:
        self.waiting.pop(event.task, None)

    def _decided(self, event: Event) -> None:
        """Nothing: the engine decides here by itself."""
        self._marked(event)

    def _changed(self, event: Event) -> None:
        mine = self.tasks.get(event.task)
        if mine is None or event.before is None or event.after is None:
            return
        after = self._with_facts(event, mine, event.before, event.after)
        if after != mine:
            self.keep(mine, after)
        self._marked(event)
        waits = self.waiting.get(event.task)
        if after.open and after.assignee is None and waits is not None:
            if may_be_routed(self.board, after, held=waits[0]):
                self.route(after, RULE)
        elif mine.open and not after.open and mine.assignee is not None:
            self.retry()

    def _asked(self, event: Event) -> None:
        mine = self.tasks.get(event.task)
        if mine is None or event.before is None or event.asked is None:
            return
        after = self._with_facts(event, mine, event.before, event.asked)
        if after.open and after.assignee is None:
            self.route(after, self.policy_of(event))
        elif after != mine:
            self.keep(mine, after)
        self._marked(event)

    def _gave(self, event: Event) -> None:
        self._hand_over(event)

    def _approved(self, event: Event) -> None:
        before, after = event.before, event.after
        if self.terms.approvals is not Approvals.AS_THEY_DID or before is None or after is None:
            return
        if (event.task, before.assignee, after.assignee) in self.offered:
            self.approved += self._hand_over(event)
        else:
            self._leave_out(event.task, f"the approved move to {self._label(after.assignee)} is not proposed here")

    def _planned(self, event: Event) -> None:
        if self.terms.night_weekdays is None and event.plan is not None:
            self.plan_batch(event.plan, self.past.plans.get(event.plan), event.when)

    def _applied(self, event: Event) -> None:
        if self.terms.night_weekdays is None and event.plan is not None:
            self.apply_batch(event.plan, places=event.plan in self.past.places)

    # Facts and hands

    def _with_facts(self, event: Event, mine: Task, before: Task, after: Task) -> Task:
        """Return a task of the replay with what became otherwise in the record; what its person did counts where it is the same."""
        fields: dict[str, Any] = {
            name: getattr(after, name)
            for name in Task.model_fields
            if getattr(before, name) != getattr(after, name) and name != "assignee"
        }
        same_hands = mine.assignee == before.assignee
        if after.status is Status.CANCELLED and mine.open:
            same_hands = True  # nobody's work: the client does not want it any more
        if not same_hands:
            fields = {name: value for name, value in fields.items() if name not in WORKED}
        elif "logged_min" in fields:
            more_min = after.logged_min - before.logged_min
            fields["logged_min"] = max(mine.logged_min + more_min, 0)
            self.count_work(event.person or mine.assignee, event.day, more_min)
        if same_hands and fields.get("status") is Status.DONE and not (mine.logged_min or fields.get("logged_min")):
            self.count_work(mine.assignee, after.completed_on, round(self.takes_min(mine, mine.assignee)))
        if before.assignee != after.assignee and event.how is How.CHANGED:
            if same_hands:
                fields["assignee"] = after.assignee
            else:
                self._leave_out(
                    mine.id,
                    f"another system gives it to {self._label(after.assignee)}, and it is with {self._label(mine.assignee)}",
                )
        return Task.model_validate({**dict(mine), **fields}) if fields else mine

    def keep(self, before: Task, after: Task, *, ledger: Ledger | None = None) -> None:
        """Have a task as it is from now on."""
        self.tasks[after.id] = after
        self.changed_at[after.id] = self.position
        if not after.open or after.assignee is not None:
            self.waiting.pop(after.id, None)
        if needs_compiling(before, after):
            self.begin(moment_of(self.when))
        else:
            self._follow(after, ledger)

    def _hand_over(self, event: Event) -> bool:
        """Give a task as a manager did, where it stands as it stood; return whether that was so."""
        mine, before, after = self.tasks.get(event.task), event.before, event.after
        if mine is None or before is None or after is None or not mine.open or mine.assignee != before.assignee:
            here = "gone" if mine is None else "done" if not mine.open else f"with {self._label(mine.assignee)}"
            to = self._label(None if after is None else after.assignee)
            self._leave_out(event.task, f"a manager gives it to {to}, and it is {here}")
            return False
        self.keep(mine, mine.model_copy(update={"assignee": after.assignee, "pinned": after.pinned}))
        self._marked(event)
        if event.retries:
            self.retry()
        return True

    def _label(self, person: str | None) -> str:
        found = self.board.staff.row.get(person or "")
        return "nobody" if found is None else self.board.firm.people[found].label

    def _leave_out(self, task: str, why: str) -> None:
        self.not_repeated.append(NotRepeated(self.when, task, why))

    # Deciding

    def route(self, task: Task, policy: Policy) -> None:
        """Decide who gets a task; who gets none waits."""
        ledger = self.board.ledger
        answer = dry_run(self.board, task, policy=policy)
        after = task.model_copy(update={"assignee": answer.person})
        self.routings.append(Routing(self.when, task.id, answer.outcome, answer.person, answer.reason))
        if answer.outcome is Outcome.ESCALATED:
            self.escalated.setdefault(task.id, self.when)
        before = self.tasks.get(task.id, after)
        self.keep(before, after, ledger=ledger)
        if answer.person is None:
            held, there = answer.outcome is Outcome.HELD, self.waiting.get(task.id)
            if there is None or there[0] != held:
                self.waiting.pop(task.id, None)
                self._count += 1
                self.waiting[task.id] = (held, self._count)

    def retry(self) -> None:
        """Route again what waits and has a place now, most urgent first."""
        found = [(self.tasks[id], held, number) for id, (held, number) in self.waiting.items() if id in self.tasks]
        found = [one for one in found if one[0].open and one[0].assignee is None]
        found.sort(key=lambda one: urgency(one[0], one[2]))
        for task, held, _ in found[:TRIED_AT_ONCE]:
            if may_be_routed(self.board, task, held=held):
                self.route(task, self.own_policy())

    def begin(self, moment: datetime) -> None:
        """Compile the firm as it stands."""
        self._base_position, self._base_at = self.position, moment
        self.board = compile_board(self.firm(), now=moment)

    def _follow(self, task: Task, ledger: Ledger | None = None) -> None:
        ledger = self.board.ledger if ledger is None else ledger
        if not (follow(self.board, task.id, task) and self.board.ledger is ledger):
            self.begin(moment_of(self.when))
