"""HiGHS that keeps quiet."""

from __future__ import annotations

import highspy

PRIMAL = 4
"""HiGHS's number of the primal simplex method: it goes on from the last answer where columns are added or prices change, and the dual one
begins anew."""


class Quiet(highspy.Highs):
    """HiGHS without its banner, which setting up the callbacks or the first run would print on standard output."""

    def __init__(self) -> None:
        """Begin with an empty model that is solved on one thread."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.silent()
        self.setOptionValue("threads", 1)

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's name
        """Let callbacks be heard."""
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]
