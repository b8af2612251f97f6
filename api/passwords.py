"""Passwords: argon2id, taking as long for who is not there as for who is; what a new one must be."""

from __future__ import annotations

import secrets
import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from solver.refusal import Refusal, Refused

SHORTEST, LONGEST = 12, 200
AT_ONCE = 2
"""Hashes that one process computes at a time: each takes 64 MiB and a core for as long as it lasts."""

_hasher = PasswordHasher()
_room = BoundedSemaphore(AT_ONCE)
_nobodys = ""


def hashed(password: str) -> str:
    """Return what is kept of a new password.

    Raises
    ------
    Refused
        It is too short or too long; the refusal never has it in it.
    """
    plain = _plain(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        near = SHORTEST if len(plain) < SHORTEST else LONGEST
        message = f"has {len(plain)} characters, not {SHORTEST} to {LONGEST}"
        raise Refused(
            Refusal(
                code="password", field="password", value="(not shown)", message=message, nearest=f"{near} characters"
            )
        )
    with _room:
        return _hasher.hash(plain)


def is_right(password: str, kept: str | None) -> bool:
    """Return whether a password is the one that was kept; takes the same time where none was."""
    global _nobodys
    with _room:
        if not _nobodys:
            _nobodys = _hasher.hash(secrets.token_hex(32))
        try:
            return _hasher.verify(kept or _nobodys, _plain(password[:LONGEST])) and kept is not None
        except VerifyMismatchError:
            return False


def is_outdated(kept: str) -> bool:
    """Return whether a hash was made with weaker settings than those of today."""
    return _hasher.check_needs_rehash(kept)


def _plain(password: str) -> str:
    """Return the same text for the same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)
