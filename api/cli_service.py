"""Commands that run the service, beside those of `api.cli`: settings, people who sign in, backups, privacy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.errors import Exit
from api.options import DATABASE_URL, AsJson, DatabaseUrl, FirmId
from api.roles import Role


def add(app: typer.Typer, db: typer.Typer) -> None:
    """Add the commands to the command line, and those of the database to its own."""
    app.command()(config)
    for name, group in (("user", user), ("person", person), ("secrets", secrets)):
        app.add_typer(group, name=name)
    for name, command in (("backup", db_backup), ("restore", db_restore), ("prune", db_prune)):
        db.command(name=name)(command)


user = typer.Typer(help="Who signs in to the service with a password.", rich_markup_mode=None)
person = typer.Typer(help="What is kept about a person.", rich_markup_mode=None)
secrets = typer.Typer(help="Keys that encrypt what connectors need.", rich_markup_mode=None)
PersonId = Annotated[str, typer.Argument(help="Id of the person.")]
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
    without_password: Annotated[
        bool, typer.Option("--without-password", help="Only the provider of the settings lets them in.")
    ] = False,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Let somebody sign in; the password is asked for, or read from standard input."""
    from api.commands import people

    with_password = not without_password
    return people.create(database_url, firm, login, role, person, team, with_password=with_password, as_json=as_json)


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


@person.command(name="export")
def person_export(firm: FirmId, id: PersonId, database_url: DatabaseUrl = DATABASE_URL) -> Exit:
    """Print all that is kept about a person, as one JSON document."""
    from api.commands import keeping

    return keeping.export(database_url, firm, id)


@person.command(name="erase")
def person_erase(
    firm: FirmId,
    id: PersonId,
    yes: Annotated[bool, typer.Option("--yes", help="It cannot be undone, and is meant.")] = False,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Erase who a person is: name, logins, sessions; the decision log stays whole, as it has ids only."""
    from api.commands import keeping

    return keeping.erase(database_url, firm, id, sure=yes, as_json=as_json)


@secrets.command(name="key")
def secrets_key() -> Exit:
    """Print a new key, for EVENHAND_SECRET_KEYS."""
    from api.commands import keeping

    return keeping.key()


@secrets.command(name="rotate")
def secrets_rotate(database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """Encrypt everything with the first of the keys that are set; then the others may go."""
    from api.commands import keeping

    return keeping.rotate(database_url, as_json=as_json)


def db_backup(
    file: Annotated[Path, typer.Argument(help="The file to write, such as evenhand.backup.")],
    force: Annotated[bool, typer.Option(help="Write over an existing file.")] = False,
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Write all firms as of one moment to a file, while everybody works."""
    from api.commands import keeping

    return keeping.backup(database_url, file, force=force, as_json=as_json)


def db_restore(
    file: Annotated[Path, typer.Argument(help="A file that `db backup` wrote, on either kind of database.")],
    database_url: DatabaseUrl = DATABASE_URL,
    as_json: AsJson = False,
) -> Exit:
    """Fill an empty database from a backup, and walk every decision log."""
    from api.commands import keeping

    return keeping.restored(database_url, file, as_json=as_json)


def db_prune(database_url: DatabaseUrl = DATABASE_URL, as_json: AsJson = False) -> Exit:
    """Delete what is kept for a while only: old idempotency keys, delivered messages, attempts to sign in, ended sessions."""
    from api.commands import keeping

    return keeping.pruned(database_url, as_json=as_json)
