"""The mapping file: how the exports of another tool are read without changing them.

A TOML or JSON file names, per sheet, the file or workbook sheet it comes from, the header of each column, words that stand for
others, and values for columns that are missing:

    date_order = "month-first"

    [sheets.tasks]
    source = "Work Items"
    columns = { id = "Work Item Key", deadline = "Due Date" }
    defaults = { type = "1040" }

    [sheets.tasks.values.status]
    "Not started" = "planned"
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from api.intake.rejects import IntakeError
from api.intake.schema import SHEETS, normalised
from api.intake.values import DateOrder
from solver.policy import Frozen
from solver.refusal import nearest_name, refusals, refuse

COLUMNS = {sheet.name: {column.name for column in sheet.columns} for sheet in SHEETS}


class SheetMapping(Frozen):
    """How one sheet is read."""

    source: str | None = Field(default=None, description="file or workbook sheet it comes from; none: its own name")
    columns: dict[str, str] = Field(default={}, description="our column to the header in the file")
    defaults: dict[str, str] = Field(default={}, description="our column to the value of blank cells")
    values: dict[str, dict[str, str]] = Field(
        default={}, description="our column to words in the file and ours for them"
    )

    def translated(self, column: str, said: str) -> str:
        """Return our word for one in the file; the same word where none is given. Case does not matter."""
        known = {word.casefold(): ours for word, ours in self.values.get(column, {}).items()}
        return known.get(said.strip().casefold(), said)


class Mapping(Frozen):
    """How a folder or workbook of another tool is read."""

    date_order: DateOrder | None = Field(default=None, description="overrides the order given by the caller")
    sheets: dict[str, SheetMapping] = Field(default={}, description="sheet to how it is read")

    @model_validator(mode="after")
    def _known(self) -> Mapping:
        for name, sheet in self.sheets.items():
            if name not in COLUMNS:
                raise refuse(
                    "unknown_sheet", "sheets", name, "is not a sheet", nearest=nearest_name(name, sorted(COLUMNS))
                )
            for part in (sheet.columns, sheet.defaults, sheet.values):
                for column in part:
                    if column not in COLUMNS[name]:
                        near = nearest_name(column, sorted(COLUMNS[name]))
                        raise refuse("unknown_column", f"sheets.{name}", column, "is not a column", nearest=near)
        return self

    def of(self, sheet: str) -> SheetMapping:
        """Return the mapping of one sheet; an empty one where none is given."""
        return self.sheets.get(sheet, SheetMapping())

    def sheet_from(self, source: str) -> str | None:
        """Return the sheet that comes from a file or workbook sheet of that name, if the mapping names one."""
        wanted = normalised(source)
        for name, sheet in self.sheets.items():
            if sheet.source is not None and wanted in {normalised(sheet.source), normalised(Path(sheet.source).stem)}:
                return name
        return None


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file (TOML, or JSON by its ending).

    Raises
    ------
    IntakeError
        When the file cannot be read or names a sheet or column that does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = json.loads(text) if path.suffix.casefold() == ".json" else tomllib.loads(text)
        return Mapping.model_validate(document)
    except OSError as error:
        raise IntakeError(f"mapping {path}: {error.strerror or error}. Maybe check the path.") from error
    except ValidationError as error:
        raise IntakeError(f"mapping {path.name}: {refusals(error)[0].sentence()}") from error
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"mapping {path.name} cannot be read: {error}. Maybe check its quotation marks.") from error
