"""``evenhand db`` and ``evenhand log``: the schema of the store, and the chain of its decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text
from sqlalchemy.exc import DatabaseError

from api.commands.reading import tell_rejects
from api.console import out, print_json
from api.errors import CommandError, Exit
from api.jobs.queue import prepare
from api.opening import Opened
from api.store import migrating
from api.store.database import Database
from api.store.log import Verified, verify
from api.store.saving import create_firm
from solver.refusal import nearest_name


def migrate(url: str, *, as_json: bool) -> Exit:
    """Bring the schema up to date; a database that is not there yet is made."""
    with opened(url, must_exist=False) as database:
        done = migrating.migrate(database)
        prepare(database)
    if as_json:
        print_json(done._asdict())
    elif done.before == done.after:
        out().print(Text(f"the schema is up to date ({done.after})"))
    else:
        out().print(Text(f"the schema went from {done.before or 'nothing'} to {done.after}"))
    return Exit.DONE


def check(url: str, *, as_json: bool) -> Exit:
    """Say whether the schema is what this version expects, and whether anything is damaged."""
    with opened(url, must_exist=True) as database:
        found = migrating.check(database)
    if as_json:
        print_json({**found._asdict(), "ready": found.ready})
    else:
        console = out()
        console.print(Text(f"revision {found.revision or 'none'}, expected {found.head}"))
        for problem in found.problems:
            console.print(Text(problem))
        if found.revision != found.head:
            console.print(Text("Maybe run: evenhand db migrate"))
        elif found.ready:
            console.print(Text("everything is as it should be"))
    return Exit.DONE if found.ready else Exit.UNUSABLE


def create(url: str, id: str, opened_firm: Opened, *, as_json: bool) -> Exit:
    """Begin a firm in the database with what was read from files; rows that were refused are told, and stay out."""
    firm = opened_firm.firm
    with opened(url, must_exist=True) as database:
        create_firm(database, id, firm, now=datetime.now(UTC), actor="command line")
    if as_json:
        print_json({"firm": id, "input": opened_firm.document()})
    else:
        tell_rejects(opened_firm)
        counts = f"{len(firm.people)} people, {len(firm.clients)} clients, {len(firm.tasks)} tasks"
        out().print(Text(f"{id} is in the database: {counts}"))
    return opened_firm.exit_code()


def verify_log(url: str, firm: str | None, noted: str | None, *, as_json: bool) -> Exit:
    """Walk the decision log of one firm or all, and say where it breaks first."""
    with opened(url, must_exist=True) as database:
        known = database.firm_ids()
        if firm is not None and firm not in known:
            near = nearest_name(firm, known)
            message = f'firm "{firm}" is not known. Nearest: "{near}".'
            raise CommandError("not_found", message, field="firm", value=firm, nearest=near)
        chains = [_verified(database, one, noted) for one in ([firm] if firm is not None else known)]
    whole = all(chain.broken is None for chain in chains)
    if as_json:
        print_json({"whole": whole, "firms": [_document(chain) for chain in chains]})
    else:
        for chain in chains:
            out().print(Text(_sentence(chain)))
    return Exit.DONE if whole else Exit.UNUSABLE


def _verified(database: Database, firm: str, noted: str | None) -> Verified:
    with database.reading(firm) as session:
        return verify(session, noted=noted)


def _sentence(chain: Verified) -> str:
    if chain.broken is None:
        return f"{chain.firm}: {chain.entries:,} decisions, unbroken; head {chain.head}"
    number, problem = chain.broken
    return f"{chain.firm}: entry {number:,} {problem}; {chain.entries:,} before it are as they were written"


def _document(chain: Verified) -> dict[str, object]:
    broken = None if chain.broken is None else chain.broken._asdict()
    return {**chain._asdict(), "broken": broken}


@contextmanager
def opened(url: str, *, must_exist: bool) -> Iterator[Database]:
    """Open a database for one command; what it answers when it fails becomes one line."""
    database = Database(url)
    try:
        if must_exist and database.embedded and not Path(str(database.url.database)).is_file():
            message = f'database "{database.url.database}" is no file. Maybe make it with: evenhand db migrate'
            raise CommandError("no_database", message, field="database_url", value=str(database.url))
        yield database
    except DatabaseError as error:
        said = str(error.orig).strip().partition("\n")[0]
        message = f"the database {database.url} answers: {said}. Maybe check the URL, or run: evenhand db migrate"
        raise CommandError("database", message, field="database_url", value=str(database.url)) from error
    finally:
        database.close()
