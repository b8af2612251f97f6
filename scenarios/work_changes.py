"""Changes to the work itself: clients won and lost; tasks added, dropped, split and reprioritised."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scenarios.change import (
    FirmChange,
    client_of,
    day_words,
    exactly_one,
    listed,
    open_task_of,
    refuse_change,
    replaced,
    require_new,
    type_of,
    updated,
)
from scenarios.task_choice import OnTasks, reviews_of
from solver.firm import Client, Firm, LocalTime, Name, Priority, Status, Task
from solver.policy import Frozen
from solver.wording import hours_text


class NewWork(Frozen):
    """One piece of a new client's work, made from its task type."""

    type: Name
    deadline: date
    deadline_time: LocalTime | None = None
    release: date | None = None
    estimate_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="none: the type's default"
    )
    priority: Priority = Priority.NORMAL
    id: Name | None = Field(default=None, description="none: the client's id with the number of the piece, acme-1")
    reviews: Name | None = Field(default=None, description="id of the piece this one reviews")


class ClientWon(FirmChange):
    """A new client with its work, from task types or as another client has it. Nobody holds the work yet."""

    change: Literal["client_won"] = "client_won"
    client: Client
    work: tuple[NewWork, ...] = ()
    like: Name | None = Field(default=None, description="client whose open tasks are copied, before the work listed")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the client last among the clients, and its tasks last among the tasks."""
        require_new("client.id", self.client.id, (client.id for client in firm.clients))
        taken = {task.id for task in firm.tasks}
        new = (*self._copied(firm), *self._made(firm))
        for task in new:
            require_new("work.id", task.id, taken)
            taken.add(task.id)
        return updated(firm, clients=(*firm.clients, self.client), tasks=(*firm.tasks, *new))

    def sentence(self, firm: Firm) -> str:
        """Say who is won, with how much work."""
        new = (*self._copied(firm), *self._made(firm))
        hours = hours_text(sum(task.estimate_min or 0 for task in new))
        count = "1 task" if len(new) == 1 else f"{len(new):,} tasks"
        return f"New client {self.client.label}, with {count} ({hours})."

    def clash(self, earlier: FirmChange, firm: Firm) -> None:
        """Refuse to copy the work of a client just lost."""
        if isinstance(earlier, ClientLost) and self.like is not None:
            if client_of(firm, self.like, "like").id == client_of(firm, earlier.client).id:
                refuse_change("conflict", "like", self.like, "is lost by an earlier change")

    def _copied(self, firm: Firm) -> tuple[Task, ...]:
        if self.like is None:
            return ()
        model = client_of(firm, self.like, "like")
        own = [task for task in firm.tasks if task.open and task.client == model.id]
        name = {task.id: f"{self.client.id}-{n}" for n, task in enumerate(own, start=1)}
        return tuple(
            Task(
                id=name[task.id],
                type=task.type,
                client=self.client.id,
                deadline=task.deadline,
                deadline_time=task.deadline_time,
                estimate_min=task.estimate_min,
                release=task.release,
                priority=task.priority,
                reviews=name.get(task.reviews or ""),
            )
            for task in own
        )

    def _made(self, firm: Firm) -> tuple[Task, ...]:
        first = len(self._copied(firm)) + 1
        made: list[Task] = []
        for n, one in enumerate(self.work):
            kind = type_of(firm, one.type, f"work.{n}.type")
            made.append(
                Task(
                    id=one.id or f"{self.client.id}-{first + n}",
                    type=kind.id,
                    client=self.client.id,
                    deadline=one.deadline,
                    deadline_time=one.deadline_time,
                    estimate_min=one.estimate_min or kind.default_estimate_min,
                    release=one.release,
                    priority=one.priority,
                    reviews=one.reviews,
                )
            )
        return tuple(made)


class ClientLost(FirmChange):
    """A client goes: its open tasks are cancelled; the client and what is done stay in the data."""

    change: Literal["client_lost"] = "client_lost"
    client: Name
    after: date | None = Field(default=None, description="work due by this day is still done; none: none is")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the client's open tasks cancelled, and their reviews."""
        gone = self._gone(firm)
        return cancelled(firm, [*gone, *reviews_of(firm, [task.id for task in gone])])

    def sentence(self, firm: Firm) -> str:
        """Say who is lost, with how much work."""
        gone = self._gone(firm)
        count = "1 open task" if len(gone) == 1 else f"{len(gone):,} open tasks"
        until = f" after the work due by {day_words(self.after)}" if self.after else ""
        return f"{client_of(firm, self.client).label} is lost as a client{until}, with {count}."

    def _gone(self, firm: Firm) -> list[Task]:
        client = client_of(firm, self.client)
        own = [task for task in firm.tasks if task.open and task.client == client.id]
        return [task for task in own if self.after is None or task.deadline > self.after]


