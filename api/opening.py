"""Opening a firm for a command: read it, write rejects where asked, say what was taken, settle what "now" is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.errors import CommandError, Exit
from api.intake import DateOrder, Intake, read_firm, read_mapping, write_rejects
from solver.firm import Firm


@dataclass(frozen=True)
class Opened:
    """A firm as read, and the moment it is planned from (local to the firm)."""

    intake: Intake
    now: datetime
    rejects_path: Path | None

    @property
    def firm(self) -> Firm:
        """The firm of all rows taken."""
        return self.intake.firm

    def counts(self) -> list[str]:
        """Return one line per sheet: rows read, taken, rejected."""
        return [
            f"{count.sheet}: {count.read} read, {count.taken} taken"
            + (f", {count.rejected} rejected" if count.rejected else "")
            for count in self.intake.counts
        ]


def open_firm(
    path: Path, *, now: str | None, date_order: DateOrder, mapping: Path | None, rejects: Path | None
) -> Opened:
    """Read a folder, workbook or JSON file; rejected rows go to ``rejects``, or beside the input where none is named."""
    intake = read_firm(path, date_order=date_order, mapping=read_mapping(mapping) if mapping else None)
    target = None
    if intake.rejects:
        target = rejects or path.parent / f"{path.stem}-rejects.csv"
        write_rejects(intake.rejects, target)
    return Opened(intake, moment(intake.firm, now), target)


def moment(firm: Firm, text: str | None) -> datetime:
    """Return the local moment a command plans from: as given, or the clock of the firm's time zone."""
    if text is None:
        return datetime.now(firm.zone).replace(tzinfo=None, microsecond=0)
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            "bad_moment",
            f'--now "{text}" is not a date and time. Nearest: "2027-03-01T09:00". Maybe write it as year-month-day.',
            exit_code=Exit.USAGE,
            field="now",
            value=text,
            nearest="2027-03-01T09:00",
        ) from error
    return given if given.tzinfo is None else given.astimezone(firm.zone).replace(tzinfo=None)
