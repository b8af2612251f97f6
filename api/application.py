"""The HTTP API of the service, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.routes import (
    decisions,
    escalations,
    firms,
    holds,
    inbox,
    placements,
    problems,
    proposals,
    schedules,
    solves,
    state,
    tasks,
    webhooks,
)
from api.routes.limits import BodyLimit
from api.sealing import Seal
from api.serving import Serving, clock
from api.store.database import Database

PREFIX = "/api/v1"
DESCRIPTION = (
    "Decides who in an accounting firm does which piece of work, by when, and says why. "
    "A token is of one firm and one role; what belongs to another firm is not there. "
    "Every error is a problem document (RFC 9457) with a stable `code`."
)


def application(
    database: Database,
    *,
    now: Callable[[], datetime] = clock,
    seal: Seal | None = None,
    private_webhooks: bool = False,
) -> FastAPI:
    """Return the API over a database that is migrated; whoever opened the database closes it.

    Parameters
    ----------
    now
        The clock, in UTC.
    seal
        What seals and opens the secrets of webhooks; none: no webhook can be registered.
    private_webhooks
        Whether webhooks may lead to plain HTTP and the inner network.
    """
    app = FastAPI(
        title="Evenhand",
        version=version("evenhand"),
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # the pages of the framework load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.serving = Serving(database, now=now, seal=seal, private_webhooks=private_webhooks)
    for module in (
        tasks,
        placements,
        holds,
        escalations,
        proposals,
        decisions,
        solves,
        schedules,
        inbox,
        webhooks,
        firms,
        state,
    ):
        app.include_router(module.router, prefix=PREFIX)
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = problems.ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.pop("$defs")
        document["components"]["schemas"] |= {"ProblemDocument": schema, **parts}
        app.openapi_schema = document
    return app.openapi_schema
