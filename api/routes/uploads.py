"""What a client uploads, as files that `api.intake` reads: a zip of CSV files, a workbook, or JSON; and a firm as one of these."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from pathlib import Path, PurePosixPath

from api.intake import DateOrder, Intake, IntakeError, Reject, read_firm, write_firm
from api.routes.problems import Mistake, Problem, problem
from solver.firm import Firm
from solver.refusal import nearest_name

JSON = "application/json"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
FORMS = {"json": JSON, "xlsx": WORKBOOK, "zip": ZIP}
UNPACKED_BYTES = 67_108_864
"""What a zip, or a workbook, which is one, may hold: small files can unpack to any size."""
MOST_FILES = 200
_DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError)


@contextmanager
def unpacked(content: bytes, media_type: str) -> Iterator[Path]:
    """Write an upload where `read_firm` reads it."""
    with tempfile.TemporaryDirectory(prefix="evenhand-import-") as folder:
        place = Path(folder)
        if media_type == ZIP:
            yield _unzipped(content, place / "firm")
            return
        ending = next((one for one, known in FORMS.items() if known == media_type), None)
        if ending is None:
            near = nearest_name(media_type, sorted(FORMS.values()))
            status, message = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "is none that can be imported"
            raise problem(status, "media_type", "Content-Type", media_type[:80], message, nearest=near)
        if media_type == WORKBOOK:
            _members(content)
        path = place / f"firm.{ending}"
        path.write_bytes(content)
        yield path


def read(path: Path, order: DateOrder, base: Firm | None) -> Intake:
    """Read an upload, over a firm where there is one; what cannot be read at all is one problem."""
    try:
        return read_firm(path, date_order=order, base=base)
    except IntakeError as error:
        raise _unusable(str(error).replace(f"{path.parent}/", "")) from error


def packed(firm: Firm, form: str) -> bytes:
    """Return a firm as a file that reads back as the same firm."""
    with tempfile.TemporaryDirectory(prefix="evenhand-export-") as folder:
        path = Path(folder) / ("firm" if form == "zip" else f"firm.{form}")
        try:
            write_firm(firm, path)
        except IntakeError as error:
            status, message = HTTPStatus.CONFLICT, f"cannot hold this firm: {error}"
            raise problem(status, "form", "form", form, message, nearest="json") from error
        if form != "zip":
            return path.read_bytes()
        return Path(shutil.make_archive(str(path), "zip", path)).read_bytes()


def mistake_of_reject(reject: Reject) -> Mistake:
    """Return why a row was not taken, with its place."""
    near = f' Nearest: "{reject.nearest}".' if reject.nearest else ""
    where = f"{reject.sheet}, row {reject.row}" if reject.row >= 0 else f"{reject.sheet}, kept here"
    return Mistake(
        code=reject.code,
        detail=f'{where}: {reject.field} "{reject.value}" {reject.reason}.{near}',
        field=reject.field,
        value=reject.value,
        nearest=reject.nearest,
        file=reject.sheet,
        row=reject.row if reject.row >= 0 else None,
    )


def _unzipped(content: bytes, folder: Path) -> Path:
    """Write the files of a zip side by side, whatever folders they were in; one that is a workbook or JSON stands alone."""
    folder.mkdir()
    with _members(content) as archive:
        for member in archive.infolist():
            name = PurePosixPath(member.filename.replace("\\", "/")).name
            if member.is_dir() or not name or name.startswith((".", "~$")) or "__MACOSX" in member.filename:
                continue
            if (folder / name).exists():
                raise _unusable(f"{name} is in the zip twice. Maybe keep one of them.")
            try:
                (folder / name).write_bytes(archive.read(member))
            except _DAMAGED as error:
                raise _unusable(
                    f"{name} cannot be unpacked: {error}. Maybe zip it again, without a password."
                ) from error
    files = sorted(folder.iterdir())
    alone = len(files) == 1 and files[0].suffix.casefold() in (".json", ".xlsx", ".xlsm")
    if alone and files[0].suffix.casefold() != ".json":
        _members(files[0].read_bytes())
    return files[0] if alone else folder


def _members(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except _DAMAGED as error:
        raise _unusable(f"the upload is no zip and no workbook: {error}. Maybe send it again.") from error
    size = sum(member.file_size for member in archive.infolist())
    if size > UNPACKED_BYTES or len(archive.infolist()) > MOST_FILES:
        message, near = "unpacks to more bytes, or more files, than are read", str(UNPACKED_BYTES)
        raise problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "unpacked_too_large", "body", str(size), message, nearest=near
        )
    return archive


def _unusable(message: str) -> Problem:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "input_unusable", "body", "(a file)", f"is not read: {message}")
