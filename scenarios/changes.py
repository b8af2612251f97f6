"""The vocabulary of change, and scenarios: changes applied one after another to a firm nobody touches.

Any change is a small frozen model; as JSON it is an object whose ``change`` names its kind. What each does to the data is in
docs/what-if.md, precisely enough to make the same edit by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter, ValidationError

from scenarios.adopted import SuggestionsAccepted
from scenarios.change import FirmChange, refuse_unknown
from scenarios.date_changes import DeadlineMoved, DocumentsLate, EstimatesOff, ExtensionFiled
from scenarios.firm_changes import Freeze, Holiday, PolicySet
from scenarios.people_changes import Away, ExtraHours, Joins, Leaves, MovesTeam, PartTime, SkillLost, SkillSet
from scenarios.work_changes import (
    ClientLost,
    ClientWon,
    NewWork,
    Reprioritised,
    TaskAdded,
    TaskDropped,
    TaskSplit,
)
from solver.firm import Firm
from solver.policy import Frozen
from solver.refusal import Refused, refusals

Change = Annotated[
    Away
    | Leaves
    | Joins
    | PartTime
    | ExtraHours
    | SkillSet
    | SkillLost
    | MovesTeam
    | ClientWon
    | ClientLost
    | DocumentsLate
    | DeadlineMoved
    | ExtensionFiled
    | EstimatesOff
    | TaskAdded
    | TaskDropped
    | TaskSplit
    | Reprioritised
    | Holiday
    | Freeze
    | PolicySet
    | SuggestionsAccepted,
    Field(discriminator="change"),
]
CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
"""Reads one change from JSON or a mapping."""


class Scenario(Frozen):
    """A named set of changes, applied in order."""

    name: str = Field(default="scenario", description="what people call it")
    changes: tuple[Change, ...] = ()

    def apply(self, firm: Firm) -> Firm:
        """Return the firm as it would be; see `apply_all`."""
        return apply_all(firm, self.changes)

    def sentences(self, firm: Firm) -> tuple[str, ...]:
        """Return each change in words, as it finds the firm after those before it; one that alters nothing says so."""
        said: list[str] = []
        for change in self.changes:
            after = change.apply(firm)
            said.append(change.sentence(firm) + (" This alters nothing." if after == firm else ""))
            firm = after
        return tuple(said)


def scenario_of(document: Mapping[str, Any]) -> Scenario:
    """Return the scenario a JSON or TOML document describes.

    Raises
    ------
    Refused
        A kind of change or a field is not known, with the nearest one that is; or a value cannot be.
    """
    kinds = known_changes()
    changes = document.get("changes", ())
    for i, one in enumerate(changes if isinstance(changes, list | tuple) else ()):
        if not isinstance(one, Mapping):
            continue
        kind = str(one.get("change", ""))
        if kind not in kinds:
            refuse_unknown(f"changes.{i}.change", kind, kinds, "the kinds of change in docs/what-if.md")
        fields = kinds[kind].model_fields
        wrong = next((name for name in one if name not in fields), None)
        if wrong is not None:
            refuse_unknown(f"changes.{i}.{wrong}", wrong, fields, f"{kind} in docs/what-if.md")
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        found = refusals(error)[0]
        for kind in kinds:  # pydantic puts the kind behind the number
            found = found.model_copy(update={"field": re.sub(rf"^(changes\.\d+)\.{kind}(?=\.|$)", r"\1", found.field)})
        raise Refused(found) from error


def known_changes() -> dict[str, type[FirmChange]]:
    """Return every kind of change by the name it has in JSON."""
    union = get_args(get_args(Change)[0])
    return {kind.model_fields["change"].default: kind for kind in union}


def apply_all(firm: Firm, changes: Sequence[FirmChange]) -> Firm:
    """Return the firm after some changes in order; the one given stays as it is.

    Raises
    ------
    Refused
        A change names what the firm, as the changes before it left it, does not have; or contradicts one of them. The field starts with
        ``changes`` and the number of the change, from 0.
    """
    for i, change in enumerate(changes):
        try:
            for earlier in changes[:i]:
                change.clash(earlier, firm)
            firm = change.apply(firm)
        except Refused as error:
            found = error.refusal
            raise Refused(found.model_copy(update={"field": f"changes.{i}.{found.field}"})) from error
        except ValidationError as error:
            found = refusals(error)[0]
            raise Refused(found.model_copy(update={"field": f"changes.{i}.{found.field}"})) from error
    return firm


__all__ = [
    "CHANGE",
    "Away",
    "Change",
    "ClientLost",
    "ClientWon",
    "DeadlineMoved",
    "DocumentsLate",
    "EstimatesOff",
    "ExtensionFiled",
    "ExtraHours",
    "Freeze",
    "Holiday",
    "Joins",
    "Leaves",
    "MovesTeam",
    "NewWork",
    "PartTime",
    "PolicySet",
    "Reprioritised",
    "Scenario",
    "SkillLost",
    "SkillSet",
    "SuggestionsAccepted",
    "TaskAdded",
    "TaskDropped",
    "TaskSplit",
    "apply_all",
    "known_changes",
    "scenario_of",
]
