"""Changes to the firm as a whole: days closed or worked, near work frozen, settings of the policy."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from scenarios.change import FirmChange, day_words, refuse_change, replaced, updated
from solver.calendar import closed_days
from solver.firm import Firm, Name, Task
from solver.policy import Policy
from solver.refusal import nearest_name, refusals


class Holiday(FirmChange):
    """The firm is closed on a day, or works on one on which it was to be closed."""

    change: Literal["holiday"] = "holiday"
    day: date
    closed: bool = Field(default=True, description="false: the firm works on this day")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the day among the extra or the worked days, and not needlessly among both."""
        calendar = firm.holiday_calendar
        if self.closed == (self.day in closed_days(calendar, [self.day])):
            return firm
        undone, done = ("worked", "extra") if self.closed else ("extra", "worked")
        kept = tuple(day for day in getattr(calendar, undone) if day != self.day)
        plain = updated(calendar, **{undone: kept})
        if self.closed != (self.day in closed_days(plain, [self.day])):
            plain = updated(plain, **{done: (*getattr(plain, done), self.day)})
        return updated(firm, holiday_calendar=plain)

    def sentence(self, firm: Firm) -> str:
        """Say which day is free or worked."""
        return f"The firm {'is closed' if self.closed else 'works'} on {day_words(self.day)}."


class Freeze(FirmChange):
    """Work due soon stays where it is: what somebody holds and is due by a day is pinned."""

    change: Literal["freeze"] = "freeze"
    until: date

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the tasks pinned."""
        new = [updated(task, pinned=True) for task in self._frozen(firm)]
        return updated(firm, tasks=replaced(firm.tasks, new))

    def sentence(self, firm: Firm) -> str:
        """Say what stays."""
        return f"Work due by {day_words(self.until)} stays with its people ({len(self._frozen(firm)):,} tasks)."

    def _frozen(self, firm: Firm) -> list[Task]:
        return [task for task in firm.tasks if task.open and task.assignee and task.deadline <= self.until]


class PolicySet(FirmChange):
    """One setting of the policy: of the guardrail, a weight, the horizon, the cadence."""

    change: Literal["policy"] = "policy"
    name: Name = Field(description="dotted, such as weights.move or guardrail.complex_level")
    value: bool | int | str | None

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the setting replaced."""
        self._require_name()
        self._require_level(firm)
        return updated(firm, policy=self._policy(firm.policy))

    def sentence(self, firm: Firm) -> str:
        """Say from what to what."""
        self._require_name()
        return f"Policy: {self.name} is {_shown(self.value)} instead of {_shown(_setting(firm.policy, self.name))}."

    def _require_name(self) -> None:
        known = settings()
        if self.name not in known:
            hint = "Maybe see `evenhand schema policy`."
            near = nearest_name(self.name, known)
            refuse_change("unknown_setting", "name", self.name, "is no setting", nearest=near, hint=hint)

    def _require_level(self, firm: Firm) -> None:
        """Refuse a level nobody knows here, where the field is named, and not somewhere in the firm."""
        levels = [level.name for level in firm.levels]
        if self.name.endswith("_level") and self.value is not None and self.value not in levels:
            near = nearest_name(str(self.value), levels)
            refuse_change("unknown_reference", "value", self.value, "is no level of the firm", nearest=near)

    def _policy(self, policy: Policy) -> Policy:
        document: dict[str, Any] = policy.model_dump()
        *groups, last = self.name.split(".")
        place = document
        for group in groups:
            place = place[group]
        place[last] = self.value
        try:
            return Policy.model_validate(document)
        except ValidationError as error:
            found = refusals(error)[0]
            refuse_change(found.code, "value", found.value, found.message, nearest=found.nearest, hint=found.hint)


def settings() -> tuple[str, ...]:
    """Return the dotted names of all settings of a policy."""
    return tuple(_names(Policy, ""))


def _names(model: type[BaseModel], start: str) -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _names(inner, f"{start}{name}.")
        else:
            found.append(start + name)
    return found


def _setting(policy: Policy, name: str) -> object:
    found: object = policy
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
