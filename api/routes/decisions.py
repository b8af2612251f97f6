"""The decision log, with names in place of the marks that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from api.routes.access import Here, ReadingDecisions
from api.routes.conditions import cursor, cursor_parts
from api.routes.firm_models import ChainAnswer, ReplayAnswer
from api.routes.models import LogEntry, LogPage, WholeLogEntry
from api.routes.problems import answers, problem
from api.store.boards import labels_of
from api.store.listing import LogWanted, decisions_before
from api.store.log import By, Entry, EntryKind, read, verify
from api.store.names import named, with_names
from api.store.replaying import replay
from solver.firm import Name

router = APIRouter(prefix="/decisions", tags=["decisions"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="of the entry")]


@router.get("", operation_id="listDecisions", summary="List decisions", responses=answers())
def decisions(
    caller: ReadingDecisions,
    here: Here,
    task: Annotated[Name | None, Query(description="id of the task that they are about")] = None,
    person: Annotated[Name | None, Query(description="id of who got it")] = None,
    kind: EntryKind | None = None,
    decided_by: By | None = None,
    outcome: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[AwareDatetime | None, Query(description="first moment, with its offset")] = None,
    until: Annotated[AwareDatetime | None, Query(description="first moment after, with its offset")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> LogPage:
    """List decisions, newest first."""
    parts = cursor_parts(before, int)
    wanted = LogWanted(task, person, kind, decided_by, outcome, _utc("since", since), _utc("until", until))
    with here.database.reading(caller.firm) as session:
        found = decisions_before(session, wanted, parts[0] if parts else None, limit + 1)
        labels = labels_of(session)
    shown = found[:limit]
    more = cursor(shown[-1].number) if len(found) > limit else None
    return LogPage(decisions=tuple(log_entry(one, labels) for one in shown), next=more)


@router.get("/verify", operation_id="verifyDecisions", summary="Verify the decision log", responses=answers())
def verified(
    caller: ReadingDecisions,
    here: Here,
    noted: Annotated[
        str | None, Query(pattern="^[0-9a-f]{64}$", description="head of an earlier walk, noted elsewhere")
    ] = None,
) -> ChainAnswer:
    """Walk the chain of all decisions from its beginning: each follows the one before, and none is missing or rewritten."""
    with here.database.reading(caller.firm) as session:
        found = verify(session, noted=noted)
    number, said = found.broken if found.broken is not None else (None, None)
    return ChainAnswer(
        entries=found.entries, head=found.head, whole=found.broken is None, broken_at=number, problem=said
    )


@router.get("/{number}/replay", operation_id="replayDecision", summary="Make a decision again", responses=answers(404))
def replayed(number: Number, caller: ReadingDecisions, here: Here) -> ReplayAnswer:
    """Rebuild the board a decision was made on from the history, ask it again, and compare with what the log says."""
    with here.database.reading(caller.firm) as session:
        found = replay(session, number)
    return ReplayAnswer(number=number, same=found.same, different=found.different)


@router.get("/{number}", operation_id="getDecision", summary="Read a decision", responses=answers(404))
def decision(number: Number, caller: ReadingDecisions, here: Here) -> WholeLogEntry:
    """Read one decision: what was asked, everybody as they were seen, and why."""
    with here.database.reading(caller.firm) as session:
        entry = read(session, number)
        labels = labels_of(session)
    answer = entry.answer
    said = None if answer is None else with_names(answer, labels)
    return WholeLogEntry(**_fields(entry, labels), asked=entry.asked, answer=said)


def log_entry(entry: Entry, labels: Mapping[str, str]) -> LogEntry:
    """Return an entry of the log with names in place of its marks."""
    return LogEntry(**_fields(entry, labels))


def _utc(field: str, moment: datetime | None) -> datetime | None:
    """Refuse the few moments at the ends of the calendar that are none in UTC."""
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError as error:
        message, near = "is no moment in UTC", datetime.max.replace(year=9_998).isoformat() + "Z"
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise problem(status, "moment_out_of_range", field, str(moment), message, nearest=near) from error


def _fields(entry: Entry, labels: Mapping[str, str]) -> dict[str, Any]:
    fields = {name: value for name, value in entry._asdict().items() if name in LogEntry.model_fields}
    return fields | {"reason": named(entry.reason, labels), "board_version": entry.seen.version}
