"""``evenhand user``: who signs in to a firm with a password."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from getpass import getpass

from rich.text import Text

from api.commands.storing import opened, require_firm
from api.console import out, print_json, table
from api.errors import CommandError, Exit
from api.roles import Role
from api.store.users import SignIn, User, create_user, disable_user, set_password, sign_ins_of, users_of


def create(
    url: str,
    firm: str,
    login: str,
    role: Role,
    person: str | None,
    team: str | None,
    *,
    with_password: bool,
    as_json: bool,
) -> Exit:
    """Let somebody sign in; their first password is asked for, unless only a provider lets them in."""
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
        password = _password() if with_password else None
        user = create_user(database, firm, login, password, role, now=datetime.now(UTC), person=person, team=team)
    if as_json:
        print_json(user._asdict())
    else:
        out().print(Text(f"{user.login} may sign in to {firm} as {user.role.value}"))
    return Exit.DONE


def listed(url: str, firm: str, *, as_json: bool) -> Exit:
    """Print who may sign in to a firm, and the last attempts."""
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
        with database.reading(firm) as session:
            users, attempts = users_of(session), sign_ins_of(session)
    if as_json:
        print_json({"users": [one._asdict() for one in users], "sign_ins": [one._asdict() for one in attempts]})
        return Exit.DONE
    now = datetime.now(UTC)
    columns = ("login", "role", "person or team", "last signed in", "state")
    out().print(table(f"Users of {firm}", columns, [_row(one, now) for one in users]))
    logins = {one.id: one.login for one in users}
    rows = [_attempt(one, logins) for one in attempts[:20]]
    out().print(table("Last attempts to sign in", ("at", "login", "outcome", "address"), rows))
    return Exit.DONE


def disable(url: str, firm: str, login: str, *, as_json: bool) -> Exit:
    """Let somebody sign in no more."""
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
        disable_user(database, firm, login, now=datetime.now(UTC))
    return _done({"firm": firm, "disabled": login}, f"{login} signs in to {firm} no more", as_json=as_json)


def password(url: str, firm: str, login: str, *, as_json: bool) -> Exit:
    """Give somebody a new password; ends their sessions, and lets them in again where they were locked out or disabled."""
    with opened(url, must_exist=True) as database:
        require_firm(database, firm)
        set_password(database, firm, login, _password(), now=datetime.now(UTC))
    return _done({"firm": firm, "login": login}, f"{login} of {firm} has a new password", as_json=as_json)


def _done(document: dict[str, str], sentence: str, *, as_json: bool) -> Exit:
    if as_json:
        print_json(document)
    else:
        out().print(Text(sentence))
    return Exit.DONE


def _password() -> str:
    """Ask for a password where somebody types, else read one line: never an argument, which every process can see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass("password: ")
    if getpass("once more: ") != first:
        raise CommandError("password", "the two are not the same. Maybe try again.", field="password")
    return first


def _row(one: User, now: datetime) -> tuple[str, ...]:
    locked = one.locked_until is not None and one.locked_until > now
    state = "disabled" if one.disabled_at is not None else "locked out for a while" if locked else ""
    seen = "" if one.signed_in_at is None else one.signed_in_at.isoformat(timespec="minutes")
    return one.login, one.role.value, one.person or one.team or "", seen, state


def _attempt(one: SignIn, logins: dict[str, str]) -> tuple[str, ...]:
    return one.at.isoformat(timespec="seconds"), logins.get(one.user or "", "(nobody)"), one.outcome, one.address
