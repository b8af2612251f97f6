"""Changes with ids in place of names, so that they mean the same when people, clients and types are renamed; and no name is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scenarios.change import FirmChange, client_of, person_of, type_of
from scenarios.changes import Change, apply_all, scenario_of
from scenarios.people_changes import Joins
from scenarios.work_changes import ClientWon
from solver.firm import Firm

NAMED: dict[str, Callable[[Firm, str, str], Any]] = {"person": person_of, "client": client_of, "type": type_of}
"""Fields that say one name of somebody or something, in every change that has them as text."""


def pinned(firm: Firm, changes: Sequence[FirmChange]) -> tuple[Change, ...]:
    """Return the changes with ids in place of names, each as the firm before it has them.

    Raises
    ------
    Refused
        A change cannot be made; see `scenarios.changes.apply_all`.
    """
    apply_all(firm, changes)
    documents = []
    for change in changes:
        documents.append({**change.model_dump(mode="json"), **_ids(firm, change)})
        firm = change.apply(firm)
    return scenario_of({"changes": documents}).changes


def _ids(firm: Firm, change: FirmChange) -> dict[str, object]:
    said = dict(change)
    found: dict[str, object] = {
        field: look_up(firm, said[field], field).id
        for field, look_up in NAMED.items()
        if isinstance(said.get(field), str)
    }
    if isinstance(said.get("people"), tuple):
        found["people"] = [person_of(firm, one, "people").id for one in said["people"]]
    if isinstance(change, Joins | ClientWon) and change.like is not None:
        look_up = person_of if isinstance(change, Joins) else client_of
        found["like"] = look_up(firm, change.like, "like").id
    if isinstance(change, ClientWon):
        found["work"] = [{**one.model_dump(mode="json"), "type": type_of(firm, one.type).id} for one in change.work]
    return found
