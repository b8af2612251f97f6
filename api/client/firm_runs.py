"""The client's methods about what is worked out of the firm itself: the year ahead, a past period; and about any run by its id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from api.client.requests import Requests, in_path
from api.routes.scenario_models import (
    PointPage,
    PointRow,
    ReplayRun,
    RunAnswer,
    RunPage,
    RunResult,
    RunRow,
    RunStep,
    SeasonRun,
)


class FirmRuns(Requests):
    """Runs, whether they are of a scenario or of the firm."""

    def start_firm_run(self, ask: SeasonRun | ReplayRun, *, key: str | None = None) -> RunAnswer:
        """Let workers plan the year ahead, or play a past period again under another policy."""
        return self._create(RunAnswer, "/runs", ask, key)

    def firm_runs(self, **wanted: Any) -> Iterator[RunRow]:
        """Yield what was worked out about the firm and its scenarios, newest first; ``wanted``: ``kind``."""
        return self._pages(RunPage, "/runs", lambda page: page.runs, wanted)

    def firm_run(self, id: str) -> RunAnswer:
        """Read where a run stands."""
        return self._get(RunAnswer, f"/runs/{in_path(id)}")

    def watch_firm_run(self, id: str, *, after: int = 0) -> Iterator[RunStep]:
        """Yield each step of a run behind number ``after`` as it comes, until it has ended; takes up lines that break."""
        for number, said in self._steps(f"/runs/{in_path(id)}/progress", after):
            yield RunStep.model_validate_json(said).model_copy(update={"number": number})

    def firm_run_points(self, id: str, **wanted: Any) -> Iterator[PointRow]:
        """Yield the pieces of a run in their order, with the results that are there; ``wanted``: ``done``."""
        return self._pages(PointPage, f"/runs/{in_path(id)}/points", lambda page: page.points, wanted)

    def cancel_firm_run(self, id: str) -> RunAnswer:
        """Cancel a run that has not ended."""
        return self._ask(RunAnswer, "POST", f"/runs/{in_path(id)}/cancel")

    def firm_run_result(self, id: str) -> RunResult:
        """Read what came of a run."""
        return self._get(RunResult, f"/runs/{in_path(id)}/result")

    def firm_run_report(self, id: str, form: Literal["html", "xlsx"] = "html") -> bytes:
        """Download a run as a page; a replay, a comparison or a sweep as a workbook too."""
        return self._send("GET", f"/runs/{in_path(id)}/report", params={"form": form}, repeatable=True).content
