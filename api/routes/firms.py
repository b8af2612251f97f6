"""The firm of the token."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.routes.access import Here, ReadingWork
from api.routes.conditions import etag
from api.routes.models import FirmAnswer
from api.routes.problems import answers
from api.store.listing import figures

router = APIRouter(prefix="/firm", tags=["firm"])


@router.get("", responses=answers())
def firm(caller: ReadingWork, here: Here, response: Response) -> FirmAnswer:
    """Read the firm in figures: its version, how much is open, what waits."""
    with here.database.reading(caller.firm) as session:
        found = figures(session)
    response.headers["ETag"] = etag(found.version)
    return FirmAnswer(**found._asdict())
