"""The parts of a firm as rows: which field, which model, which table, which columns. `solver.firm` says what they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.store.tables import (
    CalendarRecord,
    ClientRecord,
    PartOfFirm,
    PersonRecord,
    TaskRecord,
    TaskTypeRecord,
)
from solver.firm import Booking, Client, DayRange, Firm, Overtime, Person, Task, TaskType, TimeOff
from solver.policy import Frozen


class PartKind(StrEnum):
    """What a version changed."""

    SETTINGS = "settings"
    PERSON = "person"
    CLIENT = "client"
    TASK_TYPE = "task_type"
    TIME_OFF = "time_off"
    BOOKING = "booking"
    OVERTIME = "overtime"
    TASK = "task"


@dataclass(frozen=True)
class Part:
    """How one kind of part is kept.

    Attributes
    ----------
    field
        Where `Firm` has them.
    columns
        What is searched or referred to, beside the document.
    named
        Whether ``name`` has a column of its own and stays out of document and history.
    own_id
        Whether the model has an id; calendar entries get one from the store.
    """

    kind: PartKind
    field: str
    model: type[Frozen]
    record: type[PartOfFirm]
    columns: Callable[[Any], dict[str, Any]]
    named: bool = False
    own_id: bool = True

    def document(self, model: Frozen) -> str:
        """Return the model as it is kept."""
        return model.model_dump_json(exclude={"name"}) if self.named and self.own_id else model.model_dump_json()

    def row(self, model: Frozen) -> dict[str, Any]:
        """Return the searched columns and the document."""
        name = {"name": getattr(model, "name", "")} if self.named else {}
        return {**self.columns(model), **name, "document": self.document(model)}


def _person(person: Person) -> dict[str, Any]:
    return {"level": person.level, "team": person.team}


def _client(client: Client) -> dict[str, Any]:
    return {"tier": client.tier.value}


def _task_type(kind: TaskType) -> dict[str, Any]:
    return {"skill": kind.skill}


def _calendar(entry: DayRange) -> dict[str, Any]:
    kind = {TimeOff: PartKind.TIME_OFF, Booking: PartKind.BOOKING, Overtime: PartKind.OVERTIME}[type(entry)]
    return {
        "kind": kind.value,
        "person": getattr(entry, "person", None),
        "first_day": entry.first_day,
        "last_day": entry.last_day,
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "type": task.type,
        "client": task.client,
        "deadline": task.deadline,
        "status": task.status.value,
        "open": task.open,
        "assignee": task.assignee,
        "reviews": task.reviews,
    }


PARTS = {
    part.kind: part
    for part in (
        Part(PartKind.PERSON, "people", Person, PersonRecord, _person, named=True),
        Part(PartKind.CLIENT, "clients", Client, ClientRecord, _client, named=True),
        Part(PartKind.TASK_TYPE, "task_types", TaskType, TaskTypeRecord, _task_type),
        Part(PartKind.TIME_OFF, "time_off", TimeOff, CalendarRecord, _calendar, own_id=False),
        Part(PartKind.BOOKING, "bookings", Booking, CalendarRecord, _calendar, own_id=False),
        Part(PartKind.OVERTIME, "overtime", Overtime, CalendarRecord, _calendar, own_id=False),
        Part(PartKind.TASK, "tasks", Task, TaskRecord, _task),
    )
}
"""In the order in which a part may refer to those before it."""

FIELDS = tuple(part.field for part in PARTS.values())


def part_of(model: Frozen) -> Part:
    """Return how a model is kept."""
    found = next((part for part in PARTS.values() if type(model) is part.model), None)
    if found is None:
        raise TypeError(
            f"{type(model).__name__} is no part of a firm. Maybe use a Person, Client, TaskType or calendar entry."
        )
    return found


def settings_of(firm: Firm) -> str:
    """Return everything about a firm that is no list of parts, as a document."""
    return firm.model_dump_json(exclude=set(FIELDS))


def with_name(document: str, name: str) -> str:
    """Return a document with the name it was kept without."""
    return f'{document[:-1]},"name":{json.dumps(name, ensure_ascii=False)}}}'


def assembled(settings: str, documents: Mapping[PartKind, Iterable[str]]) -> Firm:
    """Return the firm of these documents, each list in its order; every rule of `Firm` is checked."""
    lists = (f'"{part.field}":[{",".join(documents.get(part.kind, ()))}]' for part in PARTS.values())
    return Firm.model_validate_json(f"{settings[:-1]},{','.join(lists)}}}")
