"""Explanations as data: why a task is where it is, why a person does not have it. `solver.explain` finds them."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from solver.plan import WayOut
from solver.policy import Frozen


class Price(Frozen):
    """One part of what a task costs where it is."""

    term: str
    minutes: int


class Explanation(Frozen):
    """Why a task is where it is."""

    code: str = Field(description="planned, late, escalated, held, done or cancelled")
    task: str
    person: str | None
    label: str
    prices: tuple[Price, ...] = ()
    others: int = Field(default=0, description="further people who may do the task")
    next_best: str | None = Field(default=None, description="who would cost least instead, their hours aside")
    next_best_min: int = Field(default=0, description="how much more the next best costs, balance and hours aside")
    cause: str | None = None
    flag: str | None = None
    ways_out: tuple[WayOut, ...] = ()

    def sentence(self) -> str:
        """Return the explanation in one line."""
        if self.code in ("held", "done", "cancelled"):
            return f"{self.task} is {self.code}: {self.cause}."
        if self.code == "escalated":
            ways = "; ".join(way.sentence for way in self.ways_out[:3])
            return f"{self.task} has nobody: {self.cause}." + (f" Ways out: {ways}." if ways else "")
        paid = ", ".join(f"{price.term} {price.minutes}" for price in self.prices if price.minutes)
        parts = [f"{self.task} goes to {self.label}" + (f" at {paid} minutes" if paid else " at no extra price")]
        if self.next_best is not None:
            others = "1 other" if self.others == 1 else f"{self.others} others"
            parts.append(f"{others} may do it; the next, {self.next_best}, costs {self.next_best_min} minutes more")
        elif self.others == 0:
            parts.append("nobody else may do it")
        parts += [text for text in (self.flag, self.cause and f"late: {self.cause}") if text]
        return "; ".join(parts) + "."


class BindingWindow(Frozen):
    """The stretch of days that has too little room for a task."""

    first_day: date
    last_day: date
    open_min: int
    promised_min: int
    work_min: int
    missing_min: int
    tasks: tuple[str, ...]


class WhyNot(Frozen):
    """Why a person does not have a task in a plan."""

    code: str = Field(description="the filter that stops the person, or window, price, has_it, fixed, requested")
    task: str
    person: str
    label: str
    reason: str
    window: BindingWindow | None = None
    extra_min: int | None = Field(default=None, description="how much more the plan costs with the task forced there")
    proven: bool = Field(default=False, description="whether no cheaper plan with the task forced there exists")
    moved: tuple[str, ...] = Field(default=(), description="other tasks that change hands then")
    escalated: tuple[str, ...] = Field(default=(), description="tasks that nobody takes then")
    ways_out: tuple[WayOut, ...] = ()

    def sentence(self) -> str:
        """Return the explanation in one line."""
        parts = [f"{self.label} does not get {self.task}: {self.reason}" if self.code != "has_it" else self.reason]
        if self.extra_min is not None:
            how = "would cost" if self.proven else "would, as far as was searched, cost"
            more = "less" if self.extra_min < 0 else "more"
            parts.append(f"forcing it {how} {abs(self.extra_min)} minutes {more}")
        if self.moved:
            parts.append(f"{len(self.moved)} other {'task' if len(self.moved) == 1 else 'tasks'} would change hands")
        if self.escalated:
            parts.append(f"nobody would take {', '.join(self.escalated)}")
        if self.ways_out:
            parts.append(f"what would have to change: {self.ways_out[0].sentence}")
        return "; ".join(parts) + "."
