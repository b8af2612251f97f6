"""What may be done in a firm's turn: each operation is decided on the board, written, logged and told, or not at all.

A turn is one transaction (`api.store.turns`). An operation that refuses before it has touched anything may be caught, and the turn
goes on; after any other error the turn can only be rolled back, and the board it used is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select

from api.store.deciding import Decided, Deciding, check_version, refused
from api.store.draft import table_of
from api.store.log import By, EntryKind, canonical
from api.store.names import without_names
from api.store.parts import PARTS, PartKind, part_of, settings_of
from api.store.pricing import Prices
from api.store.proposal_states import supersede, supersede_moved
from api.store.refusals import not_found, referred_to, taken
from api.store.saving import put, put_settings, referring_to, remove, save_firm
from api.store.tables import AnswerRecord, ExceptionRecord, TimeRecord
from api.store.waiting import Waits, close, close_one, waiting_tasks, waits
from solver.firm import Firm, Task
from solver.following import needs_compiling
from solver.policy import Frozen
from solver.waiting import may_be_routed

_ANSWERS = table_of(AnswerRecord)
_ANSWER = select(_ANSWERS.c.fingerprint, _ANSWERS.c.answer).where(
    _ANSWERS.c.firm_id == bindparam("firm"), _ANSWERS.c.key == bindparam("key")
)


class Turn(Deciding):
    """One firm's turn. Made by `api.store.turns.Turns`, which commits it."""

    # Tasks

    def place(self, task: Task, *, by: By = By.RULE, prices: Prices | None = None) -> Decided:
        """Take a new task in and route it, by the rule or by a plan's prices.

        Raises
        ------
        Taken
            The firm has, or had, a task with this id.
        Refused
            The task names what the firm does not have, has a person already, or needs no work.
        """
        if task.assignee is not None:
            raise refused("assignee", task.assignee, "has it already, and routing would ask who", "Maybe use `add`.")
        if self.has_task(task.id):
            raise taken("task", task.id)
        return self.route(task, None, by, prices)

    def place_again(
        self,
        id: str,
        /,
        *,
        by: By = By.RULE,
        prices: Prices | None = None,
        expected: int | None = None,
        again: str | None = None,
        **fields: Any,
    ) -> Decided:
        """Route a task that waits, with some fields changed: a hold whose estimate came, an escalation tried again.

        Parameters
        ----------
        again
            Why now, where it was not asked for: for the log and the world.
        """
        stored, task = self.stored_task(id, expected)
        if task.assignee is not None:
            raise refused("assignee", task.assignee, "has it already", "Maybe use `assign`.")
        return self.route(self.with_fields(task, fields), stored, by, prices, again)

    def assign(
        self,
        id: str,
        person: str | None,
        *,
        reason: str,
        by: By = By.MANAGER,
        pinned: bool | None = None,
        expected: int | None = None,
    ) -> Decided:
        """Give an open task to a person, or to nobody, whatever the rule says; what it said is logged beside."""
        stored, task = self.stored_task(id, expected)
        decided = self.give(stored, task, person, by=by, reason=reason, pinned=pinned)
        if task.assignee is not None:
            self.retry(f"{id} was given to another" if person is not None else f"{id} was taken from its person")
        return decided

    def hand_over(
        self, given: Sequence[tuple[str, str | None]], *, reason: str, proposal: int | None = None
    ) -> tuple[Decided, ...]:
        """Give several open tasks to others as one decision of a manager; each is logged. Whom nobody gets is routed.

        Parameters
        ----------
        given
            Task and person; nobody: the rule finds somebody.
        proposal
            Number of the log entry that approves the proposal which says so.
        """
        more = {} if proposal is None else {"proposal": proposal}
        decided = []
        with self.whole():
            for id, person in given:
                stored, task = self.stored_task(id, None)
                decided.append(self.give(stored, task, person, by=By.MANAGER, reason=reason, pinned=None, more=more))
            if len(given) > 1:
                # One after another they may have been in each other's way; from here on they are promised together.
                self.recompile(check=False)
            for id, person in given:
                if person is None:
                    decided.append(self.place_again(id, again="a proposal was undone"))
            self.retry("work was handed over")
        return tuple(decided)

    def retry(self, why: str) -> list[Decided]:
        """Route again what waits and has a place now, most urgent first; the log and the world hear why.

        What still has no place stays as it is, without another entry in the log.
        """
        self.draft.write()
        found = waiting_tasks(self.session)
        return [
            self.place_again(one.id, again=why) for one, how in found if may_be_routed(self.board, one, held=how.held)
        ]

    def add(self, *tasks: Task) -> int:
        """Take in tasks that have their people, or are finished, as another system says; return the firm's version."""
        for task in tasks:
            if self.stored(PartKind.TASK, task.id) is not None:
                raise taken("task", task.id)
            self.know_person("assignee", task.assignee)
        with self.whole():
            for task in tasks:
                self.keep_task(task, None, None)
            self.recompile()  # what they name is checked with the whole firm
        return self.version

    def change_task(self, id: str, /, *, expected: int | None = None, **fields: Any) -> tuple[Task, int]:
        """Change facts about a task; return it with its version. Who has it is decided by `assign` and `place_again`.

        A hold whose estimate comes with the change is routed at once, and so is an escalation that has a place after it.

        Raises
        ------
        Changed
            The task is not at the version ``expected`` any more.
        """
        stored, task = self.stored_task(id, expected)
        after = self.with_fields(task, fields)
        with self.whole():
            self.ready()
            version = self.keep_task(after, stored, None)
            if task.open and not after.open:
                close(self.draft, id, after.status.value)
            if needs_compiling(task, after):
                self.recompile()  # checked as a whole
            else:
                self.follow(id, after)
        there = waits(self.session, id) if after.open and after.assignee is None else None
        if there is not None and may_be_routed(self.board, after, held=there.held):
            decided = self.place_again(id)
            return decided.task, decided.version
        if task.open and not after.open and task.assignee is not None:
            self.retry(f"{id} is {after.status.value}")
        return after, version

    def log_time(self, id: str, *, task: str, person: str, day: date, minutes: int) -> Task:
        """Add a time entry; what remains of the task shrinks by it."""
        if minutes <= 0:
            raise refused("minutes", str(minutes), "is no time", "Maybe leave the entry out.", nearest="1")
        asked = select(TimeRecord.id).where(TimeRecord.id == id)
        self.draft.write()
        if self.session.scalars(asked).one_or_none() is not None:
            raise taken("time_entry", id)
        self.know_person("person", person)
        _, before = self.stored_task(task, None)
        after, version = self.change_task(task, logged_min=before.logged_min + minutes)
        with self.whole():
            at = self.draft.at
            self.draft.add(
                TimeRecord, id=id, version=version, task=task, person=person, day=day, minutes=minutes, at=at
            )
        return after

    # Everything else about the firm

    def put(self, model: Frozen, *, id: str | None = None, expected: int | None = None) -> int:
        """Keep a person, client, task type or calendar entry as it is from now on; return its version.

        ``id`` is that of a calendar entry that exists; without one it is new.
        """
        kind = part_of(model).kind
        if kind is PartKind.TASK:
            raise refused("kind", kind.value, "is placed, added or changed", "Maybe use `place`.")
        name = str(getattr(model, "id", "")) or id
        stored = self.stored(kind, name) if name is not None else None
        if stored is None and (id is not None or expected is not None):
            raise not_found(kind.value, str(name))
        check_version(kind, stored, expected)
        self.require_part_in_reach(model, stored)
        with self.whole():
            version = put(self.draft, model, id=name, place=stored and stored.place, new=stored is None)
            self.recompile()
        self.retry(f"{kind.value.replace('_', ' ')} {name or version} was changed")
        return version

    def remove(self, kind: PartKind, id: str, *, expected: int | None = None) -> int:
        """Take out what nothing else refers to; its history stays."""
        stored = self.stored(kind, id)
        if stored is None:
            raise not_found(kind.value, id)
        check_version(kind, stored, expected)
        self.require_part_in_reach(PARTS[kind].model.model_validate_json(stored.document), stored)
        referring = referring_to(self.draft, kind, id)
        if referring is not None:
            raise referred_to(kind.value, id, referring)
        with self.whole():
            version = remove(self.draft, kind, id)
            if kind is PartKind.TASK:
                close(self.draft, id, "removed")
                supersede(self.draft, {id}, reason=f"{id} was removed")
            self.recompile()
        self.retry(f"{kind.value.replace('_', ' ')} {id} was removed")
        return version

    def save(self, firm: Firm) -> None:
        """Make the stored firm equal to this one (`api.store.saving`); exceptions of work that no longer waits are ended."""
        self.require_all_in_reach("firm")
        with self.whole():
            save_firm(self.draft, firm)
            waiting = {task.id for task in firm.tasks if task.open and task.assignee is None}
            open_ones = select(ExceptionRecord.task).where(ExceptionRecord.closed_at.is_(None))
            for task in sorted(set(self.session.scalars(open_ones)) - waiting):
                close(self.draft, task, "saved")
            holders = {task.id: task.assignee for task in firm.tasks if task.open}
            supersede_moved(self.draft, holders)
            self.recompile()
        self.retry("the firm was saved")

    def save_settings(self, firm: Firm, *, reason: str, by: By = By.MANAGER) -> int:
        """Take name, time zone, levels, holidays and policy over from ``firm``; return the number of the log entry."""
        self.require_all_in_reach("settings")
        document = settings_of(firm)
        with self.whole():
            seen, said = self.seen(), without_names(reason, self.compiled().labels)
            put_settings(self.draft, document)
            self.recompile()
            number = self.enter(EntryKind.POLICY, by, "changed", said, seen, {"settings": document})
        self.retry("the policy was changed")
        return number

    # The log, the world, the answers

    def note(self, kind: EntryKind, *, by: By, outcome: str, reason: str, document: dict[str, Any]) -> int:
        """Log what was decided elsewhere than on the board; ``document`` has ids, no names. Return the number of the entry."""
        with self.whole():
            seen, said = self.seen(), without_names(reason, self.compiled().labels)
            return self.enter(kind, by, outcome, said, seen, document)

    def end_exception(self, number: int, *, how: str, reason: str) -> int:
        """Let a person end a hold or an escalation without placing it; return the number of the log entry."""
        self.draft.write()
        asked = select(ExceptionRecord).where(ExceptionRecord.number == number, ExceptionRecord.closed_at.is_(None))
        record = self.session.scalars(asked).one_or_none()
        if record is None:
            raise not_found("exception", str(number))
        self.stored_task(record.task, None)  # whose it is may be beyond the reach of whoever asks
        with self.whole():
            document = {"exception": number, "task": record.task}
            seen, said = self.seen(), without_names(reason, self.compiled().labels)
            entry = self.enter(EntryKind.EXCEPTION, By.MANAGER, how, said, seen, document)
            close_one(self.draft, Waits(number, record.kind), record.task, how)
        return entry

    def tell(self, topic: str, document: dict[str, Any]) -> int:
        """Say something to the world once the turn is committed; return its number in the outbox."""
        with self.whole():
            return self.draft.tell(topic, canonical(document))

    def answered(self, key: str, fingerprint: str) -> str | None:
        """Return what a request with this idempotency key was answered, ``None`` the first time.

        Raises
        ------
        Taken
            The key belongs to another request.
        """
        if self.draft.pending(AnswerRecord, key=key) is not None:
            self.draft.write()  # who asks twice in one turn reads what the first one wrote
        row = self.session.connection().execute(_ANSWER, {"firm": self.firm, "key": key}).one_or_none()
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise taken("idempotency_key", key)
        return str(row.answer)

    def answer(self, key: str, fingerprint: str, answer: str) -> None:
        """Keep what a request is answered, for when it is asked again."""
        with self.whole():
            self.draft.add(AnswerRecord, key=key, fingerprint=fingerprint, answer=answer, at=self.draft.at)
