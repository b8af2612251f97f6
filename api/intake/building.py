"""Rows to a firm, sheet by sheet: each row becomes its model or a reject, and what refers to a refused row is refused with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from api.intake.records import shown
from api.intake.references import Index
from api.intake.rejects import Reject
from api.intake.schema import WEEKDAYS
from solver.firm import (
    DEFAULT_LEVELS,
    Booking,
    Client,
    Firm,
    Level,
    Overtime,
    Person,
    Skill,
    Task,
    TaskType,
    TimeOff,
)
from solver.observations import TimeEntry
from solver.refusal import refusals

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Entry:
    """One row, in the shape of its model."""

    row: int
    payload: Mapping[str, Any]
    raw: str = ""


@dataclass
class Building:
    """A firm in the making: entries per sheet in, models and rejects out.

    Attributes
    ----------
    entries
        Sheet name to its rows. ``skills``, ``time_entries`` and ``assignments`` become parts of people and tasks.
    settings
        The fields of `Firm` that are no lists of rows, already valid.
    times
        The time entries taken.
    """

    entries: Mapping[str, Sequence[Entry]]
    settings: Mapping[str, Any]
    rejects: list[Reject] = field(default_factory=list)
    indices: dict[str, Index] = field(default_factory=dict)
    times: list[TimeEntry] = field(default_factory=list)

    def firm(self) -> Firm:
        """Build every sheet in the order of its references; the rejects are in ``rejects`` afterwards."""
        levels = self.levels()
        people = self.people()
        clients = self.clients()
        types = self.task_types()
        tasks = self.tasks()
        return Firm.model_validate(
            {
                **self.settings,
                "levels": levels,
                "people": people,
                "clients": clients,
                "task_types": types,
                "tasks": tasks,
                "time_off": self.of_people("time_off", TimeOff),
                "bookings": self.of_people("bookings", Booking),
                "overtime": self.overtime(),
            }
        )

    def levels(self) -> tuple[Level, ...]:
        """Return the levels; the usual four where none were given."""
        found = tuple(self._unique("levels", Level, "name", self.entries.get("levels", ())).values())
        self._index("levels", [])
        for level in found or DEFAULT_LEVELS:
            self.indices["levels"].add(level.name, 0)
        return found or DEFAULT_LEVELS

    def people(self) -> tuple[Person, ...]:
        """Return the people with the cells of the skill matrix."""
        resolved = self._resolved("people", {"level": "levels"})
        people = self._unique("people", Person, "id", resolved)
        self._index("people", people.items(), lambda person: person.label)
        cells = {id: list(person.skills) for id, person in people.items()}
        for entry in self._resolved("skills", {"person": "people"}):
            payload = dict(entry.payload)
            id = payload.pop("person")
            cell = self._model("skills", entry, Skill, payload)
            if cell is None:
                continue
            if any(cell.skill == other.skill for other in cells[id]):
                self._refuse("skills", entry, "skill", cell.skill, f"was given to {id} before", None, "duplicate_id")
            else:
                cells[id].append(cell)
        return tuple(person.model_copy(update={"skills": tuple(cells[id])}) for id, person in people.items())

    def clients(self) -> tuple[Client, ...]:
        """Return the clients."""
        resolved = self._resolved("clients", {"usual_person": "people", "barred": "people"})
        clients = self._unique("clients", Client, "id", resolved)
        self._index("clients", clients.items(), lambda client: client.label)
        return tuple(clients.values())

    def task_types(self) -> tuple[TaskType, ...]:
        """Return the task types."""
        resolved = self._resolved("task_types", {"min_level": "levels", "review.min_level": "levels"})
        types = self._unique("task_types", TaskType, "id", resolved)
        self._index("task_types", types.items(), lambda kind: kind.label)
        return tuple(types.values())

    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks, with assignments and time entries in them."""
        resolved = self._resolved(
            "tasks", {"type": "task_types", "client": "clients", "assignee": "people", "requested_person": "people"}
        )
        rows = {str(entry.payload.get("id", "")).strip(): entry for entry in reversed(resolved)}
        tasks = self._unique("tasks", Task, "id", resolved)
        self._index("tasks", tasks.items())
        self._drop_reviews_of_nothing(tasks, rows)
        self._assign(tasks)
        self._log(tasks, rows)
        return tuple(tasks.values())

    def of_people(self, sheet: str, kind: type[Model]) -> tuple[Model, ...]:
        """Return the rows of a sheet that belong to one person each."""
        found = (self._model(sheet, entry, kind) for entry in self._resolved(sheet, {"person": "people"}))
        return tuple(model for model in found if model is not None)

    def overtime(self) -> tuple[Overtime, ...]:
        """Return the overtime periods."""
        resolved = self._resolved("overtime", {"people": "people", "levels": "levels"})
        found = (self._model("overtime", entry, Overtime) for entry in resolved)
        return tuple(period for period in found if period is not None)

    def _drop_reviews_of_nothing(self, tasks: dict[str, Task], rows: Mapping[str, Entry]) -> None:
        index = self.indices["tasks"]
        for id, task in list(tasks.items()):
            meant = index.resolve(task.reviews) if task.reviews else None
            if meant is not None and meant != task.reviews:
                tasks[id] = task.model_copy(update={"reviews": meant})
        while broken := [task for task in tasks.values() if task.reviews and task.reviews not in tasks]:
            for task in broken:
                said = str(task.reviews)
                self._refuse(
                    "tasks",
                    rows[task.id],
                    "reviews",
                    said,
                    index.reason(said),
                    index.nearest(said),
                    "unknown_reference",
                )
                self._forget(tasks, task.id)
        for circle in _circles(tasks):
            text = " reviews ".join([*circle, circle[0]])
            for id in circle:
                reason = f"is part of a circle: {text}"
                self._refuse("tasks", rows[id], "reviews", str(tasks[id].reviews), reason, None, "review_circle")
            for id in circle:
                self._forget(tasks, id)
        if any(task.reviews and task.reviews not in tasks for task in tasks.values()):
            self._drop_reviews_of_nothing(tasks, rows)

    def _forget(self, tasks: dict[str, Task], id: str) -> None:
        index = self.indices["tasks"]
        index.refused[id] = index.ids.pop(id)
        del tasks[id]

    def _assign(self, tasks: dict[str, Task]) -> None:
        given: set[str] = set()
        for entry in self._resolved("assignments", {"task": "tasks", "person": "people"}):
            id, person = entry.payload["task"], entry.payload["person"]
            held = tasks[id].assignee
            if id in given or (held is not None and held != person):
                reason = f"has {id} assigned to {held} already. Maybe remove one of the two"
                self._refuse("assignments", entry, "person", person, reason, held, "assigned_twice")
                continue
            given.add(id)
            pinned = bool(entry.payload.get("pinned", tasks[id].pinned))
            tasks[id] = tasks[id].model_copy(update={"assignee": person, "pinned": pinned})

    def _log(self, tasks: dict[str, Task], rows: Mapping[str, Entry]) -> None:
        logged: dict[str, int] = {}
        for entry in self._resolved("time_entries", {"task": "tasks", "person": "people"}):
            id, minutes = entry.payload["task"], entry.payload["minutes"]
            if not 0 <= minutes <= 1_440:
                reason = "is not between 0 and 1440 minutes of one day"
                near = str(min(max(minutes, 0), 1_440))
                self._refuse("time_entries", entry, "minutes", str(minutes), reason, near, "out_of_range")
                continue
            logged[id] = logged.get(id, 0) + minutes
            self.times.append(TimeEntry.model_validate(entry.payload))
        for id, minutes in logged.items():
            if "logged_min" not in rows[id].payload:
                tasks[id] = tasks[id].model_copy(update={"logged_min": minutes})

    def _resolved(self, sheet: str, references: Mapping[str, str]) -> list[Entry]:
        """Return the entries of a sheet with every reference as its id; refuse the rows that refer to nothing."""
        found: list[Entry] = []
        for entry in self.entries.get(sheet, ()):
            payload, sound = dict(entry.payload), True
            for place, target in references.items():
                sound &= self._resolve(sheet, entry, payload, place, self.indices[target])
            if sound:
                found.append(Entry(entry.row, payload, entry.raw))
            else:
                self._remember_refused(sheet, entry)
        return found

    def _resolve(
        self, sheet: str, entry: Entry, payload: dict[str, Any], place: str, index: Index, shown_as: str = ""
    ) -> bool:
        outer, _, inner = place.partition(".")
        if inner:
            nested = payload.get(outer)
            if not isinstance(nested, dict):
                return True
            nested = dict(nested)
            sound = self._resolve(sheet, entry, nested, inner, index, shown_as=f"{outer}_{inner}")
            payload[outer] = nested
            return sound
        said = payload.get(place)
        several = isinstance(said, list | tuple)
        ids: list[object] = []
        for one in said if isinstance(said, list | tuple) else [said]:
            if not isinstance(one, str):
                ids.append(one)  # nothing said, or no text: the model has the last word
                continue
            meant = index.resolve(one)
            if meant is None:
                name = shown_as or place
                self._refuse(sheet, entry, name, one, index.reason(one), index.nearest(one), "unknown_reference")
                return False
            ids.append(meant)
        if place in payload:
            payload[place] = tuple(ids) if several else ids[0]
        return True

    def _unique(self, sheet: str, kind: type[Model], key: str, entries: Iterable[Entry]) -> dict[str, Model]:
        found: dict[str, Model] = {}
        first: dict[str, int] = {}
        for entry in entries:
            model = self._model(sheet, entry, kind)
            if model is None:
                self._remember_refused(sheet, entry, key)
                continue
            id = getattr(model, key)
            if id in found:
                reason = f"occurs twice, first in row {first[id]}. Maybe remove one of the two"
                self._refuse(sheet, entry, key, id, reason, None, "duplicate_id")
                continue
            found[id], first[id] = model, entry.row
        self.indices.setdefault(sheet, Index(sheet)).ids = first
        return found

    def _model(
        self, sheet: str, entry: Entry, kind: type[Model], payload: Mapping[str, Any] | None = None
    ) -> Model | None:
        try:
            return kind.model_validate(dict(entry.payload if payload is None else payload))
        except ValidationError as error:
            for one in refusals(error):
                hint = f". {one.hint.removesuffix('.')}" if one.hint else ""
                field_name = _column(one.field)
                self._refuse(sheet, entry, field_name, one.value, one.message + hint, one.nearest, one.code)
            return None

    def _index(
        self, sheet: str, models: Iterable[tuple[str, Any]], label: Callable[[Any], str] = lambda model: ""
    ) -> None:
        index = self.indices.setdefault(sheet, Index(sheet))
        rows = dict(index.ids)
        for id, model in models:
            index.add(id, rows.get(id, 0), label(model))

    def _remember_refused(self, sheet: str, entry: Entry, key: str = "id") -> None:
        id = entry.payload.get(key)
        if isinstance(id, str):
            self.indices.setdefault(sheet, Index(sheet)).refused.setdefault(id.strip(), entry.row)

    def _refuse(
        self, sheet: str, entry: Entry, field_name: str, value: str, reason: str, nearest: str | None, code: str
    ) -> None:
        self.rejects.append(Reject(sheet, entry.row, field_name, shown(value), reason, nearest, code, entry.raw))


def _column(field_name: str) -> str:
    """Return the column a model's field comes from: ``weekly_min.2`` is ``wed_min``."""
    outer, _, place = field_name.partition(".")
    if outer in ("weekly_min", "extra_min") and place.isdigit():
        return f"{WEEKDAYS[int(place)]}_min"
    return field_name.replace("review.", "review_").replace("procedure.", "procedure_")


def _circles(tasks: Mapping[str, Task]) -> list[list[str]]:
    found: list[list[str]] = []
    cleared: set[str] = set()
    for start in tasks:
        path: list[str] = []
        here: str | None = start
        while here is not None and here in tasks and here not in cleared and here not in path:
            path.append(here)
            here = tasks[here].reviews
        if here is not None and here in path:
            found.append(path[path.index(here) :])
        cleared.update(path)
    return found
