"""Which tasks a change is about: open ones, by id, client, type or holder."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from scenarios.change import FirmChange, client_of, listed, open_task_of, person_of, refuse_change, type_of
from solver.firm import Firm, Name, Task


class OnTasks(FirmChange):
    """Base of changes to some of the open tasks: those that meet every condition given."""

    tasks: tuple[Name, ...] = Field(default=(), description="ids; empty: any")
    client: Name | None = Field(default=None, description="id or full name; none: any")
    type: Name | None = Field(default=None, description="id or full name; none: any")
    person: Name | None = Field(default=None, description="who holds the task today; none: any")

    def chosen(self, firm: Firm) -> tuple[Task, ...]:
        """Return the open tasks meant, in the firm's order.

        Raises
        ------
        Refused
            A name is not known, or a task named is not open.
        """
        named = {open_task_of(firm, one, "tasks").id for one in self.tasks}
        client = client_of(firm, self.client).id if self.client is not None else None
        kind = type_of(firm, self.type).id if self.type is not None else None
        person = person_of(firm, self.person).id if self.person is not None else None
        return tuple(
            task
            for task in firm.tasks
            if task.open
            and (not self.tasks or task.id in named)
            and (client is None or task.client == client)
            and (kind is None or task.type == kind)
            and (person is None or task.assignee == person)
        )

    def require_choice(self) -> None:
        """Refuse a change that says of no task, client, type or person that it is meant."""
        if not self.tasks and self.client is None and self.type is None and self.person is None:
            hint = "Maybe name tasks, a client, a type or a person."
            refuse_change("nothing_chosen", "tasks", "", "is missing: which work is meant", hint=hint)

    def words(self, firm: Firm) -> str:
        """Return ``7 open tasks of type 1040 for Acme``."""
        count = len(self.chosen(firm))
        parts = [f"task {listed(self.tasks)}" if len(self.tasks) == 1 else _tasks(count)]
        if len(self.tasks) > 1:
            parts.append(f"({listed(self.tasks)})")
        if self.type is not None:
            parts.append(f"of type {type_of(firm, self.type).label}")
        if self.client is not None:
            parts.append(f"for {client_of(firm, self.client).label}")
        if self.person is not None:
            parts.append(f"with {person_of(firm, self.person).label}")
        return " ".join(parts)


def reviews_of(firm: Firm, ids: Iterable[str]) -> tuple[Task, ...]:
    """Return the open tasks that review one of these, or a review of one of these, in the firm's order."""
    reached = set(ids)
    found: dict[str, Task] = {}
    while new := [
        task for task in firm.tasks if task.open and task.reviews in reached and task.id not in reached | set(found)
    ]:
        found |= {task.id: task for task in new}
        reached |= set(found)
    return tuple(task for task in firm.tasks if task.id in found)


def _tasks(count: int) -> str:
    return "1 open task" if count == 1 else f"{count:,} open tasks"
