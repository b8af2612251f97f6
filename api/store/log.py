"""The decision log: numbered, hash-chained entries per firm, which the database refuses to change or delete.

The hash of an entry is SHA-256 over the canonical JSON of all its columns and the hash before. The firm's row keeps number and hash of
the last entry, so that a tail cut off is found too. Entries hold ids, never names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.draft import Draft, read_head
from api.store.refusals import not_found
from api.store.tables import DecisionRecord
from solver.firm import Task
from solver.plan import Candidate, Decision

GENESIS = "0" * 64
"""The hash before the first entry."""
AT_ONCE = 1_000
"""Entries held in memory while the chain is walked."""


class EntryKind(StrEnum):
    """What was decided."""

    PLACE = "place"
    ASSIGN = "assign"
    PROPOSAL = "proposal"
    EXCEPTION = "exception"
    POLICY = "policy"
    TIME = "time"
    IMPORT = "import"
    ACCOUNT = "account"
    SUGGESTION = "suggestion"


class By(StrEnum):
    """Who decided."""

    RULE = "rule"
    BATCH = "batch"
    MANAGER = "manager"
    CLIENT_REQUEST = "client request"


class Seen(NamedTuple):
    """The board a decision was made on: what rebuilds it."""

    version: int
    base_version: int
    base_at: datetime


class Entry(NamedTuple):
    """One entry of the log, as stored."""

    number: int
    at: datetime
    kind: EntryKind
    decided_by: By
    actor: str
    task: str | None
    person: str | None
    outcome: str
    reason: str
    seen: Seen
    document: dict[str, Any]
    hash: str

    @property
    def asked(self) -> Task | None:
        """The task as it was asked for, before anybody had it."""
        return Task.model_validate(self.document["task"]) if "task" in self.document else None

    @property
    def answer(self) -> Decision | None:
        """What the engine said, with everybody as it saw them."""
        return expanded(self.document["answer"]) if "answer" in self.document else None


class Broken(NamedTuple):
    """Where a chain breaks."""

    number: int
    problem: str


class Verified(NamedTuple):
    """A chain walked from its beginning.

    Attributes
    ----------
    entries
        How many were read.
    head
        Hash of the last one: noted elsewhere, it proves later that nothing before was rewritten.
    broken
        The first entry that is not what was written, ``None`` where all are.
    """

    firm: str
    entries: int
    head: str
    broken: Broken | None


def canonical(document: object) -> str:
    """Return the one JSON text of a document: keys sorted, no spaces, UTF-8 as it is."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def append(
    draft: Draft,
    kind: EntryKind,
    *,
    decided_by: By,
    outcome: str,
    reason: str,
    seen: Seen,
    task: str | None = None,
    person: str | None = None,
    document: dict[str, Any],
) -> int:
    """Add one entry to the log of the turn's firm; return its number."""
    head = draft.head
    head.log_number += 1
    row: dict[str, Any] = {
        "number": head.log_number,
        "at": draft.at,
        "kind": kind.value,
        "decided_by": decided_by.value,
        "actor": draft.actor,
        "task": task,
        "person": person,
        "outcome": outcome,
        "reason": reason,
        "board_version": seen.version,
        "base_version": seen.base_version,
        "base_at": seen.base_at,
        "document": canonical(document),
        "previous_hash": head.log_hash,
    }
    head.log_hash = _hash(draft.firm, row)
    draft.add(DecisionRecord, **row, hash=head.log_hash)
    return head.log_number


def compact(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON with candidates as columns: a third of the size."""
    answer = decision.model_dump(mode="json", exclude={"candidates"})
    some: Any = decision.candidates
    # Those of an arrival are columns until somebody reads them.
    columns = getattr(some, "columns", None) or {
        name: [getattr(one, name) for one in some] for name in Candidate.model_fields
    }
    answer["candidates"] = {**columns, "stopped_by": [one and one.value for one in columns["stopped_by"]]}
    return answer


def expanded(answer: dict[str, Any]) -> Decision:
    """Return the decision that was made compact."""
    names = tuple(Candidate.model_fields)
    rows = zip(*(answer["candidates"][name] for name in names), strict=True)
    candidates = tuple(dict(zip(names, row, strict=True)) for row in rows)
    return Decision.model_validate({**answer, "candidates": candidates})


def read(session: Session, number: int) -> Entry:
    """Return one entry of the session's firm."""
    record = session.scalars(select(DecisionRecord).where(DecisionRecord.number == number)).one_or_none()
    if record is None:
        raise not_found("decision", str(number))
    return _entry(record)


def entries_of(session: Session, task: str) -> list[Entry]:
    """Return the entries about one task, oldest first."""
    asked = select(DecisionRecord).where(DecisionRecord.task == task).order_by(DecisionRecord.number)
    return [_entry(record) for record in session.scalars(asked)]


def entries_between(session: Session, first: int, last: int) -> list[Entry]:
    """Return the entries made on the board of some versions of the firm, oldest first."""
    seen = DecisionRecord.board_version
    asked = select(DecisionRecord).where(seen >= first, seen <= last).order_by(DecisionRecord.number)
    return [_entry(record) for record in session.scalars(asked)]


def verify(session: Session, *, noted: str | None = None) -> Verified:
    """Walk the chain of the session's firm and say where it breaks first.

    Parameters
    ----------
    noted
        The head of an earlier walk: it must still be the hash of an entry, else everything was written anew.
    """
    firm = str(session.info["firm"])
    head = read_head(session, firm)
    number, previous, found = 0, GENESIS, noted in (None, GENESIS)
    with _rows(session) as rows:
        for row in rows:
            problem = _problem(firm, row, number, previous)
            if problem is not None:
                return Verified(firm, number, previous, Broken(*problem))
            number, previous = row["number"], row["hash"]
            found = found or noted == previous
    broken = None if found else Broken(1, "or a later one is not what it was when its hash was noted")
    if (number, previous) != (head.log_number, head.log_hash):
        broken = Broken(number + 1, f"is missing; the firm has made {head.log_number} decisions")
    return Verified(firm, number, previous, broken)


def _problem(firm: str, row: dict[str, Any], number: int, previous: str) -> tuple[int, str] | None:
    """Return what is wrong with the row behind entry ``number``, if anything."""
    if row["number"] != number + 1:
        return number + 1, f"is missing; the next one is {row['number']}"
    if row["previous_hash"] != previous:
        return row["number"], "does not follow the entry before"
    if row["hash"] != _hash(firm, row):
        return row["number"], "is not what was written"
    return None


@contextmanager
def _rows(session: Session) -> Iterator[Iterator[dict[str, Any]]]:
    table = DecisionRecord.__table__
    asked = select(table).where(table.c.firm_id == session.info["firm"]).order_by(table.c.number)
    with session.connection().execute(asked.execution_options(yield_per=AT_ONCE)) as result:
        yield (dict(row) for row in result.mappings())


def _hash(firm: str, row: dict[str, Any]) -> str:
    fields = {name: value for name, value in row.items() if name not in {"hash", "firm_id"}}
    fields |= {"at": row["at"].isoformat(), "base_at": row["base_at"].isoformat(), "firm": firm}
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def _entry(record: DecisionRecord) -> Entry:
    return Entry(
        number=record.number,
        at=record.at,
        kind=EntryKind(record.kind),
        decided_by=By(record.decided_by),
        actor=record.actor,
        task=record.task,
        person=record.person,
        outcome=record.outcome,
        reason=record.reason,
        seen=Seen(record.board_version, record.base_version, record.base_at),
        document=json.loads(record.document),
        hash=record.hash,
    )
