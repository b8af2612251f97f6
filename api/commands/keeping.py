"""``evenhand db backup``, ``restore`` and ``prune``, ``evenhand person`` and ``evenhand secrets``: what is kept, and for how long."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from api.commands.storing import opened, require_firm
from api.console import out, print_json
from api.delivery.webhooks import reseal
from api.errors import CommandError, Exit
from api.jobs.queue import prepare
from api.sealing import Seal, new_key
from api.settings import find_settings
from api.store.copying import back_up, restore
from api.store.privacy import erase_person, export_person
from api.store.retention import Keeping, prune
from api.store.secrets import rotate_secrets
from api.store.turns import Turns


def backup(url: str, path: Path, *, force: bool, as_json: bool) -> Exit:
    """Write a backup of all firms, while everybody works."""
    if path.exists() and not force:
        message = f"{path} exists. Maybe choose another name, or say --force."
        raise CommandError("file_exists", message, field="file", value=str(path))
    with opened(url, must_exist=True) as database:
        copied = back_up(database, path, now=datetime.now(UTC))
    if as_json:
        print_json({"written": str(path), **copied._asdict()})
    else:
        out().print(Text(f"wrote {path}: {copied.firms:,} firms, {copied.rows:,} rows, revision {copied.revision}"))
    return Exit.DONE


def restored(url: str, path: Path, *, as_json: bool) -> Exit:
    """Fill an empty database from a backup; every chain is walked afterwards."""
    if not path.is_file():
        raise CommandError("no_file", f'"{path}" is no file. Maybe check the path.', field="file", value=str(path))
    with opened(url, must_exist=False) as database:
        done = restore(database, path)
        prepare(database)
    broken = [chain for chain in done.chains if chain.broken is not None]
    if as_json:
        print_json({**done.copied._asdict(), "broken": [chain.firm for chain in broken]})
    else:
        out().print(Text(f"restored {done.copied.firms:,} firms, {done.copied.rows:,} rows"))
        for chain in broken:
            out().print(Text(f"{chain.firm}: the decision log is broken, as it was. Maybe run: evenhand log verify"))
    return Exit.UNUSABLE if broken else Exit.DONE


def pruned(url: str, *, as_json: bool) -> Exit:
    """Delete what was kept for long enough, of every firm."""
    keeping = Keeping(**find_settings().settings.kept)
    with opened(url, must_exist=True) as database:
        turns = Turns(database)
        done = [prune(turns, firm, now=datetime.now(UTC), keeping=keeping) for firm in database.firm_ids()]
    if as_json:
        print_json({"firms": [one._asdict() for one in done]})
    else:
        for one in done:
            counts = ", ".join(
                f"{count} {name.replace('_', '-')}" for name, count in one._asdict().items() if name != "firm"
            )
            out().print(Text(f"{one.firm}: deleted {counts}"))
    return Exit.DONE


def export(url: str, firm: str, id: str) -> Exit:
    """Print all that is kept about a person, as JSON."""
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
        with database.reading(firm) as session:
            print_json(export_person(session, id))
    return Exit.DONE


def erase(url: str, firm: str, id: str, *, sure: bool, as_json: bool) -> Exit:
    """Erase who a person is, for good."""
    if not sure:
        message = f'person "{id}" would be erased for good. Maybe export first; then say --yes.'
        raise CommandError("not_sure", message, exit_code=Exit.USAGE, field="person", value=id)
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
        done = erase_person(Turns(database), firm, id, now=datetime.now(UTC), actor="command line")
    if as_json:
        print_json(done._asdict())
    else:
        out().print(Text(f"{id} has no name any more; {done.users} users and {done.tokens} tokens are gone"))
        out().print(Text("Backups made until now have it still."))
    return Exit.DONE


def key() -> Exit:
    """Print a new key for the setting `secret_keys`."""
    sys.stdout.write(new_key() + "\n")
    return Exit.DONE


def rotate(url: str, *, as_json: bool) -> Exit:
    """Encrypt every secret of every firm with the first of the keys that are set."""
    seal, count = Seal(find_settings().settings.seal_keys), 0
    with opened(url, must_exist=True) as database:
        turns = Turns(database)
        for firm in database.firm_ids():
            with database.writing(firm) as session:
                count += rotate_secrets(session, seal)
            with turns.turn(firm, now=datetime.now(UTC), actor="secrets rotate") as turn:
                count += reseal(turn, seal)
    if as_json:
        print_json({"secrets": count})
    else:
        out().print(Text(f"{count} secrets are encrypted with the first key"))
    return Exit.DONE
