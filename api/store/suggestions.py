"""What became of suggestions: accepted, dismissed, undone.

Suggestions themselves are not stored: they follow from the firm and its time sheets (`api.learning`). Stored is what somebody decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.draft import require_storable
from api.store.job_tables import SuggestionRecord
from api.store.log import By, EntryKind, canonical
from api.store.names import named, named_json, without_names
from api.store.part_listing import one_part
from api.store.parts import PartKind
from api.store.refusals import ended, not_found, stale
from api.store.turn import Turn
from solver.firm import Firm, Person, Task, TaskType
from solver.learnt import Change, Kind, Suggestion

RATIO_STEP_PCT = 5
"""Corrections of open estimates are the same suggestion as long as the ratio is, to this step."""
MORE_EVIDENCE = 1.5
"""So many times the tasks that a dismissed suggestion rested on are new data, even where they say the same."""
WHERE = {
    Kind.DEFAULT_ESTIMATE: PartKind.TASK_TYPE,
    Kind.OPEN_ESTIMATES: PartKind.TASK,
    Kind.EFFICIENCY: PartKind.PERSON,
}


class SuggestionState(StrEnum):
    """How far a suggestion has come."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    UNDONE = "undone"


class Decided(NamedTuple):
    """What somebody decided about a suggestion.

    Attributes
    ----------
    number
        Of the entry in the decision log.
    suggestion
        As it was then.
    """

    number: int
    id: str
    state: SuggestionState
    at: datetime
    actor: str
    reason: str
    undone_at: datetime | None
    undone_number: int | None
    suggestion: Suggestion


def id_of(one: Suggestion) -> str:
    """Return the id of a suggestion: the same as long as the subject and what would change are."""
    if one.kind is Kind.OPEN_ESTIMATES:
        # Tasks come and go; what is suggested about them stays.
        facts: Sequence[int] = (RATIO_STEP_PCT * round(100 * one.ratio.ratio / RATIO_STEP_PCT),)
    else:
        facts = (one.changes[0].before, one.changes[0].after)
    return "s" + hashlib.sha256(canonical([one.key, *facts]).encode()).hexdigest()[:16]


def settled(session: Session, firm: Firm) -> frozenset[str]:
    """Return open tasks whose estimate is still that of an accepted correction."""
    before = corrected(session)
    return frozenset(
        task.id for task in firm.tasks if task.open and task.id in before and before[task.id].after == task.estimate_min
    )


def corrected(session: Session) -> dict[str, Change]:
    """Return the accepted corrections of estimates that were not undone, by task."""
    asked = select(SuggestionRecord.document).where(SuggestionRecord.state == SuggestionState.ACCEPTED.value)
    accepted = (Suggestion.model_validate_json(one) for one in session.scalars(asked.order_by(SuggestionRecord.number)))
    return {change.id: change for one in accepted if one.kind is Kind.OPEN_ESTIMATES for change in one.changes}


def not_dismissed(session: Session, some: Sequence[Suggestion]) -> list[Suggestion]:
    """Return the suggestions that nobody has dismissed on the same data."""
    asked = select(SuggestionRecord).where(SuggestionRecord.state == SuggestionState.DISMISSED.value)
    rested = {
        one.id: Suggestion.model_validate_json(one.document).tasks
        for one in session.scalars(asked.order_by(SuggestionRecord.number))
    }
    return [one for one in some if one.tasks >= MORE_EVIDENCE * rested.get(id_of(one), 0)]


def decided_before(
    session: Session, labels: Mapping[str, str], state: SuggestionState, before: int | None, limit: int
) -> list[Decided]:
    """Return up to ``limit`` decided suggestions, newest first, those with numbers below ``before``."""
    asked = select(SuggestionRecord).where(SuggestionRecord.state == state.value)
    if before is not None:
        asked = asked.where(SuggestionRecord.number < before)
    asked = asked.order_by(SuggestionRecord.number.desc()).limit(limit)
    return [_decided(one, labels) for one in session.scalars(asked, execution_options=_FRESH)]


def last_decided(session: Session, labels: Mapping[str, str], id: str) -> Decided:
    """Return what was decided last about a suggestion."""
    return _decided(_last(session, id), labels)


def accept(turn: Turn, suggestion: Suggestion, *, reason: str) -> int:
    """Change what a suggestion says, and log who said so; return the number of the entry.

    Raises
    ------
    Stale
        Something has another value than the suggestion found.
    OutOfReach
        It changes what is beyond the caller's team.
    """
    _require_values(turn, suggestion, [one.before for one in suggestion.changes])
    number = _log(turn, suggestion, SuggestionState.ACCEPTED, reason)
    for change in suggestion.changes:
        _put(turn, suggestion.kind, change, change.after)
    _keep(turn, suggestion, SuggestionState.ACCEPTED, reason, number)
    return number


def dismiss(turn: Turn, suggestion: Suggestion, *, reason: str) -> int:
    """Offer a suggestion no more until the data change; return the number of the entry in the log."""
    _require_reach(turn, suggestion)
    number = _log(turn, suggestion, SuggestionState.DISMISSED, reason)
    _keep(turn, suggestion, SuggestionState.DISMISSED, reason, number)
    return number


