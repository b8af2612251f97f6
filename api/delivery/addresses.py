"""Where webhooks may be sent: no address of the inner network, unless the installation allows it.

A URL is checked when it is registered, and the very address that a connection is made to when it is made: a name may mean another
address by then.
"""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from solver.refusal import Refusal, Refused

MAX_LENGTH = 2_000
_NAT64 = IPv6Network("64:ff9b::/96")


class Forbidden(Exception):
    """An address that may not be connected to."""


def checked_url(url: str, *, private: bool) -> str:
    """Return a URL that may be registered.

    Parameters
    ----------
    private
        Whether plain HTTP and addresses of the inner network are allowed.

    Raises
    ------
    Refused
        It is no HTTPS URL, has a user or a fragment, or names an address of the inner network.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or not url.isascii() or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise _refused(url, "is no URL in ASCII with a host", "Maybe use https://example.com/hooks.")
    if parts.scheme not in (("https", "http") if private else ("https",)):
        near = url.replace(f"{parts.scheme}:", "https:", 1)
        raise _refused(url, f"is not {'HTTP or HTTPS' if private else 'HTTPS'}", nearest=near)
    if parts.username is not None or parts.fragment or port == 0:
        raise _refused(url, "has a user, a fragment or port 0, which nobody can be sent to")
    if not private and _is_inner_literal(host):
        raise _refused(url, "is an address of the inner network", "Maybe set EVENHAND_PRIVATE_WEBHOOKS.")
    return url


def allowed_addresses(host: str, port: int, *, private: bool) -> list[str]:
    """Return the addresses that a name means now and that may be connected to.

    Raises
    ------
    Forbidden
        It means none, or an address of the inner network.
    OSError
        The name means nothing.
    """
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = list(dict.fromkeys(found))
    inner = [one for one in addresses if not private and not is_public(one)]
    # One inner address among public ones is refused as a whole: nobody who means well has such a name.
    if inner or not addresses:
        raise Forbidden(f"{host} means an address of the inner network")
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is reached through the internet, whatever it is wrapped in."""
    one = ip_address(address.partition("%")[0])
    if isinstance(one, IPv6Address):
        wrapped = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if one in _NAT64:
            wrapped = ip_address(int(one) & 0xFFFFFFFF)  # type: ignore[assignment]
        if wrapped is not None:
            return is_public(str(wrapped))
    return one.is_global and not one.is_multicast


def _is_inner_literal(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _refused(url: str, message: str, hint: str = "", *, nearest: str | None = None) -> Refused:
    shown = url[:200]
    return Refused(Refusal(code="webhook_url", field="url", value=shown, message=message, nearest=nearest, hint=hint))
