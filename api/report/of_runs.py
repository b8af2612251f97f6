"""A run that is done, as the comparison report shows it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.jobs.asks import SweepAsk, SweepResult, WhatIfAsk, WhatIfResult
from api.report.comparison import ComparisonData
from api.store.loading import firm_at
from api.store.run_states import Run
from scenarios.run import Compared
from scenarios.sweeps import Swept


def comparison_of_run(session: Session, run: Run, document: str) -> ComparisonData:
    """Return what a report of a comparison or sweep is made from, with the names of today.

    Parameters
    ----------
    document
        What came of the run, as JSON (`api.store.runs.result_of`).
    """
    firm = firm_at(session, run.version)
    if run.kind == "sweep":
        sweep = SweepAsk.model_validate_json(run.asked).sweep
        came = SweepResult.model_validate_json(document)
        said = tuple(f"{axis.name}: {', '.join(axis.shown(value) for value in axis.values)}." for axis in sweep.axes)
        swept = Swept(sweep, came.points, run.points - run.points_known, came.refused)
        return ComparisonData(firm, run.planned_at, said, None, swept)
    scenario = WhatIfAsk.model_validate_json(run.asked).scenario
    found = WhatIfResult.model_validate_json(document)
    after = scenario.apply(firm)
    compared = Compared(found.comparison, scenario, firm, after, found.plan_before, found.plan_after)
    return ComparisonData(firm, run.planned_at, scenario.sentences(firm), compared, None)
