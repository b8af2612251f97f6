"""Listing, creating, replacing and removing a part of the firm, the same way for people, clients, task types and calendar entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import Query

from api.routes.access import actor
from api.routes.conditions import Once, cursor, cursor_parts
from api.routes.problems import problem
from api.serving import Serving
from api.store.correcting import require_references, require_unused
from api.store.part_listing import KeptPart, parts_after
from api.store.parts import PartKind, part_of
from api.store.refusals import not_found, taken
from api.store.tokens import Token
from api.store.turn import Turn
from solver.policy import Frozen

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=2_000)]


class Written(NamedTuple):
    """A part that was written, and the version that wrote it."""

    id: str
    version: int


def listed(
    here: Serving,
    caller: Token,
    kinds: Sequence[PartKind],
    after: str | None,
    limit: int,
    wanted: Callable[[Any], bool],
) -> tuple[list[KeptPart], str | None]:
    """Return one page of parts of kinds that share a table, and the cursor of the next one."""
    with here.database.reading(caller.firm) as session:
        found = parts_after(session, kinds, _place_of(after), limit + 1, wanted)
    shown = found[:limit]
    return shown, cursor(shown[-1].place, shown[-1].id) if len(found) > limit else None


def create(here: Serving, caller: Token, key: str | None, model: Frozen) -> Written:
    """Keep a new part; the same request with the same key is answered again."""
    kind = part_of(model).kind
    once = Once(caller, key, {"route": kind.value, "part": model.model_dump(mode="json")})

    def act(turn: Turn) -> Written:
        kept = once.answered(turn)
        if kept is not None:
            return Written(**kept)
        own = str(getattr(model, "id", "")) or None
        if own is not None and turn.stored(kind, own) is not None:
            raise taken(kind.value, own)
        require_references(turn.board.firm, model)
        version = turn.put(model)
        turn.compiled()  # what the firm as a whole refuses, it refuses here
        written = Written(own or f"{kind.value}-{version}", version)
        once.keep(turn, written._asdict())
        return written

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def replace(here: Serving, caller: Token, id: str, model: Frozen, expected: int | None) -> int:
    """Keep a person, client or task type as it is from now on; return its version."""
    kind = part_of(model).kind
    own = str(model.id)  # type: ignore[attr-defined]
    if own != id:
        message, status = "is not the id in the address", HTTPStatus.UNPROCESSABLE_ENTITY
        raise problem(status, "id_differs", "id", own, message, nearest=id)

    def act(turn: Turn) -> int:
        require_part(turn, kind, id)
        require_references(turn.board.firm, model)
        version = turn.put(model, expected=expected)
        turn.compiled()
        return version

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def remove(here: Serving, caller: Token, kind: PartKind, id: str, expected: int | None) -> None:
    """Take a part out that nothing refers to; its history stays."""

    def act(turn: Turn) -> None:
        require_unused(turn, kind, id)
        turn.remove(kind, id, expected=expected)
        turn.compiled()

    here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


def require_part(turn: Turn, kind: PartKind, id: str) -> None:
    """Ask for what the address names first, whatever else is wrong."""
    if turn.stored(kind, id) is None:
        raise not_found(kind.value, id, _known(turn, kind))


def _place_of(cursor: str | None) -> tuple[int, str] | None:
    """Return where a page of parts ended."""
    parts: list[Any] | None = cursor_parts(cursor, int, str)
    return (parts[0], parts[1]) if parts else None


def _known(turn: Turn, kind: PartKind) -> list[str]:
    firm = turn.board.firm
    lists: dict[PartKind, tuple[Any, ...]] = {
        PartKind.PERSON: firm.people,
        PartKind.CLIENT: firm.clients,
        PartKind.TASK_TYPE: firm.task_types,
    }
    return [one.id for one in lists.get(kind, ())]
