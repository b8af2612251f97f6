"""The inbox in the product: one per person, and one desk for those who decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query

from api.delivery.inbox import items_before, mark_read, unread_of
from api.delivery.topics import DESK
from api.routes.access import Here, MarkingRead, ReadingInbox, actor
from api.routes.conditions import cursor, cursor_parts
from api.routes.delivery_models import InboxItem, InboxPage, MarkedRead, ReadNumbers
from api.routes.examples import READ
from api.routes.problems import answers, problem
from api.store.tokens import Token
from solver.firm import Name

router = APIRouter(prefix="/inbox", tags=["inbox"])


@router.get("", operation_id="listMessages", summary="List messages", responses=answers())
def inbox(
    caller: ReadingInbox,
    here: Here,
    person: Annotated[Name | None, Query(description="whose; none: the desk, or one's own for staff")] = None,
    unread: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(alias="cursor", max_length=2_000)] = None,
) -> InboxPage:
    """List messages, newest first: a person's own work, or what waits for those who decide."""
    reader = _reader(caller, person)
    parts = cursor_parts(before, int)
    with here.database.reading(caller.firm) as session:
        found = items_before(session, reader, unread=unread, before=parts[0] if parts else None, limit=limit + 1)
        count = unread_of(session, reader)
    shown = found[:limit]
    more = cursor(shown[-1].number) if len(found) > limit else None
    return InboxPage(items=tuple(InboxItem(**one._asdict()) for one in shown), unread=count, next=more)


@router.post("/read", operation_id="markRead", summary="Mark messages as read", responses=answers(400))
def read(numbers: Annotated[ReadNumbers, Body(openapi_examples=READ)], caller: MarkingRead, here: Here) -> MarkedRead:
    """Mark messages as read; those that are already stay as they are."""
    reader = _reader(caller, numbers.person)
    marked = here.sharing.act(
        caller.firm, lambda turn: mark_read(turn, reader, numbers.numbers), now=here.now(), actor=actor(caller)
    )
    return MarkedRead(marked=marked)


def _reader(caller: Token, person: str | None) -> str:
    if caller.person is None:
        return DESK if person is None else person
    if person not in (None, caller.person):
        message, near = "is somebody else; staff read their own messages", caller.person
        raise problem(HTTPStatus.FORBIDDEN, "forbidden_person", "person", str(person), message, nearest=near)
    return caller.person
