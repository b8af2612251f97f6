"""How a turn decides about one task: routed on the board or given by a manager, kept, logged and told.

`api.store.turn.Turn` says which operations there are; what they have in common stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from api.store.boards import know_prepared
from api.store.ground import Stored
from api.store.log import By, EntryKind, canonical
from api.store.names import with_names, without_names
from api.store.parts import PartKind
from api.store.pricing import Prices
from api.store.proposal_states import supersede
from api.store.reach import Reaching
from api.store.refusals import changed, not_found
from api.store.saving import assigned, put, unassigned
from api.store.tables import ExceptionRecord
from api.store.waiting import KINDS, close, close_one, waits
from solver.firm import Task
from solver.plan import Decision, Outcome
from solver.refusal import Refusal, Refused
from solver.routing import RULE, dry_run
from solver.waiting import advice


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


class Deciding(Reaching):
    """A firm's turn with what its operations on tasks share."""

    def route(
        self, task: Task, stored: Stored | None, by: By, prices: Prices | None, again: str | None = None
    ) -> Decided:
        """Route a new task, or one that waits; ``again`` says why now, where nobody asked for it."""
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
            outcome = answer.outcome.value
            more = {} if prices is None else {"prices": prices.plan}
            more |= {} if again is None else {"again": again}
            number = self.log(EntryKind.PLACE, by, outcome, answer.reason, seen, task, answer.person, answer, more)
            version = self.keep_task(after, stored, number)
            self._wait(task.id, answer.outcome, number, new=stored is None)
            told = {"task": task.id, "person": answer.person, "decision": number}
            self.draft.tell(f"task.{outcome}", canonical(told if again is None else told | {"again": again}))
            self.follow(task.id, after, ledger)
        return Decided(number, version, after, with_names(answer, labels))

    def _wait(self, task: str, outcome: Outcome, number: int, *, new: bool) -> None:
        """Open a hold or an escalation, or end the one there is; one that goes on keeps its number."""
        kind = KINDS.get(outcome)
        there = None if new else waits(self.session, task)
        if there is not None and there.kind != kind:
            close_one(self.draft, there, task, f"now {outcome.value}")
        if kind is not None and (there is None or there.kind != kind):
            self.draft.add(ExceptionRecord, number=number, kind=kind, task=task, opened_at=self.draft.at)

    def give(
        self,
        stored: Stored,
        task: Task,
        person: str | None,
        *,
        by: By,
        reason: str,
        pinned: bool | None,
        more: Mapping[str, Any] | None = None,
    ) -> Decided:
        """Give an open task to a person, or to nobody; what the rule says of it is logged beside, and ``more`` with it."""
        id = task.id
        self.know_person("person", person)
        if not task.open:
            raise refused("status", task.status.value, "needs no work", "Maybe open the task again first.")
        update = {"assignee": person, "pinned": task.pinned if pinned is None else pinned}
        asked, after = (task.model_copy(update=one) for one in ({"assignee": None}, update))
        with self.whole():
            seen, board, labels = self.seen(), self.board, self.compiled().labels
            ledger = board.ledger
            answer = advice(board, asked)
            outcome = "assigned" if person is not None else "unassigned"
            said = without_names(reason, labels)
            number = self.log(EntryKind.ASSIGN, by, outcome, said, seen, asked, person, answer, more)
            version = self.keep_task(after, stored, number)
            told = {"task": id, "person": person, "from_person": task.assignee, "decision": number}
            self.draft.tell(f"task.{outcome}", canonical(told))
            if person is not None:
                close(self.draft, id, outcome)
            self.follow(id, after, ledger)
        return Decided(number, version, after, with_names(answer, labels))

    def keep_task(self, after: Task, stored: Stored | None, decision: int | None) -> int:
        """Keep a task and who has it; proposals to move it are over where it has gone elsewhere. Return its version."""
        version = put(self.draft, after, place=stored and stored.place, new=stored is None)
        before = None if stored is None else Task.model_validate_json(stored.document)
        holder = None if before is None else before.assignee
        if holder != after.assignee:
            if holder is not None:
                unassigned(self.draft, after.id, version=version)
            assigned(self.draft, after.id, after.assignee, version=version, decision=decision)
        if before is not None and (holder != after.assignee or (before.open and not after.open)):
            why = f"{after.id} has gone elsewhere" if after.open else f"{after.id} is {after.status.value}"
            supersede(self.draft, {after.id}, reason=why, decision=decision)
        return version

    def stored_task(self, id: str, expected: int | None) -> tuple[Stored, Task]:
        """Return a task that is there, at the version ``expected`` where one is."""
        stored = self.stored(PartKind.TASK, id)
        if stored is None:
            raise not_found("task", id, list(self.board.known))
        task = Task.model_validate_json(stored.document)
        self.require_reach("task.assignee", task.assignee)
        check_version(PartKind.TASK, stored, expected)
        return stored, task

    def with_fields(self, task: Task, fields: dict[str, Any]) -> Task:
        """Return a task with other facts, checked like a new one."""
        for name in ("id", "assignee"):
            if name in fields:
                raise refused(name, str(fields[name]), "is no fact that can be changed", "Maybe use `assign`.")
        after = Task.model_validate({**task.model_dump(), **fields})
        self.know_person("requested_person", after.requested_person)
        return after

    def know_person(self, field: str, person: str | None) -> None:
        """Refuse a person whom the firm does not have."""
        known = self.board.staff.row
        if person is not None and person not in known:
            raise not_found(field, person, list(known))
        self.require_reach(field, person)


def check_version(kind: PartKind, stored: Stored | None, expected: int | None) -> None:
    """Refuse a change of what is not at the version that the caller has read."""
    if stored is not None and expected is not None and stored.version != expected:
        raise changed(f"{kind.value}.version", expected, stored.version)


def refused(field: str, value: str, message: str, hint: str, nearest: str | None = None) -> Refused:
    """Return a refusal of one field's value."""
    return Refused(
        Refusal(code=f"{field}_refused", field=field, value=value, message=message, hint=hint, nearest=nearest)
    )
