"""Which proposals managers approve in a replay; apart, as options name it without loading what plays it."""

from __future__ import annotations

from enum import StrEnum


class Approvals(StrEnum):
    """Which proposals managers approve in a replay."""

    AS_THEY_DID = "as-they-did"
    ALWAYS = "always"
    NEVER = "never"
