"""Opening a firm for a command: read it, write rejects where asked, say what was taken, settle what "now" is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from api.errors import CommandError, Exit
from api.intake import DateOrder, Intake, read_firm, read_mapping, write_rejects
from solver.firm import Firm


@dataclass(frozen=True)
class Source:
    """Where a command's firm comes from and how it is read.

    Attributes
    ----------
    now
        The moment planned from, as written; ``None``: the clock.
    rejects
        Where refused rows go; ``None``: beside the input.
    """

    path: Path
    now: str | None
    date_order: DateOrder
    mapping: Path | None
    rejects: Path | None


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

    def exit_code(self) -> Exit:
        """Return the exit code that says whether every row was taken."""
        return Exit.REJECTS if self.intake.rejects else Exit.DONE

    def document(self) -> dict[str, object]:
        """Return what was read as the parts of a ``--json`` document."""
        return {
            "now": self.now.isoformat(),
            "counts": [asdict(count) for count in self.intake.counts],
            "rejects": [asdict(reject) for reject in self.intake.rejects],
            "rejects_file": str(self.rejects_path) if self.rejects_path else None,
            "notes": list(self.intake.notes),
        }

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of a report must know about the input."""
        rejected = [count for count in self.intake.counts if count.rejected]
        lines = (f"{one.rejected:,} of {one.read:,} rows of {one.sheet} were not taken" for one in rejected)
        return (*lines, *self.intake.notes)


def open_firm(source: Source, *, keep_rejects: bool) -> Opened:
    """Read a folder, workbook or JSON file; with ``keep_rejects``, refused rows are written to a file.

    Raises
    ------
    IntakeError
        The input as a whole cannot be read.
    CommandError
        ``now`` is no moment.
    """
    mapping = read_mapping(source.mapping) if source.mapping else None
    intake = read_firm(source.path, date_order=source.date_order, mapping=mapping)
    target = None
    if intake.rejects and keep_rejects:
        resolved = source.path.resolve()
        target = source.rejects or resolved.parent / f"{resolved.stem}-rejects.csv"
        write_rejects(intake.rejects, target)
    return Opened(intake, moment(intake.firm, source.now), target)


def moment(firm: Firm, said: str | None) -> datetime:
    """Return the local moment a command plans from: as given, or the clock of the firm's time zone."""
    if said is None:
        return datetime.now(firm.zone).replace(tzinfo=None, microsecond=0)
    try:
        given = datetime.fromisoformat(said)
    except ValueError as error:
        raise CommandError(
            "bad_moment",
            f'--now "{said}" is not a date and time. Nearest: "2027-03-01T09:00". Maybe write it as year-month-day.',
            exit_code=Exit.USAGE,
            field="now",
            value=said,
            nearest="2027-03-01T09:00",
        ) from error
    return given if given.tzinfo is None else given.astimezone(firm.zone).replace(tzinfo=None)
