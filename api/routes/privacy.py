"""A person's data: all of it to read, and the person erased. For owners."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.routes.access import Here, ManagingPrivacy, actor
from api.routes.conditions import Expected
from api.routes.problems import answers
from api.routes.user_models import ErasedAnswer, PersonData
from api.store.privacy import erase_person, export_person

router = APIRouter(prefix="/people", tags=["people"])

Id = Annotated[str, Path(alias="person", description="id of the person")]


@router.get(
    "/{person:path}/data",
    operation_id="exportPersonData",
    summary="Export a person's data",
    responses=answers(404),
)
def export(id: Id, caller: ManagingPrivacy, here: Here) -> PersonData:
    """Export all that is kept about a person."""
    with here.database.reading(caller.firm) as session:
        return PersonData.model_validate(export_person(session, id))


@router.delete(
    "/{person:path}/data",
    operation_id="erasePersonData",
    summary="Erase who a person is",
    responses=answers(404, 412, 428),
)
def erase(id: Id, caller: ManagingPrivacy, here: Here, expected: Expected) -> ErasedAnswer:
    """Erase who a person is, for good: name, users, sessions, attempts to sign in. What they did stays, under an id that says nothing."""
    erased = erase_person(here.turns, caller.firm, id, now=here.now(), actor=actor(caller), expected=expected)
    return ErasedAnswer(**erased._asdict())
