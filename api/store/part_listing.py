"""The firm's people, clients, task types and calendar, one by one and in pages; what they were before; the settings and their past."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from api.store.draft import require_storable
from api.store.parts import PARTS, Part, PartKind, with_name
from api.store.refusals import not_found
from api.store.tables import CalendarRecord, ChangeRecord, FirmRecord
from solver.policy import Frozen, Policy

CALENDAR = (PartKind.TIME_OFF, PartKind.BOOKING, PartKind.OVERTIME)


class KeptPart(NamedTuple):
    """A part at its version; ``place`` orders the parts of a kind."""

    id: str
    kind: PartKind
    place: int
    version: int
    model: Any


class Change(NamedTuple):
    """What a part was from one version of the firm on; ``document`` has no names, and is ``None`` where the part was removed."""

    version: int
    kind: PartKind
    part: str
    at: datetime
    actor: str
    document: dict[str, Any] | None


class PolicyThen(NamedTuple):
    """The policy from one version of the firm on."""

    version: int
    at: datetime
    actor: str
    policy: Policy


def one_part(session: Session, kind: PartKind, id: str) -> KeptPart:
    """Return one person, client or task type of the session's firm."""
    found = _kept(session, PARTS[kind], _rows(PARTS[kind]), id)
    if found is None:
        raise not_found(kind.value, id, _ids(session, PARTS[kind].record))
    return found


def one_entry(session: Session, id: str) -> KeptPart:
    """Return one calendar entry of the session's firm."""
    require_storable("calendar", {"id": id})
    kind = session.scalars(select(CalendarRecord.kind).where(CalendarRecord.id == id)).one_or_none()
    if kind is None:
        raise not_found("entry", id, _ids(session, CalendarRecord))
    part = PARTS[PartKind(kind)]
    found = _kept(session, part, _rows(part), id)
    assert found is not None
    return found


def parts_after(
    session: Session,
    kinds: Sequence[PartKind],
    after: tuple[int, str] | None,
    limit: int,
    wanted: Callable[[Any], bool] = lambda model: True,
) -> list[KeptPart]:
    """Return up to ``limit`` parts of kinds that share a table, in order, those behind ``after`` (place, id) that are ``wanted``."""
    record: Any = PARTS[kinds[0]].record
    asked = _rows(PARTS[kinds[0]]).order_by(record.place, record.id)
    if record is CalendarRecord:
        asked = asked.where(CalendarRecord.kind.in_([kind.value for kind in kinds]))
    if after is not None:
        asked = asked.where(tuple_(record.place, record.id) > after)
    found: list[KeptPart] = []
    for row in session.execute(asked):
        kept = _part(PARTS[PartKind(row.kind)] if record is CalendarRecord else PARTS[kinds[0]], row)
        if wanted(kept.model):
            found.append(kept)
        if len(found) == limit:
            break
    return found


def changes_before(
    session: Session, kind: PartKind | None, part: str | None, before: int | None, limit: int
) -> list[Change]:
    """Return up to ``limit`` changes of the firm, newest first, those before version ``before``."""
    asked = select(ChangeRecord)
    if kind is not None:
        asked = asked.where(ChangeRecord.kind == kind.value)
    if part is not None:
        require_storable("changes", {"part": part})
        asked = asked.where(ChangeRecord.part == part)
    if before is not None:
        asked = asked.where(ChangeRecord.version < before)
    records = session.scalars(asked.order_by(ChangeRecord.version.desc()).limit(limit))
    return [
        Change(
            one.version,
            PartKind(one.kind),
            one.part,
            one.at,
            one.actor,
            None if one.document is None else json.loads(one.document),
        )
        for one in records
    ]


def settings_now(session: Session) -> tuple[dict[str, Any], int]:
    """Return the settings of the session's firm as kept, and the version they are of."""
    document = session.scalars(select(FirmRecord.document)).one()
    settings = ChangeRecord.kind == PartKind.SETTINGS.value
    return json.loads(document), int(session.scalars(select(func.max(ChangeRecord.version)).where(settings)).one())


def policies_before(session: Session, before: int | None, limit: int) -> list[PolicyThen]:
    """Return the policy as it was set each time the settings changed, newest first."""
    found = changes_before(session, PartKind.SETTINGS, None, before, limit)
    return [
        PolicyThen(one.version, one.at, one.actor, Policy.model_validate(one.document["policy"]))
        for one in found
        if one.document is not None
    ]


def removed_part(session: Session, kinds: Sequence[PartKind], id: str) -> tuple[Frozen, int] | None:
    """Return a part that was removed, as it was last, and its place; ``None`` where there never was one."""
    require_storable("changes", {"part": id})
    here = (ChangeRecord.part == id, ChangeRecord.kind.in_([kind.value for kind in kinds]))
    asked = select(ChangeRecord).where(*here, ChangeRecord.document.is_not(None))
    last = session.scalars(asked.order_by(ChangeRecord.version.desc()).limit(1)).one_or_none()
    if last is None or last.document is None:
        return None
    return PARTS[PartKind(last.kind)].model.model_validate_json(last.document), last.place


def _rows(part: Part) -> Select[*tuple[Any, ...]]:
    record: Any = part.record
    more = (record.name,) if part.named else (record.kind,) if record is CalendarRecord else ()
    return select(record.id, record.place, record.version, record.document, *more)


def _kept(session: Session, part: Part, rows: Select[*tuple[Any, ...]], id: str) -> KeptPart | None:
    record: Any = part.record
    require_storable(part.kind.value, {"id": id})
    row = session.execute(rows.where(record.id == id)).one_or_none()
    return None if row is None else _part(part, row)


def _part(part: Part, row: Any) -> KeptPart:
    document = with_name(row.document, row.name) if part.named else row.document
    return KeptPart(row.id, part.kind, row.place, row.version, part.model.model_validate_json(document))


def _ids(session: Session, record: Any) -> Sequence[str]:
    return session.scalars(select(record.id)).all()
