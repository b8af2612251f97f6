"""Options that commands of the service share, wherever they are declared."""

from __future__ import annotations

from typing import Annotated

import typer

DATABASE_URL = "sqlite:///evenhand.db"


def _database_url(context: typer.Context, given: str) -> str:
    """Where nobody said otherwise, the file of settings counts."""
    source = context.get_parameter_source("database_url")
    if source is None or source.name != "DEFAULT":
        return given
    from api.settings import find_settings

    return find_settings().settings.database_url


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        envvar="EVENHAND_DATABASE_URL",
        help="sqlite:///file.db or postgresql://user@host/name.",
        callback=_database_url,
    ),
]
FirmId = Annotated[str, typer.Option(help="Id of the firm.")]