class TaskAdded(FirmChange):
    """One more task."""

    change: Literal["task_added"] = "task_added"
    task: Task

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the task last."""
        require_new("task.id", self.task.id, (task.id for task in firm.tasks))
        return updated(firm, tasks=(*firm.tasks, self.task))

    def sentence(self, firm: Firm) -> str:
        """Say what is added for whom."""
        task = self.task
        kind, client = type_of(firm, task.type, "task.type").label, client_of(firm, task.client, "task.client").label
        work = "not estimated" if task.estimate_min is None else hours_text(task.estimate_min)
        return f"Task {task.id} is added: {kind} for {client}, {work}, due {day_words(task.deadline)}."

    def clash(self, earlier: FirmChange, firm: Firm) -> None:
        """Refuse work for a client just lost."""
        if isinstance(earlier, ClientLost) and client_of(firm, earlier.client).id == self.task.client:
            refuse_change("conflict", "task.client", self.task.client, "is lost by an earlier change")


class TaskDropped(FirmChange):
    """A task is not done: it is cancelled, and the open reviews of it with it."""

    change: Literal["task_dropped"] = "task_dropped"
    task: Name
    with_reviews: bool = Field(default=True, description="whether open reviews of it are dropped too")

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the task cancelled."""
        return cancelled(firm, self._gone(firm))

    def sentence(self, firm: Firm) -> str:
        """Say what is dropped."""
        first, *reviews = self._gone(firm)
        also = f", with its review {listed([task.id for task in reviews])}" if reviews else ""
        return f"Task {first.id} ({client_of(firm, first.client).label}) is dropped{also}."

    def _gone(self, firm: Firm) -> list[Task]:
        task = open_task_of(firm, self.task)
        return [task, *(reviews_of(firm, [task.id]) if self.with_reviews else ())]


class TaskSplit(FirmChange):
    """A task is cut into several that different people may do."""

    change: Literal["task_split"] = "task_split"
    task: Name
    parts_min: Annotated[tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...], Field(min_length=2)] | None = Field(
        default=None, description="minutes of each part; they add up to the estimate"
    )
    into: Annotated[int, Field(ge=2, le=100)] | None = Field(
        default=None, description="or: so many parts of equal length, the first ones a minute longer where it must be"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        exactly_one(parts_min=self.parts_min, into=self.into)
        return self

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the task as the first part, with its logged time and holder, and the other parts last, held by nobody."""
        task = open_task_of(firm, self.task)
        first, *others = self._parts(task)
        new = []
        for n, minutes in enumerate(others, start=2):
            id = f"{task.id}-{n}"
            require_new("task", id, (one.id for one in firm.tasks))
            fresh = {"id": id, "estimate_min": minutes, "logged_min": 0, "status": Status.PLANNED}
            new.append(updated(task, **fresh, assignee=None, pinned=False, completed_on=None))
        tasks = replaced(firm.tasks, [updated(task, estimate_min=first)])
        return updated(firm, tasks=(*tasks, *new))

    def sentence(self, firm: Firm) -> str:
        """Say into what it is cut."""
        task = open_task_of(firm, self.task)
        return f"Task {task.id} is split into {listed([hours_text(part) for part in self._parts(task)], limit=8)}."

    def _parts(self, task: Task) -> tuple[int, ...]:
        if task.estimate_min is None:
            hint = "Maybe give it an estimate first."
            refuse_change("no_estimate", "task", task.id, "has no estimate to split", hint=hint)
        if self.into is not None:
            if self.into > task.estimate_min:
                words = f"is more than the {task.estimate_min} minutes of the task"
                refuse_change("too_many_parts", "into", self.into, words, nearest=task.estimate_min)
            each, more = divmod(task.estimate_min, self.into)
            parts = tuple(each + (n < more) for n in range(self.into))
        else:
            parts = self.parts_min or ()
        if sum(parts) != task.estimate_min:
            last = task.estimate_min - sum(parts[:-1])
            words = f"add up to {sum(parts)} and not to the estimate of {task.estimate_min} minutes"
            near = [*parts[:-1], last] if last > 0 else None
            refuse_change("parts_do_not_add_up", "parts_min", list(parts), words, nearest=near)
        if parts[0] < task.logged_min:
            words = f"leaves the first part shorter than the {task.logged_min} minutes logged on it"
            field = "into" if self.into else "parts_min"
            refuse_change("part_below_logged", field, self.into or list(parts), words)
        return parts


class Reprioritised(OnTasks):
    """Work matters more or less than it did."""

    change: Literal["priority"] = "priority"
    priority: Priority

    def apply(self, firm: Firm) -> Firm:
        """Return the firm with the priorities replaced."""
        self.require_choice()
        new = [updated(task, priority=self.priority) for task in self.chosen(firm)]
        return updated(firm, tasks=replaced(firm.tasks, new))

    def sentence(self, firm: Firm) -> str:
        """Say what matters how much."""
        return f"Priority {self.priority.value}: {self.words(firm)}."


def cancelled(firm: Firm, tasks: list[Task]) -> Firm:
    """Return the firm with these tasks cancelled."""
    return updated(firm, tasks=replaced(firm.tasks, [updated(task, status=Status.CANCELLED) for task in tasks]))
