"""The firm of the token; firms that an owner begins."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from api.roles import Role
from api.routes.access import CreatingFirms, Here, ReadingDecisions, ReadingWork, actor
from api.routes.conditions import Key, Once, cursor, cursor_parts, etag
from api.routes.examples import FIRMS
from api.routes.firm_models import ChangeAnswer, ChangePage, FirmMade, NewFirm
from api.routes.models import FirmAnswer
from api.routes.problems import answers
from api.store.listing import figures
from api.store.part_listing import changes_before
from api.store.parts import PartKind
from api.store.refusals import Taken
from api.store.saving import create_firm
from api.store.tokens import create_token, tokens_of
from api.store.turn import Turn
from solver.firm import Firm, Name

router = APIRouter(tags=["firm"])

FIRST_TOKEN_DAYS = 365


@router.get("/firm", operation_id="getFirm", summary="Read the firm in figures", responses=answers())
def firm(caller: ReadingWork, here: Here, response: Response) -> FirmAnswer:
    """Read the firm in figures: its version, how much is open, what waits."""
    with here.database.reading(caller.firm) as session:
        found = figures(session)
    response.headers["ETag"] = etag(found.version)
    return FirmAnswer(**found._asdict())


@router.get("/firm/history", operation_id="listChanges", summary="List changes", responses=answers())
def changes(
    caller: ReadingDecisions,
    here: Here,
    kind: PartKind | None = None,
    part: Annotated[Name | None, Query(description="its id")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> ChangePage:
    """List what changed, newest first, each part as it was from then on; to undo a change, send the part as it was before."""
    parts = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        found = changes_before(session, kind, part, parts[0] if parts else None, limit + 1)
    more = cursor(found[limit - 1].version) if len(found) > limit else None
    return ChangePage(changes=tuple(ChangeAnswer(**one._asdict()) for one in found[:limit]), next=more)


@router.post(
    "/firms",
    status_code=HTTPStatus.CREATED,
    operation_id="createFirm",
    summary="Create a firm",
    responses=answers(400),
)
def create(
    new: Annotated[NewFirm, Body(openapi_examples=FIRMS)], caller: CreatingFirms, here: Here, key: Key = None
) -> FirmMade:
    """Begin another firm, strictly apart from this one, and show its owner's token, once."""
    once = Once(caller, key, {"route": "firm", "new": new.model_dump(mode="json")})
    begun = Firm.model_validate({**new.settings.model_dump(), "policy": new.policy})

    def act(turn: Turn) -> str:
        kept = once.answered(turn)
        id = f"{new.id}-{secrets.token_hex(4)}" if kept is None else str(kept["id"])
        if kept is None:
            once.keep(turn, {"id": id})
        return id

    # The id is kept first: a request that is repeated after we died here goes on with the same firm.
    id = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    try:
        create_firm(here.database, id, begun, now=here.now(), actor=actor(caller))
    except Taken:
        with here.database.reading(id) as session:
            if tokens_of(session):
                return FirmMade(id=id, token=None)
    token = create_token(here.database, id, Role.OWNER, now=here.now(), days=FIRST_TOKEN_DAYS)
    return FirmMade(id=id, token=token)
