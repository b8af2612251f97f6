"""Secrets sealed before they are stored: whoever reads the database alone cannot read them (Fernet, of `cryptography`).

What a secret is for is sealed with it, so that whoever can write to the database cannot put one firm's secret in another one's place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from solver.refusal import Refusal, Refused

HINT = "Maybe set EVENHAND_SECRET_KEYS to what `evenhand secrets key` prints."


class Unsealable(Refused):
    """The service has no key, or none that opens what is stored: its settings are to be mended, not the request."""


class Seal:
    """Seals with the first key, and opens with any, so that keys can be changed one after another.

    Raises
    ------
    Refused
        A key is none.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        try:
            made = [Fernet(key) for key in keys]
        except ValueError:
            message = "holds a key that is not 32 bytes in URL-safe base64"
            raise Refused(_refusal("secret_key", message)) from None
        self._keys = MultiFernet(made) if made else None

    @property
    def ready(self) -> bool:
        """Whether there is a key."""
        return self._keys is not None

    def close(self, text: str, *, place: str) -> str:
        """Return a text sealed for one place."""
        return self._required().encrypt(json.dumps([place, text]).encode()).decode()

    def open(self, sealed: str, *, place: str) -> str:
        """Return a text that was sealed for this place.

        Raises
        ------
        Unsealable
            No key opens it, or it was sealed for another place.
        """
        try:
            sealed_for, text = json.loads(self._required().decrypt(sealed.encode()))
        except InvalidToken:
            raise Unsealable(_refusal("secret_key_unknown", "has no key that opens what is stored")) from None
        if sealed_for != place:
            raise Unsealable(_refusal("secret_misplaced", f"opens what was stored for {sealed_for}, not for {place}"))
        return str(text)

    def _required(self) -> MultiFernet:
        if self._keys is None:
            raise Unsealable(_refusal("no_secret_key", "is not set, and secrets are stored sealed only"))
        return self._keys


def new_key() -> str:
    """Return a new key."""
    return Fernet.generate_key().decode()


def _refusal(code: str, message: str) -> Refusal:
    return Refusal(code=code, field="secret_keys", value="(not shown)", message=message, hint=HINT)
