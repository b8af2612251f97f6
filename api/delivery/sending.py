"""One message sent to one webhook, by the Standard Webhooks scheme (standardwebhooks.com): id, timestamp and signature in headers.

``webhook-id`` is the same whenever the message is sent, so that whoever receives it twice knows. Redirects are not followed.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, NamedTuple

import httpcore
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream, SyncBackend
from standardwebhooks import Webhook

from api.delivery.addresses import Forbidden, allowed_addresses
from api.store.log import canonical

TOTAL_S = 15.0
"""From the first address looked up to the last header read; a receiver that answers later is sent the message again."""
MAX_RETRY_AFTER = timedelta(hours=24)


class Message(NamedTuple):
    """Something a firm said."""

    firm: str
    number: int
    topic: str
    document: str
    at: datetime

    @property
    def id(self) -> str:
        """What receivers know it by: the same for every attempt, of no two messages, and without the sign that ends it.

        The moment is in it, as a restored backup counts on from its own last number.
        """
        said = f"{self.firm}\n{self.number}\n{self.at.isoformat()}"
        return "msg_" + hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def body(self) -> str:
        """What is sent, the same for every attempt."""
        said = {**json.loads(self.document), "firm": self.firm, "number": self.number}
        return canonical({"type": self.topic, "timestamp": self.at.isoformat(), "data": said})


class Answered(NamedTuple):
    """What came back.

    Attributes
    ----------
    status
        Of HTTP, ``None`` where nothing came.
    error
        In words; empty where the message arrived.
    retry_after
        What the receiver asks to wait.
    """

    status: int | None
    error: str
    retry_after: timedelta | None = None

    @property
    def arrived(self) -> bool:
        """Whether the receiver has it."""
        return not self.error

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more."""
        return self.status == 410


def headers_of(message: Message, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Return the headers that prove who sends a message; signed with every secret that is good."""
    at = now.astimezone(UTC)
    signed = [Webhook(secret).sign(message.id, at, message.body) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": f"Evenhand/{version('evenhand')}",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signed),
    }


def send(url: str, message: Message, secrets: Sequence[str], *, now: datetime, private: bool = False) -> Answered:
    """Send a message once.

    Parameters
    ----------
    now
        For the timestamp that is signed.
    private
        Whether addresses of the inner network are allowed.
    """
    backend = _Guarded(time.monotonic() + TOTAL_S, private=private)
    headers = headers_of(message, secrets, now)
    timeouts = {"connect": TOTAL_S, "read": TOTAL_S, "write": TOTAL_S, "pool": TOTAL_S}
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend) as pool,
            pool.stream(
                "POST",
                url,
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                content=message.body.encode(),
                extensions={"timeout": timeouts},
            ) as response,
        ):
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return _answered(response.status, found.get("retry-after", ""), now)
    except Forbidden as error:
        return Answered(None, str(error))
    except (OSError, ssl.SSLError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        return Answered(None, f"{type(error).__name__}: {error}"[:300])


def _answered(status: int, retry_after: str, now: datetime) -> Answered:
    if 200 <= status < 300:
        return Answered(status, "")
    moved = " (redirects are not followed)" if 300 <= status < 400 else ""
    return Answered(status, f"answered {status}{moved}", _wait(retry_after, now))


def _wait(said: str, now: datetime) -> timedelta | None:
    """Read Retry-After: seconds, or a moment."""
    if said.isascii() and said.isdigit():
        return min(timedelta(seconds=min(int(said[:9]), 10**6)), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(min(aware - now, MAX_RETRY_AFTER), timedelta())


class _Guarded(NetworkBackend):
    """Connects to addresses that are allowed, and to nothing once the time is over."""

    def __init__(self, until_s: float, *, private: bool) -> None:
        self._until_s, self._private, self._plain = until_s, private, SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Connect to one of the addresses that were checked, not to the name, which may mean another one a moment later."""
        failed: Exception | None = None
        for address in allowed_addresses(host, port, private=self._private):
            try:
                left = remaining_s(self._until_s)
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
                return _Timed(stream, self._until_s)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("no address")


class _Timed(NetworkStream):
    """A stream that ends in time, however slowly the other side drips."""

    def __init__(self, stream: NetworkStream, until_s: float) -> None:
        self._stream, self._until_s = stream, until_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, remaining_s(self._until_s))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, remaining_s(self._until_s))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, remaining_s(self._until_s))
        return _Timed(secured, self._until_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def remaining_s(until_s: float) -> float:
    """Return the seconds that are left.

    Raises
    ------
    httpcore.ReadTimeout
        None are.
    """
    left = until_s - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout(f"no answer within {TOTAL_S:g} s")
    return left
