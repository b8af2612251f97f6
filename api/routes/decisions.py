"""The decision log, with names in place of the marks that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from api.routes.access import Here, ReadingDecisions
from api.routes.conditions import cursor, cursor_parts
from api.routes.models import LogEntry, LogPage, WholeLogEntry
from api.routes.problems import answers
from api.store.boards import labels_of
from api.store.listing import decisions_before
from api.store.log import Entry, read
from api.store.names import named, with_names
from solver.firm import Name

router = APIRouter(prefix="/decisions", tags=["decisions"])


@router.get("", responses=answers())
def decisions(
    caller: ReadingDecisions,
    here: Here,
    task: Annotated[Name | None, Query(description="id of the task that they are about")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> LogPage:
    """List decisions, newest first."""
    parts = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        found = decisions_before(session, task, parts[0] if parts else None, limit + 1)
        labels = labels_of(session)
    shown = found[:limit]
    more = cursor(shown[-1].number) if len(found) > limit else None
    return LogPage(decisions=tuple(LogEntry(**_fields(one, labels)) for one in shown), next=more)


@router.get("/{number}", responses=answers(404))
def decision(
    number: Annotated[int, Path(ge=1, le=2**63 - 1, description="of the entry")], caller: ReadingDecisions, here: Here
) -> WholeLogEntry:
    """Read one decision: what was asked, everybody as they were seen, and why."""
    with here.database.reading(caller.firm) as session:
        entry = read(session, number)
        labels = labels_of(session)
    answer = entry.answer
    said = None if answer is None else with_names(answer, labels)
    return WholeLogEntry(**_fields(entry, labels), asked=entry.asked, answer=said)


def _fields(entry: Entry, labels: Mapping[str, str]) -> dict[str, Any]:
    fields = {name: value for name, value in entry._asdict().items() if name in LogEntry.model_fields}
    return fields | {"reason": named(entry.reason, labels), "board_version": entry.seen.version}
