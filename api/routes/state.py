"""Whether the process answers, whether it may be sent requests, and what runs: open to everybody, with nothing of a firm in it."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter

from api.routes.access import Here
from api.routes.models import Health, Version
from api.routes.problems import problem
from api.store.migrating import revision_of

router = APIRouter(tags=["state"])


@router.get("/health", operation_id="getHealth", summary="Say that the process answers")
def health() -> Health:
    """Say that the process answers; the database is not asked."""
    return Health()


@router.get("/ready", operation_id="getReadiness", summary="Say whether requests may be sent")
def ready(here: Here) -> Health:
    """Say whether the database answers and has the schema that this version expects."""
    revision = revision_of(here.database)
    if revision != here.revision:
        message, hint = "is not what this version expects", "Maybe run: evenhand db migrate"
        status, value = HTTPStatus.SERVICE_UNAVAILABLE, revision or "none"
        raise problem(status, "not_ready", "revision", value, message, nearest=here.revision, hint=hint)
    return Health()


@router.get("/version", operation_id="getVersion", summary="Say what runs")
def running_version(here: Here) -> Version:
    """Say what runs here."""
    return Version(version=version("evenhand"), revision=here.revision)
