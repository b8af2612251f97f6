"""Changes to when work can begin and must end: documents late, deadlines moved, extensions filed, estimates off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, NoReturn, Self

from pydantic import Field, model_validator

from scenarios.change import day_words, exactly_one, listed, refuse_change, replaced, type_of, updated
from scenarios.due_dates import Form, due_date, extended_due_date, form_of, next_business_day
from scenarios.task_choice import OnTasks, reviews_of
from solver.calendar import closed_days, day_list
from solver.firm import Firm, Task
from solver.policy import MissingEstimate

MOST_MINUTES = 1_000_000
LONGEST_CLOSURE_DAYS = 31


class DocumentsLate(OnTasks):
    """Documents come later: work cannot begin before. Work that has begun has its documents."""

    change: Literal["documents_late"] = "documents_late"
    days: Annotated[int, Field(ge=-365, le=365)] = Field(description="calendar days; below zero: earlier")
    expected: date | None = Field(
        default=None,
        description="when documents of tasks without a release were expected; none: these tasks have theirs",
    )
    past_deadline: Literal["refuse", "cap"] = Field(
        default="refuse", description="what happens to a task that could begin after its deadline only"
    )

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the releases moved."""
        self.require_choice()
        later = [(task, released) for task in self.chosen(firm) if (released := self._released(task)) is not None]
        beyond = [task for task, released in later if released > task.deadline]
        if beyond and self.past_deadline == "refuse":
            least = min((task.deadline - (task.release or self.expected or task.deadline)).days for task in beyond)
            words = f"lets documents come after the deadline of {listed([task.id for task in beyond])}"
            hint = 'Maybe file an extension first, or say past_deadline = "cap" to begin on the deadline.'
            refuse_change("release_after_deadline", "days", self.days, words, nearest=least, hint=hint)
        new = [updated(task, release=min(released, task.deadline)) for task, released in later]
        return updated(firm, tasks=replaced(firm.tasks, new))

    def sentence(self, firm: Firm) -> str:
        """Say whose documents come how much later."""
        late = f"{abs(self.days)} {'day' if abs(self.days) == 1 else 'days'} {'later' if self.days >= 0 else 'earlier'}"
        return f"Documents come {late}: {self.words(firm)}."

    def _released(self, task: Task) -> date | None:
        expected = task.release or self.expected
        return None if task.started or expected is None or not self.days else expected + timedelta(days=self.days)


