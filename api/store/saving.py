"""A `Firm` in, rows out: what differs from what is stored becomes changes, each with its version."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from api.store.database import ALL_FIRMS, Database
from api.store.draft import Draft, Head
from api.store.log import GENESIS
from api.store.parts import PARTS, Part, PartKind, part_of, settings_of
from api.store.refusals import not_found, referred_to, taken
from api.store.tables import AssignmentRecord, CalendarRecord, FirmRecord, Record
from solver.firm import Firm, Task
from solver.policy import Frozen
from solver.refusal import Refusal, Refused

FIRM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def create_firm(database: Database, id: str, firm: Firm, *, now: datetime, actor: str) -> None:
    """Begin a firm in the store.

    Raises
    ------
    Refused
        The id cannot be one (letters, digits, ``_ . -``, at most 63), or the firm contradicts itself.
    Taken
        The id is used.
    """
    if not FIRM_ID.fullmatch(id) or id == ALL_FIRMS:
        near = re.sub(r"[^A-Za-z0-9_.-]+", "-", id).strip("-._")[:63] or "firm"
        message = "is not made of at most 63 letters, digits, dots, dashes and underscores"
        raise Refused(Refusal(code="firm_id", field="firm", value=id, message=message, nearest=near))
    with database.writing(id) as session:
        if session.scalars(select(FirmRecord.id)).one_or_none() is not None:
            raise taken("firm", id)
        head = Head(version=0, base_version=0, base_at=now, log_number=0, log_hash=GENESIS, outbox_number=0)
        session.add(FirmRecord(id=id, document="{}", created_at=now, **vars(head)))
        session.flush()
        draft = Draft(session, id, head, at=now, actor=actor)
        save_firm(draft, firm)
        head.base_version = head.version
        draft.finish()


def save_firm(draft: Draft, firm: Firm) -> None:
    """Make the stored firm equal to ``firm``: what is new, different, elsewhere in its list, or gone becomes a change.

    Raises
    ------
    ValidationError
        The firm was put together without its checks, and contradicts itself.
    Refused
        Somebody logged time on a task, or in the name of a person, that the firm has no more.
    """
    firm = Firm.model_validate_json(firm.model_dump_json())
    put_settings(draft, settings_of(firm))
    gone: list[tuple[Part, str]] = []
    for part in PARTS.values():
        gone += [(part, id) for id in _save_list(draft, part, getattr(firm, part.field))]
    for part, id in reversed(gone):
        referring = referring_to(draft, part.kind, id, history_only=True)
        if referring is not None:
            raise referred_to(part.kind.value, id, referring)
        remove(draft, part.kind, id)
    draft.write()


def put_settings(draft: Draft, document: str) -> None:
    """Keep the settings of the firm where they differ."""
    connection, here = draft.session.connection(), FirmRecord.id == draft.firm
    if connection.execute(select(FirmRecord.document).where(here)).scalar_one() != document:
        draft.change(PartKind.SETTINGS, "", 0, document)
        connection.execute(update(FirmRecord).where(here).values(document=document))


def put(draft: Draft, model: Frozen, *, id: str | None = None, place: int | None = None, new: bool) -> int:
    """Keep one part as it is from now on; return its version.

    Parameters
    ----------
    id
        Of a calendar entry that exists; other parts have theirs.
    place
        Where it stands in its list; none: at the end.
    """
    part = part_of(model)
    name = _id(model) if part.own_id else id or f"{part.kind.value}-{draft.head.version + 1}"
    row = part.row(model)
    version = draft.change(part.kind, name, place, row["document"])
    row |= {"version": version, "place": version if place is None else place}
    if new:
        draft.add(part.record, id=name, **row)
    else:
        draft.update(part.record, {"id": name}, **row)
    return version


def remove(draft: Draft, kind: PartKind, id: str) -> int:
    """Take one part out of the firm; its history stays. What others refer to cannot go."""
    draft.write()
    table: Any = PARTS[kind].record
    connection = draft.session.connection()
    here = (table.firm_id == draft.firm, table.id == id)
    place = connection.execute(select(table.place).where(*here)).scalar_one_or_none()
    if place is None:
        raise not_found(kind.value, id)
    connection.execute(delete(table).where(*here))
    version = draft.change(kind, id, place, None)
    if kind is PartKind.TASK:
        unassigned(draft, id, version=version)
    return version


def referring_to(draft: Draft, kind: PartKind, id: str, *, history_only: bool = False) -> str | None:
    """Return the table in which something refers to a part, ``None`` where nothing does.

    ``history_only`` leaves the parts of the firm aside, for who knows that they refer to nothing that goes.
    """
    draft.write()
    parts = {part.record.__table__ for part in PARTS.values()}  # type: ignore[attr-defined]
    there = PARTS[kind].record.__table__  # type: ignore[attr-defined]
    for table in Record.metadata.sorted_tables:
        if history_only and table in parts:
            continue
        for reference in table.foreign_key_constraints:
            if reference.referred_table is there:
                column = next(one for one in reference.columns if one.name != "firm_id")
                asked = select(column).where(table.c.firm_id == draft.firm, column == id).limit(1)
                if draft.session.connection().execute(asked).first() is not None:
                    return table.name
    return None


def _save_list(draft: Draft, part: Part, wanted: tuple[Frozen, ...]) -> list[str]:
    """Keep one list of the firm, and return the ids that are in it no more."""
    stored = _stored(draft.session, part)
    ids = _ids(part, wanted, stored)
    last = 0
    for model, id in zip(wanted, ids, strict=True):
        there = stored.pop(id, None) if id is not None else None
        row = part.row(model)
        if there is not None and there[0] > last and all(there[1][name] == value for name, value in row.items()):
            last = there[0]
            continue
        place = there[0] if there is not None and there[0] > last else None
        before = there[1].get("assignee") if there is not None else None
        version = put(draft, model, id=id, place=place, new=there is None)
        if isinstance(model, Task) and model.assignee != before:
            if before is not None:
                unassigned(draft, model.id, version=version)
            assigned(draft, model.id, model.assignee, version=version, decision=None)
        last = version if place is None else place
    return list(stored)


def assigned(draft: Draft, task: str, person: str | None, *, version: int, decision: int | None) -> None:
    """Note who has a task from a version on, if anybody."""
    if person is not None:
        draft.add(AssignmentRecord, task=task, version=version, person=person, decision=decision, at=draft.at)


def unassigned(draft: Draft, task: str, *, version: int) -> None:
    """Note that whoever had a task has it until a version."""
    draft.update(AssignmentRecord, {"task": task, "until_version": None}, until_version=version)


def _id(model: Frozen) -> str:
    return str(model.id)  # type: ignore[attr-defined]


def _stored(session: Session, part: Part) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return place and row by id."""
    table: Any = part.record.__table__  # type: ignore[attr-defined]
    asked = select(table).where(table.c.firm_id == session.info["firm"])
    if part.record is CalendarRecord:
        asked = asked.where(table.c.kind == part.kind.value)
    rows = session.connection().execute(asked.order_by(table.c.place)).mappings()
    return {row["id"]: (row["place"], dict(row)) for row in rows}


def _ids(part: Part, wanted: tuple[Frozen, ...], stored: dict[str, tuple[int, dict[str, Any]]]) -> list[str | None]:
    """Return the id of each; calendar entries that say the same as a stored one get its id."""
    if part.own_id:
        return [_id(model) for model in wanted]
    same: dict[str, list[str]] = defaultdict(list)
    for id, (_, row) in reversed(stored.items()):
        same[row["document"]].append(id)
    documents = (part.document(model) for model in wanted)
    return [same[document].pop() if same[document] else None for document in documents]
