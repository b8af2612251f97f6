"""What is refused, said so that a person can mend it: field, value, nearest valid value, one hint.

Pydantic finds the mistakes; this module is the one place that turns them into the house form

    row 17, task type "1120s" is not known. Nearest: "1120-S". Maybe add it under task types.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError


class Refusal(BaseModel):
    """One refused value.

    Attributes
    ----------
    code
        Stable, machine-readable name of the mistake, such as ``unknown_reference``.
    field
        Where it stands, dotted, such as ``tasks.17.deadline``.
    value
        What was given, as text.
    nearest
        The nearest value that would have been accepted, or ``None`` where there is no such thing.
    hint
        One line of advice that starts with "Maybe"; may be empty.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    field: str
    value: str
    message: str
    nearest: str | None = None
    hint: str = ""

    def sentence(self) -> str:
        """Return the whole refusal as one line for people."""
        parts = [f'{self.field} "{self.value}" {self.message}.']
        if self.nearest is not None:
            parts.append(f'Nearest: "{self.nearest}".')
        if self.hint:
            parts.append(self.hint)
        return " ".join(parts)


class Refused(ValueError):
    """Raised where one value is refused outside a model; carries the `Refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence())
        self.refusal = refusal


def nearest_name(value: str, known: Collection[str]) -> str | None:
    """Return the known name most like ``value`` (case ignored; ties by name), or ``None`` when nothing is known."""
    if not known:
        return None
    folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    close = difflib.get_close_matches(value.casefold(), sorted(folded), n=1, cutoff=0.0)
    return folded[close[0]] if close else min(known)


def refuse(
    code: str, field: str, value: object, message: str, *, nearest: object = None, hint: str = ""
) -> PydanticCustomError:
    """Build the error that a validator raises; ``refusals`` reads its parts back."""
    context = {
        "field": field,
        "value": str(value),
        "why": message,
        "nearest": None if nearest is None else str(nearest),
        "hint": hint,
    }
    text = '{field} "{value}" {why}' if nearest is None else '{field} "{value}" {why}. Nearest: "{nearest}"'
    return PydanticCustomError(code, text, context)


def unknown(field: str, value: str, known: Collection[str], where: str) -> PydanticCustomError:
    """Build the error for a reference to something that does not exist."""
    return refuse(
        "unknown_reference",
        field,
        value,
        "is not known",
        nearest=nearest_name(value, known),
        hint=f"Maybe add it under {where}.",
    )


def require_unique(field: str, ids: Iterable[str]) -> None:
    """Refuse the second of two equal ids."""
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise refuse("duplicate_id", field, one, "occurs twice", hint="Maybe one of the two should be removed.")
        seen.add(one)


def require_known(field: str, value: str | None, known: Collection[str], where: str) -> None:
    """Refuse a reference to something that does not exist."""
    if value is not None and value not in known:
        raise unknown(field, value, known, where)


def refusals(error: ValidationError) -> tuple[Refusal, ...]:
    """Translate every mistake pydantic found into a `Refusal`, in the order of the input."""
    return tuple(refusal_of(detail) for detail in error.errors(include_url=False))


def refusal_of(detail: Any) -> Refusal:
    """Translate one mistake as pydantic lists it (``ValidationError.errors()``)."""
    context = detail.get("ctx", {})
    place = dotted(detail["loc"])
    if "why" in context:
        field = ".".join(part for part in (place, context["field"]) if part)
        return Refusal(
            code=detail["type"],
            field=field,
            value=context["value"],
            message=context["why"],
            nearest=context["nearest"],
            hint=context["hint"],
        )
    return Refusal(
        code=detail["type"],
        field=place or "input",
        value=_shown(detail.get("input")),
        message=_message(detail["msg"]),
        nearest=_nearest(detail, context),
    )


def dotted(location: Iterable[int | str]) -> str:
    """Join a pydantic location into one dotted name."""
    return ".".join(str(part) for part in location)


def _shown(value: object, limit_chars: int = 80) -> str:
    text = str(value)
    return text if len(text) <= limit_chars else text[: limit_chars - 1] + "…"


def _message(text: str) -> str:
    lowered = text[0].lower() + text[1:]
    return lowered.replace("input should be", "should be").replace("field required", "is missing")


def _nearest(detail: Any, context: dict[str, Any]) -> str | None:
    for bound in ("ge", "le"):
        if bound in context:
            return str(context[bound])
    for bound, step in (("gt", 1), ("lt", -1)):
        if isinstance(context.get(bound), int):
            return str(context[bound] + step)
    if detail["type"] in {"enum", "literal_error"}:
        return nearest_name(str(detail.get("input")), _quoted(context.get("expected", "")))
    if detail["type"] == "extra_forbidden":
        return None
    return None


def _quoted(expected: str) -> Sequence[str]:
    return expected.split("'")[1::2]
