"""``evenhand secrets``: keys that seal what the service stores sealed."""

from __future__ import annotations

import typer

from api.errors import Exit

secrets = typer.Typer(help="Keys of the service.", rich_markup_mode=None)


@secrets.callback()
def _group() -> None:
    """Keep the group a group while it has one command."""


@secrets.command(name="key")
def secrets_key() -> Exit:
    """Print a new key for EVENHAND_SECRET_KEYS, which seals the secrets of webhooks."""
    from api.commands import serving

    return serving.secret_key()
