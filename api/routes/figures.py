"""``/metrics``: the figures of this process, where Prometheus looks for them; no part of the API, and only for those who may read it."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address, ip_network

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.measures import CONTENT_TYPE
from api.routes.access import serving

PATH = "/metrics"


def metrics(request: Request) -> Response:
    """Answer with all figures; who may not read them is told that there is nothing."""
    here = serving(request)
    if not _within(request.client.host if request.client is not None else "", here.settings.metrics_from):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(here.measures.text(here.database, now=here.now()), media_type=CONTENT_TYPE)


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False  # a socket file has no address
    return any(found in ip_network(one, strict=False) for one in networks)
