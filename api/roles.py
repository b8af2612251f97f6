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
    READ_PEOPLE = "read people and their calendar"
    CHANGE_PEOPLE = "change people"
    CHANGE_CALENDAR = "change the calendar"
    CHANGE_CLIENTS = "change clients and task types"
    READ_POLICY = "read the policy"
    CHANGE_POLICY = "change the policy"
    MOVE_FILES = "import or export the firm"
    MANAGE_TOKENS = "manage tokens"
    MANAGE_USERS = "manage users"
    MANAGE_PRIVACY = "export and erase a person's data"
    CREATE_FIRMS = "create firms"
    READ_SOLVES = "read solves"
    SOLVE = "start and cancel solves"
    SCHEDULE = "say what is done by itself"
    DECIDE = "decide proposals"
    DECIDE_SUGGESTIONS = "decide suggestions"
    END_EXCEPTIONS = "end holds and escalations"
    READ_INBOX = "read inboxes"
    MARK_READ = "mark messages read"
    MANAGE_WEBHOOKS = "manage webhooks"


HELD_TO_TEAM = frozenset(
    {
        Right.CHANGE_TASKS,
        Right.LOG_TIME,
        Right.CHANGE_CALENDAR,
        Right.DECIDE,
        Right.DECIDE_SUGGESTIONS,
        Right.END_EXCEPTIONS,
    }
)
"""Rights that a manager of a team has for its people, their work, and work that nobody has; every turn asks (`api.store.reach`).

Reading is not among them, nor is placing: the rule looks at everybody, and its reasons show everybody's load.
"""

_READING = frozenset(
    {
        Right.READ_WORK,
        Right.READ_DECISIONS,
        Right.TRY_PLACING,
        Right.READ_PEOPLE,
        Right.READ_POLICY,
        Right.READ_SOLVES,
        Right.READ_INBOX,
    }
)
_WORKING = frozenset(
    {
        *_READING,
        Right.PLACE,
        Right.CHANGE_TASKS,
        Right.LOG_TIME,
        Right.CHANGE_CALENDAR,
        Right.SOLVE,
        Right.MARK_READ,
    }
)
_DECIDING = frozenset({Right.DECIDE, Right.DECIDE_SUGGESTIONS, Right.END_EXCEPTIONS})
_KEEPING = frozenset({*_WORKING, Right.CHANGE_PEOPLE, Right.CHANGE_CLIENTS})
# A webhook goes on when the token that registered it is revoked: nothing for managers' and other systems' tokens.
_RUNNING = frozenset(
    {*_KEEPING, *_DECIDING, Right.CHANGE_POLICY, Right.MOVE_FILES, Right.SCHEDULE, Right.MANAGE_WEBHOOKS}
)

RIGHTS = {
    Role.OWNER: frozenset(
        {*_RUNNING, Right.MANAGE_TOKENS, Right.MANAGE_USERS, Right.MANAGE_PRIVACY, Right.CREATE_FIRMS}
    ),
    Role.OPERATIONS: _RUNNING,
    Role.MANAGER: frozenset({*_WORKING, *_DECIDING}),
    # Decisions show everybody's load; staff log their own time and read their own messages only, so that their tokens name a person.
    Role.STAFF: frozenset({Right.READ_WORK, Right.LOG_TIME, Right.READ_INBOX, Right.MARK_READ}),
    Role.READ_ONLY: _READING,
    Role.INTEGRATION: _KEEPING,
}


def roles_with(right: Right) -> list[Role]:
    """Return the roles that have a right, in the order of `Role`."""
    return [role for role in Role if right in RIGHTS[role]]
