"""A firm's files in and out: imported whole or not at all, each refused row explained; exported as what can be imported again."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.intake import DateOrder, Intake
from api.routes.access import Here, MovingFiles, actor
from api.routes.conditions import etag
from api.routes.examples import IMPORT
from api.routes.firm_models import Imported, RowCount
from api.routes.problems import Problems, answers
from api.routes.uploads import FORMS, JSON, WORKBOOK, ZIP, mistake_of_reject, packed, read, unpacked
from api.store.draft import read_head
from api.store.loading import load_firm
from api.store.log import By, EntryKind
from api.store.turn import Turn

router = APIRouter(prefix="/firm", tags=["firm"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_DOWNLOAD: dict[str, Any] = {
    "description": "the file",
    "content": {JSON: {"schema": {"type": "object"}}, WORKBOOK: _BINARY, ZIP: _BINARY},
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "description": "a zip of CSV files, a workbook, or a firm as JSON",
        "content": {JSON: {"schema": {"type": "object"}, "examples": IMPORT}, WORKBOOK: _BINARY, ZIP: _BINARY},
    }
}


class Mode(StrEnum):
    """What becomes of what the files do not have."""

    MERGE = "merge"
    REPLACE = "replace"


class OnRejects(StrEnum):
    """What happens where rows are refused."""

    REFUSE = "refuse"
    TAKE_THE_REST = "take_the_rest"


class Form(StrEnum):
    """How a firm is exported."""

    JSON = "json"
    XLSX = "xlsx"
    ZIP = "zip"


async def _content(request: Request) -> bytes:
    return await request.body()


Content = Annotated[bytes, Depends(_content)]


@router.post(
    "/import",
    operation_id="importFirm",
    summary="Import files",
    responses=answers(400, 409, 415),
    openapi_extra=_UPLOAD,
)
def import_files(
    content: Content,
    request: Request,
    caller: MovingFiles,
    here: Here,
    response: Response,
    mode: Annotated[Mode, Query(description="merge: what the files leave out stays; replace: it goes")] = Mode.MERGE,
    on_rejects: Annotated[OnRejects, Query(description="refuse: nothing is stored")] = OnRejects.REFUSE,
    date_order: Annotated[DateOrder, Query(description="how 03/04/2027 is read")] = DateOrder.ISO,
    dry_run: Annotated[bool, Query(description="say what would happen, and store nothing")] = False,
) -> Imported:
    """Read a firm's files, and store what they say in one transaction; refused rows are told with sheet, row and column."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    with unpacked(content, media_type) as path:
        with here.database.reading(caller.firm) as session:
            version = read_head(session, caller.firm).version
            base = load_firm(session) if mode is Mode.MERGE else None
        found = _accepted(read(path, date_order, base), on_rejects)
        if not dry_run:

            def act(turn: Turn) -> tuple[int, Intake]:
                intake = found
                if base is not None and turn.version != version:  # changed meanwhile: over what it is now
                    turn.draft.write()
                    intake = _accepted(read(path, date_order, load_firm(turn.session)), on_rejects)
                return _stored(turn, intake, mode), intake

            version, found = here.sharing.act(caller.firm, act, now=here.now(), actor=actor(caller))
    response.headers["ETag"] = etag(version)
    return Imported(
        stored=not dry_run,
        version=version,
        rows=tuple(RowCount(**vars(one)) for one in found.counts),
        rejects=tuple(mistake_of_reject(one) for one in found.rejects),
        notes=found.notes,
    )


@router.get(
    "/export",
    operation_id="exportFirm",
    summary="Export the firm",
    response_class=Response,
    responses={**answers(409), 200: _DOWNLOAD},
)
def export(caller: MovingFiles, here: Here, form: Form = Form.ZIP) -> Response:
    """Return the firm as it is now, finished work included: a zip of CSV files, a workbook, or JSON."""
    with here.database.reading(caller.firm) as session:
        firm = load_firm(session)
    named = {"Content-Disposition": f'attachment; filename="firm.{form.value}"'}
    return Response(packed(firm, form.value), HTTPStatus.OK, named, FORMS[form.value])


def _accepted(intake: Intake, on_rejects: OnRejects) -> Intake:
    if intake.rejects and on_rejects is OnRejects.REFUSE:
        raise Problems(HTTPStatus.UNPROCESSABLE_ENTITY, [mistake_of_reject(one) for one in intake.rejects])
    return intake


def _stored(turn: Turn, intake: Intake, mode: Mode) -> int:
    rows = {one.sheet: {"read": one.read, "taken": one.taken} for one in intake.counts}
    turn.compiled()
    turn.note(
        EntryKind.IMPORT, by=By.MANAGER, outcome=mode.value, reason="files were imported", document={"rows": rows}
    )
    turn.save(intake.firm)
    turn.compiled()
    return turn.version
