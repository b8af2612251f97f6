"""``evenhand serve`` and ``evenhand token``: the HTTP API over a database, and who may use it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import Event
from types import FrameType

import uvicorn
from rich.text import Text

from api.application import PREFIX, application
from api.commands.storing import opened
from api.console import out, print_json, table
from api.errors import CommandError, Exit
from api.jobs.clockwork import CHECK_S, Clockwork, Regular, self_check
from api.jobs.queue import prepare
from api.jobs.worker import Worker
from api.roles import Role
from api.sealing import Seal, new_key
from api.serving import Serving
from api.store import migrating
from api.store.database import Database
from api.store.refusals import not_found
from api.store.tokens import create_token, revoke_token, tokens_of
from api.store.turns import Turns

SECRET_KEYS = "EVENHAND_SECRET_KEYS"
"""Variable with the keys that seal secrets, separated by commas: the first one seals, all open."""
PRIVATE_WEBHOOKS = "EVENHAND_PRIVATE_WEBHOOKS"
"""Variable that, where it is not empty, lets webhooks lead to plain HTTP and the inner network."""
SHUTDOWN_S = 30
"""How long requests that have begun may take when the process is told to end."""


class _Server(uvicorn.Server):
    """Tells what is open for long that the process is to end, and ends at once where that was asked before it began."""

    def __init__(self, config: uvicorn.Config, serving: Serving, asked: Event) -> None:
        super().__init__(config)
        self._serving, self._asked = serving, asked

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin as the server does; signals are its own by now."""
        await super().startup(sockets)
        self.should_exit = self.should_exit or self._asked.is_set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End as the server does."""
        self._serving.ending.set()
        super().handle_exit(sig, frame)


def serve(url: str, host: str, port: int, *, worker: bool | None) -> Exit:
    """Answer requests and make deliveries until told to end; requests and attempts that have begun are ended.

    With ``worker`` this process does the jobs as well, as it does in any case where the database is its own and nothing is said.
    """
    seal, private = Seal(_words(os.environ.get(SECRET_KEYS, ""))), bool(os.environ.get(PRIVATE_WEBHOOKS))
    asked = Event()
    with opened(url, must_exist=False) as database, _ends_politely(asked), ExitStack() as stack:
        _prepare(database)
        listening = listening_on(host, port)
        app = application(database, seal=seal, private_webhooks=private)
        serving: Serving = app.state.serving
        if database.embedded if worker is None else worker:
            stack.enter_context(Worker(database, serving.turns))
        else:
            check = Regular(CHECK_S, lambda: self_check(database, serving.turns, now=serving.now()))
            stack.enter_context(Clockwork((check,)))
        config = uvicorn.Config(
            app,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        bound = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"serving on http://{shown}:{bound}{PREFIX}\n")
        sys.stdout.flush()
        with listening, _delivering(serving):
            _Server(config, serving, asked).run(sockets=[listening])
    return Exit.DONE


def work(url: str) -> Exit:
    """Do jobs until told to end: what is searched for is left to other workers, what is being applied is finished."""
    asked = Event()
    with opened(url, must_exist=False) as database, _ends_politely(asked):
        _prepare(database)
        with Worker(database, Turns(database)) as worker:
            sys.stdout.write(f"working as {worker.id}\n")
            sys.stdout.flush()
            asked.wait()
    return Exit.DONE


def secret_key() -> Exit:
    """Print a new key that seals what is stored sealed."""
    sys.stdout.write(new_key() + "\n")
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
        prepare(database)
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
def _delivering(here: Serving) -> Iterator[None]:
    rounds = here.deliveries()
    rounds.start()
    try:
        yield
    finally:
        rounds.stop()


def _words(said: str) -> list[str]:
    return [word.strip() for word in said.split(",") if word.strip()]


@contextmanager
def _ends_politely(asked: Event) -> Iterator[None]:
    """The server ends at these signals and then raises them once more, for a process that had no more to do; we close the database."""

    def ask(signum: int, frame: FrameType | None) -> None:
        asked.set()

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
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
