"""Who may do what: the one table of roles and rights. Routes name the right they ask for in their signature (`api.routes.access`)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a token may be used for."""

    OWNER = "owner"
    OPERATIONS = "operations"
    MANAGER = "manager"
    STAFF = "staff"
    READ_ONLY = "read-only"
    INTEGRATION = "integration"


class Right(StrEnum):
    """What a route asks for; completes "may not ..."."""

    READ_WORK = "read tasks"
    READ_DECISIONS = "read decisions"
    TRY_PLACING = "try placements"
    PLACE = "place tasks"
    CHANGE_TASKS = "change tasks"
    LOG_TIME = "log time"


HELD_TO_TEAM = frozenset({Right.CHANGE_TASKS, Right.LOG_TIME})
"""Rights that a manager of a team has for its people, their work, and work that nobody has; every turn asks (`api.store.reach`).

Reading is not among them, nor is placing: the rule looks at everybody, and its reasons show everybody's load.
"""

_READING = frozenset({Right.READ_WORK, Right.READ_DECISIONS, Right.TRY_PLACING})
_WORKING = frozenset({*_READING, Right.PLACE, Right.CHANGE_TASKS, Right.LOG_TIME})

RIGHTS = {
    Role.OWNER: _WORKING,
    Role.OPERATIONS: _WORKING,
    Role.MANAGER: _WORKING,
    # Decisions show everybody's load; staff log their own time only, so that their tokens name a person.
    Role.STAFF: frozenset({Right.READ_WORK, Right.LOG_TIME}),
    Role.READ_ONLY: _READING,
    Role.INTEGRATION: _WORKING,
}


def roles_with(right: Right) -> list[Role]:
    """Return the roles that have a right, in the order of `Role`."""
    return [role for role in Role if right in RIGHTS[role]]
