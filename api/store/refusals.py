"""How the store refuses: each refusal names field, value and nearest valid value, as everywhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from solver.refusal import Refusal, Refused, nearest_name


class NotFound(Refused):
    """What is asked for is not there; another firm's things never are."""


class Taken(Refused):
    """The id is used already."""


class InUse(Refused):
    """Something else refers to what should go."""


class Changed(Refused):
    """Somebody else has changed it since it was read."""


class Ended(Refused):
    """Somebody else has decided it, or it is over; the refusal says who and when."""


class Stale(Refused):
    """It was right when it was found, and is not any more; the refusal says what has changed."""


class Busy(Refused):
    """Another writer holds the firm, and the wait is over; nothing was written. Ask again."""


class Unreadable(Refused):
    """What is stored cannot be what was written."""


class OutOfReach(Refused):
    """It is of another team than the one that the caller's rights are held to."""


def not_found(field: str, value: str, known: Collection[str] = ()) -> NotFound:
    """Refuse an id that the firm does not have."""
    return NotFound(
        Refusal(code="not_found", field=field, value=value, message="is not known", nearest=nearest_name(value, known))
    )


def taken(field: str, value: str) -> Taken:
    """Refuse an id that is used already."""
    hint = "Maybe change the one that is there."
    return Taken(Refusal(code="taken", field=field, value=value, message="is there already", hint=hint))


def referred_to(field: str, value: str, table: str) -> InUse:
    """Refuse to take out what something else refers to."""
    return InUse(
        Refusal(
            code="referred_to",
            field=field,
            value=value,
            message=f"is referred to by {table}",
            hint="Maybe set a leave date, or cancel the task, instead.",
        )
    )


def changed(field: str, expected: int, actual: int) -> Changed:
    """Refuse a change of something that is not what the caller has read."""
    return Changed(
        Refusal(
            code="changed",
            field=field,
            value=str(expected),
            message="is not its version any more",
            nearest=str(actual),
            hint="Maybe read it again.",
        )
    )


def ended(field: str, value: str, state: str, *, at: datetime, actor: str = "", reason: str = "") -> Ended:
    """Refuse to decide what is decided; ``actor`` and ``reason`` where they are known."""
    by, why = f", by {actor}" if actor else "", f": {reason}" if reason else ""
    message = f"is {state} already{by} at {at.isoformat(timespec='seconds')}{why}"
    return Ended(Refusal(code=f"{field}_ended", field=field, value=value, message=message))


def stale(field: str, value: str, sentences: Sequence[str]) -> Stale:
    """Refuse what facts have overtaken."""
    message, hint = "is not right any more: " + "; ".join(sentences), "Maybe wait for the next plan."
    return Stale(Refusal(code=f"{field}_stale", field=field, value=value, message=message, hint=hint))


def busy(firm: str, wait_s: float) -> Busy:
    """Refuse after waiting for the firm's turn."""
    message = f"is being written by somebody else for more than {wait_s:g} s"
    return Busy(Refusal(code="busy", field="firm", value=firm, message=message, hint="Maybe try again in a moment."))
