"""What may be done in a firm's turn: each operation is decided on the board, written, logged and told, or not at all.

A turn is one transaction (`api.store.turns`). An operation that refuses before it has touched anything may be caught, and the turn
goes on; after any other error the turn can only be rolled back, and the board it used is forgotten.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select

from api.store.boards import know_prepared
from api.store.ground import Stored
from api.store.log import By, EntryKind, canonical
from api.store.names import with_names, without_names
from api.store.parts import PARTS, PartKind, part_of, settings_of
from api.store.pricing import Prices
from api.store.reach import Reaching
from api.store.refusals import changed, not_found, referred_to, taken
from api.store.saving import assigned, put, put_settings, referring_to, remove, save_firm, unassigned
from api.store.tables import AnswerRecord, ExceptionRecord, TimeRecord
from solver.board import Board
from solver.firm import Firm, Task
from solver.plan import Decision, Outcome
from solver.policy import Frozen
from solver.refusal import Refusal, Refused
from solver.routing import RULE, Policy, dry_run

LINKS = ("type", "client", "reviews")
"""Fields of a task whose change makes other work look different: the firm is compiled anew, and checked as a whole."""


class Decided(NamedTuple):
    """One decision as it was stored.

    Attributes
    ----------
    number
        Of the entry in the decision log.
    version
        Of the firm, and of the task, from now on.
    task
        As it is now.
    decision
        What the engine said, with names; a manager may have decided otherwise.
    """

    number: int
    version: int
    task: Task
    decision: Decision


class Turn(Reaching):
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
            raise _refused("assignee", task.assignee, "has it already, and routing would ask who", "Maybe use `add`.")
        if self.stored(PartKind.TASK, task.id) is not None:
            raise taken("task", task.id)
        return self._route(task, None, by, prices)

    def place_again(
        self,
        id: str,
        /,
        *,
        by: By = By.RULE,
        prices: Prices | None = None,
        expected: int | None = None,
        **fields: Any,
    ) -> Decided:
        """Route a task that waits, with some fields changed: a hold whose estimate came, an escalation tried again."""
        stored, task = self._task(id, expected)
        if task.assignee is not None:
            raise _refused("assignee", task.assignee, "has it already", "Maybe use `assign`.")
        return self._route(self._changed(task, fields), stored, by, prices)

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
        stored, task = self._task(id, expected)
        self._know_person("person", person)
        if not task.open:
            raise _refused("status", task.status.value, "needs no work", "Maybe open the task again first.")
        update = {"assignee": person, "pinned": task.pinned if pinned is None else pinned}
        asked, after = (task.model_copy(update=one) for one in ({"assignee": None}, update))
        with self.whole():
            seen, board, labels = self.seen(), self.board, self.compiled().labels
            ledger = board.ledger
            answer = advice(board, asked)
            outcome = "assigned" if person is not None else "unassigned"
            said = without_names(reason, labels)
            number = self.log(EntryKind.ASSIGN, by, outcome, said, seen, asked, person, answer)
            version = self._keep_task(after, stored, number)
            self.draft.tell(f"task.{outcome}", canonical({"task": id, "person": person, "decision": number}))
            if person is not None:
                self._close_exceptions(id, outcome)
            self.follow(id, after, ledger)
        return Decided(number, version, after, with_names(answer, labels))

    def add(self, *tasks: Task) -> int:
        """Take in tasks that have their people, or are finished, as another system says; return the firm's version."""
        for task in tasks:
            if self.stored(PartKind.TASK, task.id) is not None:
                raise taken("task", task.id)
            self._know_person("assignee", task.assignee)
        with self.whole():
            for task in tasks:
                self._keep_task(task, None, None)
            self.recompile()  # what they name is checked with the whole firm
        return self.version

    def change_task(self, id: str, /, *, expected: int | None = None, **fields: Any) -> tuple[Task, int]:
        """Change facts about a task; return it with its version. Who has it is decided by `assign` and `place_again`.

        Raises
        ------
        Changed
            The task is not at the version ``expected`` any more.
        """
        stored, task = self._task(id, expected)
        after = self._changed(task, fields)
        with self.whole():
            self.ready()
            version = self._keep_task(after, stored, None)
            if task.open and not after.open:
                self._close_exceptions(id, after.status.value)
            if any(getattr(task, name) != getattr(after, name) for name in LINKS) or (after.open and not task.open):
                self.recompile()
            else:
                self.follow(id, after)
        return after, version

    def log_time(self, id: str, *, task: str, person: str, day: date, minutes: int) -> Task:
        """Add a time entry; what remains of the task shrinks by it."""
        if minutes <= 0:
            raise _refused("minutes", str(minutes), "is no time", "Maybe leave the entry out.", nearest="1")
        asked = select(TimeRecord.id).where(TimeRecord.id == id)
        self.draft.write()
        if self.session.scalars(asked).one_or_none() is not None:
            raise taken("time_entry", id)
        self._know_person("person", person)
        _, before = self._task(task, None)
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
            raise _refused("kind", kind.value, "is placed, added or changed", "Maybe use `place`.")
        name = str(getattr(model, "id", "")) or id
        stored = self.stored(kind, name) if name is not None else None
        if stored is None and (id is not None or expected is not None):
            raise not_found(kind.value, str(name))
        _check_version(kind, stored, expected)
        self.require_part_in_reach(model, stored)
        with self.whole():
            version = put(self.draft, model, id=name, place=stored and stored.place, new=stored is None)
            self.recompile()
        return version

    def remove(self, kind: PartKind, id: str, *, expected: int | None = None) -> int:
        """Take out what nothing else refers to; its history stays."""
        stored = self.stored(kind, id)
        if stored is None:
            raise not_found(kind.value, id)
        _check_version(kind, stored, expected)
        self.require_part_in_reach(PARTS[kind].model.model_validate_json(stored.document), stored)
        referring = referring_to(self.draft, kind, id)
        if referring is not None:
            raise referred_to(kind.value, id, referring)
        with self.whole():
            version = remove(self.draft, kind, id)
            if kind is PartKind.TASK:
                self._close_exceptions(id, "removed")
            self.recompile()
        return version

    def save(self, firm: Firm) -> None:
        """Make the stored firm equal to this one (`api.store.saving`); exceptions of work that no longer waits are ended."""
        self.require_all_in_reach("firm")
        with self.whole():
            save_firm(self.draft, firm)
            waiting = {task.id for task in firm.tasks if task.open and task.assignee is None}
            open_ones = select(ExceptionRecord.task).where(ExceptionRecord.closed_at.is_(None))
            for task in sorted(set(self.session.scalars(open_ones)) - waiting):
                self._close_exceptions(task, "saved")
            self.recompile()

    def save_settings(self, firm: Firm, *, reason: str, by: By = By.MANAGER) -> int:
        """Take name, time zone, levels, holidays and policy over from ``firm``; return the number of the log entry."""
        self.require_all_in_reach("settings")
        document = settings_of(firm)
        with self.whole():
            seen, said = self.seen(), without_names(reason, self.compiled().labels)
            put_settings(self.draft, document)
            self.recompile()
            return self.enter(EntryKind.POLICY, by, "changed", said, seen, {"settings": document})

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
        with self.whole():
            document = {"exception": number, "task": record.task}
            seen, said = self.seen(), without_names(reason, self.compiled().labels)
            entry = self.enter(EntryKind.EXCEPTION, By.MANAGER, how, said, seen, document)
            self.draft.update(ExceptionRecord, {"number": number}, closed_at=self.draft.at, closed_how=how)
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
        self.draft.write()
        record = self.session.scalars(select(AnswerRecord).where(AnswerRecord.key == key)).one_or_none()
        if record is None:
            return None
        if record.fingerprint != fingerprint:
            raise taken("idempotency_key", key)
        return record.answer

    def answer(self, key: str, fingerprint: str, answer: str) -> None:
        """Keep what a request is answered, for when it is asked again."""
        with self.whole():
            self.draft.add(AnswerRecord, key=key, fingerprint=fingerprint, answer=answer, at=self.draft.at)

    def _route(self, task: Task, stored: Stored | None, by: By, prices: Prices | None) -> Decided:
        board = self.board
        if task.reviews is not None and task.reviews not in board.known:
            self.draft.write()
            know_prepared(self.session, board, task, self.version)
        seen, ledger, labels = self.seen(), board.ledger, self.compiled().labels
        # Refuses before it touches the board.
        answer = dry_run(board, task, policy=RULE if prices is None else prices.policy)
        with self.whole():
            after = task.model_copy(update={"assignee": answer.person})
            by = By.CLIENT_REQUEST if answer.overridden else by
            outcome = answer.outcome
            more = {} if prices is None else {"prices": prices.plan}
            number = self.log(
                EntryKind.PLACE, by, outcome.value, answer.reason, seen, task, answer.person, answer, more
            )
            version = self._keep_task(after, stored, number)
            if stored is not None:
                self._close_exceptions(task.id, f"now {outcome.value}")
            if outcome is not Outcome.PLACED:
                kind = "hold" if outcome is Outcome.HELD else "escalation"
                self.draft.add(ExceptionRecord, number=number, kind=kind, task=task.id, opened_at=self.draft.at)
            told = {"task": task.id, "person": answer.person, "decision": number}
            self.draft.tell(f"task.{outcome.value}", canonical(told))
            self.follow(task.id, after, ledger)
        return Decided(number, version, after, with_names(answer, labels))

    def _keep_task(self, after: Task, stored: Stored | None, decision: int | None) -> int:
        version = put(self.draft, after, place=stored and stored.place, new=stored is None)
        before = None if stored is None else Task.model_validate_json(stored.document).assignee
        if before != after.assignee:
            if before is not None:
                unassigned(self.draft, after.id, version=version)
            assigned(self.draft, after.id, after.assignee, version=version, decision=decision)
        return version

    def _close_exceptions(self, task: str, how: str) -> None:
        self.draft.update(ExceptionRecord, {"task": task, "closed_at": None}, closed_at=self.draft.at, closed_how=how)

    def _task(self, id: str, expected: int | None) -> tuple[Stored, Task]:
        stored = self.stored(PartKind.TASK, id)
        if stored is None:
            raise not_found("task", id, list(self.board.known))
        task = Task.model_validate_json(stored.document)
        self.require_reach("task.assignee", task.assignee)
        _check_version(PartKind.TASK, stored, expected)
        return stored, task

    def _changed(self, task: Task, fields: dict[str, Any]) -> Task:
        for name in ("id", "assignee"):
            if name in fields:
                raise _refused(name, str(fields[name]), "is no fact that can be changed", "Maybe use `assign`.")
        after = Task.model_validate({**task.model_dump(), **fields})
        self._know_person("requested_person", after.requested_person)
        return after

    def _know_person(self, field: str, person: str | None) -> None:
        known = self.board.staff.row
        if person is not None and person not in known:
            raise not_found(field, person, list(known))
        self.require_reach(field, person)


def advice(board: Board, asked: Task, policy: Policy = RULE) -> Decision:
    """Return what the rule, or another policy, says of a task; its promise, if any, is taken back first."""
    if asked.id in board.promises:
        board.withdraw(asked.id)
    return dry_run(board, asked, policy=policy)


def _check_version(kind: PartKind, stored: Stored | None, expected: int | None) -> None:
    if stored is not None and expected is not None and stored.version != expected:
        raise changed(f"{kind.value}.version", expected, stored.version)


def _refused(field: str, value: str, message: str, hint: str, nearest: str | None = None) -> Refused:
    return Refused(
        Refusal(code=f"{field}_refused", field=field, value=value, message=message, hint=hint, nearest=nearest)
    )
