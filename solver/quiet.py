"""HiGHS that keeps quiet."""

from __future__ import annotations

import highspy

DUAL, PRIMAL = 1, 4
"""HiGHS's numbers of the simplex methods: the primal one goes on from the last answer where columns are added or prices change, the dual
one where limits do."""


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
