"""A past period of a stored firm, from its history and its decision log, as `scenarios.past` plays it; nothing is written.

Each version of the firm is one event; the decision log says which of them somebody decided, and how. What the engine decided by itself
(arrivals routed, waiting work tried again, a plan's new work placed) causes nothing in a replay: it is kept beside, to be compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from api.store.job_tables import SolveRecord
from api.store.loading import firm_at, load_firm
from api.store.log import By, Entry, EntryKind, entries_between
from api.store.parts import PartKind
from api.store.refusals import NotFound
from api.store.tables import ChangeRecord, ExceptionRecord, FirmRecord, PlanRecord, ProposalRecord, TimeRecord
from api.store.time_sheets import learned_of
from api.store.waiting import KINDS
from scenarios.past import Event, How, Past, Routing, Took, Work
from solver.calendar import local_now
from solver.firm import Firm, Status, Task
from solver.following import moment_of
from solver.plan import Outcome, Plan, Proposal
from solver.refusal import Refusal


class _Change(NamedTuple):
    version: int
    kind: str
    part: str
    document: str | None
    at: datetime


def require_history(session: Session, last: datetime) -> None:
    """Refuse a period that is over before the session's firm was in the database.

    Raises
    ------
    NotFound
        The firm's history does not reach into the period.
    """
    created = session.scalars(select(FirmRecord.created_at)).one()
    if last < created:
        raise NotFound(
            Refusal(
                code="no_history",
                field="to",
                value=last.isoformat(),
                message="is before the firm was in the database",
                nearest=created.isoformat(),
            )
        )


def read_past(session: Session, *, first: datetime, last: datetime, version: int | None = None) -> Past:
    """Return what happened in the session's firm between two moments, both with a zone.

    Parameters
    ----------
    version
        Of the firm, behind which nothing is read, whatever its moment; none: all there is.

    Raises
    ------
    NotFound
        The firm's history does not reach into the period.
    """
    require_history(session, last)
    within = true() if version is None else ChangeRecord.version <= version
    started = _version(session, ChangeRecord.at < first, within) or _first_version(session)
    ended = _version(session, ChangeRecord.at <= last, within)
    entries = entries_between(session, started, ended)
    decided = [one for one in entries if one.task is not None and one.seen.version >= started]
    begins_at, position = moment_of(first), started
    if decided and decided[0].seen.base_version <= started:
        position, begins_at = decided[0].seen.base_version, decided[0].seen.base_at
    reader = _Reader(session, entries, firm_at(session, position, marked=True))
    events = reader.events(position, ended)
    batches = _Batches(session, entries, first, last, position)
    now = load_firm(session) if version is None else firm_at(session, version)
    return Past(
        firm=reader.firm,
        position=position,
        begins_at=begins_at,
        first=first,
        last=last,
        events=tuple(sorted([*events, *batches.events()], key=_order)),
        routings=tuple(_routing(one) for one in entries if one.at >= first and one.at <= last and _is_routing(one)),
        waiting=_waiting(session, first),
        plans=batches.plans,
        offered=batches.offered(),
        places=batches.solves,
        works=tuple(reader.works),
        took={task.id: Took(task.logged_min, task.assignee) for task in now.tasks if _done(task) and task.assignee},
        learned=learned_of(session, as_of=local_now(now, last).date(), version=version),
    )


def _done(task: Task) -> bool:
    return task.status is Status.DONE and task.logged_min > 0


def _order(event: Event) -> tuple[int, int]:
    later = {How.ENDED: 1, How.PLANNED: 2, How.APPLIED: 3}
    return (event.position, later.get(event.how, 0))


def _version(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalars(select(func.max(ChangeRecord.version)).where(*conditions)).one() or 0


def _first_version(session: Session) -> int:
    """Return the version with which the firm was made: its first changes are of one moment."""
    at = session.scalars(select(func.min(ChangeRecord.at))).one()
    return _version(session, ChangeRecord.at == at)


def _is_routing(entry: Entry) -> bool:
    return entry.kind is EntryKind.PLACE or (entry.kind is EntryKind.ASSIGN and entry.decided_by is By.BATCH)


def _routing(entry: Entry) -> Routing:
    outcome = Outcome.PLACED if entry.kind is EntryKind.ASSIGN else Outcome(entry.outcome)
    return Routing(entry.at, str(entry.task), outcome, entry.person, entry.reason)


def _waiting(session: Session, first: datetime) -> dict[str, bool]:
    """Return the holds (true) and escalations (false) that were open at a moment, oldest first."""
    closed = ExceptionRecord.closed_at
    asked = select(ExceptionRecord.task, ExceptionRecord.kind).where(ExceptionRecord.opened_at < first)
    asked = asked.where(or_(closed.is_(None), closed >= first)).order_by(ExceptionRecord.number)
    return {task: kind == KINDS[Outcome.HELD] for task, kind in session.execute(asked)}


@dataclass
class _Reader:
    """Changes of the firm to events, in their order."""

    session: Session
    entries: list[Entry]
    firm: Firm
    works: list[Work] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tasks = {task.id: task for task in self.firm.tasks}
        self.defaults = {kind.id: kind.default_estimate_min or 0 for kind in self.firm.task_types}
        about = (EntryKind.PLACE, EntryKind.ASSIGN)
        self.decided = {(one.seen.version + 1, str(one.task)): one for one in self.entries if one.kind in about}
        self.begins = {one.seen.base_version: one.seen.base_at for one in self.entries if one.task is not None}
        self.proposals = {one.number: one for one in self.entries if one.kind is EntryKind.PROPOSAL}
        self.sizes = Counter(one.document["proposal"] for one in self.entries if "proposal" in one.document)
        self.given: Counter[int] = Counter()
        planned = select(ProposalRecord.id).where(ProposalRecord.plan.is_not(None))
        self.of_plans = frozenset(self.session.scalars(planned))
        times = select(TimeRecord.version, TimeRecord.person, TimeRecord.day)
        self.times = {row.version: row for row in self.session.execute(times)}

    def events(self, after: int, until: int) -> list[Event]:
        """Return one event per change of a task, and one per run of other changes; what managers ended stands between."""
        columns = (ChangeRecord.version, ChangeRecord.kind, ChangeRecord.part, ChangeRecord.document, ChangeRecord.at)
        asked = select(*columns).where(ChangeRecord.version > after, ChangeRecord.version <= until)
        found: list[Event] = []
        run: _Change | None = None
        for change in (_Change(*row) for row in self.session.execute(asked.order_by(ChangeRecord.version))):
            task = change.kind == PartKind.TASK.value
            if run is not None and (task or change.at != run.at):
                found.append(self._became(run))
                run = None
            if task:
                found.append(self._task(change, found[-1] if found else None))
            else:
                run = change
        if run is not None:
            found.append(self._became(run))
        ended = (one for one in self.entries if one.kind is EntryKind.EXCEPTION)
        return [*found, *(_ended(one) for one in ended if one.seen.version >= after)]

    def _became(self, change: _Change) -> Event:
        firm = firm_at(self.session, change.version, marked=True)
        self.defaults = {kind.id: kind.default_estimate_min or 0 for kind in firm.task_types}
        event = Event(change.version, change.at, How.BECAME, firm=firm.model_copy(update={"tasks": ()}))
        return self._marked(event)

    def _task(self, change: _Change, last: Event | None) -> Event:
        before = self.tasks.get(change.part)
        after = None if change.document is None else Task.model_validate_json(change.document)
        if after is None:
            self.tasks.pop(change.part, None)
        else:
            self.tasks[change.part] = after
        bare = Event(change.version, change.at, How.CHANGED, change.part, before, after)
        entry = self.decided.get((change.version, change.part))
        return self._marked(self._undecided(bare) if entry is None else self._by_decision(bare, entry, last))

    def _undecided(self, event: Event) -> Event:
        before, after = event.before, event.after
        if before is None or after is None:
            return replace(event, how=How.GONE if after is None else How.ENTERED)
        time = self.times.get(event.position)
        more_min = after.logged_min - before.logged_min
        if time is not None:
            event = replace(event, day=time.day, person=time.person)
        if more_min > 0:
            self._worked(event, more_min)
        elif before.open and after.status is Status.DONE and not after.logged_min:
            whole_min = before.estimate_min or self.defaults.get(before.type, 0)
            self._worked(replace(event, day=after.completed_on), whole_min)
        return event

    def _worked(self, event: Event, minutes: int) -> None:
        assert event.before is not None
        holder = event.before.assignee
        person, day = event.person or holder, event.day or local_now(self.firm, event.when).date()
        if person is not None and minutes:
            self.works.append(Work(event.task, holder, person, day, minutes))

    def _by_decision(self, event: Event, entry: Entry, last: Event | None) -> Event:
        prices = entry.document.get("prices")
        if entry.kind is EntryKind.PLACE:
            if event.before is None:
                return replace(event, how=How.CAME, asked=entry.asked, plan=prices)
            of_change = last is not None and (last.how, last.task, last.when) == (How.CHANGED, event.task, event.when)
            if "again" in entry.document or entry.decided_by is By.BATCH or of_change:
                return replace(event, how=How.DECIDED)
            return replace(event, how=How.ASKED, asked=entry.asked, plan=prices)
        if entry.decided_by is By.BATCH:
            return replace(event, how=How.DECIDED)
        return self._given(event, entry.document.get("proposal"))

    def _given(self, event: Event, proposal: int | None) -> Event:
        """Return what a manager gave, by hand or by a proposal; what was in a bundle is looked at together, at its end."""
        if proposal is None:
            return replace(event, how=How.GAVE, retries=event.before is not None and event.before.assignee is not None)
        self.given[proposal] += 1
        whole = self.given[proposal] == self.sizes[proposal]
        approval = self.proposals.get(proposal)
        of_plan = approval is not None and approval.outcome == "approved"
        of_plan = of_plan and approval is not None and self.of_plans.issuperset(approval.document["proposals"])
        begins_at = moment_of(event.when) if whole and self.sizes[proposal] > 1 else None
        how = How.APPROVED if of_plan else How.GAVE
        return replace(event, how=how, retries=whole, begins_at=begins_at)

    def _marked(self, event: Event) -> Event:
        """Say where a board began that decisions name; one that began later, with the next event, begins by itself."""
        begins_at = self.begins.get(event.position)
        return event if begins_at is None or begins_at > event.when else replace(event, begins_at=begins_at)


def _ended(entry: Entry) -> Event:
    return Event(entry.seen.version, entry.at, How.ENDED, str(entry.document["task"]))


@dataclass
class _Batches:
    """The plans of a period, and when they were made and applied."""

    session: Session
    entries: list[Entry]
    first: datetime
    last: datetime
    position: int

    def __post_init__(self) -> None:
        asked = select(PlanRecord).where(PlanRecord.at >= self.first, PlanRecord.at <= self.last)
        self.records = list(self.session.scalars(asked.order_by(PlanRecord.at, PlanRecord.id)))
        self.plans = {one.id: Plan.model_validate_json(one.document) for one in self.records}
        solves = select(SolveRecord.id, SolveRecord.planned_at).where(SolveRecord.id.in_(list(self.plans)))
        self.planned_at = {row.id: row.planned_at for row in self.session.execute(solves)}

    @property
    def solves(self) -> frozenset[str]:
        """Plans that the service made and applied itself."""
        return frozenset(self.planned_at)

    def events(self) -> Iterable[Event]:
        """Yield when each plan was made, and when it was applied."""
        began: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.decided_by is By.BATCH:
                began.setdefault(entry.actor.partition(":")[2], entry)
        for one in self.records:
            when = self.planned_at.get(one.id) or one.at
            yield Event(max(one.version, self.position), when, How.PLANNED, plan=one.id)
            if one.id in began:
                version, at = began[one.id].seen.version, began[one.id].at
            else:
                version, at = _version(self.session, ChangeRecord.at <= one.at), one.at
            yield Event(version, at, How.APPLIED, plan=one.id)

    def offered(self) -> Mapping[str, tuple[Proposal, ...]]:
        """Return what each plan proposed: what it began, and what it brought up to date last."""
        made_at = {one.at: one.id for one in self.records}
        found: dict[str, list[Proposal]] = defaultdict(list)
        for row in self.session.scalars(select(ProposalRecord).order_by(ProposalRecord.created_at, ProposalRecord.id)):
            proposal = Proposal.model_validate_json(row.document)
            for plan in dict.fromkeys(one for one in (made_at.get(row.created_at), row.plan) if one in self.plans):
                found[str(plan)].append(proposal)
        return {plan: tuple(some) for plan, some in found.items()}


def days_of(firm: Firm, first: date, last: date) -> tuple[datetime, datetime]:
    """Return the first and the last moment of some local days of a firm."""
    begin = datetime.combine(first, datetime.min.time(), tzinfo=firm.zone)
    return begin, datetime.combine(last, datetime.max.time(), tzinfo=firm.zone)
