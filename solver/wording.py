"""Numbers as people say them; the one home of how minutes of work are written in sentences."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def hours_text(work_min: int) -> str:
    """Return minutes as ``3 h 30``, ``8 h`` or ``45 min``."""
    sign = MINUS if work_min < 0 else ""
    whole, rest = divmod(abs(work_min), 60)
    if not whole and rest:
        return f"{sign}{rest} min"
    return f"{sign}{whole:,} h" + (f" {rest:02d}" if rest else "")
