"""Options that several commands share, each in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.intake.values import DateOrder

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of CSV files, one workbook, or one JSON file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Now = Annotated[str | None, typer.Option(help="Plan from this moment, 2027-03-01T09:00; else the clock.")]
Order = Annotated[DateOrder, typer.Option(help="How dates such as 03/04/2027 are read.")]
MappingFile = Annotated[Path | None, typer.Option(help="Mapping file for exports with other column names.")]
RejectsFile = Annotated[Path | None, typer.Option(help="Where refused rows are written; else beside the input.")]
Seed = Annotated[int, typer.Option(min=0, help="Same input, seed and --work: the same plan.")]
Seconds = Annotated[
    float | None, typer.Option(min=0, help="Wall-clock limit of the search; 30 unless --work is given.")
]
Work = Annotated[
    float | None, typer.Option(min=0, help="Limit in deterministic work units, about a second of a core each.")
]
Gap = Annotated[float | None, typer.Option(min=0, help="Stop when proven within this many percent of the best.")]
