"""Scenarios that people keep: a name, a note, and changes that touch nothing until they are worked out or turned into proposals.

What is kept holds no names: where a change names a person or a client, the id stands there instead, and names in other words are marks
(`api.store.names`); whoever reads gets the names of today. A scenario has a version of its own, which counts its changes; the version of
the firm it was made on is ``base_version``.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from api.store.boards import labels_of
from api.store.draft import require_storable, table_of
from api.store.names import named, without_names
from api.store.refusals import changed, not_found, taken
from api.store.tables import ClientRecord, PersonRecord, RunRecord, ScenarioRecord
from api.store.turn import Turn
from scenarios.changes import Scenario, scenario_of

_SCENARIOS, _RUNS = table_of(ScenarioRecord), table_of(RunRecord)


class KeptScenario(NamedTuple):
    """A scenario as it is kept.

    Attributes
    ----------
    number
        Orders the scenarios of a firm by when they were made.
    version
        Counts its own changes, from 1: what an ETag says.
    scenario
        Name and changes; people and clients by id.
    base_version
        Version of the firm that the changes were made on, or re-based to.
    """

    id: str
    number: int
    version: int
    scenario: Scenario
    note: str
    base_version: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str


def add_scenario(
    turn: Turn, id: str, scenario: Scenario, *, note: str = "", base_version: int | None = None
) -> KeptScenario:
    """Keep a new scenario; whether its changes can be made to the firm is not looked at.

    Parameters
    ----------
    base_version
        Of the firm; today's unless given.

    Raises
    ------
    Taken
        The firm has a scenario with this id.
    """
    turn.draft.write()
    require_storable("scenario", {"id": id})
    if turn.session.scalars(select(ScenarioRecord.id).where(ScenarioRecord.id == id)).one_or_none() is not None:
        raise taken("scenario", id)
    last = turn.session.scalars(select(func.max(ScenarioRecord.number))).one() or 0
    with turn.whole():
        turn.draft.add(
            ScenarioRecord,
            id=id,
            number=last + 1,
            version=1,
            base_version=turn.version if base_version is None else base_version,
            created_at=turn.draft.at,
            created_by=turn.draft.actor,
            **_columns(turn, scenario, note),
        )
        turn.draft.write()
    return one_scenario(turn.session, id)


def change_scenario(
    turn: Turn, id: str, scenario: Scenario, *, note: str, base_version: int | None = None, expected: int | None = None
) -> KeptScenario:
    """Replace a scenario.

    Parameters
    ----------
    base_version
        Of the firm; unchanged unless given.
    expected
        The version of the scenario that the caller has read, ``None`` for any.

    Raises
    ------
    NotFound
        The firm has no such scenario.
    Changed
        Somebody else has changed it since.
    """
    before = _expected(turn, id, expected)
    with turn.whole():
        more = {} if base_version is None else {"base_version": base_version}
        columns = _columns(turn, scenario, note)
        turn.draft.update(ScenarioRecord, {"id": id}, version=before.version + 1, **columns, **more)
    return one_scenario(turn.session, id)


def remove_scenario(turn: Turn, id: str, *, expected: int | None = None) -> None:
    """Drop a scenario; its runs stay, and belong to none.

    Raises
    ------
    NotFound, Changed
        As `change_scenario`.
    """
    _expected(turn, id, expected)
    with turn.whole():
        connection = turn.session.connection()
        mine = (_RUNS.c.firm_id == turn.firm, _RUNS.c.scenario == id)
        connection.execute(update(_RUNS).where(*mine).values(scenario=None))
        connection.execute(delete(_SCENARIOS).where(_SCENARIOS.c.firm_id == turn.firm, _SCENARIOS.c.id == id))


def one_scenario(session: Session, id: str) -> KeptScenario:
    """Return one scenario of the session's firm.

    Raises
    ------
    NotFound
        The firm has no such scenario.
    """
    return _kept(_record(session, id), labels_of(session))


def scenarios_before(session: Session, before: int | None, limit: int) -> list[KeptScenario]:
    """Return up to ``limit`` scenarios, newest first, those before number ``before``."""
    asked = select(ScenarioRecord).order_by(ScenarioRecord.number.desc()).limit(limit)
    if before is not None:
        asked = asked.where(ScenarioRecord.number < before)
    labels = labels_of(session)
    return [_kept(record, labels) for record in session.scalars(asked)]


def without_names_in(session: Session, document: Any) -> Any:
    """Return a JSON document without names of the firm's people and clients.

    A text that is the name of one person or client becomes the id; names of people within longer texts become marks.
    """
    labels = labels_of(session)
    ids = _ids_by_name(session)

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: one if name == "change" else cleaned(one) for name, one in value.items()}
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        return (ids.get(value) or without_names(value, labels)) if isinstance(value, str) else value

    return cleaned(document)


def with_names_in(document: Any, labels: dict[str, str]) -> Any:
    """Return a JSON document with names in place of marks."""
    if isinstance(document, dict):
        return {name: with_names_in(one, labels) for name, one in document.items()}
    if isinstance(document, list):
        return [with_names_in(one, labels) for one in document]
    return named(document, labels) if isinstance(document, str) else document


def _ids_by_name(session: Session) -> dict[str, str]:
    """Return the id of whoever is the only person or client of a name; a text that is an id itself is left alone."""
    found: dict[str, list[str]] = {}
    ids: set[str] = set()
    for record in (PersonRecord, ClientRecord):
        for id, name in session.execute(select(record.id, record.name)):
            ids.add(id)
            found.setdefault(name, []).append(id)
    return {name: some[0] for name, some in found.items() if name and len(some) == 1 and name not in ids}


def _columns(turn: Turn, scenario: Scenario, note: str) -> dict[str, Any]:
    session = turn.session
    labels = labels_of(session)
    changes = without_names_in(session, scenario.model_dump(mode="json")["changes"])
    return {
        "name": without_names(scenario.name, labels),
        "note": without_names(note, labels),
        "changes": json.dumps(changes, ensure_ascii=False, separators=(",", ":")),
        "changed_at": turn.draft.at,
        "changed_by": turn.draft.actor,
    }


def _expected(turn: Turn, id: str, expected: int | None) -> ScenarioRecord:
    turn.draft.write()
    record = _record(turn.session, id)
    if expected is not None and record.version != expected:
        raise changed("scenario.version", expected, record.version)
    return record


def _record(session: Session, id: str) -> ScenarioRecord:
    require_storable("scenario", {"id": id})
    asked = select(ScenarioRecord).where(ScenarioRecord.id == id).execution_options(populate_existing=True)
    record = session.scalars(asked).one_or_none()
    if record is None:
        raise not_found("scenario", id, session.scalars(select(ScenarioRecord.id)).all())
    return record


def _kept(record: ScenarioRecord, labels: dict[str, str]) -> KeptScenario:
    changes = with_names_in(json.loads(record.changes), labels)
    return KeptScenario(
        id=record.id,
        number=record.number,
        version=record.version,
        scenario=scenario_of({"name": named(record.name, labels), "changes": changes}),
        note=named(record.note, labels),
        base_version=record.base_version,
        created_at=record.created_at,
        created_by=record.created_by,
        changed_at=record.changed_at,
        changed_by=record.changed_by,
    )
