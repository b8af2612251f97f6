"""How a step of a job ends without an answer: by somebody else going on with it."""

from __future__ import annotations


class Ending(BaseException):
    """This process ends, or somebody else does the job: nothing is said of it any more.

    No `Exception`, so that the queue notes no failure: the job stays what it is, for somebody else to go on with.
    """


class Lost(Exception):
    """Another worker has claimed the solve meanwhile."""