class DeadlineMoved(OnTasks):
    """Deadlines are moved, by days or to a day."""

    change: Literal["deadline"] = "deadline"
    days: Annotated[int, Field(ge=-730, le=730)] | None = Field(
        default=None, description="calendar days; below zero: earlier"
    )
    to: date | None = Field(default=None, description="or: the new deadline")
    next_business_day: bool = Field(
        default=False,
        description="a deadline that falls on a weekend or holiday of the firm goes to the next day of work",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        exactly_one(days=self.days, to=self.to)
        return self

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the deadlines moved."""
        self.require_choice()
        moved = [(task, self._deadline(firm, task)) for task in self.chosen(firm)]
        for task, deadline in moved:
            if task.release is not None and deadline < task.release:
                field = "days" if self.days is not None else "to"
                near = task.release if field == "to" else (task.release - task.deadline).days
                words = f"puts the deadline of {task.id} before its release {task.release}"
                refuse_change("release_after_deadline", field, getattr(self, field), words, nearest=near)
        return updated(firm, tasks=replaced(firm.tasks, [updated(task, deadline=due) for task, due in moved]))

    def sentence(self, firm: Firm) -> str:
        """Say which deadlines go where."""
        if self.to is not None:
            return f"The deadline is {day_words(self.to)}: {self.words(firm)}."
        days = self.days or 0
        way = "later" if days >= 0 else "earlier"
        return f"Deadlines are {abs(days)} {'day' if abs(days) == 1 else 'days'} {way}: {self.words(firm)}."

    def _deadline(self, firm: Firm, task: Task) -> date:
        moved = self.to if self.to is not None else task.deadline + timedelta(days=self.days or 0)
        if not self.next_business_day:
            return moved
        near = day_list(moved, moved + timedelta(days=LONGEST_CLOSURE_DAYS))
        return next_business_day(moved, closed_days(firm.holiday_calendar, near))


class ExtensionFiled(OnTasks):
    """An extension is filed: returns due by their federal due date are due by the extended one, reviews with them.

    Only work whose deadline lies on or before the due date of its form in that year can be extended; work due later already is.
    """

    change: Literal["extension"] = "extension"
    form: Form | None = Field(default=None, description="none: as the task type's id or name says")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the extended deadlines."""
        self.require_choice()
        extended = self._extended(firm)
        if not extended:
            self._refuse_nothing(firm)
        new = {task.id: updated(task, deadline=due) for task, due in extended.items()}
        for task, due in extended.items():
            for review in reviews_of(firm, [task.id]):
                if review.id not in new and review.deadline < due:
                    new[review.id] = updated(review, deadline=due)
        return updated(firm, tasks=replaced(firm.tasks, new.values()))

    def sentence(self, firm: Firm) -> str:
        """Say what is extended until when."""
        dates = sorted(set(self._extended(firm).values()))
        return f"Extension filed, now due {listed([day_words(day) for day in dates]) if dates else 'as before'}: {self.words(firm)}."

    def _extended(self, firm: Firm) -> dict[Task, date]:
        forms = {kind.id: self.form or form_of(kind.id, kind.name) for kind in firm.task_types}
        found: dict[Task, date] = {}
        for task in self.chosen(firm):
            form = forms[task.type]
            if form is not None and task.deadline <= due_date(form, task.deadline.year):
                found[task] = extended_due_date(form, task.deadline.year)
        return found

    def _refuse_nothing(self, firm: Firm) -> NoReturn:
        chosen = self.chosen(firm)
        kinds = {type_of(firm, task.type).label for task in chosen}
        if not chosen:
            refuse_change("nothing_chosen", "tasks", self.words(firm), "is no open work", hint="Maybe leave it out.")
        if self.form is None and all(form_of(kind) is None for kind in kinds | {task.type for task in chosen}):
            hint = "Maybe give the form, or move the deadline instead."
            known: Sequence[str] = [form.value for form in Form]
            words = f"is missing, and {listed(sorted(kinds))} is none of {', '.join(known)}"
            refuse_change("no_form", "form", "", words, hint=hint)
        late = max(chosen, key=lambda task: task.deadline)
        hint = "Maybe move the deadline instead."
        words = f"is due {late.deadline}, after the due date: it is extended already, or too late for it"
        refuse_change("conflict", "tasks", late.id, words, hint=hint)


class EstimatesOff(OnTasks):
    """Work takes longer or shorter than estimated, by a factor; without a condition all open work does."""

    change: Literal["estimates"] = "estimates"
    factor_pct: Annotated[int, Field(ge=1, le=1_000)] = Field(description="new estimate in percent of the old one")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with estimates scaled, rounded half up, at least a minute.

        A task without an estimate gets its type's default, scaled, where the policy plans it by that; otherwise it stays without.
        """
        defaults = {kind.id: kind.default_estimate_min for kind in firm.task_types}
        by_default = firm.policy.missing_estimate is MissingEstimate.TYPE_DEFAULT
        if self.factor_pct == 100:
            self.chosen(firm)
            return firm
        new: list[Task] = []
        for task in self.chosen(firm):
            estimate = task.estimate_min or (defaults[task.type] if by_default else None)
            if estimate is not None:
                new.append(updated(task, estimate_min=self._scaled(task, estimate)))
        return updated(firm, tasks=replaced(firm.tasks, new))

    def sentence(self, firm: Firm) -> str:
        """Say what takes how much longer."""
        off = self.factor_pct - 100
        much = "as estimated" if not off else f"{abs(off)} % {'longer' if off > 0 else 'less'} than estimated"
        return f"Work takes {much}: {self.words(firm)}."

    def _scaled(self, task: Task, estimate_min: int) -> int:
        scaled = max((estimate_min * self.factor_pct + 50) // 100, 1)
        if scaled > MOST_MINUTES:
            words = f"makes the estimate of {task.id} longer than {MOST_MINUTES:,} minutes"
            most = MOST_MINUTES * 100 // estimate_min
            refuse_change("estimate_too_long", "factor_pct", self.factor_pct, words, nearest=most)
        return scaled
