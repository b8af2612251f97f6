"""The answer of a solve in a terminal: scarce hours under the certificate, and the cheapest way out of each escalation."""

from __future__ import annotations

import io

from rich.console import Console

from api.report import ReportData
from api.report.sheets import sheets
from api.summary import print_summary
from solver.batch import solve_board, today
from solver.board import compile_board
from solver.firm import Firm
from solver.metrics import measure
from solver.plan import Plan
from solver.stop import WorkBudget
from tests.firms_for_tests import NOW, firm, person, task


def planned(one: Firm) -> Plan:
    return solve_board(compile_board(one, now=NOW), stop=WorkBudget(0.05))


def report_of(one: Firm) -> ReportData:
    plan, before = planned(one), today(one, now=NOW)
    return ReportData(
        firm=one,
        plan=plan,
        today=before,
        before=measure(one, before),
        after=measure(one, plan),
        proposals=(),
        notes=(),
    )


def printed(report: ReportData) -> str:
    console = Console(file=io.StringIO(), width=400)
    print_summary(console, report)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def one_hour_short() -> Firm:
    return firm(
        (person("ada", name="Ada Byron", level="senior"),),
        (task("held", hours=36, assignee="ada", pinned=True), task("new", hours=5)),
    )


def test_scarce_hours_and_the_cheapest_way_out_are_said_in_the_terminal_and_the_workbook() -> None:
    report = report_of(one_hour_short())
    [scarce] = report.plan.certificate.scarcity
    [lost] = report.plan.escalations
    assert lost.cheapest is not None
    text = printed(report)
    assert scarce.sentence in text
    assert "cheapest way out" in text
    assert lost.cheapest.sentence in text
    cells = {
        title: [cell for row in sheet.rows for cell in row] for sheet in sheets(report) for title in (sheet.title,)
    }
    assert scarce.sentence in cells["Certificate"]
    assert any(
        "1. Add hours: Ada Byron works 1 h more before the deadline. (cheapest)" in str(cell)
        for cell in cells["Escalations"]
    )


def test_the_cheapest_is_said_even_where_it_is_not_the_first_of_its_list() -> None:
    dear = {"policy": {"weights": {"overtime": 10_000}}}
    report = report_of(Firm.model_validate(one_hour_short().model_dump() | dear))
    [lost] = report.plan.escalations
    assert lost.cheapest == lost.ways_out[1]
    assert lost.ways_out[1].sentence in printed(report)
    assert lost.ways_out[0].sentence not in printed(report)


def test_an_escalation_without_a_way_out_says_none() -> None:
    report = report_of(firm((person("ada", skills=()),), (task("new"),)))
    assert report.plan.escalations[0].cheapest is None
    assert "Escalations (1)" in printed(report)
