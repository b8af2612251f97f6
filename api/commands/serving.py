"""``evenhand serve`` and ``evenhand token``: the HTTP API over a database, and who may use it."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from rich.text import Text

from api.application import PREFIX, application
from api.commands.storing import opened
from api.console import out, print_json, table
from api.errors import CommandError, Exit
from api.roles import Role
from api.store import migrating
from api.store.database import Database
from api.store.refusals import not_found
from api.store.tokens import create_token, revoke_token, tokens_of

SHUTDOWN_S = 30
"""How long requests that have begun may take when the process is told to end."""


def serve(url: str, host: str, port: int) -> Exit:
    """Answer requests until told to end; requests that have begun are answered."""
    with opened(url, must_exist=False) as database, _ends_politely():
        _prepare(database)
        listening = listening_on(host, port)
        config = uvicorn.Config(
            application(database),
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        bound = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"serving on http://{shown}:{bound}{PREFIX}\n")
        sys.stdout.flush()
        with listening:
            uvicorn.Server(config).run(sockets=[listening])
    return Exit.DONE


def create(url: str, firm: str, role: Role, person: str | None, days: int, *, as_json: bool) -> Exit:
    """Make a token and print it, once."""
    with opened(url, must_exist=True) as database:
        token = create_token(database, firm, role, now=datetime.now(UTC), days=days, person=person)
    if as_json:
        print_json({"token": token, "firm": firm, "role": role.value, "person": person, "days": days})
    else:
        sys.stdout.write(token + "\n")
        sys.stderr.write("evenhand: this is the only time that the token can be read.\n")
    return Exit.DONE


def listed(url: str, firm: str, *, as_json: bool) -> Exit:
    """Print the tokens of a firm, without what they open it with."""
    with opened(url, must_exist=True) as database:
        _require_firm(database, firm)
        with database.reading(firm) as session:
            found = tokens_of(session)
    if as_json:
        shown = [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in one._asdict().items()}
            for one in found
        ]
        print_json({"tokens": shown})
        return Exit.DONE
    rows = [
        (one.id, one.role.value, one.person or "", _day(one.expires_at), _day(one.last_used_at), _day(one.revoked_at))
        for one in found
    ]
    out().print(table(f"Tokens of {firm}", ("id", "role", "person", "expires", "last used", "revoked"), rows))
    return Exit.DONE


def revoke(url: str, firm: str, id: str, *, as_json: bool) -> Exit:
    """Let a token open nothing from now on."""
    with opened(url, must_exist=True) as database:
        revoke_token(database, firm, id, now=datetime.now(UTC))
    if as_json:
        print_json({"firm": firm, "revoked": id})
    else:
        out().print(Text(f"token {id} of {firm} opens nothing any more"))
    return Exit.DONE


def _prepare(database: Database) -> None:
    """An embedded database is brought up to date; a server's schema belongs to whoever runs ``db migrate``."""
    if database.embedded:
        migrating.migrate(database)
        return
    found, expected = migrating.revision_of(database), migrating.head()
    if found != expected:
        message = f'revision "{found or "none"}" is not "{expected}". Maybe run: evenhand db migrate'
        raise CommandError("not_ready", message, field="revision", value=found or "none", nearest=expected)


def listening_on(host: str, port: int) -> socket.socket:
    """Return a socket that listens; say so where the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        message = f'address "{host}:{port}" cannot be used: {error.strerror or error}. Maybe use another --port.'
        raise CommandError("address", message, field="port", value=str(port)) from error


@contextmanager
def _ends_politely() -> Iterator[None]:
    """The server ends at these signals and then raises them once more, for a process that had no more to do; we close the database."""
    before = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _require_firm(database: Database, firm: str) -> None:
    known = database.firm_ids()
    if firm not in known:
        raise not_found("firm", firm, known)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()
