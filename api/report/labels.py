"""Names for ids: a report speaks of people, clients and types by the names their firm uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from api.report.wording import deadline_text
from solver.firm import Client, Firm, Person, Task, TaskType
from solver.wording import hours_text


@dataclass(frozen=True)
class PersonLabel:
    """A person as the report names them."""

    id: str
    name: str
    level: str
    team: str


@dataclass(frozen=True)
class TaskLabel:
    """A task as the report names it; ``link`` is its written procedure where that is a web address."""

    id: str
    kind: str
    client: str
    deadline: date
    deadline_text: str
    estimate_text: str
    priority: str
    link: str | None

    @property
    def title(self) -> str:
        """What it is and for whom, on one line."""
        return f"{self.kind} · {self.client}"


@dataclass(frozen=True)
class Names:
    """The firm's names by id."""

    people: dict[str, Person]
    clients: dict[str, Client]
    kinds: dict[str, TaskType]
    tasks: dict[str, Task]

    @classmethod
    def of(cls, firm: Firm) -> Self:
        """Index a firm."""
        return cls(
            people={one.id: one for one in firm.people},
            clients={one.id: one for one in firm.clients},
            kinds={one.id: one for one in firm.task_types},
            tasks={one.id: one for one in firm.tasks},
        )

    def person(self, person_id: str) -> PersonLabel:
        """Name a person."""
        one = self.people[person_id]
        return PersonLabel(id=one.id, name=one.label, level=one.level, team=one.team)

    def person_name(self, person_id: str | None) -> str:
        """Return the name alone; empty for nobody."""
        return "" if person_id is None else self.people[person_id].label

    def task(self, task_id: str) -> TaskLabel:
        """Name a task."""
        one = self.tasks[task_id]
        kind = self.kinds[one.type]
        return TaskLabel(
            id=one.id,
            kind=kind.label,
            client=self.clients[one.client].label,
            deadline=one.deadline,
            deadline_text=deadline_text(one.deadline, one.deadline_time),
            estimate_text="no estimate" if one.estimate_min is None else hours_text(one.estimate_min),
            priority=one.priority.value,
            link=web_address(kind.procedure.link),
        )


def web_address(link: str | None) -> str | None:
    """Return the link when a browser may follow it: anything but http and https could run code."""
    return link if link and link.lower().startswith(("http://", "https://")) else None
