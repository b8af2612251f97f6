"""Commands that run the service, beside those of `api.cli`: settings, people who sign in, backups, privacy."""

from __future__ import annotations

import typer

from api.errors import Exit
from api.options import AsJson


def add(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(config)


def config(as_json: AsJson = False) -> Exit:
    """Print every setting of the service, and where it comes from; secrets are not shown."""
    from api.commands import operating

    return operating.config(as_json=as_json)
