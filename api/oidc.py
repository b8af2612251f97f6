"""Signing in at somebody else's: OpenID Connect, the authorisation code flow with PKCE.

What is believed is the ID token alone, and only when issuer, audience, time, nonce and signature are right; whoever it names signs in
as the user of the firm whose login is the e-mail address that the provider has verified.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from solver.refusal import Refusal, Refused

# Its libraries are imported where somebody signs in at a provider: most installations have none, and start without them.
if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
"""Signatures with a key that only the provider has; never ``none``, never one with a shared secret."""
LEEWAY_S = 60
"""How far the provider's clock may be from ours."""
LIMIT_S = 10.0
"""For one answer of the provider."""


class Unreachable(Refused):
    """The provider does not answer, or not as a provider does."""


class NotBelieved(Refused):
    """What came back from the provider proves nothing."""


class Begun(NamedTuple):
    """A sign-in that goes to the provider: where to, and what the browser brings back with the answer.

    Attributes
    ----------
    state, nonce, verifier
        Random; kept by the browser that began, and by nobody else.
    """

    address: str
    state: str
    nonce: str
    verifier: str


class Provider:
    """One provider, as the settings name it.

    Parameters
    ----------
    issuer
        Its address; ``https``, or on this machine ``http``.
    redirect
        Where it sends people back to.

    Raises
    ------
    Refused
        The issuer cannot be one.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect: str) -> None:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            message, near = "is not reached by https", f"https://{parts.hostname or 'login.example.com'}"
            raise Refused(Refusal(code="oidc", field="oidc_issuer", value=issuer, message=message, nearest=near))
        self._issuer, self._id, self._secret, self._redirect = issuer, client_id, client_secret, redirect
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._reading = Lock()

    def begin(self) -> Begun:
        """Return where a browser is sent to sign in."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": self._redirect,
            "scope": "openid email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = self._known("authorization_endpoint")
        return Begun(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", state, nonce, verifier)

    def finish(self, code: str, *, nonce: str, verifier: str, now: datetime) -> str:
        """Exchange the code for an ID token, and return the verified e-mail address in it.

        Raises
        ------
        NotBelieved
            The provider refused the code, or the token is not for us, not now, not of this sign-in, or names nobody.
        Unreachable
            The provider does not answer.
        """
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
        }
        found = self._asked("POST", self._known("token_endpoint"), data=given, auth=(self._id, self._secret))
        claims = self._claims(str(found.get("id_token", "")), now)
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise _not_believed("is of another sign-in")
        if not isinstance(claims.get("email"), str) or claims.get("email_verified") is not True:
            raise _not_believed("names no e-mail address that the provider has verified")
        return str(claims["email"])

    def _claims(self, token: str, now: datetime) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        rules = jwt.JWTClaimsRegistry(
            now=round(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._id},
            exp={"essential": True},
            iat={"essential": True},
        )
        for again in (False, True):
            try:
                claims = jwt.decode(token, self._key_set(again=again), algorithms=ALGORITHMS).claims
                rules.validate(claims)
            except (JoseError, ValueError) as error:
                # A provider changes its keys now and then: they are read once more before the token is not believed.
                if again:
                    raise _not_believed(f"is not believed: {type(error).__name__}") from None
                continue
            return claims
        raise AssertionError("one of the two has answered")

    def _key_set(self, *, again: bool) -> KeySet:
        from joserfc.jwk import KeySet

        with self._reading:
            if self._keys is None or again:
                self._keys = KeySet.import_key_set(self._asked("GET", self._known("jwks_uri", held=True)))  # type: ignore[arg-type]
            return self._keys

    def _known(self, name: str, *, held: bool = False) -> str:
        if held:
            return self._read(name)
        with self._reading:
            return self._read(name)

    def _read(self, name: str) -> str:
        if not self._metadata:
            found = self._asked("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._issuer:
                raise _unreachable("says that it is another one")
            self._metadata = found
        if name not in self._metadata:
            raise _unreachable(f"does not say its {name}")
        return str(self._metadata[name])

    def _asked(self, method: str, address: str, **how: Any) -> dict[str, Any]:
        import httpx

        try:
            answer = httpx.request(method, address, timeout=LIMIT_S, follow_redirects=False, **how)
        except httpx.HTTPError as error:
            raise _unreachable(f"does not answer: {type(error).__name__}") from None
        if method == "POST" and 400 <= answer.status_code < 500:
            raise _not_believed("was not taken by the provider")
        try:
            document = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            raise _unreachable(f"answers {answer.status_code}, or no JSON") from None
        if not isinstance(document, dict):
            raise _unreachable("answers something else than was asked")
        return document


def _unreachable(message: str) -> Unreachable:
    refusal = Refusal(code="provider_unavailable", field="provider", value="", message=message, hint="Maybe try again.")
    return Unreachable(refusal)


def _not_believed(message: str) -> NotBelieved:
    hint = "Maybe begin again with GET /session/provider."
    return NotBelieved(
        Refusal(code="sign_in_failed", field="provider", value="(not shown)", message=message, hint=hint)
    )
