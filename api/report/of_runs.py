"""A run that is done, as a page or a workbook."""

from __future__ import annotations

import io

from sqlalchemy.orm import Session

from api.jobs.asks import ReplayAsk, SweepAsk, SweepResult, WhatIfAsk, WhatIfResult
from api.report.comparison import ComparisonData
from api.report.comparison_page import comparison_html
from api.report.comparison_sheets import write_comparison_workbook
from api.report.outlook import outlook_html
from api.report.past_page import PastReport, past_page, write_past_workbook
from api.report.season_page import season_page
from api.store.boards import labels_of
from api.store.loading import firm_at
from api.store.past import days_of
from api.store.run_states import Run
from scenarios.past_outcome import PastOutcome
from scenarios.run import Compared
from scenarios.season_figures import Season
from scenarios.sweeps import Swept


def report_of_run(session: Session, run: Run, document: str, *, workbook: bool) -> bytes:
    """Return the report of a run, with the names of today: a page, or a workbook, which a season has none of.

    Parameters
    ----------
    document
        What came of the run, as JSON (`api.store.runs.result_of`).
    """
    book = io.BytesIO()
    if run.kind == "season":
        return outlook_html(season_page(Season.model_validate_json(document))).encode()
    if run.kind == "replay":
        report = past_of_run(session, run, document)
        if not workbook:
            return outlook_html(past_page(report)).encode()
        write_past_workbook(report, book)
        return book.getvalue()
    data = comparison_of_run(session, run, document)
    if not workbook:
        return comparison_html(data).encode()
    write_comparison_workbook(data, book)
    return book.getvalue()


def past_of_run(session: Session, run: Run, document: str) -> PastReport:
    """Return what a report of a replay is made from, with the names of today."""
    firm, ask = firm_at(session, run.version), ReplayAsk.model_validate_json(run.asked)
    first, last = days_of(firm, ask.first_day, ask.last_day)
    return PastReport(firm.name, first, last, labels_of(session), PastOutcome.model_validate_json(document))


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
