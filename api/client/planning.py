"""The client's methods about plans of the whole backlog: solves, and when they are made by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.client.requests import Requests, in_path
from api.jobs.schedule import Due, Schedule
from api.routes.solve_models import (
    ScheduleAnswer,
    Schedules,
    SolveAnswer,
    SolvePage,
    SolveResultAnswer,
    SolveStarted,
    SolveStep,
)
from api.store.solve_states import SolveAsk


class Planning(Requests):
    """Solves and schedules."""

    def start_solve(self, ask: SolveAsk | None = None, *, key: str | None = None) -> SolveStarted:
        """Ask for a plan of the whole backlog; workers make it."""
        return self._create(SolveStarted, "/solves", ask or SolveAsk(), key)

    def solves(self, **wanted: Any) -> Iterator[SolveAnswer]:
        """Yield solves, newest first."""
        return self._pages(SolvePage, "/solves", lambda page: page.solves, wanted)

    def solve(self, id: str) -> SolveAnswer:
        """Read how a solve stands."""
        return self._get(SolveAnswer, f"/solves/{in_path(id)}")

    def watch_solve(self, id: str, *, after: int = 0) -> Iterator[SolveStep]:
        """Yield each step of a solve behind number ``after`` as it comes, until it has ended; takes up lines that break."""
        for number, said in self._steps(f"/solves/{in_path(id)}/progress", after):
            yield SolveStep.model_validate_json(said).model_copy(update={"number": number})

    def cancel_solve(self, id: str) -> SolveAnswer:
        """Cancel a solve that has not been applied yet."""
        return self._ask(SolveAnswer, "POST", f"/solves/{in_path(id)}/cancel")

    def solve_result(self, id: str) -> SolveResultAnswer:
        """Read what came of a solve: plan, placements, proposals."""
        return self._get(SolveResultAnswer, f"/solves/{in_path(id)}/result")

    def schedules(self) -> Schedules:
        """Read what is done by itself, and when."""
        return self._get(Schedules, "/schedules")

    def schedule(self, due: Due) -> ScheduleAnswer:
        """Read when something is done by itself."""
        return self._get(ScheduleAnswer, f"/schedules/{due.value}")

    def put_schedule(self, due: Due, schedule: Schedule, *, version: int | None) -> ScheduleAnswer:
        """Say when something is done by itself."""
        return self._change(ScheduleAnswer, "PUT", f"/schedules/{due.value}", schedule, version)
