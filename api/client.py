"""A small client of the HTTP API: its models are the API's own, lists are iterators, problems are exceptions.

    with Client("http://127.0.0.1:8000", token) as evenhand:
        placed = evenhand.place(Task(id="t-1", type="return", client="acme", deadline=date(2027, 3, 15), estimate_min=240))

What creates something has an idempotency key, made here unless given, and is sent again with the same one when the answer is lost:
it is done once. What changes something names the version that was read, and is sent again only where it cannot have been done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.routes.firm_models import (
    Capacity,
    ClientAnswer,
    ClientPage,
    Entry,
    EntryAnswer,
    EntryPage,
    Imported,
    Leaving,
    MetricsAnswer,
    PersonAnswer,
    PersonPage,
    PolicyAnswer,
    PolicyChange,
    TaskTypeAnswer,
    TaskTypePage,
)
from api.routes.models import (
    FirmAnswer,
    LogEntry,
    LogPage,
    Placed,
    TaskAnswer,
    TaskPage,
    TimeEntry,
    TimeLogged,
    WholeLogEntry,
)
from api.routes.problems import MEDIA_TYPE, ProblemDocument
from api.routes.uploads import FORMS
from api.routes.work_models import Completion, NewTasks, PlacedTasks, Reopened, Why, WhyNotAnswer
from solver.firm import Client as FirmClient
from solver.firm import Person, Task, TaskType
from solver.plan import Decision
from solver.policy import Policy

PREFIX = "/api/v1"
PAUSE_S = 0.2
"""Before the first repetition; twice as long before each further one."""
LONGEST_PAUSE_S = 10.0
PAGE_ROWS = 200
_AGAIN = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Model = TypeVar("Model", bound=BaseModel)
Row = TypeVar("Row")


class Problem(Exception):
    """What the service refused, and why; ``document`` has every mistake where there are several."""

    def __init__(self, document: ProblemDocument) -> None:
        super().__init__(document.detail)
        self.document = document
        self.status, self.code = document.status, document.code
        self.field, self.value, self.nearest, self.hint = (
            document.field,
            document.value,
            document.nearest,
            document.hint,
        )


class Client:
    """The API as one token may use it; threads may share it.

    Parameters
    ----------
    address
        Where the service answers, without ``/api/v1``.
    repeats
        How often a request is sent again when the service is busy, or gone.
    wait
        Waits a number of seconds.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        repeats: int = 4,
        timeout_s: float = 30.0,
        wait: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        base = address.rstrip("/").removesuffix(PREFIX) + PREFIX
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout_s, transport=transport)
        self._repeats, self._wait = repeats, wait

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Work

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
        return self._get(TaskAnswer, f"/tasks/{_in_path(id)}")

    def tasks(self, **wanted: Any) -> Iterator[TaskAnswer]:
        """Yield tasks in the order they came; ``wanted`` as the filters of the list: ``open``, ``assignee``, ``client`` and so on."""
        return self._pages(TaskPage, "/tasks", lambda page: page.tasks, wanted)

    def change_task(self, id: str, *, version: int | None, **fields: Any) -> TaskAnswer:
        """Change facts about a task that is still at ``version``; ``None``: at any."""
        change = TypeAdapter(dict[str, Any]).dump_python(fields, mode="json")
        return self._change(TaskAnswer, "PATCH", f"/tasks/{_in_path(id)}", change, version)

    def complete(self, id: str, *, version: int | None, completed_on: date | None = None) -> TaskAnswer:
        """Say that a task is done."""
        body = Completion(completed_on=completed_on)
        return self._change(TaskAnswer, "POST", f"/tasks/{_in_path(id)}/complete", body, version)

    def cancel(self, id: str, *, version: int | None) -> TaskAnswer:
        """Say that a task needs no more work."""
        return self._change(TaskAnswer, "POST", f"/tasks/{_in_path(id)}/cancel", None, version)

    def reopen(self, id: str, *, version: int | None) -> Reopened:
        """Let work on a task begin again."""
        return self._change(Reopened, "POST", f"/tasks/{_in_path(id)}/reopen", None, version)

    def log_time(self, task: str, entry: TimeEntry, *, key: str | None = None) -> TimeLogged:
        """Log time on a task."""
        return self._create(TimeLogged, f"/tasks/{_in_path(task)}/time", entry, key)

    def why(self, task: str) -> Why:
        """Learn why a task is where it is."""
        return self._get(Why, f"/placements/{_in_path(task)}/why")

    def why_not(self, task: str, person: str) -> WhyNotAnswer:
        """Learn why a person does not have a task, and what it would cost to insist."""
        return self._get(WhyNotAnswer, f"/placements/{_in_path(task)}/why-not", {"person": person})

    def decision(self, number: int) -> WholeLogEntry:
        """Read one entry of the decision log."""
        return self._get(WholeLogEntry, f"/decisions/{number}")

    def decisions(self, **wanted: Any) -> Iterator[LogEntry]:
        """Yield decisions, newest first; ``wanted`` as the filters of the list."""
        return self._pages(LogPage, "/decisions", lambda page: page.decisions, wanted)

    # The firm

    def firm(self) -> FirmAnswer:
        """Read the firm in figures."""
        return self._get(FirmAnswer, "/firm")

    def people(self, **wanted: Any) -> Iterator[PersonAnswer]:
        """Yield people in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(PersonPage, "/people", lambda page: page.people, wanted)

    def person(self, id: str) -> PersonAnswer:
        """Read one person."""
        return self._get(PersonAnswer, f"/people/{_in_path(id)}")

    def create_person(self, person: Person, *, key: str | None = None) -> PersonAnswer:
        """Let somebody be part of the firm."""
        return self._create(PersonAnswer, "/people", person, key)

    def replace_person(self, person: Person, *, version: int | None) -> PersonAnswer:
        """Say everything about a person anew."""
        return self._change(PersonAnswer, "PUT", f"/people/{_in_path(person.id)}", person, version)

    def let_leave(self, id: str, last_day: date, *, version: int | None) -> PersonAnswer:
        """Say when somebody leaves."""
        return self._change(PersonAnswer, "POST", f"/people/{_in_path(id)}/leave", Leaving(last_day=last_day), version)

    def capacity(self, person: str, *, first_day: date | None = None, days: int = 28) -> Capacity:
        """Read how much of a person is free."""
        wanted = {"days": days, **({"first_day": first_day} if first_day else {})}
        return self._get(Capacity, f"/people/{_in_path(person)}/capacity", wanted)

    def calendar(self, **wanted: Any) -> Iterator[EntryAnswer]:
        """Yield calendar entries in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(EntryPage, "/calendar", lambda page: page.entries, wanted)

    def create_entry(self, entry: Entry, *, key: str | None = None) -> EntryAnswer:
        """Note time off, a booking or overtime."""
        return self._create(EntryAnswer, "/calendar", entry, key)

    def remove_entry(self, id: str, *, version: int | None) -> None:
        """Take a calendar entry out."""
        self._send("DELETE", f"/calendar/{_in_path(id)}", headers=_if_match(version))

    def restore_entry(self, id: str) -> EntryAnswer:
        """Put a calendar entry back that was removed."""
        return self._read(EntryAnswer, self._send("POST", f"/calendar/{_in_path(id)}/restore"))

    def clients(self, **wanted: Any) -> Iterator[ClientAnswer]:
        """Yield clients in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(ClientPage, "/clients", lambda page: page.clients, wanted)

    def create_client(self, client: FirmClient, *, key: str | None = None) -> ClientAnswer:
        """Take in a client."""
        return self._create(ClientAnswer, "/clients", client, key)

    def task_types(self, **wanted: Any) -> Iterator[TaskTypeAnswer]:
        """Yield task types in the order they came; ``wanted`` as the filters of the list."""
        return self._pages(TaskTypePage, "/task-types", lambda page: page.task_types, wanted)

    def create_task_type(self, task_type: TaskType, *, key: str | None = None) -> TaskTypeAnswer:
        """Describe a kind of work."""
        return self._create(TaskTypeAnswer, "/task-types", task_type, key)

    def policy(self) -> PolicyAnswer:
        """Read the policy."""
        return self._get(PolicyAnswer, "/policy")

    def replace_policy(self, policy: Policy, *, reason: str, version: int | None) -> PolicyAnswer:
        """Say everything about the policy anew."""
        return self._change(PolicyAnswer, "PUT", "/policy", PolicyChange(policy=policy, reason=reason), version)

    def metrics(self) -> MetricsAnswer:
        """Read the four metrics."""
        return self._get(MetricsAnswer, "/metrics")

    def import_files(self, content: bytes, form: Literal["json", "xlsx", "zip"], **how: Any) -> Imported:
        """Import a firm's files; ``how`` as the options of the import: ``mode``, ``on_rejects``, ``date_order``, ``dry_run``."""
        found = self._send("POST", "/firm/import", body=content, params=how, headers={"Content-Type": FORMS[form]})
        return self._read(Imported, found)

    def export_files(self, form: Literal["json", "xlsx", "zip"] = "zip") -> bytes:
        """Export the firm as a file that can be imported again."""
        return self._send("GET", "/firm/export", params={"form": form}, repeatable=True).content

    # Requests

    def _get(self, model: type[Model], path: str, wanted: dict[str, Any] | None = None) -> Model:
        return self._read(model, self._send("GET", path, params=wanted, repeatable=True))

    def _pages(
        self, model: type[Model], path: str, rows: Callable[[Any], Sequence[Row]], wanted: dict[str, Any]
    ) -> Iterator[Row]:
        after: dict[str, str] = {}
        while True:
            page: Any = self._get(model, path, {"limit": PAGE_ROWS, **wanted, **after})
            yield from rows(page)
            if page.next is None:
                return
            after = {"cursor": page.next}

    def _create(self, model: type[Model], path: str, body: BaseModel, key: str | None) -> Model:
        headers = {"Idempotency-Key": key or uuid4().hex}
        return self._read(model, self._send("POST", path, body=body, headers=headers, repeatable=True))

    def _change(
        self, model: type[Model], method: str, path: str, body: BaseModel | dict[str, Any] | None, version: int | None
    ) -> Model:
        return self._read(model, self._send(method, path, body=body, headers=_if_match(version)))

    def _read(self, model: type[Model], found: httpx.Response) -> Model:
        return model.model_validate_json(found.content)

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | dict[str, Any] | bytes | None = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        repeatable: bool = False,
    ) -> httpx.Response:
        """Send a request, again where it may be; ``repeatable``: also where it may have been done already."""
        content = body.model_dump_json().encode() if isinstance(body, BaseModel) else body
        sent: dict[str, Any] = {"json": content} if isinstance(content, dict) else {"content": content}
        typed = {"Content-Type": "application/json"} if isinstance(body, BaseModel) else {}
        written = None if params is None else TypeAdapter(dict[str, Any]).dump_python(params, mode="json")
        for repeat in range(self._repeats + 1):
            last = repeat == self._repeats
            pause_s = min(PAUSE_S * 2**repeat, LONGEST_PAUSE_S)
            try:
                found = self._http.request(method, path, params=written, headers={**typed, **(headers or {})}, **sent)
            except httpx.TransportError as error:
                if last or not (repeatable or isinstance(error, _NOT_SENT)):
                    raise
            else:
                if found.is_success:
                    return found
                if last or found.status_code not in _AGAIN or not (repeatable or _was_not_done(found)):
                    raise _problem(found)
                pause_s = _asked_pause_s(found, pause_s)
            self._wait(pause_s)
        raise AssertionError("the last repetition returns or raises")


def _in_path(id: str) -> str:
    return quote(id, safe="")


def _if_match(version: int | None) -> dict[str, str]:
    return {"If-Match": "*" if version is None else f'"{version}"'}


def _was_not_done(found: httpx.Response) -> bool:
    """Whether the service itself says that it did nothing; a proxy between knows nothing of it."""
    return found.headers.get("content-type") == MEDIA_TYPE and found.status_code != HTTPStatus.GATEWAY_TIMEOUT


def _asked_pause_s(found: httpx.Response, pause_s: float) -> float:
    asked = found.headers.get("retry-after", "")
    return min(max(pause_s, float(asked)), LONGEST_PAUSE_S) if asked.isdigit() else pause_s


def _problem(found: httpx.Response) -> Problem:
    try:
        return Problem(ProblemDocument.model_validate_json(found.content))
    except ValidationError:  # somebody between answered
        phrase = HTTPStatus(found.status_code).phrase if found.status_code in set(HTTPStatus) else "unknown status"
        detail = f"The service's address answers {found.status_code}, {phrase}."
        return Problem(ProblemDocument(code="not_evenhand", detail=detail, title=phrase, status=found.status_code))
