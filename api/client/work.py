"""The client's methods about work: tasks, time entries, placements, decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from api.client.requests import Requests, in_path
from api.routes.firm_models import ChainAnswer, ReplayAnswer
from api.routes.models import LogEntry, LogPage, Placed, TaskAnswer, TaskPage, TimeEntry, TimeLogged, WholeLogEntry
from api.routes.work_models import (
    Completion,
    KeptTimeEntry,
    NewTasks,
    PlacedTasks,
    Reopened,
    TimeCorrected,
    TimeCorrection,
    TimePage,
    Why,
    WhyNotAnswer,
)
from solver.firm import Task
from solver.plan import Decision


class Work(Requests):
    """Tasks, time entries, placements, decisions."""

    def place(self, task: Task, *, key: str | None = None) -> Placed:
        """Take a task in, and learn who has it and why."""
        return self._create(Placed, "/tasks", task, key)

    def place_many(self, tasks: Sequence[Task], *, all_or_nothing: bool = False, key: str | None = None) -> PlacedTasks:
        """Take many tasks in; each row of the answer is a placement or its problems."""
        rows = tuple(task.model_dump(mode="json") for task in tasks)
        return self._create(PlacedTasks, "/tasks/bulk", NewTasks(tasks=rows, all_or_nothing=all_or_nothing), key)

    def try_placing(self, task: Task) -> Decision:
        """Learn who would get a task; nothing is stored."""
        return self._read(Decision, self._send("POST", "/placements/dry-run", body=task, repeatable=True))

    def task(self, id: str) -> TaskAnswer:
        """Read one task."""
        return self._get(TaskAnswer, f"/tasks/{in_path(id)}")

    def tasks(self, **wanted: Any) -> Iterator[TaskAnswer]:
        """Yield tasks in the order they came; ``wanted`` as the filters of the list: ``open``, ``assignee``, ``client`` and so on."""
        return self._pages(TaskPage, "/tasks", lambda page: page.tasks, wanted)

    def change_task(self, id: str, *, version: int | None, **fields: Any) -> TaskAnswer:
        """Change facts about a task that is still at ``version``; ``None``: at any."""
        change = TypeAdapter(dict[str, Any]).dump_python(fields, mode="json")
        return self._change(TaskAnswer, "PATCH", f"/tasks/{in_path(id)}", change, version)

    def complete(self, id: str, *, version: int | None, completed_on: date | None = None) -> TaskAnswer:
        """Say that a task is done."""
        body = Completion(completed_on=completed_on)
        return self._change(TaskAnswer, "POST", f"/tasks/{in_path(id)}/complete", body, version)

    def cancel(self, id: str, *, version: int | None) -> TaskAnswer:
        """Say that a task needs no more work."""
        return self._change(TaskAnswer, "POST", f"/tasks/{in_path(id)}/cancel", None, version)

    def reopen(self, id: str, *, version: int | None) -> Reopened:
        """Let work on a task begin again."""
        return self._change(Reopened, "POST", f"/tasks/{in_path(id)}/reopen", None, version)

    def remove_task(self, id: str, *, version: int | None) -> None:
        """Take out a task that nobody has worked on."""
        self._remove(f"/tasks/{in_path(id)}", version)

    def log_time(self, task: str, entry: TimeEntry, *, key: str | None = None) -> TimeLogged:
        """Log time on a task."""
        return self._create(TimeLogged, f"/tasks/{in_path(task)}/time", entry, key)

    def time_entries(self, **wanted: Any) -> Iterator[KeptTimeEntry]:
        """Yield time entries in the order they were written; ``wanted`` as the filters of the list."""
        return self._pages(TimePage, "/time-entries", lambda page: page.entries, wanted)

    def time_entry(self, id: str) -> KeptTimeEntry:
        """Read one time entry."""
        return self._get(KeptTimeEntry, f"/time-entries/{in_path(id)}")

    def correct_time(self, id: str, correction: TimeCorrection, *, version: int | None) -> TimeCorrected:
        """Say what a time entry should have said."""
        return self._change(TimeCorrected, "PATCH", f"/time-entries/{in_path(id)}", correction, version)

    def remove_time(self, id: str, *, version: int | None, reason: str = "") -> None:
        """Take a time entry back."""
        self._remove(f"/time-entries/{in_path(id)}", version, reason=reason)

    def why(self, task: str) -> Why:
        """Learn why a task is where it is."""
        return self._get(Why, f"/placements/{in_path(task)}/why")

    def why_not(self, task: str, person: str) -> WhyNotAnswer:
        """Learn why a person does not have a task, and what it would cost to insist."""
        return self._get(WhyNotAnswer, f"/placements/{in_path(task)}/why-not", {"person": person})

    def decision(self, number: int) -> WholeLogEntry:
        """Read one entry of the decision log."""
        return self._get(WholeLogEntry, f"/decisions/{number}")

    def decisions(self, **wanted: Any) -> Iterator[LogEntry]:
        """Yield decisions, newest first; ``wanted`` as the filters of the list."""
        return self._pages(LogPage, "/decisions", lambda page: page.decisions, wanted)

    def verify_decisions(self, *, noted: str | None = None) -> ChainAnswer:
        """Walk the decision log; ``noted``: a head from before, which must still be there."""
        return self._get(ChainAnswer, "/decisions/verify", {"noted": noted} if noted else None)

    def replay_decision(self, number: int) -> ReplayAnswer:
        """Make a decision again on the board that it was made on."""
        return self._get(ReplayAnswer, f"/decisions/{number}/replay")
