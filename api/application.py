"""The HTTP API of the service, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import serving
from api.routes import (
    bulk,
    calendar,
    catalogue,
    decisions,
    escalations,
    figures,
    files,
    firm_runs,
    firms,
    holds,
    inbox,
    metrics,
    people,
    placements,
    policy,
    privacy,
    problems,
    proposals,
    run_outcomes,
    runs,
    scenarios,
    schedules,
    sessions,
    solves,
    state,
    suggestions,
    task_states,
    tasks,
    time_entries,
    tokens,
    users,
    webhooks,
)
from api.routes.limits import BodyLimit
from api.routes.sharing_out import SharingOut
from api.routes.watching import Watching
from api.serving import Serving, clock
from api.settings import Settings
from api.store.database import Database

PREFIX = serving.PREFIX
WATCHED = (f"{PREFIX}/health", f"{PREFIX}/ready", f"{PREFIX}/version", figures.PATH)
"""Asked by what watches over the process: answered whatever else goes on, and hardly logged."""
DESCRIPTION = (
    "Decides who in an accounting firm does which piece of work, by when, and says why. "
    "A token is of one firm and one role; what belongs to another firm is not there. "
    "Every error is a problem document (RFC 9457) with a stable `code`."
)
TAGS = {
    "tasks": "Work: taken in and placed in one call, changed, completed, logged on.",
    "time entries": "Minutes that people logged; corrections are kept beside what they correct.",
    "placements": "What would happen, and why things are as they are.",
    "holds": "Tasks that wait for their estimate.",
    "escalations": "Tasks that nobody could take, why, and the ways out.",
    "proposals": "Moves of assigned work that a manager approves or declines.",
    "decisions": "The append-only, hash-chained log of who decided what, and on which facts.",
    "solves": "Plans of the whole backlog: asked for, watched, and when they are made by themselves.",
    "runs": "Everything that workers work out: of scenarios, the year ahead, a past period under another policy.",
    "scenarios": "What-ifs: kept, worked out beside today, and turned into proposals; nothing real is touched.",
    "suggestions": "What the time sheets say of estimates and skills; a manager accepts it or not.",
    "people": "Who does the work: skills, hours, how much is free.",
    "calendar": "Time off, bookings and overtime.",
    "clients": "For whom work is done.",
    "task types": "What work asks of people.",
    "policy": "What the firm guards and what it pays for.",
    "metrics": "Utilisation, spread, on-time, escalations.",
    "firm": "The firm itself: figures, settings, history, files in and out.",
    "inbox": "What people, and those who decide, should know.",
    "webhooks": "Other systems that are told, and what is on its way to them.",
    "tokens": "Who may use this API.",
    "users": "Who may sign in, and who has tried to.",
    "sessions": "Signing in and out.",
    "state": "Whether the service answers.",
}
"""Parts of the document, in its order; others follow."""
ROUTERS = (
    tasks,
    bulk,
    task_states,
    time_entries,
    placements,
    holds,
    escalations,
    proposals,
    decisions,
    solves,
    schedules,
    scenarios,
    runs,
    run_outcomes,
    firm_runs,
    suggestions,
    privacy,
    people,
    calendar,
    catalogue,
    policy,
    metrics,
    firms,
    files,
    inbox,
    webhooks,
    tokens,
    users,
    sessions,
    state,
)


def application(
    database: Database, *, now: Callable[[], datetime] = clock, settings: Settings | None = None
) -> FastAPI:
    """Return the API over a database that is migrated; whoever opened the database closes it.

    Parameters
    ----------
    now
        The clock, in UTC.
    settings
        The defaults where none are given.
    """
    here = Serving(database, now=now, settings=settings)
    app = FastAPI(
        title="Evenhand",
        version=version("evenhand"),
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # the pages of the framework load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        openapi_tags=[{"name": name, "description": said} for name, said in TAGS.items()],
    )
    app.state.serving = here
    for module in ROUTERS:
        app.include_router(module.router, prefix=PREFIX)
    problems.install(app)
    app.add_route(figures.PATH, figures.metrics)
    app.add_middleware(SharingOut, here=here, free=WATCHED)
    app.add_middleware(BodyLimit, prefix=PREFIX)
    inner = app.build_middleware_stack
    # Around the framework's own answer to defects too.
    app.build_middleware_stack = lambda: Watching(inner(), here.measures, prefix=PREFIX, quiet=WATCHED)  # type: ignore[method-assign]
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schema = problems.ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.pop("$defs")
        document["components"]["schemas"] |= {"ProblemDocument": schema, **parts}
        app.openapi_schema = document
    return app.openapi_schema
