"""The client's methods about what-ifs: scenarios that are kept, what is worked out about them, and their moves as proposals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from api.client.requests import Requests, in_path
from api.routes.scenario_models import (
    NewScenario,
    PointPage,
    PointRow,
    RiskRun,
    RunAnswer,
    RunPage,
    RunResult,
    RunRow,
    RunStep,
    ScenarioAnswer,
    ScenarioPage,
    ScenarioRow,
    SeasonRun,
    SweepRun,
    Turned,
    Turning,
    WhatIfRun,
)


class Scenarios(Requests):
    """Scenarios and their runs."""

    def create_scenario(self, scenario: NewScenario, *, key: str | None = None) -> ScenarioAnswer:
        """Keep a what-if; nothing real is touched."""
        return self._create(ScenarioAnswer, "/scenarios", scenario, key)

    def scenarios(self, **wanted: Any) -> Iterator[ScenarioRow]:
        """Yield scenarios, newest first; ``wanted`` as the filters of the list: ``search``, ``change``, ``person``, ``created_by``."""
        return self._pages(ScenarioPage, "/scenarios", lambda page: page.scenarios, wanted)

    def scenario(self, id: str) -> ScenarioAnswer:
        """Read a scenario, and which of its changes still apply today."""
        return self._get(ScenarioAnswer, f"/scenarios/{in_path(id)}")

    def replace_scenario(self, id: str, scenario: NewScenario, *, version: int | None) -> ScenarioAnswer:
        """Say everything about a scenario anew."""
        return self._change(ScenarioAnswer, "PUT", f"/scenarios/{in_path(id)}", scenario, version)

    def rebase_scenario(self, id: str, *, version: int | None) -> ScenarioAnswer:
        """Keep a scenario as it applies to today's firm."""
        return self._change(ScenarioAnswer, "POST", f"/scenarios/{in_path(id)}/rebase", None, version)

    def remove_scenario(self, id: str, *, version: int | None) -> None:
        """Remove a scenario."""
        self._remove(f"/scenarios/{in_path(id)}", version)

    def start_run(
        self, scenario: str, ask: WhatIfRun | SweepRun | RiskRun | SeasonRun | None = None, *, key: str | None = None
    ) -> RunAnswer:
        """Let workers solve a scenario beside today, over a range, or under uncertainty, or plan its year."""
        return self._create(RunAnswer, f"/scenarios/{in_path(scenario)}/runs", ask or WhatIfRun(), key)

    def runs(self, scenario: str, **wanted: Any) -> Iterator[RunRow]:
        """Yield what was worked out about a scenario, newest first; ``wanted``: ``kind``."""
        return self._pages(RunPage, f"/scenarios/{in_path(scenario)}/runs", lambda page: page.runs, wanted)

    def run(self, scenario: str, id: str) -> RunAnswer:
        """Read where a run stands."""
        return self._get(RunAnswer, f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}")

    def watch_run(self, scenario: str, id: str, *, after: int = 0) -> Iterator[RunStep]:
        """Yield each step of a run behind number ``after`` as it comes, until it has ended; takes up lines that break."""
        for number, said in self._steps(f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}/progress", after):
            yield RunStep.model_validate_json(said).model_copy(update={"number": number})

    def points(self, scenario: str, id: str, **wanted: Any) -> Iterator[PointRow]:
        """Yield the pieces of a run in their order, with the results that are there; ``wanted``: ``done``."""
        path = f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}/points"
        return self._pages(PointPage, path, lambda page: page.points, wanted)

    def cancel_run(self, scenario: str, id: str) -> RunAnswer:
        """Cancel a run that has not ended."""
        return self._ask(RunAnswer, "POST", f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}/cancel")

    def run_result(self, scenario: str, id: str) -> RunResult:
        """Read what came of a run."""
        return self._get(RunResult, f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}/result")

    def run_report(self, scenario: str, id: str, form: Literal["html", "xlsx"] = "html") -> bytes:
        """Download a comparison or a sweep as a page or a workbook, a season as a page."""
        path = f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}/report"
        return self._send("GET", path, params={"form": form}, repeatable=True).content

    def propose_run(
        self,
        scenario: str,
        id: str,
        *,
        tasks: Sequence[str] = (),
        expires_at: datetime | None = None,
        key: str | None = None,
    ) -> Turned:
        """Propose the moves of a scenario that fit and gain on the firm as it is, and learn why the others do not."""
        turning = Turning(tasks=tuple(tasks), expires_at=expires_at)
        return self._create(Turned, f"/scenarios/{in_path(scenario)}/runs/{in_path(id)}/proposals", turning, key)
