"""Headers that make requests safe to repeat: Idempotency-Key, ETag and If-Match; cursors of pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header

from api.routes.problems import Problem, problem
from api.store.log import canonical
from api.store.tokens import Token
from api.store.turn import Turn

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The same key with the same request is done once, and answered again as the first time.",
    ),
]
_ETAG = re.compile(r'"([0-9]{1,18})"')
_LARGEST = 2**63 - 1


def etag(version: int) -> str:
    """Return a version as an entity tag."""
    return f'"{version}"'


async def _expected(
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="The ETag that was read, or * for whatever is there.")
    ] = None,
) -> int | None:
    if if_match is None:
        message, hint = "is missing", 'Maybe send the ETag that was read, as If-Match: "7".'
        raise problem(HTTPStatus.PRECONDITION_REQUIRED, "if_match_missing", "If-Match", "", message, hint=hint)
    if if_match == "*":
        return None
    found = _ETAG.fullmatch(if_match)
    if found is None:
        message, hint = "is no ETag of ours", 'Maybe send the one that was read, as If-Match: "7".'
        raise problem(HTTPStatus.PRECONDITION_FAILED, "if_match_unknown", "If-Match", if_match[:80], message, hint=hint)
    return int(found[1])


Expected = Annotated[int | None, Depends(_expected)]
"""The version a change is meant for; ``None`` for any."""


class Once:
    """One request that creates something, done once per key of its token.

    Parameters
    ----------
    what
        The route and everything it was asked, as JSON; looked at only where there is a key.
    """

    def __init__(self, caller: Token, key: str | None, what: dict[str, Any]) -> None:
        # Keys of two tokens are two keys: nobody is answered what another one asked.
        self._key = None if key is None else f"{caller.id}:{key}"
        self._fingerprint = "" if key is None else hashlib.sha256(canonical(what).encode()).hexdigest()

    def answered(self, turn: Turn) -> dict[str, Any] | None:
        """Return what was kept the first time; ``None`` where this is the first time."""
        found = None if self._key is None else turn.answered(self._key, self._fingerprint)
        return None if found is None else dict(json.loads(found))

    def keep(self, turn: Turn, answer: dict[str, Any]) -> None:
        """Keep what answers the request again; ids and numbers, no names."""
        if self._key is not None:
            turn.answer(self._key, self._fingerprint, canonical(answer))


def cursor(*parts: int | str) -> str:
    """Return where a page ended, in one word."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def cursor_parts(given: str | None, *kinds: type) -> list[Any] | None:
    """Return the parts of a cursor, ``None`` without one; refuse one that we did not make."""
    if given is None:
        return None
    try:
        parts = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        parts = None
    known = isinstance(parts, list) and [type(part) for part in parts] == list(kinds)
    if not known or any(abs(part) > _LARGEST if isinstance(part, int) else "\x00" in part for part in parts or ()):
        raise _no_cursor(given)
    return list(parts)


def moment_cursor(given: str | None) -> tuple[datetime, str] | None:
    """Return the moment and id at which a page of rows in the order of their moments ended, ``None`` without one."""
    parts = cursor_parts(given, str, str)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[0])
        if at.tzinfo is not None:
            return at.astimezone(UTC), parts[1]
    except (ValueError, OverflowError):
        pass
    raise _no_cursor(str(given))


def _no_cursor(given: str) -> Problem:
    message, hint = "is no cursor of ours", "Maybe begin without one."
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "cursor_unknown", "cursor", given[:80], message, hint=hint)
