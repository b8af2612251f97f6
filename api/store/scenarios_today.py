"""Kept scenarios on the firm of today: what still applies, read from the store with the names of today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from api.store.draft import read_head
from api.store.loading import firm_at, load_firm
from scenarios.change import FirmChange
from scenarios.rebasing import Rebased, rebased
from solver.calendar import local_now
from solver.firm import Firm


class Today(NamedTuple):
    """Today's firm at a version, and what becomes of some changes on it."""

    version: int
    firm: Firm
    changes: tuple[Rebased, ...]


def on_today(session: Session, firm: str, changes: Sequence[FirmChange], base_version: int, *, now: datetime) -> Today:
    """Return what becomes of changes made for a version of the session's firm on the firm as it is."""
    version, here = read_head(session, firm).version, load_firm(session)
    return Today(version, here, _rebased(session, changes, base_version, version, here, now))


def on_version(
    session: Session, changes: Sequence[FirmChange], base_version: int, version: int, *, now: datetime
) -> Today:
    """Return what becomes of changes made for one version of the session's firm on another version of it."""
    here = firm_at(session, version)
    return Today(version, here, _rebased(session, changes, base_version, version, here, now))


def _rebased(
    session: Session, changes: Sequence[FirmChange], base_version: int, version: int, here: Firm, now: datetime
) -> tuple[Rebased, ...]:
    then = here if base_version == version else firm_at(session, base_version)
    return rebased(changes, then=then, now=here, day=local_now(here, now).date())
