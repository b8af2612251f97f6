"""What every change of a scenario shares: how it is applied, how it finds what it names, and how it refuses.

A change says what would be different; `apply` returns the firm as a careful person would have edited it. The firm given stays as it is.
What is replaced stays in its place, what is new stands last, what is the same stays untouched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel

from solver.firm import Client, Firm, Person, Task, TaskType
from solver.policy import Frozen
from solver.refusal import Refusal, Refused, nearest_name, refuse

Model = TypeVar("Model", bound=BaseModel)
Named = TypeVar("Named", Person, Client, TaskType)
Identified = TypeVar("Identified", Person, Client, TaskType, Task)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class FirmChange(Frozen, ABC):
    """Base of all changes; each has a field ``change`` that names its kind in JSON."""

    @abstractmethod
    def apply(self, firm: Firm) -> Firm:
        """Return the firm with this change; the one given stays as it is.

        Raises
        ------
        Refused
            The change names what the firm does not have, or cannot be made to this firm.
        """

    @abstractmethod
    def sentence(self, firm: Firm) -> str:
        """Say the change in plain English, with the names ``firm`` uses; ``firm`` is the one it is applied to."""

    def clash(self, earlier: FirmChange, firm: Firm) -> None:
        """Refuse to follow an earlier change of the same scenario that this one contradicts."""


def refuse_change(
    code: str, field: str, value: object, message: str, *, nearest: object = None, hint: str = ""
) -> NoReturn:
    """Raise the refusal of a value."""
    near = None if nearest is None else str(nearest)
    raise Refused(Refusal(code=code, field=field, value=str(value), message=message, nearest=near, hint=hint))


def updated(model: Model, **values: Any) -> Model:
    """Return a checked copy with some fields replaced; the model itself where nothing differs."""
    if all(getattr(model, name) == value for name, value in values.items()):
        return model
    return type(model).model_validate({**dict(model), **values})


def replaced(items: Sequence[Identified], new: Iterable[Identified]) -> tuple[Identified, ...]:
    """Return the items with those of the same ids replaced, each in its place."""
    by_id = {one.id: one for one in new}
    return tuple(by_id.get(one.id, one) for one in items)


def person_of(firm: Firm, said: str, field: str = "person") -> Person:
    """Return a person by id, or by a name that one person has."""
    return _found(firm.people, said, field, "people")


def client_of(firm: Firm, said: str, field: str = "client") -> Client:
    """Return a client by id, or by a name that one client has."""
    return _found(firm.clients, said, field, "clients")


def type_of(firm: Firm, said: str, field: str = "type") -> TaskType:
    """Return a task type by id, or by a name that one type has."""
    return _found(firm.task_types, said, field, "task types")


def open_task_of(firm: Firm, said: str, field: str = "task") -> Task:
    """Return an open task by id."""
    found = next((task for task in firm.tasks if task.id == said), None)
    if found is None:
        refuse_unknown(field, said, [task.id for task in firm.tasks if task.open], "tasks")
    if not found.open:
        near = nearest_name(said, [task.id for task in firm.tasks if task.open])
        refuse_change("not_open", field, said, f"is {found.status.value}, so nothing about it can change", nearest=near)
    return found


def refuse_unknown(field: str, said: str, known: Collection[str], where: str) -> NoReturn:
    """Raise the refusal of a name nobody knows."""
    hint = f"Maybe look it up under {where}."
    refuse_change("unknown_reference", field, said, "is not known", nearest=nearest_name(said, known), hint=hint)


def require_known_name(field: str, said: str, known: Collection[str], where: str) -> None:
    """Refuse a name that is not among the known ones."""
    if said not in known:
        refuse_unknown(field, said, known, where)


def require_new(field: str, id: str, known: Iterable[str]) -> None:
    """Refuse an id that is taken."""
    taken = set(known)
    if id in taken:
        free = next(name for n in range(2, len(taken) + 3) if (name := f"{id}-{n}") not in taken)
        refuse_change("duplicate_id", field, id, "exists already", nearest=free)


def _found(items: Sequence[Named], said: str, field: str, where: str) -> Named:
    exact = next((one for one in items if one.id == said), None)
    if exact is not None:
        return exact
    named = [one for one in items if one.name == said]
    if len(named) > 1:
        ids = ", ".join(one.id for one in named)
        refuse_change("ambiguous_name", field, said, f"is the name of several ({ids})", nearest=named[0].id)
    if not named:
        refuse_unknown(field, said, [name for one in items for name in (one.id, one.name) if name], where)
    return named[0]


def day_words(day: date) -> str:
    """Return ``1 Mar 2027``."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def span_words(first: date, last: date) -> str:
    """Return a day, or ``from 1 Mar 2027 to 12 Mar 2027``."""
    return f"on {day_words(first)}" if first == last else f"from {day_words(first)} to {day_words(last)}"


def listed(words: Sequence[str], limit: int = 5) -> str:
    """Return ``a``, ``a and b`` or ``a, b and 4 more``."""
    if len(words) > limit:
        return f"{', '.join(words[: limit - 1])} and {len(words) - limit + 1:,} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def exactly_one(**values: object) -> None:
    """Refuse a model unless exactly one of these fields is given; for its validator."""
    given = [name for name, value in values.items() if value is not None]
    if len(given) != 1:
        said = " and ".join(given) or "none of them"
        field = given[-1] if given else next(iter(values))
        raise refuse("exactly_one", field, "", f"is one of {', '.join(values)}: give one, not {said}")
