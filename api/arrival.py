"""One arrival as a person writes it, as a checked task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from api.errors import CommandError, Exit
from api.intake.values import BadValue, Cell, DateOrder, Parser, day, moment
from solver.firm import Firm, Task


def arrival(
    firm: Firm,
    fields: Mapping[str, object],
    *,
    due: str,
    release: str | None,
    hours: float | None,
    date_order: DateOrder,
) -> Task:
    """Return the task.

    Raises
    ------
    CommandError
        A date that cannot be read.
    ValidationError
        A field that cannot be, such as a release after the deadline.
    """
    deadline = _parsed("due", moment, due, date_order)
    at = None
    if isinstance(deadline, datetime):
        local = deadline.astimezone(firm.zone) if deadline.tzinfo else deadline
        deadline, at = local.date(), local.time()
    return Task.model_validate(
        {
            **fields,
            "deadline": deadline,
            "deadline_time": at,
            "release": _parsed("release", day, release, date_order) if release else None,
            "estimate_min": None if hours is None else math.floor(60 * hours + 0.5),
        }
    )


def _parsed(name: str, parse: Parser, said: Cell, order: DateOrder) -> object:
    try:
        return parse(said, order)
    except BadValue as error:
        near = f' Nearest: "{error.nearest}".' if error.nearest else ""
        raise CommandError(
            error.code,
            f'--{name} "{said}" {error.reason}.{near}',
            exit_code=Exit.USAGE,
            field=name,
            value=str(said),
            nearest=error.nearest,
        ) from error
