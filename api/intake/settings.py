"""The settings sheet: one row per setting, each taken or refused by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from api.intake import values
from api.intake.records import Record, shown
from api.intake.rejects import Reject
from api.intake.values import BadValue, DateOrder
from solver.firm import Firm, Level
from solver.refusal import nearest_name, refusals

ROWS_OF_THEIR_OWN = frozenset(
    {"levels", "people", "clients", "task_types", "tasks", "time_off", "bookings", "overtime"}
)


def setting_paths(firm: Firm) -> dict[str, object]:
    """Return every setting of a firm: dotted name to value."""
    found: dict[str, object] = {}

    def walk(prefix: str, branch: Mapping[str, Any]) -> None:
        for name, value in branch.items():
            path = f"{prefix}.{name}" if prefix else name
            if isinstance(value, dict):
                walk(path, value)
            else:
                found[path] = value

    walk("", {name: value for name, value in firm.model_dump().items() if name not in ROWS_OF_THEIR_OWN})
    return found


def read_settings(
    records: Sequence[Record], levels: tuple[Level, ...], order: DateOrder, start: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[Reject]]:
    """Return the settings as fields of `Firm`, those of ``start`` where no row says otherwise, and the rows refused."""
    known = setting_paths(Firm())
    taken = dict(start or {})
    seen: dict[str, int] = {}
    rejects: list[Reject] = []
    for record in records:
        said = str(record.fields["key"])

        def refuse(name: str, value: str, reason: str, nearest: str | None, code: str, record: Record = record) -> None:
            rejects.append(Reject("settings", record.row, name, shown(value), reason, nearest, code, record.raw))

        path = _path(said, known)
        if path is None:
            refuse("key", said, "is not a setting", nearest_name(said, sorted(known)), "unknown_setting")
            continue
        if path in seen:
            refuse("key", said, f"occurs twice, first in row {seen[path]}", None, "duplicate_id")
            continue
        seen[path] = record.row
        if "value" not in record.fields:
            continue
        text = str(record.fields["value"])
        try:
            trial = _with(taken, path, _value(path, text, known[path], order))
            Firm.model_validate({**trial, "levels": levels})
            taken = trial
        except BadValue as error:
            refuse(path, text, error.reason, error.nearest, error.code)
        except ValidationError as error:
            one = refusals(error)[0]
            refuse(path, text, one.message, one.nearest, one.code)
    return taken, rejects


def _path(said: str, known: Mapping[str, object]) -> str | None:
    wanted = said.strip().casefold().replace(" ", "_")
    fits = [path for path in known if path == wanted or path.endswith(f".{wanted}")]
    return wanted if wanted in known else fits[0] if len(fits) == 1 else None


def _value(path: str, text: str, default: object, order: DateOrder) -> object:
    if text.casefold() in {"none", "null"}:
        return None
    if isinstance(default, tuple):
        return tuple(values.day(part, order) for part in values.names(text, order))
    if path.startswith("workday_"):
        return values.clock(text, order)
    return text


def _with(tree: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    return {**tree, head: _with(tree.get(head, {}), rest, value) if rest else value}
