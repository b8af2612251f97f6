"""A small client of the HTTP API: its models are the API's own, lists are iterators, problems are exceptions.

    with Client("http://127.0.0.1:8000", token) as evenhand:
        placed = evenhand.place(Task(id="t-1", type="return", client="acme", deadline=date(2027, 3, 15), estimate_min=240))

What creates something has an idempotency key, made here unless given, and is sent again with the same one when the answer is lost:
it is done once. What changes something names the version that was read, and is sent again only where it cannot have been done.
"""

from __future__ import annotations

from api.client.firm_runs import FirmRuns
from api.client.parts import Parts
from api.client.planning import Planning
from api.client.requests import Problem
from api.client.running import Running
from api.client.scenarios import Scenarios
from api.client.waiting import Waiting
from api.client.work import Work


class Client(Work, Waiting, Planning, Scenarios, FirmRuns, Parts, Running):
    """Every operation of the API as one token may use it, but for signing in, which browsers do. Threads may share it.

    It is made as `api.client.requests.Requests` is.
    """


__all__ = ["Client", "Problem"]
