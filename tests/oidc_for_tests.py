"""A small OpenID Connect provider on 127.0.0.1: discovery, keys, codes and tokens as the standard has them; everybody consents."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "evenhand", "shown to the provider only"


class Provider:
    """What the provider knows and says; tests change it.

    Attributes
    ----------
    who
        Claims about whoever signs in next.
    claims
        Put over those of the next ID token.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.key = self.signs_with = RSAKey.generate_key(2048, {"kid": "first"})
        self.who: dict[str, Any] = {"sub": "7", "email": "dana@example.com", "email_verified": True}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.now_s = 0
        self.codes: dict[str, dict[str, str]] = {}

    def consented(self, address: str) -> str:
        """Return where a browser that comes with this address is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        code = uuid4().hex
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def answer(self, path: str, sent: dict[str, str], authorization: str) -> tuple[int, object]:
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            found = {name: f"{self.issuer}/{end}" for name, end in names.items()}
            return 200, {"issuer": self.issuer, **found, **self.metadata}
        if path == "/keys":
            return 200, KeySet([self.key]).as_dict(private=False)
        if path == "/token":
            return self._token(sent, authorization)
        return 404, {}

    def _token(self, sent: dict[str, str], authorization: str) -> tuple[int, object]:
        asked = self.codes.pop(sent.get("code", ""), None)
        shown = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or authorization != f"Basic {shown}"
            or sent["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode().rstrip("=") != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": self.now_s, "exp": self.now_s + 300}
        claims |= {"nonce": asked["nonce"], **self.who, **self.claims}
        header = {"alg": "RS256", "kid": self.signs_with.kid}
        return 200, {"id_token": jwt.encode(header, claims, self.signs_with), "token_type": "Bearer"}


@contextmanager
def provider() -> Iterator[Provider]:
    """Run a provider until the block ends."""
    here = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, sent: dict[str, str]) -> None:
            status, document = here.answer(self.path, sent, self.headers.get("Authorization", ""))
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        here.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()
