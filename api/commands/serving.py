"""``evenhand serve`` and ``evenhand token``: the HTTP API over a database, and who may use it."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import Event
from types import FrameType
from typing import Any

import uvicorn
from rich.text import Text

from api.application import PREFIX, application
from api.collecting import settle
from api.commands.storing import opened, require_firm
from api.console import out, print_json, table
from api.errors import CommandError, Exit
from api.jobs.clockwork import CHECK_S, Clockwork, Regular, self_check
from api.jobs.queue import prepare
from api.jobs.worker import Worker
from api.logs import log_to
from api.roles import Role
from api.serving import Serving
from api.settings import Settings, find_settings, unknown_variables
from api.store import migrating
from api.store.database import Database, Limits
from api.store.tokens import create_token, revoke_token, tokens_of
from api.store.turns import Turns
from api.tracing import exported

_log = logging.getLogger(__name__)


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


def how(settings: Settings) -> dict[str, Any]:
    """Return how a process of the service opens its database."""
    few = min(5, settings.connections)
    limits = Limits(pool_size=few, pool_overflow=settings.connections - few)
    return {"limits": limits, "synchronous": settings.synchronous}


def serve(url: str, host: str | None, port: int | None, *, worker: bool | None) -> Exit:
    """Answer requests and make deliveries until told to end; requests and attempts that have begun are ended.

    With ``worker`` this process does the jobs as well, as it does in any case where the database is its own and nothing is said.
    """
    settings = _settings()
    host = settings.host if host is None else host
    settings = settings.model_copy(update={"host": host, "port": settings.port if port is None else port})
    with (
        exported(settings.traces_to, settings.traces_pct),
        opened(url, must_exist=False, **how(settings)) as database,
    ):
        _prepare(database)
        answering(database, settings, told=_tell, worker=database.embedded if worker is None else worker)
    return Exit.DONE


def answering(database: Database, settings: Settings, *, told: Callable[[str], None], worker: bool) -> None:
    """Answer requests and make deliveries until told to end; ``told`` is called with the address of the API once it answers.

    With ``worker`` the jobs are done as well.
    """
    host, asked = settings.host, Event()
    app = application(database, settings=settings)
    serving: Serving = app.state.serving
    with _ends_politely(asked), listening_on(host, settings.port) as listening, ExitStack() as stack:
        if worker:
            stack.enter_context(Worker(database, serving.turns))
        else:
            check = Regular(CHECK_S, lambda: self_check(database, serving.turns, now=serving.now()))
            stack.enter_context(Clockwork((check,)))
        stack.enter_context(_delivering(serving))
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            timeout_graceful_shutdown=settings.shutdown_s,
        )
        shown = f"[{host}]" if ":" in host else host
        settle()
        told(f"http://{shown}:{listening.getsockname()[1]}{PREFIX}")
        _Server(config, serving, asked).run(sockets=[listening])


def work(url: str) -> Exit:
    """Do jobs until told to end: what is searched for is left to other workers, what is being applied is finished."""
    settings, asked = _settings(), Event()
    with (
        exported(settings.traces_to, settings.traces_pct),
        opened(url, must_exist=False, **how(settings)) as database,
        _ends_politely(asked),
    ):
        _prepare(database)
        with Worker(database, Turns(database)) as worker:
            sys.stdout.write(f"working as {worker.id}\n")
            sys.stdout.flush()
            asked.wait()
    return Exit.DONE


def _settings() -> Settings:
    settings = find_settings().settings
    log_to(level=settings.log_level, form=settings.log_format)
    for refusal in unknown_variables():
        _log.warning("%s", refusal.sentence())
    return settings


def _tell(address: str) -> None:
    sys.stdout.write(f"serving on {address}\n")
    sys.stdout.flush()


def create(url: str, firm: str, role: Role, person: str | None, team: str | None, days: int, *, as_json: bool) -> Exit:
    """Make a token and print it, once."""
    with opened(url, must_exist=True) as database:
        token = create_token(database, firm, role, now=datetime.now(UTC), days=days, person=person, team=team)
    if as_json:
        print_json({"token": token, "firm": firm, "role": role.value, "person": person, "team": team, "days": days})
    else:
        sys.stdout.write(token + "\n")
        sys.stderr.write("evenhand: this is the only time that the token can be read.\n")
    return Exit.DONE


def listed(url: str, firm: str, *, as_json: bool) -> Exit:
    """Print the tokens of a firm, without what they open it with."""
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
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
        (
            one.id,
            one.role.value,
            one.person or one.team or "",
            _day(one.expires_at),
            _day(one.last_used_at),
            _day(one.revoked_at),
        )
        for one in found
    ]
    out().print(table(f"Tokens of {firm}", ("id", "role", "person or team", "expires", "last used", "revoked"), rows))
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


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()
