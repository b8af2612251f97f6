"""Suggestions: what the time sheets say of estimates and skills, offered, tried as a scenario, accepted, dismissed, undone."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query

from api.learning import gain_of
from api.routes.access import DecidingSuggestions, Here, ReadingPeople, actor
from api.routes.conditions import Key, Once, cursor, cursor_parts
from api.routes.examples import APPROVAL, REASONS
from api.routes.parts import Cursor, Limit
from api.routes.problems import answers
from api.routes.suggestion_models import (
    LearnedAnswer,
    SilenceCount,
    SuggestionAnswer,
    SuggestionDecided,
    SuggestionDecision,
    SuggestionGain,
    SuggestionPage,
)
from api.routes.waiting_models import Approval, Because
from api.serving import Serving
from api.store.boards import labels_of
from api.store.names import named_json
from api.store.refusals import NotFound
from api.store.suggestions import Decided, SuggestionState, accept, decided_before, dismiss, id_of, last_decided, undo
from api.store.tokens import Token
from api.store.turn import Turn
from solver.firm import Name
from solver.learnt import Kind, Suggestion

router = APIRouter(tags=["suggestions"])

Id = Annotated[str, Path(description="id of the suggestion")]
GAIN_UNITS = 0.2
"""Deterministic budget of each of the two plans; at 30 people some seconds in all."""


@router.get("/learned", operation_id="getLearned", summary="Read what time sheets say", responses=answers())
def learned(
    caller: ReadingPeople,
    here: Here,
    type: Annotated[Name | None, Query(description="id of a task type")] = None,
    client: Annotated[Name | None, Query(description="id of a client")] = None,
    person: Annotated[Name | None, Query(description="id of a person")] = None,
) -> LearnedAnswer:
    """Read how long work takes over what was expected, by type, client and person, and how fast people are where a skill is asked."""
    lesson = here.lessons.of(caller.firm, now=here.now())
    found, wanted = lesson.learned, {"type": type, "client": client, "person": person}

    def those(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            one for one in rows if all(value in (None, getattr(one, name, value)) for name, value in wanted.items())
        )

    silent = Counter(one.reason.value for one in found.left_out)
    return LearnedAnswer(
        version=lesson.version,
        as_of=lesson.as_of,
        interval_pct=found.interval_pct,
        types=those(found.types),
        clients=those(found.clients),
        people=those(found.people),
        people_in_types=those(found.people_in_types),
        people_in_skills=those(found.people_in_skills),
        spreads=found.spreads,
        left_out=tuple(SilenceCount(reason=reason, tasks=silent[reason]) for reason in sorted(silent)),
    )


@router.get("/suggestions", operation_id="listSuggestions", summary="List suggestions", responses=answers())
def suggestions(
    caller: ReadingPeople,
    here: Here,
    state: Annotated[SuggestionState, Query(description="how far it has come")] = SuggestionState.OFFERED,
    kind: Annotated[Kind | None, Query(description="what it would change; of those that are offered")] = None,
    limit: Limit = 50,
    after: Cursor = None,
) -> SuggestionPage:
    """List what is offered, or what was decided. Nothing is applied by itself; what was dismissed comes again when the data change."""
    if state is not SuggestionState.OFFERED:
        return _decided_page(here, caller, state, limit, after)
    parts = cursor_parts(after, str)
    lesson, offered = here.lessons.offered(caller.firm, now=here.now())
    there = sorted((one for one in offered if kind in (None, one.kind)), key=lambda one: one.key)
    found = [one for one in there if parts is None or one.key > parts[0]]
    shown = tuple(_offered(_named(one, lesson.labels)) for one in found[:limit])
    return SuggestionPage(suggestions=shown, next=cursor(found[limit - 1].key) if len(found) > limit else None)


@router.get("/suggestions/{id}", operation_id="getSuggestion", summary="Read a suggestion", responses=answers(404))
def suggestion(id: Id, caller: ReadingPeople, here: Here) -> SuggestionAnswer:
    """Read one suggestion: with what was decided last, where it is not offered."""
    try:
        lesson, found = here.lessons.one(caller.firm, id, now=here.now())
    except NotFound:
        with here.database.reading(caller.firm) as session:
            return _answer(last_decided(session, labels_of(session), id))
    return _offered(_named(found, lesson.labels))


@router.get(
    "/suggestions/{id}/gain",
    operation_id="getSuggestionGain",
    summary="Plan with a suggestion",
    responses=answers(404),
)
def gain(
    id: Id,
    caller: ReadingPeople,
    here: Here,
    work_units: Annotated[
        float,
        Query(ge=0.01, le=0.5, description="deterministic work of each of the two plans, in seconds of a core or so"),
    ] = GAIN_UNITS,
) -> SuggestionGain:
    """Plan the firm without and with a suggestion that is offered, and compare; nothing is stored. Takes seconds."""
    lesson, found = here.lessons.one(caller.firm, id, now=here.now())
    with here.one_search(caller.firm):
        worth, difference, changes = gain_of(lesson, (found,), work_units=work_units)
    answer = SuggestionGain(
        id=id,
        version=lesson.version,
        work_units=work_units,
        gain_min=worth.gain_min,
        unaware_min=worth.unaware_min,
        changes=tuple(changes),
        difference=difference,
        certificate_before=worth.before,
        certificate_after=worth.after,
    )
    return SuggestionGain.model_validate_json(named_json(answer.model_dump_json(), lesson.labels))


@router.post(
    "/suggestions/{id}/accept",
    operation_id="acceptSuggestion",
    summary="Accept a suggestion",
    responses=answers(400, 404, 409),
)
def accept_one(
    id: Id,
    approval: Annotated[Approval, Body(openapi_examples=APPROVAL)],
    caller: DecidingSuggestions,
    here: Here,
    key: Key = None,
) -> SuggestionDecided:
    """Change the estimates or the cell that it names; what the firm has must still be what it found. Can be undone."""
    return _on_offered(caller, here, key, id, SuggestionState.ACCEPTED, approval.reason)


@router.post(
    "/suggestions/{id}/dismiss",
    operation_id="dismissSuggestion",
    summary="Dismiss a suggestion",
    responses=answers(400, 404),
)
def dismiss_one(
    id: Id,
    because: Annotated[Because, Body(openapi_examples=REASONS)],
    caller: DecidingSuggestions,
    here: Here,
    key: Key = None,
) -> SuggestionDecided:
    """Dismiss a suggestion. It is offered again when it says something else, or rests on half as many tasks again."""
    return _on_offered(caller, here, key, id, SuggestionState.DISMISSED, because.reason)


@router.post(
    "/suggestions/{id}/undo",
    operation_id="undoSuggestion",
    summary="Undo a suggestion",
    responses=answers(400, 404, 409),
)
def undo_one(
    id: Id,
    because: Annotated[Because, Body(openapi_examples=REASONS)],
    caller: DecidingSuggestions,
    here: Here,
    key: Key = None,
) -> SuggestionDecided:
    """Take back what was decided last: what still has an accepted value gets the one from before; a dismissed one is offered again."""
    once = Once(caller, key, {"route": "undo suggestion", "id": id, **because.model_dump(mode="json")})

    def act(turn: Turn) -> SuggestionDecided:
        kept = once.answered(turn)
        if kept is not None:
            return SuggestionDecided.model_validate(kept)
        return _kept(once, turn, id, SuggestionState.UNDONE, undo(turn, id, reason=because.reason))

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _on_offered(
    caller: Token, here: Serving, key: str | None, id: str, state: SuggestionState, reason: str
) -> SuggestionDecided:
    """Decide about a suggestion that is offered; the same request with the same key is answered again, though it is no more."""
    once = Once(caller, key, {"route": f"suggestion {state.value}", "id": id, "reason": reason})
    decide = accept if state is SuggestionState.ACCEPTED else dismiss

    def before(turn: Turn) -> SuggestionDecided | None:
        kept = once.answered(turn)
        return None if kept is None else SuggestionDecided.model_validate(kept)

    if key is not None:
        kept = here.sharing.act(caller.firm, before, now=here.now(), actor=actor(caller))
        if kept is not None:
            return kept
    _, found = here.lessons.one(caller.firm, id, now=here.now())

    def act(turn: Turn) -> SuggestionDecided:
        return before(turn) or _kept(once, turn, id, state, decide(turn, found, reason=reason))

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def _kept(once: Once, turn: Turn, id: str, state: SuggestionState, number: int) -> SuggestionDecided:
    decided = SuggestionDecided(id=id, state=state, decision_number=number)
    once.keep(turn, decided.model_dump(mode="json"))
    return decided


def _decided_page(
    here: Serving, caller: Token, state: SuggestionState, limit: int, after: str | None
) -> SuggestionPage:
    parts = cursor_parts(after, int)
    with here.database.reading(caller.firm) as session:
        before = parts[0] if parts else None
        found = decided_before(session, labels_of(session), state, before, limit + 1)
    more = cursor(found[limit - 1].number) if len(found) > limit else None
    return SuggestionPage(suggestions=tuple(_answer(one) for one in found[:limit]), next=more)


def _named(one: Suggestion, labels: dict[str, str]) -> Suggestion:
    return Suggestion.model_validate_json(named_json(one.model_dump_json(), labels))


def _offered(one: Suggestion) -> SuggestionAnswer:
    return SuggestionAnswer(id=id_of(one), state=SuggestionState.OFFERED, suggestion=one, decided=None)


def _answer(one: Decided) -> SuggestionAnswer:
    decided = SuggestionDecision(
        at=one.at,
        actor=one.actor,
        reason=one.reason,
        decision_number=one.number,
        undone_at=one.undone_at,
        undone_number=one.undone_number,
    )
    return SuggestionAnswer(id=one.id, state=one.state, suggestion=one.suggestion, decided=decided)
