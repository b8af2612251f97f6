"""Commands that run the service, beside those of `api.cli`: settings, people who sign in, backups, privacy."""

from __future__ import annotations

from typing import Annotated

import typer

from api.errors import Exit
from api.options import DATABASE_URL, AsJson, DatabaseUrl, FirmId
from api.roles import Role


def add(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(config)
    app.add_typer(user, name="user")


user = typer.Typer(help="Who signs in to the service with a password.", rich_markup_mode=None)
Login = Annotated[str, typer.Argument(help="Login of the user, as `user list` prints it.")]


def config(as_json: AsJson = False) -> Exit:
    """Print every setting of the service, and where it comes from; secrets are not shown."""
    from api.commands import operating

    return operating.config(as_json=as_json)


@user.command(name="create")
def user_create(
    firm: FirmId,
    login: Annotated[str, typer.Option(help="What they type, such as their e-mail address.")],
    role: Annotated[Role, typer.Option(help="What they may do.")],
    person: Annotated[str | None, typer.Option(help="With the role staff: id of whom they are.")] = None,
    team: Annotated[str | None, typer.Option(help="With the role manager: the team; else everybody.")] = None,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Let somebody sign in; the password is asked for, or read from standard input."""
    from api.commands import people

    return people.create(database_url, firm, login, role, person, team, as_json=as_json)


@user.command(name="list")
def user_list(firm: FirmId, database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """List who may sign in, and the last attempts to."""
    from api.commands import people

    return people.listed(database_url, firm, as_json=as_json)


@user.command(name="disable")
def user_disable(firm: FirmId, login: Login, database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """Let somebody sign in no more, and end their sessions."""
    from api.commands import people

    return people.disable(database_url, firm, login, as_json=as_json)


@user.command(name="password")
def user_password(
    firm: FirmId, login: Login, database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False
) -> Exit:
    """Give somebody a new password, asked for or read from standard input; ends their sessions and a lock-out."""
    from api.commands import people

    return people.password(database_url, firm, login, as_json=as_json)
