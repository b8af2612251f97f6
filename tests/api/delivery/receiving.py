"""A receiver of webhooks on this machine, which answers as it is told and remembers what it was sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, NamedTuple


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is made with a secret, worked out by the words of the specification."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return expected in self.headers["webhook-signature"].split(" ")


class Receiver:
    """What came, and how it is answered: ``answers`` maps the place of a request to its status and headers."""

    def __init__(self) -> None:
        self.came: list[Received] = []
        self.answers: Callable[[Received], tuple[int, dict[str, str]]] = lambda _: (200, {})
        self.url = ""
        self._lock = Lock()

    def take(self, one: Received) -> tuple[int, dict[str, str]]:
        with self._lock:
            self.came.append(one)
        return self.answers(one)

    @property
    def topics(self) -> list[str]:
        return [one.said["type"] for one in self.came]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen on a free port of 127.0.0.1 until the end."""
    mine = Receiver()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:  # whoever sent it was killed in its middle: nothing came
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = mine.take(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **more}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    mine.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield mine
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
