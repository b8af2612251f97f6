"""Records of a table in the shape of the models: weeks from seven columns, review rules and procedures from theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.intake.schema import WEEKDAYS

Fields = Mapping[str, Any]


def shaped(sheet: str, fields: Fields, zone: ZoneInfo) -> dict[str, Any]:
    """Return the payload of one row of ``sheet``; moments with an offset become local to ``zone``."""
    payload = dict(fields)
    if sheet == "tasks":
        return _task(payload, zone)
    shape = SHAPES.get(sheet)
    return shape(payload) if shape else payload


def _person(payload: dict[str, Any]) -> dict[str, Any]:
    if "skills" in payload:
        payload["skills"] = [{"skill": name} for name in payload["skills"]]
    week_min = payload.pop("week_min", None)
    if any(f"{day}_min" in payload for day in WEEKDAYS):
        return _week(payload, "weekly_min")
    if week_min is not None:
        each, rest = divmod(week_min, 5)
        payload["weekly_min"] = [each + (place < rest) for place in range(5)] + [0, 0]
    return payload


def _week(payload: dict[str, Any], name: str) -> dict[str, Any]:
    payload[name] = [payload.pop(f"{day}_min", 0) for day in WEEKDAYS]
    return payload


def _overtime(payload: dict[str, Any]) -> dict[str, Any]:
    return _week(_days(payload), "extra_min")


def _days(payload: dict[str, Any]) -> dict[str, Any]:
    payload.setdefault("last_day", payload.get("first_day"))
    return payload


def _task_type(payload: dict[str, Any]) -> dict[str, Any]:
    rule = {name: payload.pop(f"review_{name}") for name in ("min_level", "share_pct") if f"review_{name}" in payload}
    if payload.pop("needs_review", bool(rule)):
        payload["review"] = rule
    steps = {name: payload.pop(f"procedure_{name}") for name in ("steps", "link") if f"procedure_{name}" in payload}
    if steps:
        payload["procedure"] = steps
    return payload


def _task(payload: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    due = payload.get("deadline")
    if isinstance(due, datetime):
        local = due.astimezone(zone) if due.tzinfo else due
        payload["deadline"] = local.date()
        payload.setdefault("deadline_time", local.time())
    return payload


SHAPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "people": _person,
    "task_types": _task_type,
    "time_off": _days,
    "bookings": _days,
    "overtime": _overtime,
}
