"""What can go wrong on the command line, each with its exit code and the parts a reader needs to mend it."""

from __future__ import annotations

from enum import IntEnum

from pydantic import ValidationError

from api.intake import IntakeError
from solver.refusal import Refusal, Refused, refusals


class Exit(IntEnum):
    """Exit codes of the command line; documented in docs/command-line.md."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    UNUSABLE = 3
    REJECTS = 4
    UNPLACED = 5
    CANCELLED = 6


class CommandError(Exception):
    """A mistake in what was asked; ends the command with a message and no traceback."""

    def __init__(self, code: str, message: str, *, exit_code: Exit = Exit.UNUSABLE, **parts: str | None) -> None:
        super().__init__(message)
        self.code, self.message, self.exit_code, self.parts = code, message, exit_code, parts

    def document(self) -> dict[str, object]:
        """Return the error as the ``--json`` document."""
        return {"error": {"code": self.code, "message": self.message, **self.parts}}


def as_command_error(error: Exception) -> CommandError | None:
    """Return the error as one for people, ``None`` when it is a defect of ours."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, Refused):
        return _of_refusal(error.refusal)
    if isinstance(error, ValidationError):
        return _of_refusal(refusals(error)[0])
    if isinstance(error, IntakeError):
        return CommandError("input_unusable", str(error))
    if isinstance(error, OSError):
        return CommandError("file", f"{error.filename or 'file'}: {error.strerror or error}. Maybe check the path.")
    return None


def _of_refusal(found: Refusal) -> CommandError:
    return CommandError(
        found.code, found.sentence(), field=found.field, value=found.value, nearest=found.nearest, hint=found.hint
    )
