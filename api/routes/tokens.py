"""Tokens of the firm: made, shown once, listed, revoked."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path

from api.routes.access import Here, ManagingTokens, actor
from api.routes.conditions import Key, Once
from api.routes.examples import TOKENS
from api.routes.firm_models import NewToken, TokenAnswer, TokenMade, Tokens
from api.routes.problems import answers
from api.store.refusals import not_found
from api.store.tokens import Token, add_token, revoke_token, tokens_of
from api.store.turn import Turn

router = APIRouter(prefix="/tokens", tags=["tokens"])

Id = Annotated[str, Path(alias="token", description="id of the token", max_length=200)]


@router.post(
    "", status_code=HTTPStatus.CREATED, operation_id="createToken", summary="Create a token", responses=answers(400)
)
def create(
    new: Annotated[NewToken, Body(openapi_examples=TOKENS)], caller: ManagingTokens, here: Here, key: Key = None
) -> TokenMade:
    """Make a token and show it, once: the same request with the same key is answered without it."""
    once = Once(caller, key, {"route": "token", "new": new.model_dump(mode="json")})

    def act(turn: Turn) -> TokenMade:
        kept = once.answered(turn)
        if kept is not None:
            return TokenMade(**_fields(_one(tokens_of(turn.session), kept["id"])), token=None)
        id, text = add_token(turn, new.role, days=new.days, person=new.person, team=new.team)
        once.keep(turn, {"id": id})
        turn.draft.write()
        return TokenMade(**_fields(_one(tokens_of(turn.session), id)), token=text)

    return here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))


@router.get("", operation_id="listTokens", summary="List tokens", responses=answers())
def tokens(caller: ManagingTokens, here: Here) -> Tokens:
    """List the tokens of the firm, without what they open it with."""
    with here.database.reading(caller.firm) as session:
        found = tokens_of(session)
    return Tokens(tokens=tuple(TokenAnswer(**_fields(one)) for one in found))


@router.delete(
    "/{token}",
    status_code=HTTPStatus.NO_CONTENT,
    operation_id="revokeToken",
    summary="Revoke a token",
    responses=answers(404),
)
def revoke(id: Id, caller: ManagingTokens, here: Here) -> None:
    """Let a token open nothing from now on; one that is revoked stays so."""
    revoke_token(here.database, caller.firm, id, now=here.now())
    here.opened.forget(caller.firm)


def _one(known: list[Token], id: str) -> Token:
    found = next((one for one in known if one.id == id), None)
    if found is None:
        raise not_found("token", id, [one.id for one in known])
    return found


def _fields(token: Token) -> dict[str, object]:
    return {name: value for name, value in token._asdict().items() if name in TokenAnswer.model_fields}