def undo(turn: Turn, id: str, *, reason: str) -> int:
    """Take back what was decided last about a suggestion; return the number of the entry in the log.

    Of an accepted one everything gets the value from before that still has the accepted one: what somebody has changed since, and
    what is finished, stays. A dismissed one is offered again.

    Raises
    ------
    Ended
        It is undone already.
    Stale
        Nothing has the accepted value any more.
    """
    turn.draft.write()
    record = _last(turn.session, id)
    state, suggestion = SuggestionState(record.state), Suggestion.model_validate_json(record.document)
    if state is SuggestionState.UNDONE:
        raise ended("suggestion", id, "undone", at=record.undone_at or record.at)
    there = []
    if state is SuggestionState.ACCEPTED:
        there = [one for one in suggestion.changes if _value(turn, suggestion.kind, one) == one.after]
        if not there:
            raise stale("suggestion", id, [f"{one.id} has another value by now" for one in suggestion.changes[:5]])
    else:
        _require_reach(turn, suggestion)
    number = _log(turn, suggestion, SuggestionState.UNDONE, reason)
    for change in there:
        _put(turn, suggestion.kind, change, change.before)
    values = {"state": SuggestionState.UNDONE.value, "undone_at": turn.now, "undone_number": number}
    with turn.whole():
        turn.draft.update(SuggestionRecord, {"number": record.number}, **values)
    return number


def _last(session: Session, id: str) -> SuggestionRecord:
    require_storable("suggestions", {"id": id})
    asked = select(SuggestionRecord).where(SuggestionRecord.id == id).order_by(SuggestionRecord.number.desc())
    record = session.scalars(asked.limit(1), execution_options=_FRESH).one_or_none()
    if record is None:
        raise not_found("suggestion", id)
    return record


def _decided(record: SuggestionRecord, labels: Mapping[str, str]) -> Decided:
    return Decided(
        record.number,
        record.id,
        SuggestionState(record.state),
        record.at,
        record.actor,
        named(record.reason, labels),
        record.undone_at,
        record.undone_number,
        Suggestion.model_validate_json(named_json(record.document, labels)),
    )


def _require_reach(turn: Turn, suggestion: Suggestion) -> None:
    """Refuse who may not change what the suggestion would."""
    for person in _people(turn, suggestion):
        turn.require_reach("person", person)
    if suggestion.kind is Kind.DEFAULT_ESTIMATE:
        turn.require_all_in_reach("task_type")


def _people(turn: Turn, suggestion: Suggestion) -> Collection[str | None]:
    if suggestion.kind is Kind.EFFICIENCY:
        return {suggestion.person}
    if suggestion.kind is Kind.DEFAULT_ESTIMATE:
        return ()
    return dict.fromkeys(
        task.assignee
        for change in suggestion.changes
        if (task := _model(turn, suggestion.kind, change.id)) is not None
        if isinstance(task, Task)
    )


def _require_values(turn: Turn, suggestion: Suggestion, values: Sequence[int]) -> None:
    _require_reach(turn, suggestion)
    differing = [
        f"{change.id} has {now if now is not None else 'nothing'} and not {value}"
        for change, value in zip(suggestion.changes, values, strict=True)
        if (now := _value(turn, suggestion.kind, change)) != value
    ]
    if differing:
        raise stale("suggestion", id_of(suggestion), differing[:5])


def _model(turn: Turn, kind: Kind, id: str) -> Person | Task | TaskType | None:
    stored = turn.stored(WHERE[kind], id)
    if stored is None:
        return None
    if kind is Kind.OPEN_ESTIMATES:
        return Task.model_validate_json(stored.document)
    found: Person | TaskType = one_part(turn.session, WHERE[kind], id).model  # with the name
    return found


def _value(turn: Turn, kind: Kind, change: Change) -> int | None:
    """Return what the firm has now; nothing where it is gone, or a task that is over."""
    return next(_values(_model(turn, kind, change.id), change), None)


def _values(model: Person | Task | TaskType | None, change: Change) -> Iterator[int | None]:
    if isinstance(model, Person):
        yield from (cell.efficiency_pct for cell in model.skills if cell.skill == change.skill)
    elif isinstance(model, TaskType):
        yield model.default_estimate_min
    elif isinstance(model, Task) and model.open:
        yield model.estimate_min


def _put(turn: Turn, kind: Kind, change: Change, value: int) -> None:
    model = _model(turn, kind, change.id)
    if isinstance(model, Task):
        turn.change_task(change.id, estimate_min=value)
    elif isinstance(model, TaskType):
        turn.put(model.model_copy(update={"default_estimate_min": value}))
    elif isinstance(model, Person):
        cells = tuple(
            cell.model_copy(update={"efficiency_pct": value}) if cell.skill == change.skill else cell
            for cell in model.skills
        )
        turn.put(model.model_copy(update={"skills": cells}))


def _log(turn: Turn, suggestion: Suggestion, state: SuggestionState, reason: str) -> int:
    document = {"suggestion": suggestion.model_dump(mode="json", exclude={"sentence"}), "id": id_of(suggestion)}
    return turn.note(EntryKind.SUGGESTION, by=By.MANAGER, outcome=state.value, reason=reason, document=document)


def _keep(turn: Turn, suggestion: Suggestion, state: SuggestionState, reason: str, number: int) -> None:
    with turn.whole():
        turn.draft.add(
            SuggestionRecord,
            number=number,
            id=id_of(suggestion),
            key=suggestion.key,
            state=state.value,
            at=turn.draft.at,
            actor=str(turn.draft.actor),
            reason=without_names(reason, turn.compiled().labels),
            undone_at=None,
            undone_number=None,
            document=suggestion.model_dump_json(),
        )


_FRESH = {"populate_existing": True}
